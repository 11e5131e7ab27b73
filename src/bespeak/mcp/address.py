"""Where a server listens; read before anything heavy is loaded, so that a mistake is told at once."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from bespeak.errors import UsageError
from bespeak.text import shown

_MOST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, and who may ask.

    Attributes:
        host: a name or an address.
        port: 0 chooses a free one.
        path: of the one endpoint.
        token: what a client has to send, or None.
        hosts: further names under which clients reach it.
    """

    host: str
    port: int
    path: str = "/mcp"
    token: str | None = None
    hosts: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
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
        raise UsageError(f"--http: {shown(text)} is not of the form HOST:PORT")
    return host, int(port)
