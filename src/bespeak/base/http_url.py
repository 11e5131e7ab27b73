"""URLs of books on a server: ``https://...``, ``http://`` on this machine only, and Unix sockets."""

from __future__ import annotations

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import UsageError
from bespeak.base.frozen import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PORTS = {"https": 443, "http": 80}
_MOST_PORT = 65_535
_OPTIONS = ("ca",)


@frozen
class HttpAddress:
    """Where a server of a book listens.

    Args:
        secure: it is spoken to over TLS.
        host: its name or address; empty for a Unix socket.
        port: its TCP port; 0 for a Unix socket.
        socket_path: the Unix socket; empty for TCP.
        prefix: what stands before ``/api``; without a slash at its end.
        ca_file: the file with the certificates of who may have signed the server's; empty for those of the machine.
    """

    secure: bool
    host: str
    port: int
    socket_path: str = ""
    prefix: str = ""
    ca_file: str = ""

    @property
    def origin(self) -> str:
        """What names the server for credentials: scheme, host and port, or the socket."""
        if self.socket_path:
            return f"unix://{self.socket_path}"
        return f"{'https' if self.secure else 'http'}://{self.authority}"

    @property
    def authority(self) -> str:
        """The host, and the port unless it is the usual one: what a ``Host`` header says."""
        if self.socket_path:
            return "localhost"
        usual = _PORTS["https" if self.secure else "http"]
        return _bracketed(self.host) + ("" if self.port == usual else f":{self.port}")

    @property
    def name(self) -> str:
        """The server for messages; it has no secrets."""
        return self.origin + self.prefix


def parse_http_url(url: str, said_by: str = "book") -> HttpAddress:
    """Read the URL of a book on a server.

    Args:
        url: as typed.
        said_by: who said it, for messages.

    Raises:
        UsageError: it is none, holds a password, or speaks in the clear to another machine.
    """
    from urllib.parse import unquote

    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    ca_file = dict(_options(query, said_by)).get("ca", "")
    if "#" in url:
        raise _wrong(said_by, url, "a # has no meaning here")
    if scheme in ("unix", "http+unix"):
        path = unquote(rest)
        if not path.startswith("/") or "\0" in path:
            raise _wrong(said_by, url, "after unix:// comes an absolute path, as in unix:///run/bespeak/book.sock")
        return HttpAddress(secure=False, host="", port=0, socket_path=path)
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        said = "a user or password in it would end up in logs; use BESPEAK_TOKEN or bespeak login"
        raise UsageError(f"{escape_unprintable(said_by)}: the URL of the book: {said}")
    host, port = _host_and_port(authority, scheme, url, said_by)
    if scheme == "http" and not is_loopback(host):
        raise _wrong(said_by, url, "http:// is for this machine only (localhost, 127.0.0.1, [::1]); use https://")
    prefix = (slash + path).rstrip("/")
    return HttpAddress(scheme == "https", host, port, prefix=prefix, ca_file=ca_file)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name or address alone."""
    if host in ("localhost", "::1"):
        return True
    parts = host.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdigit() for part in parts)  # noqa: PLR2004


def _host_and_port(authority: str, scheme: str, url: str, said_by: str) -> tuple[str, int]:
    host, bracket, after = authority.partition("]")
    if bracket:
        host, port = host.removeprefix("["), after.removeprefix(":")
    else:
        host, _, port = authority.partition(":")
    if not host or not host.isprintable() or " " in host:
        raise _wrong(said_by, url, "it names no host")
    if not port:
        return host.lower(), _PORTS[scheme]
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= _MOST_PORT):
        raise _wrong(said_by, url, f"{short_repr(port)} is no port")
    return host.lower(), int(port)


def _options(query: str, said_by: str) -> Iterator[tuple[str, str]]:
    from urllib.parse import unquote

    for option in filter(None, query.split("&")):
        key, _, value = option.partition("=")
        if key not in _OPTIONS:
            known = ", ".join(_OPTIONS)
            raise UsageError(f"{escape_unprintable(said_by)}: the URL parameter {short_repr(key)}; known: {known}")
        path = unquote(value)
        if not path.startswith("/") or "\0" in path:
            raise UsageError(f"{escape_unprintable(said_by)}: ca={short_repr(path)} is not an absolute path")
        yield key, path


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _wrong(said_by: str, url: str, why: str) -> UsageError:
    return UsageError(f"{escape_unprintable(said_by)}: {short_repr(url)}: {why}")
