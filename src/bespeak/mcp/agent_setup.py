"""Setting up the programs of coding agents in a repository: the server of tools, and hooks that call the guard."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import WrongStateError
from bespeak.base.fileio import read_regular, write_atomically
from bespeak.mcp.settings_merge import Hook, JsonSettings, Plugin, TomlSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.git.repository import Repository
    from bespeak.mcp.settings_merge import HookCommands, SettingsFile

_OPENCODE = """\
// Made by bespeak agents setup; "bespeak agents setup --remove opencode" takes it out.
import { spawnSync } from "node:child_process"

const PROGRAM = @PROGRAM@
const REFUSE = @REFUSE@

function ask(action, event, input, args, cwd) {
  const said = { hook_event_name: event, tool_name: input.tool, tool_input: args, session_id: input.sessionID, cwd }
  const words = [...PROGRAM.slice(1), action, ...(REFUSE ? ["--refuse"] : [])]
  return spawnSync(PROGRAM[0], words, { input: JSON.stringify(said), encoding: "utf8" })
}

export const BespeakGuard = async ({ directory }) => ({
  "shell.env": async (input, output) => {
    if (input.sessionID && !process.env.BESPEAK_RUN_ID) output.env.BESPEAK_RUN_ID = input.sessionID
  },
  "tool.execute.before": async (input, output) => {
    const done = ask("edit", "PreToolUse", input, output.args ?? {}, directory)
    if (REFUSE && (done.error || done.status !== 0)) throw new Error(done.stderr || String(done.error))
  },
  "tool.execute.after": async (input, output) => {
    if (!["bash", "edit", "write", "apply_patch"].includes(input.tool)) return
    const done = ask("changed", "PostToolUse", input, {}, directory)
    const told = done.stdout ? JSON.parse(done.stdout).hookSpecificOutput?.additionalContext : done.stderr
    if (told) output.output += "\\n" + told
  },
})
"""

CLIENTS: dict[str, tuple[SettingsFile, ...]] = {
    "claude": (
        JsonSettings(".mcp.json", "claude"),
        JsonSettings(
            ".claude/settings.local.json",
            hooks=(
                Hook("PreToolUse", "edit", "Edit|MultiEdit|Write|NotebookEdit"),
                Hook("PostToolUse", "changed", "Bash"),
                Hook("SessionStart", "session"),
            ),
        ),
    ),
    "codex": (
        TomlSettings(".codex/config.toml"),
        JsonSettings(
            ".codex/hooks.json",
            hooks=(Hook("PreToolUse", "edit", "apply_patch|Bash"), Hook("PostToolUse", "changed", "Bash")),
        ),
    ),
    "cursor": (
        JsonSettings(".cursor/mcp.json", "cursor"),
        JsonSettings(
            ".cursor/hooks.json",
            hooks=(Hook("preToolUse", "edit", "Write|Delete"), Hook("postToolUse", "changed", "Shell|Write|Delete")),
            flat=True,
            version=1,
        ),
    ),
    "gemini": (
        JsonSettings(
            ".gemini/settings.json",
            "generic",
            hooks=(
                Hook("BeforeTool", "edit", "write_file|replace"),
                Hook("AfterTool", "changed", "run_shell_command|write_file|replace"),
            ),
        ),
    ),
    "vscode": (
        JsonSettings(".vscode/mcp.json", "vscode"),
        JsonSettings(
            ".github/hooks/bespeak.json",
            hooks=(Hook("PreToolUse", "edit"), Hook("PostToolUse", "changed")),
            flat=True,
        ),
    ),
    "opencode": (JsonSettings("opencode.json", "opencode"), Plugin(".opencode/plugins/bespeak.js", _OPENCODE)),
}
"""The files of each client, as it documents them."""

TRUST = {
    "claude": "Claude Code asks once whether you trust this folder and its server of tools: "
    "start claude here, say yes.",
    "codex": "Codex reads these files once you trust this folder, and runs hooks that you have approved: "
    "start codex here, say yes, then type /hooks.",
    "gemini": "Gemini CLI reads these files once you trust this folder: start gemini here, say yes.",
}
"""What a client asks its user before it reads the files; those that ask nothing are left out."""


class FileState(Enum):
    """What a file of a client has, or what was done with it."""

    UNCHANGED = "unchanged"
    WRITTEN = "written"
    REMOVED = "removed"
    MISSING = "missing"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of one file.

    Args:
        path: from the root of the repository.
        before: its text; None if there is none.
        after: what it is to be; None for no file.
    """

    path: str
    before: str | None
    after: str | None


def plan(where: Repository, client: str, here: HookCommands, anywhere: HookCommands) -> list[Change]:
    """Return what is to be done to set a client up.

    Args:
        where: the repository.
        client: one of :data:`CLIENTS`.
        here: how the program is started on this machine.
        anywhere: how, in files that are committed.

    Raises:
        WrongStateError: a file cannot be merged.
    """
    files = CLIENTS[client]
    shared = _committed(where, [file.path for file in files])
    if shared and any(word.startswith("/") for word in anywhere.words):
        raise WrongStateError(f"git keeps {min(shared)}: --ledger would put a path of this machine there")
    texts = [_read(where, file.path) for file in files]
    return [
        Change(file.path, text, file.merged(text, anywhere if file.path in shared else here))
        for file, text in zip(files, texts, strict=True)
    ]


def plan_removal(where: Repository, client: str) -> list[Change]:
    """Return what is to be done to take out what :func:`plan` has put in."""
    found = [(file, _read(where, file.path)) for file in CLIENTS[client]]
    return [Change(file.path, text, None if text is None else file.without(text)) for file, text in found]


def apply(where: Repository, changes: Sequence[Change]) -> list[tuple[str, FileState]]:
    """Do what is planned, each file in one step; return what became of each."""
    done = []
    for change in changes:
        if change.before == change.after:
            done.append((change.path, FileState.UNCHANGED))
            continue
        path = _real(where, change.path)
        if change.after is None:
            path.unlink()
            _leave(path.parent, Path(os.path.realpath(where.root)))
        else:
            mode = path.stat().st_mode & 0o777 if path.exists() else 0
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(str(path), change.after.encode("utf-8", "surrogateescape"), mode or 0o666, always=mode)
        done.append((change.path, FileState.WRITTEN if change.after is not None else FileState.REMOVED))
    return done


def _leave(folder: Path, top: Path) -> None:
    """Remove folders that are empty now, up to the root of the repository."""
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def states(changes: Sequence[Change]) -> list[tuple[str, FileState]]:
    """Return what each file lacks."""

    def state(change: Change) -> FileState:
        if change.before == change.after:
            return FileState.UNCHANGED
        return FileState.MISSING if change.before is None else FileState.OUTDATED

    return [(change.path, state(change)) for change in changes]


def _read(where: Repository, path: str) -> str | None:
    found = _real(where, path)
    try:
        return read_regular(str(found))[0].decode()
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise WrongStateError(f"{path}: something else than a folder is in its place") from None
    except UnicodeDecodeError:
        raise WrongStateError(f"{path} is not UTF-8; nothing was written") from None


def _real(where: Repository, path: str) -> Path:
    """Return where a file really is.

    Raises:
        WrongStateError: a link leads out of the repository.
    """
    found = Path(os.path.realpath(os.path.join(where.root, path)))
    if not found.is_relative_to(os.path.realpath(where.root)):
        raise WrongStateError(f"{path} leads out of the repository, to {escape_unprintable(str(found))}")
    return found


def _committed(where: Repository, paths: Sequence[str]) -> set[str]:
    """Return which of the files git keeps: others get them, so they name no path of this machine."""
    from bespeak.git.process import Git

    with Git(where) as git:
        return set(os.fsdecode(git.run("ls-files", "-z", "--full-name", "--", *paths)).split("\0")) - {""}
