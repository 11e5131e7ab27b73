"""``coord forecast``: what is going to collide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Option, command
from bespeak.base.display import escape_unprintable, short_repr
from bespeak.cli.coord_command import (
    EDGE_VERBS,
    JSON,
    contract_command,
    failing,
    one_form,
    out_time,
    print_form,
    with_coord,
)
from bespeak.coord.errors import ClaimError

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.coord.forecast.model import ClaimedAddress, Forecast, Predicted
    from bespeak.coord.service import Coord
    from bespeak_symbols.model import Edge

FAILED_CODE = 7
_DEPTH, _CONFIDENCE, _LIMIT = 3, 0.3, 100
_UNREAD_SHOWN = 5


@command(
    "coord forecast",
    text="Of all that is claimed and intended on any branch. address_overlap: two runs claim one place; "
    "operation_conflict: what they declared does not go together; blast_radius_overlap: what one is to "
    "change is called, used or inherited by what the other holds, as the source files at HEAD tell "
    "(extra: symbols). What could not be read is said. Exit 0, unless --fail-on says otherwise.",
    examples=(
        ("coord forecast", "everything"),
        ("coord forecast --run-id agent-42 --json", "what concerns one run, for a program"),
        ("coord forecast --worktree --depth 1", "direct callers only, files as they are now"),
        ("coord forecast --fail-on operation_conflict", "exit 7 if there is one"),
        ("coord forecast --mermaid", "as a picture"),
    ),
    options=(
        Option(("--branch",), "Only what a claim made on this branch takes part in.", "BRANCH"),
        Option(("--run-id",), "Only what this run takes part in.", "ID"),
        Option(("--depth",), "Over how many calls a change affects others, 0 to 20 (default 3).", "N", kind="int"),
        Option(("--rev",), "The revision whose symbols count (default HEAD).", "REV"),
        Option(("--worktree",), "The files as they are count, committed or not."),
        Option(("--min-confidence",), "Leave out what is less sure, 0 to 1 (default 0.3).", "NUMBER"),
        Option(("--limit",), "How many of each kind to show (default 100; 0 for all).", "NUMBER", kind="int"),
        Option(
            ("--fail-on",),
            "Exit 7 if there is one of this KIND, or any; may be repeated.",
            "KIND",
            many=True,
        ),
        Option(("--dot",), "For Graphviz."),
        Option(("--mermaid",), "For Mermaid."),
        *JSON,
    ),
)
@contract_command
def forecast(context: Context, values: Values) -> int:
    """Print what is going to collide."""
    one_form(context, values)
    from bespeak.coord.forecast.model import ForecastKind

    wanted = failing(values["fail_on"], tuple(ForecastKind), ForecastKind)
    confidence = _confidence(values["min_confidence"])
    return with_coord(context, lambda coord: _forecast(context, values, coord, confidence, wanted))


def _confidence(text: str | None) -> float:
    if text is None:
        return _CONFIDENCE
    try:
        return float(text)
    except ValueError:
        raise ClaimError(f"Invalid --min-confidence: {short_repr(text)} is not a number from 0 to 1") from None


def _forecast(context: Context, values: Values, coord: Coord, confidence: float, wanted: set[str]) -> int:
    from bespeak.coord.forecast.serialize import forecast_diagram, forecast_json

    found = coord.forecast(
        branch=values["branch"],
        run_id=values["run_id"],
        depth=_DEPTH if values["depth"] is None else values["depth"],
        rev=values["rev"],
        worktree=values["worktree"],
        min_confidence=confidence,
        limit=_LIMIT if values["limit"] is None else values["limit"],
    )
    code = FAILED_CODE if any(count for kind, count in found.counts.items() if kind in wanted) else 0
    return print_form(
        context,
        values,
        code,
        as_json=lambda: forecast_json(found),
        diagram=lambda: forecast_diagram(found),
        text=lambda: _text(found),
    )


def _text(of: Forecast) -> str:
    lines = []
    for conflict in of.conflicts:
        lines += _conflict(conflict)
    hidden = of.total - len(of.conflicts)
    if hidden:
        lines += [f" ... and {hidden} more (--limit 0 shows all)", ""]
    if of.total:
        kinds = ", ".join(f"{count} {kind}" for kind, count in of.counts.items() if count)
        lines.append(f"⚠️ {of.total} conflict(s) predicted: {kinds}")
    elif of.partial:
        lines.append(f"⚠️ No conflict seen among {of.claims} claim(s) and {of.intents} intent(s)")
    else:
        lines.append(f"✅ No conflict predicted among {of.claims} claim(s) and {of.intents} intent(s)")
    return "\n".join([*lines, *_partial(of)])


def _conflict(of: Predicted) -> list[str]:
    lines = [
        f" ⚠️ {of.kind} ({of.confidence:.2f}) {escape_unprintable(of.address)}{_relation(of)}",
        f"    {escape_unprintable(of.why)}",
    ]
    lines += [
        f"    {_place(edge)}: {escape_unprintable(f'{edge.caller} {EDGE_VERBS[edge.kind]} {edge.callee}')}"
        for edge in of.chain
    ]
    lines += [f"    {_claim(claim)}" for claim in of.claims]
    if of.claims_total > len(of.claims):
        lines.append(f"    {of.claims_total} claims on them in all, {of.pairs} pairs in conflict")
    return [*lines, ""]


def _relation(of: Predicted) -> str:
    if of.address == of.other_address:
        return ""
    words = {"same": "is", "inside": "is inside", "overlaps": "overlaps", "called": "affects"}
    return f" {words[of.relation]} {escape_unprintable(of.other_address)}"


def _claim(of: ClaimedAddress) -> str:
    what = f"{of.operation} " if of.operation else ""
    how = " (shared)" if of.shared else ""
    kind = "intends" if of.intent_id else "holds"
    return (
        f"{of.run_id!r} on {escape_unprintable(of.branch)} {kind} {what}{escape_unprintable(of.address)}{how}"
        f" until {out_time(of.expires_us)}"
    )


def _partial(of: Forecast) -> list[str]:
    if not of.partial:
        return [f"   not there yet: {escape_unprintable(address)}" for address in of.unknown[:_UNREAD_SHOWN]]
    unread = of.unread[:_UNREAD_SHOWN]
    lines = ["", "⚠️ This forecast is partial:", *(f"   {escape_unprintable(reason)}" for reason in of.reasons)]
    lines += [
        f"   {escape_unprintable(one.path)}{f':{one.line}' if one.line else ''}: {escape_unprintable(one.why)}"
        for one in unread
    ]
    lines += [f"   unknown: {escape_unprintable(address)}" for address in of.unknown[:_UNREAD_SHOWN]]
    return lines


def _place(edge: Edge) -> str:
    return f"{escape_unprintable(edge.caller.partition('::')[0])}:{edge.line}"
