"""What the tools that look ahead return: the documented JSON of ``forecast``, ``plan-merge`` and ``reconcile``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from bespeak.mcp.coord_schemas import Envelope, Operation

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


class SymbolAt(TypedDict):
    """A symbol and where it is."""

    address: str
    kind: str
    first_line: int
    last_line: int
    signature: str


class Around(TypedDict):
    """One call, use or inheritance around what was asked for."""

    distance: Annotated[int, Field(description="so many edges away")]
    direction: Annotated[Literal["caller", "callee"], Field(description="caller: it leads to what was asked for")]
    caller: str
    callee: str
    kind: str
    how: str
    confidence: float
    line: int


class Symbols(Envelope):
    """What is at some addresses, and around them."""

    commit: Annotated[str | None, Field(description="null: the work tree")]
    symbols: list[SymbolAt]
    edges: list[Around]
    edges_total: Annotated[int, Field(description="also those not shown")]
    unknown_addresses: list[str]
    unread: list[Unread]
    unread_total: int
    notice: str


class Revision(TypedDict):
    """A revision as it was given, and the commit that it names."""

    revision: str
    commit: str


class Item(TypedDict):
    """One symbol, or file, that both sides have to do with."""

    kind: Literal[
        "delete_use",
        "rename_edit",
        "move_edit",
        "dependency_conflict",
        "add_add",
        "symbol_edit_overlap",
        "file",
        "no_conflict",
    ]
    address: str
    path: str
    ours_change: list[str]
    theirs_change: list[str]
    ours_address: str | None
    theirs_address: str | None
    used_by: str | None
    line: int | None
    textual: Annotated[bool, Field(description="git itself would conflict here")]
    git: str | None
    confidence: float
    likely: bool
    how: str
    recommendation: Annotated[str, Field(description="what to do")]


class GitConflict(TypedDict):
    """A file in which git reports a conflict."""

    path: str
    type: str
    message: str
    also: list[str]


class PlanSummary(TypedDict):
    """The counts of a plan."""

    kinds: dict[str, int]
    no_conflict: int
    likely: int
    possible: int
    textual_files: int
    ours_files: int
    theirs_files: int
    both_files: int
    likely_from: float


class NotJudged(TypedDict):
    """A changed source file of which nothing is known."""

    path: str
    why: str


class Plan(Envelope):
    """What a merge would do; nothing was merged."""

    ours: Revision
    theirs: Revision
    merge_bases: list[str]
    relation: Literal["diverged", "fast_forward", "already_merged", "unrelated"]
    verdict: Annotated[
        Literal["clean", "not_judged", "review", "semantic", "textual"],
        Field(description="textual: git cannot merge it; not_judged: it can, but changed source files are not read"),
    ]
    blocked: bool
    summary: PlanSummary
    items: list[Item]
    git_conflicts: list[GitConflict]
    unread: list[Unread]
    not_judged: list[NotJudged]
    notes: list[str]


class BranchConflict(TypedDict):
    """What one branch has against another."""

    branch: str
    count: int
    verdict: str
    symbols: list[str]


class Branch(TypedDict):
    """One branch in the order of merging."""

    position: int
    branch: str
    commit: str
    strategy: Literal["already_merged", "fast_forward", "merge", "rebase_after", "manual"]
    rebase_after: list[str]
    depends_on: list[str]
    reservation_ids: list[str]
    symbols: list[str]
    verdict: str
    conflicts: list[BranchConflict]
    recommendation: Annotated[str, Field(description="what to do")]


class Order(Envelope):
    """In which order branches are to be merged; nothing was merged."""

    onto: Revision
    branches: list[Branch]
    cycles: Annotated[list[list[str]], Field(description="branches that wait for each other")]
    missing: Annotated[list[str], Field(description="branches that are claimed on but do not exist here")]
    pairs_compared: int
    notes: list[str]
