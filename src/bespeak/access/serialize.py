"""The JSON forms of tokens and rights: one shape for every door, and never a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import FOREVER_US, iso

if TYPE_CHECKING:
    from bespeak.access.model import Mapping, Rights, Rule, Token


def token_json(of: Token) -> dict[str, object]:
    """Return a token for programs, without the secret."""
    return {
        "id": of.id,
        "user": of.holder,
        "name": of.name,
        "scopes": [scope.value for scope in of.scopes],
        "resources": list(of.selectors),
        **_instant("created", of.created_us),
        "created_by": of.created_by,
        **_instant("expires", of.expires_us),
        **_instant("used", of.used_us),
        **_instant("revoked", of.revoked_us),
    }


def rule_json(of: Rule) -> dict[str, object]:
    """Return a rule for programs."""
    return {
        "id": of.id,
        "principal": of.principal,
        "role": of.role.value,
        "on": of.selector,
        "created": iso(of.created_us),
        "created_us": of.created_us,
        "created_by": of.created_by,
    }


def mapping_json(of: Mapping) -> dict[str, object]:
    """Return the mapping of a workload for programs."""
    return {
        "id": of.id,
        "issuer": of.issuer,
        "audience": of.audience or None,
        "claims": dict(of.claims),
        "holder": of.holder,
        "role": of.role.value,
        "on": of.selector,
        "once": of.once,
        "created": iso(of.created_us),
        "created_us": of.created_us,
        "created_by": of.created_by,
    }


def rights_json(of: Rights) -> dict[str, object]:
    """Return all rules, groups and workloads of a book for programs."""
    return {
        "rules": [rule_json(rule) for rule in of.rules],
        "groups": {name: list(members) for name, members in of.groups},
        "workloads": [mapping_json(one) for one in of.mappings],
    }


def _instant(name: str, instant_us: int | None) -> dict[str, object]:
    return {name: iso(instant_us), f"{name}_us": None if instant_us is None or instant_us >= FOREVER_US else instant_us}
