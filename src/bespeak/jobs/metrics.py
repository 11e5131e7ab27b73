"""What a dispatcher has done, in Prometheus' text format: a file that is replaced, or a port that answers."""

from __future__ import annotations

from bespeak.base.errors import Field, UsageError
from bespeak.base.fileio import write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 10.0)
_HIGHEST_PORT = 65_535
_NAMES = {
    "dispatched": "Reservations started.",
    "failed": "Reservations that could not be started.",
    "unknown": "Reservations that may have been started, which the runner cannot tell.",
    "delayed": "Starts put off to be tried again.",
    "expired": "Reservations that were too late.",
    "recovered": "Reservations taken over from a dead dispatcher.",
    "adopted": "Reservations that were found started already.",
    "jobs_ended": "Jobs that ended well, or were cancelled.",
    "jobs_failed": "Jobs that failed, were lost or aborted.",
    "errors": "Times the store could not be asked or written.",
}


class Metrics:
    """The counters of one dispatcher."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(_NAMES, 0)
        self.in_flight = 0
        self._late = [0] * len(_BUCKETS)
        self._late_sum = 0.0
        self._late_count = 0

    def add(self, name: str, count: int = 1) -> None:
        """Count something."""
        self.counts[name] += count

    def started(self, seconds_late: float) -> None:
        """Note how long after its due instant a start call was made."""
        self._late_sum += seconds_late
        self._late_count += 1
        for number, limit in enumerate(_BUCKETS):
            if seconds_late <= limit:
                self._late[number] += 1

    def text(self) -> str:
        """Return all of it in the text format."""
        lines = []
        for name, told in _NAMES.items():
            full = f"bespeak_dispatch_{name}_total"
            lines += [f"# HELP {full} {told}", f"# TYPE {full} counter", f"{full} {self.counts[name]}"]
        lines += [
            "# HELP bespeak_dispatch_in_flight Start calls under way.",
            "# TYPE bespeak_dispatch_in_flight gauge",
            f"bespeak_dispatch_in_flight {self.in_flight}",
            "# HELP bespeak_dispatch_start_delay_seconds From the instant due to the start call.",
            "# TYPE bespeak_dispatch_start_delay_seconds histogram",
        ]
        name = "bespeak_dispatch_start_delay_seconds"
        lines += [f'{name}_bucket{{le="{limit:g}"}} {self._late[n]}' for n, limit in enumerate(_BUCKETS)]
        lines += [
            f'{name}_bucket{{le="+Inf"}} {self._late_count}',
            f"{name}_sum {self._late_sum:.6f}",
            f"{name}_count {self._late_count}",
        ]
        return "\n".join(lines) + "\n"


class Exporter:
    """Where the metrics can be read.

    Args:
        target: a port of this machine's loopback address, ``ADDRESS:PORT``, or the path of a file.
        metrics: what to show.

    Raises:
        UsageError: the port or the file cannot be used.
    """

    def __init__(self, target: str, metrics: Metrics) -> None:
        self._metrics = metrics
        self._path = ""
        self._server: socket.socket | None = None
        host, colon, port = target.rpartition(":")
        if port.isascii() and port.isdigit() and "/" not in target:
            self._listen(host if colon else "127.0.0.1", int(port), target)
        else:
            self._path = target
            self._replace(first=True)

    def _listen(self, host: str, port: int, target: str) -> None:
        import socket

        if port > _HIGHEST_PORT:
            raise UsageError(Field("metrics"), f" {target!a}: a port is at most {_HIGHEST_PORT}")
        try:
            self._server = socket.create_server((host.strip("[]"), port), backlog=8)
        except OSError as error:
            raise UsageError(Field("metrics"), f" {target!a}: {error.strerror}") from error
        self._server.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor of the port, -1 for a file."""
        return self._server.fileno() if self._server else -1

    @property
    def port(self) -> int:
        """The port that is listened on, 0 for a file."""
        return int(self._server.getsockname()[1]) if self._server else 0

    def answer(self) -> None:
        """Answer one reader; a slow one gets what fits and no more time."""
        if self._server is None:
            return
        body = self._metrics.text().encode()
        head = f"HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            connection, _ = self._server.accept()
            with connection:
                connection.settimeout(0.2)
                connection.recv(4096)
                connection.sendall(head.encode() + body)
        except OSError:
            return

    def refresh(self) -> None:
        """Write the file again; a full disk costs metrics, not jobs."""
        if self._path:
            self._replace(first=False)

    def _replace(self, *, first: bool) -> None:
        try:
            write_atomically(self._path, self._metrics.text().encode("ascii"), 0o666)
        except OSError as error:
            if first:
                raise UsageError(Field("metrics"), f" {self._path!a}: {error.strerror}") from error

    def close(self) -> None:
        """Stop answering."""
        if self._server is not None:
            self._server.close()
