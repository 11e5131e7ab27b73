"""The dispatcher's dealings with the book: one transaction at a time, and what to do when there is no answer.

Outcomes that could not be stored stay here until they are: a job that was started is never forgotten because the
book was locked. After any failure the dispatcher also looks for claims of its own that it does not know of, which a
commit whose answer was lost may have made.
"""

from __future__ import annotations

import time

from bespeak.base import failpoints
from bespeak.jobs import claiming, liveness, store, takeover
from bespeak.jobs.concurrency import NO_LIMITS
from bespeak.jobs.model import HELD_EXTRA
from bespeak.jobs.schema import LOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.claiming import QueueState, StartOutcome, StepResult
    from bespeak.jobs.concurrency import Limits
    from bespeak.jobs.liveness import DispatcherRecord
    from bespeak.jobs.model import JobReservation
    from bespeak.storage.interface import Engine, Transaction

_SAFE_SECONDS = liveness.LEASE_US / 2_000_000
"""A claim that is not acted upon within half a lease is checked again first."""


class DispatcherSession:
    """One dispatcher's view of the book.

    Args:
        engine: the book.
        me: the dispatcher; its lease is renewed by every write.
        accounts: whose jobs it starts; None for everybody's.
        limits: how many jobs may run at once.
    """

    def __init__(
        self,
        engine: Engine,
        me: DispatcherRecord,
        accounts: tuple[str, ...] | None = None,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self.engine = engine
        self.me = me
        self.accounts = accounts
        self.limits = limits
        self.outcomes: list[StartOutcome] = []
        self.last_seq = 0
        self.offset_us = 0
        """The book's clock minus this machine's, µs; other than 0 only where the book is a server."""
        self._confirmed = 0.0

    def begin(self) -> None:
        """Write the dispatcher down; what is reserved from now on is new."""

        def work(tx: Transaction) -> int:
            liveness.register(tx, self.me)
            return claiming.newest(tx)

        self.last_seq = self.engine.transact((LOCK,), work)
        self._confirmed = _awake_seconds()

    def look(self) -> QueueState:
        """Return what is next and what is new."""
        found = self.engine.read(lambda tx: claiming.look(tx, self.me, self.last_seq, self.accounts, self.limits))
        if found.accepted:
            self.last_seq = found.accepted[-1].seq
        self.offset_us = found.now_us - time.time_ns() // 1000
        return found

    def step(self, slots: int) -> StepResult:
        """Store the outcomes that are waiting and claim up to ``slots`` rows."""
        outcomes = list(self.outcomes)
        failpoints.reach("jobs.before_step")
        taken = self.engine.transact(
            (LOCK,), lambda tx: claiming.step(tx, self.me, outcomes, slots, self.accounts, self.limits)
        )
        failpoints.reach("jobs.after_step")
        del self.outcomes[: len(outcomes)]
        self._confirmed = _awake_seconds()
        return taken

    def beat(self, mine: frozenset[str], slots: int) -> list[JobReservation]:
        """Renew the lease, take over what the dead have left, and keep the log short."""

        def work(tx: Transaction) -> list[JobReservation]:
            liveness.register(tx, self.me)
            claiming.shorten_log(tx)
            return takeover.recover(tx, self.me, mine, max(slots, 0))

        found = self.engine.transact((LOCK,), work)
        failpoints.reach("jobs.after_recover")
        self._confirmed = _awake_seconds()
        return found

    def still_mine(self, job: JobReservation) -> bool:
        """Tell whether a claim may still be acted upon; asks the book only if this process has slept meanwhile."""
        if _awake_seconds() - self._confirmed < _SAFE_SECONDS:
            return True

        def work(tx: Transaction) -> bool:
            liveness.register(tx, self.me)
            row = tx.fetch_one(
                "SELECT 1 FROM reservations WHERE reservation_id = :id AND owner = :me AND claim_no = :claim_no",
                {"id": job.reservation_id, "me": self.me.dispatcher_id, "claim_no": job.claim_no},
            )
            return row is not None

        mine = self.engine.transact((LOCK,), work)
        self._confirmed = _awake_seconds()
        return mine

    def move(self, job: JobReservation) -> JobReservation | None:
        """Write down that a claim goes on at our own runner, and return it; None if it is not ours any more."""
        return self.engine.transact((LOCK,), lambda tx: claiming.move(tx, self.me, job))

    def note_booking(self, job: JobReservation, booking_id: str) -> None:
        """Write down what was booked for a job that is about to start."""
        store.booked(self.engine, job, booking_id, job.next_us)

    def note_held(self, job: JobReservation, variables: dict[str, str]) -> JobReservation:
        """Write down what a job that is about to start is told of what it holds, unless that stands there."""
        return job if job.extras.get(HELD_EXTRA) == variables else store.note_held(self.engine, job, variables)

    def end(self) -> None:
        """Store what is left and take the dispatcher off the list, or end its lease if it still has claims."""

        def work(tx: Transaction) -> None:
            claiming.step(tx, self.me, self.outcomes, 0)
            left = tx.fetch_one(
                "SELECT 1 FROM reservations WHERE reservation_status = 'DISPATCHING' AND owner = :me LIMIT 1",
                {"me": self.me.dispatcher_id},
            )
            if left is None:
                liveness.forget(tx, self.me.dispatcher_id)
                return
            tx.execute(
                "UPDATE dispatch_dispatchers SET lease_until_us = :now WHERE dispatcher_id = :me",
                {"now": tx.now_us, "me": self.me.dispatcher_id},
            )

        self.engine.transact((LOCK,), work)


def _awake_seconds() -> float:
    """Return a clock that goes on while the machine sleeps and that nobody can set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
