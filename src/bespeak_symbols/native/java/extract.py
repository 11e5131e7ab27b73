"""What one Java file says: one walk over its tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import Import
from bespeak_symbols.native.java import statements
from bespeak_symbols.native.java.declarations import DECLARATION_HANDLERS
from bespeak_symbols.native.scope_walker import ScopeWalker

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.model import Facts


def extract(source: bytes, path: str) -> Facts:  # noqa: ARG001 one dialect
    """Return what a Java file says."""
    return JavaWalker(source).facts()


class JavaWalker(ScopeWalker):
    """Walks a Java file."""

    transparent = frozenset({"line_comment", "block_comment"})

    def __init__(self, source: bytes) -> None:
        super().__init__(source, "java")
        self.elements: dict[int, str] = {}
        self.nameless: dict[str, int] = {}

    def documentation(self, node: Node) -> str:
        """Only ``/** ... */`` documents."""
        text = self.text(node)
        return text if text.startswith("/**") else ""


def _comment(walker: ScopeWalker, node: Node) -> None:
    if walker.documentation(node):
        walker.above = [node]


def _package(walker: ScopeWalker, node: Node) -> None:
    names = [child for child in node.named_children if "annotation" not in child.type]
    walker.package = walker.type_text(names[-1]) if names else ""


def _import(walker: ScopeWalker, node: Node) -> None:
    kinds = {child.type for child in node.children}
    named = [child for child in node.named_children if "identifier" in child.type]
    if not named:
        return
    whole = walker.type_text(named[0])
    static = "static" in kinds
    if "asterisk" in kinds:
        local, module, name = "*", whole, "*" if static else ""
    else:
        module, _, name = whole.rpartition(".")
        local = name
    if static and name != "*":
        module = "static " + module
    walker.imports.append(Import(local, module, name, syntax.first_line(node)))


JavaWalker.handlers = {
    "line_comment": _comment,
    "block_comment": _comment,
    "package_declaration": _package,
    "import_declaration": _import,
    **DECLARATION_HANDLERS,
    **statements.HANDLERS,
}
