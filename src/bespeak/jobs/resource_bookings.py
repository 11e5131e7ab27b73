"""``--needs``: a job's reservation also books resources in bespeak's book, and starts only while they are held.

:mod:`bespeak.jobs.booking_returns` gives them back when the job is over.
"""

from __future__ import annotations

import os

from bespeak.base.clock import FOREVER_US, MINUTE_US, SECOND_US, boot_us
from bespeak.base.errors import (
    BespeakError,
    BusyError,
    NoBookError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
    UsageError,
)
from bespeak.base.frozen import field, frozen, replace
from bespeak.jobs.contract_times import start_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bespeak.jobs.model import JobReservation
    from bespeak.ledger.model import Holder, Request, Reservation
    from bespeak.ledger.service import Ledger
    from bespeak.storage.interface import Listener


REFUSED_US = MINUTE_US
"""How long a job that is due waits for what it needs before it counts as not started."""

TAG = "job"
"""The tag by which a booking says which job it is for; its value is the reservation id of the job."""


def this_user() -> str:
    """Return the account that this process runs under: who a booking is made for."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def book(ledger: Ledger, job: JobReservation, now_us: int) -> tuple[str, int]:
    """Book what ``job`` needs; return the booking's id and when the job may start, µs UTC.

    A booking that an earlier try made for this job before it was interrupted is found again by its tag.

    Raises:
        BusyError: somebody else holds something of it.
    """
    from bespeak.base.process_identity import this_host
    from bespeak.ledger.model import Holder, Origin

    extras = job.extras
    holder = ledger.own(Holder(str(extras.get("holder", "")) or this_user(), _acting(extras)))
    for found in ledger.reservations(holder=holder.name):
        if (TAG, job.reservation_id) in found.tags:
            return found.id, found.starts_us
    starts_us = start_us(job.not_before)
    made = ledger.reserve(
        replace(
            wanted(extras, holder),
            starts_us=starts_us if starts_us > now_us else None,
            purpose=f"job {job.run_key}",
            tags=((TAG, job.reservation_id),),
            origin=Origin(this_host(), f"job {job.reservation_id}"),
        )
    )
    return made.id, made.starts_us


def wanted(extras: dict[str, object], holder: Holder) -> Request:
    """Return the request for what a job needs: names, and objects that say how many of what kind."""
    from bespeak.ledger.model import Need, Request

    items = _items(extras.get("needs"))
    needs = [Need(int(str(item.get("count"))), str(item.get("label"))) for item in items if isinstance(item, dict)]
    return Request(
        resources=tuple(str(item) for item in items if not isinstance(item, dict)),
        holder=holder,
        duration_us=int(float(str(extras.get("for_seconds", 0))) * SECOND_US),
        needs=tuple(needs),
        prefer=str(extras.get("prefer", "")),
        same=tuple(map(str, _items(extras.get("same")))),
    )


def _acting(extras: dict[str, object]) -> str | None:
    who = this_user()
    return who if extras.get("holder") not in (None, who) else None


def _items(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _missing(job: JobReservation, found: Reservation) -> str:
    """Return why a booking is not what ``job`` needs any more: moved to other resources, or given back in part."""
    items = _items(job.extras.get("needs"))
    named = [str(item) for item in items if not isinstance(item, dict)]
    by_label = sum(int(str(item.get("count"))) for item in items if isinstance(item, dict))
    missing = [name for name in named if name not in found.resources]
    if not missing and len(found.resources) >= len(set(named)) + by_label:
        return ""
    what = f"of {', '.join(missing)}" if missing else "of as many as it needs"
    return f"its booking {found.id} is not {what} any more: it is of {', '.join(found.resources)}"


def give_back(ledger: Ledger, job: JobReservation) -> None:
    """Release the booking of a job that is over or will not run; one that has ended already is no error.

    Raises:
        UnavailableError: the book cannot be written.
        NotAllowedError: who asks has no right to.
    """
    from bespeak.ledger.model import Holder

    if not job.booking_id:
        return
    try:
        found = ledger.get(job.booking_id)
        if (TAG, job.reservation_id) in found.tags:  # given back as who has booked it, by any dispatcher of the site
            ledger.release(found.id, ledger.own(Holder(found.holder, found.requested_by)))
    except (UnavailableError, NotAllowedError):
        raise
    except BespeakError:
        return


@frozen
class BookingState:
    """Whether a job's resources are held.

    Args:
        held: right now.
        starts_us: when they will be, µs UTC; FOREVER_US when they never will.
        reason: why not.
        variables: what the command is told of what is held.
    """

    held: bool
    starts_us: int = 0
    reason: str = ""
    variables: dict[str, str] = field(default_factory=dict)


@frozen
class TimeLeft:
    """How long a job still has what it booked.

    Args:
        left_us: until the end as things stand, µs.
        length_us: of the whole booking, µs.
        lost: why it has it no more; empty while it does.
    """

    left_us: int = 0
    length_us: int = 0
    lost: str = ""


class ResourceBookings:
    """Asks the book whether jobs' resources are held; the book is opened when first needed.

    Args:
        url: of the book, or None for the one each reservation names.
    """

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._open: dict[str, Ledger] = {}
        self._refused: dict[str, int] = {}
        """Since when the booking of what a job needs is refused, µs since boot."""
        self._seen: dict[str, int] = {}
        """When each booking's last sign of life was written, µs since boot."""

    def at_start(
        self,
        job: JobReservation,
        note: Callable[[JobReservation, str], None],
        note_held: Callable[[JobReservation, dict[str, str]], JobReservation],
    ) -> tuple[JobReservation, BookingState]:
        """Return a job that is about to start, booked, and how its booking stands; an occurrence is booked only now.

        What the job before has held may not have been given back yet, so a refusal counts only after a minute.

        Args:
            job: what is about to start.
            note: writes the id of a new booking down.
            note_held: writes down what the command is told of what is held, and returns the job with it.

        Raises:
            UnavailableError: the book cannot be asked now, or refuses the booking for less than a minute.
        """
        if job.booking_id:
            return self._ask_and_note(job, note_held)
        try:
            job = self._book(job, note)
        except (BusyError, NotAllowedError, NotFoundError, UsageError) as error:
            since_us = self._refused.setdefault(job.reservation_id, boot_us())
            if isinstance(error, BusyError) and boot_us() - since_us < REFUSED_US:
                raise UnavailableError(str(error)) from None
            del self._refused[job.reservation_id]
            return job, BookingState(held=False, starts_us=FOREVER_US, reason=str(error))
        self._refused.pop(job.reservation_id, None)
        return self._ask_and_note(job, note_held)

    def _ask_and_note(
        self, job: JobReservation, note_held: Callable[[JobReservation, dict[str, str]], JobReservation]
    ) -> tuple[JobReservation, BookingState]:
        found = self.ask(job)
        return note_held(job, found.variables) if found.held else job, found

    def _book(self, job: JobReservation, note: Callable[[JobReservation, str], None]) -> JobReservation:
        ledger = self._opened(job)
        booking_id, _ = book(ledger, job, ledger.now_us())
        note(job, booking_id)
        return replace(job, booking_id=booking_id)

    def ask(self, job: JobReservation) -> BookingState:
        """Return how things stand for ``job``.

        Raises:
            UnavailableError: the book cannot be asked.
        """
        from bespeak.ledger.model import State

        if not job.booking_id:
            return BookingState(held=False, starts_us=FOREVER_US, reason="its resources were never booked")
        ledger = self._opened(job)
        try:
            found = ledger.find(job.booking_id)
        except NotFoundError:
            return BookingState(held=False, starts_us=FOREVER_US, reason=f"its booking {job.booking_id} is gone")
        state = found.state(ledger.now_us())
        if state is State.ACTIVE and (missing := _missing(job, found)):
            return BookingState(held=False, starts_us=FOREVER_US, reason=missing)
        if state is State.ACTIVE:
            return BookingState(held=True, variables=_variables(ledger, found.resources))
        if state is State.ENDED:
            why = found.end_reason.value if found.end_reason else "its time was over"
            reason = f"its resources are not held any more: booking {found.id}: {why}"
            return BookingState(held=False, starts_us=FOREVER_US, reason=reason)
        return BookingState(held=False, starts_us=found.starts_us)

    def time_left(self, job: JobReservation) -> TimeLeft:
        """Return how long a job that runs still has what it booked; that it runs is its check-in.

        Raises:
            UnavailableError: the book cannot be asked.
        """
        from bespeak.ledger.model import Holder, State

        ledger = self._opened(job)
        try:
            found = ledger.find(job.booking_id or "")
        except NotFoundError:
            return TimeLeft(lost=f"its booking {job.booking_id} is gone")
        now_us = ledger.now_us()
        if found.state(now_us) is State.ENDED:
            return TimeLeft(lost=f"its booking {found.id} is lost: {found.why_ended(now_us)}")
        if missing := _missing(job, found):
            return TimeLeft(lost=missing)
        if found.check_in_us is not None and found.state(now_us) is State.ACTIVE:
            found = ledger.touch(found.id, ledger.own(Holder(found.holder, found.requested_by)))
        ends_us = found.ends_us if found.lease_us is None else min(found.lease_us, found.ends_us)
        return TimeLeft(ends_us - now_us, found.ends_us - found.starts_us)

    def listen(self, jobs: Iterable[JobReservation]) -> list[Listener]:
        """Listen for changes of the bookings of these jobs, with one listener a book, where that is possible."""
        from contextlib import suppress

        from bespeak.ledger.write_operations import reservation_topic

        topics: dict[Ledger, list[str]] = {}
        for job in jobs:
            with suppress(BespeakError):
                topics.setdefault(self._ledger(job), []).append(reservation_topic(job.booking_id or ""))
        listeners = []
        for ledger, wanted in topics.items():
            with suppress(BespeakError):
                listeners.append(ledger.listen(wanted))
        return listeners

    def again(self) -> ResourceBookings:
        """Return another of the same kind, for another thread."""
        return ResourceBookings(self._url)

    def sign_of_life(self, job: JobReservation) -> None:
        """Note that a job that has booked resources still runs; at most once a minute, and no error if it cannot be."""
        now_us = boot_us()
        if not job.booking_id or now_us - self._seen.get(job.booking_id, -MINUTE_US) < MINUTE_US:
            return
        self._seen[job.booking_id] = now_us
        try:
            self._ledger(job).sign_of_life([job.booking_id])
        except BespeakError:
            return  # whoever needs the book is told

    def give_back(self, job: JobReservation) -> None:
        """Release the booking of ``job``; see :func:`give_back`.

        Raises:
            UnavailableError: the book cannot be written.
        """
        self._seen.pop(job.booking_id or "", None)
        try:
            ledger = self._ledger(job)
        except NoBookError:
            return  # a book that is not there holds nothing
        give_back(ledger, job)

    def _opened(self, job: JobReservation) -> Ledger:
        try:
            return self._ledger(job)
        except NoBookError as error:
            raise UnavailableError(str(error)) from None  # not mounted, perhaps

    def _ledger(self, job: JobReservation) -> Ledger:
        url = self._url or str(job.extras.get("ledger") or "") or _default_url()
        if url not in self._open:
            from bespeak.ledger import open_ledger

            self._open[url] = open_ledger(url, create=False)
        return self._open[url]

    def close(self) -> None:
        """Close the books."""
        for ledger in self._open.values():
            ledger.close()
        self._open.clear()


def _variables(ledger: Ledger, names: Iterable[str]) -> dict[str, str]:
    from bespeak.ledger.by_need import RESOURCES_VARIABLE, variables

    return {**variables(ledger, names), RESOURCES_VARIABLE: "\n".join(names)}


def _default_url() -> str:
    from bespeak.settings import ledger_url

    return ledger_url(None)
