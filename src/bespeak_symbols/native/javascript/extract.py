"""One JavaScript or TypeScript file as facts."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.native.javascript import (
    declarations,
    expressions,
    functions,
    modules,
    statements,
    types,
    typescript,
)
from bespeak_symbols.native.javascript.facts import facts_of
from bespeak_symbols.native.javascript.scopes import Scope
from bespeak_symbols.native.javascript.state import Walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.model import Facts

    Handler = Callable[[Walk, Node, Scope], None]


_GRAMMARS = {".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx"}


def extract(source: bytes, path: str) -> Facts:
    """Return what a file says. Any bytes are taken; ``path`` only tells dialects apart (``.tsx``)."""
    grammar = _GRAMMARS.get(os.path.splitext(path)[1].lower(), "javascript")
    tree = syntax.parse(source, grammar)
    walk = Walk(source)
    handlers = _handlers()
    stack = walk.stack
    walk.inside(tree.root_node, Scope(None, "module", ""))
    while stack or walk.objects:
        if not stack:
            value, scope, name = walk.objects.pop()
            declarations.properties(walk, value, scope, name)
            continue
        node, scope = stack.pop()
        handler = handlers.get(node.type)
        if handler is not None:
            handler(walk, node, scope)
        elif node.named_child_count:
            walk.inside(node, scope)
    return facts_of(walk, tree, "javascript" if grammar == "javascript" else "typescript")


@cache
def _handlers() -> dict[str, Handler]:
    """Return what looks at which kind of node; what is in all others is looked at in turn."""
    return {
        **dict.fromkeys(("function_declaration", "generator_function_declaration"), functions.declaration),
        "function_signature": functions.declaration,
        **dict.fromkeys(("function_expression", "arrow_function", "generator_function"), functions.expression),
        "return_statement": functions.result,
        **dict.fromkeys(("class_declaration", "abstract_class_declaration"), declarations.class_declaration),
        "class": declarations.class_expression,
        "object": declarations.anonymous_object,
        **dict.fromkeys(("lexical_declaration", "variable_declaration"), statements.variables),
        "assignment_expression": statements.assignment,
        "augmented_assignment_expression": statements.update,
        **dict.fromkeys(("statement_block", "for_statement", "switch_body"), statements.block),
        "catch_clause": statements.caught,
        "for_in_statement": statements.loop,
        **dict.fromkeys(("identifier", "shorthand_property_identifier"), expressions.name),
        **dict.fromkeys(("member_expression", "subscript_expression"), expressions.member),
        "call_expression": expressions.call,
        "new_expression": expressions.make,
        **dict.fromkeys(("jsx_opening_element", "jsx_self_closing_element"), expressions.element),
        "jsx_closing_element": expressions.skip,
        "comment": expressions.skip,
        "import_statement": modules.imports,
        "export_statement": modules.exports,
        "labeled_statement": _labelled,
        **_of_types(),
    }


def _of_types() -> dict[str, Handler]:
    """Return what looks at nodes that only TypeScript has."""
    return {
        "interface_declaration": typescript.interface,
        "type_alias_declaration": typescript.alias,
        "enum_declaration": typescript.enum,
        **dict.fromkeys(("internal_module", "module"), typescript.namespace),
        "ambient_declaration": typescript.ambient,
        **dict.fromkeys(("type_identifier", "nested_type_identifier"), types.use_type),
        **dict.fromkeys(
            (
                "function_type",
                "constructor_type",
                "construct_signature",
                "call_signature",
                *sorted(declarations.METHODS),
            ),
            types.function_type,
        ),
        "object_type": types.object_type,
        **dict.fromkeys(("infer_type", "mapped_type_clause"), types.type_variable),
        "type_predicate": types.type_predicate,
    }


def _labelled(walk: Walk, node: Node, scope: Scope) -> None:
    """``label: statement``."""
    walk.push(scope, node.child_by_field_name("body"))
