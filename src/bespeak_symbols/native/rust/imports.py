"""The trees of Rust's ``use``, taken apart."""

from __future__ import annotations

from bespeak_symbols import syntax
from bespeak_symbols.model import Import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.scope_walker import Scoping

_NAMES = frozenset({"identifier", "self", "super", "crate", "scoped_identifier", "metavariable"})


def used_names(reading: Scoping, node: Node) -> list[Import]:
    """Return what a ``use`` takes from where."""
    public = any(child.type == "visibility_modifier" for child in node.named_children)
    line = syntax.first_line(node)
    found: list[Import] = []
    waiting: list[tuple[Node | None, str]] = [(node.child_by_field_name("argument"), "")]
    while waiting:
        one, before = waiting.pop()
        if one is None:
            continue
        kind = one.type
        if kind == "use_list":
            waiting.extend((child, before) for child in reversed(one.named_children))
        elif kind == "scoped_use_list":
            path = one.child_by_field_name("path")
            waiting.append((one.child_by_field_name("list"), _join(before, _path(reading, path))))
        elif kind == "use_wildcard":
            inner = one.named_children[0] if one.named_children else None
            found.append(Import("*", _join(before, _path(reading, inner)), "", line, reading.within, public))
        elif kind == "use_as_clause":
            whole = _join(before, _path(reading, one.child_by_field_name("path")))
            local = reading.text(one.child_by_field_name("alias"))
            found.append(_named(whole, local, line, reading.within, public))
        elif kind in _NAMES:
            found.append(_named(_join(before, _path(reading, one)), "", line, reading.within, public))
    return found


def _path(reading: Scoping, node: Node | None) -> str:
    return "" if node is None else "".join(reading.text(node).split())


def _join(before: str, path: str) -> str:
    return f"{before}::{path}" if before and path else before or path


def _named(whole: str, local: str, line: int, within: str, public: bool) -> Import:
    whole = whole.removeprefix("::").removesuffix("::self")
    module, _, name = whole.rpartition("::")
    if not module:
        return Import(local or whole, whole, "", line, within, public)
    return Import(local or name, module, name, line, within, public)


def used_crate(reading: Scoping, node: Node) -> Import:
    """Return what ``extern crate`` takes."""
    name = reading.text(node.child_by_field_name("name"))
    local = reading.text(node.child_by_field_name("alias")) or name
    return Import(local, name, "", syntax.first_line(node), reading.within)
