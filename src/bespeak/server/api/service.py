"""What the server says about itself, the book and whoever calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import Response

from bespeak import __version__
from bespeak.base.clock import iso
from bespeak.server import schemas
from bespeak.server.answers import answer
from bespeak.server.api.reservations import problems
from bespeak.server.dependencies import SIGNED_IN, Book, Who

if TYPE_CHECKING:
    from bespeak.ledger.service import Ledger

router = APIRouter(tags=["service"], dependencies=[SIGNED_IN])

API_VERSION = 1


@router.get("/me", responses=problems(schemas.CallerDocument))
async def me(who: Who) -> Response:
    """Tell who the caller is, as the server sees it."""
    scopes = None if who.scopes is None else sorted(str(getattr(one, "value", one)) for one in who.scopes)
    return answer(
        {
            "user": who.holder,
            "holder": who.holder,
            "kind": who.kind,
            "method": who.method,
            "groups": list(who.groups),
            "scopes": scopes,
        }
    )


@router.get("/book", responses=problems(schemas.BookDocument))
async def book_itself(book: Book) -> Response:
    """Tell which book is served, and by what rules."""

    def work(ledger: Ledger) -> dict[str, object]:
        now_us, policy = ledger.now_us(), ledger.policy()
        return {
            "name": ledger.name,
            "version": __version__,
            "engine": ledger.engine.dialect,
            "default_for_us": policy.default_for_us,
            "strict": policy.strict,
            "api": API_VERSION,
            "now": iso(now_us),
            "now_us": now_us,
        }

    return answer(await book.read(work))


@router.get("/time", responses=problems(schemas.TimeDocument))
async def time(book: Book) -> Response:
    """Tell the present instant of the book."""
    now_us = await book.read(lambda ledger: ledger.now_us())
    return answer({"now": iso(now_us), "now_us": now_us})
