"""Commands that change claims: ``release``, ``heartbeat``, ``intent``, ``depend``, ``gc``."""

from __future__ import annotations

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.cli.coord_command import ADDRESSES, ID, JSON, RUN, TTL, contract_command, envelope, out_time, with_coord
from bespeak.coord.errors import ClaimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.coord.service import Coord

_GC_AFTER = "30d"


@command(
    "coord release",
    text="Giving back what is already over is no fault (already_released, exit 0).",
    examples=(
        ("coord release sha256:0a1b2c --run-id agent-42", "one, by the start of its id"),
        ("coord release --mine", "all that this run has claimed"),
    ),
    arguments=(Argument("ID", required=False),),
    options=(RUN, Option(("--mine",), "All that the run has claimed."), *JSON),
)
@contract_command
def release(context: Context, values: Values) -> int:
    """Give back one reservation, or all of a run."""
    if values["mine"] == (values["id"] is not None):
        raise ClaimError("Give one reservation id, or --mine")
    if values["mine"]:
        return with_coord(context, lambda coord: _release_mine(context, values, coord))
    return with_coord(context, lambda coord: _release_one(context, values, coord))


def _release_one(context: Context, values: Values, coord: Coord) -> int:
    from bespeak.coord import serialize
    from bespeak.coord.states import ReleaseStatus

    status, found = coord.release(values["id"], run_id=values["run_id"])
    code = status.exit_code
    facts = serialize.release_json(status, values["id"], found)
    text = {
        ReleaseStatus.OK: f"✅ Released {facts['reservation_id']}",
        ReleaseStatus.ALREADY_RELEASED: f"✅ Already released: {facts['reservation_id']}",
        ReleaseStatus.NOT_FOUND: f"❌ There is no reservation {escape_unprintable(values['id'])}",
    }[status]
    context.answer(envelope(context, code) | facts, text)
    return code


def _release_mine(context: Context, values: Values, coord: Coord) -> int:
    from bespeak.coord.serialize import release_all_json

    found = coord.release_all(run_id=values["run_id"])
    text = "\n".join([f"✅ Released {len(found)} reservation(s)", *(f" {held.id}" for held in found)])
    context.answer(envelope(context) | release_all_json(found), text)
    return 0


@command(
    "coord heartbeat",
    text="It then expires so many seconds from now, or as late as it would have anyway. Exit 1 means stop: "
    "it was released (already_released) or has expired.",
    examples=(("coord heartbeat sha256:0a1b2c --extension 600", "ten more minutes from now"),),
    arguments=(ID,),
    options=(RUN, Option(("--extension",), "Seconds from now (default 3600).", "SECONDS"), *JSON),
)
@contract_command
def heartbeat(context: Context, values: Values) -> int:
    """Renew a reservation; any other answer than 0 means stop."""
    from bespeak.coord import validation

    extension = validation.seconds(values["extension"], "extension")
    return with_coord(context, lambda coord: _beat(context, values, coord, extension))


def _beat(context: Context, values: Values, coord: Coord, extension: int) -> int:
    from bespeak.coord import serialize
    from bespeak.coord.states import HeartbeatStatus

    status, found = coord.heartbeat(values["id"], run_id=values["run_id"], extension_seconds=extension)
    code = status.exit_code
    if status is HeartbeatStatus.NOT_FOUND or found is None:
        text = f"❌ There is no reservation {escape_unprintable(values['id'])}"
    elif status is HeartbeatStatus.OK:
        text = f"✅ {found.id}\n Expires: {out_time(found.expires_us)}"
    else:
        text = f"❌ Stop: {found.id} {'has expired' if status is HeartbeatStatus.EXPIRED else 'was released'}"
    context.answer(envelope(context, code) | serialize.heartbeat_json(status, values["id"], found, extension), text)
    return code


@command(
    "coord intent",
    text="It ends with its reservation, else after --ttl.",
    examples=(
        ("coord intent src/a.py::f --op rename --detail 'f becomes g'", "for an hour"),
        ("coord intent src/a.py::f --op delete --reservation-id sha256:0a1b2c", "as long as it is held"),
    ),
    arguments=(ADDRESSES,),
    options=(
        Option(("--op",), "rename, move, modify, extract, delete, inline, split or merge.", "OPERATION"),
        Option(("--detail",), "A word about it.", "TEXT"),
        Option(("--reservation-id",), "It ends with this reservation.", "ID"),
        RUN,
        TTL,
        *JSON,
    ),
)
@contract_command
def intent(context: Context, values: Values) -> int:
    """Declare an operation."""
    from bespeak.coord import validation
    from bespeak.coord.states import INTENDED

    if values["op"] is None:
        raise ClaimError(f"Invalid --op: it has to be given; choose one of: {', '.join(sorted(INTENDED))}")
    validation.operation(values["op"], INTENDED)
    ttl = validation.seconds(values["ttl"], "ttl")
    return with_coord(context, lambda coord: _declare(context, values, coord, ttl))


def _declare(context: Context, values: Values, coord: Coord, ttl: int) -> int:
    from bespeak.coord.serialize import intent_json

    made = coord.intend(
        values["address"],
        values["op"],
        detail=values["detail"] or "",
        run_id=values["run_id"],
        reservation_id=values["reservation_id"],
        ttl_seconds=ttl,
    )
    lines = [
        f"✅ Declared {made.operation} of {len(made.addresses)} address(es) for run-id {made.run_id!r}",
        f" Intent ID: {made.id}",
        f" Ends: {out_time(made.expires_us)}" + (", or with its reservation" if made.reservation_id else ""),
    ]
    context.answer(envelope(context) | intent_json(made), "\n".join(lines))
    return 0


@command(
    "coord depend",
    text="Rejected if it would create a dependency cycle.",
    examples=(("coord depend sha256:0a1b2c --on ID", "with the full id of the one it waits for"),),
    arguments=(ID,),
    options=(
        Option(("--on",), "The full id of a reservation that must be over first.", "ID", many=True),
        RUN,
        *JSON,
    ),
)
@contract_command
def depend(context: Context, values: Values) -> int:
    """Record dependencies of a reservation."""
    if not values["on"]:
        raise ClaimError("Invalid --on: it has to be given")
    return with_coord(context, lambda coord: _depend(context, values, coord))


def _depend(context: Context, values: Values, coord: Coord) -> int:
    from bespeak.coord.serialize import depend_json

    held = coord.depend(values["id"], values["on"], run_id=values["run_id"])
    needed = list(dict.fromkeys(values["on"]))
    text = "\n".join([f"✅ {held.id}\n Depends on ({len(needed)}):", *(f" {identifier}" for identifier in needed)])
    context.answer(envelope(context) | depend_json(held, needed), text)
    return 0


@command(
    "coord gc",
    examples=(("coord gc --older-than 30d", "reservations, intents and changes of long ago"),),
    options=(
        Option(("--older-than",), "For how long: 30d, 12h, 0 for all that is over (default 30d).", "DURATION"),
        *JSON,
    ),
)
@contract_command
def gc(context: Context, values: Values) -> int:
    """Remove what has been over for long."""
    from bespeak.base import timeparse
    from bespeak.base.clock import FOREVER_US

    age = _GC_AFTER if values["older_than"] is None else values["older_than"]
    try:
        age_us = 0 if age == "0" else timeparse.duration(age, may_be_zero=True)
    except UsageError as error:
        raise ClaimError(f"Invalid --older-than: {error}") from error
    if age_us >= FOREVER_US:
        raise ClaimError("Invalid --older-than: nothing is older than for ever")
    return with_coord(context, lambda coord: _collect(context, coord, age_us))


def _collect(context: Context, coord: Coord, age_us: int) -> int:
    removed = coord.collect(age_us)
    text = "Removed " + ", ".join(f"{removed[what]} {what}" for what in ("reservations", "intents", "edges", "changes"))
    context.answer(envelope(context) | {"removed": removed}, text)
    return 0
