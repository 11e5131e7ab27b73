"""The JSON form of the inventory."""

from __future__ import annotations

from bespeak.base.clock import duration_text
from bespeak.ledger.serialize import resource_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.inventory.model import Entry

    Json = dict[str, object]


def entry_json(of: Entry) -> Json:
    """Return a resource with all that is declared about it; the keys are those of inventory files."""
    resource, known = of.resource, of.properties
    return {
        **resource_json(resource),
        "labels": dict(known.labels),
        "owner": known.owner,
        "contact": known.contact,
        "link": known.link,
        "location": known.location,
        "seats": list(known.seats),
        "groups": list(known.groups),
        "parts": list(known.parts),
        **_length("cooldown", resource.cooldown_us or None),
        "hours": resource.hours or None,
        **_length("check_in", resource.check_in_us),
        "approval": False if resource.approval is None else list(resource.approval) or True,
        "health": resource.health.value,
        "health_note": known.health_note,
    }


def exact_duration(duration_us: int) -> str:
    """Return a duration of whole seconds as it is typed, with every unit."""
    return duration_text(duration_us, units=4)


def _length(name: str, length_us: int | None) -> Json:
    return {name: None if length_us is None else exact_duration(length_us), f"{name}_us": length_us}
