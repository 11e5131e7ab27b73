"""Requests that are asked again when their answer is lost, and never done twice.

A connection can break at any moment, also after the server has done what was asked. Each request that changes
something carries a key of its own, under which the server does it once and answers the same again; so whoever has no
answer asks again until there is one, or the time is over. Only then is the outcome unknown.
"""

from __future__ import annotations

import http.client
import random
import time

from bespeak.base.errors import OutcomeUnknownError, UnavailableError
from bespeak.base.http_url import parse_http_url
from bespeak.client.connection import Connection, NotSentError
from bespeak.client.credentials import Credentials
from bespeak.storage.time_limit import left_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.base.http_url import HttpAddress
    from bespeak.client.connection import Answer

ANSWER_SECONDS = 30.0
"""How long a request may take, with all that is repeated of it."""

KEY_HEADER = "Idempotency-Key"
_RECONNECT_SECONDS = 0.5
"""For so long a server that cannot be reached at all is tried: it may just be starting again."""

_PAUSE_FIRST_SECONDS = 0.02
_PAUSE_LAST_SECONDS = 1.0
_MOST_IDLE = 4
_BETWEEN = frozenset((502, 504))
"""What stands between answered, and not the server: what became of the request is not known."""

_BUSY = 429
_LOST = (OSError, http.client.HTTPException)


def requests_to(url: str) -> Requests:
    """Return the way to the server of a book, with the credentials of this user.

    Raises:
        UsageError: ``url`` is no URL of a server.
    """
    address = parse_http_url(url)
    return Requests(address, Credentials(address.origin))


class Requests:
    """The way to one server; threads may share it.

    Args:
        address: where it is.
        credentials: who we are.
    """

    def __init__(self, address: HttpAddress, credentials: Credentials) -> None:
        self.address = address
        self._credentials = credentials
        self._idle: list[Connection] = []

    @property
    def is_anonymous(self) -> bool:
        """Whether no token is shown."""
        return not self._credentials.token()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request until it is answered; return the answer, whatever its status.

        Args:
            method: GET, POST, ...
            path: below the root of the server's API.
            body: JSON.
            key: makes the request one that the server does once; without it, it changes nothing.
            headers: more headers.

        Raises:
            UnavailableError: the server cannot be asked; nothing was changed.
            OutcomeUnknownError: it may or may not have done what was asked.
        """
        began = time.monotonic()
        until = began + left_seconds(ANSWER_SECONDS)
        sent, pause = False, _PAUSE_FIRST_SECONDS
        full = self._headers(key, headers)
        while True:
            connection = self._take_idle() or Connection(self.address)
            was_idle = connection.is_used
            try:
                answer = self._over(connection, method, path, body, full, until)
            except NotSentError as error:
                why: Exception = error
                patience = until if sent and key is not None else min(until, began + _RECONNECT_SECONDS)
            except _LOST as error:
                why, sent, patience = error, True, until
                if was_idle and time.monotonic() < until:
                    continue  # the server may just have closed it while it was idle; what changes something has a key
            else:
                if answer.status not in _BETWEEN and answer.status != _BUSY:
                    return answer
                why, patience = UnavailableError(f"status {answer.status}"), until
                sent = sent or answer.status != _BUSY
            now = time.monotonic()
            if now + pause >= patience:
                raise self._failure(why, unknown=sent and key is not None) from why
            time.sleep(pause)
            pause = min(pause * 2, _PAUSE_LAST_SECONDS) * random.uniform(0.7, 1.0)  # noqa: S311 no secret

    def _take_idle(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _over(
        self,
        connection: Connection,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        until: float,
    ) -> Answer:
        try:
            answer = connection.ask(method, self.address.prefix + path, body, headers, until)
        except BaseException:
            connection.close()
            raise
        if connection.is_used and len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        found = {"Accept": "application/json", "User-Agent": "bespeak"}
        token = self._credentials.token()
        if token:
            found["Authorization"] = f"Bearer {token}"
        return found

    def _headers(self, key: str | None, more: Mapping[str, str] | None) -> dict[str, str]:
        found = self.headers()
        found["Content-Type"] = "application/json"
        if key is not None:
            found[KEY_HEADER] = key
        return found | dict(more or {})

    def _failure(self, why: Exception, *, unknown: bool) -> UnavailableError:
        said = str(why) or type(why).__name__
        if unknown:
            return OutcomeUnknownError(f"book {self.address.name}: {said}; it may or may not have been done")
        return UnavailableError(f"book {self.address.name}: {said}")

    def close(self) -> None:
        """Close the connections."""
        while (kept := self._take_idle()) is not None:
            kept.close()
