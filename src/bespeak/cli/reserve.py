"""``reserve``: book resources now or later, or wait in the queue for them."""

from __future__ import annotations

import sys

from bespeak.argv.declarations import Option, command
from bespeak.base import ids
from bespeak.base.clock import FOREVER_US, MINUTE_US, SECOND_US, duration_text
from bespeak.base.errors import BusyError, UsageError
from bespeak.base.process_identity import this_host
from bespeak.cli import converters, formatting, needs
from bespeak.cli.converters import (
    CLOCK_CHANGE,
    FOR,
    PRIORITY,
    PURPOSE,
    SHARED_USE,
    SKIP_CONFLICTS,
    TAG,
    UNTIL,
)
from bespeak.ledger.model import Mode, Origin, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from bespeak.cli.context import Context, Values
    from bespeak.ledger.errors import RefusedError
    from bespeak.ledger.model import QueuePosition, Refusal, Reservation


AT = Option(
    ("--at",), "From when: 14:00, fri 14:00, tomorrow 9:00 Europe/Berlin, +2h, ISO 8601 (default: now).", "TIME"
)
TIMES = """Durations are written 90s, 15m, 2h, 1d, 1h30m. Times are written 14:00, fri 14:00, tomorrow 9:00, +2h,
2026-11-24T14:00+01:00, and may end with a zone such as Europe/Berlin. What can be read in two ways is refused, with
the readings it could have."""


@command(
    "reserve",
    text="If somebody is in the way, the answer says who, until when, why, and the first time all are free; --next "
    "takes that time, --wait waits in the queue for it.\n\n" + TIMES,
    examples=(
        ("reserve rack3 --for 2h", "take rack3 for two hours"),
        ("reserve rack3 analyser --at '2030-05-01 14:00' --for 90m --purpose 'thermal run'", "book two together"),
        ("reserve rack3 --for 1h --next", "take the first hour that is free"),
        ("reserve rack3 --for 1h --wait 30m", "wait in the queue for at most half an hour"),
        ("reserve --any 2 --label 'arm64 and ram>=4' --same site --for 1h", "take two boards of a kind from one site"),
        ("reserve rack3 --every 'weekday 22:00' --count 10 --for 8h", "a series: ten nights"),
        ("reserve build-server --shared --for forever", "share it with others until you give it back"),
    ),
    arguments=(needs.RESOURCES,),
    options=(
        *needs.OPTIONS,
        FOR,
        UNTIL,
        AT,
        SHARED_USE,
        PURPOSE,
        TAG,
        Option(("--check-in",), "Give it back if nobody uses it (`touch`) for so long from its start on.", "DURATION"),
        Option(("--keepalive",), "Give it back when it was not used (`touch`, the gate) for so long.", "DURATION"),
        Option(("--next",), "Take the first time from --at on at which all are free."),
        Option(("--wait",), "Wait in the queue, for at most TIMEOUT.", "TIMEOUT", optional_value=True),
        PRIORITY,
        Option(
            ("--every",),
            "A series: 'weekday 22:00', 'mon,thu 9:00 Europe/Berlin', or an RRULE; --until (a day) or --count ends it.",
            "RULE",
        ),
        Option(("--count",), "With --every: so many.", "NUMBER", kind="int"),
        SKIP_CONFLICTS,
        CLOCK_CHANGE,
    ),
)
def reserve(context: Context, values: Values) -> int:
    """Book the resources and say so, or raise what stands in the way."""
    if values["every"] is not None:
        return _series(context, values)
    if values["count"] is not None or values["skip_conflicts"] or values["clock_change"] is not None:
        raise UsageError("--count, --skip-conflicts and --clock-change are about a series; they need --every")
    request = asked(context, values)
    book = context.book(create=True)
    from bespeak.ledger.request_checks import with_times

    ends_us = converters.end_by_the_book(book, values, request.ends_us)
    request = with_times(request, converters.start_by_the_book(book, values), ends_us)
    if values["wait"] is None:
        from bespeak.ledger.errors import RefusedError

        if values["priority"] is not None:
            raise UsageError("--priority is a queue position; it needs --wait")
        try:
            made = book.reserve(request)
        except RefusedError as refused:
            refuse(refused, request, context)
    else:
        made = wait(context, request, values)
    context.done = f"reservation {ids.short_id(made.id)} was made, and stands"
    if context.json:
        from bespeak.ledger.serialize import reservation_json

        properties = {"properties": book.labels_of(made.resources)}
        context.print_json(reservation_json(made, book.now_us()) | properties)
        return 0
    said = request.duration_us is not None or request.ends_us is not None
    default = "" if said else f"; the default is {duration_text(made.ends_us - made.starts_us)}, choose with --for"
    if made.is_awaiting:
        context.print(f"asked for {formatting.sentence(made, book.now_us())}{default}; it is no hold before that")
        return 0
    context.print(f"reserved {formatting.sentence(made, book.now_us())}{default}")
    return 0


def _series(context: Context, values: Values) -> int:
    from bespeak.cli.series import reserve_every

    if values["wait"] is not None or values["next"] or values["priority"] is not None:
        raise UsageError("--every has times of its own; it excludes --wait, --next and --priority")
    return reserve_every(context, values, asked(context, {**values, "until": None}))


def asked(context: Context, values: Values) -> Request:
    """Return the request that the options and arguments describe."""
    duration_us, ends_us = converters.ending(values)
    if values["wait"] is not None and (values.get("next") or (ends_us is not None and ends_us < FOREVER_US)):
        other = "--next" if values.get("next") else "--until"
        raise UsageError(f"--wait and {other} exclude each other: who waits takes the first turn, for a duration")
    request = Request(
        resources=values["resource"],
        holder=context.holder(),
        starts_us=converters.start("--at", values.get("at")),
        duration_us=duration_us,
        ends_us=ends_us,
        mode=Mode.SHARED if values["shared"] else Mode.EXCLUSIVE,
        purpose=values["purpose"] or "",
        tags=converters.tags(values["tag"]),
        next_fit=bool(values.get("next")),
        origin=Origin(this_host()),
        keepalive_us=_kept(values),
        check_in_us=_bounded("--check-in", values.get("check_in")),
    )
    return needs.with_needs(request, values)


def _kept(values: Values) -> int | None:
    """Return the keep-alive of a hold that no process keeps: whoever has it touches it."""
    if values.get("keepalive") is None or "check_in" not in values:
        return None  # `run` has one of its own
    if values.get("at") or values.get("next"):
        raise UsageError("--keepalive counts from now on; for a reservation that begins later, say --check-in")
    return _bounded("--keepalive", values["keepalive"])


def _bounded(flag: str, text: str | None) -> int | None:
    length_us = converters.duration(flag, text)
    if length_us is not None and length_us >= FOREVER_US:
        raise UsageError(f"{flag}: it needs an end")
    return length_us


def wait(context: Context, request: Request, values: Values) -> Reservation:
    """Wait in the queue, saying the position whenever it changes; a signal to end leaves the queue."""
    from bespeak.cli.signals import ended_by_signal

    timeout_us = converters.duration("--wait", values["wait"]) if values["wait"] else None
    if timeout_us is not None and timeout_us >= FOREVER_US:
        timeout_us = None
    with ended_by_signal():
        return context.book(create=True).queue(
            request,
            priority=values["priority"] or 0,
            timeout_us=timeout_us,
            on_position=lambda position: _tell_position(context, position),
            repeat_position_us=None if sys.stderr.isatty() else MINUTE_US,
            on_outage=lambda text: context.warn(f"waiting: {text}"),
        )


def _tell_position(context: Context, position: QueuePosition) -> None:
    """Say where a waiter stands: a line for people, an event for programs; standard output belongs to the answer."""
    text = _position_text(position)
    if not context.json:
        context.warn(text, "dim")
        return
    from bespeak.base.json_text import one_line
    from bespeak.cli.output import to_stderr
    from bespeak.ledger.serialize import position_json

    to_stderr(one_line({"event": "waiting", "text": text, **position_json(position)}))


def _position_text(position: QueuePosition) -> str:
    held = "; ".join(formatting.in_the_way(booking) for booking in position.held)
    behind = f", behind {', '.join(position.ahead)}" if position.ahead else ""
    promised = _promised_text(position)
    return f"waiting: position {position.position}{behind}{promised}" + (f"; {held}" if held else "")


def _promised_text(position: QueuePosition) -> str:
    from bespeak.base import timeparse

    if position.promised_us is not None:
        text = f"; promised by {timeparse.show(position.promised_us)}"
    elif position.expected_us is not None:
        text = f"; no time can be promised; earlier runs like this end by {timeparse.show(position.expected_us)}"
    else:
        text = "; no time can be promised"
    if position.moved_from_us is not None:
        text += f", not by {timeparse.show(position.moved_from_us)} any more: {position.moved_by} goes first"
    return text


def refuse(refused: RefusedError, request: Request, context: Context) -> NoReturn:
    """Say who is in the way, and the command that books the first time at which nobody is.

    Raises:
        BusyError: always; its details carry the facts and the hint.
    """
    from bespeak.ledger.serialize import refusal_json

    book = context.book()
    now_us = book.now_us()
    why = "; ".join(formatting.in_the_way(booking, now_us) for booking in refused.refusal.conflicts) or str(refused)
    details = refusal_json(refused.refusal)
    next_us = refused.refusal.next_free_us
    if next_us is not None:
        details |= _way_out(request, next_us, context.spoken())
        ways = (
            _own_hold(refused.refusal, request, context, now_us),
            details["hint"],
            _until_then(refused.refusal, request, now_us),
        )
        details["hint"] = "".join(map(str, ways))
    raise BusyError(why, **details) from None


def _own_hold(refusal: Refusal, request: Request, context: Context, now_us: int) -> str:
    """Return what to do instead, where it is a hold of who asks that is in the way."""
    from bespeak.base import clock
    from bespeak.cli.output import shell_words

    starts_us = request.starts_us or now_us
    found = next((one for one in refusal.conflicts if one.holder == request.holder.name), None)
    if found is None or found.waiting or found.awaiting or found.origin.text or found.starts_us > starts_us:
        return ""
    dash = ["--"] if found.resource.startswith("-") else []
    length = clock.duration_text(request.duration_us or 3600 * SECOND_US, units=4)
    longer = shell_words(["bespeak", *context.spoken(), "extend", "--for", length, *dash, found.resource])
    if found.starts_us > clock.now():
        return f"{found.resource} is yours at that time; make that longer with {longer}; "
    return f"{found.resource} is yours until then: work with it, or make that longer with {longer}; "


def _until_then(refusal: Refusal, request: Request, now_us: int) -> str:
    """Return until when the request would be granted, where what is in the way has not begun."""
    from bespeak.base import timeparse

    begins_us = min((booking.starts_us for booking in refusal.conflicts), default=0)
    if any(booking.waiting for booking in refusal.conflicts) or begins_us <= (request.starts_us or now_us):
        return ""
    return f"; or end by {timeparse.show(begins_us)}"


def _way_out(request: Request, next_us: int, spoken: list[str]) -> dict[str, object]:
    """Return the hint and the command that books the first time at which all are free."""
    from bespeak.base import clock, timeparse
    from bespeak.cli.output import shell_words

    dashed = any(name.startswith("-") for name in request.resources)
    words = ["bespeak", *spoken, "reserve", *(() if dashed else request.resources)]
    length_us = request.duration_us
    if request.ends_us is not None:
        length_us = request.ends_us - (request.starts_us or clock.now())
    if request.ends_us is not None and request.ends_us >= FOREVER_US:
        words += ["--for", "forever"]
    elif length_us is not None:
        words += ["--for", clock.duration_text(-(-length_us // SECOND_US) * SECOND_US, units=4)]
    if request.starts_us is not None:
        words += ["--at", str(clock.iso(request.starts_us))]
    words += needs.typed(request)
    if request.mode is Mode.SHARED:
        words.append("--shared")
    if request.purpose:
        words += ["--purpose", request.purpose]
    for key, value in request.tags:
        words += ["--tag", f"{key}={value}"]
    command = shell_words([*words, "--next", *(("--", *request.resources) if dashed else ())])
    every = "all are free" if len(request.resources) + sum(need.count for need in request.needs) > 1 else "free"
    return {"hint": f"{every} from {timeparse.show(next_us)}; book that with: {command}", "command": command}
