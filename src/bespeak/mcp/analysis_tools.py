"""Looking ahead as tools: who depends on what, what is going to collide, and how branches are to be merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from bespeak.base.errors import UsageError
from bespeak.mcp import analysis_schemas as shapes
from bespeak.mcp.arguments import Addresses, Arguments, Repository, Texts, Whole
from bespeak.mcp.tool import Tool, in_thread

if TYPE_CHECKING:
    from bespeak.mcp.tool import Call, Json

_SHOWN = 20
_EDGES_SHOWN = 50


class Forecast(Arguments):
    """Arguments of ``forecast``."""

    run_id: Annotated[str | None, Field(description="Only what this run takes part in.")] = None
    branch: Annotated[str | None, Field(description="Only what a claim made on this branch takes part in.")] = None
    depth: Annotated[
        Whole,
        Field(description="How many calls away a change is felt.", json_schema_extra={"minimum": 0, "maximum": 20}),
    ] = 3
    rev: Annotated[str | None, Field(description="The revision whose symbols count. Default: HEAD.")] = None
    worktree: Annotated[bool, Field(description="The files as they are count, committed or not.")] = False
    min_confidence: Annotated[float, Field(description="Leave out what is less sure, 0 to 1.")] = 0.3
    limit: Annotated[Whole, Field(description="How many of each kind to show; 0 for all.")] = _SHOWN
    repository: Repository = None


def forecast(call: Call, asked: Forecast) -> Json:
    """Say what is going to collide."""
    from bespeak.coord.forecast.serialize import forecast_json

    with call.coord(asked.repository) as coord:
        found = coord.forecast(
            branch=asked.branch,
            run_id=asked.run_id,
            depth=asked.depth,
            rev=asked.rev,
            worktree=asked.worktree,
            min_confidence=asked.min_confidence,
            limit=asked.limit,
        )
    return call.answer(forecast_json(found))


class Symbols(Arguments):
    """Arguments of ``symbols``."""

    addresses: Addresses
    callers: Annotated[bool, Field(description="Also who calls, uses or inherits them.")] = False
    callees: Annotated[bool, Field(description="Also what they call, use or inherit.")] = False
    depth: Annotated[
        Whole, Field(description="Over how many edges.", json_schema_extra={"minimum": 1, "maximum": 20})
    ] = 1
    rev: Annotated[str | None, Field(description="The revision to look at. Default: HEAD.")] = None
    worktree: Annotated[bool, Field(description="The files as they are, committed or not.")] = False
    limit: Annotated[Whole, Field(description="How many edges to show; 0 for all.")] = _EDGES_SHOWN
    repository: Repository = None


def symbols(call: Call, asked: Symbols) -> Json:
    """Say what is at some addresses, and who depends on it."""
    from bespeak.coord import symbol_index
    from bespeak.git.repository import find

    if asked.worktree and asked.rev is not None:
        raise UsageError("worktree and rev exclude each other")
    if asked.limit < 0:
        raise UsageError("limit: 0 or more")
    folder = call.at(asked.repository)
    chosen = ((symbol_index.CALLER, asked.callers), (symbol_index.CALLEE, asked.callees))
    found = symbol_index.report(
        find(folder),
        asked.addresses,
        folder,
        directions=[direction for direction, wanted in chosen if wanted],
        depth=asked.depth,
        revision=None if asked.worktree else (asked.rev or "HEAD"),
    )
    return call.answer(symbol_index.report_json(found, asked.limit))


class PlanMerge(Arguments):
    """Arguments of ``plan_merge``."""

    ours: Annotated[str, Field(description="What is merged into: a branch, a tag, a commit.")]
    theirs: Annotated[str, Field(description="What is merged.")]
    everything: Annotated[bool, Field(description="Also what only one side changed, and faint suspicions.")] = False
    repository: Repository = None


def plan_merge(call: Call, asked: PlanMerge) -> Json:
    """Say what a merge would do, symbol by symbol."""
    from bespeak.coord.merge.plan import plan
    from bespeak.coord.merge.serialize import plan_json
    from bespeak.git.repository import find

    repository = find(call.at(asked.repository), bare=True)
    return call.answer(plan_json(plan(repository, asked.ours, asked.theirs, everything=asked.everything)))


class Reconcile(Arguments):
    """Arguments of ``reconcile``."""

    branches: Annotated[Texts, Field(description="Default: those on which something is claimed.")] = []
    onto: Annotated[str | None, Field(description="What they are merged into. Default: the main branch.")] = None
    repository: Repository = None


def reconcile(call: Call, asked: Reconcile) -> Json:
    """Say in which order to merge branches, and how."""
    from bespeak.coord.merge.serialize import order_json

    with call.coord(asked.repository) as coord:
        found = coord.reconcile(asked.branches, onto=asked.onto)
    return call.answer(order_json(found))


TOOLS = (
    Tool(
        "symbols",
        "Who calls this",
        "Say which symbols are at an address; with callers who calls, uses or inherits them, with callees what they "
        "call themselves, resolved by the rules of the language. Look before you change a signature.",
        Symbols,
        shapes.Symbols,
        in_thread(symbols, slow=True),
        read_only=True,
    ),
    Tool(
        "forecast",
        "What is going to collide",
        "Predict conflicts among all claims and intents: same places, operations that do not go together, and callers "
        "of what somebody changes. Call it after reserving, with your run_id.",
        Forecast,
        shapes.Forecast,
        in_thread(forecast, slow=True),
        read_only=True,
    ),
    Tool(
        "plan_merge",
        "What a merge would do",
        "Plan a merge symbol by symbol, without merging: what both sides changed, what one renamed, moved or deleted "
        "and the other uses, where git would conflict, and what to do about each.",
        PlanMerge,
        shapes.Plan,
        in_thread(plan_merge, slow=True),
        read_only=True,
    ),
    Tool(
        "reconcile",
        "In which order to merge",
        "Say in which order to merge branches and what each needs: nothing, a fast-forward, a merge, a rebase after "
        "another, or work by hand. Nothing is merged.",
        Reconcile,
        shapes.Order,
        in_thread(reconcile, slow=True),
        read_only=True,
    ),
)
