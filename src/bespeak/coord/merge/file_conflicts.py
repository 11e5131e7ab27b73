"""Files that git leaves in conflict, as items: whatever no symbol accounts for, in any language or none."""

from __future__ import annotations

from bespeak.coord.merge.conflict_hunks import OURS, THEIRS
from bespeak.coord.merge.model import FILE, NO_CONFLICT, Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.coord.merge.conflict_hunks import Clash, Region
    from bespeak.coord.merge.definitions import Node

_MOST_NAMED = 6
_ADVICE = {
    "contents": "Both sides changed the same lines: merge them by hand",
    "add/add": "Both sides added this file with different content: keep one, or merge the two by hand",
    "binary": "Both sides changed a file that has no lines: choose one of the two",
    "modify/delete": "One side changed it, the other deleted it: decide whether it stays",
    "rename/delete": "One side gave it another path, the other deleted it: decide whether it stays",
    "rename/rename": "The two sides gave it different paths, or two files one path: agree on one path each",
    "rename involved in collision": "Two files come to lie at one path: give one of them another",
    "file/directory": "A file on one side is a folder on the other: give one of the two another path",
    "distinct modes": "It is a file of another kind on each side (a link, say): keep one, or give one another path",
    "distinct types": "It is a file of another kind on each side (a link, say): keep one, or give one another path",
    "submodule": "The two sides point the submodule at different commits: choose one that has both",
    "directory rename split": "A folder was divided among several: say where its new files belong",
}
_ANY = "git cannot merge it: resolve it by hand"


def file_items(
    clashing: Iterable[Clash], items: Sequence[Item], ours: Sequence[Node], theirs: Sequence[Node]
) -> list[Item]:
    """Return an item for each file in conflict that the items of symbols do not account for.

    Args:
        clashing: the files that git leaves in conflict.
        items: of symbols.
        ours: the definitions on ours, in files that it changed.
        theirs: the same of theirs.
    """
    told = [item for item in items if item.textual and item.kind != NO_CONFLICT]
    names = {OURS: {item.ours_name for item in told}, THEIRS: {item.theirs_name for item in told}}
    found = []
    for clash in clashing:
        sides = {
            side: [node for node in nodes if node.path == clash.paths[side]]
            for side, nodes in ((OURS, ours), (THEIRS, theirs))
        }
        left = [region for region in clash.regions if not _accounted(clash, region, sides, names)]
        whole = not clash.regions and not (clash.conflict.type == "add/add" and _named(sides, names))
        if left or whole:
            found.append(_item(clash, left, sides))
    return found


def _named(sides: dict[str, list[Node]], names: dict[str, set[str]]) -> bool:
    """Tell whether an item names a definition of the file."""
    return any(node.address in names[side] for side, nodes in sides.items() for node in nodes)


def _accounted(clash: Clash, region: Region, sides: dict[str, list[Node]], names: dict[str, set[str]]) -> bool:
    return any(
        node.address in names[side] and clash.at(region, side, node) for side, nodes in sides.items() for node in nodes
    )


def _item(clash: Clash, regions: Sequence[Region], sides: dict[str, list[Node]]) -> Item:
    conflict = clash.conflict
    near = sorted(
        {
            node.symbol.name
            for side, nodes in sides.items()
            for node in nodes
            if not node.holds and any(clash.at(region, side, node) for region in regions)
        }
    )
    advice = _ADVICE.get(conflict.type, _ADVICE["submodule"] if conflict.type.startswith("submodule") else _ANY)
    shown = ", ".join(near[:_MOST_NAMED]) + (" and more" if len(near) > _MOST_NAMED else "")
    return Item(
        FILE,
        conflict.path,
        (),
        (),
        clash.paths[OURS],
        clash.paths[THEIRS],
        textual=True,
        confidence=1.0,
        how=f"git: {conflict.message}",
        recommendation=f"{advice}{f' (at {shown})' if near else ''}.",
        path=conflict.path,
        line=regions[0].ours[0] if regions else 0,
        type=conflict.type,
    )
