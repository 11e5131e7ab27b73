"""Reservations from a JSON file: for a small team without a scheduler, and for tests.

One pass over the file tells who holds what until when, or which entry is wrong and why. It is read again only when it
has changed, so a refusal with ten missing resources costs one reading and not eleven.

A file may have a million entries, so no entry is kept as an object. The decoder hands each JSON object over as soon
as it is read; an entry goes straight into an index (resource -> rows) and leaves only a mark in the list that is
being read. What is not an entry leaves its description instead, so that the list afterwards tells where it stood.
An entry that stands anywhere but in the list is noticed, because then the marks and the entries do not add up.

The format (version 1)::

    {"version": 1, "reservations": [
        {"user": "alice", "resources": ["rack3-psu"], "expires": "2026-05-01T00:00:00Z"},
        {"user": "bob", "resources": ["rack4-psu"]}]}
"""

from __future__ import annotations

import json
import os
import time
from array import array
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bespeak.base import clock
from bespeak.base.clock import FOREVER_US, as_datetime, of_datetime
from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.base.fileio import Signature, read_regular, settled, signature
from bespeak.reservations.errors import ReservationBackendError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from bespeak.reservations.protocol import ReservationWindow

_FRESH_NS = 1_000_000_000
"""A file that was touched while it was read may change again without showing it; it is trusted for so long."""
_FIELDS = ("user", "resources", "expires")
_TOP_FIELDS = ("version", "reservations")
_VERSION = 1
_REMEMBERED = 10_000
"""Many entries end at the same instant, so instants read before are looked up; but not a million different ones."""

_LIMIT_BYTES = 1 << 30
_BOM = b"\xef\xbb\xbf"

Pairs = list[tuple[str, Any]]


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
        from bespeak.reservations.protocol import ReservationWindow

        file, now_us = self._load(), clock.now()
        windows = []
        for resource in sorted(file.rows):
            for row in _live(file, resource, now_us):
                if file.users[row] == username:
                    end = file.ends[row]
                    until = None if end >= FOREVER_US else as_datetime(end)
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


class _Entry:
    """The mark that an entry leaves where it stood."""

    __slots__ = ()


_ENTRY = _Entry()


class _NotAnEntry:
    """Any other object: what would be wrong with it as an entry, and what it consists of."""

    __slots__ = ("pairs", "problem")

    def __init__(self, problem: str, pairs: Pairs) -> None:
        self.problem = problem
        self.pairs = pairs


class ReservationFile:
    """The reservations of a file, indexed.

    Attributes:
        users: the holder of each row.
        ends: the end of each row in µs UTC, ``FOREVER_US`` for none.
        rows: the rows of each resource: a number, or a list of them in the order of the file.
        signature: of the file that was read.
    """

    __slots__ = ("_instants", "_names", "ends", "entries", "rows", "signature", "users")

    def __init__(self, path: str) -> None:
        self.users: list[str] = []
        self.ends: array[int] = array("q")
        self.rows: dict[str, int | list[int]] = {}
        self.entries = 0
        self._names: dict[str, str] = {}
        self._instants: dict[str, int] = {}
        text, self.signature = _read(path)
        top = _decode(path, text, self._take)
        del text
        self._verify(path, top)
        self._instants.clear()
        self._names.clear()

    def _take(self, pairs: Pairs) -> object:
        """Receive one object from the decoder: index it if it is an entry, else remember what is wrong with it."""
        fields = dict(pairs)
        user = fields.get("user")
        resources = fields.get("resources")
        if type(user) is not str or type(resources) is not list or len(fields) != len(pairs):
            return _NotAnEntry(_problem(pairs), pairs)
        try:
            end = FOREVER_US if len(pairs) == 2 else self._end(pairs, fields["expires"])  # noqa: PLR2004
        except (KeyError, ValueError, TypeError, OverflowError):
            return _NotAnEntry(_problem(pairs), pairs)
        for resource in resources:
            if type(resource) is not str:
                return _NotAnEntry(_problem(pairs), pairs)
        self.entries += 1
        self._index(self._names.setdefault(user, user), resources, end)
        return _ENTRY

    def _end(self, pairs: Pairs, expires: Any) -> int:
        if len(pairs) > len(_FIELDS):
            raise ValueError
        if expires is None:
            return FOREVER_US
        known = self._instants.get(expires)
        if known is None:
            known = instant_us(expires)
            if len(self._instants) < _REMEMBERED:
                self._instants[expires] = known
        return known

    def _index(self, user: str, resources: list[str], end: int) -> None:
        row = len(self.users)
        self.users.append(user)
        self.ends.append(end)
        for resource in resources:
            present = self.rows.setdefault(resource, row)
            if present == row:
                continue
            if isinstance(present, list):
                if present[-1] != row:
                    present.append(row)
            else:
                self.rows[resource] = [present, row]

    def _verify(self, path: str, top: object) -> None:
        where = f"Invalid reservation file {escape_unprintable(path)}"
        if not isinstance(top, _NotAnEntry):
            kind = "an entry" if top is _ENTRY else short_repr(top)
            raise ReservationBackendError(f"{where}: must be an object with version and reservations, not {kind}")
        fields = dict(top.pairs)
        reason = _repeated(top.pairs) or _stray(fields, _TOP_FIELDS)
        if reason:
            raise ReservationBackendError(f"{where}: {reason}")
        version = fields.get("version", _ENTRY)
        if version is _ENTRY:
            raise ReservationBackendError(f"{where}: the field 'version' is missing")
        if type(version) is not int or version != _VERSION:
            raise ReservationBackendError(
                f"Reservation file {escape_unprintable(path)} has unsupported version {_shown(version)}; known:"
                f" {_VERSION}"
            )
        entries = fields.get("reservations", [])
        if not isinstance(entries, list):
            raise ReservationBackendError(f"{where}: reservations must be a list, not {_shown(entries)}")
        for number, entry in enumerate(entries):
            if entry is not _ENTRY:
                problem = (
                    entry.problem if isinstance(entry, _NotAnEntry) else f"must be an object, not {short_repr(entry)}"
                )
                raise ReservationBackendError(f"{where}: reservations[{number}]: {problem}")
        if self.entries != len(entries):
            raise ReservationBackendError(f"{where}: there are entries outside of reservations")


def instant_us(text: str) -> int:
    """Return the instant that an ISO 8601 text names, in µs UTC; without a zone it is UTC, without a time 00:00.

    Raises:
        ValueError: it is no such text.
        TypeError: it is no text.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return of_datetime(instant)


def _read(path: str) -> tuple[str, Signature]:
    try:
        raw, sign = read_regular(path, limit=_LIMIT_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReservationBackendError(
            f"Failed to read reservation file {escape_unprintable(path)}: {escape_unprintable(str(reason))}"
        ) from error
    where = f"Malformed JSON in reservation file {escape_unprintable(path)}"
    if raw.startswith(_BOM):
        raise ReservationBackendError(f"{where}: it begins with a byte order mark")
    if not raw.strip():
        raise ReservationBackendError(f"{where}: it is empty")
    try:
        return raw.decode("utf-8"), sign
    except UnicodeDecodeError as error:
        raise ReservationBackendError(f"{where}: it is not UTF-8 (byte {error.start})") from error


def _decode(path: str, text: str, take: Any) -> object:
    try:
        return json.loads(text, object_pairs_hook=take)
    except RecursionError as error:
        reason: object = "it is nested too deeply"
        cause: Exception = error
    except ValueError as error:
        reason, cause = escape_unprintable(str(error)), error
    raise ReservationBackendError(f"Malformed JSON in reservation file {escape_unprintable(path)}: {reason}") from cause


def _problem(pairs: Pairs) -> str:
    """Say what keeps an object from being an entry: the field, and its value."""
    fields = dict(pairs)
    reason = _repeated(pairs) or _stray(fields, _FIELDS)
    if reason:
        return reason
    for field in ("user", "resources"):
        if field not in fields:
            return f"the field {field!r} is missing"
    if type(fields["user"]) is not str:
        return f"user must be a text, not {_shown(fields['user'])}"
    resources = fields["resources"]
    if type(resources) is not list:
        return f"resources must be a list of texts, not {_shown(resources)}"
    for number, resource in enumerate(resources):
        if type(resource) is not str:
            return f"resources[{number}] must be a text, not {_shown(resource)}"
    return f"expires must be null or an ISO 8601 instant, not {_shown(fields.get('expires'))}"


def _repeated(pairs: Pairs) -> str:
    keys = [key for key, _ in pairs]
    if len(set(keys)) == len(keys):
        return ""
    return f"the field {short_repr(next(key for key in keys if keys.count(key) > 1))} stands twice"


def _stray(fields: dict[str, Any], known: tuple[str, ...]) -> str:
    for key in fields:
        if key not in known:
            near = suggest(key, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
            return f"there is no field {short_repr(key)}{hint}"
    return ""


def _shown(value: object) -> str:
    return "an object" if isinstance(value, _NotAnEntry | _Entry) else short_repr(value)
