"""Series: reservations that come again, shown, changed and cancelled as one thing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool, StrictInt
from starlette.responses import Response

from bespeak import recurrence
from bespeak.base import timeparse
from bespeak.base.errors import UsageError
from bespeak.base.wallclock import is_date, time_of_day_us
from bespeak.ledger import series as service
from bespeak.ledger.series import Series
from bespeak.recurrence import ClockChange
from bespeak.server import schemas
from bespeak.server.answers import answer
from bespeak.server.api.changes import check_done
from bespeak.server.api.reservations import problems
from bespeak.server.dependencies import SIGNED_IN, Book, By

if TYPE_CHECKING:
    from datetime import date

    from bespeak.ledger.service import Ledger

router = APIRouter(tags=["series"], dependencies=[SIGNED_IN])

ClockChangeName = Literal["refuse", "skip", "early", "late"]
_CHANGE: Any = Field("refuse", description="What is meant by a time that the clocks skip or show twice.")
_DAY = "A day like 2040-05-01, by the clocks of the rule."


class SeriesRequest(schemas.ReservationRequest):
    """What somebody wants to hold again and again; the end is that of each."""

    every: str = Field(description="`weekday 22:00 Europe/Berlin`, or an RRULE; without a zone, UTC.", max_length=200)
    until: str | None = Field(None, description="The last day, or the last instant with an offset.", max_length=64)
    count: StrictInt | None = Field(None, ge=1, le=recurrence.MOST)
    skip_conflicts: StrictBool = Field(False, description="Leave out those that somebody is in the way of.")
    clock_change: ClockChangeName = _CHANGE


class SeriesPart(schemas.Asked):
    """Which of a series are meant: by default all that have not begun."""

    only: str | None = Field(None, description=_DAY, max_length=10)
    from_: str | None = Field(None, alias="from", description=_DAY + " That and all later ones.", max_length=10)

    def days(self) -> dict[str, date | None]:
        """Return the days that are named."""
        if self.only and self.from_:
            raise UsageError("only and from exclude each other")
        return {
            "only": recurrence.day(self.only) if self.only else None,
            "begin": recurrence.day(self.from_) if self.from_ else None,
        }


class SeriesCancel(SeriesPart):
    """What is cancelled."""

    reason: str = schemas.REASON


class SeriesEdit(SeriesPart):
    """What is changed."""

    time: str | None = Field(None, description="The new time of day: HH:MM.", max_length=8)
    duration: str | None = Field(None, description="How long then, as it is typed.", max_length=64)
    duration_us: schemas.Duration | None = None
    skip_conflicts: StrictBool = Field(False, description="Leave those where they are that somebody is in the way of.")
    clock_change: ClockChangeName = _CHANGE


class SeriesDocument(schemas.Answer):
    """A series."""

    id: str
    short_id: str
    rule: str
    reservations: list[schemas.ReservationDocument]


class SeriesChanged(SeriesDocument):
    """A series after a change."""

    skipped: list[dict[str, Any]]


class SeriesList(schemas.Answer):
    """The series of a book."""

    series: list[SeriesDocument]


@router.post("/series", status_code=201, responses=problems(SeriesChanged, 201))
async def make_series(book: Book, by: By, asked: SeriesRequest) -> Response:
    """Book every occurrence of a rule: all, or those that nobody is in the way of."""
    if asked.end() is not None or asked.queue or asked.next_fit:
        raise UsageError("a series takes a duration; ends, queue and next_fit do not go with it")
    rule = recurrence.parse(asked.every)
    rule = rule if rule.zone_name else recurrence.parse(f"{asked.every} UTC")
    until, request = _last(asked.until, rule), asked.request(by)

    def work(ledger: Ledger) -> Response:
        now_us = ledger.now_us()
        first_us = now_us if request.starts_us is None else request.starts_us
        change = ClockChange(asked.clock_change)
        starts_us = service.starts(rule, first_us, now_us, until=until, count=asked.count, change=change)
        length_us = request.duration_us or ledger.policy().default_for_us
        wanted = service.wanted(request, rule, starts_us, length_us)
        batch = ledger.reserve_many(wanted.requests, skip_conflicts=asked.skip_conflicts)
        check_done(batch, len(wanted.requests))
        tags = dict(batch.done[0].tags)
        made = Series(tags[service.TAG], tags[service.RULE_TAG], batch.done)
        return _changed(made, batch.obstacles, now_us, 201)

    return await book.write(work)


@router.get("/series", responses=problems(SeriesList))
async def list_series(book: Book) -> Response:
    """List the series that have something left."""

    def work(ledger: Ledger) -> dict[str, Any]:
        now_us = ledger.now_us()
        return {"series": [service.series_json(one, now_us) for one in service.all_series(ledger)]}

    return answer(await book.read(work))


@router.get("/series/{series_id}", responses=problems(SeriesDocument))
async def show_series(
    book: Book,
    series_id: str,
    every: Annotated[bool, Query(alias="all", description="Also what has ended.")] = True,
) -> Response:
    """Show each reservation of a series."""

    def work(ledger: Ledger) -> dict[str, Any]:
        found = service.named_series(ledger, series_id, include_ended=every)
        return service.series_json(found, ledger.now_us())

    return answer(await book.read(work))


@router.post("/series/{series_id}/cancel", responses=problems(SeriesChanged))
async def cancel_series(book: Book, by: By, series_id: str, asked: SeriesCancel) -> Response:
    """Cancel one, the rest or all of a series that has not begun."""
    days = asked.days()

    def work(ledger: Ledger) -> Response:
        found, now_us = service.named_series(ledger, series_id), ledger.now_us()
        chosen = service.not_begun(found, now_us, **days)
        ended = ledger.release_many([one.id for one in chosen], by, reason=asked.reason)
        return _changed(Series(found.id, found.rule, tuple(ended)), (), now_us)

    return await book.write(work)


@router.post("/series/{series_id}/edit", responses=problems(SeriesChanged))
async def edit_series(book: Book, by: By, series_id: str, asked: SeriesEdit) -> Response:
    """Give one, the rest or all of a series another time of day or length."""
    if asked.duration is not None and asked.duration_us is not None:
        raise UsageError("duration and duration_us are the same; give one")
    length_us = asked.duration_us if asked.duration is None else timeparse.duration(asked.duration)
    at_us = None if asked.time is None else time_of_day_us(asked.time)
    if at_us is None and (asked.time is not None or length_us is None):
        raise UsageError("say what changes: time as HH:MM, or a duration")
    days = asked.days()

    def work(ledger: Ledger) -> Response:
        found, now_us = service.named_series(ledger, series_id), ledger.now_us()
        chosen = service.not_begun(found, now_us, **days)
        change = ClockChange(asked.clock_change)
        moves = service.moves(found, chosen, time_of_day_us=at_us, length_us=length_us, change=change)
        batch = ledger.move_many(moves, by, skip_conflicts=asked.skip_conflicts)
        check_done(batch, len(moves))
        return _changed(Series(found.id, found.rule, batch.done), batch.obstacles, now_us)

    return await book.write(work)


def _last(text: str | None, rule: recurrence.Rule) -> datetime | None:
    """Return the last wall-clock time that ``until`` allows: the end of a day, or an instant."""
    if text is None:
        return None
    if is_date(text):
        return datetime.combine(recurrence.day(text), datetime.max.time())
    return recurrence.wall_time(schemas.instant("until", text), rule.zone())


def _changed(of: Series, obstacles: tuple[Any, ...], now_us: int, status: int = 200) -> Response:
    skipped = [service.obstacle_json(one) for one in obstacles]
    return answer({**service.series_json(of, now_us), "skipped": skipped}, status)
