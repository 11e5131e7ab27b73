"""What the buttons do that change a plan: another time, another holder, a part given back, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak import recurrence
from bespeak.base import ids
from bespeak.base.clock import HOUR_US, MINUTE_US
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.ledger import series
from bespeak.recurrence import ClockChange
from bespeak.web.form import Message, whole_number
from bespeak.web.wallclock import WallClock, zone_name

if TYPE_CHECKING:
    from bespeak.ledger.batches import Obstacle
    from bespeak.ledger.model import Request, Reservation
    from bespeak.ledger.service import Ledger
    from bespeak.web.form import Form

_REPEATS = {"day": "daily", "weekday": "weekday", "week": "{:%a}"}
_MOST_TIMES = 100
_NAMED = 5


def key_of(text: str) -> tuple[str, int | None]:
    """Return the id and the fencing token that a button sends; None where it waits and has none.

    Raises:
        UsageError: no page of ours sent it.
    """
    identifier, _, token = text.rpartition(".")
    number = whole_number(token)
    if number is None:
        raise UsageError("the page sent an unknown reservation; load it again")
    return identifier, number or None


def move(book: Ledger, form: Form, key: str) -> Message:
    """Give a reservation that has not begun another time, and another resource in place of one of its own."""
    identifier, token = key_of(key)
    starts_us, ends_us = form.instant_us("starts"), form.instant_us("ends")
    if starts_us is None:
        raise UsageError("say to when")
    made = book.move(
        identifier,
        form.by,
        starts_us=starts_us,
        ends_us=ends_us,
        resources=_with_another(book, form, identifier),
        fencing_token=token,
    )
    return Message("done", f"{_names(made)} moved:", _window(form, made, book.now_us()))


def _with_another(book: Ledger, form: Form, identifier: str) -> tuple[str, ...] | None:
    """Return the resources of a reservation with ``to`` in place of ``from``; None where the form changes none."""
    old, new = form.text("from"), form.text("to")
    if not new or new == old:
        return None
    names = book.get(identifier).resources
    if old not in names:
        raise UsageError(f"the reservation does not have {old!a}; load the page again")
    if new in names:
        raise UsageError(f"the reservation has {new!a} already")
    return tuple(new if name == old else name for name in names)


def check_in(book: Ledger, form: Form, key: str) -> Message:
    """Say that a hold is used."""
    identifier, _ = key_of(key)
    return Message("done", f"{_names(book.touch(identifier, form.by))}: you are checked in.")


def transfer(book: Ledger, form: Form, key: str) -> Message:
    """Give a reservation to somebody else."""
    identifier, token = key_of(key)
    to = form.text("to")
    if not to:
        raise UsageError("say to whom: a user, or team:NAME")
    made = book.transfer(identifier, to, form.by, fencing_token=token)
    return Message("done", f"{_names(made)} is {escape_unprintable(made.holder)}'s now.")


def release_part(book: Ledger, form: Form, target: str) -> Message:
    """Give back one of the resources of a reservation."""
    key, _, name = target.partition(":")
    identifier, token = key_of(key)
    made = book.release_part(identifier, [name], form.by, fencing_token=token)
    return Message("done", f"{escape_unprintable(name)} given back;", f"{_names(made)} is still yours")


def reserve_again(book: Ledger, form: Form, request: Request) -> Message:
    """Book what was asked for again and again, at the same time of the viewer's day: all of it, or nothing."""
    repeat, count = form.text("repeat"), whole_number(form.text("count") or "0")
    if repeat not in _REPEATS or not count or count > _MOST_TIMES:
        raise UsageError(f"say how often it comes again, and how many times: 1 to {_MOST_TIMES}")
    now_us = book.now_us()
    first_us = now_us if request.starts_us is None else request.starts_us
    length_us = HOUR_US if request.duration_us is None else request.duration_us
    if request.ends_us is not None:
        length_us = request.ends_us - first_us
    local = WallClock(form.zone, now_us).local(first_us)
    days = _REPEATS[repeat].format(local).lower()
    rule = recurrence.parse(f"{days} {local:%H:%M} {zone_name(form.zone)}")
    first_us -= first_us % MINUTE_US
    starts = series.starts(rule, first_us, min(first_us, now_us), until=None, count=count, change=ClockChange.REFUSE)
    wanted = series.wanted(request, rule, starts, length_us)
    batch = book.reserve_many(wanted.requests)
    if not batch.done:
        return _in_the_way(form, batch.obstacles, len(wanted.requests), now_us)
    awaits = any(one.is_awaiting for one in batch.done)
    what = "is asked for, and awaits approval," if awaits else "is yours"
    title = f"{_names(batch.done[0])} {what} {len(batch.done)} times:"
    return Message("done", title, f"{wanted.rule}, series {ids.short_id(wanted.id)}")


def cancel_series(book: Ledger, form: Form, identifier: str) -> Message:
    """Cancel all of a series that has not begun."""
    found = series.named_series(book, identifier)
    chosen = series.not_begun(found, book.now_us())
    ended = book.release_many([one.id for one in chosen], form.by)
    return Message("done", f"{len(ended)} of series {ids.short_id(found.id)} cancelled.")


def _in_the_way(form: Form, obstacles: tuple[Obstacle, ...], wanted: int, now_us: int) -> Message:
    clock = WallClock(form.zone, now_us)
    lines = tuple(
        f"{clock.moment(one.starts_us).text}: "
        f"{escape_unprintable(form.viewer.holder_name(one.conflicts[0].holder))} is in the way"
        for one in obstacles[:_NAMED]
    )
    title = f"{len(obstacles)} of {wanted} cannot be had; nothing was booked."
    return Message("refused", title, "", lines, status=409)


def _window(form: Form, of: Reservation, now_us: int) -> str:
    clock = WallClock(form.zone, now_us)
    return f"from {clock.moment(of.starts_us).text} until {clock.moment(of.ends_us).text}"


def _names(of: Reservation) -> str:
    return ", ".join(escape_unprintable(name) for name in of.resources)
