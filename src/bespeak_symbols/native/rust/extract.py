"""What one Rust file says: one walk over its tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.model import USE
from bespeak_symbols.native.rust import statements
from bespeak_symbols.native.rust.declarations import DECLARATION_HANDLERS, RustWalker
from bespeak_symbols.native.rust.expressions import path_of, scan

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.model import Facts


def extract(source: bytes, path: str) -> Facts:  # noqa: ARG001 one dialect
    """Return what a Rust file says."""
    return RustWalker(source).facts()


def _comment(walker: RustWalker, node: Node) -> None:
    if walker.documentation(node):
        walker.above.append(node)


def _attribute(walker: RustWalker, node: Node) -> None:
    walker.above.append(node)
    attribute = node.named_children[0] if node.named_children else None
    if attribute is None or not attribute.named_children:
        return
    path = path_of(walker, attribute.named_children[0])
    if path == "derive":
        tree = attribute.child_by_field_name("arguments")
        if tree is not None:
            walker.then((scan, (walker, tree, USE)))
    elif path:
        walker.refer(path + ".!", USE, node)


RustWalker.handlers = {
    "line_comment": _comment,
    "block_comment": _comment,
    "attribute_item": _attribute,
    "inner_attribute_item": lambda _reading, _node: None,
    "visibility_modifier": lambda _reading, _node: None,
    **DECLARATION_HANDLERS,
    **statements.HANDLERS,
}
