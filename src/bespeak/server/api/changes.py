"""Changes of mind: another time, another holder, somebody else's turn, a part given back; and check-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from pydantic import Field, StrictBool
from starlette.responses import Response

from bespeak.base.errors import BusyError, UsageError
from bespeak.ledger.series import obstacle_json
from bespeak.server import schemas
from bespeak.server.answers import answer, reservation_document
from bespeak.server.api.reservations import ONE, changed, problems
from bespeak.server.dependencies import SIGNED_IN, Book, By, FencingToken

if TYPE_CHECKING:
    from bespeak.ledger.batches import Batch
    from bespeak.ledger.model import Reservation
    from bespeak.ledger.service import Ledger

router = APIRouter(tags=["reservations"], dependencies=[SIGNED_IN])


class MoveRequest(schemas.Window):
    """Another time, by default as long as it was; or other resources, by default at the time it has; or both."""

    starts: schemas.IsoInstant | None = None
    starts_us: schemas.Instant | None = None
    resources: list[str] | None = Field(
        None, min_length=1, max_length=1_000, description="All that it is of then; by default what it has."
    )
    reason: str = schemas.REASON

    def start(self) -> int | None:
        """Return the new start, µs UTC; None keeps it."""
        given = (self.starts is not None) + (self.starts_us is not None)
        if given > 1 or (not given and self.resources is None):
            raise UsageError("give one of starts and starts_us, or resources")
        return self.starts_us if self.starts is None else schemas.instant("starts", self.starts)


class TransferRequest(schemas.Asked):
    """Who has it then."""

    to: str = Field(description="A user, or `team:NAME`.")
    reason: str = schemas.REASON


class SwapRequest(schemas.Asked):
    """The other reservation."""

    other: str = Field(description="Its id, or the beginning of it.")
    reason: str = schemas.REASON


class PartRequest(schemas.Asked):
    """What of it is given back."""

    resources: list[str] = Field(min_length=1, max_length=1_000)
    reason: str = schemas.REASON


class ManyRequest(schemas.Asked):
    """Several requests, of which all are granted or none."""

    requests: list[schemas.ReservationRequest] = Field(min_length=1, max_length=1_000)
    skip_conflicts: StrictBool = Field(False, description="Leave out those that somebody is in the way of.")


@router.post("/reservations/{reservation_id}/move", responses=ONE)
async def move(book: Book, by: By, reservation_id: str, fencing_token: FencingToken, asked: MoveRequest) -> Response:
    """Give a reservation that has not begun another time or other resources; it gets a new number."""
    starts_us, length_us, ends_us = asked.start(), asked.length(), asked.end()

    def work(ledger: Ledger) -> Reservation:
        return ledger.move(
            ledger.find(reservation_id).id,
            by,
            starts_us=starts_us,
            duration_us=length_us,
            ends_us=ends_us,
            resources=asked.resources,
            fencing_token=fencing_token,
            reason=asked.reason,
        )

    return await changed(book, work)


@router.post("/reservations/{reservation_id}/transfer", responses=ONE)
async def transfer(
    book: Book, by: By, reservation_id: str, fencing_token: FencingToken, asked: TransferRequest
) -> Response:
    """Give a reservation to somebody else; it gets a new number."""

    def work(ledger: Ledger) -> Reservation:
        found = ledger.find(reservation_id)
        return ledger.transfer(found.id, asked.to, by, fencing_token=fencing_token, reason=asked.reason)

    return await changed(book, work)


@router.post("/reservations/{reservation_id}/swap", responses=problems(schemas.Reservations))
async def swap(book: Book, by: By, reservation_id: str, asked: SwapRequest) -> Response:
    """Let two reservations change hands; answers with both, under their new numbers."""

    def work(ledger: Ledger) -> tuple[list[Reservation], int]:
        mine, other = ledger.find(reservation_id), ledger.find(asked.other)
        return ledger.swap(mine.id, other.id, by, reason=asked.reason), ledger.now_us()

    both, now_us = await book.write(work)
    return answer({"reservations": [reservation_document(one, now_us) for one in both], "now_us": now_us})


@router.post("/reservations/{reservation_id}/release-part", responses=ONE)
async def release_part(
    book: Book, by: By, reservation_id: str, fencing_token: FencingToken, asked: PartRequest
) -> Response:
    """Give back some of the resources of a reservation; the rest is held on, under the same number."""

    def work(ledger: Ledger) -> Reservation:
        found = ledger.find(reservation_id)
        return ledger.release_part(found.id, asked.resources, by, fencing_token=fencing_token, reason=asked.reason)

    return await changed(book, work)


@router.post("/reservations/{reservation_id}/touch", responses=ONE)
async def touch(book: Book, by: By, reservation_id: str) -> Response:
    """Say that a hold is used: check in, and renew its sign of life."""
    return await changed(book, lambda ledger: ledger.touch(ledger.find(reservation_id).id, by))


@router.post("/reservations-many", status_code=201, responses=problems(schemas.ManyReservations, 201))
async def reserve_many(book: Book, by: By, asked: ManyRequest) -> Response:
    """Book many requests in one transaction: all, or those that nobody is in the way of."""
    requests = [one.request(by) for one in asked.requests]

    def work(ledger: Ledger) -> tuple[Batch, int]:
        return ledger.reserve_many(requests, skip_conflicts=asked.skip_conflicts), ledger.now_us()

    batch, now_us = await book.write(work)
    check_done(batch, len(requests))
    return many_answer(batch, now_us)


def check_done(batch: Batch, wanted: int) -> None:
    """Refuse where nothing was written because somebody is in the way.

    Raises:
        BusyError: with every one that is in the way.
    """
    if batch.done or not batch.obstacles:
        return
    facts = [obstacle_json(one) for one in batch.obstacles]
    text = f"{len(facts)} of {wanted} cannot be had, so nothing was written; skip_conflicts leaves these out"
    raise BusyError(text, conflicts=facts)


def many_answer(batch: Batch, now_us: int, **more: object) -> Response:
    """Return what was booked of many, and who is in the way of the others."""
    document = {
        "reservations": [reservation_document(one, now_us) for one in batch.done],
        "skipped": [obstacle_json(one) for one in batch.obstacles],
        "now_us": now_us,
    }
    return answer({**document, **more}, 201)
