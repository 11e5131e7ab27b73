"""The guard: git hooks that ask, before a commit, a merge or a push, whether another run has claimed what it touches.

``git cherry-pick``, ``revert``, ``rebase`` and a merge that is a fast-forward call no hook that looks at files: what
they make is looked at when it is pushed.

A hook that was there is kept under another name and called first, with the same arguments and the same input. When
the program is gone, a guard that warns lets everything pass, and one that refuses refuses.

Hooks in the work tree (``core.hooksPath``, ``.husky``) may be committed: they name no path of this machine.
"""

from __future__ import annotations

import os

from bespeak.base.display import escape_unprintable
from bespeak.base.fileio import write_atomically
from bespeak.coord.errors import ClaimError
from bespeak.git.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.coord.model import Conflict
    from bespeak.git.process import Git
    from bespeak.git.repository import Repository

HOOKS = (("pre-commit", "commit"), ("pre-merge-commit", "commit"), ("pre-applypatch", "commit"), ("pre-push", "push"))
"""The hooks of git that can refuse, and what each calls: for a commit, a merge, ``git am``, a push."""
MARK = "# Made by bespeak coord guard"
BEFORE = ".before-bespeak"
_NO_COMMIT = "0"


def own_hooks_folder(repository: Repository) -> str:
    """Return the folder in which git looks for this clone's hooks.

    Raises:
        ClaimError: it lies outside the clone, where other repositories would be guarded too.
    """
    from bespeak.git.process import hooks_folder

    found = hooks_folder(repository)
    for own in (repository.common_dir, repository.git_dir, repository.root):
        if found.startswith(os.path.realpath(own) + "/"):
            return found
    raise ClaimError(
        f"core.hooksPath is {escape_unprintable(found)}, which is not this clone's own; call the guard from hooks there"
    )


def is_shared(repository: Repository) -> bool:
    """Tell whether the hooks are in the work tree, where they are committed for everybody."""
    found = own_hooks_folder(repository) + "/"
    return not any(found.startswith(os.path.realpath(own) + "/") for own in (repository.common_dir, repository.git_dir))


def install(repository: Repository, program: Sequence[str], *, refuse: bool) -> list[str]:
    """Install the hooks; return their paths. Installing again only switches between warning and refusing.

    Args:
        repository: the clone.
        program: the words that start bespeak; a first word without a slash is looked for when a hook runs.
        refuse: refuse instead of warning.
    """
    folder = own_hooks_folder(repository)
    os.makedirs(folder, exist_ok=True)
    made = []
    for name, action in HOOKS:
        path = os.path.join(folder, name)
        if os.path.lexists(path) and not _is_ours(path):
            if os.path.lexists(path + BEFORE):
                raise ClaimError(
                    f"{escape_unprintable(path)} and {escape_unprintable(path + BEFORE)} both exist; move one away"
                )
            os.rename(path, path + BEFORE)
        _write(path, script(action, program, refuse=refuse))
        made.append(path)
    return made


def remove(repository: Repository) -> list[str]:
    """Remove the hooks and restore those that were there before; return the paths of what was removed."""
    gone = []
    folder = own_hooks_folder(repository)
    for name, _ in HOOKS:
        path = os.path.join(folder, name)
        if os.path.lexists(path) and _is_ours(path):
            os.unlink(path)
            gone.append(path)
            if os.path.lexists(path + BEFORE):
                os.rename(path + BEFORE, path)
    return gone


def is_installed(repository: Repository, name: str) -> bool:
    """Tell whether a hook of this name is ours."""
    path = os.path.join(own_hooks_folder(repository), name)
    return os.path.lexists(path) and _is_ours(path)


def _is_ours(path: str) -> bool:
    return MARK in read_text(path, 4096)


def _write(path: str, text: str) -> None:
    write_atomically(path, text.encode("utf-8", "surrogateescape"), 0o666, always=0o755)  # a hook is a program for all


def script(action: str, program: Sequence[str], *, refuse: bool) -> str:
    """Return a hook: the one that was there first, then the guard."""
    from shlex import join, quote

    words = join([*program, "coord", "guard", action, *(["--refuse"] if refuse else [])])
    gone = "exit 1" if refuse else "exit 0"
    guard = f'{words} --remote "$1"' if action == "push" else words
    guard += "" if refuse else " || true"
    feed, again = ("input=$(cat; echo x)\n", 'printf %s "${input%x}" | ') if action == "push" else ("", "")
    there = f"[ -x {quote(program[0])} ]" if "/" in program[0] else f"command -v {quote(program[0])} >/dev/null"
    return f"""#!/bin/sh
{MARK} install; "bespeak coord guard remove" takes it out.
{feed}if [ -x "$0{BEFORE}" ]; then
    {again}"$0{BEFORE}" "$@" || exit $?
fi
if ! {there}; then
    echo 'bespeak is not there, so the guard cannot ask who has claimed this; install it again' >&2
    {gone}
fi
{again}{guard}
"""


def staged(repository: Repository) -> list[str]:
    """Return the files that the next commit changes, from the root."""
    from bespeak.git.process import Git

    with Git(repository) as git:
        return _names(git.run("diff", "--cached", "--name-only", "--no-renames", "-z"))


def changed(repository: Repository) -> list[str]:
    """Return the files of the work tree that differ from the last commit, new ones too, from the root."""
    from bespeak.git.process import Git

    with Git(repository) as git:
        git.use_settings()
        words = ("--name-only", "--no-renames", "--ignore-submodules=all", "-z")
        loose = git.run("diff", *words)
        new = git.run("ls-files", "-o", "-z", "--exclude-standard", "--full-name")
        return _names(git.run("diff", "--cached", *words) + loose + new)


def pushed(repository: Repository, lines: Iterable[str], remote: str) -> list[str]:
    """Return the files that the commits to be pushed change, from the root.

    Args:
        repository: the clone.
        lines: what git tells a pre-push hook: local ref, local id, remote ref, remote id.
        remote: the name of the remote.
    """
    from bespeak.git.process import Git

    found: dict[str, None] = {}
    with Git(repository) as git:
        for line in lines:
            words = line.split()
            if len(words) != len(("local ref", "local id", "remote ref", "remote id")) or not _is_commit(words[1]):
                continue
            known = [f"^{words[3]}"] if _is_commit(words[3]) and _has(git, words[3]) else []
            seen = ["--not", f"--remotes={remote}"] if remote else ["--not", "--remotes"]
            log = ["log", "--format=", "--name-only", "--no-renames", "-c", "-z", words[1], *known, *seen]
            found |= dict.fromkeys(_names(git.run(*log)))
    return list(found)


def _is_commit(word: str) -> bool:
    """Tell whether a word is an id, and not the one of zeros that stands for none."""
    return not word.strip("0123456789abcdef") and bool(word.strip(_NO_COMMIT))


def _has(git: Git, commit: str) -> bool:
    return git.try_("cat-file", "-e", commit).returncode == 0


def _names(said: bytes) -> list[str]:
    names = os.fsdecode(said).split("\0")
    return list(dict.fromkeys(name.strip("\n") for name in names if name.strip("\n")))


def not_shared_out(conflicts: Sequence[Conflict], own: Sequence[str]) -> list[Conflict]:
    """Leave out claims on a part of a file of which the run holds another part.

    Args:
        conflicts: what other runs hold of the files touched.
        own: the addresses that the run itself holds, normalised.
    """
    from bespeak.coord.address import plain_relation, stored

    mine = [stored(text, glob=False) for text in own]
    left = []
    for conflict in conflicts:
        part = stored(conflict.held_address, glob=False)
        parts = [held for held in mine if held.symbol and held.path == part.path]
        if not (part.symbol and parts) or any(plain_relation(held, part) for held in parts):
            left.append(conflict)
    return left


CONFIGURATION = """\
To have a coding agent ask before each edit, and after each command, add this to its settings. For Claude Code
(.claude/settings.local.json, which is not committed):

{
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Edit|MultiEdit|Write|NotebookEdit",
        "hooks": [{"type": "command", "command": %s}]
      }
    ],
    "PostToolUse": [
      {
        "matcher": "Bash",
        "hooks": [{"type": "command", "command": %s}]
      }
    ]
  }
}

Any other agent that calls a command before an edit: `bespeak coord check -- FILE` exits 7 if another run holds it.
Give each agent a run id of its own: BESPEAK_RUN_ID in its environment.
"""
