"""What the buttons of pages do: one word, what it is done to, and the fields around it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from bespeak.base.clock import duration_text
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import (
    BespeakError,
    BusyError,
    NotFoundError,
    UnavailableError,
    UsageError,
    WrongStateError,
)
from bespeak.ledger.errors import CLOSED, RefusedError
from bespeak.ledger.model import Mode, Request
from bespeak.web import account_actions, planning_actions, queue_keeper
from bespeak.web.form import LONGEST_FOR_US, Form, Message, Offer, local_path
from bespeak.web.planning_actions import key_of
from bespeak.web.wallclock import WallClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.ledger.model import Booking, Reservation
    from bespeak.ledger.service import Ledger
    from bespeak.web.viewer import Viewer

_STATUS = (
    (UsageError, HTTPStatus.BAD_REQUEST),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (BusyError, HTTPStatus.CONFLICT),
    (WrongStateError, HTTPStatus.CONFLICT),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
)
_MOST_CONFLICTS_SHOWN = 5


def act(book: Ledger, form: Form) -> Message:
    """Do what was pressed, and return what to say about it; failures are said too, and change nothing."""
    word, _, target = form.fields.get("do", "").partition(":")
    back = local_path(form.text("back"))
    action = _ACTIONS.get(word)
    if action is None or not target:
        return Message("error", "Nothing was done:", "the page sent no action", back=back, status=400)
    try:
        said = action(book, form, target)
    except RefusedError as error:
        said = _refused(book, form, target, error)
    except BespeakError as error:
        said = Message("error", "Not done:", escape_unprintable(str(error)), status=status_of(error))
    return Message(said.kind, said.title, said.text, said.lines, said.offers, said.fields, back, said.status)


def status_of(error: BespeakError) -> int:
    """Return the HTTP status that says what kind of failure it is."""
    return next((code for kind, code in _STATUS if isinstance(error, kind)), HTTPStatus.FORBIDDEN)


def _request(book: Ledger, form: Form, name: str) -> Request:
    starts_us, ends_us = form.instant_us("starts"), form.instant_us("ends")
    if starts_us is not None and starts_us <= book.now_us():
        starts_us = None if ends_us is not None and ends_us > book.now_us() else starts_us
    return Request(
        (name,),
        form.by,
        starts_us=starts_us,
        duration_us=form.duration_us() if ends_us is None else None,
        ends_us=ends_us,
        mode=Mode.SHARED if form.text("mode") == Mode.SHARED.value else Mode.EXCLUSIVE,
        purpose=form.text("purpose"),
    )


def _reserve(book: Ledger, form: Form, name: str) -> Message:
    request = _request(book, form, name)
    if form.text("repeat"):
        return planning_actions.reserve_again(book, form, request)
    made = book.reserve(request)
    if made.is_awaiting:
        return _done(book, form, f"{_names(made)} is asked for, and awaits approval", made)
    return _done(book, form, f"{_names(made)} is yours", made)


def _join(book: Ledger, form: Form, name: str) -> Message:
    purpose = form.text("purpose")
    request = Request((name,), form.by, duration_us=form.duration_us(), purpose=purpose, tags=(queue_keeper.KEPT,))
    made = queue_keeper.join(book, request)
    if not made.waiting:
        return _done(book, form, f"{_names(made)} is yours", made)
    promised = WallClock(form.zone, book.now_us()).moment(made.starts_us)
    text = f"promised for {promised.text}" if promised.iso else "no time can be promised yet"
    return Message("done", f"You are in line for {_names(made)}:", text)


def _extend(book: Ledger, form: Form, key: str) -> Message:
    identifier, token = key_of(key)
    made = book.extend(identifier, form.by, duration_us=form.duration_us(), fencing_token=token)
    return _done(book, form, f"{_names(made)} extended", made)


def _shorten(book: Ledger, form: Form, key: str) -> Message:
    identifier, token = key_of(key)
    made = book.shorten(identifier, form.by, duration_us=form.duration_us(), fencing_token=token)
    return _done(book, form, f"{_names(made)} shortened", made)


def _release(book: Ledger, form: Form, key: str) -> Message:
    identifier, token = key_of(key)
    ended = book.release(identifier, form.by, fencing_token=token)
    verb = {"released": "released", "cancelled": "cancelled"}.get(ended.why_ended(book.now_us()) or "", "given back")
    return Message("done", f"{_names(ended)} {verb}")


def _kick(book: Ledger, form: Form, identifier: str) -> Message:
    ended = book.kick(identifier, form.by, form.text("reason"))
    return Message("done", f"{_names(ended)} was taken from {escape_unprintable(ended.holder)}")


def _approve(book: Ledger, form: Form, identifier: str) -> Message:
    made = book.approve(identifier, form.by)
    return _done(book, form, f"{_names(made)} approved for {escape_unprintable(made.holder)}", made)


def _refuse(book: Ledger, form: Form, identifier: str) -> Message:
    ended = book.refuse(identifier, form.by, form.text("reason"))
    return Message("done", f"{_names(ended)} refused to {escape_unprintable(ended.holder)}")


def _done(book: Ledger, form: Form, title: str, made: Reservation) -> Message:
    clock = WallClock(form.zone, book.now_us())
    starts = "" if made.starts_us <= clock.now_us else f"from {clock.moment(made.starts_us).text} "
    return Message("done", title + ":", f"{starts}until {clock.moment(made.ends_us).text}")


def _names(of: Reservation) -> str:
    return ", ".join(escape_unprintable(name) for name in of.resources)


def _refused(book: Ledger, form: Form, target: str, error: RefusedError) -> Message:
    """Say who is in the way and until when, and offer what can be done instead."""
    clock = WallClock(form.zone, book.now_us())
    refusal, request = error.refusal, error.request
    lines = [_in_the_way(one, clock, form.viewer) for one in refusal.conflicts[:_MOST_CONFLICTS_SHOWN]]
    offers: list[Offer] = []
    fields = [("purpose", form.text("purpose"))]
    word, _, key = form.text("do").partition(":")
    if word == "move" and refusal.next_free_us is not None:
        free = clock.moment(refusal.next_free_us)
        fields += [(name, form.text(name)) for name in ("from", "to") if form.text(name)]
        fields.append(("starts_us", str(refusal.next_free_us)))
        if request.duration_us is not None:
            fields.append(("ends_us", str(refusal.next_free_us + request.duration_us)))
        offers.append(Offer(f"move:{key}", f"Move to {free.text}"))
    if word == "reserve":
        length_us = _length_us(form, request, clock.now_us)
        fields.append(("for", duration_text(length_us, units=4)))
        if refusal.next_free_us is not None:
            free = clock.moment(refusal.next_free_us)
            lines.append(f"free for {duration_text(length_us)} from {free.text}")
            fields.append(("starts_us", str(refusal.next_free_us)))
            offers.append(Offer(f"reserve:{target}", f"Book from {free.text}"))
        offers.append(Offer(f"join:{target}", "Join the line"))
    title = f"{escape_unprintable(', '.join(request.resources))} is taken"
    return Message("refused", title + ".", "", tuple(lines), tuple(offers), tuple(fields), status=HTTPStatus.CONFLICT)


def _length_us(form: Form, request: Request, now_us: int) -> int:
    if request.ends_us is None:
        return form.duration_us()
    return min(request.ends_us - (request.starts_us or now_us), LONGEST_FOR_US)


def _in_the_way(of: Booking, clock: WallClock, viewer: Viewer) -> str:
    if of.closed:
        reason = f" ({escape_unprintable(of.purpose)})" if of.purpose else ""
        return f"{escape_unprintable(of.resource)} {CLOSED[of.closed]} until {clock.moment(of.ends_us).text}{reason}"
    verb = (
        "kept until somebody approves it for"
        if of.awaiting
        else "promised to"
        if of.waiting
        else "held by"
        if of.starts_us <= clock.now_us
        else "booked by"
    )
    begins = "" if of.starts_us <= clock.now_us else f" from {clock.moment(of.starts_us).text}"
    shown = viewer.purpose(of.holder, of.purpose)
    purpose = f" ({escape_unprintable(shown)})" if shown else ""
    holder, name = escape_unprintable(viewer.holder_name(of.holder)), escape_unprintable(of.resource)
    return f"{name} is {verb} {holder}{begins} until {clock.moment(of.ends_us).text}{purpose}"


_ACTIONS: dict[str, Callable[[Ledger, Form, str], Message]] = {
    "reserve": _reserve,
    "join": _join,
    "extend": _extend,
    "shorten": _shorten,
    "release": _release,
    "kick": _kick,
    "approve": _approve,
    "refuse": _refuse,
    "move": planning_actions.move,
    "check-in": planning_actions.check_in,
    "transfer": planning_actions.transfer,
    "part": planning_actions.release_part,
    "series-cancel": planning_actions.cancel_series,
    "notify": account_actions.notify,
    "calendar": account_actions.make_calendar,
    "calendar-revoke": account_actions.revoke_calendar,
    "tell": account_actions.tell,
    "untell": account_actions.untell,
    "resource-set": account_actions.set_resource,
    "resource-remove": account_actions.remove_resource,
    "rights-grant": account_actions.grant,
    "rights-revoke": account_actions.revoke_rule,
    "token-revoke": account_actions.revoke_token,
}
