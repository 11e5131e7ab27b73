"""What to do about an item, in one sentence that names who did what."""

from __future__ import annotations

from bespeak.coord.merge.model import Half, ItemKind, SideChange

_DID = {
    SideChange.ADDED: "added it",
    SideChange.DELETED: "deleted it",
    SideChange.RENAMED: "renamed it",
    SideChange.MOVED: "moved it",
    SideChange.USED: "newly uses it",
}
_CHANGED = {
    SideChange.SIGNATURE: "its signature",
    SideChange.BODY: "its body",
    SideChange.DOCSTRING: "its documentation",
}


def did(words: tuple[SideChange, ...]) -> str:
    """Return what was done, in words."""
    deeds = [_DID[word] for word in words if word in _DID]
    parts = [_CHANGED[word] for word in words if word in _CHANGED]
    if parts:
        deeds.append("changed " + _listed(parts))
    return _listed(deeds) or "left it alone"


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def advise(kind: ItemKind, address: str, one: Half, two: Half, user: str = "") -> str:
    """Return a recommendation; the order of the two sides does not matter to what it says."""
    first, second = (one, two) if _leads(kind, one, two) else (two, one)
    if user:
        return _about_use(kind, address, first, second, user)
    if kind == ItemKind.DELETE_USE:
        return (
            f"{first.name} deleted {address}, {second.name} {did(second.words)}: "
            "decide whether it stays; if it goes, carry the change to what replaces it."
        )
    if kind in {ItemKind.RENAME_EDIT, ItemKind.MOVE_EDIT}:
        return _about_place(kind, address, first, second)
    if kind == ItemKind.ADD_ADD:
        return (
            f"Both sides define {address}: if they mean one thing, keep one of the two; else give one another name "
            "and change what uses it."
        )
    if kind == ItemKind.OVERLAP and (SideChange.DOCSTRING,) in (one.words, two.words):
        return f"{first.name} {did(first.words)} and {second.name} {did(second.words)}: see that the two still agree."
    return (
        f"Both sides changed {address} ({first.name} {did(first.words)}, {second.name} {did(second.words)}): "
        "merge it by hand, with the tests of both."
    )


def _leads(kind: ItemKind, one: Half, two: Half) -> bool:
    """Tell whether ``one`` is the side that the kind of the item is named after."""
    word = {
        ItemKind.DELETE_USE: SideChange.DELETED,
        ItemKind.RENAME_EDIT: SideChange.RENAMED,
        ItemKind.MOVE_EDIT: SideChange.MOVED,
        ItemKind.DEPENDENCY: SideChange.SIGNATURE,
    }.get(kind)
    if SideChange.USED in one.words or SideChange.USED in two.words:
        return SideChange.USED not in one.words
    if (word in one.words) == (word in two.words):
        return (one.name, one.words) <= (two.name, two.words)
    return word in one.words


def _about_place(kind: ItemKind, address: str, first: Half, second: Half) -> str:
    verb = "renamed" if kind == ItemKind.RENAME_EDIT else "moved"
    if {SideChange.RENAMED, SideChange.MOVED} & set(second.words):
        return (
            f"{first.name} made {address} {first.becomes}, {second.name} made it {second.becomes}: "
            "agree on one place and name, and see that only one definition is left."
        )
    return (
        f"{first.name} {verb} {address} to {first.becomes}, {second.name} {did(second.words)}: "
        f"make {second.name}'s change in {first.becomes}."
    )


def _about_use(kind: ItemKind, address: str, first: Half, second: Half, user: str) -> str:
    if kind == ItemKind.DELETE_USE:
        return f"{first.name} deleted {address}, which {user} on {second.name} newly uses: restore it, or do without."
    if kind in {ItemKind.RENAME_EDIT, ItemKind.MOVE_EDIT}:
        verb = "renamed" if kind == ItemKind.RENAME_EDIT else "moved"
        where = f"{first.name} {verb} {address} to {first.becomes}"
        return f"{where}: after the merge, let {user} ({second.name}) use it there."
    what = "signature" if SideChange.SIGNATURE in first.words else "body"
    return (
        f"{first.name} changed the {what} of {address}, which {user} on {second.name} newly uses: "
        "after the merge, make that use fit."
    )


def advise_lost(name: str, path: str, taker: Half, user: Half, caller: str, *, imported: bool) -> str:
    """Return a recommendation for a name that one side took out of a file and the other newly uses there."""
    what = f"the import of {name}" if imported else name
    return (
        f"{taker.name} took {what} out of {path}, where {caller} on {user.name} newly uses it: "
        f"{'import it again' if imported else 'define it again'}, or do without."
    )


def advise_heir(address: str, changer: Half, user: Half, who: str) -> str:
    """Return a recommendation for what one side derives from something that the other changed."""
    if SideChange.ADDED in changer.words:
        return f"{changer.name} added {address}: after the merge, let {who} ({user.name}) define it too."
    if SideChange.DELETED in changer.words:
        return f"{changer.name} deleted {address}: see who calls {who} ({user.name}), which newly overrides it."
    if SideChange.RENAMED in changer.words:
        return (
            f"{changer.name} renamed {address} to {changer.becomes}: after the merge, let {who} ({user.name}) follow."
        )
    return (
        f"{changer.name} changed the signature of {address}, which {who} on {user.name} newly relies on: "
        "after the merge, make that fit."
    )
