"""Variables, assignments, blocks, loops and calls; what JSX makes of names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript.bindings import (
    FUNCTIONS,
    LITERALS,
    bases_of_prototype,
    bind_type,
    bind_value,
    loaded,
    rooted,
    walked_chain,
)
from bespeak_symbols.native.javascript.declarations import has_functions, named_value, properties
from bespeak_symbols.native.javascript.expressions import chain_of, first_of, loads, unwrapped
from bespeak_symbols.native.javascript.functions import declare
from bespeak_symbols.native.javascript.modules import require_name, require_names
from bespeak_symbols.native.javascript.scopes import Chain, Declared, Draft, declare_symbol, join, qualify

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.javascript.scopes import Scope, Walk

_MOST_NAMES = 8
"""Names that one assignment gives at once, as far as they are followed."""
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


def variables(walk: Walk, node: Node, scope: Scope) -> None:
    """``const``, ``let`` and ``var``."""
    declarators = [child for child in node.named_children if child.type == "variable_declarator"]
    constant = node.child_count > 0 and node.children[0].type == "const"
    home = scope.home() if node.type == "variable_declaration" else scope
    outer = walk.outers.get(node.id, node)
    for declarator in declarators:
        around = outer if len(declarators) == 1 else declarator
        name = declarator.child_by_field_name("name")
        if name is None:
            continue
        if name.type == "identifier":
            _variable(walk, declarator, name, scope, home, (around, "constant" if constant else "variable"))
        else:
            _pattern(walk, declarator, name, scope, home, around)


def _variable(walk: Walk, node: Node, name: Node, scope: Scope, home: Scope, how: tuple[Node, str]) -> None:
    """One name, and what it is made to be."""
    outer, kind = how
    text, value, written = walk.text(name), node.child_by_field_name("value"), node.child_by_field_name("type")
    if value is not None and require_name(walk, text, value, home):
        walk.push(scope, value)
        return
    walk.push(scope, written)
    qualified = qualify(home, text)
    core = unwrapped(value) if value is not None else None
    nameable = core is not None and (
        core.type in FUNCTIONS or core.type == "class" or (core.type == "object" and (home.top or has_functions(core)))
    )
    symbol = named_value(walk, value, scope, qualified, outer) if value is not None and nameable else None
    if symbol is not None:
        declared = declare_symbol(home, text, symbol, name) if symbol else walk.local(text, home, name)
        if core is not None and core.type == "object":
            bind_type(walk, declared, written, scope)
        return
    inner = scope
    if home.top and walk.symbol(Draft(qualified, kind, outer, value, (written,))):
        declared = declare_symbol(home, text, qualified, name)
        inner = scope.block()
        inner.later = qualified
    else:
        declared = walk.local(text, home, name)
    if not bind_type(walk, declared, written, scope):
        bind_value(walk, declared, value, scope)
    declared.typed = declared.typed or written is not None
    walk.push(inner, value)


def _pattern(walk: Walk, node: Node, pattern: Node, scope: Scope, home: Scope, outer: Node) -> None:
    """A pattern of names."""
    value, written = node.child_by_field_name("value"), node.child_by_field_name("type")
    walk.push(scope, value, written)
    core = unwrapped(value) if value is not None else None
    if core is not None and core.type == "await_expression":
        core = first_of(core)
    source: Chain | None = None
    whole = walk.unnamed(scope, pattern)
    if bind_type(walk, whole, written, scope):
        source = Chain(["()"], whole)
    elif core is not None:
        source = rooted(walk, chain_of(core, walk.text), scope)
        source = source if source.base is None or source.declared is not None else None

    def make(name: str, at: Node) -> Declared | None:
        qualified = qualify(home, name)
        if home.top and walk.symbol(Draft(qualified, "constant", outer, value)):
            return declare_symbol(home, name, qualified, at)
        return walk.local(name, home, at)

    if core is not None and loads(core, walk.text):
        require_names(walk, core, pattern, scope, home)
    else:
        declare(walk, pattern, scope, source, make)


def assignment(walk: Walk, node: Node, scope: Scope) -> None:
    """``x = y``."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return
    left = unwrapped(left)
    if left.type in {"object_pattern", "array_pattern"}:
        declare(walk, left, scope, None, lambda name, at: walk.bind(Chain([name]), None, "alias", at, scope))
        walk.push(scope, right)
        return
    chain = chain_of(left, walk.text)
    walk.push(scope, *chain.rest)
    if chain.base is not None or "[]" in chain.parts:
        walk.push(scope, right)
        return
    name = _owner(walk, chain, scope)
    if name is not None and len(chain.parts) == 1 and not _nameable(right):
        name = None
    if name is None:
        walk.mention(chain, "use", left, scope)
        subject = chain
    else:
        subject = Chain([""], Declared(name, "", 0, "symbol", name))
    _assign(walk, node, right, scope, name, subject)


def _nameable(value: Node) -> bool:
    """Tell whether a value is a function or a class, which is known by the variable it is given to."""
    core = unwrapped(value)
    return core.type == "class" or (core.type in FUNCTIONS)


def _assign(walk: Walk, node: Node, right: Node, scope: Scope, name: str | None, subject: Chain) -> None:
    value, also = _assigned(walk, right, scope)
    if name is None:
        bind_value(walk, subject, right, scope)
        walk.push(scope, right)
        return
    owner, _, last = name.rpartition(".")
    if last == "prototype":
        walk.classlike.add(owner)
        if value.type == "object":
            properties(walk, value, scope, owner)
        else:
            bases_of_prototype(walk, value, scope, owner)
            walk.push(scope, right)
        return
    kept, this = name, owner
    if name == "module.exports":
        own = value.child_by_field_name("name") if value.type in FUNCTIONS or value.type == "class" else None
        kept, this = (walk.text(own) if own is not None and scope.top else "exports"), ""
    known = named_value(walk, value, scope, kept, node, this)
    if known is None:
        bind_value(walk, name, right, scope)
        walk.push(scope, right)
    if not known:
        return
    for other in [name, *also] if name == "module.exports" else also:
        walk.bind(other, Chain([kept], Declared(kept, "", 0, "symbol", kept)), "alias", node, scope)


def _assigned(walk: Walk, right: Node, scope: Scope) -> tuple[Node, list[str]]:
    """Return what ``y = z`` on the right of another assignment comes to, and the names it gets on the way."""
    value = unwrapped(right)
    also: list[str] = []
    while value.type == "assignment_expression" and len(also) < _MOST_NAMES:
        left, deeper = value.child_by_field_name("left"), value.child_by_field_name("right")
        if left is None or deeper is None:
            break
        name = _owner(walk, chain_of(left, walk.text), scope)
        also.append(name or "")
        value = unwrapped(deeper)
    return value, [name for name in also if name]


def _owner(walk: Walk, chain: Chain, scope: Scope) -> str | None:
    """Return the name that a function gets that is assigned to a member; None if it is none of a known thing."""
    parts = chain.parts
    first = scope.find(parts[0])
    if first is None and parts[0] in {"module", "exports"}:
        return _exported(parts)
    if parts[0] == "this" and scope.this and len(parts) == 2:  # noqa: PLR2004 this and one name
        return join(scope.this, parts[1])
    if "()" in parts or first is None or first.sort != "symbol":
        return None
    inner = [part for part in parts[1:] if part != "prototype"]
    if "prototype" in parts:
        walk.classlike.add(first.key)
        inner = inner or ["prototype"]
    return join(first.key, ".".join(inner)) if inner else first.key


def _exported(parts: list[str]) -> str | None:
    """Return the name of what a module gives: ``exports.x``, ``module.exports`` as a whole, or a member of it."""
    if parts[0] == "exports":
        return ".".join(parts) if len(parts) > 1 else None
    if parts[:2] != ["module", "exports"]:
        return None
    return ".".join(parts[1:]) if len(parts) > 2 else "module.exports"  # noqa: PLR2004 a member of the whole


def update(walk: Walk, node: Node, scope: Scope) -> None:
    """``x += y``, ``x ??= y``: what ``x`` is then, nothing tells."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    walk.push(scope, left, right)
    if left is not None and left.type == "identifier" and right is not None:
        bind_value(walk, Chain([walk.text(left)]), right, scope)


def block(walk: Walk, node: Node, scope: Scope) -> None:
    """Anything with names of its own."""
    walk.inside(node, scope.block())


def caught(walk: Walk, node: Node, scope: Scope) -> None:
    """``catch (error) {}``."""
    inner = scope.block()
    parameter = node.child_by_field_name("parameter")
    if parameter is not None:
        declare(walk, parameter, inner, None, lambda name, at: walk.local(name, inner, at))
    walk.push(inner, node.child_by_field_name("type"), node.child_by_field_name("body"))


def loop(walk: Walk, node: Node, scope: Scope) -> None:
    """``for (const x of xs)``."""
    inner = scope.block()
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = node.child_by_field_name("operator")
    walk.push(inner, right, node.child_by_field_name("body"))
    if left is None:
        return
    word = node.child_by_field_name("kind")
    if word is None:
        if left.type == "identifier":
            walk.bind(Chain([walk.text(left)]), None, "alias", left, scope)
        walk.push(inner, left)
        return
    source: Chain | None = None
    if right is not None and operator is not None and operator.type == "of":
        chain = rooted(walk, chain_of(unwrapped(right), walk.text), scope)
        source = chain.then("[]") if chain.base is None or chain.declared is not None else None
    home = scope.home() if word.type == "var" else inner
    declare(walk, left, inner, source, lambda name, at: walk.local(name, home, at))


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
    chain = walked_chain(walk, of, scope)
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
    walk.mention(walked_chain(walk, named, scope), "call", named, scope)


def skip(walk: Walk, node: Node, scope: Scope) -> None:
    """Nothing in it is of interest."""
