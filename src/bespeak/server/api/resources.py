"""Resources: list, declare, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from bespeak.base import label_expression
from bespeak.base.errors import NotFoundError
from bespeak.base.natural_order import natural_key
from bespeak.ledger.serialize import resource_json
from bespeak.server import schemas
from bespeak.server.answers import answer, cached
from bespeak.server.api.reservations import make_cursor, problems, read_cursor
from bespeak.server.dependencies import SIGNED_IN, Book, By

if TYPE_CHECKING:
    from bespeak.ledger.model import Resource
    from bespeak.ledger.service import Ledger

router = APIRouter(tags=["resources"], dependencies=[SIGNED_IN])

_MOST = 10_000
_USUAL = 1_000


@router.get("/resources", responses=problems(schemas.ResourcePage))
async def resources(
    request: Request,
    book: Book,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = _USUAL,
    cursor: Annotated[str | None, Query(description="Of the page before.", max_length=2_000)] = None,
    label: Annotated[str | None, Query(description="Only those whose labels match: `arm64 and ram>=4`.")] = None,
) -> Response:
    """List the resources of the book, by name: `board2` before `board10`."""
    after = natural_key("" if cursor is None else read_cursor(cursor))
    matches = None if label is None else label_expression.parse(label)

    def work(ledger: Ledger) -> list[Resource]:
        if matches is None:
            return ledger.resource_list()
        suitable = {one.name for one in ledger.inventory() if matches(one.facts)}
        return [one for one in ledger.resource_list() if one.name in suitable]

    every = await book.read(work)
    found = [one for one in every if natural_key(one.name) > after]
    more, found = len(found) > limit, found[:limit]
    document = {
        "resources": [resource_json(one) for one in found],
        "more": more,
        "cursor": make_cursor(found[-1].name) if more else None,
    }
    return cached(request, document, headers={})


@router.get("/resources/{name:path}", responses=problems(schemas.ResourceDocument))
async def resource(request: Request, book: Book, name: str) -> Response:
    """Show a resource."""
    return cached(request, resource_json(await book.read(lambda ledger: _named(ledger, name))), headers={})


@router.put(
    "/resources/{name:path}", responses={**problems(schemas.ResourceDocument), 201: {"model": schemas.ResourceDocument}}
)
async def declare(book: Book, by: By, name: str, asked: schemas.ResourceRequest) -> Response:
    """Declare a resource, or change what was declared."""

    def work(ledger: Ledger) -> tuple[Resource, bool]:
        new = all(one.name != name for one in ledger.resource_list())
        return ledger.resource_set(name, by, capacity=asked.capacity, description=asked.description), new

    declared, new = await book.write(work)
    return answer(resource_json(declared), 201 if new else 200)


@router.delete("/resources/{name:path}", status_code=204, responses=problems(schemas.Problem, 409))
async def remove(book: Book, by: By, name: str) -> Response:
    """Forget a resource that nobody holds, waits for or has booked."""
    await book.write(lambda ledger: ledger.resource_remove(name, by))
    return Response(status_code=204)


def _named(ledger: Ledger, name: str) -> Resource:
    for one in ledger.resource_list():
        if one.name == name:
            return one
    raise NotFoundError(f"the book knows no resource {name!r}")
