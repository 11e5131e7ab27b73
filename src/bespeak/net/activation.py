"""Sockets that systemd opened for us before we were started (socket activation)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from bespeak.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIRST = 3
_MOST = 16


def passed_sockets(environ: Mapping[str, str], pid: int) -> list[socket.socket]:
    """Return the listening sockets that were passed to this process; empty where none were.

    Args:
        environ: LISTEN_PID and LISTEN_FDS are read from it.
        pid: of this process; sockets for another one are not ours.

    Raises:
        UsageError: what was passed is no socket that listens.
    """
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(pid) or not count.isdigit() or int(count) > _MOST:
        return []
    found = []
    for descriptor in range(_FIRST, _FIRST + int(count)):
        try:
            passed = socket.socket(fileno=descriptor)
            listens = passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        except OSError as error:
            raise UsageError(f"LISTEN_FDS: descriptor {descriptor} is no socket: {error.strerror}") from error
        if not listens or passed.type != socket.SOCK_STREAM:
            raise UsageError(f"LISTEN_FDS: descriptor {descriptor} is no stream socket that listens")
        passed.set_inheritable(False)
        found.append(passed)
    return found
