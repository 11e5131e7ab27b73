"""``coord guard``: putting the hooks in, and what they call."""

from __future__ import annotations

import os
import sys

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.display import escape_unprintable
from bespeak.base.json_text import one_line
from bespeak.cli import output
from bespeak.cli.coord_command import RUN, contract_command, error_time, say_how_to_be_known
from bespeak.coord.errors import ClaimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.cli.context import Context, Values
    from bespeak.git.repository import Repository

_REFUSED = 1
_LONGEST_INPUT = 64 * 1024 * 1024


@command(
    "coord guard",
    text="install puts hooks into this clone that ask before a commit, a merge, a patch of git am and a push, after "
    "those that were there, and prints the configuration that makes a coding agent ask before each edit and after "
    "each command; remove takes them out again. git has no such hook for cherry-pick, revert, rebase and a "
    "fast-forward: what they make is asked about when it is pushed. commit, push, edit, changed and session are what "
    "the hooks call. A claim of another run on a part of a file that you hold another part of is not in your way.",
    examples=(
        ("coord guard install", "warn"),
        ("coord guard install --refuse", "refuse commits and pushes of what another run has claimed"),
        ("coord guard remove", "take the hooks out"),
    ),
    arguments=(Argument("ACTION", choices=("install", "remove", "commit", "push", "edit", "changed", "session")),),
    options=(
        Option(("--refuse",), "Refuse instead of warning."),
        Option(("--remote",), "The remote that is pushed to (for push).", "NAME"),
        RUN,
    ),
)
@contract_command
def guard(context: Context, values: Values) -> int:
    """Do one of the guard's actions."""
    action = {"install": _install, "remove": _remove, "commit": _commit, "push": _push, "edit": _edit}
    action |= {"changed": _changed, "session": _session}
    return action[values["action"]](context, values)


def _install(context: Context, values: Values) -> int:
    from bespeak.coord.git_hooks import CONFIGURATION, install, is_shared

    where = _here()
    ledger = ledger_option(context)
    shared = is_shared(where)
    if shared and any(word.startswith("/") for word in ledger):
        raise ClaimError("The hooks are in the work tree: --ledger would put a path of this machine there")
    program = ["bespeak"] if shared else [sys.executable, "-P", "-m", "bespeak"]
    made = install(where, [*program, *ledger], refuse=values["refuse"])
    manner = "refuses" if values["refuse"] else "warns"
    context.print("\n".join([f"✅ The guard {manner}, in:", *(f" {escape_unprintable(path)}" for path in made)]))
    words = [*absolute_program(), *ledger, "coord", "guard"]
    refuse = ["--refuse"] if values["refuse"] else []
    calls = [one_line(output.shell_words([*words, action, *refuse])) for action in ("edit", "changed")]
    context.print("\n" + CONFIGURATION.rstrip() % tuple(calls))
    return 0


def absolute_program() -> list[str]:
    """Return the words that start this program from any folder and with any ``PATH``."""
    from shutil import which

    found = which("bespeak")
    return [sys.executable, "-P", "-m", "bespeak"] if found is None else [os.path.abspath(found)]


def ledger_option(context: Context) -> list[str]:
    """Return the option that hooks, which start elsewhere and which others can read, have to name the book with."""
    flag = context.ledger_flag
    if flag is None:
        return []
    if flag not in context.spoken():
        raise ClaimError(
            "--ledger has a password in it, which the hooks would show to others; use BESPEAK_LEDGER or ~/.pgpass"
        )
    from bespeak.base.paths import book_url

    return ["--ledger", book_url(flag, "--ledger", None)]


def _remove(context: Context, values: Values) -> int:
    del values
    from bespeak.coord.git_hooks import remove

    gone = remove(_here())
    context.print("\n".join([f"Removed {len(gone)} hook(s)", *(f" {escape_unprintable(path)}" for path in gone)]))
    return 0


def _commit(context: Context, values: Values) -> int:
    from bespeak.coord.git_hooks import staged

    where = _here()
    return _judge(context, values, where, staged(where), "commit")


def _push(context: Context, values: Values) -> int:
    from bespeak.coord.git_hooks import pushed

    where = _here()
    lines = sys.stdin.read(_LONGEST_INPUT).splitlines()
    return _judge(context, values, where, pushed(where, lines, values["remote"] or ""), "push")


def _here() -> Repository:
    from bespeak.base.paths import working_directory
    from bespeak.git.repository import find

    return find(working_directory())


def _judge(context: Context, values: Values, where: Repository, files: Sequence[str], what: str) -> int:
    from bespeak.cli.coord_check import touched
    from bespeak.coord.address_parser import literal
    from bespeak.coord.serialize import message

    found = touched(context, values["run_id"], where, [literal(name) for name in files])
    if not found:
        return 0
    for conflict in found:
        output.to_stderr(message(conflict, error_time))
    say_how_to_be_known(values["run_id"], [conflict.run_id for conflict in found])
    if not values["refuse"]:
        output.to_stderr(f"⚠️ This {what} touches what another run has claimed.")
        return 0
    output.to_stderr(f"❌ This {what} touches what another run has claimed. Wait until it is released.")
    return _REFUSED


def _edit(context: Context, values: Values) -> int:
    from bespeak.cli.coord_agent_hook import edit

    return edit(context, values)


def _changed(context: Context, values: Values) -> int:
    from bespeak.cli.coord_agent_hook import changed

    return changed(context, values)


def _session(context: Context, values: Values) -> int:
    from bespeak.cli.coord_agent_hook import session

    return session(context, values)
