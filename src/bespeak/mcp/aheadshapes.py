"""What the tools that look ahead return: the documented JSON of ``forecast``, ``plan-merge`` and ``reconcile``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from bespeak.mcp.shapes import Envelope, Operation

Kind = Literal["address_overlap", "operation_conflict", "blast_radius_overlap"]


class Unread(TypedDict):
    """A file, or a line of it, that could not be read."""

    path: str
    why: str
    line: int


class PredictedClaim(TypedDict):
    """A claim or an intent that takes part in a predicted conflict."""

    address: str
    run_id: str
    branch: str
    operation: Operation
    shared: bool
    reservation_id: str | None
    intent_id: str | None
    expires_at: str | None


class Edge(TypedDict):
    """One step of how a change is felt elsewhere."""

    caller: str
    callee: str
    kind: str
    how: str
    confidence: float
    path: str
    line: int


class Predicted(TypedDict):
    """One predicted conflict."""

    kind: Kind
    confidence: float
    address: str
    other_address: str
    relation: str
    operations: list[str | None] | None
    why: str
    pairs: int
    claims: list[PredictedClaim]
    claims_total: int
    distance: Annotated[int | None, Field(description="so many calls away")]
    chain: list[Edge]
    message: Annotated[str, Field(description="in one sentence")]


class Forecast(Envelope):
    """What is going to collide."""

    commit: Annotated[str | None, Field(description="whose symbols were looked at")]
    worktree: bool
    depth: int
    min_confidence: float
    claims: int
    intents: int
    total: Annotated[int, Field(description="of all conflicts, also those not shown")]
    counts: dict[Kind, int]
    shown: int
    conflicts: list[Predicted]
    partial_forecast: Annotated[bool, Field(description="something could not be read; partial_reasons says what")]
    partial_reasons: list[str]
    unread: list[Unread]
    unread_total: int
    unknown_addresses: Annotated[list[str], Field(description="claimed, but not in the source files")]
    unknown_total: int
