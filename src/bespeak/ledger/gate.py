"""The gate's questions to a book: who holds what right now. On the path of hooks, so next to nothing is imported."""

from __future__ import annotations

from bespeak.base.frozen import frozen
from bespeak.ledger import gate_queries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.ledger.current_hold import CurrentHold
    from bespeak.storage.interface import Engine, Listener


@frozen
class GateAnswer:
    """What the gate needs to know at one instant.

    Args:
        username: whose holds they are.
        held: what they hold of what was asked.
        others: who holds each other one, until when (µs UTC).
        free: from when on each taken one is free, µs UTC, unless it never is.
    """

    username: str
    held: frozenset[str]
    others: dict[str, list[tuple[str, int | None]]]
    free: dict[str, int]


class Gate:
    """The gate's questions to one open book.

    Args:
        engine: the open book.
        username: who is meant where nobody is named; None where somebody always is.
    """

    def __init__(self, engine: Engine, username: str | None = None) -> None:
        self._engine = engine
        self._username = username

    @property
    def user(self) -> str | None:
        """Who the book says we are; None where the account of this process says it."""
        return self._username

    def ask(self, username: str | None, resources: Sequence[str], within: CurrentHold | None) -> GateAnswer:
        """Return what somebody holds of ``resources``, and who holds the others; inside a run, under its hold."""
        named = username or self._username or ""
        held, others = self._engine.read(lambda tx: gate_queries.holdings(tx, named, resources, within))
        free = self._engine.read(lambda tx: gate_queries.next_free(tx, list(others))) if others else {}
        return GateAnswer(named, frozenset(held), others, free)

    def held_by(self, username: str, within: CurrentHold | None) -> set[str]:
        """Return every resource that somebody holds now."""
        return self._engine.read(lambda tx: gate_queries.held_by(tx, username, tx.now_us, within))

    def held_among(self, username: str, resources: Sequence[str], within: CurrentHold | None) -> set[str]:
        """Return those of ``resources`` that somebody holds now."""
        return self._engine.read(lambda tx: gate_queries.held_among(tx, username, resources, tx.now_us, within))

    def holdings(
        self, username: str, resources: Sequence[str], within: CurrentHold | None
    ) -> tuple[set[str], dict[str, list[tuple[str, int | None]]]]:
        """Return what somebody holds of ``resources``, and who holds the others until when (µs UTC)."""
        return self._engine.read(lambda tx: gate_queries.holdings(tx, username, resources, within))

    def next_free(self, resources: Sequence[str]) -> dict[str, int]:
        """Return from when on each of ``resources`` that is taken is free, µs UTC, unless it never is."""
        return self._engine.read(lambda tx: gate_queries.next_free(tx, resources))

    def fences(self, username: str, resources: Sequence[str], within: CurrentHold | None) -> list[tuple[str, str, int]]:
        """Return what somebody holds now among ``resources``: resource, reservation id, fencing number."""
        return self._engine.read(lambda tx: gate_queries.fences_among(tx, username, resources, tx.now_us, within))

    def team_members(self, team: str) -> list[str]:
        """Return who may act for a team, by its name without ``team:``, sorted."""
        from bespeak.ledger.policy import PolicyDefaults, read_policy

        return sorted(self._engine.read(lambda tx: read_policy(tx, PolicyDefaults())).team_members(team))

    def sign_of_life(self, identifiers: Sequence[str]) -> None:
        """Note that reservations are used."""
        from bespeak.ledger.context import LedgerContext
        from bespeak.ledger.keepalive import sign_of_life

        sign_of_life(LedgerContext(self._engine), identifiers)

    def holders_of(self, resource: str) -> list[tuple[str, int]]:
        """Return who holds a resource now and until when, µs UTC."""
        return self._engine.read(lambda tx: gate_queries.holders_of(tx, resource, tx.now_us))

    def users_of(self, resources: Sequence[str]) -> dict[str, list[tuple[str, str, int]]]:
        """Return for each resource that is held: by whom, what uses it where, the last sign of life (µs UTC)."""
        return self._engine.read(lambda tx: gate_queries.users_of(tx, resources))

    def windows_of(self, username: str, within: CurrentHold | None) -> list[tuple[str, int, int]]:
        """Return what somebody holds now or later: resource, start and end (µs UTC)."""
        return self._engine.read(lambda tx: gate_queries.windows_of(tx, username, tx.now_us, within))

    def all_holders(self) -> list[str]:
        """Return every user who has or had a reservation, sorted."""
        return self._engine.read(gate_queries.all_holders)

    def present_us(self) -> int:
        """Return the book's present instant, µs UTC."""
        return self._engine.read(lambda tx: tx.now_us)

    def listen(self, topics: Iterable[str]) -> Listener:
        """Start listening; changes committed after this call wake the listener."""
        return self._engine.listen(topics)

    def close(self) -> None:
        """Close the book."""
        self._engine.close()
