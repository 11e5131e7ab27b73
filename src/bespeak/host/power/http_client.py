"""One HTTP request to a device: a deadline, a limit on the answer, and errors in one line without secrets."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any
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
_BUSY = frozenset({408, 429, 502, 503, 504})
"""Status codes of a device, or of what stands before it, that could not be asked just now."""


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


async def fetch(
    url: str,
    params: dict[str, str] | None = None,
    *,
    method: str = "GET",
    auth: tuple[str, str] | httpx.Auth | None = None,
    verify: bool | str = True,
    timeout: float = 10.0,
    secrets: tuple[str | None, ...] = (),
) -> str:
    """Make a request and return the body.

    Raises:
        PowerFault: the device could not be asked (Error), or said no (Failed).
    """
    try:
        import httpx
    except ImportError as error:
        raise PowerFault(needs_extra("this controller", "http"), final=True) from error
    place = escape_unprintable(urlsplit(url).netloc)
    try:
        checks = _context(verify) if url.startswith("https:") else False
        client = httpx.AsyncClient(verify=checks, auth=auth, timeout=timeout, trust_env=False)
        with _unlogged():
            async with client, client.stream(method, url, params=params) as answer:
                body = await _body(answer, place)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
        raise PowerFault(f"{place}: {scrubbed(_reason(error), *secrets)}") from error
    text = body.decode("utf-8", "replace")
    if answer.status_code in {401, 403}:
        raise PowerFault(f"{place}: login refused (HTTP {answer.status_code})", final=True)
    if not answer.is_success:
        said = scrubbed(escape_unprintable(" ".join(text[:_SHOWN].split())), *secrets)
        status = Status.Error if answer.status_code in _BUSY else Status.Failed
        raise PowerFault(f"{place}: HTTP {answer.status_code}{': ' + said if said else ''}", status)
    return text


_ours: ContextVar[bool] = ContextVar("bespeak_request", default=False)


def _not_ours(_: logging.LogRecord) -> bool:
    return not _ours.get()


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep the library from logging this request, whose address may carry a password; others are logged as before."""
    logging.getLogger("httpx").addFilter(_not_ours)  # added once: the same filter is not added again
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)


async def _body(answer: httpx.Response, place: str) -> bytes:
    body = bytearray()
    async for data in answer.aiter_bytes():
        body += data
        if len(body) > _LIMIT_BYTES:
            raise PowerFault(f"{place}: the answer is longer than {_LIMIT_BYTES} bytes")
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
