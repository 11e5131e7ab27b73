"""The claims of one repository as its book keeps them: what is asked of the book, each in one transaction.

Addresses are normalised by whoever asks, who has the work tree; the book need not be on the same machine.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.coord.address import Address
    from bespeak.coord.dependencies import DependencyGraph
    from bespeak.coord.events import Polling
    from bespeak.coord.forecast.model import ClaimedAddress
    from bespeak.coord.model import Claim, ClaimRequest, Conflict, Event, Intent, Reserved
    from bespeak.coord.states import HeartbeatStatus, ReleaseStatus
    from bespeak.storage.interface import Engine, Listener


class ClaimsBook:
    """The claims of one repository.

    Args:
        engine: the open book.
        repo: the repository's name in it; empty in a book of its own.
    """

    def __init__(self, engine: Engine, repo: str = "") -> None:
        self.engine = engine
        self.repo = repo

    def _locks(self) -> tuple[str, ...]:
        return (f"coord:{self.repo}",)

    def reserve(self, request: ClaimRequest, wanted: tuple[Address, ...]) -> Reserved:
        """Make a claim; see :func:`bespeak.coord.claims.reserve`."""
        from bespeak.coord import claims

        return self.engine.transact(self._locks(), lambda tx: claims.reserve(tx, self.repo, request, wanted))

    def conflicts(self, run: str, wanted: Sequence[Address], *, shared: bool = False) -> list[Conflict]:
        """Return what claims of other runs overlap addresses; changes nothing."""
        from bespeak.coord.conflicts import conflicts

        return self.engine.read(lambda tx: conflicts(tx, self.repo, run, wanted, shared=shared))

    def release(self, identifier: str, run: str) -> tuple[ReleaseStatus, Claim | None]:
        """Give a claim back; see :func:`bespeak.coord.claims.release`."""
        from bespeak.coord import claims

        return self.engine.transact(self._locks(), lambda tx: claims.release(tx, self.repo, identifier, run))

    def release_all(self, run: str) -> list[Claim]:
        """Give back all that a run has claimed."""
        from bespeak.coord import claims

        return self.engine.transact(self._locks(), lambda tx: claims.release_all(tx, self.repo, run))

    def heartbeat(self, identifier: str, run: str, extension_us: int) -> tuple[HeartbeatStatus, Claim | None]:
        """Keep a claim from expiring for so long (µs); see :func:`bespeak.coord.claims.heartbeat`."""
        from bespeak.coord import claims

        return self.engine.transact(
            self._locks(), lambda tx: claims.heartbeat(tx, self.repo, identifier, run, extension_us)
        )

    def declare(
        self,
        run: str,
        branch: str,
        texts: tuple[str, ...],
        operation: str,
        detail: str,
        ttl_us: int,
        reservation_id: str | None,
    ) -> Intent:
        """Declare an operation; see :func:`bespeak.coord.intents.declare`."""
        from bespeak.coord import intents

        return self.engine.transact(
            self._locks(),
            lambda tx: intents.declare(tx, self.repo, run, branch, texts, operation, detail, ttl_us, reservation_id),
        )

    def depend(self, identifier: str, needed: Sequence[str], run: str) -> Claim:
        """Let a claim depend on others; see :func:`bespeak.coord.dependencies.add_to`."""
        from bespeak.coord import dependencies

        return self.engine.transact(
            self._locks(), lambda tx: dependencies.add_to(tx, self.repo, identifier, needed, run)
        )

    def reservations(
        self, *, over: bool = False, run_id: str | None = None, branch: str | None = None, among: Sequence[Address] = ()
    ) -> list[Claim]:
        """Return claims, oldest first; see :func:`bespeak.coord.queries.reservations`."""
        from bespeak.coord import queries

        return self.engine.read(
            lambda tx: queries.reservations(tx, self.repo, over=over, run_id=run_id, branch=branch, among=among)
        )

    def intents(self) -> list[Intent]:
        """Return the intents that have not ended, oldest first."""
        from bespeak.coord import intents

        return self.engine.read(lambda tx: intents.active(tx, self.repo))

    def order(self) -> tuple[DependencyGraph, dict[str, Claim]]:
        """Return the graph of active claims and what they depend on, and its claims by id."""
        from bespeak.coord import dependencies

        return self.engine.read(lambda tx: dependencies.order(tx, self.repo))

    def claimed(self) -> tuple[list[ClaimedAddress], list[Intent]]:
        """Return every address of every active claim, by key, and the active intents: what a forecast is made of."""
        from bespeak.coord import intents
        from bespeak.coord.forecast.claimed import read_claims

        return self.engine.read(lambda tx: (read_claims(tx, self.repo), intents.active(tx, self.repo)))

    def now_us(self) -> int:
        """Return the present instant of the book, µs UTC."""
        return self.engine.read(lambda tx: tx.now_us)

    def collect(self, older_than_us: int) -> dict[str, int]:
        """Remove what has been over for so long (µs); return how many of each were removed."""
        from bespeak.coord import queries

        return self.engine.transact(self._locks(), lambda tx: queries.collect(tx, self.repo, tx.now_us - older_than_us))

    def last_change(self) -> tuple[int, int]:
        """Return the number of the latest change, and the present instant, µs UTC."""
        from bespeak.coord import events

        return self.engine.read(lambda tx: (events.last(tx, self.repo), tx.now_us))

    def changes(self, seen: int, since_us: int) -> tuple[list[Event], int | None, int]:
        """Return changes after one, expiries since an instant among them; when the next expiry is; the present, µs."""
        from bespeak.coord import events

        return self.engine.read(lambda tx: events.look(tx, self.repo, seen, since_us))

    def listen(self) -> Listener | Polling:
        """Start listening to changes."""
        from bespeak.coord.events import listen

        return listen(self.engine, self.repo)

    def close(self) -> None:
        """Close the book."""
        self.engine.close()
