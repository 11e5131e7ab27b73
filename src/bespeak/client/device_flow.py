"""Signing in at a provider from a terminal: the device flow (RFC 8628), and new tokens for old ones (RFC 6749, 6).

The provider is asked directly; the server of the book only says which one it is. What comes back is checked by the
server, each time it is sent.
"""

from __future__ import annotations

import base64
import http.client
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import BespeakError, NotAllowedError, UnavailableError, UsageError, WaitTimedOutError
from bespeak.base.http_url import parse_http_url
from bespeak.client.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ASK_SECONDS = 20.0
_OK, _SERVER_FAILS = 200, 500
_USUAL_INTERVAL, _SLOWER, _LONGEST_INTERVAL = 5, 5, 60
_USUAL_LIFE = 600
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class RefusedByProviderError(NotAllowedError):
    """The provider does not give a token."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where one signs in.

    Attributes:
        issuer: its address.
        client_id: what it calls this program.
        scopes: what is asked for.
    """

    issuer: str
    client_id: str
    scopes: tuple[str, ...]

    def configuration(self) -> dict[str, Any]:
        """Return what the provider publishes of itself.

        Raises:
            UnavailableError: it cannot be asked, or says that it is another.
        """
        status, found = _ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if status != _OK or found.get("issuer") != self.issuer:
            raise UnavailableError(f"provider {self.issuer}: its configuration cannot be read (status {status})")
        return found


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider gives.

    Attributes:
        id_token: what is shown to the server.
        refresh_token: gives the next one; empty where there is none.
    """

    id_token: str
    refresh_token: str

    @property
    def ends(self) -> float:
        """When the ID token ends, in seconds since 1970; 0 where it does not say."""
        return float(claims_of(self.id_token).get("exp") or 0)


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A sign-in that waits for somebody to type its code.

    Attributes:
        address: where the code is typed.
        full_address: the same with the code in it; empty where the provider has none.
        code: what is typed.
    """

    address: str
    full_address: str
    code: str


def sign_in(
    provider: Provider, show: Callable[[PendingLogin], None], sleep: Callable[[float], object] = time.sleep
) -> Tokens:
    """Sign somebody in, who types a code into a browser anywhere.

    Args:
        provider: where.
        show: told where the code is to be typed.
        sleep: waits, seconds.

    Raises:
        RefusedByProviderError: they, or the provider, said no.
        WaitTimedOutError: nobody typed the code in time.
        UnavailableError: the provider cannot be asked, or has no device flow.
    """
    configuration = provider.configuration()
    where = _endpoint(provider, configuration, "device_authorization_endpoint")
    scope = " ".join(dict.fromkeys([*provider.scopes, "offline_access"]))
    status, found = _ask("POST", where, {"client_id": provider.client_id, "scope": scope})
    if status != _OK:
        raise _refusal(provider, found, status)
    device_code = _text(found, "device_code", provider)
    shown = PendingLogin(
        escape_unprintable(_text(found, "verification_uri", provider)),
        escape_unprintable(str(found.get("verification_uri_complete") or "")),
        escape_unprintable(_text(found, "user_code", provider)),
    )
    show(shown)
    interval = min(_number(found.get("interval"), _USUAL_INTERVAL), _LONGEST_INTERVAL)
    left = float(_number(found.get("expires_in"), _USUAL_LIFE))
    form = {"grant_type": _GRANT, "device_code": device_code, "client_id": provider.client_id}
    endpoint = _endpoint(provider, configuration, "token_endpoint")
    while left > 0:
        sleep(interval)
        left -= interval
        status, found = _ask("POST", endpoint, form)
        if status == _OK:
            return _tokens(provider, found, "")
        if found.get("error") == "slow_down":
            interval += _SLOWER
        elif found.get("error") == "expired_token":
            break
        elif found.get("error") != "authorization_pending":
            raise _refusal(provider, found, status)
    raise WaitTimedOutError(f"nobody has typed the code {shown.code} in time; begin again with `bespeak login`")


def refresh(provider: Provider, refresh_token: str) -> Tokens:
    """Return new tokens for an old one.

    Raises:
        RefusedByProviderError: the old one does not count any more.
        UnavailableError: the provider cannot be asked.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": provider.client_id}
    status, found = _ask("POST", _endpoint(provider, provider.configuration(), "token_endpoint"), form)
    if status != _OK:
        raise _refusal(provider, found, status)
    return _tokens(provider, found, refresh_token)


def revoke(provider: Provider, refresh_token: str) -> bool:
    """Tell the provider that a token must not count any more (RFC 7009); False where it cannot be told."""
    try:
        configuration = provider.configuration()
        if "revocation_endpoint" not in configuration:
            return False
        form = {"token": refresh_token, "token_type_hint": "refresh_token", "client_id": provider.client_id}
        return _ask("POST", _endpoint(provider, configuration, "revocation_endpoint"), form)[0] == _OK
    except UnavailableError:
        return False


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says; nothing is checked: the server does that."""
    try:
        body = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, IndexError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _tokens(provider: Provider, found: Mapping[str, Any], old: str) -> Tokens:
    given = found.get("refresh_token")
    return Tokens(_text(found, "id_token", provider), given if isinstance(given, str) and given else old)


def _refusal(provider: Provider, found: Mapping[str, Any], status: int) -> BespeakError:
    said = found.get("error_description") or found.get("error")
    if status >= _SERVER_FAILS or not isinstance(said, str):
        return UnavailableError(f"provider {provider.issuer}: answers with status {status}")
    return RefusedByProviderError(f"provider {provider.issuer} refuses: {said!a:.200}")


def _endpoint(provider: Provider, configuration: Mapping[str, Any], name: str) -> str:
    found = configuration.get(name)
    kind = "https" if provider.issuer.startswith("https:") else "http"
    if not isinstance(found, str) or not found.startswith(kind):
        raise UnavailableError(f"provider {provider.issuer}: has no {name.replace('_', ' ')}")
    return found


def _text(found: Mapping[str, Any], name: str, provider: Provider) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise UnavailableError(f"provider {provider.issuer}: its answer has no {name}")
    return value


def _number(value: object, usual: int) -> int:
    return value if isinstance(value, int) and value > 0 else usual


def _ask(method: str, address: str, form: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON object that an address answers with."""
    query = urlsplit(address).query
    try:
        where = parse_http_url(address.partition("?")[0], "provider")
    except UsageError as error:
        raise UnavailableError(str(error)) from None
    headers = {"Accept": "application/json", "User-Agent": "bespeak"}
    body = None
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(form).encode()
    connection = Connection(where)
    try:
        path = (where.prefix or "/") + (f"?{query}" if query else "")
        answer = connection.ask(method, path, body, headers, time.monotonic() + _ASK_SECONDS)
        found = json.loads(answer.body or b"{}")
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        why = str(error) or type(error).__name__
        raise UnavailableError(f"provider {where.name}: cannot be asked: {short_repr(why)}") from None
    finally:
        connection.close()
    return answer.status, found if isinstance(found, dict) else {}
