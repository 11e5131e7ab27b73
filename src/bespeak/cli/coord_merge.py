"""Commands that plan merges: ``plan-merge`` and ``reconcile``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.display import escape_unprintable
from bespeak.cli.coord_command import JSON, contract_command, failing, one_form, print_form, with_coord

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.coord.merge.branch_order import Branch, Order
    from bespeak.coord.merge.model import Item, Plan
    from bespeak.coord.service import Coord

FAILED_CODE = 7
_CYCLE = "cycle"
_UNREAD_SHOWN = 5


@command(
    "coord plan-merge",
    text="OURS is what is merged into, THEIRS what is merged; both are any revision that git knows. "
    "Nothing is merged, and neither work tree nor index is touched. Every file that git would leave "
    "in conflict is in the plan, and so is what breaks although git merges it: a function renamed, moved "
    "or deleted that the other side newly uses, a call that a changed signature no longer takes, one name "
    "defined twice (extra: symbols). Exit 0, unless --fail-on says otherwise.",
    examples=(
        ("coord plan-merge main feature", "before you merge"),
        ("coord plan-merge HEAD origin/main --json", "for a program"),
        ("coord plan-merge main feature --fail-on any", "exit 7 if a conflict is predicted"),
        ("coord plan-merge main feature --mermaid", "as a picture"),
    ),
    arguments=(Argument("OURS"), Argument("THEIRS")),
    options=(
        Option(("--all",), "Also what only one side changed, and faint suspicions."),
        Option(
            ("--fail-on",),
            "Exit 7 if there is a conflict that is textual, semantic, or worth a review, or a changed source file that "
            "is not_judged; any means textual or semantic; may be repeated.",
            "WHAT",
            many=True,
        ),
        Option(("--dot",), "For Graphviz."),
        Option(("--mermaid",), "For Mermaid."),
        *JSON,
    ),
)
@contract_command
def plan_merge(context: Context, values: Values) -> int:
    """Print what a merge would do."""
    from bespeak.base.paths import working_directory
    from bespeak.coord.merge.model import Verdict
    from bespeak.coord.merge.plan import plan
    from bespeak.coord.merge.serialize import plan_diagram, plan_json
    from bespeak.git.repository import find

    one_form(context, values)
    severe = (Verdict.TEXTUAL, Verdict.SEMANTIC)
    wanted = failing(values["fail_on"], (*severe, Verdict.REVIEW, Verdict.NOT_JUDGED), severe)
    made = plan(find(working_directory(), bare=True), values["ours"], values["theirs"], everything=values["all"])
    return print_form(
        context,
        values,
        FAILED_CODE if _reached(made, wanted) else 0,
        as_json=lambda: plan_json(made),
        diagram=lambda: plan_diagram(made),
        text=lambda: _plan_text(made),
    )


def _reached(made: Plan, wanted: set[str]) -> bool:
    """Tell whether a plan has an item of a kind that is to fail, whatever its verdict is named after."""
    from bespeak.coord.merge.model import ItemKind, Verdict

    found = {made.verdict, *([Verdict.NOT_JUDGED] if made.not_judged else ())}
    for item in made.items:
        if item.kind not in {ItemKind.FILE, ItemKind.NO_CONFLICT} and not item.textual:
            found.add(Verdict.SEMANTIC if item.likely else Verdict.REVIEW)
    if Verdict.TEXTUAL in wanted and made.conflicts:
        return True
    return bool(found & wanted)


def _plan_text(of: Plan) -> str:
    from bespeak.coord.merge.model import ItemKind, Relation

    ours, theirs = escape_unprintable(of.ours.name), escape_unprintable(of.theirs.name)
    if of.relation == Relation.ALREADY_MERGED:
        return f"✅ {ours} has all of {theirs} already: nothing to merge"
    if of.relation == Relation.FAST_FORWARD:
        return f"✅ Fast-forward: {ours} only has to move on to {theirs}"
    lines = []
    for item in of.items:
        lines += _untouched(item) if item.kind == ItemKind.NO_CONFLICT else _item(item)
    lines.append(_verdict(of))
    lines.append(f" {ours} changed {of.files[0]} file(s), {theirs} {of.files[1]}, both {of.files[2]}")
    lines += [f" {escape_unprintable(note)}" for note in of.notes]
    lines += [
        f" ⚠️ not judged: {escape_unprintable(path)}: {escape_unprintable(why)}"
        for path, why in of.not_judged[:_UNREAD_SHOWN]
    ]
    if len(of.not_judged) > _UNREAD_SHOWN:
        lines.append(f" ⚠️ ... and {len(of.not_judged) - _UNREAD_SHOWN} more that were not judged")
    told = {path for path, _ in of.not_judged}
    unread = [part for part in of.unread if part.path not in told]
    for part in unread[:_UNREAD_SHOWN]:
        place = f"{part.path}:{part.line}" if part.line else part.path
        lines.append(f" ⚠️ not read: {escape_unprintable(place)}: {escape_unprintable(part.why)}")
    if len(unread) > _UNREAD_SHOWN:
        lines.append(f" ⚠️ ... and {len(unread) - _UNREAD_SHOWN} more that could not be read")
    return "\n".join(lines)


def _untouched(item: Item) -> list[str]:
    done = f"ours: {', '.join(item.ours_change) or '-'}; theirs: {', '.join(item.theirs_change) or '-'}"
    return [f" ✅ {escape_unprintable(item.address)} ({done}; {escape_unprintable(item.how)})"]


def _item(item: Item) -> list[str]:
    sure = "git conflict" if item.textual else f"git merges it, {item.confidence:.2f}"
    where = f" at line {item.line}" if item.line else ""
    mark = "❌" if item.likely else "⚠️"
    lines = [f" {mark} {item.type or item.kind} {escape_unprintable(item.address)} ({sure})"]
    if item.ours_change or item.theirs_change:
        sides = (("ours", item.ours_change, item.ours_name), ("theirs", item.theirs_change, item.theirs_name))
        lines += [f"    {name}: {_did(item, done, becomes)}" for name, done, becomes in sides]
    if item.user:
        lines.append(f"    used by {escape_unprintable(item.user)}{where}")
    return [*lines, f"    {escape_unprintable(item.recommendation)}", ""]


def _did(item: Item, done: tuple[str, ...], becomes: str) -> str:
    to = f" to {escape_unprintable(becomes)}" if becomes and becomes != item.address else ""
    return (", ".join(done) or "-") + to


def _verdict(of: Plan) -> str:
    from bespeak.coord.merge.model import Verdict

    likely = len(of.conflicting)
    semantic = sum(not item.textual for item in of.conflicting)
    if of.verdict == Verdict.CLEAN:
        return f"✅ {escape_unprintable(of.theirs.name)} merges cleanly into {escape_unprintable(of.ours.name)}"
    if of.verdict == Verdict.NOT_JUDGED:
        return f"✅ git merges it; not judged: {len(of.not_judged)} changed file(s) that are not read"
    if of.verdict == Verdict.REVIEW:
        return f"✅ git merges it; {len(of.items)} thing(s) are worth a look"
    if of.verdict == Verdict.SEMANTIC:
        return f"❌ git merges it, but {likely} conflict(s) are likely that git does not see"
    also = f"; {semantic} more that git does not see" if semantic else ""
    return f"❌ git reports conflicts in {len({one.path for one in of.conflicts})} file(s){also}"


@command(
    "coord reconcile",
    text="Branches with active claims, or those named: what their reservations depend on first, then who "
    "conflicts least with the others. Strategies: already_merged, fast_forward, merge, rebase_after, "
    "manual. Each is tried in that order in a store that is thrown away. Exit 0, unless --fail-on "
    "says otherwise.",
    examples=(
        ("coord reconcile", "all branches on which something is claimed"),
        ("coord reconcile feature-a feature-b --onto release", "these two, into another branch"),
        ("coord reconcile --json --fail-on any", "exit 7 if one needs a hand, or they wait for each other"),
    ),
    arguments=(Argument("BRANCH", many=True, required=False),),
    options=(
        Option(("--onto",), "What they are merged into (default: the origin's branch, else main).", "REV"),
        Option(
            ("--fail-on",),
            "Exit 7 if a branch has this strategy, or there is a cycle; any means manual or cycle; may be repeated.",
            "WHAT",
            many=True,
        ),
        Option(("--dot",), "For Graphviz."),
        Option(("--mermaid",), "For Mermaid."),
        *JSON,
    ),
)
@contract_command
def reconcile(context: Context, values: Values) -> int:
    """Print the order in which to merge branches."""
    from bespeak.coord.merge.branch_order import Strategy

    one_form(context, values)
    wanted = failing(values["fail_on"], (_CYCLE, *Strategy), (_CYCLE, Strategy.MANUAL))
    return with_coord(context, lambda coord: _reconcile(context, values, coord, wanted))


def _reconcile(context: Context, values: Values, coord: Coord, wanted: set[str]) -> int:
    from bespeak.coord.merge.serialize import order_diagram, order_json

    found = coord.reconcile(values["branch"], onto=values["onto"])
    seen = {branch.strategy for branch in found.branches} | ({_CYCLE} if found.cycles else set())
    return print_form(
        context,
        values,
        FAILED_CODE if seen & wanted else 0,
        as_json=lambda: order_json(found),
        diagram=lambda: order_diagram(found),
        text=lambda: _order_text(found),
    )


def _order_text(of: Order) -> str:
    lines = [line for branch in of.branches for line in _branch(branch)]
    if not of.branches:
        lines.append(
            f"nothing to merge into {escape_unprintable(of.onto.name)}: no other branch has active claims; name some"
        )
    return "\n".join([*lines, *(f" ⚠️ {escape_unprintable(note)}" for note in of.notes)])


def _branch(of: Branch) -> list[str]:
    lines = [
        f"{of.position:>3}. {of.strategy:14}  {escape_unprintable(of.revision.name)}",
        f"     {escape_unprintable(of.recommendation)}",
    ]
    if of.needs:
        lines.append(f"     depends on {escape_unprintable(', '.join(of.needs))}")
    lines += [f"     {one.count} conflict(s) with {escape_unprintable(one.branch)}" for one in of.conflicts]
    return lines
