"""The values of the book: what a reservation is, and what it is asked to be.

A reservation stores facts only; its state is computed from them and one ``now``, so nothing has to run for a
reservation to begin or to expire.
"""

from __future__ import annotations

from enum import Enum

from bespeak.base.frozen import frozen
from bespeak.ledger.holders import Holder as Holder  # noqa: PLC0414 it is looked for here
from bespeak.ledger.holders import HolderKind as HolderKind  # noqa: PLC0414 it is looked for here
from bespeak.ledger.holders import Origin as Origin  # noqa: PLC0414 it is looked for here
from bespeak.ledger.holders import holder_kind as holder_kind  # noqa: PLC0414 it is looked for here


class Mode(Enum):
    """Whether a holder shares the resource with other sharers."""

    EXCLUSIVE = "exclusive"
    SHARED = "shared"


class State(Enum):
    """Where a reservation stands at some instant."""

    WAITING = "waiting"
    AWAITING = "awaiting"
    """It keeps its time, and is nobody's hold before somebody has approved it."""
    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


class EndReason(Enum):
    """Why a reservation ended other than by reaching its end."""

    RELEASED = "released"
    CANCELLED = "cancelled"
    KICKED = "kicked"
    REPLACED = "replaced"
    NO_SHOW = "no_show"
    LAPSED = "lapsed"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


class Approval(Enum):
    """Whether somebody has to approve a reservation, and what was said."""

    NONE = ""
    ASKED = "asked"
    GIVEN = "given"
    REFUSED = "refused"


class Health(Enum):
    """Whether a resource can be given out."""

    OK = "ok"
    SICK = "sick"
    OFFLINE = "offline"


@frozen
class Need:
    """So many resources of a kind, whichever they are.

    Args:
        count: how many.
        label: what their labels must match (see :mod:`bespeak.base.label_expression`); empty for any declared one.
    """

    count: int
    label: str = ""


@frozen
class Request:
    """What somebody wants to hold.

    Args:
        resources: names, all or none of which are wanted.
        holder: for whom, and who asks.
        starts_us: the first instant, µs UTC; None means now.
        duration_us: how long, µs; at most one of this and ``ends_us``, neither means the book's default.
        ends_us: the instant at which it ends, µs UTC; ``FOREVER_US`` for an open end.
        mode: alone, or with other sharers.
        purpose: free text for people.
        tags: key and value pairs for programs.
        next_fit: take the first window from ``starts_us`` on in which all are free.
        keepalive_us: the hold lapses this long (µs) after its last sign of life; None means it needs none.
        open_end: nobody knows when it is given back: others can book behind its window, but none is promised it.
        needs: resources that are wanted for what they are, not by name, besides those that are named.
        prefer: labels that those should match where there is a choice.
        same: labels, or ``location`` or ``owner``, that must be the same for all of them, the named ones included.
        origin: where it is made; None means on this machine, by nothing that stays.
        check_in_us: a reservation that begins later is given back if nobody uses it for so long (µs) from its start
            on; None leaves it to the resources.
    """

    resources: tuple[str, ...]
    holder: Holder
    starts_us: int | None = None
    duration_us: int | None = None
    ends_us: int | None = None
    mode: Mode = Mode.EXCLUSIVE
    purpose: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    next_fit: bool = False
    keepalive_us: int | None = None
    open_end: bool = False
    needs: tuple[Need, ...] = ()
    prefer: str = ""
    same: tuple[str, ...] = ()
    origin: Origin | None = None
    check_in_us: int | None = None


@frozen
class Selection:
    """What somebody in the queue wants by need; which resources it will be is fixed when it is granted.

    Args:
        resources: those that are wanted by name.
        needs: the others.
        prefer: as in :class:`Request`.
        same: as in :class:`Request`.
    """

    resources: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    prefer: str = ""
    same: tuple[str, ...] = ()


@frozen
class Reservation:
    """One row of the book; instants in µs UTC.

    ``starts_us`` and ``ends_us`` of a waiting reservation are the promised window; ``FOREVER_US`` in both means that
    nothing can be promised yet. ``selection`` is what is wanted by need; while it waits, ``resources`` are those that
    the promise is about at present; none without a promise. ``lease_us`` is the instant at which it lapses without a
    further sign of life; ``check_in_us`` is how long after its start that is, µs, as long as nobody has used it.
    """

    seq: int
    id: str
    fencing_token: int | None
    holder: str
    requested_by: str | None
    resources: tuple[str, ...]
    mode: Mode
    starts_us: int
    ends_us: int
    created_us: int
    ended_us: int | None
    end_reason: EndReason | None
    ended_note: str
    purpose: str
    tags: tuple[tuple[str, str], ...]
    priority: int
    lease_us: int | None
    waiting: bool
    rank: int
    wanted_us: int
    not_before_us: int
    keepalive_us: int | None
    open_end: bool = False
    origin: Origin = Origin()
    gate_seen_us: int | None = None
    check_in_us: int | None = None
    selection: Selection | None = None
    approval: Approval = Approval.NONE

    @property
    def is_awaiting(self) -> bool:
        """Whether it keeps its time until somebody has approved or refused it."""
        return self.waiting and self.approval is Approval.ASKED

    @property
    def in_queue(self) -> bool:
        """Whether it has a place in the queue."""
        return self.waiting and self.approval is not Approval.ASKED

    def is_ahead_of(self, other: Reservation | None) -> bool:
        """Tell whether a waiter comes before another one in the queue; everybody comes before a newcomer (None)."""
        return other is None or (self.rank, self.seq) < (other.rank, other.seq)

    @property
    def kind(self) -> HolderKind:
        """What its holder is."""
        return holder_kind(self.holder)

    @property
    def _is_kept(self) -> bool:
        return self.lease_us is not None and self.keepalive_us is not None and self.check_in_us is None

    @property
    def seen_us(self) -> int:
        """The last sign of life, µs UTC: of the process that keeps it, of a gate or job that uses it, or its making."""
        kept_us = (self.lease_us or 0) - (self.keepalive_us or 0) if self._is_kept else 0
        return max(self.created_us, self.gate_seen_us or 0, kept_us)

    def end_us(self, now_us: int) -> int:
        """Return the instant, µs UTC, at which it ended, or will end as things stand at ``now_us``."""
        if self.ended_us is not None:
            return self.ended_us
        if self.lease_us is not None and self.lapsed(now_us):
            return self.lease_us
        return self.ends_us

    def state(self, now_us: int) -> State:
        """Return where this reservation stands at ``now_us``."""
        if self.ended_us is not None or self.lapsed(now_us):
            return State.ENDED
        if self.waiting:
            return State.AWAITING if self.is_awaiting else State.WAITING
        if now_us >= self.ends_us:
            return State.ENDED
        return State.ACTIVE if now_us >= self.starts_us else State.PENDING

    def lapsed(self, now_us: int) -> bool:
        """Tell whether it ended because its sign of life is overdue, and not at its end or by anybody's wish."""
        if self.lease_us is None or self.ended_us is not None or self.lease_us > now_us:
            return False
        return self.waiting or self.lease_us < self.ends_us

    def why_ended(self, now_us: int) -> str | None:
        """Return why it has ended at ``now_us``: a value of :class:`EndReason`, ``expired``, or None."""
        if self.end_reason is not None:
            return str(self.end_reason.value)
        if self.state(now_us) is not State.ENDED:
            return None
        if not self.lapsed(now_us):
            return "expired"
        return str(self.why_lapsed.value)

    @property
    def why_lapsed(self) -> EndReason:
        """Why it ends when its sign of life is overdue: nobody approved it or came, or whoever had it went away."""
        if self.is_awaiting:
            return EndReason.UNANSWERED
        return EndReason.NO_SHOW if self.waiting or self.check_in_us is not None else EndReason.LAPSED


@frozen
class Booking:
    """One resource taken (or promised, when ``waiting``) for one window; what a refusal names.

    ``origin`` and ``seen_us`` say where it is used, and when that last gave a sign of life (µs UTC; 0 if unknown).
    ``awaiting`` is what keeps its time until somebody approves it.
    ``closed`` says why nobody has it then: ``maintenance``, ``cooldown``, ``hours``, ``sick`` or ``offline``; it is
    empty for what somebody holds.
    """

    resource: str
    holder: str
    reservation_id: str
    mode: Mode
    starts_us: int
    ends_us: int
    waiting: bool = False
    purpose: str = ""
    origin: Origin = Origin()
    seen_us: int = 0
    closed: str = ""
    awaiting: bool = False


@frozen
class Refusal:
    """Why a request was refused.

    Args:
        conflicts: what stands in its way.
        next_free_us: the first instant, µs UTC, from which the same request would be granted; None when never.
    """

    conflicts: tuple[Booking, ...]
    next_free_us: int | None


@frozen
class QueuePosition:
    """A queue entry.

    Args:
        position: 1 for the first.
        promised_us: the instant at which it is granted at the latest, µs UTC; None when nobody can say.
        ahead: the holders of the earlier places, in order.
        held: what is held now of that which is waited for; empty where nobody has to be told.
        expected_us: when the runs that hold it usually end, by the length of earlier ones, µs UTC; no promise.
        moved_from_us: the promise before, µs UTC, where it has just been taken away or become a later one.
        moved_by: who goes first instead.
    """

    position: int
    promised_us: int | None
    ahead: tuple[str, ...] = ()
    held: tuple[Booking, ...] = ()
    expected_us: int | None = None
    moved_from_us: int | None = None
    moved_by: str | None = None


@frozen
class QueueLook:
    """What somebody in the queue sees.

    Args:
        reservation: the place as it stands now; it no longer waits once it was granted.
        position: where it stands; None once it was granted.
        look_again_us: how long (µs) until something is due though nobody changes the book.
    """

    reservation: Reservation
    position: QueuePosition | None
    look_again_us: int


@frozen
class Resource:
    """Something a team takes turns on.

    Args:
        name: an opaque string, compared byte for byte.
        capacity: how many exclusive holders it seats at once.
        declared: set up by somebody, and not only made by its first use.
        description: free text for people.
        longest_us: the longest booking it ever had that is no long one (see :mod:`bespeak.ledger.schema`), µs; bounds
            how far back an overlap can begin.
        related: how many wholes and parts it has, also those of its wholes and parts.
        cooldown_us: how long it stays free between two holds, µs.
        hours: when it may be held, as :mod:`bespeak.ledger.opening_hours` reads it; empty for always.
        check_in_us: a holder who does not check in for this long (µs) after the start loses the hold; None for never.
        health: whether it can be given out.
        closed_until_us: the last end of a window in which it is not given out, µs UTC; 0 where there never was one.
        approval: who may approve reservations of it, each of which waits for that; nobody named means whoever manages
            the resource. None where none is needed.
    """

    name: str
    capacity: int = 1
    declared: bool = False
    description: str = ""
    longest_us: int = 0
    related: int = 0
    cooldown_us: int = 0
    hours: str = ""
    check_in_us: int | None = None
    health: Health = Health.OK
    closed_until_us: int = 0
    approval: tuple[str, ...] | None = None

    @property
    def approved_by(self) -> str:
        """Who may approve reservations of it, as a part of a sentence."""
        return " or ".join(self.approval) if self.approval else "whoever manages it"

    def is_constrained(self, now_us: int) -> bool:
        """Tell whether anything but bookings of it can keep it from being given out."""
        return bool(
            self.related
            or self.cooldown_us
            or self.hours
            or self.closed_until_us > now_us
            or self.health is not Health.OK
        )


@frozen
class Free:
    """A resource's first free window: from ``from_us`` until ``until_us`` (None when nothing follows), µs UTC."""

    resource: str
    from_us: int | None
    until_us: int | None
