"""Reading and writing rules, groups and mappings, inside the caller's transaction."""

from __future__ import annotations

import os

from bespeak.access.model import EVERYTHING, Mapping, Role, Rule
from bespeak.base.json_text import compact_utf8
from bespeak.storage.row_shape import RowShape, read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.storage.interface import Row, Transaction

_RULE_COLUMNS = "id, principal, role, selector, created_us, created_by"
_MAPPING_COLUMNS = "id, issuer, audience, claims, holder, role, selector, once, created_us, created_by"
_RULE = RowShape("rule", _RULE_COLUMNS, "ttttit")
_MAPPING = RowShape("mapping", _MAPPING_COLUMNS, "tttttttiit")


def new_id() -> str:
    """Return a new short id of a rule, mapping or token."""
    return os.urandom(4).hex()


def rules(tx: Transaction) -> list[Rule]:
    """Return all rules, oldest first."""
    return [
        _RULE.read(row, _rule)
        for row in tx.fetch_all(f"SELECT {_RULE_COLUMNS} FROM access_rules ORDER BY created_us, principal, id")
    ]


def _rule(row: Row) -> Rule:
    identifier, principal, role, selector, created_us, created_by = row
    return Rule(identifier, principal, Role(role), selector, created_us, created_by)


def add_rule(tx: Transaction, principal: str, role: Role, selector: str, by: str) -> tuple[Rule, bool]:
    """Write a rule; return it, and whether it is new."""
    for known in rules(tx):
        if (known.principal, known.role, known.selector) == (principal, role, selector):
            return known, False
    made = Rule(new_id(), principal, role, selector, tx.now_us, by)
    tx.execute(
        f"INSERT INTO access_rules ({_RULE_COLUMNS}) VALUES (:id, :principal, :role, :selector, :at, :by)",
        {"id": made.id, "principal": principal, "role": role.value, "selector": selector, "at": tx.now_us, "by": by},
    )
    return made, True


def remove_rule(tx: Transaction, identifier: str) -> None:
    """Remove a rule."""
    tx.execute("DELETE FROM access_rules WHERE id = :id", {"id": identifier})


def administers(rule: Rule) -> bool:
    """Tell whether a rule lets somebody change the rules."""
    return rule.role is Role.ADMIN and rule.selector == EVERYTHING


def groups(tx: Transaction) -> dict[str, list[str]]:
    """Return the members of each group of the book."""
    found: dict[str, list[str]] = {}
    for name, member in tx.fetch_all("SELECT group_name, member FROM access_members ORDER BY group_name, member"):
        found.setdefault(str(name), []).append(str(member))
    return found


def change_group(tx: Transaction, name: str, add: list[str], remove: list[str]) -> None:
    """Add members to a group of the book and remove others; a group without members is none."""
    for member in add:
        tx.execute(
            "INSERT INTO access_members (group_name, member) VALUES (:g, :m) ON CONFLICT (group_name, member)"
            " DO NOTHING",
            {"g": name, "m": member},
        )
    for member in remove:
        tx.execute("DELETE FROM access_members WHERE group_name = :g AND member = :m", {"g": name, "m": member})


def mappings(tx: Transaction) -> list[Mapping]:
    """Return all mappings of workloads, oldest first."""
    return [
        _MAPPING.read(row, _mapping)
        for row in tx.fetch_all(f"SELECT {_MAPPING_COLUMNS} FROM access_mappings ORDER BY created_us, id")
    ]


def _mapping(row: Row) -> Mapping:
    identifier, issuer, audience, claims, holder, role, selector, once, created_us, created_by = row
    pairs = tuple((str(key), str(value)) for key, value in read_json(claims))
    return Mapping(
        identifier, issuer, audience, pairs, holder, Role(role), selector, bool(once), created_us, created_by
    )


def add_mapping(tx: Transaction, made: Mapping) -> None:
    """Write a mapping."""
    tx.execute(
        f"INSERT INTO access_mappings ({_MAPPING_COLUMNS}) VALUES"
        " (:id, :issuer, :audience, :claims, :holder, :role, :selector, :once, :created_us, :created_by)",
        {
            "id": made.id,
            "issuer": made.issuer,
            "audience": made.audience,
            "claims": compact_utf8([list(pair) for pair in made.claims]),
            "holder": made.holder,
            "role": made.role.value,
            "selector": made.selector,
            "once": int(made.once),
            "created_us": made.created_us,
            "created_by": made.created_by,
        },
    )


def remove_mapping(tx: Transaction, identifier: str) -> None:
    """Remove a mapping."""
    tx.execute("DELETE FROM access_mappings WHERE id = :id", {"id": identifier})
