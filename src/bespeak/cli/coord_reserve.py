"""``coord reserve``, as muse's `coord` has it."""

from __future__ import annotations

from bespeak.argv.declarations import Option, command
from bespeak.base.display import escape_unprintable
from bespeak.cli.converters import SHARED_USE
from bespeak.cli.coord_command import (
    ADDRESS_HELP,
    ADDRESSES,
    JSON,
    RUN,
    TTL,
    contract_command,
    envelope,
    out_time,
    say_absent,
    say_how_to_be_known,
)
from bespeak.coord.errors import ClaimError, ClaimRefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.coord.model import Reserved

_WAYS = ("warn", "fail")


@command(
    "coord reserve",
    text="Overlapping claims of other runs are reported; the reservation is made all the same. With "
    "--on-conflict fail it is not, and the exit code is 7.\n\n" + ADDRESS_HELP,
    examples=(
        ("coord reserve src/billing.py::compute_total --run-id agent-42", "before you edit it"),
        ("coord reserve src/auth.py src/tokens/ --op modify --ttl 7200", "a file and a folder, two hours"),
        ("coord reserve 'src/**/*.py' --shared --json", "for a program"),
        ("coord reserve src/auth.py --on-conflict fail", "or not at all"),
    ),
    arguments=(ADDRESSES,),
    options=(
        RUN,
        TTL,
        Option(("--op",), "What you will do: rename, move, modify, extract or delete.", "OPERATION"),
        Option(("--depends-on",), "A reservation that must be over first; may be repeated.", "ID", many=True),
        SHARED_USE,
        Option(("--on-conflict",), "warn (default) or fail.", "WHAT"),
        Option(("--key",), "Your name for this request: repeated, it returns the same reservation.", "KEY"),
        *JSON,
    ),
)
@contract_command
def reserve(context: Context, values: Values) -> int:
    """Claim addresses; say what is in the way."""
    from bespeak.coord import validation
    from bespeak.coord.service import open_coord
    from bespeak.coord.states import OPERATIONS

    ttl = _check(values)
    coord = None
    try:
        coord = open_coord(ledger=context.ledger_flag)
        made = coord.reserve(
            values["address"],
            run_id=values["run_id"],
            ttl_seconds=ttl,
            operation=validation.operation(values["op"], OPERATIONS),
            depends_on=values["depends_on"],
            shared=values["shared"],
            refuse=values["on_conflict"] == "fail",
            key=values["key"],
        )
        absent = coord.absent(values["address"])
    except ClaimRefusedError as error:
        return _refused(context, error, values["run_id"])
    finally:
        if coord is not None:
            coord.close()
    code = 1 if made.dependency_error else 0
    if context.json:
        from bespeak.coord.serialize import reserved_json

        context.print_json(envelope(context, code) | reserved_json(made, absent))
    else:
        _say(context, made)
        say_absent(absent)
    return code


def _check(values: Values) -> int:
    """Check everything that can be checked without looking at a file; return the time to live, seconds."""
    from bespeak.coord import validation
    from bespeak.coord.states import OPERATIONS

    if values["run_id"] is not None:
        validation.run_id(values["run_id"])
    validation.addresses(values["address"])
    ttl = validation.seconds(values["ttl"], "ttl")
    validation.operation(values["op"], OPERATIONS)
    validation.needs(values["depends_on"])
    if values["on_conflict"] not in (None, *_WAYS):
        raise ClaimError(f"Invalid --on-conflict: {values['on_conflict']!a}; choose one of: {', '.join(_WAYS)}")
    return ttl


def _refused(context: Context, error: ClaimRefusedError, run_id: str | None) -> int:
    if context.json:
        from bespeak.coord.serialize import refused_json

        context.print_json(envelope(context, error.exit_code) | refused_json(error))
        return error.exit_code
    from bespeak.coord.serialize import message

    for conflict in error.conflicts:
        context.print(message(conflict, out_time))
    context.print(f"\n❌ Not reserved: {len(error.conflicts)} conflict(s).")
    say_how_to_be_known(run_id, [conflict.run_id for conflict in error.conflicts])
    return error.exit_code


def _say(context: Context, made: Reserved) -> None:
    from bespeak.cli import output
    from bespeak.coord.serialize import message

    held = made.reservation
    for conflict in made.conflicts:
        context.print(message(conflict, out_time))
    context.print(
        f"\n✅ Reserved {len(held.addresses)} address(es) for run-id {held.run_id!r}\n"
        f" Reservation ID: {held.id}\n"
        f" Expires: {out_time(held.expires_us)}"
    )
    if held.operation:
        context.print(f" Operation: {held.operation}")
    if made.depends_on:
        context.print(f" Depends on ({len(made.depends_on)}):")
        for needed in made.depends_on:
            context.print(f" {needed}")
    if made.conflicts:
        context.print(f"\n ⚠️ {len(made.conflicts)} conflict(s) detected. Run 'bespeak coord forecast' for details.")
    if made.dependency_error:
        output.to_stderr(f"\n ⚠️ Dependency error: {escape_unprintable(made.dependency_error)}")
