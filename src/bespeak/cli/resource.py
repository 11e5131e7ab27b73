"""``resource add|set|list|remove``: the things that can be reserved."""

from __future__ import annotations

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.cli.output import table
from bespeak.ledger.inventory.serialize import entry_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.cli.context import Context, Values
    from bespeak.ledger.inventory.model import Entry


NAMES = Argument("RESOURCE", many=True, complete="resource")
PATTERNS = Argument("RESOURCE", many=True, required=False, complete="resource")
CAPACITY = Option(("--capacity",), "How many exclusive holders it has room for at once.", "NUMBER", kind="int")
ABOUT = (
    CAPACITY,
    Option(("--seat",), "The name of a seat, instead of --capacity; repeat it.", "NAME", many=True),
    Option(("--description",), "What it is.", "TEXT"),
    Option(
        ("--label",), "What requests by need select by: arch=arm64, ram=8, usb3; repeat it.", "KEY=VALUE", many=True
    ),
    Option(("--owner",), "Whose it is.", "TEXT"),
    Option(("--contact",), "Whom to ask about it.", "TEXT"),
    Option(("--link",), "Where its documentation is.", "URL"),
    Option(("--location",), "Where it stands.", "TEXT"),
    Option(("--group",), "A group it belongs to; repeat it.", "NAME", many=True),
    Option(("--part",), "A resource that is a part of it; repeat it.", "RESOURCE", many=True, complete="resource"),
    Option(("--cooldown",), "How long it stays free between two holds.", "DURATION"),
    Option(("--hours",), "When it may be held: 'mon-fri 08:00-18:00 Europe/Berlin'.", "HOURS"),
    Option(
        ("--approval",),
        "Each reservation waits for approval by one of these (alice,team:lab,group:leads); 'managers' for whoever "
        "manages it, 'none' for nobody.",
        "WHO",
    ),
    Option(("--check-in",), "A hold without `touch` for so long after its start is given back.", "DURATION"),
)
"""What can be said about a resource; the words of an inventory file."""
_TEXTS = ("description", "owner", "contact", "link", "location", "cooldown", "hours", "check_in")
_NOTE = 60
"""More of why a resource is sick, in characters, is shown by ``resource show``."""
_LISTS = (("group", "groups"), ("part", "parts"))


@command(
    "resource add",
    text="Of several names all are declared, or none. board{1..8} names eight. What can be said about a resource is "
    "what an inventory file says; see `resource sync`.",
    examples=(
        ("resource add rack3 --description 'third rack, left'", "one that seats one"),
        ("resource add 'board{1..3}' --label arch=arm64 --label ram=8", "three that are alike"),
    ),
    arguments=(NAMES,),
    options=ABOUT,
)
def add(context: Context, values: Values) -> int:
    """Declare resources that are not declared yet."""
    book = context.book(create=True)
    return _answer(context, book.inventory_add(_names(values), context.holder(), said(values)), "added", values)


@command(
    "resource set",
    text="An empty text takes away what was said.",
    examples=(
        ("resource set licences --capacity 5", "five at once"),
        ("resource set rack3 --label site=lyon --cooldown 10m", "one more label, and a pause between two holds"),
    ),
    arguments=(NAMES,),
    options=(*ABOUT, Option(("--no-label",), "A label that goes; repeat it.", "KEY", many=True)),
)
def set_(context: Context, values: Values) -> int:
    """Change what is declared about resources."""
    changes = said(values)
    if not changes and not values["no_label"]:
        raise UsageError("resource set: say what to change: --capacity, --description, --label ...")
    done = context.book().inventory_change(_names(values), context.holder(), changes, without=values["no_label"])
    return _answer(context, done, "set", values)


@command(
    "resource list",
    text="* and ? in a name stand for any characters.",
    examples=(
        ("resource list", "all"),
        ("resource list 'rack*' --group boards", "some"),
        ("resource list --label 'arm64 and ram>=4'", "what a request by need has to choose from"),
    ),
    arguments=(PATTERNS,),
    options=(
        Option(("--group",), "Only those of this group.", "NAME"),
        Option(("--label",), "Only those that match, as for `reserve`: 'arm64 and ram>=4'.", "EXPR"),
        Option(("--undeclared",), "Only those that nobody declared."),
    ),
)
def list_(context: Context, values: Values) -> int:
    """Print resources."""
    from bespeak.ledger.inventory.name_patterns import matching

    suits = _suits(values["label"])
    found = [
        one
        for one in matching(context.book().inventory(), values["resource"])
        if (values["group"] is None or values["group"] in one.properties.groups)
        and not (values["undeclared"] and one.resource.declared)
        and suits(one)
    ]
    if context.json:
        context.print_json({"resources": [entry_json(one) for one in found]})
        return 0
    filtered = values["group"] is not None or values["undeclared"] or values["label"] is not None
    context.print(_table(found) if found else "no resource matches" if filtered else "no resources yet")
    return 0


@command(
    "resource remove",
    examples=(("resource remove rack3", "gone; the log keeps its past"),),
    arguments=(Argument("RESOURCE", complete="resource"),),
)
def remove(context: Context, values: Values) -> int:
    """Remove a resource that nobody uses."""
    context.book().resource_remove(values["resource"], context.holder())
    context.answer({"removed": values["resource"]}, f"removed {escape_unprintable(values['resource'])}")
    return 0


def _suits(expression: str | None) -> Callable[[Entry], bool]:
    if expression is None:
        return lambda _: True
    from bespeak.base.label_expression import parse

    matches = parse(expression)
    return lambda entry: matches(entry.facts)


def said(values: Values) -> dict[str, object]:
    """Return what the options say about a resource, by the keys of inventory files.

    Raises:
        UsageError: two of them contradict each other.
    """
    found: dict[str, object] = {key: values[key] for key in _TEXTS if values[key] is not None}
    for option, key in _LISTS:
        if values[option]:
            found[key] = [name for name in values[option] if name]
    if values["capacity"] is not None and values["seat"]:
        raise UsageError("--capacity and --seat exclude each other")
    if values["seat"]:
        found["seats"] = list(values["seat"])
    elif values["capacity"] is not None:
        found["seats"] = values["capacity"]
    if values["approval"] is not None:
        who = values["approval"]
        words = {"managers": True, "none": False, "": False}
        found["approval"] = words[who] if who in words else [name for word in who.split(",") if (name := word.strip())]
    if values["label"]:
        from bespeak.ledger.inventory import csv_cells

        pairs = (text.partition("=") for text in values["label"])
        found["labels"] = {key: csv_cells.scalar(value) if equals else True for key, equals, value in pairs}
    return found


def _names(values: Values) -> list[str]:
    from bespeak.ledger.inventory.name_ranges import expand

    return [name for word in values["resource"] for name in expand(word)]


def _answer(context: Context, done: list[Entry], verb: str, values: Values) -> int:
    """Print one resource as itself, several as a list."""
    one = len(values["resource"]) == 1 == len(done)
    shown: object = entry_json(done[0]) if one else {"resources": [entry_json(entry) for entry in done]}
    context.answer(shown, "\n".join(f"{verb} {_line(entry)}" for entry in done))
    return 0


def _line(of: Entry) -> str:
    resource = of.resource
    seats = "" if resource.capacity == 1 else f", room for {resource.capacity} at once"
    about = f" ({resource.description})" if resource.description else ""
    return escape_unprintable(f"{of.name}{seats}{about}")


def _table(found: list[Entry]) -> str:
    """Lay out resources; a column that would be empty is left out."""
    headers = ("RESOURCE", "CAPACITY", "DECLARED", "STATE", "LABELS", "GROUPS", "DESCRIPTION")
    rows = [
        (
            one.name,
            str(one.resource.capacity),
            "yes" if one.resource.declared else "no",
            _health(one),
            " ".join(label_text(key, value) for key, value in one.properties.labels),
            ",".join(one.properties.groups),
            one.resource.description,
        )
        for one in found
    ]
    always = ("RESOURCE", "CAPACITY", "DECLARED", "DESCRIPTION")
    shown = [at for at, header in enumerate(headers) if header in always or any(row[at] for row in rows)]
    return table([headers[at] for at in shown], [[row[at] for at in shown] for row in rows])


def _health(of: Entry) -> str:
    if of.resource.health.value == "ok":
        return ""
    note = of.properties.health_note
    return of.resource.health.value + (f": {note if len(note) <= _NOTE else note[: _NOTE - 3] + '...'}" if note else "")


def label_text(key: str, value: object) -> str:
    """Return a label as one types it."""
    if value is True:
        return key
    return f"{key}={'false' if value is False else value}"
