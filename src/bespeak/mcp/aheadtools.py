"""Looking ahead as tools: what is going to collide, and how branches are to be merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from bespeak.mcp import aheadshapes as shapes
from bespeak.mcp.arguments import Arguments, Repository, Whole
from bespeak.mcp.toolkit import Tool, in_thread

if TYPE_CHECKING:
    from bespeak.mcp.toolkit import Call, Json

_SHOWN = 20


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
    from bespeak.coord.forecast.jsonform import forecast_json

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


TOOLS = (
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
)
