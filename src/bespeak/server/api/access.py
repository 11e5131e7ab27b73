"""Tokens, rights and the policy of the book: who may what, and who may change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool
from starlette.responses import Response

from bespeak.access.serialize import mapping_json, rights_json, rule_json, token_json
from bespeak.access.tokens import hashed, new_token
from bespeak.base.clock import DAY_US, FOREVER_US
from bespeak.ledger.policy import KEYS
from bespeak.server import schemas
from bespeak.server.answers import answer
from bespeak.server.api.reservations import problems
from bespeak.server.dependencies import SIGNED_IN, Book, By

if TYPE_CHECKING:
    from bespeak.access.model import Token
    from bespeak.ledger.service import Ledger

router = APIRouter(tags=["access"], dependencies=[SIGNED_IN])

_LIFE_US = 90 * DAY_US
_MOST = 1_000
RoleName = Literal["viewer", "booker", "manager", "admin"]
ScopeName = Literal["read", "book", "manage", "admin", "coord", "mcp"]
_ON = Field("*", description="On which resources: `*`, a pattern of names, or `label:KEY=VALUE`.", max_length=1_000)


class TokenRequest(schemas.Window):
    """A token that somebody wants; its end is by default in 90 days."""

    user: str = Field(description="Whom it stands for.")
    name: str = Field("", description="What it is for.")
    scopes: list[ScopeName] = Field([], description="What it may be used for: by default read, book, coord and mcp.")
    resources: list[str] = Field([], description="Selectors of the resources that it may be used on.", max_length=_MOST)


class TokenDocument(schemas.Answer):
    """A token as the book knows it."""

    id: str
    user: str
    name: str
    scopes: list[str]
    resources: list[str]


class NewToken(TokenDocument):
    """A token that was made."""

    token: str | None = Field(description="The secret, shown once; null where the request is repeated under its key.")


class Tokens(schemas.Answer):
    """Tokens, without their secrets."""

    tokens: list[TokenDocument]


class RuleRequest(schemas.Asked):
    """Who gets a role."""

    principal: str = Field(description="`alice`, `ci:*`, `group:bringup`, or `*` for everybody.")
    role: RoleName
    on: str = _ON


class RuleDocument(schemas.Answer):
    """A rule."""

    id: str
    principal: str
    role: RoleName
    on: str


class WorkloadRequest(schemas.Asked):
    """Which jobs of a CI system act as whom."""

    issuer: str = Field(description="Whose tokens: the address in them, byte for byte.")
    claims: dict[str, str] = Field(description="What a token has to say; `*` in a value stands for any text.")
    holder: str = Field(description="Whom it acts as: `ci:NAME` or `agent:NAME`; `{KEY}` is the value of a claim.")
    role: RoleName
    on: str = _ON
    audience: str = Field("", description="For whom the tokens are made; by default the server's audience.")
    once: StrictBool = Field(False, description="Accept each token once.")


class WorkloadDocument(schemas.Answer):
    """Workloads that act as a holder."""

    id: str
    issuer: str
    claims: dict[str, str]
    holder: str
    role: RoleName
    on: str


class RightsDocument(schemas.Answer):
    """All rules, groups and workloads of a book."""

    rules: list[RuleDocument]
    groups: dict[str, list[str]]
    workloads: list[WorkloadDocument]


class Revoked(schemas.Answer):
    """What is no longer."""

    revoked: str
    rule: str


class DecisionDocument(schemas.Answer):
    """Whether somebody may do something, and which rule says so."""

    user: str
    action: str
    resource: str | None
    allowed: bool
    rule: str | None
    reason: str


class GroupRequest(schemas.Asked):
    """Who comes into a group, and who leaves it."""

    add: list[str] = Field([], max_length=_MOST)
    remove: list[str] = Field([], max_length=_MOST)


class GroupDocument(schemas.Answer):
    """Who is in a group."""

    group: str
    members: list[str]


class PolicyValue(schemas.Asked):
    """What the book is to decide."""

    value: Any = Field(description="As JSON: a boolean, a text, a list or an object, as the key takes it.")


class PolicyDocument(schemas.Answer):
    """What the book decides, by key; null where it says nothing."""

    policy: dict[str, Any]


@router.post("/tokens", status_code=201, responses=problems(NewToken, 201))
async def create_token(book: Book, by: By, asked: TokenRequest) -> Response:
    """Make a token; its secret is in this answer only. Who administers the book may."""
    secret, length_us, ends_us = new_token(), asked.length(), asked.end()

    def work(ledger: Ledger) -> Token:
        until_us = ends_us
        if until_us is None:
            until_us = min(ledger.now_us() + (_LIFE_US if length_us is None else length_us), FOREVER_US)
        return ledger.token_create(
            by,
            asked.user,
            hashed(secret),
            name=asked.name,
            scopes=tuple(asked.scopes),
            selectors=tuple(asked.resources),
            expires_us=until_us,
        )

    made = await book.write(work)
    return answer({**token_json(made), "token": None if book.repeated else secret}, 201)


@router.get("/tokens", responses=problems(Tokens))
async def list_tokens(book: Book, by: By) -> Response:
    """List the tokens: who administers the book sees all, others their own."""
    found = await book.read(lambda ledger: ledger.token_list(by))
    return answer({"tokens": [token_json(one) for one in found]})


@router.delete("/tokens/{token_id}", responses=problems(TokenDocument))
async def revoke_token(book: Book, by: By, token_id: str) -> Response:
    """Make a token worthless; everybody may revoke their own."""
    return answer(token_json(await book.write(lambda ledger: ledger.token_revoke(token_id, by))))


@router.get("/rights", responses=problems(RightsDocument))
async def list_rights(book: Book) -> Response:
    """List the rules, groups and workloads of the book."""
    return answer(rights_json(await book.read(lambda ledger: ledger.rights_list())))


@router.post("/rights/rules", status_code=201, responses={**problems(RuleDocument, 201), 200: {"model": RuleDocument}})
async def grant_right(book: Book, by: By, asked: RuleRequest) -> Response:
    """Give somebody a role; 200 where the rule was there already. With the first rule, whoever makes it is admin."""
    rule, new = await book.write(lambda ledger: ledger.rights_grant(asked.principal, asked.role, by, selector=asked.on))
    return answer(rule_json(rule), 201 if new else 200)


@router.post("/rights/workloads", status_code=201, responses=problems(WorkloadDocument, 201))
async def map_workload(book: Book, by: By, asked: WorkloadRequest) -> Response:
    """Let workloads of a CI system act as a holder."""
    made = await book.write(
        lambda ledger: ledger.rights_map(
            asked.issuer,
            tuple(asked.claims.items()),
            asked.holder,
            asked.role,
            by,
            selector=asked.on,
            audience=asked.audience,
            once=asked.once,
        )
    )
    return answer(mapping_json(made), 201)


@router.delete("/rights/{rule_id}", responses=problems(Revoked))
async def revoke_right(book: Book, by: By, rule_id: str) -> Response:
    """Remove a rule, or the mapping of a workload."""
    gone = await book.write(lambda ledger: ledger.rights_revoke(rule_id, by))
    return answer({"revoked": rule_id, "rule": gone})


@router.get("/rights/check", responses=problems(DecisionDocument))
async def check_right(
    book: Book,
    user: Annotated[str, Query(description="A holder.")],
    action: Annotated[str, Query(description="A right, or a command: look, reserve, kick, administer ...")],
    resource: Annotated[str | None, Query(description="By default the book itself.")] = None,
) -> Response:
    """Tell whether somebody may do something, and which rule says so."""
    found = await book.read(lambda ledger: ledger.rights_check(user, action, resource))
    named = {"user": user, "action": action, "resource": resource}
    return answer({**named, "allowed": found.allowed, "rule": found.rule, "reason": found.reason})


@router.post("/rights/groups/{group}", responses=problems(GroupDocument))
async def change_group(book: Book, by: By, group: str, asked: GroupRequest) -> Response:
    """Change who is in a group of the book."""
    members = await book.write(
        lambda ledger: ledger.rights_group(group, by, add=tuple(asked.add), remove=tuple(asked.remove))
    )
    return answer({"group": group, "members": members})


@router.get("/policy", responses=problems(PolicyDocument))
async def show_policy(book: Book) -> Response:
    """Tell what the book itself decides."""
    stored = (await book.read(lambda ledger: ledger.policy())).stored
    return answer({"policy": {key.name: stored.get(key.name) for key in KEYS}})


@router.put("/policy/{name}", responses=problems(PolicyDocument))
async def set_policy(book: Book, by: By, name: str, asked: PolicyValue) -> Response:
    """Let the book decide something, or decide it otherwise."""
    stored = (await book.write(lambda ledger: ledger.policy_set(name, asked.value, by))).stored
    return answer({"policy": {name: stored.get(name)}})


@router.delete("/policy/{name}", responses=problems(PolicyDocument))
async def unset_policy(book: Book, by: By, name: str) -> Response:
    """Let the book say nothing about something."""
    stored = (await book.write(lambda ledger: ledger.policy_unset(name, by))).stored
    return answer({"policy": {name: stored.get(name)}})
