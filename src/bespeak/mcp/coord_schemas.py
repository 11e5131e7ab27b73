"""What tools return: the documented JSON of each command, as types, so that clients know it beforehand."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

Instant = Annotated[str | None, Field(description="ISO 8601, UTC; null for no end")]
Micros = Annotated[int | None, Field(description="the same as µs since 1970")]
Operation = Annotated[str | None, Field(description="what will be done")]


class Envelope(TypedDict):
    """What every answer of coord begins with."""

    schema_version: str
    duration_ms: float
    exit_code: Annotated[int, Field(description="what the command would exit with")]


class ConflictDetail(TypedDict):
    """One claim of another run that overlaps."""

    address: Annotated[str, Field(description="what you asked for")]
    held_address: Annotated[str, Field(description="what the other run holds")]
    run_id: str
    reservation_id: str
    expires_at: str
    operation: Operation
    relation: Annotated[str, Field(description="of address to held_address: same, contains, inside or overlaps")]
    epoch: int


Absent = Annotated[dict[str, str | None], Field(description="names nothing: the nearest that is there")]


class Told(TypedDict):
    """What is in the way."""

    conflicts: Annotated[list[str], Field(description="in words")]
    conflict_details: list[ConflictDetail]


class Reserved(Envelope, Told):
    """A claim that was made, or refused."""

    reservation_id: Annotated[str | None, Field(description="null: nothing was claimed")]
    run_id: Annotated[str, Field(description="who claimed; say it again in calls that follow")]
    addresses: Annotated[list[str], Field(description="from the root of the repository")]
    branch: NotRequired[str]
    created_at: NotRequired[str]
    expires_at: NotRequired[str]
    operation: NotRequired[Operation]
    shared: NotRequired[bool]
    epoch: NotRequired[Annotated[int, Field(description="grows with every claim; the lower one came first")]]
    depends_on: NotRequired[list[str]]
    dependency_error: NotRequired[Annotated[str | None, Field(description="why the dependencies were not recorded")]]
    repeated: NotRequired[Annotated[bool, Field(description="made before, under the same key")]]
    absent: NotRequired[Absent]


class Checked(Envelope, Told):
    """Who else holds what overlaps."""

    free: bool
    run_id: str
    addresses: list[str]
    absent: Absent


class Released(Envelope):
    """What was given back: one claim, or all of a run."""

    status: Literal["ok", "already_released", "not_found"]
    reservation_id: NotRequired[str]
    run_id: NotRequired[str | None]
    released_at: NotRequired[str | None]
    released: NotRequired[Annotated[list[str], Field(description="the ids, if all were given back")]]
    count: NotRequired[int]


class Beaten(Envelope):
    """Whether a claim is still yours."""

    status: Annotated[
        Literal["ok", "already_released", "expired", "not_found"], Field(description="any but ok means: stop")
    ]
    reservation_id: str
    run_id: str | None
    last_beat_at: str | None
    extended_expires_at: str | None
    ttl_extended_seconds: int


class IntentFacts(TypedDict):
    """A declared operation."""

    schema_version: str
    intent_id: str
    reservation_id: str | None
    run_id: str
    branch: str
    addresses: list[str]
    operation: str
    detail: str
    created_at: str
    expires_at: str


class Intended(Envelope, IntentFacts):
    """An operation that was declared."""


class Claim(TypedDict):
    """One claim as it stands."""

    schema_version: str
    reservation_id: str
    run_id: str
    branch: str
    addresses: list[str]
    created_at: str
    expires_at: str
    operation: Operation
    shared: bool
    epoch: int
    state: Literal["active", "released", "expired"]
    released_at: str | None
    last_beat_at: str


class Listed(Envelope):
    """What is claimed and intended."""

    count: int
    reservations: list[Claim]
    intents: list[IntentFacts]


class Depends(Envelope):
    """What a claim waits for."""

    reservation_id: str
    depends_on: list[str]


class Node(TypedDict):
    """One claim among those it depends on."""

    reservation_id: str
    run_id: str
    branch: str
    addresses: list[str]
    state: Literal["satisfied", "ready", "blocked"]
    depends_on: list[str]
    blockers: list[str]
    wave: int | None


class Ordered(Envelope):
    """Which claims are ready, and which wait for which."""

    nodes: list[Node]
    waves: Annotated[list[list[str]], Field(description="ids that can go on at the same time, wave after wave")]
    dangling: list[str]


class Guide(TypedDict):
    """How to work beside others."""

    guide: str
