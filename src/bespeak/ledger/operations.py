"""What of the book can be asked from another machine: the methods of the facade that take and return values.

A new method of :class:`~bespeak.ledger.service.Ledger` is offered over HTTP by its name here, and its annotations say
how its values travel; a test holds that each method is listed, or said to stay on the machine of the book.
"""

from __future__ import annotations

_ACTIONS = "bespeak.ledger.actions"
_MODEL = "bespeak.ledger.model"
_ACCESS = "bespeak.access.model"

VALUES = {
    "Action": _ACTIONS,
    "Approval": _MODEL,
    "Batch": "bespeak.ledger.batches",
    "Booking": _MODEL,
    "EndReason": _MODEL,
    "Free": _MODEL,
    "HostAction": "bespeak.ledger.host_actions",
    "Health": _MODEL,
    "Holder": _MODEL,
    "ListingFilter": "bespeak.ledger.listing_filter",
    "LogEntry": _ACTIONS,
    "Mode": _MODEL,
    "Need": _MODEL,
    "Obstacle": "bespeak.ledger.batches",
    "Origin": _MODEL,
    "QueueLook": _MODEL,
    "QueuePosition": _MODEL,
    "Refusal": _MODEL,
    "Request": _MODEL,
    "Reservation": _MODEL,
    "Resource": _MODEL,
    "Selection": _MODEL,
    "State": _MODEL,
    "CurrentHold": "bespeak.ledger.current_hold",
    "Entry": "bespeak.ledger.inventory.model",
    "Properties": "bespeak.ledger.inventory.model",
    **dict.fromkeys(("Difference", "Change", "Kept"), "bespeak.ledger.inventory.compare"),
    **dict.fromkeys(("Window", "Hit", "Plan"), "bespeak.ledger.maintenance"),
    "Policy": "bespeak.ledger.policy",
    "PolicyDefaults": "bespeak.ledger.policy",
    **dict.fromkeys(("Decision", "Grant", "Mapping", "Rights", "Right", "Role", "Rule", "Scope", "Token"), _ACCESS),
    "Label": "=str | int | float | bool",
    "Value": "=object",
}
"""The classes of the values that travel, by name, with the module of each (see :class:`bespeak.base.codec.Codec`)."""

READS = (
    "next_free",
    "in_the_way",
    "candidate_names",
    "queue_lapsed",
    "hold_in_force",
    "get",
    "find",
    "reservations",
    "listing",
    "listing_numbers",
    "listing_page",
    "to_approve",
    "labels_of",
    "now_us",
    "who",
    "free",
    "log",
    "log_rows",
    "log_start",
    "unended_actions",
    "resource_list",
    "inventory",
    "inventory_difference",
    "maintenance_list",
    "policy",
    "identity",
    "token_list",
    "rights_list",
    "rights_check",
)
"""Methods that change nothing."""

REPEATABLE = (
    "touch",
    "queue_look",
    "queue_leave",
    "keep_alive",
    "sign_of_life",
    "take_kick_notices",
    "release_mine",
)
"""Methods that change the book, and change nothing more when they are asked again."""

ONCE = (
    "reserve",
    "queue_join",
    "extend",
    "shorten",
    "release",
    "release_resources",
    "kick",
    "approve",
    "refuse",
    "move",
    "transfer",
    "swap",
    "release_part",
    "reserve_many",
    "move_many",
    "release_many",
    "resource_set",
    "resource_remove",
    "record_host_action",
    "inventory_sync",
    "inventory_add",
    "inventory_change",
    "maintenance_add",
    "maintenance_cancel",
    "resource_mark",
    "policy_set",
    "policy_unset",
    "token_create",
    "token_revoke",
    "rights_grant",
    "rights_revoke",
    "rights_group",
    "rights_map",
)
"""Methods that change the book in one transaction: each call is done once, however often it is asked."""

LOCAL = (
    "as_caller",
    "close",
    "listen",
    "listing_pages",
    "listing_texts",
    "own",
    "queue",
    "watch",
    "remember",
    "resources_of",
    "policy_in",
    "write",
    "write_new",
)
"""Methods that run where they are called: they are made of others, or work on the open database."""

OF_THE_MACHINE = ("is_owner",)
"""Arguments that say what the process on the machine of the book may do; nobody says that from elsewhere."""

GATE_VALUES = {"CurrentHold": "bespeak.ledger.current_hold", "GateAnswer": "bespeak.ledger.gate"}
GATE = (
    "ask",
    "held_by",
    "held_among",
    "holdings",
    "next_free",
    "fences",
    "team_members",
    "holders_of",
    "users_of",
    "windows_of",
    "all_holders",
    "present_us",
)
"""The gate's questions (:class:`bespeak.ledger.gate.Gate`)."""
