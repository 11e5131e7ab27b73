"""The records of coord: claims, requests, conflicts, intents and events."""

from __future__ import annotations

from bespeak.base.frozen import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.coord.states import ClaimState


@frozen
class Claim:
    """Addresses claimed by one run; instants in µs UTC.

    Args:
        epoch: grows with every reservation of the repository; the lower epoch came first.
        shared: others may share it too.
        released_us: when it was given back, or None.
        beat_us: the last sign of life.
    """

    id: str
    epoch: int
    run_id: str
    branch: str
    addresses: tuple[str, ...]
    operation: str | None
    shared: bool
    created_us: int
    expires_us: int
    released_us: int | None
    beat_us: int

    def state(self, now_us: int) -> ClaimState:
        """Return what it is at an instant."""
        from bespeak.coord.states import ClaimState

        if self.released_us is not None:
            return ClaimState.RELEASED
        return ClaimState.ACTIVE if self.expires_us > now_us else ClaimState.EXPIRED

    def over_us(self, now_us: int) -> int | None:
        """Return when it was over, or None while it is active."""
        if self.released_us is not None:
            return self.released_us
        return self.expires_us if self.expires_us <= now_us else None


@frozen
class ClaimRequest:
    """How a run wants to claim some addresses; everything checked.

    Args:
        ttl_us: for how long, µs.
        key: the caller's own name for this request: repeated with it, the same reservation is returned.
        refuse: make nothing if another run is in the way.
        own: further runs of whoever asks, which are in nobody's way.
    """

    run_id: str
    branch: str
    ttl_us: int
    operation: str | None = None
    depends_on: tuple[str, ...] = ()
    shared: bool = False
    refuse: bool = False
    key: str | None = None
    own: tuple[str, ...] = ()


@frozen
class Conflict:
    """What is in the way of one address.

    Args:
        relation: how the address stands to the one held: ``same``, ``contains``, ``inside`` or ``overlaps``.
    """

    address: str
    held_address: str
    run_id: str
    reservation_id: str
    expires_us: int
    operation: str | None
    relation: str
    epoch: int


@frozen
class Reserved:
    """A reservation that was made, and what its maker has to know.

    Args:
        depends_on: the dependencies that were recorded.
        dependency_error: why they were not.
        repeated: it had been made before, under the same key.
    """

    reservation: Claim
    conflicts: tuple[Conflict, ...]
    depends_on: tuple[str, ...] = ()
    dependency_error: str | None = None
    repeated: bool = False


@frozen
class Intent:
    """An operation that a run declares beforehand; it ends with its reservation, or at its own time (µs UTC)."""

    id: str
    run_id: str
    branch: str
    addresses: tuple[str, ...]
    operation: str
    detail: str
    created_us: int
    expires_us: int
    reservation_id: str | None


@frozen
class Event:
    """One thing that happened, as the log of changes has it."""

    seq: int
    at_us: int
    change: str
    reservation_id: str | None
    run_id: str
    facts: dict[str, object]
