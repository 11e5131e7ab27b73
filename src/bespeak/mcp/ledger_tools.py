"""The book of resources as tools: who holds what, when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bespeak.base import clock, time_windows, timeparse
from bespeak.base.display import short_repr
from bespeak.base.errors import UsageError
from bespeak.ledger.current_hold import current_hold
from bespeak.mcp import ledger_schemas as shapes
from bespeak.mcp.arguments import Arguments, SharedUse, Texts, Whole
from bespeak.mcp.tool import Tool, in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bespeak.ledger.errors import RefusedError
    from bespeak.ledger.model import Request, Reservation
    from bespeak.ledger.service import Ledger
    from bespeak.mcp.tool import Call, Json

_DURATION = "as 90s, 1h30m or forever"
_TIME = "as fri 14:00, +2h or ISO 8601"
Resources = Annotated[Texts, Field(description="Names; all or none.")]
Needs = Annotated[dict[str, Whole], Field(description='So many whose labels match: {"arm64 and ram>=4": 2}.')]
Same = Annotated[Texts, Field(description="Labels that all share.")]
Duration = Annotated[str | None, Field(description=f"How long, {_DURATION}. Default: the book's.")]
Purpose = Annotated[str, Field(description="What for; others read it.")]
Tags = Annotated[dict[str, str], Field(description="Notes for programs.")]
DEFAULT_LIMIT = 200


class BookReserve(Arguments):
    """Arguments of ``book_reserve``."""

    resources: Resources = []
    needs: Needs = {}
    same: Same = []
    duration: Duration = None
    until: Annotated[str | None, Field(description=f"Or until when, {_TIME}.")] = None
    start: Annotated[str | None, Field(description=f"From when, {_TIME}. Default: now.")] = None
    next: Annotated[bool, Field(description="Take the first free time from start on.")] = False
    shared: SharedUse = False
    purpose: Purpose = ""
    tags: Tags = {}


def book_reserve(call: Call, asked: BookReserve) -> Json:
    """Book resources, or say who is in the way."""
    from bespeak.ledger.errors import RefusedError

    wanted = request(call, asked, start=asked.start, until=asked.until, next_fit=asked.next)
    with call.book(create=True) as book:
        try:
            made = book.reserve(by_the_book(book, asked, wanted))
        except RefusedError as error:
            return refused(error)
        return granted("awaiting" if made.is_awaiting else "reserved", made, book)


def request(
    call: Call,
    asked: BookReserve | BookWait,
    *,
    start: str | None = None,
    until: str | None = None,
    next_fit: bool = False,
) -> Request:
    """Return what a tool asks of the book.

    Raises:
        UsageError: nothing is asked for, or a number or a time cannot be.
    """
    from bespeak.base.process_identity import this_host
    from bespeak.ledger.model import Mode, Need, Origin, Request

    if not asked.resources and not asked.needs:
        raise UsageError("resources: name at least one, or say with needs what labels must match")
    for label, count in asked.needs.items():
        if count < 1:
            raise UsageError(f"needs: {short_repr(label)}: {count} is no number of resources, at least 1")
    duration_us, ends_us = ending(asked.duration, until, start)
    return Request(
        resources=tuple(asked.resources),
        holder=call.holder(),
        starts_us=_start(start),
        duration_us=duration_us,
        ends_us=ends_us,
        mode=Mode.SHARED if asked.shared else Mode.EXCLUSIVE,
        purpose=asked.purpose,
        tags=tuple(asked.tags.items()),
        next_fit=next_fit,
        needs=tuple(Need(count, label) for label, count in asked.needs.items()),
        same=tuple(asked.same),
        origin=Origin(this_host(), call.process or "agent"),
    )


def by_the_book(book: Ledger, asked: BookReserve, wanted: Request) -> Request:
    """Return what is asked for, with its times as the clock of the book counts them."""
    from bespeak.ledger.request_checks import with_times

    starts_us = time_windows.by_the_book(book, asked.start, wanted.starts_us)
    return with_times(wanted, starts_us, time_windows.by_the_book(book, asked.until, wanted.ends_us, asked.start))


def ending(duration: str | None, until: str | None, start: str | None = None) -> tuple[int | None, int | None]:
    """Read a duration, or an end that may count from a start: (µs, µs UTC), at most one of them not None."""
    return time_windows.ending(duration, until, ("duration", "until"), clock.now(), start)


def microseconds(name: str, text: str | None) -> int | None:
    """Read an argument as a duration, µs; None if it was not given."""
    return timeparse.optional(name, text, timeparse.duration)


def _start(text: str | None) -> int | None:
    return time_windows.start("start", text, clock.now())


def granted(status: str, made: Reservation, book: Ledger) -> Json:
    """Return what was granted."""
    from bespeak.ledger.serialize import reservation_json

    free: Json = {"status": status, "conflicts": [], "next_free": None, "next_free_us": None}
    labels = {"properties": book.labels_of(made.resources)} if status == "reserved" else {}
    return free | reservation_json(made, book.now_us()) | labels


def refused(error: RefusedError) -> Json:
    """Return who is in the way, and until when."""
    from bespeak.ledger.serialize import refusal_json

    return {"status": "refused", "reason": str(error), **refusal_json(error.refusal)}


class BookWait(Arguments):
    """Arguments of ``book_wait``."""

    resources: Resources = []
    needs: Needs = {}
    same: Same = []
    duration: Duration = None
    timeout: Annotated[
        str,
        Field(description=f"At most so long, {_DURATION}; mind your client's own limit."),
    ] = "50s"
    priority: Annotated[Whole, Field(description="Higher goes first; 1 is an hour of waiting.")] = 0
    shared: SharedUse = False
    purpose: Purpose = ""
    tags: Tags = {}


class BookRelease(Arguments):
    """Arguments of ``book_release``."""

    reservation_ids: Annotated[Texts, Field(description="Ids, or how they begin.")] = []
    resources: Annotated[Texts, Field(description="Instead: resources that it holds now.")] = []
    mine: Annotated[bool, Field(description="Instead: all of this session.")] = False
    reason: Annotated[str, Field(description="Why; needed for what somebody else reserved.")] = ""


def book_release(call: Call, asked: BookRelease) -> Json:
    """Give back reservations by id, or what this session holds of resources, or everything that it has."""
    if bool(asked.reservation_ids) + bool(asked.resources) + asked.mine != 1:
        raise UsageError("give reservation_ids, resources or mine, and only one of them")
    holder = call.holder()
    with call.book() as book:
        if asked.reservation_ids:
            unique = dict.fromkeys(book.find(text).id for text in asked.reservation_ids)
            return _all([book.release(identifier, holder, reason=asked.reason) for identifier in unique], book)
        around, agent, reason = current_hold(), _agent(call), asked.reason
        if asked.mine:
            return _all(book.release_mine(holder, within=around, made_by=agent, reason=reason), book)
        names = tuple(asked.resources)
        return _all(book.release_resources(names, holder, within=around, made_by=agent, reason=reason), book)


def _agent(call: Call) -> str:
    """Return who of those that share an account asks; only what it has made itself is given back by name.

    Raises:
        UsageError: the connection does not tell.
    """
    if call.process is None:
        raise UsageError(
            "resources and mine: this connection has no session whose holds could be meant; give reservation_ids, or"
            " send the header Bespeak-Run-Id with every call"
        )
    return call.process


def _all(found: Iterable[Reservation], book: Ledger) -> Json:
    from bespeak.ledger.serialize import reservation_json

    now_us = book.now_us()
    return {"reservations": [reservation_json(one, now_us) for one in found]}


class BookExtend(Arguments):
    """Arguments of ``book_extend``."""

    reservation_id: Annotated[str, Field(description="Its id, or how it begins.")]
    duration: Annotated[str | None, Field(description=f"How much longer, {_DURATION}.")] = None
    until: Annotated[str | None, Field(description=f"Or the new end, {_TIME}.")] = None


def book_extend(call: Call, asked: BookExtend) -> Json:
    """Give a reservation a later end, or say who would lose."""
    from bespeak.ledger.errors import RefusedError

    duration_us, ends_us = ending(asked.duration, asked.until)
    if duration_us is None and ends_us is None:
        raise UsageError("say how much with duration, or the new end with until")
    with call.book() as book:
        ends_us = time_windows.by_the_book(book, asked.until, ends_us)
        found = book.find(asked.reservation_id)
        try:
            changed = book.extend(found.id, call.holder(), duration_us=duration_us, ends_us=ends_us)
        except RefusedError as error:
            return refused(error)
        return granted("extended", changed, book)


class BookAnswer(Arguments):
    """Arguments of ``book_answer``."""

    reservation_ids: Annotated[Texts, Field(description="Ids.")]
    answer: Annotated[Literal["here", "approve", "refuse"], Field(description="here: check in.")]
    reason: Annotated[str, Field(description="Why it is refused.")] = ""


def book_answer(call: Call, asked: BookAnswer) -> Json:
    """Say that holds are used, or answer reservations that await approval."""
    by = call.holder()
    with call.book() as book:
        answers: dict[str, Callable[[str], Reservation]] = {
            "here": lambda identifier: book.touch(identifier, by),
            "approve": lambda identifier: book.approve(identifier, by),
            "refuse": lambda identifier: book.refuse(identifier, by, asked.reason),
        }
        unique = dict.fromkeys(book.find(text).id for text in asked.reservation_ids)
        done = [answers[asked.answer](identifier) for identifier in unique]
        now_us = book.now_us()
        return {"reservations": [{"id": one.id, "state": one.state(now_us).value} for one in done]}


class BookList(Arguments):
    """Arguments of ``book_list``."""

    resources: Annotated[Texts, Field(description="Only with one of these.")] = []
    user: Annotated[str | None, Field(description="Only what this user has.")] = None
    mine: Annotated[bool, Field(description="Only what is yours.")] = False
    states: Annotated[
        list[Literal["waiting", "awaiting", "pending", "active", "ended"]],
        Field(description="Only in one of these states."),
    ] = []
    all: Annotated[bool, Field(description="Also what has ended.")] = False
    limit: Annotated[Whole, Field(description="At most so many.", json_schema_extra={"minimum": 1})] = DEFAULT_LIMIT


def book_list(call: Call, asked: BookList) -> Json:
    """Say what is held, booked and waited for."""
    from bespeak.ledger.model import State

    if asked.mine and asked.user is not None:
        raise UsageError("mine and user exclude each other")
    if asked.limit < 1:
        raise UsageError("limit: at least 1")
    with call.book() as book:
        found = book.listing(
            holder=call.holder().name if asked.mine else (asked.user or "").removeprefix("user:") or None,
            resources=asked.resources,
            states=[State(name) for name in asked.states],
            include_ended=asked.all,
            limit=asked.limit + 1,
        )
        return _all(found[: asked.limit], book) | {"more": len(found) > asked.limit}


class BookWho(Arguments):
    """Arguments of ``book_who``."""

    resource: Annotated[str, Field(description="Its name.")]


def book_who(call: Call, asked: BookWho) -> Json:
    """Say who holds a resource, and who comes next."""
    with call.book() as book:
        return {"resource": asked.resource, **_all(book.who(asked.resource), book)}


class BookFree(Arguments):
    """Arguments of ``book_free``."""

    resources: Annotated[Texts, Field(description="Their names; default: all.")] = []
    duration: Annotated[str | None, Field(description=f"For how long, {_DURATION}.")] = None
    start: Annotated[str | None, Field(description=f"From when on, {_TIME}. Default: now.")] = None


def book_free(call: Call, asked: BookFree) -> Json:
    """Say when resources are free."""
    from bespeak.ledger.serialize import free_json

    length_us = microseconds("duration", asked.duration) or 1
    from_us = _start(asked.start)
    with call.book() as book:
        from_us = time_windows.by_the_book(book, asked.start, from_us)
        found = book.free(asked.resources, duration_us=length_us, from_us=from_us)
        return {"resources": [free_json(one) for one in found]}


_REFUSALS = "If refused, the answer says who is in the way, until when, why, and the next free time."

TOOLS = (
    Tool(
        "book_reserve",
        "Book resources",
        f"Book machines, licences or whatever your team takes turns on, now or later. {_REFUSALS}",
        BookReserve,
        shapes.BookAnswer,
        in_thread(book_reserve),
    ),
    Tool(
        "book_release",
        "Give resources back",
        "Give back what you hold or have booked, or leave the queue.",
        BookRelease,
        shapes.Changed,
        in_thread(book_release),
        destructive=True,
    ),
    Tool(
        "book_extend",
        "Hold resources longer",
        f"Give a reservation of yours a later end. {_REFUSALS}",
        BookExtend,
        shapes.BookAnswer,
        in_thread(book_extend),
    ),
    Tool(
        "book_answer",
        "Check in, approve, refuse",
        "Say that you use what you hold, or approve or refuse what awaits approval.",
        BookAnswer,
        shapes.Answered,
        in_thread(book_answer),
    ),
    Tool(
        "book_list",
        "What is booked",
        "List what is held, booked and waited for.",
        BookList,
        shapes.BookList,
        in_thread(book_list),
        read_only=True,
    ),
    Tool(
        "book_who",
        "Who holds a resource",
        "Say who holds a resource, until when and why, and who comes next.",
        BookWho,
        shapes.Who,
        in_thread(book_who),
        read_only=True,
    ),
    Tool(
        "book_free",
        "When resources are free",
        "Say from when each resource is free, and until when.",
        BookFree,
        shapes.Free,
        in_thread(book_free),
        read_only=True,
    ),
)
