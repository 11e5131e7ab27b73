"""Plans and orders of merges as JSON (without the envelope of ``--json``), and as diagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.display import replace_surrogates
from bespeak.coord.diagrams import Arrow, Diagram
from bespeak.coord.merge.model import LIKELY, ItemKind, SideChange

if TYPE_CHECKING:
    from bespeak.coord.merge.branch_order import Branch, Order
    from bespeak.coord.merge.model import Item, Plan, Revision

    Json = dict[str, object]


def plan_json(of: Plan) -> Json:
    """Return a plan."""
    made: Json = {
        "ours": revision_json(of.ours),
        "theirs": revision_json(of.theirs),
        "merge_bases": list(of.bases),
        "relation": of.relation.value,
        "verdict": of.verdict.value,
        "blocked": of.blocked,
        "summary": summary(of),
        "items": [item_json(item) for item in of.items],
        "git_conflicts": [
            {"path": one.path, "type": one.type, "message": one.message, "also": list(one.also)} for one in of.conflicts
        ],
        "unread": [{"path": part.path, "why": part.why, "line": part.line} for part in of.unread],
        "not_judged": [{"path": path, "why": why} for path, why in of.not_judged],
        "notes": list(of.notes),
    }
    return _sendable(made)


def _sendable(made: Json) -> Json:
    return {key: replace_surrogates(value) for key, value in made.items()}


def summary(of: Plan) -> Json:
    """Return the counts of a plan."""
    counted = [item for item in of.items if item.kind != ItemKind.NO_CONFLICT]
    return {
        "kinds": {
            kind.value: sum(item.kind == kind for item in counted) for kind in ItemKind if kind != ItemKind.NO_CONFLICT
        },
        ItemKind.NO_CONFLICT.value: of.changed,
        "likely": sum(item.likely for item in counted),
        "possible": sum(not item.likely for item in counted),
        "textual_files": len({one.path for one in of.conflicts}),
        "ours_files": of.files[0],
        "theirs_files": of.files[1],
        "both_files": of.files[2],
        "likely_from": LIKELY,
    }


def revision_json(of: Revision) -> Json:
    """Return a revision."""
    return {"revision": of.name, "commit": of.commit}


def item_json(of: Item) -> Json:
    """Return an item."""
    return {
        "kind": of.kind.value,
        "address": of.address,
        "path": of.path,
        "ours_change": [change.value for change in of.ours_change],
        "theirs_change": [change.value for change in of.theirs_change],
        "ours_address": of.ours_name or None,
        "theirs_address": of.theirs_name or None,
        "used_by": of.user or None,
        "line": of.line or None,
        "textual": of.textual,
        "git": of.type or None,
        "confidence": of.confidence,
        "likely": of.likely,
        "how": of.how,
        "recommendation": of.recommendation,
    }


def order_json(of: Order) -> Json:
    """Return an order of branches."""
    made: Json = {
        "onto": revision_json(of.onto),
        "branches": [branch_json(branch) for branch in of.branches],
        "cycles": [list(cycle) for cycle in of.cycles],
        "missing": list(of.missing),
        "pairs_compared": of.compared,
        "notes": list(of.notes),
    }
    return _sendable(made)


def branch_json(of: Branch) -> Json:
    """Return one branch in an order."""
    return {
        "position": of.position,
        "branch": of.revision.name,
        "commit": of.revision.commit,
        "strategy": of.strategy.value,
        "rebase_after": list(of.after),
        "depends_on": list(of.needs),
        "reservation_ids": list(of.claims),
        "symbols": list(of.symbols),
        "verdict": of.verdict.value,
        "conflicts": [
            {"branch": one.branch, "count": one.count, "verdict": one.verdict.value, "symbols": list(one.symbols)}
            for one in of.conflicts
        ],
        "recommendation": of.recommendation,
    }


def plan_diagram(plan: Plan) -> Diagram:
    """Return the two sides, the symbols that both touched, and what each side did to them."""
    boxes = {"ours": f"ours: {plan.ours.name}", "theirs": f"theirs: {plan.theirs.name}"}
    arrows: list[Arrow] = []
    for number, item in enumerate(item for item in plan.items if item.kind != ItemKind.NO_CONFLICT):
        name = f"i{number}"
        boxes[name] = f"{item.address} ({item.type or item.kind}, {_how_sure(item)})"
        for side, done in (("ours", item.ours_change), ("theirs", item.theirs_change)):
            arrows.append(Arrow(side, name, ", ".join(done) + (f" by {item.user}" if SideChange.USED in done else "")))
    return Diagram("merge", boxes, tuple(arrows))


def _how_sure(item: Item) -> str:
    return "git conflict" if item.textual else f"{item.confidence:.2f}"


def order_diagram(order: Order) -> Diagram:
    """Return the branches in their order, the target last, and which depend on or conflict with which."""
    names = {branch.revision.name: f"b{branch.position}" for branch in order.branches}
    boxes = {
        names[branch.revision.name]: f"{branch.position}. {branch.revision.name}: {branch.strategy}"
        for branch in order.branches
    }
    boxes["onto"] = order.onto.name
    arrows: list[Arrow] = []
    for branch in order.branches:
        own = names[branch.revision.name]
        arrows += [Arrow(names[needed], own, "needed by") for needed in branch.needs if needed in names]
        arrows += [
            Arrow(own, names[one.branch], f"{one.count} conflict(s)")
            for one in branch.conflicts
            if own < names[one.branch]
        ]
        arrows.append(Arrow(own, "onto", branch.strategy))
    return Diagram("merge", boxes, tuple(arrows))
