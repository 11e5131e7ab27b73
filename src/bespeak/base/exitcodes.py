"""What a bespeak process returns to its caller. The classes in :mod:`bespeak.base.errors` carry these numbers."""

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
    HOLD_LOST = 11
    NOT_ALLOWED = 12
