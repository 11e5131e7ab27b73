"""How an action ended, and what a command on a host gave back.

Names and numbers are those that power controllers written for otto use.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Status(Enum):
    """How an action on a host ended."""

    Success = 0
    Failed = 1
    """It was done and answered "no": a command's exit code, a state that never came."""
    Error = 2
    """It could not be done: no connection, no answer in time, no credentials."""
    Unstable = 3
    """It was done, but the state did not stay."""
    Skipped = 4

    @property
    def is_ok(self) -> bool:
        """Whether nothing is wrong."""
        return self in {Status.Success, Status.Skipped}


class PowerState(Enum):
    """Whether a host has power, as its controller reports it."""

    ON = "on"
    OFF = "off"


class CommandStatus(NamedTuple):
    """What one command gave back.

    Attributes:
        command: what was run.
        output: standard output and standard error, as text, without the last line end.
        status: how it ended.
        retcode: the exit code; -1 when there is none.
    """

    command: str
    output: str
    status: Status
    retcode: int


class RunResult(NamedTuple):
    """What a sequence of commands gave back; it stops at the first that is not ok.

    Attributes:
        status: that of the last command run.
        statuses: one for each command run.
    """

    status: Status
    statuses: tuple[CommandStatus, ...]
