"""``coord guard``: putting the hooks in, and what they call."""

from __future__ import annotations

import sys

from bespeak.cli import output
from bespeak.cli.coord_check import look
from bespeak.cli.coord_shared import documented, with_coord
from bespeak.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.cli.context import Context, Values
    from bespeak.coord.model import Conflict

_REFUSED = 1
_EDIT_REFUSED = 2
"""What makes an agent's hook stop the edit and read stderr."""
_LONGEST_INPUT = 64 * 1024 * 1024


@documented
def guard(context: Context, values: Values) -> int:
    """Do one of the guard's actions."""
    action = {"install": _install, "remove": _remove, "commit": _commit, "push": _push, "edit": _edit}
    return action[values["action"]](context, values)


def _install(context: Context, values: Values) -> int:
    from bespeak.coord.guard import CONFIGURATION, install
    from bespeak.coord.repository import find
    from bespeak.places import working_directory

    program = [sys.executable, "-m", "bespeak", *_ledger(context)]
    made = install(find(working_directory()), program, refuse=values["refuse"])
    manner = "refuses" if values["refuse"] else "warns"
    context.print("\n".join([f"✅ The guard {manner}, in:", *(f" {safe(path)}" for path in made)]))
    edit = output.shell_words(["bespeak", *_ledger(context), "coord", "guard", "edit"])
    context.print("\n" + CONFIGURATION.rstrip() % (edit + (" --refuse" if values["refuse"] else "")))
    return 0


def _ledger(context: Context) -> list[str]:
    return [] if context.ledger_flag is None else ["--ledger", context.ledger_flag]


def _remove(context: Context, values: Values) -> int:
    del values
    from bespeak.coord.guard import remove
    from bespeak.coord.repository import find
    from bespeak.places import working_directory

    gone = remove(find(working_directory()))
    context.print("\n".join([f"Removed {len(gone)} hook(s)", *(f" {safe(path)}" for path in gone)]))
    return 0


def _commit(context: Context, values: Values) -> int:
    from bespeak.coord.guard import staged
    from bespeak.coord.repository import find
    from bespeak.places import working_directory

    return _judge(context, values, staged(find(working_directory())), "commit")


def _push(context: Context, values: Values) -> int:
    from bespeak.coord.guard import pushed
    from bespeak.coord.repository import find
    from bespeak.places import working_directory

    lines = sys.stdin.read(_LONGEST_INPUT).splitlines()
    files = pushed(find(working_directory()), lines, values["remote"] or "")
    return _judge(context, values, files, "push")


def _judge(context: Context, values: Values, files: Sequence[str], what: str) -> int:
    found = _touched(context, values["run_id"], [f":/{name}" for name in files if _can_be_claimed(name)])
    if not found:
        return 0
    for conflict in found:
        _tell(conflict)
    if not values["refuse"]:
        output.to_stderr(f"⚠️ This {what} touches what another run has claimed.")
        return 0
    output.to_stderr(f"❌ This {what} touches what another run has claimed (to do it all the same: --no-verify).")
    return _REFUSED


def _can_be_claimed(name: str) -> bool:
    """Tell whether a file's name can be an address; if it cannot, nobody holds it."""
    from bespeak.coord.errors import ClaimError
    from bespeak.coord.locate import check

    try:
        check([f":/{name}"])
    except ClaimError:
        return False
    return "::" not in name


def _tell(conflict: Conflict) -> None:
    from bespeak.coord.jsonform import message

    output.to_stderr(message(conflict))


def _touched(context: Context, run_id: str | None, addresses: Sequence[str]) -> list[Conflict]:
    """Return the claims of other runs that edits of these files would meet."""
    from bespeak.coord.locate import MAX_ADDRESSES

    found: list[Conflict] = []
    for start in range(0, len(addresses), MAX_ADDRESSES):
        _, _, some = look(addresses[start : start + MAX_ADDRESSES], run_id, context.ledger_flag)
        found += some
    return _not_shared_out(context, run_id, found) if found else found


def _not_shared_out(context: Context, run_id: str | None, found: list[Conflict]) -> list[Conflict]:
    from bespeak.coord.guard import in_the_way
    from bespeak.coord.runs import default_run_id

    own: list[str] = []

    def read(coord: object) -> int:
        mine = coord.reservations(run_id=default_run_id() if run_id is None else run_id)  # type: ignore[attr-defined]
        own.extend(text for held in mine for text in held.addresses)
        return 0

    with_coord(context, read)
    return in_the_way(found, own)


def _edit(context: Context, values: Values) -> int:
    """Answer an agent's hook: the JSON on standard input names the file."""
    import os

    from bespeak.coord.errors import ClaimError
    from bespeak.coord.guard import edited_file
    from bespeak.errors import NoContextError
    from bespeak.places import working_directory

    name = edited_file(sys.stdin.buffer.read(_LONGEST_INPUT).decode("utf-8", "replace"))
    if name is None:
        return 0
    try:
        found = _touched(context, values["run_id"], [os.path.join(working_directory(), name)])
    except (ClaimError, NoContextError):
        return 0  # a file outside the repository is nobody's
    if not found:
        return 0
    from bespeak.coord.jsonform import message

    text = "\n".join(message(conflict) for conflict in found)
    if values["refuse"]:
        output.to_stderr(f"{text}\n❌ Another run has claimed this. Take other work, or wait until it is released.")
        return _EDIT_REFUSED
    context.print_json({"systemMessage": f"{text}\nAnother run has claimed this."})
    return 0
