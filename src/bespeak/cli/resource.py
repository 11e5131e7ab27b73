"""``resource add|set|list|remove``: the things that can be reserved."""

from __future__ import annotations

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.display import escape_unprintable, suggest
from bespeak.base.errors import NotFoundError, UsageError, WrongStateError
from bespeak.cli.output import table
from bespeak.ledger.serialize import resource_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.ledger.model import Resource


NAME = Argument("RESOURCE", complete="resource")
CAPACITY = Option(("--capacity",), "How many exclusive holders it has room for at once.", "NUMBER", kind="int")
DESCRIPTION = Option(("--description",), "What it is.", "TEXT")


@command(
    "resource add",
    examples=(("resource add rack3 --description 'third rack, left'", "one that seats one"),),
    arguments=(NAME,),
    options=(CAPACITY, DESCRIPTION),
)
def add(context: Context, values: Values) -> int:
    """Declare a resource that is not declared yet."""
    context.book(create=True)
    known = _known(context).get(values["resource"])
    if known is not None and known.declared:
        raise WrongStateError(f"resource {values['resource']!a} is declared already; change it with 'resource set'")
    return _write(context, values, "added")


@command(
    "resource set",
    examples=(("resource set licences --capacity 5", "five at once"),),
    arguments=(NAME,),
    options=(CAPACITY, DESCRIPTION),
)
def set_(context: Context, values: Values) -> int:
    """Change what is declared about a resource."""
    known = _known(context)
    if values["resource"] not in known:
        meant = suggest(values["resource"], known)
        hint = f"; did you mean {' or '.join(meant)}?" if meant else "; declare it with 'resource add'"
        raise NotFoundError(f"the book knows no resource {values['resource']!a}{hint}")
    if values["capacity"] is None and values["description"] is None:
        raise UsageError("resource set: say what to change: --capacity, --description")
    return _write(context, values, "set")


@command(
    "resource list",
    examples=(("resource list", "all"),),
)
def list_(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print all resources."""
    found = list(_known(context).values())
    if context.json:
        context.print_json({"resources": [resource_json(one) for one in found]})
        return 0
    cells = [(one.name, str(one.capacity), "yes" if one.declared else "no", one.description) for one in found]
    context.print(table(("RESOURCE", "CAPACITY", "DECLARED", "DESCRIPTION"), cells) if cells else "no resources yet")
    return 0


@command(
    "resource remove",
    examples=(("resource remove rack3", "gone; the log keeps its past"),),
    arguments=(NAME,),
)
def remove(context: Context, values: Values) -> int:
    """Remove a resource that nobody uses."""
    context.book().resource_remove(values["resource"], context.holder())
    context.answer({"removed": values["resource"]}, f"removed {escape_unprintable(values['resource'])}")
    return 0


def _known(context: Context) -> dict[str, Resource]:
    return {one.name: one for one in context.book().resource_list()}


def _write(context: Context, values: Values, done: str) -> int:
    made = context.book().resource_set(
        values["resource"], context.holder(), capacity=values["capacity"], description=values["description"]
    )
    seats = "" if made.capacity == 1 else f", room for {made.capacity} at once"
    about = f" ({made.description})" if made.description else ""
    context.answer(resource_json(made), escape_unprintable(f"{done} {made.name}{seats}{about}"))
    return 0
