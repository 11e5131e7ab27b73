"""``move``, ``transfer`` and ``swap``: another time, other resources, another holder, somebody else's turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import ids, timeparse
from bespeak.base.clock import iso
from bespeak.base.errors import BusyError, UsageError
from bespeak.cli import converters, formatting
from bespeak.cli.converters import RESERVATION, UNTIL
from bespeak.cli.modify import REASON, named, say
from bespeak.cli.output import shell_words

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.ledger.errors import RefusedError
    from bespeak.ledger.model import Reservation


@command(
    "move",
    text="It keeps its id and gets a new number; quotas, approval and closed times are asked again. If somebody is in "
    "the way there, nothing changes, and the answer says the first time from then on that would be granted. What has "
    "begun is not moved: extend, shorten or release it.",
    examples=(
        ("move 8f3a2c10 --at '2031-05-01 16:00'", "as long as before, at another time"),
        ("move 8f3a2c10 --at '2031-05-02 9:00' --for 2h", "and another length"),
        ("move 8f3a2c10 --to rack4", "at the same time, on another resource"),
    ),
    arguments=(RESERVATION,),
    options=(
        Option(("--at",), "The new start (default: as before).", "TIME"),
        Option(
            ("--to",),
            "What it is of then, all of it (default: as before).",
            "RESOURCE",
            many=True,
            complete="resource",
        ),
        Option(("--for",), "How long then (default: as long as it was).", "DURATION"),
        UNTIL,
        REASON,
    ),
)
def move(context: Context, values: Values) -> int:
    """Give a reservation that has not begun another time, or other resources."""
    from bespeak.ledger.errors import RefusedError

    starts_us = converters.start("--at", values["at"])
    if starts_us is None and (values["at"] or not values["to"]):
        raise UsageError("move: say to when, with --at, or to what, with --to; what shall begin now is reserved anew")
    duration_us, ends_us = converters.ending(values)
    book, holder = context.book(), context.holder()
    found = named(book, values["id"], holder)
    try:
        moved = book.move(
            found.id,
            holder,
            starts_us=converters.start_by_the_book(book, values) or starts_us,
            duration_us=duration_us,
            ends_us=converters.end_by_the_book(book, values, ends_us),
            resources=values["to"] or None,
            reason=values["reason"] or "",
        )
    except RefusedError as refused:
        raise _refused(context, found, refused, values["to"]) from None
    return say(context, "moved", [moved])


def _refused(context: Context, found: Reservation, refused: RefusedError, to: tuple[str, ...]) -> BusyError:
    """Return who is in the way, and the command that moves to the first time at which nobody is."""
    from bespeak.ledger.serialize import refusal_json

    now_us = context.book().now_us()
    why = "; ".join(formatting.in_the_way(booking, now_us) for booking in refused.refusal.conflicts)
    details = refusal_json(refused.refusal)
    next_us = refused.refusal.next_free_us
    if next_us is not None:
        words = ["bespeak", *context.spoken(), "move", ids.short_id(found.id), "--at", str(iso(next_us))]
        words += [f"--to={name}" for name in to]
        length_us = refused.request.duration_us
        if length_us is not None and length_us != found.ends_us - found.starts_us:
            words += ["--until", str(iso(next_us + length_us))]
        command = shell_words(words)
        details |= {"hint": f"{timeparse.show(next_us)} would be granted: {command}", "command": command}
    return BusyError(why, **details)


@command(
    "transfer",
    text="It keeps its id, its time and what it is for, and gets a new number: who acts under the old one is refused. "
    "What a process keeps alive (run) ends with that process, and cannot change hands.",
    examples=(
        ("transfer 8f3a2c10 --to bob", "bob has it from now on"),
        ("transfer 8f3a2c10 --to team:bringup --reason 'on holiday'", "a team has it"),
    ),
    arguments=(RESERVATION,),
    options=(
        Option(("--to",), "Who has it then: a user, or team:NAME; must be given.", "USER", complete="user"),
        REASON,
    ),
)
def transfer(context: Context, values: Values) -> int:
    """Give a reservation to somebody else."""
    if not values["to"]:
        raise UsageError("transfer: say to whom, with --to")
    book, holder = context.book(), context.holder()
    found = named(book, values["id"], holder)
    given = book.transfer(found.id, values["to"], holder, reason=values["reason"] or "")
    return say(context, f"transferred to {given.holder}:", [given])


@command(
    "swap",
    text="Each holder gets the time and the resources of the other; what for, and the tags, go along. The first is "
    "yours, and so is the second, or you may take it away (kick), with a reason that its holder will read. Both "
    "get new numbers.",
    examples=(("swap 8f3a2c10 8f3a2c11 --reason 'agreed by phone'", "your turn for theirs"),),
    arguments=(RESERVATION, Argument("OTHER", complete="reservation")),
    options=(Option(("--reason",), "Why; must be given where the other one is somebody else's.", "TEXT"),),
)
def swap(context: Context, values: Values) -> int:
    """Let two reservations change hands."""
    book, holder = context.book(), context.holder()
    mine, other = named(book, values["id"], holder), named(book, values["other"])
    return say(context, "swapped", book.swap(mine.id, other.id, holder, reason=values["reason"] or ""))
