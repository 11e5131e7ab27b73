"""Reservations from a JSON file: for a small team without a scheduler, and for tests.

The file is read in one pass, and again only when it has changed, so a refusal with ten missing resources costs one
reading and not eleven. See :mod:`bespeak.reservations.json_file` for the format.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bespeak.base import clock
from bespeak.base.display import escape_unprintable
from bespeak.base.fileio import settled, signature
from bespeak.reservations.errors import ReservationBackendError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from bespeak.reservations.json_file import ReservationFile
    from bespeak.reservations.protocol import ReservationWindow

_FRESH_NS = 1_000_000_000
"""A file that was touched while it was read may change again without showing it; it is trusted for so long."""


class JsonReservationBackend:
    """Answers from a file of reservations.

    Args:
        url: accepted and not used, so that every backend can be built alike.
        path: the file.
    """

    def __init__(self, url: str | None = None, *, path: Path) -> None:  # noqa: ARG002 - every backend takes a url
        self._path = Path(path)
        self._file: ReservationFile | None = None
        self._trusted_until_ns = 0

    def backend_name(self) -> str:
        """Return ``json``."""
        return "json"

    def get_reserved_resources(self, username: str) -> set[str]:
        """Return the resources of the live entries of ``username``."""
        file, now_us = self._load(), clock.now()
        mine = {row for row, user in enumerate(file.users) if user == username and file.ends[row] > now_us}
        if not mine:
            return set()
        return {
            resource
            for resource, rows in file.rows.items()
            if (rows in mine if isinstance(rows, int) else not mine.isdisjoint(rows))
        }

    def who_reserved(self, resource: str) -> list[str]:
        """Return the users of the live entries with ``resource``, in the order of the file, each once."""
        return [username for username, _ in self.holder_ends(resource)]

    def list_usernames(self) -> list[str]:
        """Return every user of the file, sorted, those of past entries included."""
        return sorted(set(self._load().users))

    def held_among(self, username: str, resources: Collection[str]) -> set[str]:
        """Return those of ``resources`` that a live entry of ``username`` names."""
        file, now_us = self._load(), clock.now()
        return {
            resource
            for resource in resources
            if any(file.users[row] == username for row in _live(file, resource, now_us))
        }

    def holder_ends(self, resource: str) -> list[tuple[str, int | None]]:
        """Return who holds ``resource`` and until when (µs UTC); of several entries of a user the latest end."""
        file, now_us = self._load(), clock.now()
        ends: dict[str, int | None] = {}
        for row in _live(file, resource, now_us):
            user, end = file.users[row], file.ends[row]
            ends[user] = max(end, ends.get(user) or 0)
        return list(ends.items())

    def get_reservation_windows(self, username: str) -> list[ReservationWindow]:
        """Return the live entries of ``username`` as windows; the file does not say when they began."""
        from datetime import UTC, datetime, timedelta

        from bespeak.reservations.protocol import ReservationWindow

        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        file, now_us = self._load(), clock.now()
        windows = []
        for resource in sorted(file.rows):
            for row in _live(file, resource, now_us):
                if file.users[row] == username:
                    end = file.ends[row]
                    until = None if end >= clock.FOREVER_US else epoch + timedelta(microseconds=end)
                    windows.append(ReservationWindow(resource, None, until))
        return windows

    def _load(self) -> ReservationFile:
        """Return the content of the file, read again only if it changed."""
        path = os.fspath(self._path)
        if self._file is not None:
            try:
                same = signature(path) == self._file.signature
            except (OSError, ValueError) as error:
                raise ReservationBackendError(
                    f"Failed to read reservation file {escape_unprintable(path)}: {error}"
                ) from error
            if same and time.monotonic_ns() < self._trusted_until_ns:
                return self._file
        from bespeak.reservations.json_file import ReservationFile

        self._file = None  # the old content need not be in memory beside the new one
        file = ReservationFile(path)
        fresh = not settled(file.signature, time.time_ns())
        self._trusted_until_ns = time.monotonic_ns() + _FRESH_NS if fresh else 1 << 62
        self._file = file
        return file


def _live(file: ReservationFile, resource: str, now_us: int) -> Iterator[int]:
    rows = file.rows.get(resource, ())
    for row in (rows,) if isinstance(rows, int) else rows:
        if file.ends[row] > now_us:
            yield row
