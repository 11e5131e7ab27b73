"""``list``, ``who``, ``show`` and ``free``: looking into the book."""

from __future__ import annotations

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import ids, timeparse
from bespeak.base.clock import FOREVER_US
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.cli import converters, formatting, output
from bespeak.ledger.listing_filter import ListingFilter
from bespeak.ledger.model import State
from bespeak.ledger.queries import MOST_WAITING
from bespeak.ledger.serialize import free_json, reservation_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.cli.context import Context, Values
    from bespeak.ledger.model import Free, Reservation
    from bespeak.ledger.service import Ledger

_LIMIT = 200
LABEL = Option(("--label",), "Only resources whose labels match: 'arm64 and ram>=4'.", "EXPR")


@command(
    "list",
    text="What is held comes first, then what is booked, who waits, and what has ended, the newest first. "
    "On a terminal the table fits its width (or COLUMNS); elsewhere nothing is cut.",
    examples=(
        ("list", "everything that has not ended"),
        ("list --mine", "what is yours"),
        ("list --day tomorrow --label arm64", "tomorrow, on boards of a kind"),
        ("list --resource rack3 --all --json", "also what has ended, for a program"),
    ),
    options=(
        Option(("--mine",), "Only what is yours."),
        Option(("--user",), "Only what this user has.", "USER", complete="user"),
        Option(
            ("--resource",), "Only with this resource; may be repeated.", "RESOURCE", many=True, complete="resource"
        ),
        Option(
            ("--state",),
            "Only waiting, awaiting (approval), pending, active or ended; may be repeated.",
            "STATE",
            many=True,
            complete="state",
        ),
        Option(("--all",), "Also what has ended."),
        Option(("--day",), "Only of this day, also what has ended: today, tomorrow, mon, 2040-05-01.", "DAY"),
        Option(("--from",), "Only what ends after this time.", "TIME"),
        Option(("--to",), "Only what begins before this time.", "TIME"),
        LABEL,
        Option(("--limit",), "At most so many (default 200).", "NUMBER", kind="int"),
    ),
)
def list_(context: Context, values: Values) -> int:
    """Print the reservations that fit."""
    if values["mine"] and values["user"]:
        raise UsageError("--mine and --user exclude each other")
    limit = _LIMIT if values["limit"] is None else values["limit"]
    if limit < 1:
        raise UsageError("--limit: at least 1")
    from_us, to_us = converters.span(values)
    book = context.book_to_look_at()
    wanted = ListingFilter(
        context.holder().name if values["mine"] else (values["user"] or "").removeprefix("user:") or None,
        labelled(book, values["label"], values["resource"]),
        _states(values["state"]),
        values["all"] or values["day"] is not None,
        limit + 1,
        from_us,
        to_us,
    )
    if context.json:
        _print_pages(context, book.listing_texts(wanted), limit)
        return 0
    found = [one for page in book.listing_pages(wanted) for one in page]
    more = len(found) > limit
    found, now_us = found[:limit], book.now_us()
    context.print(formatting.rows(found, now_us, output.width()) if found else "nothing is reserved")
    if any(one.is_awaiting for one in found) and (mine := book.to_approve(context.holder())):
        context.warn(f"{len(mine)} of all that awaits approval can be approved by you; `bespeak approve` lists it")
    if more:
        context.warn(f"only the first {limit} are shown; ask for more with --limit")
    return 0


def _print_pages(context: Context, pages: Iterator[list[str]], limit: int) -> None:
    """Print one JSON document, each page as soon as it is read, so that a long list needs little memory."""
    before, count = '{"reservations": [', 0
    for page in pages:
        shown = page[: max(limit - count, 0)]
        count += len(page)
        if shown:
            context.print(before + ", ".join(shown), end="")
            before = ", "
    more = str(count > limit).lower()
    context.print(f'{"" if before == ", " else before}], "more": {more}}}')


def labelled(book: Ledger, expression: str | None, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names, those of all that match an expression with labels included.

    Raises:
        NotFoundError: nothing matches.
    """
    if expression is None:
        return names
    from bespeak.base.label_expression import parse

    matches = parse(expression)
    found = [entry.name for entry in book.inventory() if matches(entry.facts)]
    if not found:
        raise NotFoundError(f"--label: no resource matches {expression!a}")
    return (*names, *found)


def _states(names: tuple[str, ...]) -> tuple[State, ...]:
    known = {state.value: state for state in State}
    parts = [part for name in names for part in name.split(",")]
    for part in parts:
        if part not in known:
            raise UsageError(f"--state: {part!a} is not a state; they are {', '.join(known)}")
    return tuple(known[part] for part in parts)


@command(
    "who",
    examples=(("who rack3", "now and next"),),
    arguments=(Argument("RESOURCE", complete="resource"),),
)
def who(context: Context, values: Values) -> int:
    """Print who holds a resource, and who comes next."""
    name = values["resource"]
    book = context.book()
    found = book.who(name)
    now_us = book.now_us()
    if context.json:
        context.print_json({"resource": name, "reservations": [reservation_json(one, now_us) for one in found]})
        return 0
    if not found:
        context.print(f"{escape_unprintable(name)}: nobody holds it, and nobody comes next")
        return 0
    for number, one in enumerate(found):
        begin = f"{escape_unprintable(name)}:" if number == 0 else "  then"
        context.print(f"{begin} {_part(one, now_us)}")
    if sum(one.in_queue for one in found) >= MOST_WAITING:
        context.warn(f"only the first {MOST_WAITING} who wait are shown")
    return 0


def _part(of: Reservation, now_us: int) -> str:
    purpose = f"  ({escape_unprintable(of.purpose)})" if of.purpose else ""
    verb = "held by " if of.state(now_us) is State.ACTIVE else ""
    shared = ", shared" if of.mode.value == "shared" else ""
    who = escape_unprintable(of.holder + formatting.used_by(of.origin, of.seen_us, now_us))
    return f"{verb}{who}{shared} {formatting.window(of, now_us)}{purpose}  {ids.short_id(of.id)}"


@command(
    "show",
    examples=(("show 8f3a2c10", "by the short id, or the start of the long one"),),
    arguments=(Argument("ID", complete="reservation"),),
)
def show(context: Context, values: Values) -> int:
    """Print everything about one reservation."""
    book = context.book()
    from bespeak.cli.modify import named

    found = named(book, values["id"])
    now_us = book.now_us()
    if context.json:
        properties = {"properties": book.labels_of(found.resources)}
        context.print_json(reservation_json(found, now_us) | properties)
    else:
        context.print(formatting.details(found, now_us))
    return 0


@command(
    "free",
    examples=(
        ("free", "everything the book knows"),
        ("free rack3 analyser --for 2h", "the first two hours of each"),
    ),
    arguments=(Argument("RESOURCE", many=True, required=False, complete="resource"),),
    options=(
        Option(("--for",), "Free for at least so long.", "DURATION"),
        Option(("--at",), "From when on (default: now).", "TIME"),
    ),
)
def free(context: Context, values: Values) -> int:
    """Print the first free window of each resource."""
    length_us = converters.duration("--for", values["for"]) or 1
    book = context.book()
    from_us = converters.start_by_the_book(book, values)
    found = book.free(values["resource"], duration_us=length_us, from_us=from_us)
    now_us = book.now_us()
    if context.json:
        context.print_json({"resources": [free_json(one) for one in found]})
        return 0
    for one in found:
        context.print(f"{escape_unprintable(one.resource)}: {_window(one, now_us)}")
    if not found:
        context.print("the book knows no resources yet")
    return 0


def _window(of: Free, now_us: int) -> str:
    if of.from_us is None:
        return "not free for that long"
    begin = "free now" if of.from_us <= now_us else f"free from {timeparse.show(of.from_us)}"
    open_end = of.until_us is None or of.until_us >= FOREVER_US
    return begin if open_end else f"{begin}, until {timeparse.show(of.until_us or 0)}"
