"""``coord symbols``: what is at an address, who depends on it, and on what it depends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Option, command
from bespeak.base.display import escape_unprintable
from bespeak.cli.coord_command import ADDRESS_HELP, ADDRESSES, EDGE_VERBS, JSON, contract_command, one_form, print_form

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.cli.context import Context, Values
    from bespeak.coord.symbol_index import SymbolReport, WalkedEdge

_LIMIT = 200
_UNREAD_SHOWN = 5
_PART = 100


@command(
    "coord symbols",
    text="Functions, classes, methods and constants, as the source files at HEAD tell (extra: symbols). "
    "With --callers or --callees also the calls, uses and derivations around them: how each name was "
    "resolved, and how sure that is. What could not be read is said.\n\n" + ADDRESS_HELP,
    examples=(
        ("coord symbols src/billing.py", "what is in a file"),
        ("coord symbols src/billing.py::compute_total --callers --depth 2", "what a change affects"),
        ("coord symbols src/billing.py::compute_total --callees --worktree", "as the files are now"),
        ("coord symbols src/ --callers --mermaid", "as a picture"),
    ),
    arguments=(ADDRESSES,),
    options=(
        Option(("--callers",), "Show who depends on it."),
        Option(("--callees",), "Show on what it depends."),
        Option(("--depth",), "Over how many steps, 1 to 20 (default 1).", "N", kind="int"),
        Option(("--rev",), "The revision to look at (default HEAD).", "REV"),
        Option(("--worktree",), "Look at the files as they are, committed or not."),
        Option(("--limit",), "How many steps to show (default 200; 0 for all).", "NUMBER", kind="int"),
        Option(("--dot",), "For Graphviz."),
        Option(("--mermaid",), "For Mermaid."),
        *JSON,
    ),
)
@contract_command
def symbols(context: Context, values: Values) -> int:
    """Print what is at some addresses."""
    from bespeak.base.paths import working_directory
    from bespeak.coord import symbol_index
    from bespeak.coord.errors import ClaimError
    from bespeak.git.repository import find

    one_form(context, values)
    limit = _LIMIT if values["limit"] is None else values["limit"]
    if limit < 0:
        raise ClaimError(f"Invalid --limit: {limit}; it must be 0 or more")
    if values["worktree"] and values["rev"] is not None:
        raise ClaimError("Choose one of --worktree and --rev")
    chosen = ((symbol_index.CALLER, values["callers"]), (symbol_index.CALLEE, values["callees"]))
    folder = working_directory()
    found = symbol_index.report(
        find(folder),
        values["address"],
        folder,
        directions=[direction for direction, wanted in chosen if wanted],
        depth=1 if values["depth"] is None else values["depth"],
        revision=None if values["worktree"] else (values["rev"] or "HEAD"),
        progress=_progress(),
    )
    return print_form(
        context,
        values,
        0,
        as_json=lambda: symbol_index.report_json(found, limit),
        diagram=lambda: symbol_index.symbols_diagram(found),
        text=lambda: _text(found, limit),
    )


def _progress() -> Callable[[int, int], None] | None:
    """Return what reports the progress of reading at a terminal."""
    import sys

    if not sys.stderr.isatty():
        return None

    def told(done: int, total: int) -> None:
        if total > _PART and (done % _PART == 0 or done == total):
            sys.stderr.write(f"\rreading files: {done} of {total}" + ("\n" if done == total else ""))
            sys.stderr.flush()

    return told


def _text(of: SymbolReport, limit: int) -> str:
    """Return the answer in words."""
    lines = []
    for each in of.symbols:
        signature = f" {each.symbol.signature}" if each.symbol.signature else ""
        where = f"{each.symbol.first_line}-{each.symbol.last_line}"
        lines.append(
            f"{escape_unprintable(each.address)} ({each.symbol.kind}, lines {where}){escape_unprintable(signature)}"
        )
    if not lines:
        lines.append("nothing is defined there")
    shown = of.steps[:limit] if limit else of.steps
    lines += [_step(step) for step in shown]
    if len(of.steps) > len(shown):
        lines.append(f" ... and {len(of.steps) - len(shown)} more (--limit 0 shows all)")
    lines += [f"⚠️ nothing is at {escape_unprintable(address)}" for address in of.unknown]
    for part in of.unread[:_UNREAD_SHOWN]:
        lines.append(
            f"⚠️ not read: {escape_unprintable(part.path)}{f':{part.line}' if part.line else ''}:"
            f" {escape_unprintable(part.why)}"
        )
    if len(of.unread) > _UNREAD_SHOWN:
        lines.append(f"⚠️ ... and {len(of.unread) - _UNREAD_SHOWN} more that could not be read")
    return "\n".join([*lines, *([f"⚠️ {of.notice}"] if of.notice else [])])


def _step(step: WalkedEdge) -> str:
    edge = step.edge
    place = f"{edge.caller.partition('::')[0]}:{edge.line}"
    sure = f"{edge.how}, {edge.confidence:.2f}"
    return (
        f" {step.distance} {escape_unprintable(place)}: {escape_unprintable(edge.caller)} {EDGE_VERBS[edge.kind]}"
        f" {escape_unprintable(edge.callee)} ({sure})"
    )
