"""The claims of a repository as tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bespeak.base.errors import UsageError
from bespeak.coord import serialize
from bespeak.coord.errors import ClaimRefusedError
from bespeak.mcp import coord_schemas
from bespeak.mcp.arguments import Addresses, Arguments, Repository, ReservationId, RunId, SharedUse, Texts, Whole
from bespeak.mcp.tool import Tool, in_thread

if TYPE_CHECKING:
    from bespeak.mcp.tool import Call, Json

Seconds = Field(json_schema_extra={"minimum": 1, "maximum": 31_536_000})
Ttl = Annotated[Whole | None, Seconds, Field(description="For how long, seconds. Default 3600.")]
_DOING = Literal["rename", "move", "modify", "extract", "delete"]
_MEANING = Literal["rename", "move", "modify", "extract", "delete", "inline", "split", "merge"]


class Reserve(Arguments):
    """Arguments of ``reserve``."""

    addresses: Addresses
    op: Annotated[_DOING | None, Field(description="What you will do.")] = None
    ttl: Ttl = None
    on_conflict: Annotated[
        Literal["warn", "fail"],
        Field(description="fail: claim nothing if another run is in the way, so that exactly one of you wins."),
    ] = "warn"
    depends_on: Annotated[Texts, Field(description="Full ids of reservations that must be over first.")] = []
    shared: SharedUse = False
    key: Annotated[
        str | None, Field(description="Your name for this request: repeated with it, it returns the same reservation.")
    ] = None
    run_id: RunId = None
    repository: Repository = None


def reserve(call: Call, asked: Reserve) -> Json:
    """Claim addresses."""
    run_id = call.run_id(asked.run_id)
    with call.coord(asked.repository) as coord:
        try:
            made = coord.reserve(
                asked.addresses,
                run_id=run_id,
                ttl_seconds=asked.ttl,
                operation=asked.op,
                depends_on=asked.depends_on,
                shared=asked.shared,
                refuse=asked.on_conflict == "fail",
                key=asked.key,
            )
        except ClaimRefusedError as error:
            return call.answer(serialize.refused_json(error), error.exit_code)
        call.keep(run_id, coord.repository.root)
        absent = coord.absent(asked.addresses)
    return call.answer(serialize.reserved_json(made, absent), 1 if made.dependency_error else 0)


class Check(Arguments):
    """Arguments of ``check``."""

    addresses: Addresses
    shared: Annotated[bool, Field(description="Shared claims are not in the way.")] = False
    run_id: RunId = None
    repository: Repository = None


def check(call: Call, asked: Check) -> Json:
    """Say who else holds what overlaps."""
    run_id = call.run_id(asked.run_id)
    with call.coord(asked.repository) as coord:
        found = coord.check(asked.addresses, run_id=run_id, shared=asked.shared)
        texts = [address.text for address in coord.locate(asked.addresses)]
        absent = coord.absent(asked.addresses)
    return call.answer(serialize.check_json(run_id, texts, found, absent), serialize.HELD_CODE if found else 0)


class Release(Arguments):
    """Arguments of ``release``."""

    reservation_id: Annotated[
        str | None, Field(description="Its id (sha256:...), or the first six digits or more.")
    ] = None
    mine: Annotated[bool, Field(description="Instead: all that your run has claimed.")] = False
    run_id: RunId = None
    repository: Repository = None


def release(call: Call, asked: Release) -> Json:
    """Give back one reservation, or all of a run."""
    run_id = call.run_id(asked.run_id)
    if asked.mine == (asked.reservation_id is not None):
        raise UsageError("give a reservation_id, or mine")
    with call.coord(asked.repository) as coord:
        if asked.reservation_id is None:
            return call.answer(serialize.release_all_json(coord.release_all(run_id=run_id)))
        status, found = coord.release(asked.reservation_id, run_id=run_id)
    return call.answer(serialize.release_json(status, asked.reservation_id, found), status.exit_code)


class Heartbeat(Arguments):
    """Arguments of ``heartbeat``."""

    reservation_id: ReservationId
    extension: Annotated[Whole, Seconds, Field(description="It expires so many seconds from now, or later.")] = 3600
    run_id: RunId = None
    repository: Repository = None


def heartbeat(call: Call, asked: Heartbeat) -> Json:
    """Renew a reservation."""
    run_id = call.run_id(asked.run_id)
    with call.coord(asked.repository) as coord:
        status, found = coord.heartbeat(asked.reservation_id, run_id=run_id, extension_seconds=asked.extension)
    return call.answer(serialize.heartbeat_json(status, asked.reservation_id, found, asked.extension), status.exit_code)


class Intent(Arguments):
    """Arguments of ``intent``."""

    addresses: Addresses
    op: Annotated[_MEANING, Field(description="What you will do.")]
    detail: Annotated[str, Field(description="A word about it, such as the new name.")] = ""
    reservation_id: Annotated[str | None, Field(description="It ends with this reservation of yours.")] = None
    ttl: Ttl = None
    run_id: RunId = None
    repository: Repository = None


def intent(call: Call, asked: Intent) -> Json:
    """Declare an operation."""
    from bespeak.coord.serialize import intent_json

    run_id = call.run_id(asked.run_id)
    with call.coord(asked.repository) as coord:
        made = coord.intend(
            asked.addresses,
            asked.op,
            detail=asked.detail,
            run_id=run_id,
            reservation_id=asked.reservation_id,
            ttl_seconds=asked.ttl,
        )
    return call.answer(intent_json(made))


class List(Arguments):
    """Arguments of ``list``."""

    addresses: Annotated[Texts, Field(description="Only what overlaps one of these.")] = []
    run_id: Annotated[str | None, Field(description="Only of this run.")] = None
    branch: Annotated[str | None, Field(description="Only made on this branch.")] = None
    all: Annotated[bool, Field(description="Also what is over.")] = False
    repository: Repository = None


def list_(call: Call, asked: List) -> Json:
    """Say what is claimed and intended."""
    with call.coord(asked.repository) as coord:
        found = coord.reservations(over=asked.all, run_id=asked.run_id, branch=asked.branch, addresses=asked.addresses)
        intents = [
            one
            for one in coord.intents(asked.addresses)
            if asked.run_id in (None, one.run_id) and asked.branch in (None, one.branch)
        ]
        return call.answer(serialize.list_json(found, intents, coord.now_us()))


class Depend(Arguments):
    """Arguments of ``depend``."""

    reservation_id: ReservationId
    on: Annotated[Texts, Field(min_length=1, description="Full ids of reservations that must be over first.")]
    run_id: RunId = None
    repository: Repository = None


def depend(call: Call, asked: Depend) -> Json:
    """Let a reservation wait for others."""
    run_id = call.run_id(asked.run_id)
    with call.coord(asked.repository) as coord:
        held = coord.depend(asked.reservation_id, asked.on, run_id=run_id)
    return call.answer(serialize.depend_json(held, asked.on))


class Dag(Arguments):
    """Arguments of ``dag``."""

    ready: Annotated[bool, Field(description="Only what waits for nothing.")] = False
    repository: Repository = None


def dag(call: Call, asked: Dag) -> Json:
    """Say which reservations are ready and which wait."""
    with call.coord(asked.repository) as coord:
        graph, by_id = coord.order()
    return call.answer(serialize.dag_json(graph, by_id, ready=asked.ready))


class Guide(Arguments):
    """Arguments of ``guide``."""

    agents_md: Annotated[bool, Field(description="As a fragment for AGENTS.md, with the command line.")] = False


def guide(call: Call, asked: Guide) -> Json:
    """Say how to use all this."""
    from bespeak.coord.agent_guide import AGENTS_MD
    from bespeak.mcp.guide import GUIDE

    del call
    return {"guide": AGENTS_MD if asked.agents_md else GUIDE}


TOOLS = (
    Tool(
        "reserve",
        "Claim code before changing it",
        "Claim files, symbols, folders or patterns before you edit them, as narrowly as you can. Claims of other runs "
        "that overlap are told in `conflicts`; the claim is made all the same, unless on_conflict is fail.",
        Reserve,
        coord_schemas.Reserved,
        in_thread(reserve),
    ),
    Tool(
        "check",
        "Who else holds this code",
        "Say who else holds what overlaps. Changes nothing and is fast: call it before each edit.",
        Check,
        coord_schemas.Checked,
        in_thread(check),
        read_only=True,
    ),
    Tool(
        "release",
        "Give a claim back",
        "Give a claim back at once when you are done or give up, or all claims of your run.",
        Release,
        coord_schemas.Released,
        in_thread(release),
        destructive=True,
        idempotent=True,
    ),
    Tool(
        "heartbeat",
        "Keep a claim",
        "Keep a claim from expiring while you work on. Any status but ok means: stop, it is yours no more.",
        Heartbeat,
        coord_schemas.Beaten,
        in_thread(heartbeat),
        idempotent=True,
    ),
    Tool(
        "intent",
        "Declare an operation",
        "Declare a rename, move, deletion or the like before you do it, so that forecasts know. It ends with its "
        "reservation, else after ttl.",
        Intent,
        coord_schemas.Intended,
        in_thread(intent),
    ),
    Tool(
        "list",
        "What is claimed",
        "List what is claimed and intended now, by whom and until when.",
        List,
        coord_schemas.Listed,
        in_thread(list_),
        read_only=True,
    ),
    Tool(
        "dag",
        "What waits for what",
        "Say which claims can go on now and which wait for others, in waves.",
        Dag,
        coord_schemas.Ordered,
        in_thread(dag),
        read_only=True,
    ),
    Tool(
        "depend",
        "Wait for other claims",
        "Record that a claim has to come after others. Rejected if it would create a dependency cycle.",
        Depend,
        coord_schemas.Depends,
        in_thread(depend),
        idempotent=True,
    ),
    Tool(
        "guide",
        "How to work beside others",
        "Explain in a page how to use these tools.",
        Guide,
        coord_schemas.Guide,
        in_thread(guide),
        read_only=True,
    ),
)
