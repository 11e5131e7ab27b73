"""What a tool is, and what it is given: the surroundings of one call.

A tool only reads its arguments, calls one service and returns what the command of the same name prints with
``--json``. Services block, so each call runs in a thread of its own, with a book opened for that call: nothing that
was true of a book, its settings or a repository when the server started is taken for granted later.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bespeak.base.display import short_repr
from bespeak.base.errors import UsageError
from bespeak.base.paths import HTTP_PREFIXES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from mcp.server.context import ServerRequestContext

    from bespeak.access.model import Caller
    from bespeak.coord.service import Coord
    from bespeak.ledger.model import Holder
    from bespeak.ledger.service import Ledger
    from bespeak.mcp.arguments import Arguments
    from bespeak.mcp.threads import Threads

A = TypeVar("A", bound="Arguments")
Json = dict[str, Any]
SCHEMA_VERSION = "1"
CALLER = "caller"
"""In the state of a request to the server of the book: who calls."""
_log = logging.getLogger("bespeak.mcp")
NO_RUN = (
    "run_id has to be given: this connection has no session that could stand for you; choose one id and give it with "
    "every call, or send it as the header Bespeak-Run-Id"
)


@dataclass(frozen=True, slots=True)
class Setup:
    """What the server was started with.

    Attributes:
        folder: where it was started, absolute.
        repository: the repository that calls start from (``--repository``), or None for ``folder``.
        roots: the folders that clients may name (see :mod:`bespeak.mcp.served_folders`), or None for any.
        remote: clients may be on other machines, whose folders are not this one's.
        ledger: the value of ``--ledger``.
        as_user: the value of ``--as-user``.
        labs: the values of ``--lab``.
        run_id: the run of whoever names none (``BESPEAK_RUN_ID``, or an id of the one connection), None over HTTP.
        run_ends: ``run_id`` is an id of the one connection, and its claims end with it.
        read_only: offer only tools that change nothing.
        debug: tell on stderr where unforeseen errors come from.
        verified: whoever calls was verified by the server around this one, and the tools act in that name.
    """

    folder: str
    repository: str | None = None
    roots: tuple[str, ...] | None = None
    remote: bool = False
    ledger: str | None = None
    as_user: str | None = None
    labs: tuple[str, ...] = ()
    run_id: str | None = None
    run_ends: bool = False
    read_only: bool = False
    debug: bool = False
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """One tool.

    Attributes:
        name: what it is called by.
        title: the same for people.
        text: what it does and when to use it, for the agent.
        arguments: the model of its arguments.
        result: the shape of its result.
        run: does it; for work that blocks, made with :func:`in_thread`.
        read_only: it changes nothing.
        destructive: it takes something away, if only from the caller.
        idempotent: doing it twice is doing it once.
    """

    name: str
    title: str
    text: str
    arguments: type[A]
    result: Any
    run: Callable[[Call, A], Awaitable[Json]]
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool.

    Attributes:
        setup: what the server was started with.
        folder: the folder that addresses and repositories start from unless an argument names another.
        caller: the run of whoever calls, where nobody names one; None if there is no telling.
        context: the protocol's side of the call.
        threads: where blocking work is done.
        ending: told where a run has claimed something, which ends with the connection if it is its own.
        began: when it began, seconds of the monotonic clock.
    """

    setup: Setup
    folder: str
    caller: str | None
    context: ServerRequestContext[Any, Any]
    threads: Threads
    ending: Callable[[str, str], None] | None = None
    began: float = field(default_factory=time.perf_counter)

    @property
    def home(self) -> str:
        """The folder whose settings count. Settings can name code to run, so no client over HTTP chooses them."""
        return self.folder if self.context.request is None else self.setup.repository or self.setup.folder

    @property
    def process(self) -> str | None:
        """How the book calls whoever calls, as the process that a hold was made by; None if there is no telling."""
        return f"agent {self.caller}" if self.caller else None

    def run_id(self, given: str | None) -> str:
        """Return whose call it is.

        Raises:
            UsageError: nobody says, and the connection does not tell.
        """
        run_id = self.caller if given is None else given
        if run_id is None:
            raise UsageError(NO_RUN)
        return run_id

    def answer(self, facts: Json, code: int = 0) -> Json:
        """Return the answer of a tool of coord, with the envelope that the command prints too."""
        elapsed_ms = round((time.perf_counter() - self.began) * 1000, 3)
        return {"schema_version": SCHEMA_VERSION, "duration_ms": elapsed_ms, "exit_code": code, **facts}

    def at(self, repository: str | None) -> str:
        """Return the folder that an argument ``repository`` means, or the one of the call.

        Raises:
            UsageError: it is no folder, or none that the server was started for.
        """
        if repository is None:
            return self.folder
        if not repository or "\0" in repository:
            raise UsageError(f"repository: {short_repr(repository)} is no folder")
        folder = os.path.join(self.folder, os.path.expanduser(repository))
        if self.setup.roots is not None:
            folder = self._served(folder, repository)
        if not os.path.isdir(folder):
            raise UsageError(f"repository: {short_repr(repository)} is no folder on this machine")
        return os.path.abspath(folder)

    def _served(self, folder: str, said: str) -> str:
        """Return the real path of a folder; it is not said whether one exists that is not served."""
        from bespeak.mcp.served_folders import served

        found = served(folder, self.setup.roots or ())
        if found is None:
            raise UsageError(f"repository: {short_repr(said)} is not in what this server was started for")
        return found

    def keep(self, run_id: str, folder: str) -> None:
        """Remember that a run has claimed something; if it is the connection's own, that ends with the connection."""
        if self.ending is not None:
            self.ending(run_id, folder)

    @contextmanager
    def coord(self, repository: str | None) -> Iterator[Coord]:
        """Open the claims of a repository for as long as the block runs."""
        from bespeak.coord.service import open_coord

        coord = open_coord(self.at(repository), ledger=self.setup.ledger)
        try:
            yield coord
        finally:
            coord.close()

    @contextmanager
    def book(self, *, create: bool = False) -> Iterator[Ledger]:
        """Open the book for as long as the block runs; with ``create`` the first write makes it where there is none."""
        from bespeak.ledger.open_from_settings import open_book

        book = open_book(self.setup.ledger, cwd=self.home, create=create, when_made=_say_it_is_new)
        try:
            yield book if self.verified_caller is None else book.as_caller(self.verified_caller)
        finally:
            book.close()

    @property
    def verified_caller(self) -> Caller | None:
        """Who calls, where the server around this one has verified it.

        Raises:
            NotAllowedError: the credential is not meant for tools.
        """
        if not self.setup.verified or self.context.request is None:
            return None
        found: Caller = self.context.request.scope["state"][CALLER]
        found.require_scope("mcp")
        return found

    def holder(self) -> Holder:
        """Return whose reservations are meant, and who really asks."""
        from bespeak.ledger.model import Holder
        from bespeak.reservations.identity import resolve_username
        from bespeak.settings import ledger_url

        if self.verified_caller is not None:
            return Holder(self.verified_caller.holder)
        me = resolve_username(None).username
        named = Holder(me) if self.setup.as_user is None else Holder(self.setup.as_user, me)
        if not ledger_url(self.setup.ledger, cwd=self.home).startswith(HTTP_PREFIXES):
            return named
        with self.book() as book:
            return book.own(named)


def in_thread(work: Callable[[Call, A], Json], *, slow: bool = False) -> Callable[[Call, A], Awaitable[Json]]:
    """Return ``work``, which blocks, as something that does not; ``slow`` keeps it apart from what is quick."""

    async def run(call: Call, asked: A) -> Json:
        place = call.threads.slow if slow else call.threads.call
        return await place(lambda: work(call, asked))

    return run


def _say_it_is_new(book: str) -> None:
    _log.warning("there was no book, so this is a new one: %s", book)
