"""Whether somebody may do something to a resource: a pure function of the rules, with the reason.

Rules only give. What no rule gives is refused, as soon as the book has a rule at all.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from bespeak.access.model import (
    EVERYONE,
    EVERYTHING,
    GROUP,
    LABEL,
    SCOPE_OF,
    Decision,
    Right,
    Role,
    principal_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bespeak.access.model import Caller, Rule

    Labels = Mapping[str, str]


def decide(
    rules: Sequence[Rule],
    caller: Caller,
    groups: Collection[str],
    right: Right,
    resource: str | None,
    labels: Labels,
) -> Decision:
    """Decide on one right over one resource.

    Args:
        rules: all rules of the book.
        caller: who asks.
        groups: all groups that the caller is in: of the credential, the book and Unix.
        right: what is asked for.
        resource: on which; None for the book itself, which only a rule for everything reaches.
        labels: the labels of the resource.
    """
    limit = _limit_of_credential(caller, right, resource, labels)
    if limit is not None:
        return limit
    for grant in caller.grants:
        if right in grant.role.rights and selects(grant.selector, resource, labels):
            return Decision(allowed=True, reason=f"{grant.why} gives {caller.holder} the role {grant.role.value}")
    if not rules and caller.unruled is not None:
        return _without_rules(caller, caller.unruled, right)
    for rule in rules:
        if right in rule.role.rights and _meant(rule, caller, groups) and selects(rule.selector, resource, labels):
            return Decision(allowed=True, reason=f"rule {rule.id}: {told(rule)}", rule=rule.id)
    on = "the book" if resource is None else resource
    needed = next(role for role in Role if right in role.rights)
    reason = f"no rule gives {caller.holder} the role {needed.value} on {on}, which {right.value} needs"
    return Decision(allowed=False, reason=reason)


def _without_rules(caller: Caller, role: Role, right: Right) -> Decision:
    if right in role.rights:
        return Decision(allowed=True, reason="the book has no rules")
    reason = (
        f"the book has no rules, and a {caller.method} sign-in is a {role.value} then: {right.value} is not"
        f" among its rights"
    )
    return Decision(allowed=False, reason=reason)


def _limit_of_credential(caller: Caller, right: Right, resource: str | None, labels: Labels) -> Decision | None:
    scope = SCOPE_OF[right]
    if caller.scopes is not None and scope not in caller.scopes:
        return Decision(allowed=False, reason=f"the token of {caller.holder} has not the scope {scope.value}")
    if caller.selectors and not any(selects(selector, resource, labels) for selector in caller.selectors):
        only = ", ".join(caller.selectors)
        on = "the book" if resource is None else resource
        return Decision(allowed=False, reason=f"the token of {caller.holder} is for {only}, not for {on}")
    return None


def _meant(rule: Rule, caller: Caller, groups: Collection[str]) -> bool:
    if rule.principal == EVERYONE:
        return True
    if rule.principal.startswith(GROUP):
        return rule.principal.removeprefix(GROUP) in groups
    who = principal_of(caller.holder)
    kind, _, name = rule.principal.partition(":")
    return rule.principal == who or (name == "*" and who.startswith(f"{kind}:"))


def selects(selector: str, resource: str | None, labels: Labels) -> bool:
    """Tell whether a selector means a resource; the book itself (None) is meant by ``*`` only."""
    if selector == EVERYTHING:
        return True
    if resource is None:
        return False
    if selector.startswith(LABEL):
        key, equals, value = selector.removeprefix(LABEL).partition("=")
        return key in labels and (not equals or labels[key] == value)
    return fnmatchcase(resource, selector)


def told(rule: Rule) -> str:
    """Return a rule in words."""
    on = "everything" if rule.selector == EVERYTHING else rule.selector
    return f"{rule.principal} is {rule.role.value} of {on}"
