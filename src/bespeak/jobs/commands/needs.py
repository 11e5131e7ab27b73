"""The options of a job that say which resources it holds, and the booking that is made for a new one."""

from __future__ import annotations

from bespeak.argv.declarations import Option
from bespeak.base.clock import SECOND_US
from bespeak.base.errors import BespeakError, UnavailableError, UsageError
from bespeak.base.paths import HTTP_PREFIXES, POSTGRES_PREFIXES
from bespeak.jobs import store
from bespeak.jobs.cli import check_text
from bespeak.jobs.contract_times import read_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.cli import CommandContext
    from bespeak.jobs.model import JobReservation
    from bespeak.storage.interface import Engine

NEEDS = (
    Option(
        ("--needs",),
        "Book these too; start only while they are held.",
        "RESOURCE",
        words=True,
        complete="resource",
    ),
    Option(
        ("--any",),
        "Book so many that match the --label at the same place, whichever they are; may be repeated.",
        "NUMBER",
        many=True,
    ),
    Option(("--label",), "Which ones --any is about: 'arm64 and ram>=4'; alone, one of them.", "EXPR", many=True),
    Option(("--prefer",), "Of those that match, rather these.", "EXPR"),
    Option(("--same",), "All with the same value of this label; may be repeated.", "KEY", many=True),
    Option(("--for",), "How long what the job needs is booked.", "DURATION"),
    Option(("--as-user",), "For whom it is booked.", "NAME"),
    Option(("--keep-needs",), "Keep what is booked until --for is over, though the job has ended."),
)
_ABOUT_NEEDS = ("for", "as-user", "keep-needs", "prefer")


def read_needs(context: CommandContext) -> dict[str, object]:
    """Return what a job holds: ``needs``, ``for_seconds``, ``holder`` ..."""
    needs = _wanted(context)
    if not needs:
        given = [name for name in _ABOUT_NEEDS if context.value(name) is not None or context.on(name)]
        for name in [*given, *(["same"] if context.many("same") else [])]:
            raise UsageError(f"--{name} needs --needs")
        return {}
    length = context.value("for")
    if length is None:
        raise UsageError("--needs needs --for: how long the resources are booked")
    for_us = read_duration(length, "--for", smallest_us=SECOND_US)
    from bespeak.jobs.resource_bookings import this_user
    from bespeak.settings import ledger_url

    url = ledger_url(context.value("ledger"))
    extras: dict[str, object] = {
        "needs": needs,
        **_choice(context),
        "for_seconds": for_us / SECOND_US,
        "holder": context.text("as-user") or _user_of(url) or this_user(),
    }
    _check(extras)
    if context.on("keep-needs"):
        extras["keep_needs"] = True
    # A password must not end up in the reservation; a dispatcher is told about a server by its own --ledger.
    return extras if url.startswith(POSTGRES_PREFIXES) else extras | {"ledger": url}


def _wanted(context: CommandContext) -> list[object]:
    """Return the names, and for each need an object: a dispatcher that knows names only starts no such job."""
    for name in ("needs", "any", "label"):
        for text in context.many(name):
            check_text(text, f"--{name}")
    wanted: list[object] = list(dict.fromkeys(context.many("needs")))
    counts, labels = context.many("any"), context.many("label")
    if counts or labels:
        from bespeak.ledger.by_need import in_pairs

        wanted += [{"count": need.count, "label": need.label} for need in in_pairs(counts, labels)]
    return wanted


def _choice(context: CommandContext) -> dict[str, object]:
    """Return what chooses among the resources that match."""
    prefer, same = context.text("prefer"), context.many("same")
    for text in same:
        check_text(text, "--same")
    return ({"prefer": prefer} if prefer else {}) | ({"same": same} if same else {})


def _check(extras: dict[str, object]) -> None:
    """Refuse what no book can have, before anything is written."""
    from bespeak.jobs.resource_bookings import wanted
    from bespeak.ledger.model import Holder
    from bespeak.ledger.request_checks import checked

    checked(wanted(extras, Holder(str(extras["holder"]))))


def _user_of(url: str) -> str | None:
    """Return who the server of a book says we are; None for a book without one."""
    if not url.startswith(HTTP_PREFIXES):
        return None
    from bespeak.ledger import open_ledger

    with open_ledger(url) as ledger:
        return ledger.user


def booking_of_new(context: CommandContext, engine: Engine, job: JobReservation) -> JobReservation:
    """Book what a new job needs; when that is refused, it is as if nothing had been asked."""
    try:
        booking_id, next_us = booking_of(context, job)
    except UnavailableError:
        raise  # it may have been booked: the same request finds it
    except BespeakError:
        store.withdraw(engine, job)
        raise
    return store.booked(engine, job, booking_id, next_us)


def booking_of(context: CommandContext, job: JobReservation) -> tuple[str, int]:
    """Book what a job needs; return the booking and when a dispatcher is to look at the job, µs UTC."""
    from bespeak.jobs.resource_bookings import book
    from bespeak.ledger import open_ledger
    from bespeak.settings import ledger_url

    named = context.value("ledger") or job.extras.get("ledger")

    def say_it_is_new(book: str) -> None:
        context.warn(f"there was no book, so this is a new one: {book}")

    with open_ledger(ledger_url(str(named) if named else None), when_made=say_it_is_new) as ledger:
        booking_id, starts_us = book(ledger, job, ledger.now_us())
    return booking_id, starts_us if job.not_before else 0
