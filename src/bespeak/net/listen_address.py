"""Where a server listens, and who may ask; read before anything heavy is loaded, so that a mistake is told at once."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from bespeak.base.display import short_repr
from bespeak.base.errors import UsageError

_MOST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """A TCP port, where a token is asked for always, or a Unix socket, where the kernel tells who connects.

    Attributes:
        host: a name or an address.
        port: 0 chooses a free one.
        path: of the one endpoint.
        hosts: further names under which clients reach it.
        socket: the absolute path of a Unix socket, which is used instead of host and port.
        uids: the accounts that may connect to the Unix socket; None for every account of this machine.
        option: the option of the command line that names host and port, for messages.
    """

    host: str = "localhost"
    port: int = 0
    path: str = "/mcp"
    hosts: tuple[str, ...] = ()
    socket: str | None = None
    uids: frozenset[int] | None = frozenset()
    option: str = "--http"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.socket is not None or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_address(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``, ``[V6]:PORT``, ``:PORT`` or ``PORT``.

    Raises:
        UsageError: it is none of these.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit() and len(port) <= len(str(_MOST_PORT)) and int(port) <= _MOST_PORT):
        raise UsageError(f"--http: {short_repr(text)} is not of the form HOST:PORT")
    return host, int(port)
