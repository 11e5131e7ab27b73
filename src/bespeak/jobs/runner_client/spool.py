"""What a program prints, kept whole: in memory while it is short, in a file without a name beyond that."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

MEMORY_LIMIT = 1 << 20
"""Bytes of one stream that are kept in memory."""


class Spool:
    """One stream of a call."""

    __slots__ = ("_file", "_memory")

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None

    def add(self, data: bytes) -> None:
        """Append what was read."""
        if self._file is None and len(self._memory) + len(data) > MEMORY_LIMIT:
            from tempfile import TemporaryFile

            self._file = TemporaryFile()  # noqa: SIM115 -- closed by take
            self._file.write(self._memory)
            self._memory.clear()
        if self._file is None:
            self._memory += data
        else:
            self._file.write(data)

    def take(self) -> str:
        """Return all of it and let go of it; bytes that are no UTF-8 become lone surrogates."""
        data = bytes(self._memory)
        if self._file is not None:
            self._file.seek(0)
            data = self._file.read()
        self.close()
        return data.decode("utf-8", "surrogateescape")

    def close(self) -> None:
        """Let go of what was kept."""
        self._memory.clear()
        if self._file is not None:
            self._file.close()
            self._file = None
