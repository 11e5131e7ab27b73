"""HTTP requests to a device: a deadline, a limit on the answer, and errors in one line without secrets."""

from __future__ import annotations

import json
import logging
import math
import zlib
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import needs_extra
from bespeak.host.power.device import PowerFault
from bespeak.host.secrets import scrubbed
from bespeak.host.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

_LIMIT_BYTES = 256 * 1024
_SHOWN = 200
_CODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
"""Who logs requests and answers: addresses with passwords, and headers with the token of a session."""
_BUSY = frozenset({408, 429})
"""Status codes of a device that could not be asked just now; those from 500 on say no more of an order."""
_BROKEN_FROM = 500


def base_url(value: object, name: str = "url") -> str:
    """Check the address of a device.

    Raises:
        ValueError: it is no http address, or carries a password.
    """
    if not isinstance(value, str):
        raise ValueError(f"{name} must be http://HOST or https://HOST, not {short_repr(value)}")  # noqa: TRY004 - bad data
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(f"{name} cannot be read as an address") from None
    if "@" in parts.netloc:
        raise ValueError(f"{name} must not carry a user or a password; give user and password by themselves")
    if parts.scheme not in {"http", "https"} or not parts.hostname or not value.isprintable():
        raise ValueError(f"{name} must be http://HOST or https://HOST, not {short_repr(value)}")
    return value.rstrip("/")


def verify_option(value: object) -> bool | str:
    """Check ``verify``: true, false, or a file with the certificate authority.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, bool) or (isinstance(value, str) and value):
        return value
    raise ValueError(f"verify must be true, false or a file of certificates, not {short_repr(value)}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device answered.

    Attributes:
        status: the HTTP status.
        headers: by their names in small letters.
        text: the body.
    """

    status: int
    headers: dict[str, str]
    text: str

    @property
    def is_unsure(self) -> bool:
        """Whether it says nothing about an order: a device may obey and break in the middle of the answer."""
        return self.status in _BUSY or self.status >= _BROKEN_FROM

    @property
    def retry_after_seconds(self) -> float | None:
        """How long a busy device wants to be left alone; None when it does not say."""
        said = self.headers.get("retry-after")
        if not self.is_unsure or said is None:
            return None
        try:
            return max(float(said), 0.0) if math.isfinite(float(said)) else None
        except ValueError:
            return _until(said)


class Connection:
    """Requests to one device over connections that are kept, without proxies of the environment.

    Args:
        place: the device, for messages.
        verify: how the certificate is checked.
        timeout: seconds for one request.
        auth: a login that goes with every request.
        secrets: what no message may repeat.
        limit_bytes: the longest answer, also after decompression.
    """

    def __init__(
        self,
        place: str,
        *,
        verify: bool | str = True,
        timeout: float = 10.0,
        auth: tuple[str, str] | httpx.Auth | None = None,
        secrets: tuple[str | None, ...] = (),
        limit_bytes: int = _LIMIT_BYTES,
    ) -> None:
        self.place = place
        self._verify = verify
        self._timeout = timeout
        self._auth = auth
        self._secrets = secrets
        self._limit_bytes = limit_bytes

    async def __aenter__(self) -> Self:
        try:
            import httpx
        except ImportError as error:
            raise PowerFault(needs_extra("this controller", "http"), final=True) from error
        try:
            checks = _context(self._verify)
        except (OSError, ValueError) as error:
            raise PowerFault(f"{self.place}: verify: {_reason(error)}", final=True) from error
        self._client = httpx.AsyncClient(
            verify=checks, timeout=self._timeout, trust_env=False, headers={"Accept-Encoding": "identity"}
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        with _unlogged():
            await self._client.aclose()

    def hide(self, secret: str) -> None:
        """Keep one more value out of messages."""
        self._secrets = (*self._secrets, secret)

    def scrubbed(self, text: str) -> str:
        """Return what a device said, in one short line without secrets."""
        return scrubbed(escape_unprintable(" ".join(text[:_SHOWN].split())), *self._secrets)

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        content: str | None = None,
        auth: tuple[str, str] | httpx.Auth | None = None,
    ) -> Answer:
        """Make a request and return the answer, whatever its status.

        Raises:
            PowerFault: the device could not be asked, or its answer is too long.
        """
        import httpx

        body = None if content is None else content.encode()
        try:
            with _unlogged():
                async with self._client.stream(
                    method, url, params=params, headers=headers, content=body, auth=auth or self._auth
                ) as answer:
                    data = await _body(answer, self.place, self._limit_bytes)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            raise PowerFault(f"{self.place}: {scrubbed(_reason(error), *self._secrets)}") from error
        return Answer(answer.status_code, dict(answer.headers), data.decode("utf-8", "replace"))


def refusal(answer: Answer, place: str, said: str) -> PowerFault | None:
    """Return what an answer that is no success means.

    Args:
        answer: the answer.
        place: the device, for messages.
        said: what the device said, scrubbed.
    """
    if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP
        return None
    if answer.status in {401, 403}:
        return PowerFault(f"{place}: login refused (HTTP {answer.status})", final=True)
    return PowerFault(
        f"{place}: HTTP {answer.status}{': ' + said if said else ''}",
        Status.Error if answer.is_unsure else Status.Failed,
        retry_after_seconds=answer.retry_after_seconds,
    )


async def fetch(
    url: str,
    params: dict[str, str] | None = None,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    content: str | None = None,
    auth: tuple[str, str] | httpx.Auth | None = None,
    verify: bool | str = True,
    timeout: float = 10.0,
    secrets: tuple[str | None, ...] = (),
) -> str:
    """Make one request and return the body.

    Raises:
        PowerFault: the device could not be asked (Error), or said no (Failed).
    """
    place = escape_unprintable(urlsplit(url).netloc)
    checks = verify if url.startswith("https:") else False
    async with Connection(place, verify=checks, timeout=timeout, auth=auth, secrets=secrets) as device:
        answer = await device.request(method, url, params=params, headers=headers, content=content)
        fault = refusal(answer, place, device.scrubbed(answer.text))
    if fault is not None:
        raise fault
    return answer.text


def _until(said: str) -> float | None:
    """Return the seconds until a moment in the form of HTTP."""
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


_ours: ContextVar[bool] = ContextVar("bespeak_request", default=False)


def _not_ours(_: logging.LogRecord) -> bool:
    return not _ours.get()


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep the library from logging this request, whose address may carry a password; others are logged as before."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_not_ours)  # added once: the same filter is not added again
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)


async def _body(answer: httpx.Response, place: str, limit_bytes: int) -> bytes:
    """Return the body, decompressed where the device compresses unasked, and never more than the limit."""
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    if coding not in _CODINGS:
        raise PowerFault(f"{place}: the answer is compressed as {short_repr(coding)}")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if coding not in {"", "identity"} else None
    body = bytearray()
    try:
        async for data in answer.aiter_raw():
            body += unpack.decompress(data, limit_bytes + 1 - len(body)) if unpack is not None else data
            if len(body) > limit_bytes:
                raise PowerFault(f"{place}: the answer is longer than {limit_bytes} bytes")
    except zlib.error as error:
        raise PowerFault(f"{place}: the answer cannot be decompressed") from error
    return bytes(body)


@lru_cache(maxsize=16)
def _context(verify: bool | str) -> Any:
    """Return what checks certificates; reading the authorities takes longer than most devices."""
    import httpx

    if isinstance(verify, str):
        import ssl

        return ssl.create_default_context(cafile=verify)
    return httpx.create_ssl_context() if verify else False


def _reason(error: BaseException) -> str:
    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.RemoteProtocolError):
        return "the answer broke off or is no HTTP"
    return escape_unprintable(str(error)) or type(error).__name__


def parsed(text: str, place: str) -> Any:
    """Return the JSON of an answer.

    Raises:
        PowerFault: it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PowerFault(
            f"{escape_unprintable(urlsplit(place).netloc)}: the answer is no JSON: {short_repr(text[:60])}"
        ) from error
