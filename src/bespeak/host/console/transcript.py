"""The transcript of a console: everything that came from it, byte for byte, between two lines about begin and end."""

from __future__ import annotations

import os
from typing import Self

from bespeak.base.clock import iso, now
from bespeak.base.display import escape_unprintable
from bespeak.host.console.lines import ConsoleError

_MODE = 0o600
_FOLDER_MODE = 0o700


class Transcript:
    """An open file that is written as things come.

    Args:
        path: the file; what it has already stays.
        what: what is recorded, for its first line.

    Raises:
        ConsoleError: the file cannot be opened.
    """

    def __init__(self, path: str, what: str) -> None:
        self.path = path
        self._what = what
        self._file = -1

    def __enter__(self) -> Self:
        try:
            os.makedirs(os.path.dirname(self.path) or ".", mode=_FOLDER_MODE, exist_ok=True)
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _MODE)
        except OSError as error:
            raise self._failed(error) from error
        self.write(f"--- {escape_unprintable(self._what)}, begun {iso(now())}\n".encode())
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def write(self, data: bytes) -> None:
        """Write what came.

        Raises:
            ConsoleError: it cannot be written.
        """
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise self._failed(error) from error

    def end(self, why: str) -> None:
        """Write why it ended."""
        self.write(f"\n--- ended {iso(now())}: {escape_unprintable(why)}\n".encode())

    def _failed(self, error: OSError) -> ConsoleError:
        return ConsoleError(f"the transcript {escape_unprintable(self.path)} cannot be written: {error.strerror}")
