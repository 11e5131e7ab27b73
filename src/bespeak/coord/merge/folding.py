"""Many items with one cause, told once: uses of what is in a file that one side deleted and git leaves in conflict.

Whoever decides whether that file stays decides over all of them, so each by itself only hides the others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bespeak.coord.merge.file_conflicts import SIDES
from bespeak.coord.merge.model import SideChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.coord.merge.file_conflicts import ConflictedFile
    from bespeak.coord.merge.model import Item

_WHOLE = ("modify/delete", "rename/delete")


def fold_uses_of_deleted_files(items: Sequence[Item], conflicted: Sequence[ConflictedFile]) -> list[Item]:
    """Return the items of uses; for a file that git leaves in conflict because one side deleted it, only the surest.

    Args:
        items: of uses.
        conflicted: the files that git leaves in conflict.
    """
    undecided = {clash.paths[side]: clash for clash in conflicted if clash.conflict.type in _WHOLE for side in SIDES}
    folded: dict[str, list[Item]] = {}
    kept = []
    for item in items:
        clash = undecided.get(item.address.partition("::")[0])
        if clash is None or SideChange.DELETED not in (*item.ours_change, *item.theirs_change):
            kept.append(item)
        else:
            folded.setdefault(clash.conflict.path, []).append(item)
    return [*kept, *(_one(path, found) for path, found in sorted(folded.items()))]


def _one(path: str, found: list[Item]) -> Item:
    item = min(found, key=lambda one: (-one.confidence, one.user, one.line, one.address))
    if len(found) == 1:
        return item
    places = len({(one.path, one.user, one.line) for one in found})
    more = f" So do {places - 1} more places of what is in {path}." if places > 1 else ""
    return replace(item, recommendation=f"{item.recommendation}{more} Decide first whether the file stays.")
