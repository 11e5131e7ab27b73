"""Plans and orders of merges as JSON: what ``--json`` prints without its envelope, and what tools for agents return."""

from __future__ import annotations

from bespeak.base.display import replace_surrogates
from bespeak.coord.merge.model import KINDS, LIKELY, NO_CONFLICT

TYPE_CHECKING = False
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
        "relation": of.relation,
        "verdict": of.verdict,
        "blocked": of.blocked,
        "summary": summary(of),
        "items": [item_json(item) for item in of.items],
        "git_conflicts": [
            {"path": one.path, "type": one.type, "message": one.message, "also": list(one.also)} for one in of.conflicts
        ],
        "unread": [{"path": part.path, "why": part.why, "line": part.line} for part in of.unread],
        "notes": list(of.notes),
    }
    return _sendable(made)


def _sendable(made: Json) -> Json:
    return {key: replace_surrogates(value) for key, value in made.items()}


def summary(of: Plan) -> Json:
    """Return the counts of a plan."""
    counted = [item for item in of.items if item.kind != NO_CONFLICT]
    return {
        "kinds": {kind: sum(item.kind == kind for item in counted) for kind in KINDS if kind != NO_CONFLICT},
        NO_CONFLICT: of.changed,
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
        "kind": of.kind,
        "address": of.address,
        "path": of.path,
        "ours_change": list(of.ours_change),
        "theirs_change": list(of.theirs_change),
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
        "strategy": of.strategy,
        "rebase_after": list(of.after),
        "depends_on": list(of.needs),
        "reservation_ids": list(of.claims),
        "symbols": list(of.symbols),
        "verdict": of.verdict,
        "conflicts": [
            {"branch": one.branch, "count": one.count, "verdict": one.verdict, "symbols": list(one.symbols)}
            for one in of.conflicts
        ],
        "recommendation": of.recommendation,
    }
