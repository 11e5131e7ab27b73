"""One connection to a server: opened when first needed, over TLS, TCP or a Unix socket."""

from __future__ import annotations

import http.client
import socket
import time

from bespeak.client.stream import DeadlineSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.base.http_url import HttpAddress

CONNECT_SECONDS = 10.0
_MOST_BODY = 64 * 1024 * 1024


class NotSentError(OSError):
    """There was no connection to send anything over: the server knows nothing of the request."""


class Answer:
    """What a server answered.

    Args:
        status: the HTTP status.
        headers: by lower-case name.
        body: the body.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class _Http10(http.client.HTTPConnection):
    """Speaks HTTP/1.0: an answer without an end comes as it is, and not in chunks."""

    _http_vsn = 10
    _http_vsn_str = "HTTP/1.0"


class Connection:
    """A connection, for one request after another.

    Args:
        address: where the server is.
        endless: for one request whose answer has no end.
    """

    def __init__(self, address: HttpAddress, *, endless: bool = False) -> None:
        self._address = address
        self._socket: DeadlineSocket | None = None
        kind = _Http10 if endless else http.client.HTTPConnection
        self._http = kind(address.host or "localhost", address.port or None)
        self._http.auto_open = 0
        self._host = {"Host": address.authority} if endless else {}

    @property
    def is_used(self) -> bool:
        """Whether it is open from an earlier request, so that the server may have closed it meanwhile."""
        return self._socket is not None

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], until: float) -> Answer:
        """Send a request and return the answer.

        Args:
            method: GET, POST, ...
            path: from the root of the server.
            body: what is sent.
            headers: what goes with it.
            until: the deadline, seconds of the monotonic clock.

        Raises:
            NotSentError: there was no connection to be had.
            OSError: the connection was lost, or there was no answer in time.
            http.client.HTTPException: the answer is no HTTP.
        """
        found = self.begin(method, path, body, headers, until)
        if found.length is None and not found.chunked:
            raise http.client.HTTPException("the head of the answer was cut off")
        content = found.read(_MOST_BODY + 1)
        if len(content) > _MOST_BODY:
            raise http.client.HTTPException("the answer is too long")
        if found.will_close:
            self.close()
        return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, content)

    def begin(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], until: float
    ) -> http.client.HTTPResponse:
        """Send a request and return the beginning of the answer; see :meth:`ask`."""
        self._open(until)
        self._http.request(method, path, body=body, headers={**headers, **self._host})
        return self._http.getresponse()

    @property
    def socket(self) -> DeadlineSocket | None:
        """The open socket."""
        return self._socket

    def _open(self, until: float) -> None:
        if self._socket is not None:
            self._socket.until = until
            return
        near = min(until, time.monotonic() + CONNECT_SECONDS)
        try:
            opened = DeadlineSocket(_connected(self._address, near), until)
        except OSError as error:
            raise NotSentError(str(error) if isinstance(error, TimeoutError) else _reason(error)) from error
        self._socket = opened
        self._http.sock = opened

    def close(self) -> None:
        """Close it; it opens again with the next request."""
        ended, self._socket = self._socket, None
        self._http.close()
        if ended is not None:
            ended.end()


def _connected(address: HttpAddress, until: float) -> socket.socket:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("no connection in time")
    if address.socket_path:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(left)
            sock.connect(address.socket_path)
        except BaseException:
            sock.close()
            raise
        return sock
    sock = socket.create_connection((address.host, address.port), timeout=left)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return _over_tls(sock, address) if address.secure else sock
    except BaseException:
        sock.close()
        raise


def _over_tls(sock: socket.socket, address: HttpAddress) -> socket.socket:
    import ssl

    context = ssl.create_default_context(cafile=address.ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(sock, server_hostname=address.host)


def _reason(error: OSError) -> str:
    """Return why there is no connection, in words for people."""
    told = getattr(error, "verify_message", None)
    if told:
        return f"its certificate is not valid: {told}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
