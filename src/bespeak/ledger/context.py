"""What every function of the ledger works on: the open engine, the book's policy, and the ways to write."""

from __future__ import annotations

from bespeak.base.errors import OutcomeUnknownError, UnavailableError
from bespeak.ledger import row_mapping, write_operations
from bespeak.ledger.current_hold import book_identity
from bespeak.ledger.errors import UndeclaredError
from bespeak.ledger.policy import PolicyDefaults, read_policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    from bespeak.access.model import Caller
    from bespeak.ledger.model import Holder, Reservation
    from bespeak.ledger.policy import Policy
    from bespeak.storage.interface import Engine, Listener, T, Transaction

_MOST_REMEMBERED = 10_000


class LedgerContext:
    """The open engine, and what counts where the book's own policy says nothing.

    Args:
        engine: the database, with the tables of :data:`bespeak.ledger.schema.LEDGER`.
        defaults: what the settings say.
    """

    def __init__(self, engine: Engine, defaults: PolicyDefaults | None = None) -> None:
        self.engine = engine
        self.defaults = PolicyDefaults() if defaults is None else defaults
        self.caller: Caller | None = None
        """Who calls, where a server has verified it; None for a command on this machine."""
        self._resources: dict[str, tuple[str, ...]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the book."""
        self.engine.close()

    @property
    def name(self) -> str:
        """Where the book is, without secrets, for messages."""
        return self.engine.name

    @property
    def made(self) -> bool:
        """Whether opening it made the book, which was not there before."""
        return self.engine.made

    @property
    def user(self) -> str | None:
        """Whose reservations are made and changed; None where the account of this process says it, and not the book."""
        return None

    def own(self, holder: Holder) -> Holder:
        """Return a holder, named by accounts of this machine, as the book knows it: who we are is up to the book."""
        me = self.user
        if me is None:
            return holder
        user = me if holder.requested_by is None else holder.user
        return type(holder)(me) if user == me else type(holder)(user, me)

    @property
    def moved_to(self) -> str | None:
        """Where the book has moved to, without secrets; None while it is in use."""
        return self.engine.moved_to

    @property
    def clock_is_ours(self) -> bool:
        """Whether the book takes its time from this machine."""
        return self.engine.dialect == "sqlite"

    def listen(self, topics: Iterable[str]) -> Listener:
        """Start listening; changes committed after this call wake the listener."""
        return self.engine.listen(topics)

    def as_caller(self, caller: Caller) -> Self:
        """Return a view of this open book for somebody whom a server has verified; each call is checked for rights.

        The view shares the database with this book, which alone closes it.
        """
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view.caller = caller
        return view

    def remember(self, found: Reservation) -> Reservation:
        """Keep in mind which resources a reservation has, where they do not change: changing it needs their locks."""
        if found.waiting and found.selection is not None:
            return found
        if len(self._resources) >= _MOST_REMEMBERED:
            self._resources.clear()
        self._resources[found.id] = found.resources
        return found

    def resources_of(self, identifier: str) -> tuple[str, ...]:
        """Return the resources of the reservation with this full id.

        Raises:
            NotFoundError: there is none.
        """
        known = self._resources.get(identifier)
        return (
            self.remember(self.engine.read(lambda tx: row_mapping.required(tx, identifier))).resources
            if known is None
            else known
        )

    def policy_in(self, tx: Transaction) -> Policy:
        """Return the policy that counts, as it is in this transaction."""
        return read_policy(tx, self.defaults)

    def identity(self) -> str:
        """Return what tells this book from every other, wherever it lies; a copy of it has the same."""
        return self.engine.read(book_identity)

    def policy(self) -> Policy:
        """Return what counts in this book now: what it says itself, and what the settings say for the rest."""
        return self.engine.read(self.policy_in)

    def write(self, resources: Iterable[str], work: Callable[[Transaction], T]) -> T:
        """Run ``work`` under the locks of ``resources``; who names what nobody declared is told what is like it."""
        try:
            return self.engine.transact([write_operations.resource_topic(name) for name in resources], work)
        except UndeclaredError as refused:
            raise UndeclaredError(refused.name, self._like(refused.name)) from None

    def write_new(
        self, resources: Iterable[str], identifier: str, work: Callable[[Transaction], Reservation | T]
    ) -> Reservation | T:
        """Run ``work``, which makes the reservation ``identifier``; find out what became of a lost commit.

        The lost transaction keeps its locks until it is over, so whoever gets them next sees what became of it.
        """
        resources = tuple(resources)
        try:
            return self.write(resources, work)
        except OutcomeUnknownError as lost:
            try:
                made = self.write(resources, lambda tx: row_mapping.by_id(tx, identifier))
            except UnavailableError:
                raise lost from None
            if made is None:
                raise UnavailableError(f"{lost}: it was not made") from lost
            return made

    def _like(self, name: str) -> list[str]:
        """Return the declared names that are most like ``name``; comparing takes long, so no lock is held for it."""
        from bespeak.base.display import suggest

        sql = "SELECT name FROM ledger_resources WHERE declared = 1 ORDER BY name"
        return suggest(name, (row[0] for row in self.engine.read(lambda tx: tx.fetch_all(sql))))
