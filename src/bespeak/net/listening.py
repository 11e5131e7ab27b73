"""Sockets to listen on: TCP, or a Unix socket whose other end the kernel names."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from bespeak.base.display import short_repr
from bespeak.base.errors import UnavailableError, UsageError

if TYPE_CHECKING:
    from bespeak.net.listen_address import ListenAddress

_BACKLOG = 128
_OWN_ONLY, _EVERYBODY = 0o177, 0o111
"""Masks for a Unix socket: it is the owner's; or anybody may connect, and is then asked by the kernel who he is."""
_TRY_SECONDS = 1.0


def listen(address: ListenAddress) -> socket.socket:
    """Return a socket that listens.

    Raises:
        UsageError: others could replace the Unix socket.
        UnavailableError: the address cannot be had.
    """
    return _tcp(address) if address.socket is None else _unix(address.socket, address)


def leave(address: ListenAddress) -> None:
    """Remove what listening has left behind."""
    if address.socket is not None:
        with suppress(OSError):
            os.unlink(address.socket)


def url(address: ListenAddress, bound: socket.socket) -> str:
    """Return what clients are told to connect to."""
    if address.socket is not None:
        return f"http://localhost{address.path}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"http://{host}:{bound.getsockname()[1]}{address.path}"


def _tcp(address: ListenAddress) -> socket.socket:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(place)
            found.listen(_BACKLOG)
        except OSError:
            found.close()
            raise
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "no such host"
        raise UnavailableError(f"{address.option}: {short_repr(address.host)} port {address.port}: {why}") from error
    return found


def _unix(path: str, address: ListenAddress) -> socket.socket:
    if not hasattr(socket, "SO_PEERCRED"):
        raise UnavailableError(f"--socket: this system does not tell whose process connects; use {address.option}")
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _must_be_safe(os.path.dirname(path))
        _make_way(path)
        kept = os.umask(_OWN_ONLY if address.uids is not None and address.uids <= {os.geteuid()} else _EVERYBODY)
        try:
            found.bind(path)
        finally:
            os.umask(kept)
        found.listen(_BACKLOG)
    except OSError as error:
        found.close()
        raise UnavailableError(f"--socket: {short_repr(path)}: {error.strerror or error}") from error
    except (UsageError, UnavailableError):
        found.close()
        raise
    return found


def _must_be_safe(folder: str) -> None:
    """Insist on a folder in which nobody else can put a socket of his own in the place of ours."""
    found = os.stat(folder)
    shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
    if shared or found.st_uid not in (0, os.geteuid()):
        raise UsageError(f"--socket: others may replace files in {short_repr(folder)}; use a folder that is yours only")


def _make_way(path: str) -> None:
    """Remove the socket of a server that has ended; leave everything else alone."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
        raise UnavailableError(f"--socket: {short_repr(path)} exists and is not a socket of yours")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.settimeout(_TRY_SECONDS)
        gone = trial.connect_ex(path) == errno.ECONNREFUSED
    if not gone:
        raise UnavailableError(f"--socket: a server listens on {short_repr(path)} already")
    os.unlink(path)
