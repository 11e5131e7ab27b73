"""Every failure a user can meet, and the exit code that goes with it.

Two failures that call for two different reactions are two types; the exit code sits on the class, so that a
door (command line, HTTP, MCP) only has to catch :class:`BespeakError` and print one line.

    BespeakError                1
    ├── UsageError              2   the request itself is wrong; nothing was written
    ├── NoContextError          3   no repository or lab to work in
    ├── NotFoundError           4
    ├── NotReadyError           5   ask again later
    ├── WrongStateError         6   it exists, but this cannot be done to it now
    ├── BusyError               7   held by somebody else
    ├── GateRefusedError        8
    ├── UnavailableError        9   a book or a backend could not be asked
    │   └── OutcomeUnknownError     the connection went away while the commit was under way
    └── WaitTimedOutError      10
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a bespeak process returns to its caller; documented in ``docs/reference/exit-codes.md``."""

    OK = 0
    ERROR = 1
    USAGE = 2
    NO_CONTEXT = 3
    NOT_FOUND = 4
    NOT_READY = 5
    WRONG_STATE = 6
    BUSY = 7
    GATE_REFUSED = 8
    UNAVAILABLE = 9
    WAIT_TIMED_OUT = 10


class BespeakError(Exception):
    """A failure that is told to the user in one line.

    Args:
        message: the line, without a prefix.
        details: machine-readable facts for ``--json``; JSON-serialisable values only.
    """

    exit_code: ExitCode = ExitCode.ERROR

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details


class UsageError(BespeakError):
    """The request cannot be understood or is not allowed by its own terms; nothing was written."""

    exit_code = ExitCode.USAGE


class NoContextError(BespeakError):
    """There is no repository or lab to work in."""

    exit_code = ExitCode.NO_CONTEXT


class NotFoundError(BespeakError):
    """The thing named does not exist."""

    exit_code = ExitCode.NOT_FOUND


class NotReadyError(BespeakError):
    """The answer does not exist yet."""

    exit_code = ExitCode.NOT_READY


class WrongStateError(BespeakError):
    """The thing exists, but its present state or owner forbids the request."""

    exit_code = ExitCode.WRONG_STATE


class BusyError(BespeakError):
    """Somebody else holds what was asked for."""

    exit_code = ExitCode.BUSY


class GateRefusedError(BespeakError):
    """The user does not hold what the lab needs."""

    exit_code = ExitCode.GATE_REFUSED


class UnavailableError(BespeakError):
    """A book or a backend could not be asked, so nothing is known (callers fail closed)."""

    exit_code = ExitCode.UNAVAILABLE


class OutcomeUnknownError(UnavailableError):
    """The connection went away during COMMIT: the change may or may not have been made."""


class WaitTimedOutError(BespeakError):
    """What was waited for did not happen in time."""

    exit_code = ExitCode.WAIT_TIMED_OUT
