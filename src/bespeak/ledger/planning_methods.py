"""Methods of the book that plan ahead and change plans; each loads what it needs when it is called."""

from __future__ import annotations

from bespeak.ledger.context import LedgerContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.batches import Batch
    from bespeak.ledger.model import Holder, Request, Reservation


class PlanningMethods(LedgerContext):
    """What :class:`bespeak.ledger.service.Ledger` can do to what is reserved already."""

    def move(
        self,
        identifier: str,
        by: Holder,
        *,
        starts_us: int | None = None,
        duration_us: int | None = None,
        ends_us: int | None = None,
        resources: Iterable[str] | None = None,
        fencing_token: int | None = None,
        reason: str = "",
    ) -> Reservation:
        """Give a reservation that has not begun another time or other resources, unless somebody is in the way.

        It keeps its id and gets a new number. What a new reservation would be asked is asked again: rights, quotas,
        approval, closed times and who is in the way.

        Args:
            identifier: the reservation's full id.
            by: who asks.
            starts_us: the new start, µs UTC; None keeps it.
            duration_us: how long then, µs; by default as long as it was.
            ends_us: or the new end, µs UTC.
            resources: all that it is of then; None keeps them.
            fencing_token: the token the caller believes in; None does not compare.
            reason: why, for the log; must be given by whoever acts for the holder and has not reserved it.

        Raises:
            NotFoundError: no such reservation.
            BusyError: it is somebody else's, or (as :class:`RefusedError`) somebody is in the way.
            NotAllowedError: a quota is used up, a resource needs approval, or no right to it is given.
            WrongStateError: it has begun or ended, waits, or the fencing token is stale.
            UsageError: neither a time nor resources are given, the new time is past or empty, or the reason is missing.
        """
        from bespeak.ledger import rebooking

        return rebooking.move(
            self,
            identifier,
            by,
            starts_us=starts_us,
            duration_us=duration_us,
            ends_us=ends_us,
            resources=resources,
            fencing_token=fencing_token,
            reason=reason,
        )

    def transfer(
        self, identifier: str, to: str, by: Holder, *, fencing_token: int | None = None, reason: str = ""
    ) -> Reservation:
        """Give a reservation to somebody else, a person or a team (``team:bringup``); it gets a new number.

        Args:
            identifier: the reservation's full id.
            to: the new holder.
            by: who asks.
            fencing_token: the token the caller believes in; None does not compare.
            reason: why, for the log; must be given by whoever acts for the holder and has not reserved it.

        Raises:
            NotFoundError: no such reservation.
            BusyError: it is somebody else's.
            WrongStateError: it has ended, waits, is kept alive by a process, is theirs, or the fencing token is stale.
            UsageError: the name cannot be one, or the reason is missing.
        """
        from bespeak.ledger import rebooking

        return rebooking.transfer(self, identifier, to, by, fencing_token=fencing_token, reason=reason)

    def swap(self, mine: str, other: str, by: Holder, *, reason: str = "") -> list[Reservation]:
        """Let two reservations change hands: each holder gets the time and the resources of the other.

        What for, and the tags, go along with the holder; both get new numbers. Who asks has one of the two, and has
        the other one too or may take it away.

        Args:
            mine: the full id of a reservation of whoever asks.
            other: the full id of the other one.
            by: who asks.
            reason: why, for the log; must be given where the other one is somebody else's.

        Raises:
            NotFoundError: no such reservation.
            BusyError: neither is whoever asks's, or the other one may not be taken away.
            WrongStateError: one has ended, waits, or is kept alive by a process.
            UsageError: both are the same, or the reason is missing.
        """
        from bespeak.ledger import rebooking

        return rebooking.swap(self, mine, other, by, reason=reason)

    def release_part(
        self,
        identifier: str,
        resources: Iterable[str],
        by: Holder,
        *,
        fencing_token: int | None = None,
        reason: str = "",
    ) -> Reservation:
        """Give back some of the resources of a reservation; the rest is held on, under the same number.

        Args:
            identifier: the reservation's full id.
            resources: what is given back.
            by: who asks.
            fencing_token: the token the caller believes in; None does not compare.
            reason: why, for the log; must be given by whoever acts for the holder and has not reserved it.

        Raises:
            NotFoundError: no such reservation.
            BusyError: it is somebody else's.
            WrongStateError: it has ended, waits, has not all of these, has nothing else, or the token is stale.
            UsageError: the reason is missing.
        """
        from bespeak.ledger import rebooking

        return rebooking.release_part(self, identifier, resources, by, fencing_token=fencing_token, reason=reason)

    def reserve_many(self, requests: list[Request], *, skip_conflicts: bool = False) -> Batch:
        """Book many requests in one transaction: all, or those that nobody stands in the way of.

        Args:
            requests: what is wanted; each is booked as :meth:`Ledger.reserve` would.
            skip_conflicts: leave out those that somebody stands in the way of; else nothing is written then.

        Returns:
            What was booked, and who is in the way of the others.

        Raises:
            UsageError: a request contradicts itself, or there are none, or more than 1,000.
            NotFoundError: the book is strict and a resource is not declared.
        """
        from bespeak.ledger import batches

        return batches.reserve_many(self, requests, skip_conflicts=skip_conflicts)

    def move_many(self, moves: list[tuple[str, int, int]], by: Holder, *, skip_conflicts: bool = False) -> Batch:
        """Give many reservations that have not begun other times, in one transaction.

        Args:
            moves: the full id, the new start and the new end (µs UTC) of each.
            by: who asks.
            skip_conflicts: leave those where they are that somebody stands in the way of; else nothing is moved then.

        Returns:
            What was moved, and who is in the way of the others.

        Raises:
            NotFoundError: no such reservation.
            BusyError: one is somebody else's.
            WrongStateError: one has begun or ended, or waits.
            UsageError: a new time is past or empty.
        """
        from bespeak.ledger import batches

        return batches.move_many(self, moves, by, skip_conflicts=skip_conflicts)

    def release_many(self, identifiers: list[str], by: Holder, *, reason: str = "") -> list[Reservation]:
        """Give many reservations back in one transaction; those that have ended by themselves are left out.

        Args:
            identifiers: their full ids.
            by: who asks.
            reason: why, for the log; must be given by whoever acts for the holder and has not reserved them.

        Raises:
            NotFoundError: no such reservation.
            BusyError: one is somebody else's, or who asks for them may not take it away.
            UsageError: the reason is missing.
        """
        from bespeak.ledger import batches

        return batches.release_many(self, identifiers, by, reason=reason)
