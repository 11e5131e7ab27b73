"""The JSON forms of notices and of where somebody is told: one shape for every door, and never a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import iso
from bespeak.notices.targets import shown

if TYPE_CHECKING:
    from bespeak.notices.model import Notice, Subscription


def notice_json(of: Notice) -> dict[str, object]:
    """Return a notice for programs."""
    return {
        "id": of.id,
        "at": iso(of.at_us),
        "at_us": of.at_us,
        "kind": of.kind.value,
        "text": of.text,
        "resources": list(of.resources),
        "reservation_id": of.reservation_id,
    }


def subscription_json(of: Subscription) -> dict[str, object]:
    """Return a place where somebody is told for programs, without secrets."""
    return {
        "id": of.id,
        "channel": of.channel.value,
        "target": shown(of.channel, of.target),
        "kinds": [kind.value for kind in of.kinds],
        "created": iso(of.created_us),
        "created_us": of.created_us,
    }
