"""One conversation with a Redfish service: one login, a limit on every answer, and nothing but the paths asked for.

Most services take a login with each request, some only in a session (``SessionService``). Where the service offers
sessions one is opened, and closed at the end: controllers have few of them. A login that is refused is never tried
in another way, because controllers lock accounts.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Self
from urllib.parse import quote, urlsplit

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.host.power.device import PowerFault
from bespeak.host.power.http_client import Answer, Connection, refusal
from bespeak.host.status import Status

_ROOT = "/redfish/v1/"
_LIMIT_BYTES = 2 * 1024 * 1024
_MOST_PAGES = 100
_LOGOUT_SECONDS = 2.0
_MOST_REDIRECTS = 4
_MOVED = frozenset({301, 302, 303, 307, 308})
_NO_SESSIONS = frozenset({404, 405, 501})


class RedfishClient:
    """A conversation with one service.

    Args:
        url: where the service is, ``https://bmc.lab``.
        user: the account; None for a service without accounts.
        secret: its password.
        verify: how the certificate is checked.
        timeout: seconds for one request.
    """

    def __init__(
        self, url: str, *, user: str | None, secret: str | None, verify: bool | str = True, timeout: float = 20.0
    ) -> None:
        self.url = url.removesuffix("/").removesuffix("/redfish/v1")
        self.place = escape_unprintable(url)
        checks = verify if url.startswith("https:") else False
        self._connection = Connection(
            self.place, verify=checks, timeout=timeout, secrets=(secret,), limit_bytes=_LIMIT_BYTES
        )
        self._login = (user, secret) if user is not None and secret is not None else None
        self._basic: tuple[str, str] | None = None
        self._token: str | None = None
        self._session: str | None = None
        self._root: dict[str, Any] | None = None
        self._tags: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        await self._connection.__aenter__()
        try:
            await self._log_in()
        except BaseException:
            await self._connection.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._session is not None:
                with suppress(PowerFault, TimeoutError):
                    async with asyncio.timeout(_LOGOUT_SECONDS):
                        await self._request("DELETE", self._session)
        finally:
            await self._connection.__aexit__()

    async def get(self, path: str) -> dict[str, Any]:
        """Return a resource.

        Raises:
            PowerFault: the service could not be asked (Error), or said no (Failed).
        """
        answer = await self._asked("GET", path)
        found = self._object(answer)
        tag = answer.headers.get("etag") or found.get("@odata.etag")
        if isinstance(tag, str) and tag.isascii() and tag.isprintable():
            self._tags[path] = tag
        return found

    async def send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change something; return what the service answers, which may be nothing.

        Args:
            method: ``POST`` or ``PATCH``; a change of what was read with :meth:`get` says which version it changes.
            path: the resource or the action.
            body: what to send.

        Raises:
            PowerFault: the service could not be asked (Error), or said no (Failed).
        """
        headers = {"Content-Type": "application/json"}
        if method == "PATCH" and path in self._tags:
            headers["If-Match"] = self._tags[path]
        answer = await self._asked(method, path, headers, json.dumps(body))
        return self._object(answer) if answer.text.strip().startswith("{") else {}

    async def system(self, wanted: str | None) -> tuple[str, dict[str, Any]]:
        """Return the path of a system and what it says; no other system is loaded unless it is found by name only.

        Args:
            wanted: its path, id, name or UUID; None for the only one.

        Raises:
            PowerFault: there is none, or more than one.
        """
        if wanted is not None and wanted.startswith("/"):
            return wanted, await self.get(wanted)
        root = await self._service_root()
        collection = self._link(root.get("Systems"), "the service root has no Systems")
        if wanted is not None:
            guess = f"{collection.rstrip('/')}/{quote(wanted, safe='')}"
            with suppress(_NotThereError):
                found = await self.get(guess)
                if wanted in _names(found):
                    return guess, found
        members = await self._members(collection)
        if wanted is not None:
            return await self._by_name(wanted, members)
        if len(members) != 1:
            names = ", ".join(escape_unprintable(_last(path)) for path in members) or "none"
            raise PowerFault(f"{self.place}: system must say which of these it is: {names}", Status.Failed)
        return members[0], await self.get(members[0])

    async def _by_name(self, wanted: str, members: list[str]) -> tuple[str, dict[str, Any]]:
        """Look through the systems; one that cannot be read does not hide the others."""
        fault: PowerFault | None = None
        for path in sorted(members, key=lambda path: _last(path) != wanted):
            try:
                found = await self.get(path)
            except PowerFault as sick:
                if sick.final and sick.status is Status.Error:
                    raise
                fault = sick
                continue
            if wanted in _names(found):
                return path, found
        if fault is not None:
            raise PowerFault(f"{fault}; no other system is {wanted!r}") from fault
        raise PowerFault(f"{self.place}: there is no system {wanted!r}", Status.Failed)

    async def _members(self, collection: str) -> list[str]:
        paths: list[str] = []
        following: Any = {"@odata.id": collection}
        for _ in range(_MOST_PAGES):
            page = await self.get(self._link(following, "the list of systems goes on nowhere"))
            entries = page.get("Members")
            if not isinstance(entries, list):
                raise PowerFault(f"{self.place}: the list of systems has no Members")
            paths += [self._link(each, "a system has no path") for each in entries]
            following = page.get("Members@odata.nextLink")
            if following is None:
                break
            following = {"@odata.id": following}
        return paths

    async def _log_in(self) -> None:
        if self._login is None:
            return
        user, secret = self._login
        answer = await self._request("GET", _ROOT)
        if answer.status == 401:  # noqa: PLR2004 - HTTP; a root that is closed to strangers tells nothing of sessions
            self._basic = self._login
            return
        self._root = self._object(self._checked(answer))
        links = self._root.get("Links")
        sessions = links.get("Sessions") if isinstance(links, dict) else None
        service = self._root.get("SessionService")
        if sessions is None and isinstance(service, dict):
            sessions = {"@odata.id": f"{str(service.get('@odata.id', '')).rstrip('/')}/Sessions"}
        if sessions is None:
            self._basic = self._login
            return
        await self._open_session(self._link(sessions, "the link to its sessions is none"), user, secret)

    async def _open_session(self, path: str, user: str, secret: str) -> None:
        body = json.dumps({"UserName": user, "Password": secret})
        answer = await self._request("POST", path, {"Content-Type": "application/json"}, body)
        token = answer.headers.get("x-auth-token")
        if answer.status in _NO_SESSIONS or (200 <= answer.status < 300 and not token):  # noqa: PLR2004 - HTTP
            self._basic = self._login
            return
        if answer.status == 400:  # noqa: PLR2004 - HTTP; some services say so of a wrong password
            raise PowerFault(f"{self.place}: login refused (HTTP 400)", final=True)
        self._checked(answer)
        self._connection.hide(str(token))
        self._token = token
        self._session = self._path_of(answer.headers.get("location"))
        if self._session is None:
            with suppress(PowerFault):
                self._session = self._link(self._object(answer), "")

    async def _service_root(self) -> dict[str, Any]:
        if self._root is None:
            self._root = await self.get(_ROOT)
        return self._root

    async def _asked(
        self, method: str, path: str, headers: dict[str, str] | None = None, content: str | None = None
    ) -> Answer:
        return self._checked(await self._request(method, path, headers, content))

    async def _request(
        self, method: str, path: str, headers: dict[str, str] | None = None, content: str | None = None
    ) -> Answer:
        sent = {"Accept": "application/json", "OData-Version": "4.0", **(headers or {})}
        if self._token is not None:
            sent["X-Auth-Token"] = self._token
        for _ in range(_MOST_REDIRECTS):
            answer = await self._connection.request(
                method, self.url + path, headers=sent, content=content, auth=self._basic
            )
            moved = self._path_of(answer.headers.get("location")) if answer.status in _MOVED else None
            if method != "GET" or moved is None:
                break
            path = moved
        return answer

    def _checked(self, answer: Answer) -> Answer:
        fault = refusal(answer, self.place, self._said(answer))
        if fault is None:
            return answer
        if answer.status == 404:  # noqa: PLR2004 - HTTP
            raise _NotThereError(str(fault), fault.status)
        raise fault

    def _said(self, answer: Answer) -> str:
        """Return the reason in the service's words; the first message that it gives is the most precise one."""
        text: Any = answer.text
        with suppress(ValueError, RecursionError, KeyError, TypeError, IndexError):
            error = json.loads(answer.text)["error"]
            text = error["message"]
            text = error["@Message.ExtendedInfo"][0]["Message"]
        return self._connection.scrubbed(text if isinstance(text, str) else "")

    def _object(self, answer: Answer) -> dict[str, Any]:
        try:
            found = json.loads(answer.text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise PowerFault(f"{self.place}: the answer is no JSON object: {short_repr(answer.text[:60])}")
        return found

    def _link(self, value: Any, otherwise: str) -> str:
        """Return the path in a link; one to another machine would carry the login there."""
        path = value.get("@odata.id") if isinstance(value, dict) else None
        if not isinstance(path, str) or not path.startswith("/") or path.startswith("//") or not path.isprintable():
            raise PowerFault(f"{self.place}: {otherwise}")
        return path

    def _path_of(self, location: str | None) -> str | None:
        """Return the path in the address of a new session, if it is one of this service."""
        try:
            parts = urlsplit(location or "")
        except ValueError:
            return None
        own = not parts.netloc or parts.netloc == urlsplit(self.url).netloc
        return parts.path if own and parts.path.startswith("/") else None


class _NotThereError(PowerFault):
    """The service has no such resource."""


def _names(system: dict[str, Any]) -> set[Any]:
    return {value for key in ("Id", "Name", "UUID") if isinstance(value := system.get(key), str)}


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
