"""``coord guard edit``, ``changed`` and ``session``: what a coding agent's hooks call, and wait for each time."""

from __future__ import annotations

import sys

from bespeak.base.errors import BespeakError, UnavailableError
from bespeak.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.cli.context import Context, Values
    from bespeak.coord.agent_hooks import HookInput
    from bespeak.coord.model import Conflict

    Look = Callable[[Context, Values, HookInput], list[Conflict]]

SHELL_FILE = "CLAUDE_ENV_FILE"
"""Names the file whose lines Claude Code's shell reads before each command."""
REFUSED = 2
"""What makes an agent's hook stop the tool and read stderr."""


def edit(context: Context, values: Values) -> int:
    """Answer a hook that is called before an edit: the JSON on standard input names the files."""
    return _answer(context, values, _edited, "Another run has claimed this.")


def changed(context: Context, values: Values) -> int:
    """Answer a hook that is called after a command: what differs in the work tree counts."""
    return _answer(context, values, _changed, "This work tree changes what another run has claimed.")


def session(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Answer a hook that is called when a session begins: all that its shell starts gets the session's run id.

    Claude Code starts each command in a session of the system of its own, so nothing else is common to them. It names
    a file to which a hook adds lines that its shell reads.
    """
    import os

    from bespeak.coord.agent_hooks import LIMIT_BYTES, read_input
    from bespeak.coord.run_id import VARIABLE

    path = os.environ.get(SHELL_FILE)
    runs = read_input(sys.stdin.buffer.read(LIMIT_BYTES + 1)).runs
    if not path or not runs or os.environ.get(VARIABLE):
        return 0
    from bespeak.base.fileio import open_regular
    from bespeak.coord import validation

    run = validation.run_id(runs[0], "session_id")
    try:
        with open(open_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, follow=False), "a") as file:
            file.write(f"export {VARIABLE}={output.shell_words([run])}\n")
    except OSError as error:
        raise UnavailableError(f"{SHELL_FILE}: {output.one_line(path)}: {error.strerror}") from None
    return 0


def _answer(context: Context, values: Values, look: Look, what: str) -> int:
    from bespeak.coord.agent_hooks import LIMIT_BYTES, read_input

    event = ""
    try:
        given = read_input(sys.stdin.buffer.read(LIMIT_BYTES + 1))
        event = given.event
        found = look(context, values, given)
    except BespeakError as error:
        if not values["refuse"]:
            raise
        from bespeak.argv.option_names import in_options

        reason = f"❌ Nobody can say whether another run has claimed this: {output.one_line(in_options(error))}"
        return _refuse(context, event, reason)
    if not found:
        return 0
    from bespeak.coord.agent_hooks import warning
    from bespeak.coord.serialize import message

    text = "\n".join(message(conflict) for conflict in found)
    if values["refuse"]:
        reason = f"{text}\n❌ {what} Take other work, or wait until it is released."
        return _refuse(context, event, reason)
    context.print_json(warning(event, f"{text}\n{what}"))
    return 0


def _refuse(context: Context, event: str, reason: str) -> int:
    """Say no in both forms that agents document: JSON on stdout, and exit code 2 with the reason on stderr."""
    from bespeak.coord.agent_hooks import refusal

    context.print_json(refusal(event, reason))
    output.to_stderr(reason)
    return REFUSED


def _edited(context: Context, values: Values, given: HookInput) -> list[Conflict]:
    """Return the claims on the files that are about to be edited; a file in no repository is nobody's."""
    import os

    from bespeak.base.paths import working_directory
    from bespeak.cli.coord_check import touched
    from bespeak.coord.address_parser import file_at
    from bespeak.coord.agent_hooks import must_have_one_name, path_of
    from bespeak.coord.errors import ClaimError

    if not given.edits:
        return []
    if not given.files:
        raise ClaimError("The hook's input names no file")
    folder = given.folder or working_directory()
    conflicts: list[Conflict] = []
    for name in given.files:
        path = os.path.join(folder, path_of(name))
        found = file_at(path)
        if found is not None:
            must_have_one_name(path)
            conflicts += touched(context, values["run_id"], found[0], [found[1]], given.runs)
    return conflicts


def _changed(context: Context, values: Values, given: HookInput) -> list[Conflict]:
    """Return the claims on what differs in the work tree that the agent stands in."""
    from bespeak.base.paths import working_directory
    from bespeak.cli.coord_check import touched
    from bespeak.coord.address_parser import literal
    from bespeak.coord.locations import locate_book
    from bespeak.git.repository import around

    where = None if given.looks else around(given.folder or working_directory())
    if where is None or locate_book(where, context.ledger_flag).missing:
        return []
    from bespeak.coord.git_hooks import changed as files

    return touched(context, values["run_id"], where, [literal(name) for name in files(where)], given.runs)
