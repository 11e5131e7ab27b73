"""Members of types (fields, enum members, attributes, methods) that one side took away and the other newly reads.

A member is lost if its type declares it no more on one side. A new use of its name on the other side is in conflict if
what stands before the dot is of that type, or if nothing else of the changed tree has a member of that name at all.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.coord.merge.advice import advise
from bespeak.coord.merge.broken_uses import is_fresh
from bespeak.coord.merge.members import attributes, kin, members
from bespeak.coord.merge.model import Half, Item, ItemKind, SideChange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from bespeak.coord.merge.broken_uses import Changer, User
    from bespeak.coord.merge.definitions import ChangedFiles, Source
    from bespeak.coord.merge.resolved_trees import ResolvedTrees
    from bespeak_symbols.model import Binding, Facts

    Members = dict[tuple[str, str], str]
    """The file of each member, by its type and its name."""

_TYPED, _NOBODY_ELSE = 0.9, 0.7
_SHORTEST = 3
_ITSELF = frozenset({"self", "this", "cls", "Self"})
_REFERS = frozenset({"python", "javascript", "typescript", "java", "go"})
"""Languages of which the index has every expression, so that text in comments is told apart."""
_BRACED = frozenset({"go", "rust", "c", "cpp"})
"""Languages that make a value of a type by naming its members between braces."""
_STRINGS = re.compile(rb'"(?:\\.|[^"\\])*"|//.*|/\*.*?\*/')
_FAR = 30
"""So many lines above, at most, the brace of a value is looked for."""


@dataclass(frozen=True, slots=True)
class _Lost:
    """A member that is gone.

    Args:
        path: of its file in the merge base.
        owner: the type that declared it.
        name: its own.
        becomes: the name that seems to be in its place; empty if none does.
    """

    path: str
    owner: str
    name: str
    becomes: str


@dataclass(frozen=True, slots=True)
class _Use:
    """A use of a member: the line, what stands before the dot (empty: not known), and the type between whose braces."""

    line: int
    receiver: str
    braces: str = ""


def lost_members(user: User, changer: Changer, read: ChangedFiles, trees: ResolvedTrees) -> list[Item]:
    """Return an item for each new use of a member that the other side took away, in order.

    Args:
        user: the side that uses.
        changer: the side that changed what is used.
        read: what the changer changed.
        trees: in which other members of that name are looked for.
    """
    gone = _gone(read)
    if not gone:
        return []
    own = {(member.owner, member.name) for member in _gone_from(user.before.values(), user.files.values())}
    found: dict[tuple[str, str, str], Item] = {}
    for path in sorted(user.files):
        for lost in gone:
            if (lost.owner, lost.name) not in own and kin(path) == kin(lost.path):
                for use in _new_uses(user, path, lost):
                    item = _item(user, changer, trees, path, lost, use)
                    if item is not None:
                        found.setdefault((item.address, item.path, item.user), item)
    return [found[key] for key in sorted(found)]


def _gone(read: ChangedFiles) -> list[_Lost]:
    return _gone_from(read.before.values(), read.after.values())


def _gone_from(before: Collection[Source], after: Collection[Source]) -> list[_Lost]:
    """Return the members that were there before and are declared by no type of these files after."""
    old, new = _all_members(before), _all_members(after)
    declared = {name for owner, name in new.keys() - old.keys()}
    added: dict[str, list[str]] = {}
    for owner, name in new:
        if (owner, name) not in old:
            added.setdefault(owner, []).append(name)
    gone = [key for key in old if key not in new and key[1] not in declared and len(key[1]) >= _SHORTEST]
    alone = Counter(owner for owner, _ in gone)
    return [
        _Lost(
            old[owner, name],
            owner,
            name,
            added[owner][0] if alone[owner] == 1 and len(added.get(owner, ())) == 1 else "",
        )
        for owner, name in gone
    ]


def _all_members(sources: Iterable[Source]) -> Members:
    found: Members = {}
    for source in sources:
        for owner, name in (*members(source.facts), *attributes(source)):
            found.setdefault((owner, name), source.path)
    return found


def _new_uses(user: User, path: str, lost: _Lost) -> list[_Use]:
    """Return the uses of a member's name on lines that a side wrote, if it has more of them than the merge base."""
    source = user.files[path]
    word = re.compile(rb"\b%s\b" % re.escape(lost.name.encode()))
    lines = [number for number, line in enumerate(source.lines, 1) if word.search(line)]
    fresh = [number for number in lines if is_fresh(user, path, number)]
    if not fresh:
        return []
    found = [use for number in fresh for use in _uses_on(source, number, lost)]
    old = user.before.get(user.paths.get(path, path))
    if not found or old is None:
        return found
    before = sum(len(_accessed(lost.name).findall(_code(line))) for line in old.lines)
    now = sum(len(_accessed(lost.name).findall(_code(line))) for line in source.lines)
    return found if now > before or any(use.braces for use in found) else []


def _accessed(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"(\w+|[\])])?\s*(?:\.|->|::)\s*%s\b" % re.escape(name.encode()))


def _code(line: bytes) -> bytes:
    return _STRINGS.sub(b"", line)


def _uses_on(source: Source, number: int, lost: _Lost) -> Iterator[_Use]:
    facts, line = source.facts, _code(source.lines[number - 1])
    if facts.language not in _REFERS or lost.name in _parts(facts, number):
        for match in _accessed(lost.name).finditer(line):
            yield _Use(number, (match[1] or b"").decode("utf-8", "replace").strip("])"))
    if facts.language in _BRACED:
        named = re.search(rb"(?:^|[{,])\s*\.?%s\s*[:=,}]" % re.escape(lost.name.encode()), line)
        braces = _brace(source, number, named.start()) if named else ""
        if braces and braces == lost.owner.rpartition(".")[2]:
            yield _Use(number, "", braces)


def _parts(facts: Facts, line: int) -> set[str]:
    """Return the names in the expressions on a line."""
    texts = [ref.text for ref in facts.references if ref.line == line]
    texts += [binding.target for binding in facts.bindings if binding.line == line]
    return {part for text in texts for part in text.split(".")}


def _brace(source: Source, number: int, at: int) -> str:
    """Return the word before the brace that is open at a place of a line; empty if there is none near."""
    above = source.lines[max(0, number - _FAR) : number - 1]
    text = b"\n".join([*map(_code, above), _code(source.lines[number - 1])[: at + 1]])
    depth = 0
    for index in range(len(text) - 1, -1, -1):
        sign = text[index : index + 1]
        if sign == b"}":
            depth += 1
        elif sign == b"{":
            if not depth:
                before = re.search(rb"(\w+)(?:<[^<>]*>)?\s*=?\s*$", text[:index])
                return "" if before is None else before[1].decode("utf-8", "replace")
            depth -= 1
    return ""


def _item(user: User, changer: Changer, trees: ResolvedTrees, path: str, lost: _Lost, use: _Use) -> Item | None:
    source = user.files[path]
    within = _within(source.facts, use.line)
    fits = use.braces != "" or _is_of(source, within, use, lost.owner)
    if fits is False and _other_name(source.facts, within, use, lost.owner, trees, user.side.name):
        fits = True
    if fits is False or (fits is None and trees.has_member(changer.side.name, lost.name, source.path)):
        return None
    confidence = _TYPED if fits else _NOBODY_ELSE
    return _built(user, changer, lost, path, within, use.line, confidence)


def _within(facts: Facts, line: int) -> str:
    """Return the innermost symbol around a line; empty at the top level."""
    around = [symbol for symbol in facts.symbols if symbol.first_line <= line <= symbol.last_line]
    return max(around, key=lambda symbol: (symbol.first_line, len(symbol.name))).name if around else ""


def _is_of(source: Source, within: str, use: _Use, owner: str) -> bool | None:
    """Tell whether what stands before a dot is of a type; None if the file does not say."""
    facts, receiver, last = source.facts, use.receiver, owner.rpartition(".")[2]
    if receiver == last:
        return True
    if receiver in _ITSELF:
        return _is_inside(facts, within, owner)
    if any(one.local == receiver for one in facts.imports):
        return False
    binding = _bound(facts.bindings, within, receiver)
    found = None if binding is None else _binds(binding, last)
    return _declared(source, within, use, last) if found is None else found


def _other_name(facts: Facts, within: str, use: _Use, owner: str, trees: ResolvedTrees, side: str) -> bool:
    """Tell whether what stands before a dot is of a type that is another name of the owner (``typedef``)."""
    binding = _bound(facts.bindings, within, use.receiver)
    names = re.findall(r"[A-Za-z_]\w*", "" if binding is None or binding.how != "type" else binding.target)
    return any(owner.rpartition(".")[2] in trees.named_again(side, name) for name in names)


def _declared(source: Source, within: str, use: _Use, last: str) -> bool | None:
    """Tell whether the text above a use says that a name is of a type; None if it says nothing of it."""
    starts = [symbol.first_line for symbol in source.facts.symbols if symbol.name == within]
    if not use.receiver or not starts:
        return None
    name = re.escape(use.receiver.encode())
    named = re.compile(rb"\b%s\s*:\s*([^,)=]+)|\b%s\s*:?=\s*[&*]?(?:new\s+)?([A-Z]\w*)\s*[({:]" % (name, name))
    for line in reversed(source.lines[max(starts) - 1 : use.line]):
        found = named.search(_code(line))
        if found:
            types = re.findall(rb"[A-Za-z_]\w*", found[1] or found[2])
            return last.encode() in types if types else None
    return None


def _binds(binding: Binding, last: str) -> bool | None:
    """Tell whether a name is bound to a value of a type."""
    made = binding.how == "alias" and binding.target.endswith(".()")
    if binding.how not in {"type", "self", "class"} and not made:
        return None
    names: list[str] = re.findall(r"[A-Za-z_]\w*", binding.target)
    if not names:
        return None
    return True if last in names else None if made else False


def _is_inside(facts: Facts, within: str, owner: str) -> bool | None:
    """Tell whether a method is one of a type; None if its own type may have members from elsewhere."""
    if within.startswith(f"{owner}."):
        return True
    holder = within.rpartition(".")[0]
    bases = [symbol.bases for symbol in facts.symbols if symbol.name == holder]
    return None if not bases or any(bases) else False


def _bound(bindings: Iterable[Binding], within: str, name: str) -> Binding | None:
    """Return the binding of a name that is nearest to a scope; a member of that name if no scope has one."""
    best, depth = None, -1
    for binding in bindings:
        scope, _, last = binding.name.rpartition(".")
        if last == name:
            scope = scope.removesuffix(".<locals>")
            seen = within == scope or within.startswith(f"{scope}.") or not scope
            near = len(scope) + 1 if seen else 0
            if near > depth:
                best, depth = binding, near
    return best


def _built(user: User, changer: Changer, lost: _Lost, path: str, within: str, line: int, confidence: float) -> Item:
    address = f"{lost.path}::{lost.owner}.{lost.name}"
    becomes = f"{lost.path}::{lost.owner}.{lost.becomes}" if lost.becomes else ""
    kind = ItemKind.RENAME_EDIT if becomes else ItemKind.DELETE_USE
    done = SideChange.RENAMED if becomes else SideChange.DELETED
    who = f"{path}::{within}" if within else path
    first, second = Half(changer.side.label, (done,), becomes), Half(user.side.label, (SideChange.USED,), address)
    halves = changer.ours_first(first, second)
    typed = "its type is known" if confidence >= _TYPED else "nothing else has a member of that name"
    return Item.of_halves(
        kind,
        address,
        halves,
        confidence=confidence,
        how=f"member {lost.owner}.{lost.name} is gone, and {typed}",
        recommendation=advise(kind, address, *halves, user=who),
        path=path,
        user=who,
        line=line,
    )
