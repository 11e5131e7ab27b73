"""``extend``, ``shorten``, ``release`` and ``kick``: changing what is in the book."""

from __future__ import annotations

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import ids
from bespeak.base.errors import BusyError, NotFoundError, UsageError
from bespeak.cli import converters, formatting
from bespeak.cli.converters import RESERVATION, UNTIL
from bespeak.ledger.current_hold import current_hold
from bespeak.ledger.surrounding_hold import is_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.ledger.current_hold import CurrentHold
    from bespeak.ledger.model import Holder, Reservation
    from bespeak.ledger.service import Ledger

REASON = Option(("--reason",), "Why; must be given with --as-user for what that user has reserved.", "TEXT")
_SHORTEST = 6


@command(
    "extend",
    text="Refused if the next holder would lose.",
    examples=(("extend 8f3a2c10 --for 1h", "one hour longer"), ("extend 8f3a2c10 --until forever", "no end")),
    arguments=(RESERVATION,),
    options=(Option(("--for",), "How much longer.", "DURATION"), UNTIL),
)
def extend(context: Context, values: Values) -> int:
    """Give a reservation a later end."""
    from bespeak.ledger.errors import RefusedError

    duration_us, ends_us = _one_end(values)
    book = context.book()
    ends_us = converters.end_by_the_book(book, values, ends_us)
    found = named(book, values["id"], context.holder(), within=current_hold())
    try:
        changed = book.extend(found.id, context.holder(), duration_us=duration_us, ends_us=ends_us)
    except RefusedError as refused:
        from bespeak.ledger.serialize import refusal_json

        now_us = book.now_us()
        why = "; ".join(formatting.in_the_way(booking, now_us) for booking in refused.refusal.conflicts)
        hint = _most(found, [booking.starts_us for booking in refused.refusal.conflicts])
        raise BusyError(f"{why}, so it cannot end then", **refusal_json(refused.refusal), **hint) from None
    return say(context, "extended", [changed])


def _most(found: Reservation, begins_us: list[int]) -> dict[str, object]:
    """Return the hint how far a reservation can be extended, where it can be at all."""
    latest_us = min(begins_us, default=0)
    if latest_us <= found.ends_us:
        return {}
    from bespeak.base.clock import iso
    from bespeak.base.timeparse import show

    command = f"bespeak extend {ids.short_id(found.id)} --until {iso(latest_us)}"
    return {"hint": f"until {show(latest_us)} would be granted: {command}", "command": command}


@command(
    "shorten",
    examples=(
        ("shorten 8f3a2c10 --for 30m", "half an hour less"),
        ("shorten 8f3a2c10 --until '2030-05-01 15:00'", "a new end"),
    ),
    arguments=(RESERVATION,),
    options=(Option(("--for",), "How much less.", "DURATION"), UNTIL, REASON),
)
def shorten(context: Context, values: Values) -> int:
    """Give a reservation an earlier end."""
    duration_us, ends_us = _one_end(values)
    book = context.book()
    ends_us = converters.end_by_the_book(book, values, ends_us)
    holder, reason = context.holder(), values["reason"] or ""
    found = named(book, values["id"], holder, within=current_hold())
    changed = book.shorten(found.id, holder, duration_us=duration_us, ends_us=ends_us, reason=reason)
    return say(context, "shortened", [changed])


@command(
    "kick",
    examples=(("kick 8f3a2c10 --reason 'fire drill'", "the holder will read it"),),
    arguments=(RESERVATION,),
    options=(Option(("--reason",), "Why; must be given. The holder will read it.", "TEXT"),),
)
def kick(context: Context, values: Values) -> int:
    """Take somebody's reservation away."""
    reason = values["reason"]
    if not reason:
        raise UsageError("kick: --reason must be given; the holder will read it")
    book = context.book()
    found = named(book, values["id"], within=current_hold())
    return say(context, "kicked", [book.kick(found.id, context.holder(), reason)])


@command(
    "release",
    text="Names reservations by their id, or resources that you hold now. A word that is both is refused. "
    "What a command holds as long as it runs (run, a job, a Python program) is ended by its id alone, or from inside. "
    "With --as-user, what that user has reserved, and not you for them, is taken away: that needs the right to kick "
    "and a reason.",
    examples=(
        ("release 8f3a2c10", "one reservation"),
        ("release rack3 analyser", "what you hold of these"),
        ("release --mine", "everything you hold, booked or wait for, but for what commands hold"),
        ("release --from 8f3a2c10 scope1", "one of its resources; the rest is held on"),
    ),
    arguments=(Argument("ID-OR-RESOURCE", many=True, required=False, complete="resource"),),
    options=(
        Option(("--mine",), "Everything that is yours."),
        Option(
            ("--from",), "Only these resources of this reservation; the rest is held on.", "ID", complete="reservation"
        ),
        REASON,
    ),
)
def release(context: Context, values: Values) -> int:
    """Give back reservations by id, or what is held of resources, or everything."""
    words: tuple[str, ...] = values["id_or_resource"]
    if values["from"] is not None:
        return _release_part(context, values, words)
    if bool(words) == values["mine"]:
        raise UsageError("release: name reservations or resources, or say --mine")
    book, holder, reason = context.book(), context.holder(), values["reason"] or ""
    if values["mine"]:
        code = say(context, "released", book.release_mine(holder, within=current_hold(), reason=reason))
        _tell_kept(context, book, holder)
        return code
    found = [reservation for word in words if (reservation := _by_id(book, word, holder)) is not None]
    if not found:
        return say(context, "released", book.release_resources(words, holder, within=current_hold(), reason=reason))
    if len(found) < len(words):
        raise UsageError("release: name reservations or resources, not both at once")
    unique = {reservation.id: reservation for reservation in found}
    return say(context, "released", [book.release(identifier, holder, reason=reason) for identifier in unique])


def _tell_kept(context: Context, book: Ledger, holder: Holder) -> None:
    """Say what is left because commands hold it; inside a run all others' holds are left, as everybody expects."""
    if current_hold() is not None:
        return
    for found in book.listing(holder=holder.name):
        if found.origin.is_of_command:
            context.warn(
                f"kept: {formatting.sentence(found, book.now_us())}, for it is held by a command ({found.origin.text});"
                " its id ends it all the same"
            )


def _release_part(context: Context, values: Values, words: tuple[str, ...]) -> int:
    if values["mine"] or not words:
        raise UsageError("release: --from names a reservation; say which of its resources, without --mine")
    book, holder = context.book(), context.holder()
    found = named(book, values["from"], holder)
    kept = book.release_part(found.id, words, holder, reason=values["reason"] or "")
    return say(context, f"released {', '.join(words)}; kept", [kept])


@command(
    "touch",
    text="A reservation with --check-in is given back if nobody touches it in time, a hold with --keepalive when "
    "nobody has touched it for so long. For others it does nothing.",
    examples=(("touch 8f3a2c10", "I am here"), ("touch rack3", "what you hold of it")),
    arguments=(RESERVATION,),
)
def touch(context: Context, values: Values) -> int:
    """Say that a hold is used."""
    book = context.book()
    found = named(book, values["id"], context.holder(), within=current_hold())
    touched = book.touch(found.id, context.holder())
    return say(context, "touched", [touched])


def named(book: Ledger, word: str, holder: Holder | None = None, *, within: CurrentHold | None = None) -> Reservation:
    """Return the reservation that a word names: by its id, or as what holds the resource of that name now.

    Args:
        book: the open book.
        word: what was typed.
        holder: only this one's hold of a resource counts; None for anybody's.
        within: the hold of the run that asks: by the name of a resource no other one is meant.

    Raises:
        UsageError: several hold the resource.
        NotFoundError: there is no such reservation, or not under ``within``.
    """
    try:
        return book.find(word)
    except (NotFoundError, UsageError) as no_id:
        from bespeak.ledger.model import State

        now_us = book.now_us()
        holds = [found for found in book.reservations(resources=[word]) if found.state(now_us) is State.ACTIVE]
        mine = [found for found in holds if holder is None or found.holder == holder.name]
        if within is not None and mine:
            mine = _under(book, mine, within)
        if len(mine) > 1:
            every = ", ".join(ids.short_id(found.id) for found in mine)
            raise UsageError(f"{word!a} is held by several reservations, {every}; name one of them") from None
        if not mine:
            raise _not_held(book, word, holder, holds) or no_id from None
        return mine[0]


def _not_held(book: Ledger, word: str, holder: Holder | None, holds: list[Reservation]) -> NotFoundError | None:
    """Return what to say of the name of a resource that is not held by whoever is meant; None if it is no such name."""
    if holds and holder is not None:
        return NotFoundError(f"{holder.name} does not hold {word} now; {holds[0].holder} does")
    if not book.inventory([word]):
        return None
    return NotFoundError(f"nobody holds {word} now; what has not begun is named by its id, which `bespeak list` shows")


def _under(book: Ledger, found: list[Reservation], within: CurrentHold) -> list[Reservation]:
    """Return the one that is the hold of the run around this command, or all where that run is about another book."""
    from bespeak.ledger.releasing import of_another_hold

    ours = [one for one in found if (one.id, one.fencing_token) == (within.reservation_id, within.fencing_token)]
    if ours or not is_of(book, within):
        return ours or found
    raise of_another_hold(found[0], within)


def _by_id(book: Ledger, word: str, holder: Holder) -> Reservation | None:
    """Return the reservation that a word names, or None if it names a resource.

    Raises:
        UsageError: it names both.
        NotFoundError: it is a full id that the book does not have.
    """
    if len(word) < _SHORTEST or not ids.CHARACTERS.issuperset(word.lower()):
        return None
    held = any(reservation.holder == holder.name for reservation in book.who(word))
    try:
        found = book.find(word)
    except NotFoundError:
        if held:
            return None
        raise
    except UsageError:
        if held:
            return None
        raise
    if held:
        raise UsageError(
            f"release: {word!a} is a resource that you hold and the start of an id; write the full id {found.id}, or "
            f"release the resource by the id of its reservation"
        )
    return found


def _one_end(values: Values) -> tuple[int | None, int | None]:
    duration_us, ends_us = converters.ending(values)
    if duration_us is None and ends_us is None:
        raise UsageError("say how much with --for, or the new end with --until")
    return duration_us, ends_us


def say(context: Context, done: str, changed: list[Reservation]) -> int:
    """Print what was changed, and how; return the exit code."""
    now_us = context.book().now_us()
    if changed:
        context.done = f"{done} all the same: {', '.join(ids.short_id(one.id) for one in changed)}"
    if context.json:
        from bespeak.ledger.serialize import reservation_json

        context.print_json({"reservations": [reservation_json(one, now_us) for one in changed]})
        return 0
    for one in changed:
        context.print(f"{done} {formatting.sentence(one, now_us)}")
    if not changed:
        context.print(f"nothing to be {done}")
    return 0
