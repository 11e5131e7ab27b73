"""What one JavaScript or TypeScript file says: the walk over its tree, and the facts that come of it."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import Binding, Facts, Reference, Symbol
from bespeak_symbols.native.javascript import bindings, declarations, functions, modules, statements
from bespeak_symbols.native.javascript.scopes import LOCALS, Chain, Declared, Scope, Walk, join

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Language, Node, Query, Tree

    from bespeak_symbols.model import Import
    from bespeak_symbols.native.javascript.scopes import Bound, Draft

    Handler = Callable[[Walk, Node, Scope], None]

_GRAMMARS = {".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx"}
_GLOBALS_WORDS = """
Array ArrayBuffer BigInt Boolean Buffer Date Error EvalError Function Infinity Intl JSON Map Math NaN Number
Object Promise Proxy RangeError ReferenceError Reflect RegExp Set String Symbol SyntaxError TypeError URIError
URL Uint8Array WeakMap WeakRef WeakSet arguments atob btoa clearInterval clearTimeout console decodeURI
decodeURIComponent document encodeURI encodeURIComponent fetch global globalThis isFinite isNaN module
parseFloat parseInt process queueMicrotask require setImmediate setInterval setTimeout structuredClone
undefined window
"""
_GLOBALS = frozenset(_GLOBALS_WORDS.split())
"""What every program has; a file that has its own declares it."""


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
        **dict.fromkeys(("identifier", "shorthand_property_identifier"), statements.name),
        **dict.fromkeys(("member_expression", "subscript_expression"), statements.member),
        "call_expression": statements.call,
        "new_expression": statements.make,
        **dict.fromkeys(("jsx_opening_element", "jsx_self_closing_element"), statements.element),
        "jsx_closing_element": statements.skip,
        "comment": statements.skip,
        "import_statement": modules.imports,
        "export_statement": modules.exports,
        "labeled_statement": _labelled,
        **_of_types(),
    }


def _of_types() -> dict[str, Handler]:
    """Return what looks at nodes that only TypeScript has."""
    return {
        "interface_declaration": declarations.interface,
        "type_alias_declaration": declarations.alias,
        "enum_declaration": declarations.enum,
        **dict.fromkeys(("internal_module", "module"), declarations.namespace),
        "ambient_declaration": declarations.ambient,
        **dict.fromkeys(("type_identifier", "nested_type_identifier"), bindings.use_type),
        **dict.fromkeys(
            (
                "function_type",
                "constructor_type",
                "construct_signature",
                "call_signature",
                *sorted(declarations.METHODS),
            ),
            bindings.function_type,
        ),
        "object_type": bindings.object_type,
        **dict.fromkeys(("infer_type", "mapped_type_clause"), bindings.type_variable),
        "type_predicate": bindings.type_predicate,
    }


def _labelled(walk: Walk, node: Node, scope: Scope) -> None:
    """``label: statement``."""
    walk.push(scope, node.child_by_field_name("body"))


def facts_of(walk: Walk, tree: Tree, language: str) -> Facts:
    """Return what a walk has found."""
    _name_locals(walk)
    names = {draft.name for draft in walk.drafts}
    plain = {draft.name for draft in walk.drafts if draft.kind == "function"} - walk.classlike
    bindings = _bindings(walk, plain)
    bound = {binding.name for binding in bindings}
    imports = tuple(_import(taken.imported, taken.declared) for taken in walk.taken)
    given = [name for name in dict.fromkeys(walk.exports) if name]
    return Facts(
        language,
        _symbols(walk, tree),
        imports,
        _references(walk, plain, bound | names),
        bindings,
        syntax.unread(tree.root_node),
        exports=tuple(given) if walk.modern else None,
    )


def _name_locals(walk: Walk) -> None:
    """Give each local and import a name that nothing else in the file has."""
    taken = {draft.name for draft in walk.drafts}
    numbers: dict[str, int] = {}
    for declared in walk.locals:
        owner = join(declared.owner, LOCALS) if declared.sort == "local" else declared.owner
        key = plain = join(owner, declared.name)
        while key in taken:
            numbers[plain] = numbers.get(plain, 0) + 1
            key = f"{plain}@{numbers[plain]}"
        taken.add(key)
        declared.key = key


def _import(imported: Import, declared: Declared | None) -> Import:
    """Return an import under the name it was given."""
    if declared is None:
        return imported
    local = declared.key.removeprefix(imported.within + ".") if imported.within else declared.key
    return imported if local == imported.local else replace(imported, local=local)


def _root(chain: Chain, scope: Scope, plain: set[str]) -> Declared | str | None:
    """Return what the first part of a chain stands for."""
    if chain.declared is not None:
        return chain.declared
    first = chain.parts[0] if chain.parts else "()"
    if first in {"this", "super"}:
        return None if scope.this in plain else scope.this or None
    return None if first == "()" else scope.find(first) or (first if first == "exports" else None)


def _key(root: Declared | str | None) -> str:
    return root if isinstance(root, str) else "" if root is None else root.key


def _references(walk: Walk, plain: set[str], known: set[str]) -> tuple[Reference, ...]:
    """Return what is mentioned, without what is certainly nothing of any file's."""
    seen: set[tuple[str, str, str, str]] = set()
    found: list[Reference] = []
    for mention in walk.mentions:
        chain = mention.chain
        if chain.parts[:2] == ["module", "exports"] and chain.declared is None and mention.scope.find("module") is None:
            chain = Chain(chain.parts[1:])
        root = _root(chain, mention.scope, plain)
        key = _key(root)
        if root is None and (chain.parts[0] in _GLOBALS or (mention.kind == "use" and len(chain.parts) > 1)):
            continue
        if isinstance(root, Declared) and root.sort == "local" and key not in known:
            if len(chain.parts) == 1 or mention.kind == "use":
                continue
        elif isinstance(root, str) and chain.parts == ["this"] and mention.kind != "call":
            continue
        text = ".".join(chain.parts)
        if mention.kind != "call":
            mark = (text, mention.kind, mention.within, key)
            if mark in seen:
                continue
            seen.add(mark)
        found.append(Reference(text, mention.kind, mention.line, mention.within, mention.arguments, root=key))
    found.sort(key=lambda one: one.line)
    return tuple(found)


def _bindings(walk: Walk, plain: set[str]) -> tuple[Binding, ...]:
    """Return what is bound. That a name is bound to something without a name is only said if it has a name too."""
    found: list[tuple[str, Binding]] = []
    named: set[str] = set()
    for bound in walk.bounds:
        subject = _subject(bound.subject, bound.scope, plain)
        if not subject:
            continue
        if bound.chain is None or (bound.chain.base is not None and bound.chain.declared is None):
            found.append((subject, Binding(subject, "", bound.how, bound.line)))
            continue
        key = _key(_root(bound.chain, bound.scope, plain))
        if key == subject and len(bound.chain.parts) == 1:
            continue
        named.add(subject)
        found.append((subject, Binding(subject, ".".join(bound.chain.parts), bound.how, bound.line, root=key)))
        if isinstance(bound.subject, Chain) and len(bound.subject.parts) > 1 and _lent(bound, plain):
            found.append((subject, Binding(subject, "", bound.how, bound.line)))
    kept = [binding for subject, binding in found if subject in named]
    functions = {draft.name for draft in walk.drafts if draft.kind in {"function", "method", "class"}}
    kept += [binding for subject, binding in found if subject not in named and subject in functions]
    kept.sort(key=lambda one: (one.line, one.name))
    return tuple(dict.fromkeys(kept))


def _lent(bound: Bound, plain: set[str]) -> bool:
    """Tell whether a member is given to something from elsewhere, which may have had another by that name."""
    root = _root(bound.subject, bound.scope, plain) if isinstance(bound.subject, Chain) else None
    return isinstance(root, Declared) and root.sort != "symbol"


def _subject(subject: Declared | str | Chain, scope: Scope, plain: set[str]) -> str:
    """Return the name of what is bound; empty if it is nothing that can be followed."""
    if isinstance(subject, str):
        return subject
    if isinstance(subject, Declared):
        return subject.key
    root = _root(subject, scope, plain)
    if root is None or (isinstance(root, Declared) and root.typed and len(subject.parts) == 1):
        return ""
    inner = [part for part in subject.parts[1:] if part != "prototype"]
    return "" if "()" in inner else join(_key(root), ".".join(inner)) if inner else _key(root)


def _symbols(walk: Walk, tree: Tree) -> tuple[Symbol, ...]:
    """Return the symbols of the file in the order of the source."""
    drafts = sorted(walk.drafts, key=lambda draft: (draft.outer.start_byte, -draft.outer.end_byte))
    tokens = syntax.Tokens(walk.source, tree.root_node)
    docs = _docs(tree) if drafts else {}
    inner: dict[int, list[Draft]] = {}
    above: list[Draft] = []
    for draft in drafts:
        while above and above[-1].outer.end_byte < draft.outer.end_byte:
            above.pop()
        if above and above[-1].outer.id != draft.outer.id:
            inner.setdefault(id(above[-1]), []).append(draft)
        above.append(draft)
    found = [_symbol(draft, inner.get(id(draft), []), tokens, docs) for draft in drafts]
    return _merged(found, drafts)


def _symbol(draft: Draft, inside: list[Draft], tokens: syntax.Tokens, docs: dict[int, tuple[int, Node]]) -> Symbol:
    first = syntax.first_line(draft.outer)
    doc = docs.get(first) or docs.get(first - 1)
    signature = " ".join(part for part in (*draft.words, tokens.line(*draft.signature)) if part)
    last = draft.name.rpartition(".")[2]
    return Symbol(
        draft.name,
        draft.kind,
        doc[0] if doc else first,
        syntax.last_line(draft.outer),
        signature[:2000],
        tokens.digest(draft.body),
        syntax.digest([_bare(doc[1])]) if doc else "",
        draft.bases,
        tokens.digest(draft.body, without=[one.outer for one in inside], name=last),
    )


def _merged(symbols: list[Symbol], drafts: list[Draft]) -> tuple[Symbol, ...]:
    """Make one symbol of overloads: signatures of one name that follow each other, and what they stand for."""
    merged: list[Symbol] = []
    open_ended = False
    for symbol, draft in zip(symbols, drafts, strict=True):
        last = merged[-1] if merged else None
        if last is not None and open_ended and last.name == symbol.name and last.kind == symbol.kind:
            merged[-1] = replace(
                symbol,
                first_line=last.first_line,
                signature=f"{last.signature}; {symbol.signature}"[:2000],
                doc=last.doc or symbol.doc,
            )
        else:
            merged.append(symbol)
        open_ended = draft.body is None and draft.kind in {"function", "method"}
    return tuple(merged)


def _docs(tree: Tree) -> dict[int, tuple[int, Node]]:
    """Return documentation comments by the line they end in: the line each begins in, and its node."""
    from tree_sitter import QueryCursor

    found: dict[int, tuple[int, Node]] = {}
    for node in QueryCursor(_comments(tree.language)).captures(tree.root_node).get("comment", ()):
        if (node.text or b"").startswith(b"/**"):
            found[syntax.last_line(node)] = (syntax.first_line(node), node)
    return found


@cache
def _comments(language: Language) -> Query:
    from tree_sitter import Query

    return Query(language, "(comment) @comment")


def _bare(comment: Node) -> bytes:
    """Return the words of a comment."""
    return b" ".join((comment.text or b"").replace(b"*", b" ").split())
