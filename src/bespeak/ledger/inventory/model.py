"""The values of the inventory: what is declared about a resource beside its seats and rules."""

from __future__ import annotations

from bespeak.base.frozen import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bespeak.ledger.model import Resource

    Label = str | int | float | bool


@frozen
class Properties:
    """What people and programs want to know about a resource; nothing of it decides who may hold it, but ``parts``.

    Args:
        labels: keys and values, sorted by key; what requests by need select by.
        owner: whose it is.
        contact: whom to ask.
        link: where its documentation is.
        location: where it stands.
        seats: the names of its seats; empty where they have none.
        groups: the names of the groups it belongs to, sorted.
        parts: the resources it is directly made of, sorted; a whole and its part exclude each other.
        health_note: why it is sick or offline.
    """

    labels: tuple[tuple[str, Label], ...] = ()
    owner: str = ""
    contact: str = ""
    link: str = ""
    location: str = ""
    seats: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    health_note: str = ""

    def label(self, key: str) -> Label | None:
        """Return the value of the label ``key``, or None."""
        return dict(self.labels).get(key)


@frozen
class Entry:
    """One resource with all that is declared about it."""

    resource: Resource
    properties: Properties = field(default_factory=Properties)

    @property
    def name(self) -> str:
        """The name of the resource."""
        return self.resource.name

    @property
    def facts(self) -> dict[str, object]:
        """What an expression with labels can ask for (see :func:`label_facts`)."""
        known = self.properties
        return label_facts(self.name, dict(known.labels), known.location, known.owner, known.groups)


def label_facts(
    name: str, labels: Mapping[str, object], location: str, owner: str, groups: Sequence[str]
) -> dict[str, object]:
    """Return what an expression with labels can ask for of a resource; a label wins over what has its name."""
    facts: dict[str, object] = {"name": name}
    if location:
        facts["location"] = location
    if owner:
        facts["owner"] = owner
    if groups:
        facts["group"] = tuple(groups)
    return {**facts, **labels}
