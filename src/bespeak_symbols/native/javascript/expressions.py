"""Names that are called, made or used, and what JSX makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript.chains import Chain, chain_of, loads
from bespeak_symbols.native.javascript.statements import bases_of_prototype
from bespeak_symbols.native.javascript.values import FUNCTIONS, LITERALS, loaded, rooted

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.javascript.scopes import Scope
    from bespeak_symbols.native.javascript.state import Walk


_EACH = frozenset(
    {
        "forEach",
        "map",
        "filter",
        "find",
        "findIndex",
        "findLast",
        "some",
        "every",
        "flatMap",
        "sort",
    }
)
_STARS = frozenset({"__exportStar", "__export"})
_DERIVE = frozenset({"inherits", "setPrototypeOf", "__extends"})


def name(walk: Walk, node: Node, scope: Scope) -> None:
    """A name where a value stands."""
    walk.mention(Chain([walk.text(node)]), "use", node, scope)


def member(walk: Walk, node: Node, scope: Scope) -> None:
    """A member of something where a value stands."""
    _mention(walk, node, "use", node, scope)


def call(walk: Walk, node: Node, scope: Scope) -> None:
    """``f(x)``, and what only looks like it: ``import("x")``, ``require("x")``."""
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if loads(node, walk.text):
        loaded(walk, node, scope)
        return
    if function is None or arguments is None:
        walk.inside(node, scope)
        return
    if arguments.type == "arguments":
        walk.inside(arguments, scope)
        _special(walk, function, arguments, scope)
    else:
        walk.push(scope, arguments)
    walk.inside(node.child_by_field_name("type_arguments"), scope)
    if function.type == "import":
        return
    _mention(walk, function, "call", node, scope, _count(arguments))


def _special(walk: Walk, function: Node, arguments: Node, scope: Scope) -> None:
    """Calls that say more than that they call: of array methods, of helpers of older JavaScript."""
    given = [child for child in arguments.named_children if child.type != "comment"]
    last = function.child_by_field_name("property") if function.type == "member_expression" else function
    word = walk.text(last) if last is not None else ""
    if not given:
        return
    if given[0].type in FUNCTIONS and function.type == "member_expression" and (word in _EACH or word == "then"):
        of = function.child_by_field_name("object")
        chain = rooted(walk, chain_of(of, walk.text), scope) if of is not None else None
        if chain is not None and (chain.base is None or chain.declared is not None):
            walk.items[given[0].id] = chain if word == "then" else chain.then("[]")
    elif word in _STARS and loads(given[0], walk.text):
        walk.import_(("*", loads(given[0], walk.text), "*"), given[0], None, exported=True)
    elif word in _DERIVE and len(given) > 1:
        chain = chain_of(given[0], walk.text)
        if chain.base is None and chain.parts:
            declared = scope.find(chain.parts[0])
            if declared is not None and declared.sort == "symbol":
                walk.classlike.add(declared.key)
                bases_of_prototype(walk, given[1], scope, declared.key)


def _count(arguments: Node) -> int:
    """Return how many arguments a call gives; -1 if it cannot be counted."""
    if arguments.type != "arguments":
        return -1
    given = [child.type for child in arguments.named_children if child.type != "comment"]
    return -1 if "spread_element" in given else len(given)


def make(walk: Walk, node: Node, scope: Scope) -> None:
    """``new X()``."""
    made, arguments = node.child_by_field_name("constructor"), node.child_by_field_name("arguments")
    walk.inside(arguments, scope)
    walk.inside(node.child_by_field_name("type_arguments"), scope)
    if made is not None:
        _mention(walk, made, "call", node, scope, _count(arguments) if arguments is not None else 0)


def _mention(walk: Walk, of: Node, kind: str, at: Node, scope: Scope, arguments: int = -1) -> None:
    chain = walk.chain(of, scope)
    if chain.base is None or chain.declared is not None or (kind == "call" and _could_be(chain)):
        walk.mention(chain, kind, at, scope, arguments=arguments)


def _could_be(chain: Chain) -> bool:
    """Tell whether a member of something without a name could be anything of ours."""
    base = chain.base
    return base is not None and base.type not in LITERALS and base.type not in FUNCTIONS and len(chain.parts) > 1


def element(walk: Walk, node: Node, scope: Scope) -> None:
    """``<Name x={y}>``: a component is called; names in small letters are tags."""
    named = node.child_by_field_name("name")
    for child in node.named_children:
        if named is None or child.id != named.id:
            walk.push(scope, child)
    if named is None or named.type == "jsx_namespace_name":
        return
    if named.type == "identifier" and walk.text(named)[:1].islower():
        return
    walk.mention(walk.chain(named, scope), "call", named, scope)


def skip(walk: Walk, node: Node, scope: Scope) -> None:
    """Nothing in it is of interest."""
