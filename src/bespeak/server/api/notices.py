"""The notices of whoever calls, and where else they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from bespeak.base import timeparse
from bespeak.base.errors import UsageError
from bespeak.ledger.idempotency import know_values
from bespeak.notices import service, targets
from bespeak.notices.model import Channel, Kind
from bespeak.notices.schema import NOTICES
from bespeak.notices.serialize import notice_json, subscription_json
from bespeak.notices.service import Notices
from bespeak.notices.store import new_secret
from bespeak.server import schemas
from bespeak.server.answers import answer
from bespeak.server.api.reservations import problems
from bespeak.server.dependencies import SIGNED_IN, Book, By, CallersBook
from bespeak.storage.optional_tables import ensure

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

router = APIRouter(tags=["notices"], dependencies=[SIGNED_IN])
know_values(service.VALUES)

_MOST = 1_000


class TargetRequest(schemas.Asked):
    """Where somebody wants to be told too."""

    channel: Literal["webhook", "mail", "chat"]
    target: str = Field(description="An address.", max_length=2_000)
    kinds: list[Literal["your_turn", "ends_soon", "somebody_waits", "taken_away", "moved", "free"]] = Field(
        [], description="About what; by default everything."
    )


class ReplayRequest(schemas.Asked):
    """What is sent again."""

    last: str = Field("24h", description="What was made in so long, as it is typed.", max_length=64)
    last_us: schemas.Duration | None = None


class TargetDocument(schemas.Answer):
    """Where somebody is told."""

    id: str
    channel: str
    target: str
    kinds: list[str]


class NewTarget(TargetDocument):
    """Where somebody is told from now on."""

    secret: str | None = Field(description="What a webhook is signed with, shown once; null where it is repeated.")


class TargetList(schemas.Answer):
    """Where somebody is told."""

    targets: list[TargetDocument]


class NoticeList(schemas.Answer):
    """What somebody was told, newest first."""

    notices: list[dict[str, Any]]


class Replayed(schemas.Answer):
    """How many are sent again."""

    notices: int


@router.get("/notices", responses=problems(NoticeList))
async def list_notices(book: Book, by: By, limit: Annotated[int, Query(ge=1, le=_MOST)] = 50) -> Response:
    """Tell what the caller was told, newest first."""
    await _ready(book)
    found = await book.read(lambda ledger: Notices(ledger).listed(by, limit))
    return answer({"notices": [notice_json(one) for one in found]})


@router.get("/notice-targets", responses=problems(TargetList))
async def list_targets(book: Book, by: By) -> Response:
    """Tell where else the caller is told."""
    await _ready(book)
    found = await book.read(lambda ledger: Notices(ledger).subscriptions(by))
    return answer({"targets": [subscription_json(one) for one in found]})


@router.post("/notice-targets", status_code=201, responses=problems(NewTarget, 201))
async def add_target(book: Book, by: By, asked: TargetRequest) -> Response:
    """Tell the caller somewhere else too."""
    channel = Channel(asked.channel)
    target, secret = targets.checked(channel, asked.target), new_secret(channel)
    kinds = tuple(Kind(name) for name in asked.kinds)
    made = await _write(book, lambda notices: notices.subscribe(by, channel, target, kinds, secret))
    return answer({**subscription_json(made), "secret": (secret or None) if not book.repeated else None}, 201)


@router.delete("/notice-targets/{target_id}", responses=problems(TargetDocument))
async def remove_target(book: Book, by: By, target_id: str) -> Response:
    """Stop telling somewhere."""
    return answer(subscription_json(await _write(book, lambda notices: notices.unsubscribe(by, target_id))))


@router.post("/notice-targets/{target_id}/replay", responses=problems(Replayed))
async def replay_notices(book: Book, by: By, target_id: str, asked: ReplayRequest) -> Response:
    """Send again what was sent, with the same ids."""
    length_us = timeparse.duration(asked.last) if asked.last_us is None else asked.last_us
    if "last" in asked.model_fields_set and asked.last_us is not None:
        raise UsageError("last and last_us are the same; give one")
    return answer({"notices": await _write(book, lambda notices: notices.replay(by, target_id, length_us))})


async def _write(book: CallersBook, work: Callable[[Notices], T]) -> T:
    await _ready(book)
    return await book.write(lambda ledger: work(Notices(ledger)))


async def _ready(book: CallersBook) -> None:
    """Make the tables in a book that has none yet."""
    await book.without_name().write(lambda ledger: ensure(ledger.engine, NOTICES))
