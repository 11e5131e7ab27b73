"""Every failure a user can meet, and the exit code that goes with it.

Two failures that call for two different reactions are two types; the exit code sits on the class, so that a
door (command line, HTTP, MCP) only has to catch :class:`BespeakError` and print one line.

    BespeakError                1
    ├── UsageError              2   the request itself is wrong; nothing was written
    ├── NoContextError          3   no repository, lab or book to work in
    │   └── NoBookError             there is no book where one is to be looked at
    ├── NotFoundError           4
    ├── NotReadyError           5   ask again later
    ├── WrongStateError         6   it exists, but this cannot be done to it now
    ├── BusyError               7   held by somebody else
    ├── GateRefusedError        8
    ├── UnavailableError        9   a book or a backend could not be asked
    │   ├── LockedError             another program has locked the book for longer than is waited
    │   └── OutcomeUnknownError     the connection went away while the commit was under way
    ├── WaitTimedOutError      10
    └── NotAllowedError        12   no rule gives the right to do it
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.base.exitcodes import ExitCode as ExitCode  # noqa: PLC0414 -- re-exported


class Field(str):
    """The name of a field of a request, as a part of a message.

    Services speak of fields (``run_id``); each door spells them as its users write them (``--run-id``).
    """

    __slots__ = ()


class BespeakError(Exception):
    """A failure that is told to the user in one line.

    Args:
        message: the line, without a prefix; in several parts where some are names of fields (:class:`Field`).
        details: machine-readable facts for ``--json``; JSON-serialisable values only.
    """

    exit_code: int = 1

    def __init__(self, *message: str, **details: object) -> None:
        super().__init__("".join(message))
        self.parts = message
        self.details = details

    def spelled(self, spell: Callable[[str], str]) -> str:
        """Return the line with every field named as ``spell`` says."""
        return "".join(spell(part) if isinstance(part, Field) else part for part in self.parts)


class UsageError(BespeakError):
    """The request cannot be understood or is not allowed by its own terms; nothing was written."""

    exit_code = 2


class NoContextError(BespeakError):
    """There is no repository, lab or book to work in."""

    exit_code = 3


class NoBookError(NoContextError):
    """There is no book where one is to be looked at; only a change makes one.

    Attributes:
        book: where it would be, without secrets.
        ahead_us: how far the clock that it would go by is ahead of this machine's, µs.
    """

    book = ""
    ahead_us = 0

    @classmethod
    def at(cls, book: str, ahead_us: int = 0) -> NoBookError:
        """Return the error for a book, named without secrets; ``ahead_us`` as of the attributes."""
        error = cls(f"no book at {book}; `bespeak init` or the first reservation makes it")
        error.book, error.ahead_us = book, ahead_us
        return error


class NotFoundError(BespeakError):
    """The thing named does not exist."""

    exit_code = 4


class NotReadyError(BespeakError):
    """The answer does not exist yet."""

    exit_code = 5


class WrongStateError(BespeakError):
    """The thing exists, but its present state or owner forbids the request."""

    exit_code = 6


class BusyError(BespeakError):
    """Somebody else holds what was asked for."""

    exit_code = 7


class GateRefusedError(BespeakError):
    """The user does not hold what the lab needs."""

    exit_code = 8


class UnavailableError(BespeakError):
    """A book or a backend could not be asked, so nothing is known (callers fail closed)."""

    exit_code = 9


class LockedError(UnavailableError):
    """Another program has locked the book for longer than is waited."""


class OutcomeUnknownError(UnavailableError):
    """The connection went away during COMMIT: the change may or may not have been made."""


class WaitTimedOutError(BespeakError):
    """What was waited for did not happen in time."""

    exit_code = 10


class NotAllowedError(BespeakError):
    """No rule of the book gives whoever asks the right to do this."""

    exit_code = 12


def needs_extra(what: str, extra: str) -> str:
    """Return the message that ``what`` needs an optional library, with the command that installs it."""
    return f"{what} needs the extra {extra!r}: in the clone of bespeak, pip install '.[{extra}]'"


def __getattr__(name: str) -> object:
    """Load the enum when it is asked for by name; a command that fails in no way never pays for it."""
    if name == "ExitCode":
        from bespeak.base.exitcodes import ExitCode

        return ExitCode
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
