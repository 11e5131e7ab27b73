"""Reservations as files of other programs and back, and how the book was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool
from starlette.responses import Response

from bespeak.base import label_expression
from bespeak.base.clock import DAY_US, iso
from bespeak.ledger.batches import Batch
from bespeak.operations import exchange, report
from bespeak.server import schemas
from bespeak.server.answers import answer
from bespeak.server.api.changes import check_done, many_answer
from bespeak.server.api.reservations import problems
from bespeak.server.dependencies import SIGNED_IN, Book, By

if TYPE_CHECKING:
    from bespeak.ledger.service import Ledger

router = APIRouter(tags=["exchange"], dependencies=[SIGNED_IN])

_USUAL_US = 30 * DAY_US
_MOST_TEXT = 1_000_000
_MEDIA = {"json": "application/json", "csv": "text/csv", "ical": "text/calendar", "otto": "application/json"}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {media: {"schema": {}} for media in sorted(set(_MEDIA.values()))},
        "description": "The reservations that have not ended, in the form that was asked for.",
    }
}
FormName = Literal["json", "csv", "ical", "otto"]
ReadFormName = Literal["json", "csv", "ical", "otto", "labgrid", "jenkins", "dibs"]


class ImportRequest(schemas.Asked):
    """A file with reservations."""

    format: ReadFormName
    text: str = Field(description="What is in the file.", max_length=_MOST_TEXT)
    resources: list[str] = Field([], description="What events of a calendar mean that name none.", max_length=1_000)
    skip_conflicts: StrictBool = Field(False, description="Leave out those that somebody is in the way of.")


class Imported(schemas.ManyReservations):
    """What was booked of a file."""

    over: int = Field(description="How many are over already.")


class ReportDocument(schemas.Answer):
    """How the book was used."""

    by: str
    lines: list[dict[str, Any]]


@router.get("/export", responses={**problems(schemas.Problem), **_FILE})
async def export_reservations(
    book: Book, form: Annotated[FormName, Query(alias="format", description="Of which program.")] = "json"
) -> Response:
    """Give the reservations that have not ended as a file of another program."""

    def work(ledger: Ledger) -> str:
        found = sorted(ledger.reservations(), key=lambda one: (one.starts_us, one.seq))
        items = [exchange.of_reservation(one) for one in found if not one.waiting and one.keepalive_us is None]
        return exchange.dump(form, items, ledger.now_us())

    return Response(await book.read(work), media_type=_MEDIA[form])


@router.post("/import", status_code=201, responses=problems(Imported, 201))
async def import_reservations(book: Book, by: By, asked: ImportRequest) -> Response:
    """Reserve what a file says, in one step; others' reservations are made in their name, which needs the right."""
    items = exchange.load(asked.format, asked.text, tuple(asked.resources))

    def work(ledger: Ledger) -> tuple[Batch, int, int]:
        wanted = exchange.requests(items, by.requested_by or by.user, ledger.now_us())
        batch = Batch((), ())
        if wanted:
            batch = ledger.reserve_many(wanted, skip_conflicts=asked.skip_conflicts)
        return batch, len(wanted), ledger.now_us()

    batch, wanted, now_us = await book.write(work)
    check_done(batch, wanted)
    return many_answer(batch, now_us, over=len(items) - wanted)


@router.get("/report", responses=problems(ReportDocument))
async def report_use(
    book: Book,
    by: Annotated[Literal["resource", "user", "team", "week"], Query(description="What a line is about.")] = "resource",
    from_: Annotated[str | None, Query(alias="from", max_length=64, description="By default 30 days before.")] = None,
    to: Annotated[str | None, Query(max_length=64, description="ISO 8601 with an offset; by default now.")] = None,
    label: Annotated[str | None, Query(description="Only resources whose labels match.")] = None,
) -> Response:
    """Add up how the book was used."""
    begins_us = None if from_ is None else schemas.instant("from", from_)
    ends_us = None if to is None else schemas.instant("to", to)
    matches = None if label is None else label_expression.parse(label)

    def work(ledger: Ledger) -> dict[str, Any]:
        to_us = ledger.now_us() if ends_us is None else ends_us
        from_us = max(to_us - _USUAL_US, 0) if begins_us is None else begins_us
        names = () if matches is None else tuple(one.name for one in ledger.inventory() if matches(one.facts))
        nothing = matches is not None and not names
        lines = [] if nothing else report.report_of(ledger, by, names, from_us=from_us, to_us=to_us)
        named = {"by": by, "from": iso(from_us), "to": iso(to_us)}
        return {**named, "lines": [report.use_json(one) for one in lines]}

    return answer(await book.read(work))
