"""The inventory: all that is declared about resources, and when they are not given out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool, StrictInt
from starlette.responses import Response

from bespeak.base import label_expression
from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import BusyError, UsageError
from bespeak.ledger.inventory import files
from bespeak.ledger.inventory.compare import difference_json
from bespeak.ledger.inventory.serialize import entry_json
from bespeak.ledger.serialize import plan_json, reservation_json, window_json
from bespeak.server import schemas
from bespeak.server.answers import answer
from bespeak.server.api.reservations import problems
from bespeak.server.dependencies import SIGNED_IN, Book, By

if TYPE_CHECKING:
    from bespeak.ledger.inventory.compare import Difference
    from bespeak.ledger.inventory.model import Entry
    from bespeak.ledger.maintenance import Plan
    from bespeak.ledger.model import Reservation
    from bespeak.ledger.service import Ledger

router = APIRouter(tags=["inventory"], dependencies=[SIGNED_IN])

_MOST = 10_000
Names = Annotated[list[str], Field(min_length=1, max_length=_MOST)]
Table = Annotated[dict[str, Any], Field(description="What is declared, by the keys of inventory files.")]
_SENT = "a request"


class AddRequest(schemas.Asked):
    """Resources that are declared, all alike."""

    resources: Names
    about: Table = Field({}, validate_default=True)


class ChangeRequest(schemas.Asked):
    """What changes about resources; labels are added to those that are there."""

    resources: Names
    about: Table = Field({}, validate_default=True)
    without: list[str] = Field([], description="Keys of labels that go.", max_length=_MOST)


class SyncRequest(schemas.Asked):
    """What the inventory is to be."""

    resources: dict[str, Table] = Field(description="By name.", max_length=_MOST)
    keep: StrictBool = Field(False, description="Remove nothing.")
    dry_run: StrictBool = Field(False, description="Tell the difference, and change nothing.")
    revision: StrictInt | None = Field(None, description="Of the inventory for which this was decided.", ge=0)


class MaintenanceRequest(schemas.Window):
    """When resources are not given out."""

    resources: Names
    starts: schemas.IsoInstant | None = Field(None, description="By default now.")
    starts_us: schemas.Instant | None = None
    reason: str = Field("", description="Whoever is refused reads it.", max_length=1_000)
    hit: Literal["refuse", "end", "move"] = Field("refuse", description="What becomes of reservations in the way.")

    def start(self) -> int | None:
        """Return the start, µs UTC."""
        if self.starts is not None and self.starts_us is not None:
            raise UsageError("starts and starts_us are the same; give one")
        return self.starts_us if self.starts is None else schemas.instant("starts", self.starts)


class MarkRequest(schemas.Asked):
    """Whether resources are well."""

    resources: Names
    health: Literal["ok", "sick", "offline"]
    reason: str = Field("", description="What is wrong.", max_length=1_000)


class EntryDocument(schemas.ResourceDocument):
    """A resource with all that is declared about it."""

    labels: dict[str, Any]
    groups: list[str]
    parts: list[str]
    health: str


class Entries(schemas.Answer):
    """Resources with all that is declared about them."""

    resources: list[EntryDocument]


class DifferenceDocument(schemas.Answer):
    """What a sync changes, or has changed."""

    added: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    removed: list[str]
    kept: list[dict[str, Any]]
    applied: bool
    revision: int = Field(description="Of the inventory for which this holds.")


class Windows(schemas.Answer):
    """Windows of maintenance."""

    maintenance: list[dict[str, Any]]


class PlanDocument(Windows):
    """Maintenance, and what became of the reservations in the way."""

    hits: list[dict[str, Any]]


class Marked(Entries):
    """Resources, and who has them now or later."""

    reservations: list[schemas.ReservationDocument]


@router.get("/inventory", responses=problems(Entries))
async def inventory(
    book: Book,
    resource: Annotated[list[str], Query(description="Only these.")] = [],  # noqa: B006 FastAPI copies it
    group: Annotated[str | None, Query(description="Only those of this group.")] = None,
    label: Annotated[str | None, Query(description="Only those whose labels match: `arm64 and ram>=4`.")] = None,
    declared: Annotated[bool | None, Query(description="Only those that somebody declared, or did not.")] = None,
) -> Response:
    """List resources with all that is declared about them."""
    matches = None if label is None else label_expression.parse(label)

    def suits(of: Entry) -> bool:
        return (
            (not resource or of.name in resource)
            and group in (None, *of.properties.groups)
            and declared in (None, of.resource.declared)
            and (matches is None or matches(of.facts))
        )

    found = await book.read(lambda ledger: ledger.inventory())
    return answer({"resources": [entry_json(one) for one in found if suits(one)]})


@router.post("/inventory", status_code=201, responses=problems(Entries, 201))
async def add_to_inventory(book: Book, by: By, asked: AddRequest) -> Response:
    """Declare resources that are not declared yet, all or none."""
    done = await book.write(lambda ledger: ledger.inventory_add(asked.resources, by, asked.about))
    return answer({"resources": [entry_json(one) for one in done]}, 201)


@router.patch("/inventory", responses=problems(Entries))
async def change_inventory(book: Book, by: By, asked: ChangeRequest) -> Response:
    """Change what is declared about resources, all or none."""
    done = await book.write(
        lambda ledger: ledger.inventory_change(asked.resources, by, asked.about, without=asked.without)
    )
    return answer({"resources": [entry_json(one) for one in done]})


@router.put("/inventory", responses=problems(DifferenceDocument))
async def sync_inventory(book: Book, by: By, asked: SyncRequest) -> Response:
    """Make the inventory of the book what is sent; what is in use stays, and is named."""
    tables = [(name, f"resource {name!a}", table) for name, table in asked.resources.items()]
    wanted = files.entries_of(_SENT, tables)

    def look(ledger: Ledger) -> Difference:
        return ledger.inventory_difference(wanted, prune=not asked.keep)

    def sync(ledger: Ledger) -> Difference:
        return ledger.inventory_sync(wanted, by, prune=not asked.keep, revision=asked.revision)

    found = await (book.read(look) if asked.dry_run else book.write(sync))
    return answer({**difference_json(found), "applied": not asked.dry_run, "revision": found.revision})


@router.get("/maintenance", responses=problems(Windows))
async def list_maintenance(
    book: Book,
    resource: Annotated[list[str], Query(description="Only of these.")] = [],  # noqa: B006
) -> Response:
    """List the maintenance of now and later."""
    found = await book.read(lambda ledger: ledger.maintenance_list(resource))
    return answer({"maintenance": [window_json(one) for one in found]})


@router.post("/maintenance", status_code=201, responses=problems(PlanDocument, 201))
async def plan_maintenance(book: Book, by: By, asked: MaintenanceRequest) -> Response:
    """Plan maintenance; refused where reservations are in the way, unless `hit` says what becomes of them."""
    starts_us, length_us, ends_us = asked.start(), asked.length(), asked.end()
    if (length_us is None) == (ends_us is None):
        raise UsageError("say until when: an end or a duration")

    def work(ledger: Ledger) -> tuple[Plan, int]:
        now_us = ledger.now_us()
        until_us = ends_us
        if until_us is None:
            until_us = min((now_us if starts_us is None else starts_us) + (length_us or 0), FOREVER_US)
        planned = ledger.maintenance_add(
            asked.resources, by, ends_us=until_us, starts_us=starts_us, reason=asked.reason, hit=asked.hit
        )
        return planned, now_us

    planned, now_us = await book.write(work)
    if not planned.made:
        every = [hit.before for hit in planned.hits]
        text = f"{len(every)} reservations are in the way; say what becomes of them: hit end or move"
        raise BusyError(text, reservations=[one.id for one in every])
    return answer(plan_json(planned, now_us), 201)


@router.delete("/maintenance", responses=problems(Windows))
async def cancel_maintenance(
    book: Book, by: By, resource: Annotated[list[str], Query(description="Of these.", min_length=1)]
) -> Response:
    """Cancel the maintenance of resources, of now and later."""
    done = await book.write(lambda ledger: ledger.maintenance_cancel(resource, by))
    return answer({"maintenance": [window_json(one) for one in done]})


@router.post("/health", responses=problems(Marked))
async def mark_health(book: Book, by: By, asked: MarkRequest) -> Response:
    """Say whether resources are well; what is sick or offline is given to nobody until it is ok again."""

    def work(ledger: Ledger) -> tuple[list[Entry], list[Reservation], int]:
        marked = ledger.resource_mark(asked.resources, by, health=asked.health, reason=asked.reason)
        who = {one.id: one for entry in marked for one in ledger.who(entry.name) if not one.waiting}
        return marked, list(who.values()), ledger.now_us()

    marked, who, now_us = await book.write(work)
    entries = [entry_json(one) for one in marked]
    return answer({"resources": entries, "reservations": [reservation_json(one, now_us) for one in who]})
