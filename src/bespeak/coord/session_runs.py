"""Which run ids belong to a session of an agent in one work tree: its server of tools, its hooks and its shell are one.

The server of an agent claims under an id of its own, and the agent commits from a shell that knows nothing of it. What
both have in common is the agent's process, which has started both: the server leaves a file named after it in the work
tree's git directory, and a hook looks for the files of the processes above it. A process that has started two servers
leads two agents, whose shells nobody can tell apart: it stands for neither.

The file goes with the server. One whose server was killed tells whoever comes next that nobody can speak for its run
any more, so that what it has claimed need not stand until it lapses.
"""

from __future__ import annotations

import os

from bespeak.base import process_identity
from bespeak.base.fileio import read_own, write_atomically
from bespeak.coord.run_id import this_boot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.model import Conflict
    from bespeak.git.repository import Repository

FOLDER = os.path.join("bespeak", "sessions")
_MOST_ABOVE = 64
_LONGEST = 4096


def remember(where: Repository, agent: int, run_id: str) -> None:
    """Leave word that a run id belongs to the session of a process, in one work tree.

    Args:
        where: the work tree.
        agent: the process that started the caller, and starts shells and hooks.
        run_id: the caller's.

    Raises:
        OSError: it cannot be written.
    """
    began = process_identity.began_ticks(agent)
    if agent <= 1 or began is None:
        return  # whoever started the caller is gone: every process would be below it
    folder = os.path.join(where.git_dir, FOLDER)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    _forget_other_boots(folder)
    write_atomically(_path(where, agent, began), f"{run_id}\n{this_boot()}".encode())


def forget(where: Repository, agent: int) -> None:
    """Take back what :func:`remember` left."""
    began = process_identity.began_ticks(agent)
    if began is not None:
        _remove(_path(where, agent, began))


def orphans(where: Repository) -> list[tuple[str, str]]:
    """Return the files of servers that were killed, and their run ids.

    A server that cannot be seen from here is not called dead: one of another machine, or of another container. One that
    works on although its agent has ended speaks for its run still.
    """
    here = this_boot()
    found = []
    for folder in _folders(where):
        for name in _names(folder):
            run, boot = _read(os.path.join(folder, name)) if _server_has_ended(name) else ("", "")
            if run and boot == here:
                found.append((os.path.join(folder, name), run))
    return found


def without_orphans(where: Repository, found: list[Conflict]) -> list[Conflict]:
    """Return conflicts without those with what killed servers have claimed."""
    ended = {run for _, run in orphans(where)} if found else set()
    return [conflict for conflict in found if conflict.run_id not in ended]


def _folders(where: Repository) -> list[str]:
    """Return where the work trees of a clone keep their files: a claim stands in all of them."""
    linked = os.path.join(where.common_dir, "worktrees")
    places = [where.common_dir, *(os.path.join(linked, name) for name in _names(linked))]
    return [os.path.join(place, FOLDER) for place in places]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def bury(path: str) -> None:
    """Remove the file of a server that was killed."""
    _remove(path)


def own_runs(where: Repository) -> list[str]:
    """Return the run ids that belong to the processes that this one was started by; nearest first."""
    folder = os.path.join(where.git_dir, FOLDER)
    names = [name for name in _names(folder) if _lives(name)]
    found = []
    for above in _above() if names else ():
        left = [name for name in names if name.startswith(above)]
        if len(left) == 1 and (run := _read(os.path.join(folder, left[0]))[0]):
            found.append(run)
    return found


def _read(path: str) -> tuple[str, str]:
    """Return the run id in a file that this user wrote, and where its server ran; both empty for any other."""
    try:
        run, _, boot = (read_own(path, _LONGEST) or b"").decode().partition("\n")
    except (OSError, UnicodeDecodeError):
        return "", ""
    return run, boot


def _above() -> Iterator[str]:
    """Yield what the files of the processes above this one are called."""
    process = os.getpid()
    for _ in range(_MOST_ABOVE):
        found = process_identity.parent_and_session(process)
        if found is None or found[0] <= 1:
            return
        process = found[0]
        yield f"{process}-{process_identity.began_ticks(process)}-"


def _path(where: Repository, agent: int, began: int) -> str:
    return os.path.join(where.git_dir, FOLDER, f"{agent}-{began}-{os.getpid()}")


def _numbers(name: str) -> tuple[int, int, int] | None:
    """Return the agent, when it began, and the server that a file is named after; None for any other name."""
    words = name.split("-")
    if len(words) != len(("agent", "began", "server")) or not all(word.isdecimal() for word in words):
        return None
    agent, began, server = map(int, words)
    return agent, began, server


def _lives(name: str) -> bool:
    """Tell whether the agent and the server that a file is named after still run."""
    numbers = _numbers(name)
    if numbers is None or _server_has_ended(name):
        return False
    agent, began, _ = numbers
    return process_identity.began_ticks(agent) == began


def _server_has_ended(name: str) -> bool:
    numbers = _numbers(name)
    return numbers is not None and process_identity.has_ended(numbers[2])


def _forget_other_boots(folder: str) -> None:
    here = this_boot().partition("-")[0]
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if not _lives(name) and _read(path)[1].partition("-")[0] != here:
            _remove(path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # somebody else has, or nobody may
