"""The log's values: what was done to the book, by whom, and the facts that it changed."""

from __future__ import annotations

from enum import Enum

from bespeak.base.frozen import field, frozen


class Action(Enum):
    """What a row of the log records."""

    RESERVED = "reserved"
    QUEUED = "queued"
    PROMISED = "promised"
    GRANTED = "granted"
    EXTENDED = "extended"
    SHORTENED = "shortened"
    RELEASED = "released"
    CANCELLED = "cancelled"
    KICKED = "kicked"
    LAPSED = "lapsed"
    NO_SHOW = "no_show"
    APPROVAL_ASKED = "approval_asked"
    APPROVED = "approved"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    MOVED = "moved"
    CHECKED_IN = "checked_in"
    TRANSFERRED = "transferred"
    SWAPPED = "swapped"
    PART_RELEASED = "part_released"
    CLOSED = "closed"
    """A window begins in which a resource is not given out; what it hits follows, or went before."""
    OPENED = "opened"
    RESOURCE_SET = "resource_set"
    RESOURCE_REMOVED = "resource_removed"
    POLICY_CHANGED = "policy_changed"
    PRUNED = "pruned"
    RESTORED = "restored"
    RELOCATED = "relocated"
    ACTING = "acting"
    """Somebody is about to act on a host (switch it, restart it); what came of it follows as ``acted``."""
    ACTED = "acted"
    RIGHT_GRANTED = "right_granted"
    RIGHT_REVOKED = "right_revoked"
    GROUP_CHANGED = "group_changed"
    WORKLOAD_MAPPED = "workload_mapped"
    WORKLOAD_UNMAPPED = "workload_unmapped"
    TOKEN_CREATED = "token_created"  # noqa: S105 the word in the log
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 the word in the log
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"


@frozen
class LogEntry:
    """One change of the book: who did what to what; ``before`` and ``after`` hold the facts that changed."""

    seq: int
    at_us: int
    action: Action
    who: str
    requested_by: str | None
    reservation_id: str | None = None
    resources: tuple[str, ...] = ()
    before: dict[str, object] = field(default_factory=dict)
    after: dict[str, object] = field(default_factory=dict)
