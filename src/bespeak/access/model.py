"""The values of rights: roles, scopes, who calls, rules, and an answer with the rule that gave it."""

from __future__ import annotations

from enum import Enum

from bespeak.base.errors import NotAllowedError
from bespeak.base.frozen import frozen

EVERYONE = "*"
EVERYTHING = "*"
LABEL = "label:"
GROUP = "group:"
KINDS = ("user", "team", "ci", "agent")


class Right(Enum):
    """What can be asked for."""

    LOOK = "look"
    RESERVE = "reserve"
    AS_USER = "as-user"
    KICK = "kick"
    RESOURCE = "resource"
    ADMINISTER = "administer"


class Role(Enum):
    """What a rule gives; each role has the rights of the one before it."""

    VIEWER = "viewer"
    BOOKER = "booker"
    MANAGER = "manager"
    ADMIN = "admin"

    @property
    def rights(self) -> frozenset[Right]:
        """What this role may do."""
        return _RIGHTS[self]


_RIGHTS = {
    Role.VIEWER: frozenset({Right.LOOK}),
    Role.BOOKER: frozenset({Right.LOOK, Right.RESERVE}),
    Role.MANAGER: frozenset({Right.LOOK, Right.RESERVE, Right.AS_USER, Right.KICK, Right.RESOURCE}),
    Role.ADMIN: frozenset(Right),
}


class Scope(Enum):
    """What a token may be used for, whatever its holder may do."""

    READ = "read"
    BOOK = "book"
    MANAGE = "manage"
    ADMIN = "admin"
    COORD = "coord"
    MCP = "mcp"


SCOPE_OF = {
    Right.LOOK: Scope.READ,
    Right.RESERVE: Scope.BOOK,
    Right.AS_USER: Scope.MANAGE,
    Right.KICK: Scope.MANAGE,
    Right.RESOURCE: Scope.MANAGE,
    Right.ADMINISTER: Scope.ADMIN,
}
"""The scope that a token needs for a right."""

USUAL_SCOPES = (Scope.READ, Scope.BOOK, Scope.COORD, Scope.MCP)
"""What a token may be used for that says nothing about it: everything but managing and administering."""


@frozen
class Grant:
    """A role that comes with the way somebody signed in, and not by a rule for a principal.

    Args:
        role: what it gives.
        selector: on which resources.
        why: what gave it, for explanations.
    """

    role: Role
    selector: str
    why: str


@frozen
class Caller:
    """Who calls, verified by a server.

    Args:
        holder: as the book writes it: ``alice``, ``ci:org-x``.
        kind: one of :data:`KINDS`.
        method: how it was verified: ``peer``, ``token``, ``session``, ``oidc``, ``workload`` or ``proxy``.
        groups: names of groups that came with it.
        scopes: what the credential may be used for; None does not limit it.
        selectors: the resources that the credential may be used on; empty does not limit it.
        grants: roles that came with it.
        unruled: its role where the book has no rules; None has only its ``grants`` then.
    """

    holder: str
    kind: str
    method: str
    groups: tuple[str, ...] = ()
    scopes: frozenset[Scope] | None = None
    selectors: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    unruled: Role | None = Role.BOOKER

    def require_scope(self, name: str) -> None:
        """Refuse where the credential has not the scope called ``name``.

        Raises:
            NotAllowedError: naming the scope.
        """
        if self.scopes is not None and Scope(name) not in self.scopes:
            raise NotAllowedError(f"the token of {self.holder} has not the scope {name}")


@frozen
class Rule:
    """A principal has a role on some resources.

    Args:
        id: how it is named to remove it.
        principal: ``*``, ``user:alice``, ``ci:*``, ``group:bringup``.
        role: what it gives.
        selector: ``*``, a pattern of names (``rack*``), or ``label:KEY=VALUE``.
        created_us: when it was made, µs UTC.
        created_by: by whom.
    """

    id: str
    principal: str
    role: Role
    selector: str
    created_us: int
    created_by: str


@frozen
class Mapping:
    """Workloads whose token has certain claims act as a holder.

    Args:
        id: how it is named to remove it.
        issuer: whose tokens, an address.
        audience: for whom the tokens have to be made; empty for the audience of the server's settings.
        claims: each with the value it has to have; ``*`` in it stands for any text.
        holder: whom they act as; ``{claim}`` stands for the value of a claim.
        role: what they may do.
        selector: on which resources.
        once: each token is accepted once.
        created_us: when it was made, µs UTC.
        created_by: by whom.
    """

    id: str
    issuer: str
    audience: str
    claims: tuple[tuple[str, str], ...]
    holder: str
    role: Role
    selector: str
    once: bool
    created_us: int
    created_by: str


@frozen
class Token:
    """A token as the book knows it: never the token itself.

    Args:
        id: how it is named to revoke it.
        holder: whom it stands for.
        name: what people call it.
        scopes: what it may be used for.
        selectors: on which resources; empty for all.
        created_us: when it was made, µs UTC.
        created_by: by whom.
        expires_us: when it ends, µs UTC; ``FOREVER_US`` for never.
        used_us: when it was last used, to the minute, µs UTC; None for never.
        revoked_us: when it was revoked, µs UTC; None while it is good.
    """

    id: str
    holder: str
    name: str
    scopes: tuple[Scope, ...]
    selectors: tuple[str, ...]
    created_us: int
    created_by: str
    expires_us: int
    used_us: int | None
    revoked_us: int | None


@frozen
class Session:
    """Somebody who is signed in with a browser.

    Args:
        holder: who.
        groups: what the provider said about it.
        csrf: what a change from a page has to send back.
        expires_us: when it ends, µs UTC.
        token: the id of the token that it was begun with, and is worth no more than; empty for none.
    """

    holder: str
    groups: tuple[str, ...]
    csrf: str
    expires_us: int
    token: str = ""


@frozen
class Decision:
    """An answer.

    Args:
        allowed: whether it may be done.
        reason: why, one line, with the rule that gave the answer.
        rule: the id of that rule; None where no rule gave it.
    """

    allowed: bool
    reason: str
    rule: str | None = None


def principal_of(holder: str) -> str:
    """Return a holder with its kind in front: ``user:alice`` of ``alice``."""
    kind, colon, _ = holder.partition(":")
    return holder if colon and kind in KINDS else f"user:{holder}"


def kind_of(holder: str) -> str:
    """Return the kind of a holder: one of :data:`KINDS`."""
    return principal_of(holder).partition(":")[0]


@frozen
class Rights:
    """All rules of a book.

    Args:
        rules: who has which role.
        groups: the groups of the book: name and members.
        mappings: workloads that sign in with tokens of their own.
    """

    rules: tuple[Rule, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    mappings: tuple[Mapping, ...]
