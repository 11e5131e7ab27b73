"""Commands that look at claims: ``list``, ``dag``, ``watch``, ``guide``."""

from __future__ import annotations

import sys

from bespeak.argv.declarations import Option, command
from bespeak.base.display import escape_unprintable
from bespeak.cli.coord_command import JSON, contract_command, envelope, one_form, print_form, with_coord
from bespeak.coord.errors import ClaimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.coord.dependencies import DependencyGraph
    from bespeak.coord.model import Claim, Intent
    from bespeak.coord.service import Coord

_SHORT = 12
_PREFIX = len("sha256:")


@command(
    "coord list",
    examples=(
        ("coord list", "everything active"),
        ("coord list --address src/ --json", "what touches a folder"),
        ("coord list --all --run-id agent-42", "also what is over"),
    ),
    options=(
        Option(("--all",), "Also what is over."),
        Option(("--run-id",), "Only of this run.", "ID"),
        Option(("--branch",), "Only made on this branch.", "BRANCH"),
        Option(("--address",), "Only what overlaps it; may be repeated.", "ADDRESS", many=True),
        *JSON,
    ),
)
@contract_command
def list_(context: Context, values: Values) -> int:
    """Print what is claimed and intended."""
    return with_coord(context, lambda coord: _list(context, values, coord))


def _list(context: Context, values: Values, coord: Coord) -> int:
    run_id, branch = values["run_id"], values["branch"]
    found = coord.reservations(over=values["all"], run_id=run_id, branch=branch, addresses=values["address"])
    intents = [
        one for one in coord.intents(values["address"]) if run_id in (None, one.run_id) and branch in (None, one.branch)
    ]
    now_us = coord.now_us()
    if context.json:
        from bespeak.coord.serialize import list_json

        context.print_json(envelope(context) | list_json(found, intents, now_us))
    else:
        context.print(_table(found, now_us) if found else "nothing is claimed")
        for one in intents:
            context.print(_intent_line(one))
    return 0


def _table(found: list[Claim], now_us: int) -> str:
    from bespeak.cli.output import table
    from bespeak.coord.serialize import plain_time

    rows = [
        (
            held.id[_PREFIX : _PREFIX + _SHORT],
            held.state(now_us) + (" (shared)" if held.shared else ""),
            held.run_id,
            held.branch,
            held.operation or "-",
            plain_time(held.released_us or held.expires_us),
            ", ".join(held.addresses),
        )
        for held in found
    ]
    return table(("ID", "STATE", "RUN", "BRANCH", "OP", "UNTIL (UTC)", "ADDRESSES"), rows)


def _intent_line(one: Intent) -> str:
    detail = f" ({one.detail})" if one.detail else ""
    return escape_unprintable(f"intent: {one.operation} {', '.join(one.addresses)} by {one.run_id}{detail}")


@command(
    "coord dag",
    examples=(
        ("coord dag", "in waves"),
        ("coord dag --ready --json", "what can go on now"),
        ("coord dag --mermaid", "as a picture"),
    ),
    options=(
        Option(("--ready",), "Only what waits for nothing."),
        Option(("--dot",), "For Graphviz."),
        Option(("--mermaid",), "For Mermaid."),
        *JSON,
    ),
)
@contract_command
def dag(context: Context, values: Values) -> int:
    """Print which reservations are ready and which wait."""
    one_form(context, values)
    return with_coord(context, lambda coord: _dag(context, values, coord))


def _dag(context: Context, values: Values, coord: Coord) -> int:
    from bespeak.coord.dependencies import DependencyState, dependency_diagram
    from bespeak.coord.serialize import dag_json

    graph, by_id = coord.order()
    labels = {key: escape_unprintable(f"{held.run_id}: {', '.join(held.addresses)}") for key, held in by_id.items()}
    only = (DependencyState.READY,) if values["ready"] else None
    return print_form(
        context,
        values,
        0,
        as_json=lambda: dag_json(graph, by_id, ready=values["ready"]),
        diagram=lambda: dependency_diagram(graph, labels),
        text=lambda: _waves(graph, labels, only) or "nothing is claimed",
    )


def _waves(graph: DependencyGraph, labels: dict[str, str], only: tuple[str, ...] | None) -> str:
    lines = []
    for node in graph.nodes:
        if only is not None and node.state not in only:
            continue
        wave = "-" if node.wave is None else str(node.wave)
        lines.append(f"{wave:>4}  {node.state:9}  {_short(node.id)}  {labels[node.id]}")
        lines += [f"{'':17}waits for {_short(blocker)}  {labels[blocker]}" for blocker in node.blockers]
    lines += [f"   -  unknown    {_short(identifier)}" for identifier in graph.dangling if only is None]
    return "\n".join(lines)


def _short(identifier: str) -> str:
    return identifier[_PREFIX : _PREFIX + _SHORT]


@command(
    "coord watch",
    text="Runs until it is interrupted. It sleeps until something changes; an expiry is reported at its instant.",
    examples=(("coord watch", "from now on"), ("coord watch --after 120", "from change 121 on")),
    options=(
        Option(("--after",), "Begin after this change (default: now).", "SEQ", kind="int"),
        Option(("--count",), "End after so many.", "NUMBER", kind="int"),
    ),
)
@contract_command
def watch(context: Context, values: Values) -> int:
    """Print each change as it happens."""
    return with_coord(context, lambda coord: _watch(context, values, coord))


def _watch(context: Context, values: Values, coord: Coord) -> int:
    from bespeak.coord.serialize import event_json

    left = values["count"]
    if left is not None and left < 1:
        raise ClaimError("Invalid --count: at least 1")
    for change in coord.watch(after_seq=values["after"]):
        context.print_json(event_json(change))
        sys.stdout.flush()
        if left is not None:
            left -= 1
            if not left:
                break
    return 0


@command(
    "coord guide",
    examples=(("coord guide --agents-md", "as a fragment to be added to AGENTS.md"),),
    options=(Option(("--agents-md",), "As a fragment for AGENTS.md."),),
)
def guide(context: Context, values: Values) -> int:
    """Print how an agent should use claims."""
    from bespeak.coord.agent_guide import AGENTS_MD, GUIDE

    context.print((AGENTS_MD if values["agents_md"] else GUIDE).rstrip())
    return 0
