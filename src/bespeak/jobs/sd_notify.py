"""Telling systemd: ready, stopping, still alive. Without NOTIFY_SOCKET everything here does nothing."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLES = frozenset(
    {
        *("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID"),
        *("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "MAINPID", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE"),
        *("STATE_DIRECTORY", "RUNTIME_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY"),
    }
)
"""What systemd tells one service about itself."""


def without_manager(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for jobs: one that talked to our manager would be taken for us."""
    return {name: value for name, value in environ.items() if name not in _VARIABLES}


class ServiceManager:
    """The process manager that started us, if it listens.

    Args:
        environ: NOTIFY_SOCKET and WATCHDOG_USEC are read from it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        interval = environ.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(interval) / 2_000_000 if interval.isascii() and interval.isdigit() else 0.0
        """How often :meth:`alive` must be called; 0 for never. Half of what the manager allows."""
        self._next_at = 0.0

    def tell(self, text: str) -> None:
        """Send a message such as ``READY=1``; a manager that does not listen is no error."""
        if not self._address:
            return
        import socket

        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto(text.encode(), self._address)
        except OSError:
            return

    def ready(self, status: str) -> None:
        """Say that jobs are being taken."""
        self.tell(f"READY=1\nSTATUS={status}")

    def alive(self, status: str) -> None:
        """Feed the watchdog."""
        self.tell(f"WATCHDOG=1\nSTATUS={status}")

    def alive_in_time(self, status: str) -> None:
        """Feed the watchdog if it is time to."""
        if self.watchdog_seconds and time.monotonic() >= self._next_at:
            self.alive(status)
            self._next_at = time.monotonic() + self.watchdog_seconds

    def seconds(self) -> float:
        """Return in how many seconds the watchdog is to be fed again; infinite for never."""
        return self._next_at - time.monotonic() if self._next_at else float("inf")

    def stopping(self) -> None:
        """Say that no more jobs are taken."""
        self.tell("STOPPING=1")
