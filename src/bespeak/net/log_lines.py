"""What servers say on stderr: one safe line a record, and not more of them than a disk can bear."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING

from bespeak.base.display import escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_LINES = 20
"""Lines on stderr in a minute."""
_LINES_SECONDS = 60.0


def log_to_stderr(*, debug: bool) -> None:
    """Say on stderr, a line each, what the libraries have to say; stdout belongs to the answer."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(debug=debug))
    if not debug:
        handler.addFilter(LineLimit())
    logging.basicConfig(handlers=[handler], level=logging.INFO if debug else logging.WARNING, force=True)
    # It tells of each request that was cut off when the server ended.
    logging.getLogger("uvicorn.error").setLevel(logging.INFO if debug else logging.CRITICAL)


class LineLimit(logging.Filter):
    """Lets so many lines a minute pass: what strangers send must not fill a disk.

    Args:
        now: the monotonic clock, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._began = now()
        self._count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is said; the last of a minute says that it is."""
        if self._now() - self._began >= _LINES_SECONDS:
            self._began, self._count = self._now(), 0
        self._count += 1
        if self._count == MOST_LINES:
            record.msg = f"{record.getMessage()} (the rest of this minute is left out; --debug has it all)"
            record.args = ()
        return self._count <= MOST_LINES


class LineFormatter(logging.Formatter):
    """One safe line a record; with ``debug`` also where an error comes from."""

    def __init__(self, *, debug: bool) -> None:
        super().__init__()
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        text = f"bespeak: {record.levelname.lower()}: {escape_unprintable(' '.join(record.getMessage().split()))}"
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return text
        if self._debug:
            return f"{text}\n{self.formatException(record.exc_info)}"  # type: ignore[arg-type]
        return f"{text}: {type(error).__name__} (--debug shows where)"
