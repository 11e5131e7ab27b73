"""``coord reserve``, as the documented contract has it."""

from __future__ import annotations

from bespeak.cli.coord_shared import documented, envelope
from bespeak.coord.errors import ClaimError, ClaimRefusedError
from bespeak.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.coord.model import Conflict, Reserved

_WAYS = ("warn", "fail")


@documented
def reserve(context: Context, values: Values) -> int:
    """Claim addresses; say what is in the way."""
    from bespeak.coord import checks
    from bespeak.coord.model import OPERATIONS
    from bespeak.coord.service import open_coord

    ttl = _check(values)
    coord = None
    try:
        coord = open_coord(ledger=context.ledger_flag)
        made = coord.reserve(
            values["address"],
            run_id=values["run_id"],
            ttl_seconds=ttl,
            operation=checks.operation(values["op"], OPERATIONS),
            depends_on=values["depends_on"],
            shared=values["shared"],
            refuse=values["on_conflict"] == "fail",
            key=values["key"],
        )
    except ClaimRefusedError as error:
        return _refused(context, error)
    finally:
        if coord is not None:
            coord.close()
    code = 1 if made.dependency_error else 0
    if context.json:
        context.print_json(_answer(context, made, code))
    else:
        _say(context, made)
    return code


def _check(values: Values) -> int:
    """Check everything that can be checked without looking at a file; return the time to live, seconds."""
    from bespeak.coord import checks
    from bespeak.coord.model import OPERATIONS

    if values["run_id"] is not None:
        checks.run_id(values["run_id"])
    checks.addresses(values["address"])
    ttl = checks.seconds(values["ttl"], "ttl")
    checks.operation(values["op"], OPERATIONS)
    checks.needs(values["depends_on"])
    if values["on_conflict"] not in (None, *_WAYS):
        raise ClaimError(f"Invalid --on-conflict: {values['on_conflict']!a}; choose one of: {', '.join(_WAYS)}")
    return ttl


def _answer(context: Context, made: Reserved, code: int) -> dict[str, object]:
    from bespeak.clock import iso

    held = made.reservation
    return {
        **envelope(context, code),
        "reservation_id": held.id,
        "run_id": held.run_id,
        "branch": held.branch,
        "addresses": list(held.addresses),
        "created_at": iso(held.created_us),
        "expires_at": iso(held.expires_us),
        "operation": held.operation,
        "shared": held.shared,
        "epoch": held.epoch,
        **told(made.conflicts),
        "depends_on": list(made.depends_on),
        "dependency_error": made.dependency_error,
        "repeated": made.repeated,
    }


def told(conflicts: list[Conflict]) -> dict[str, object]:
    """Return conflicts for a program: in words, and in detail."""
    from bespeak.coord.jsonform import conflict_json, message

    return {
        "conflicts": [message(conflict) for conflict in conflicts],
        "conflict_details": [conflict_json(conflict) for conflict in conflicts],
    }


def _refused(context: Context, error: ClaimRefusedError) -> int:
    from bespeak.coord.jsonform import message

    if context.json:
        facts = {"reservation_id": None, "run_id": error.run_id, "addresses": list(error.addresses)}
        context.print_json(envelope(context, error.exit_code) | facts | told(error.conflicts))
        return error.exit_code
    for conflict in error.conflicts:
        context.print(message(conflict))
    context.print(f"\n❌ Not reserved: {len(error.conflicts)} conflict(s).")
    return error.exit_code


def _say(context: Context, made: Reserved) -> None:
    from bespeak.cli import output
    from bespeak.coord.jsonform import message, plain_time

    held = made.reservation
    for conflict in made.conflicts:
        context.print(message(conflict))
    context.print(
        f"\n✅ Reserved {len(held.addresses)} address(es) for run-id {held.run_id!r}\n"
        f" Reservation ID: {held.id}\n"
        f" Expires: {plain_time(held.expires_us)}"
    )
    if held.operation:
        context.print(f" Operation: {held.operation}")
    if made.depends_on:
        context.print(f" Depends on ({len(made.depends_on)}):")
        for needed in made.depends_on:
            context.print(f" {needed}")
    if made.conflicts:
        context.print(f"\n ⚠️ {len(made.conflicts)} conflict(s) detected. Run 'bespeak coord list' for details.")
    if made.dependency_error:
        output.to_stderr(f"\n ⚠️ Dependency error: {safe(made.dependency_error)}")
