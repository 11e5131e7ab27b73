"""The service of coord, called by the command line, the MCP server and Python."""

from __future__ import annotations

import os

from bespeak.base.clock import SECOND_US
from bespeak.base.errors import Field
from bespeak.coord import address_parser, session_runs, validation
from bespeak.coord.claims_book import ClaimsBook
from bespeak.coord.locations import locate_book, open_claims_book
from bespeak.coord.model import ClaimRequest
from bespeak.git.branch import current_branch
from bespeak.git.repository import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bespeak.coord.address import Address
    from bespeak.coord.dependencies import DependencyGraph
    from bespeak.coord.forecast.model import Forecast
    from bespeak.coord.merge.branch_order import Order
    from bespeak.coord.merge.model import Plan
    from bespeak.coord.missing_addresses import MissingAddress
    from bespeak.coord.model import Claim, Conflict, Event, Intent, Reserved
    from bespeak.coord.states import HeartbeatStatus, ReleaseStatus
    from bespeak.git.repository import Repository
    from bespeak.storage.interface import Engine


class Coord:
    """The claims of one repository.

    Args:
        repository: the work tree that addresses are read in.
        engine: the open book, or the claims in it.
        repo: the repository's name in the book; empty in a book of its own.
        folder: the folder that relative addresses start from; by default the root.
    """

    def __init__(
        self, repository: Repository, engine: Engine | ClaimsBook, repo: str = "", folder: str | None = None
    ) -> None:
        self.repository = repository
        self.book = engine if isinstance(engine, ClaimsBook) else ClaimsBook(engine, repo)
        self.folder = repository.root if folder is None else folder

    @property
    def engine(self) -> Engine:
        """The open database, where it is on this machine."""
        return self.book.engine

    @property
    def repo(self) -> str:
        """The repository's name in the book."""
        return self.book.repo

    def locate(self, texts: Sequence[str]) -> tuple[Address, ...]:
        """Return addresses, normalised.

        Raises:
            ClaimError: there are too many, or one is none.
        """
        validation.addresses(texts)
        return address_parser.locate_all(texts, self.repository, self.folder)

    def reserve(
        self,
        addresses: Sequence[str],
        *,
        run_id: str | None = None,
        ttl_seconds: int | None = None,
        operation: str | None = None,
        depends_on: Sequence[str] = (),
        shared: bool = False,
        refuse: bool = False,
        key: str | None = None,
    ) -> Reserved:
        """Claim addresses for a run. Conflicts are reported; the claim is made all the same unless ``refuse``.

        Args:
            addresses: files, symbols, folders, patterns.
            run_id: for whom; by default the calling session, in whose way its server of tools is not.
            ttl_seconds: for how long, seconds.
            operation: what will be done.
            depends_on: ids of reservations that have to be over first.
            shared: share it with others who share it.
            refuse: make nothing if another run is in the way.
            key: the caller's name for this request, so that it can be repeated safely.

        Raises:
            ClaimError: the request is wrong; nothing was made.
            ClaimRefusedError: with ``refuse``, another run is in the way.
        """
        from bespeak.coord.states import OPERATIONS

        validation.addresses(addresses)
        run, ttl_us = validation.caller(run_id), validation.seconds(ttl_seconds, "ttl") * SECOND_US
        validation.operation(operation, OPERATIONS)
        needs = validation.needs(depends_on)
        retry_key = None if key is None else validation.run_id(key, "key")
        branch = current_branch(self.repository)
        own = () if run_id is not None else tuple(session_runs.own_runs(self.repository))
        request = ClaimRequest(run, branch, ttl_us, operation, needs, shared, refuse, retry_key, own)
        wanted = address_parser.locate_all(addresses, self.repository, self.folder)
        self._end_orphans()
        return self.book.reserve(request, wanted)

    def _end_orphans(self) -> None:
        """Give back what servers of agents have claimed that were killed: nobody can speak for it any more."""
        for path, run in session_runs.orphans(self.repository):
            self.book.release_all(run)
            session_runs.bury(path)

    def check(self, addresses: Sequence[str], *, run_id: str | None = None, shared: bool = False) -> list[Conflict]:
        """Return what claims of other runs overlap ``addresses``; changes nothing.

        Raises:
            ClaimError: the request is wrong.
        """
        run = validation.caller(run_id)
        wanted = self.locate(addresses)
        return session_runs.without_orphans(self.repository, self.book.conflicts(run, wanted, shared=shared))

    def absent(self, addresses: Sequence[str]) -> list[MissingAddress]:
        """Return those of ``addresses`` that name nothing in the work tree, with the nearest that is there.

        Raises:
            ClaimError: an address is none.
        """
        from bespeak.coord.missing_addresses import absent_of

        return absent_of(self.repository, self.locate(addresses))

    def release(self, identifier: str, *, run_id: str | None = None) -> tuple[ReleaseStatus, Claim | None]:
        """Give a reservation back; return what became of that, and the reservation.

        Raises:
            ClaimError: it is another run's.
        """
        run = validation.caller(run_id)
        validation.plain(identifier, "reservation id")
        return self.book.release(identifier, run)

    def release_all(self, *, run_id: str | None = None) -> list[Claim]:
        """Give back all that a run has claimed; return it, oldest first."""
        run = validation.caller(run_id)
        return self.book.release_all(run)

    def heartbeat(
        self, identifier: str, *, run_id: str | None = None, extension_seconds: int | None = None
    ) -> tuple[HeartbeatStatus, Claim | None]:
        """Keep a reservation from expiring; return what became of that, and the reservation. Any but ``ok`` means stop.

        Raises:
            ClaimError: it is another run's.
        """
        run = validation.caller(run_id)
        validation.plain(identifier, "reservation id")
        extension_us = validation.seconds(extension_seconds, "extension") * SECOND_US
        return self.book.heartbeat(identifier, run, extension_us)

    def intend(
        self,
        addresses: Sequence[str],
        operation: str,
        *,
        detail: str = "",
        run_id: str | None = None,
        reservation_id: str | None = None,
        ttl_seconds: int | None = None,
    ) -> Intent:
        """Declare an operation; it ends with its reservation, or after ``ttl_seconds``.

        Raises:
            ClaimError: the request is wrong; nothing was declared.
        """
        from bespeak.coord.states import INTENDED

        validation.addresses(addresses)
        validation.operation(operation, INTENDED)
        run = validation.caller(run_id)
        ttl_us = validation.seconds(ttl_seconds, "ttl") * SECOND_US
        validation.plain(detail, Field("detail"))
        texts = tuple(address.text for address in address_parser.locate_all(addresses, self.repository, self.folder))
        branch = current_branch(self.repository)
        return self.book.declare(run, branch, texts, operation, detail, ttl_us, reservation_id)

    def depend(self, identifier: str, on: Sequence[str], *, run_id: str | None = None) -> Claim:
        """Let a reservation depend on others.

        Raises:
            ClaimError: one does not exist, or the dependencies would create a cycle; nothing was recorded.
        """
        run = validation.caller(run_id)
        validation.plain(identifier, "reservation id")
        needed = validation.needs(on, "on")
        return self.book.depend(identifier, needed, run)

    def reservations(
        self,
        *,
        over: bool = False,
        run_id: str | None = None,
        branch: str | None = None,
        addresses: Sequence[str] = (),
    ) -> list[Claim]:
        """Return reservations, oldest first; with ``over`` also those that have ended."""
        among = self.locate(addresses)
        for text, field in ((run_id, "run_id"), (branch, "branch")):
            validation.plain(text or "", Field(field))
        return self.book.reservations(over=over, run_id=run_id, branch=branch, among=among)

    def intents(self, addresses: Sequence[str] = ()) -> list[Intent]:
        """Return the intents that have not ended, oldest first; of all, or of what overlaps ``addresses``."""
        from bespeak.coord.queries import touches

        among = self.locate(addresses)
        found = self.book.intents()
        return [one for one in found if touches(one.addresses, among)] if among else found

    def order(self) -> tuple[DependencyGraph, dict[str, Claim]]:
        """Return the graph of active reservations and what they depend on, and its reservations by id."""
        return self.book.order()

    def forecast(
        self,
        *,
        branch: str | None = None,
        run_id: str | None = None,
        depth: int = 3,
        rev: str | None = None,
        worktree: bool = False,
        min_confidence: float = 0.3,
        limit: int = 100,
    ) -> Forecast:
        """Return the predicted conflicts among all claims and intents, on any branch.

        Args:
            branch: only what a claim made on this branch takes part in.
            run_id: only what this run takes part in.
            depth: over how many calls a change affects others at most; 0 does not read the call graph.
            rev: the revision whose symbols count; by default ``HEAD``.
            worktree: the work tree as it is counts instead.
            min_confidence: leave out what is less sure.
            limit: how many conflicts of each kind to show; 0 for all.

        Raises:
            ClaimError: the request is wrong, or there is no such revision.
        """
        from bespeak.coord.forecast import service
        from bespeak.coord.forecast.model import Scope

        for text, field in ((run_id, "run_id"), (branch, "branch"), (rev, "rev")):
            validation.plain(text or "", Field(field))
        scope = service.checked(Scope(branch, run_id, depth, rev, worktree, min_confidence, limit))
        return service.look(self.repository, self.book, scope)

    def plan_merge(self, ours: str, theirs: str, *, everything: bool = False) -> Plan:
        """Return what merging one revision into another would do, symbol by symbol; nothing is merged.

        Args:
            ours: what is merged into: a branch, a tag, an id, ``HEAD~2``.
            theirs: what is merged.
            everything: also symbols that only one side changed, and faint suspicions.

        Raises:
            ClaimError: a revision names no commit.
            UnavailableError: git is too old, or the extra that reads languages is not installed.
        """
        from bespeak.coord.merge.plan import plan

        return plan(self.repository, ours, theirs, everything=everything)

    def reconcile(self, branches: Sequence[str] = (), *, onto: str | None = None) -> Order:
        """Return the order in which to merge branches, and what git needs for each; nothing is merged.

        Args:
            branches: by default those on which something is claimed.
            onto: the branch they are merged into; by default the main branch.

        Raises:
            ClaimError: a revision names no commit.
            UnavailableError: git is too old, or the extra that reads languages is not installed.
        """
        from bespeak.coord.merge.branch_order import default_target, reconcile, wanted
        from bespeak.coord.merge.plan import Planner

        asked = wanted(*self.order(), branches)
        with Planner(self.repository) as planner:
            return reconcile(planner, default_target(planner.git) if onto is None else onto, asked)

    def now_us(self) -> int:
        """Return the present instant of the book, µs UTC."""
        return self.book.now_us()

    def collect(self, older_than_us: int) -> dict[str, int]:
        """Remove what has been over for so long (µs); return how many of each were removed."""
        return self.book.collect(older_than_us)

    def watch(self, *, after_seq: int | None = None, stop: Callable[[], bool] | None = None) -> Iterator[Event]:
        """Return each change as it happens, expiries among them; blocks. Polls only a book that may not be written.

        Args:
            after_seq: begin after this change; by default from now on.
            stop: asked after each wake-up.
        """
        from bespeak.coord.events import watch

        return watch(self.book, after_seq, stop)

    def wait_free(
        self,
        addresses: Sequence[str],
        *,
        run_id: str | None = None,
        shared: bool = False,
        timeout_us: int | None = None,
        stop: Callable[[], bool] | None = None,
        on_change: Callable[[list[Conflict]], None] | None = None,
    ) -> list[Conflict]:
        """Wait until no claim of another run overlaps ``addresses``; return what still does when the time is over.

        Nothing is claimed: another run may claim them first afterwards.

        Args:
            addresses: as for :meth:`check`.
            run_id: who asks.
            shared: shared claims are not in the way.
            timeout_us: wait so long at most, µs; None waits for ever.
            stop: asked a few times a second; True ends the waiting.
            on_change: called with the conflicts, first and whenever they change.

        Raises:
            ClaimError: the request is wrong.
        """
        from bespeak.coord.events import wait_free

        def ask() -> list[Conflict]:
            return self.check(addresses, run_id=run_id, shared=shared)

        return wait_free(self.book, ask, timeout_us=timeout_us, stop=stop, on_change=on_change)

    def close(self) -> None:
        """Close the book."""
        self.book.close()


def open_coord(folder: str | None = None, *, ledger: str | None = None) -> Coord:
    """Open the claims of the repository around a folder.

    Args:
        folder: where to look; by default the working directory.
        ledger: a book to use instead of the one in the git common directory.

    Raises:
        NoContextError: there is no repository.
        UnavailableError: the book cannot be opened.
    """
    from bespeak.base.paths import working_directory

    start = working_directory() if folder is None else os.path.abspath(folder)
    repository = find(start)
    location = locate_book(repository, ledger)
    return Coord(repository, open_claims_book(location), folder=start)
