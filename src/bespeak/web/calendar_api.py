"""The calendar links of whoever calls, for programs; what is behind a link is a page of :mod:`bespeak.web.app`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

from fastapi import APIRouter
from pydantic import Field, StrictBool
from starlette.responses import Response

from bespeak.base.errors import UsageError
from bespeak.integrations import calendar_service
from bespeak.integrations.calendar_links import CALENDARS, Shows, hashed, new_secret
from bespeak.integrations.calendar_service import CalendarLinks, link_json
from bespeak.ledger.idempotency import know_values
from bespeak.server import schemas
from bespeak.server.answers import answer
from bespeak.server.api.reservations import problems
from bespeak.server.dependencies import SIGNED_IN, Book, By, CallersBook
from bespeak.storage.optional_tables import ensure

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

router = APIRouter(tags=["calendars"], dependencies=[SIGNED_IN])
know_values(calendar_service.VALUES)


class LinkRequest(schemas.Asked):
    """What a calendar shows."""

    shows: Literal["user", "resource", "group", "all"] = "user"
    target: str = Field("", description="The resource or the group.", max_length=1_000)
    hide_names: StrictBool = Field(False, description="Show neither holders nor purposes.")


class LinkDocument(schemas.Answer):
    """A calendar link, without its secret."""

    id: str
    owner: str
    shows: str
    target: str
    names_hidden: bool


class NewLink(LinkDocument):
    """A calendar link that was made."""

    path: str | None = Field(description="Of the calendar on this server, shown once; null where it is repeated.")


class LinkList(schemas.Answer):
    """The links of whoever calls."""

    links: list[LinkDocument]


@router.get("/calendars", responses=problems(LinkList))
async def list_calendars(book: Book, by: By) -> Response:
    """List the caller's calendar links."""
    await _ready(book)
    found = await book.read(lambda ledger: CalendarLinks(ledger).links(by))
    return answer({"links": [link_json(one) for one in found]})


@router.post("/calendars", status_code=201, responses=problems(NewLink, 201))
async def make_calendar(book: Book, by: By, asked: LinkRequest) -> Response:
    """Make a calendar link; whoever has its path sees what the caller may see."""
    shows = Shows(asked.shows)
    if bool(asked.target) != (shows in (Shows.RESOURCE, Shows.GROUP)):
        raise UsageError("target: the resource or the group, and only for these")
    secret = new_secret()
    made = await _write(
        book, lambda links: links.make(by, hashed(secret), shows, asked.target, names_hidden=asked.hide_names)
    )
    return answer({**link_json(made), "path": None if book.repeated else f"/calendar/{secret}.ics"}, 201)


@router.delete("/calendars/{link_id}", responses=problems(LinkDocument))
async def revoke_calendar(book: Book, by: By, link_id: str) -> Response:
    """End a calendar link at once."""
    return answer(link_json(await _write(book, lambda links: links.revoke(by, link_id))))


async def _write(book: CallersBook, work: Callable[[CalendarLinks], T]) -> T:
    await _ready(book)
    return await book.write(lambda ledger: work(CalendarLinks(ledger)))


async def _ready(book: CallersBook) -> None:
    """Make the table in a book that has none yet."""
    await book.without_name().write(lambda ledger: ensure(ledger.engine, CALENDARS))
