"""What of a book of claims can be asked from another machine: the methods of ``ClaimsBook`` and their values."""

from __future__ import annotations

_MODEL = "bespeak.coord.model"
VALUES = {
    "Address": "bespeak.coord.address",
    "Claim": _MODEL,
    "ClaimRequest": _MODEL,
    "ClaimedAddress": "bespeak.coord.forecast.model",
    "Conflict": _MODEL,
    "DependencyGraph": "bespeak.coord.dependencies",
    "DependencyNode": "bespeak.coord.dependencies",
    "DependencyState": "bespeak.coord.dependencies",
    "Event": _MODEL,
    "HeartbeatStatus": "bespeak.coord.states",
    "Intent": _MODEL,
    "ReleaseStatus": "bespeak.coord.states",
    "Reserved": _MODEL,
}
"""The classes of the values that travel, by name, with the module of each (see :class:`bespeak.base.codec.Codec`)."""

READS = ("conflicts", "reservations", "intents", "order", "claimed", "now_us", "last_change", "changes")
"""Methods that change nothing."""

REPEATABLE = ("heartbeat", "release_all", "collect")
"""Methods that change nothing more when they are asked again."""

ONCE = ("reserve", "release", "declare", "depend")
"""Methods of which each call is done once, however often it is asked."""
