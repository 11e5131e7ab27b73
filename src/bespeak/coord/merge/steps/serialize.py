"""What came of a merge as JSON, without the envelope of ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.display import replace_surrogates
from bespeak.coord.merge.serialize import revision_json

if TYPE_CHECKING:
    from bespeak.coord.merge.steps.model import Outcome


def outcome_json(of: Outcome, *, written: bool) -> dict[str, object]:
    """Return what came of a merge.

    Args:
        of: what came of it.
        written: the commit is in the repository.
    """
    check = of.check
    made: dict[str, object] = {
        "ours": revision_json(of.ours),
        "theirs": revision_json(of.theirs),
        "relation": of.relation.value,
        "commit": of.commit if written else None,
        "tree": of.tree or None,
        "into": of.into or None,
        "into_before": of.was or None,
        "steps": [
            {"kind": step.kind.value, "address": step.address, "reason": step.reason, "patch": step.patch}
            for step in of.steps
        ],
        "left": [
            {
                "kind": left.kind,
                "address": left.address,
                "recommendation": left.recommendation,
                "obstacle": left.obstacle or None,
            }
            for left in of.left
        ],
        "review": list(of.review),
        "check": None
        if check is None
        else {"command": check.command, "exit_code": check.exit_code, "output": check.output},
    }
    return {key: replace_surrogates(value) for key, value in made.items()}
