"""States, statuses and operations of claims.

Apart from the records, because ``enum`` takes longer to load than a check of one address takes in all.
"""

from __future__ import annotations

from enum import StrEnum


class Operation(StrEnum):
    """What a run can do to an address; the last three can be declared by an intent only."""

    RENAME = "rename"
    MOVE = "move"
    MODIFY = "modify"
    EXTRACT = "extract"
    DELETE = "delete"
    INLINE = "inline"
    SPLIT = "split"
    MERGE = "merge"


INTENDED = tuple(Operation)
"""What an intent can declare."""
OPERATIONS = INTENDED[:5]
"""What a reservation can declare."""


class ClaimState(StrEnum):
    """What a reservation is at an instant."""

    ACTIVE = "active"
    RELEASED = "released"
    EXPIRED = "expired"


class ReleaseStatus(StrEnum):
    """What became of a release."""

    OK = "ok"
    ALREADY_RELEASED = "already_released"
    NOT_FOUND = "not_found"

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return 4 if self is ReleaseStatus.NOT_FOUND else 0


class HeartbeatStatus(StrEnum):
    """What became of a heartbeat; any but ``ok`` means stop."""

    OK = "ok"
    ALREADY_RELEASED = "already_released"
    EXPIRED = "expired"
    NOT_FOUND = "not_found"

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        if self is HeartbeatStatus.NOT_FOUND:
            return 4
        return 0 if self is HeartbeatStatus.OK else 1


class EventKind(StrEnum):
    """What happened to a claim."""

    RESERVED = "reserved"
    RELEASED = "released"
    EXTENDED = "extended"
    EXPIRED = "expired"
    DEPENDS = "depends"
    INTENT = "intent"
