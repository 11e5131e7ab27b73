"""``agents``: setting up the programs of coding agents in a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.errors import UsageError
from bespeak.base.exitcodes import ExitCode

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.mcp.agent_setup import FileState
    from bespeak.mcp.settings_merge import HookCommands

_CLIENTS = ("claude", "codex", "cursor", "gemini", "vscode", "opencode")


@command(
    "agents setup",
    text="Puts the server of tools ('bespeak mcp') and hooks that call 'coord guard' before each edit and after each "
    "command into the agent's own files of this repository. What is in them stays; entries of this command are "
    "renewed, and a file that cannot be merged is refused before anything is written. Files that git keeps get "
    "'bespeak' without a path, others its absolute path.",
    examples=(
        ("agents setup claude", "Claude Code: .mcp.json and .claude/settings.local.json"),
        ("agents setup --refuse codex", "hooks that refuse instead of warning"),
        ("agents setup --check claude", "exit 1 if something is missing or not up to date"),
        ("agents setup --remove claude", "take out what was put in, and nothing else"),
    ),
    arguments=(Argument("CLIENT", choices=_CLIENTS),),
    options=(
        Option(("--check",), "Write nothing; exit 1 if something is missing or not up to date."),
        Option(("--remove",), "Take out what was put in."),
        Option(("--refuse",), "Hooks refuse instead of warning."),
    ),
)
def setup(context: Context, values: Values) -> int:
    """Set a client up, look whether it is, or take it out again."""
    if values["check"] and values["remove"]:
        raise UsageError("--check and --remove exclude each other")
    from bespeak.base.paths import working_directory
    from bespeak.git.repository import find
    from bespeak.mcp import agent_setup

    where = find(working_directory())
    if values["remove"]:
        done = agent_setup.apply(where, agent_setup.plan_removal(where, values["client"]))
    else:
        changes = agent_setup.plan(where, values["client"], *_calls(context, refuse=values["refuse"]))
        done = agent_setup.states(changes) if values["check"] else agent_setup.apply(where, changes)
    lacking = bool(values["check"]) and any(state is not agent_setup.FileState.UNCHANGED for _, state in done)
    trust = "" if values["check"] or values["remove"] else agent_setup.TRUST.get(values["client"], "")
    _answer(context, values["client"], where.root, done, trust=trust, ok=not lacking)
    return ExitCode.ERROR if lacking else 0


def _calls(context: Context, *, refuse: bool) -> tuple[HookCommands, HookCommands]:
    from bespeak.cli.coord_guard import absolute_program, ledger_option
    from bespeak.mcp.settings_merge import HookCommands

    ledger = ledger_option(context)
    return HookCommands((*absolute_program(), *ledger), refuse), HookCommands(("bespeak", *ledger), refuse)


def _answer(
    context: Context, client: str, root: str, done: list[tuple[str, FileState]], *, trust: str, ok: bool
) -> None:
    facts = {
        "client": client,
        "folder": root,
        "files": [{"path": path, "state": state.value} for path, state in done],
        "ok": ok,
    } | ({"trust": trust} if trust else {})
    lines = [f"{state.value:<9}  {path}" for path, state in done]
    context.answer(facts, "\n".join([*lines, trust] if trust else lines))
