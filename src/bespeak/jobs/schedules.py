"""Recurring jobs: a schedule makes an ordinary reservation for each of its occurrences, once, whoever is running.

The occurrence's reservation and the schedule's next instant are written in one transaction under the lock of jobs, so
of any number of dispatchers one makes it, and none is lost with a dispatcher that dies.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bespeak.base import ids
from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.base.errors import Field, NotFoundError, WrongStateError
from bespeak.base.json_text import compact
from bespeak.jobs import rows, store
from bespeak.jobs.contract_times import iso_seconds, start_us
from bespeak.jobs.model import SELECT, Status
from bespeak.jobs.resource_bookings import this_user
from bespeak.jobs.schema import LOCK, TOPIC
from bespeak.jobs.store import JobSpec
from bespeak.recurrence import cron
from bespeak.storage.row_shape import RowShape, read_json

if TYPE_CHECKING:
    from bespeak.jobs.model import JobReservation
    from bespeak.storage.interface import Engine, Row, Transaction

LATE_US = 60 * SECOND_US
"""An occurrence that is found later than this was missed: nobody was there to start it."""

QUEUED_AFTER = "queued_after"
"""Among the extras: the run key whose end an occurrence waits for."""

_MOST_AT_ONCE = 1000
_MOST_A_TURN = 100
_DUE = (
    "SELECT name FROM dispatch_schedules WHERE site = :site AND paused = 0 AND next_us <= :now"
    " ORDER BY next_us, name LIMIT :n"
)
_FIELDS = (
    "name", "cron", "zone", "overlap", "catch_up", "jitter_us", "command_json", "options_json", "site", "extras_json",
    "created_us", "next_us", "last_us", "paused",
)  # fmt: skip
_COLUMNS = ", ".join(_FIELDS)
_ROW = RowShape("schedule", _COLUMNS, "tttttittttiiIi")
_INSERT = f"INSERT INTO dispatch_schedules ({_COLUMNS}) VALUES ({', '.join(':' + name for name in _FIELDS)})"
_SET_ACCOUNT = "UPDATE dispatch_schedules SET account = :account WHERE name = :name"
_INHERIT_ACCOUNT = """
UPDATE reservations SET account = (SELECT s.account FROM dispatch_schedules AS s WHERE s.name = :name)
WHERE reservation_id = :id"""
"""An occurrence is a job of whoever has made the schedule, and not of the dispatcher that writes it down."""


class Overlap(StrEnum):
    """What an occurrence does whose predecessor has not ended."""

    SKIP = "skip"
    QUEUE = "queue"
    REPLACE = "replace"


class CatchUp(StrEnum):
    """What becomes of occurrences that nobody was there to start."""

    NONE = "none"
    ONE = "one"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Schedule:
    """One recurring job; instants and lengths in µs.

    Attributes:
        name: its name; an occurrence's run key is the name, ``@`` and the instant.
        cron: when it comes.
        zone: of whose clocks; empty for those of the machine that starts it.
        overlap: what an occurrence does whose predecessor has not ended.
        catch_up: what becomes of missed occurrences.
        jitter_us: each occurrence is moved by less than this, always by the same.
        command: the words to run.
        options: for the runner's ``start``.
        site: whose dispatchers take it.
        extras: what else an occurrence's reservation has.
        created_us: when it was made.
        next_us: its next occurrence, without jitter; FOREVER_US for none.
        last_us: the last occurrence that was made, None for none.
        paused: none is made.
    """

    name: str
    cron: str
    zone: str
    overlap: Overlap
    catch_up: CatchUp
    jitter_us: int
    command: tuple[str, ...]
    options: tuple[str, ...]
    site: str
    extras: dict[str, object]
    created_us: int
    next_us: int
    last_us: int | None
    paused: bool

    def key(self, at_us: int) -> str:
        """Return the run key of an occurrence."""
        return f"{self.name}@{iso_seconds(at_us // SECOND_US)}"

    def starts_us(self, at_us: int) -> int:
        """Return when an occurrence is to be started: its instant and its share of the jitter."""
        if not self.jitter_us:
            return at_us
        digest = hashlib.sha256(self.key(at_us).encode()).digest()
        return at_us + int.from_bytes(digest[:8], "big") % self.jitter_us

    def after(self, at_us: int) -> int:
        """Return the first occurrence after an instant, µs UTC."""
        return next(iter(self.occurrences(at_us, 1)), FOREVER_US)

    def occurrences(self, after_us: int, count: int) -> list[int]:
        """Return the next occurrences after an instant, without jitter."""
        found = cron.instants(self.cron, cron.zone_named(self.zone), after_us)
        return [at_us for at_us, _ in zip(found, range(count), strict=False)]


def _schedule(row: Row) -> Schedule:
    values: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
    values["command"] = tuple(read_json(values.pop("command_json")))
    values["options"] = tuple(read_json(values.pop("options_json")))
    values["extras"] = dict(read_json(values.pop("extras_json")))
    values["overlap"], values["catch_up"] = Overlap(values["overlap"]), CatchUp(values["catch_up"])
    values["paused"] = bool(values["paused"])
    return Schedule(**values)


def save(engine: Engine, wanted: Schedule, *, replace_existing: bool) -> Schedule:
    """Store a schedule; its first occurrence is the first after now. Return it.

    Raises:
        WrongStateError: there is one of this name, and it is not to be replaced.
    """

    def work(tx: Transaction) -> Schedule:
        found = find(tx, wanted.name)
        if found is not None and not replace_existing:
            raise WrongStateError(f"there is a schedule {wanted.name!r} already; ", Field("replace"), " changes it")
        made = replace(wanted, created_us=tx.now_us, next_us=wanted.after(tx.now_us))
        made = made if found is None else replace(made, last_us=found.last_us, created_us=found.created_us)
        tx.execute("DELETE FROM dispatch_schedules WHERE name = :name", {"name": wanted.name})
        tx.execute(_INSERT, _values(made))
        tx.execute(_SET_ACCOUNT, {"account": this_user(), "name": made.name})
        tx.notify(TOPIC)
        return made

    return engine.transact((LOCK,), work)


def _values(of: Schedule) -> dict[str, object]:
    found: dict[str, object] = {name: getattr(of, name) for name in _FIELDS if not name.endswith("_json")}
    found |= {"overlap": of.overlap.value, "catch_up": of.catch_up.value, "paused": int(of.paused)}
    found |= {"command_json": compact(list(of.command)), "options_json": compact(list(of.options))}
    return found | {"extras_json": compact(of.extras)}


def find(tx: Transaction, name: str) -> Schedule | None:
    """Return the schedule of a name, or None."""
    row = tx.fetch_one(f"SELECT {_COLUMNS} FROM dispatch_schedules WHERE name = :name", {"name": name})
    return None if row is None else _ROW.read(row, _schedule)


def listing(tx: Transaction, site: str | None = None) -> list[Schedule]:
    """Return the schedules, by name."""
    found = [_ROW.read(row, _schedule) for row in tx.fetch_all(f"SELECT {_COLUMNS} FROM dispatch_schedules")]
    return sorted((each for each in found if site in (None, each.site)), key=lambda each: each.name)


def remove(engine: Engine, name: str) -> Schedule:
    """Delete a schedule; the reservations that it has made stay.

    Raises:
        NotFoundError: there is none.
    """

    def work(tx: Transaction) -> Schedule:
        found = _required(tx, name)
        tx.execute("DELETE FROM dispatch_schedules WHERE name = :name", {"name": name})
        return found

    return engine.transact((LOCK,), work)


def pause(engine: Engine, name: str, *, paused: bool) -> Schedule:
    """Stop making occurrences, or go on; what came meanwhile is not made up for.

    Raises:
        NotFoundError: there is none.
    """

    def work(tx: Transaction) -> Schedule:
        changed = replace(_required(tx, name), paused=paused)
        changed = changed if paused else replace(changed, next_us=changed.after(tx.now_us))
        _write(tx, changed)
        tx.notify(TOPIC)
        return changed

    return engine.transact((LOCK,), work)


def _required(tx: Transaction, name: str) -> Schedule:
    found = find(tx, name)
    if found is None:
        raise NotFoundError(f"there is no schedule {name!r}")
    return found


def _write(tx: Transaction, of: Schedule) -> None:
    tx.execute(
        "UPDATE dispatch_schedules SET next_us = :next, last_us = :last, paused = :paused WHERE name = :name",
        {"next": of.next_us, "last": of.last_us, "paused": int(of.paused), "name": of.name},
    )


@dataclass(slots=True)
class Turn:
    """What one look at the schedules did.

    Attributes:
        made: reservations made.
        skipped: run keys of occurrences that were not made.
        replaced: reservations whose jobs are to be cancelled, for others replace them.
        next_us: when to look again, µs UTC.
    """

    made: list[JobReservation] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    replaced: list[JobReservation] = field(default_factory=list)
    next_us: int = FOREVER_US


def turn(engine: Engine, site: str) -> Turn:
    """Make the reservations of all occurrences of a site that are due, and let go those whose predecessor has ended."""
    found = engine.read(lambda tx: _look(tx, site))
    if not found.due and not found.free:
        return Turn(next_us=found.next_us)
    return engine.transact((LOCK,), lambda tx: _turn(tx, site, found))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at the schedules of a site found, outside of any write.

    Attributes:
        next_us: when the next occurrence comes, µs UTC.
        due: names of schedules of which one is due.
        free: ids of occurrences whose predecessor has ended.
    """

    next_us: int
    due: list[str]
    free: list[str]


def _look(tx: Transaction, site: str) -> _Seen:
    found = tx.fetch_all(_DUE, {"site": site, "now": tx.now_us, "n": _MOST_A_TURN})
    free = [job.reservation_id for job, before in _queued(tx, site) if _has_ended(tx, before)]
    return _Seen(_next_us(tx, site), [str(row[0]) for row in found], free)


def _next_us(tx: Transaction, site: str) -> int:
    sql = "SELECT MIN(next_us) FROM dispatch_schedules WHERE site = :site AND paused = 0"
    row = tx.fetch_one(sql, {"site": site})
    return FOREVER_US if row is None or row[0] is None else int(row[0])


def _turn(tx: Transaction, site: str, seen: _Seen) -> Turn:
    """Do what was seen to be due and still is."""
    done = Turn()
    for identifier in seen.free:
        job = rows.find(tx, reservation_id=identifier)
        before = None if job is None or job.reservation_status != Status.RESERVED else job.extras.get(QUEUED_AFTER)
        if job is not None and isinstance(before, str) and _has_ended(tx, before):
            _let_go(tx, job)
    for name in seen.due:
        schedule = find(tx, name)
        if schedule is not None and not schedule.paused and schedule.site == site and schedule.next_us <= tx.now_us:
            _advance(tx, schedule, done)
    done.next_us = _next_us(tx, site)
    return done


def due_and_missed(schedule: Schedule, now_us: int) -> tuple[list[int], list[int]]:
    """Return the occurrences to make at an instant, and those that are given up, each in order."""
    found = [schedule.next_us]
    while len(found) < _MOST_AT_ONCE and (at_us := schedule.after(found[-1])) <= now_us:
        found.append(at_us)
    late = [at_us for at_us in found if now_us - at_us > LATE_US]
    in_time = found[len(late) :]
    if schedule.catch_up is CatchUp.ALL:
        return found, []
    if schedule.catch_up is CatchUp.ONE and late:
        return [late[-1], *in_time], late[:-1]
    return in_time, late


def _advance(tx: Transaction, schedule: Schedule, done: Turn) -> None:
    wanted, missed = due_and_missed(schedule, tx.now_us)
    done.skipped += [schedule.key(at_us) for at_us in missed]
    for at_us in wanted:
        schedule = _occur(tx, schedule, at_us, done)
    _write(tx, replace(schedule, next_us=schedule.after(max([*wanted, *missed]))))


def _occur(tx: Transaction, schedule: Schedule, at_us: int, done: Turn) -> Schedule:
    before = None if schedule.last_us is None else rows.find(tx, run_key=schedule.key(schedule.last_us))
    extras = dict(schedule.extras)
    if before is not None and not _is_over(before):
        if schedule.overlap is Overlap.SKIP or before.reservation_status == Status.DISPATCHING:
            done.skipped.append(schedule.key(at_us))
            return schedule
        if schedule.overlap is Overlap.QUEUE:
            extras[QUEUED_AFTER] = before.run_key
        elif before.job_id:
            done.replaced.append(before)
        else:
            rows.cancel(tx, [before])
    done.made.append(_make(tx, schedule, at_us, extras))
    return replace(schedule, last_us=at_us)


def _make(tx: Transaction, schedule: Schedule, at_us: int, extras: dict[str, object]) -> JobReservation:
    known = rows.find(tx, run_key=schedule.key(at_us))
    if known is not None:
        return known
    tags = extras.pop("tags", [])
    starts_s = -(-schedule.starts_us(at_us) // SECOND_US)
    spec = JobSpec(
        schedule.key(at_us),
        list(schedule.command),
        not_before=starts_s,
        metadata={"schedule": schedule.name},
        options=list(schedule.options),
        site=schedule.site,
        extras=extras,
        tags=tuple(tags) if isinstance(tags, list) else (),
    )
    made = store.insert(tx, spec, ids.new_id(), in_sight=QUEUED_AFTER not in extras)
    tx.execute(_INHERIT_ACCOUNT, {"id": made.reservation_id, "name": schedule.name})
    return made


def _queued(tx: Transaction, site: str) -> list[tuple[JobReservation, str]]:
    """Return the occurrences that wait for the end of another one, and for which."""
    sql = f"{SELECT} WHERE reservation_status = 'RESERVED' AND site = :site AND next_us = :never ORDER BY seq"
    found = rows.jobs(tx.fetch_all(sql, {"site": site, "never": FOREVER_US}))
    waits = [(job, job.extras.get(QUEUED_AFTER)) for job in found]
    return [(job, before) for job, before in waits if isinstance(before, str)]


def _has_ended(tx: Transaction, run_key: str) -> bool:
    found = rows.find(tx, run_key=run_key)
    return found is None or _is_over(found)


def _is_over(job: JobReservation) -> bool:
    if job.reservation_status == Status.DISPATCHED:
        return job.outcome is not None
    return job.reservation_status in (Status.CANCELLED, Status.EXPIRED, Status.DISPATCH_FAILED)


def _let_go(tx: Transaction, job: JobReservation) -> None:
    tx.execute(
        "UPDATE reservations SET next_us = :next, extras_json = :extras WHERE reservation_id = :id",
        {
            "next": start_us(job.not_before),
            "extras": rows.extras_json(job.extras, QUEUED_AFTER),
            "id": job.reservation_id,
        },
    )
    rows.log(tx, [rows.Change(job, "let_go", Status.RESERVED)])
