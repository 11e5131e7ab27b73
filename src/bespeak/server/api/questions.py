"""Questions to the book: who, when, what is in the way, what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bespeak.base import timeparse
from bespeak.base.clock import FOREVER_US, iso
from bespeak.base.errors import UsageError
from bespeak.ledger.callers_gate import CallersGate
from bespeak.ledger.serialize import booking_json, free_json, instant_json, log_json
from bespeak.server import schemas
from bespeak.server.answers import answer, reservation_document
from bespeak.server.api.reservations import problems
from bespeak.server.dependencies import SIGNED_IN, Book, By, Who, Within

if TYPE_CHECKING:
    from bespeak.ledger.model import Reservation
    from bespeak.ledger.service import Ledger

router = APIRouter(tags=["questions"], dependencies=[SIGNED_IN])

_MOST_ENTRIES = 1_000
_MOST_INTEGER = 2**63 - 1


@router.post("/next-free", responses=problems(schemas.NextFree))
async def next_free(book: Book, by: By, asked: schemas.ReservationRequest) -> Response:
    """Tell the first start at which a request would be granted."""
    request = asked.request(by)
    found_us = await book.read(lambda ledger: ledger.next_free(request))
    bounded = found_us is not None and found_us < FOREVER_US
    return answer({"next_free": iso(found_us), "next_free_us": found_us if bounded else None})


@router.post("/in-the-way", responses=problems(schemas.Conflicts))
async def in_the_way(book: Book, by: By, asked: schemas.ReservationRequest) -> Response:
    """Tell what keeps a request from being granted at this instant; changes nothing."""
    request = asked.request(by)
    found = await book.read(lambda ledger: ledger.in_the_way(request))
    return answer({"conflicts": [booking_json(one) for one in found]})


@router.get("/who", responses=problems(schemas.ResourceReservations))
async def who_has(
    book: Book,
    resource: Annotated[str, Query(description="The resource.")],
    limit: Annotated[int, Query(ge=1, le=_MOST_ENTRIES, description="Of those that come next.")] = 20,
) -> Response:
    """Tell who holds a resource now, who waits for it, and who has it next."""

    def work(ledger: Ledger) -> tuple[list[Reservation], int]:
        return ledger.who(resource, limit=limit), ledger.now_us()

    found, now_us = await book.read(work)
    every = [reservation_document(one, now_us) for one in found]
    return answer({"resource": resource, "reservations": every, "now_us": now_us})


@router.get("/free", responses=problems(schemas.FreeWindows))
async def free(
    book: Book,
    resource: Annotated[list[str], Query(description="By default every resource of the book.")] = [],  # noqa: B006
    duration: Annotated[str | None, Query(max_length=64, description="Free for so long, as it is typed.")] = None,
    duration_us: Annotated[int | None, Query(ge=1, le=_MOST_INTEGER)] = None,
    from_: Annotated[str | None, Query(alias="from", max_length=64, description="ISO 8601 with an offset.")] = None,
    from_us: Annotated[int | None, Query(ge=0, le=_MOST_INTEGER)] = None,
) -> Response:
    """Tell the first free window of each resource."""
    if (duration is not None and duration_us is not None) or (from_ is not None and from_us is not None):
        raise UsageError("the same was given twice, as a text and as a number")
    length_us = duration_us if duration is None else timeparse.duration(duration)
    since_us = from_us if from_ is None else schemas.instant("from", from_)
    found = await book.read(lambda ledger: ledger.free(resource, duration_us=length_us or 1, from_us=since_us))
    return answer({"resources": [free_json(one) for one in found]})


@router.post("/gate", responses=problems(schemas.GateDocument))
async def ask_gate(book: Book, by: By, who: Who, within: Within, asked: schemas.GateRequest) -> Response:
    """Tell whether the caller holds what is needed; what a tool behind the gate asks before it begins."""

    def work(ledger: Ledger) -> dict[str, object]:
        found = CallersGate(ledger, who).ask(by.user, asked.resources, within)
        missing = [name for name in asked.resources if name not in found.held]
        others = {
            name: [{"holder": holder, **instant_json("until", until_us)} for holder, until_us in found.others[name]]
            for name in missing
            if name in found.others
        }
        free = {name: iso(found.free.get(name)) for name in missing}
        named = {"user": found.username, "allowed": not missing, "held": sorted(found.held)}
        return {**named, "missing": missing, "others": others, "free": free}

    return answer(await book.read(work))


@router.get("/log", responses=problems(schemas.LogPage))
async def log(
    book: Book,
    after: Annotated[int, Query(ge=0, le=_MOST_INTEGER, description="Only rows with a greater number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST_ENTRIES)] = 50,
    resource: Annotated[str | None, Query(description="Only what concerns it.")] = None,
    reservation_id: Annotated[str | None, Query(alias="id", description="Only of this reservation.")] = None,
    newest_first: bool = False,
) -> Response:
    """Tell the changes of the book."""

    def work(ledger: Ledger) -> list[dict[str, object]]:
        identifier = None if reservation_id is None else ledger.find(reservation_id).id
        found = ledger.log(
            after_seq=after,
            limit=limit + 1,
            resource=resource,
            reservation_id=identifier,
            newest_first=newest_first,
        )
        return [log_json(one) for one in found]

    entries = await book.read(work)
    return answer({"entries": entries[:limit], "more": len(entries) > limit})
