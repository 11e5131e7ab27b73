"""``resource sync|export|show``: the inventory of a book as a file, and all that is known about a resource."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from typing import TYPE_CHECKING, Any

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.clock import duration_text
from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import NoBookError, UsageError
from bespeak.base.fileio import read_regular
from bespeak.cli.resource import NAMES, PATTERNS, label_text
from bespeak.labs.store import LabStore
from bespeak.ledger.inventory import files
from bespeak.ledger.inventory.compare import compare, difference_json
from bespeak.ledger.inventory.name_patterns import matching
from bespeak.ledger.inventory.serialize import entry_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.cli.context import Context, Values
    from bespeak.ledger.inventory.compare import Difference
    from bespeak.ledger.inventory.model import Entry

FORMAT = Option(
    ("--format",),
    "toml, json or csv (default: by the file's name, else toml); labgrid, jenkins or dibs: files of those programs.",
    "FORMAT",
)
_LAB_KEYS = frozenset({"labs", "hosts", "name"})
_MOST_SHOWN = 5
STDIN = "-"


@command(
    "resource sync",
    text="The file (- for standard input) is an inventory (TOML, JSON or CSV with the same keys), or a lab file, of "
    "which every resource is taken, in the groups of the labs that need it. The difference is shown and applied in one "
    "transaction. Declared resources that the file does not have are removed; what somebody holds, waits for or has "
    "booked stays, and is named. From then on the book is strict: a name that is not in it is refused.",
    examples=(
        ("resource sync inventory.toml --dry-run", "what would change"),
        ("resource sync inventory.toml --yes", "do it, without a question"),
        ("resource sync boards.csv --keep", "add and change, remove nothing"),
        ("resource sync places.yaml --format labgrid --yes", "the places of labgrid's coordinator"),
    ),
    arguments=(Argument("FILE"),),
    options=(
        Option(("--dry-run",), "Show the difference, and change nothing."),
        Option(("--yes",), "Do not ask before something is removed."),
        Option(("--keep",), "Remove nothing."),
        FORMAT,
    ),
)
def sync(context: Context, values: Values) -> int:
    """Show what a file changes in the inventory of the book, and apply it."""
    wanted = read_file(values["file"], values["format"])
    prune = not values["keep"]
    if values["dry_run"]:
        planned = _planned(context, wanted, prune=prune)
        context.answer({**difference_json(planned), "applied": False}, _text(planned, "nothing is changed (--dry-run)"))
        return 0
    book = context.book(create=True)
    planned = book.inventory_difference(wanted, prune=prune)
    if planned.removed and not values["yes"]:
        _confirm(context, planned)
    done = book.inventory_sync(wanted, context.holder(), prune=prune, revision=planned.revision)
    context.done = "the inventory was changed"
    context.answer({**difference_json(done), "applied": True}, _text(done, ""))
    return 0


@command(
    "resource export",
    text="What is written can be read by `resource sync`, and changes nothing then.",
    examples=(
        ("resource export --format toml", "the inventory of the book"),
        ("resource export --format csv 'rack*'", "some of it, for a spreadsheet"),
        ("resource export --format jenkins", "for Jenkins' Configuration as Code"),
    ),
    arguments=(PATTERNS,),
    options=(FORMAT,),
)
def export(context: Context, values: Values) -> int:
    """Print the declared resources as an inventory file."""
    declared = [entry for entry in context.book().inventory() if entry.resource.declared]
    found = matching(declared, values["resource"])
    if context.json:
        if values["format"] not in (None, "json"):
            raise UsageError("--json and --format exclude each other")
        context.print_json(json.loads(files.write(found, "json")))
        return 0
    form = _format(values["format"], "-.toml")
    context.print(files.write(found, form).removesuffix("\n"))
    lost = [f"{escape_unprintable(name)} ({', '.join(keys)})" for name, keys in files.left_out(found, form).items()]
    if lost:
        more = f" and {len(lost) - _MOST_SHOWN} more" if len(lost) > _MOST_SHOWN else ""
        context.warn(f"left out, because a {form} file has no place for it: {', '.join(lost[:_MOST_SHOWN])}{more}")
    return 0


@command(
    "resource show",
    text="* and ? in a name stand for any characters.",
    examples=(("resource show rack3", "labels, owner, parts, rules"), ("resource show 'rack*' --json", "several")),
    arguments=(NAMES,),
)
def show(context: Context, values: Values) -> int:
    """Print everything that is declared about resources."""
    found = matching(context.book().inventory(), values["resource"])
    context.answer({"resources": [entry_json(one) for one in found]}, "\n\n".join(_details(one) for one in found))
    return 0


def read_file(path: str, format_: str | None = None) -> dict[str, Entry]:
    """Return the entries of an inventory file or of a lab file.

    Raises:
        UsageError: it cannot be read; one line with file, table, key and value.
    """
    known = _format(format_, "-.toml" if path == STDIN else path)
    raw = _content(path)
    if path != STDIN and known in ("toml", "json") and _is_lab_file(raw, known):
        return files.entries_of(path, _lab_tables(path))
    return files.read(path, raw, known)


def _planned(context: Context, wanted: Mapping[str, Entry], *, prune: bool) -> Difference:
    """Return what would change; without a book, everything."""
    try:
        return context.book().inventory_difference(wanted, prune=prune)
    except NoBookError:
        return compare({}, wanted, prune=prune)


def _content(path: str) -> bytes:
    if path == STDIN:
        return sys.stdin.buffer.read()
    try:
        return read_regular(path)[0]
    except OSError as error:
        raise UsageError(f"{escape_unprintable(path)}: {error.strerror or error}") from None


def _format(said: str | None, path: str) -> str:
    found = said or os.path.splitext(path)[1].removeprefix(".").lower()
    if found not in files.FORMATS:
        if not said and found in ("yaml", "yml"):
            raise UsageError(f"{escape_unprintable(path)}: say whose form it has, --format labgrid or --format jenkins")
        of = "--format" if said else escape_unprintable(path)
        raise UsageError(f"{of}: {short_repr(found)} is no form of an inventory; they are {', '.join(files.FORMATS)}")
    return found


def _is_lab_file(raw: bytes, format_: str) -> bool:
    try:
        document: Any = tomllib.loads(raw.decode()) if format_ == "toml" else json.loads(raw)
    except (ValueError, RecursionError):
        return False  # whoever reads it says what is wrong
    return isinstance(document, dict) and not _LAB_KEYS.isdisjoint(document)


def _lab_tables(path: str) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return a table for every resource that the labs of a lab file need.

    Raises:
        UsageError: there is a mistake in the file.
    """
    store = LabStore([os.path.abspath(path)])
    if store.problems:
        raise UsageError(store.problems[0].text)
    groups: dict[str, set[str]] = {name: set() for host in store.hosts for name in host.resources}
    for name in store.names():
        lab = store.load([name])
        for resource in {*lab.resources, *(needed for host in lab.hosts.values() for needed in host.resources)}:
            groups.setdefault(resource, set()).add(name)
    return [(name, f"resource {short_repr(name)}", {"groups": sorted(labs)}) for name, labs in groups.items()]


def _confirm(context: Context, planned: Difference) -> None:
    """Ask before something is removed.

    Raises:
        UsageError: the answer is not yes, or there is nobody to ask.
    """
    names = [escape_unprintable(entry.name) for entry in planned.removed]
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    removed = f"{', '.join(names[:_MOST_SHOWN])}{more}"
    if not sys.stdin.isatty():
        raise UsageError(f"the file has no {removed}; nothing was changed. Add --yes to remove, or --keep")
    context.warn(_text(planned, ""))
    sys.stderr.write(f"remove {removed}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was changed")


def _text(found: Difference, end: str) -> str:
    """Return a difference for people: + new, ~ changed, - removed, = kept because it is in use."""
    lines = [f"+ {entry.name}" for entry in found.added]
    for change in found.changed:
        values = change.values()
        lines.append(f"~ {change.name}: " + "; ".join(f"{key} {_was(*both)}" for key, both in values.items()))
    lines += [f"- {entry.name}" for entry in found.removed]
    lines += [f"= {kept.name}: {kept.reason}" for kept in found.kept]
    counts = (
        f"{len(found.added)} new, {len(found.changed)} changed, {len(found.removed)} removed, {found.same} the same"
    )
    if found.kept:
        counts += f", {len(found.kept)} kept because of who uses them"
    if found.undeclared:
        names = ", ".join(found.undeclared[:_MOST_SHOWN])
        lines.append(
            f"  not in the file, made by their first use: {names}{', ...' * (len(found.undeclared) > _MOST_SHOWN)}"
        )
    lines.append(f"{counts}{f'; {end}' if end else ''}")
    return "\n".join(map(escape_unprintable, lines))


def _was(before: Any, after: Any) -> str:
    return f"{_value(before)} -> {_value(after)}"


def _value(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, dict):
        return " ".join(label_text(key, said) for key, said in value.items())
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _details(of: Entry) -> str:
    resource, known = of.resource, of.properties
    health = resource.health.value + (f": {known.health_note}" if known.health_note else "")
    lines = [
        ("resource", of.name),
        ("declared", "yes" if resource.declared else "no, made by its first use"),
        ("description", resource.description),
        ("state", health),
        ("seats", ", ".join(known.seats) or str(resource.capacity)),
        ("labels", " ".join(label_text(key, value) for key, value in known.labels)),
        ("groups", ", ".join(known.groups)),
        ("parts", ", ".join(known.parts)),
        ("owner", known.owner),
        ("contact", known.contact),
        ("link", known.link),
        ("location", known.location),
        ("hours", resource.hours),
        ("cool-down", duration_text(resource.cooldown_us, units=4) if resource.cooldown_us else ""),
        ("approval", "" if resource.approval is None else f"by {resource.approved_by}"),
        ("check-in", "" if resource.check_in_us is None else f"within {duration_text(resource.check_in_us, units=4)}"),
    ]
    return "\n".join(f"{name + ':':<13}{escape_unprintable(value)}" for name, value in lines if value)
