"""The user names that a shell offers after ``--as-user``, remembered between key presses.

Pressing TAB must never wait for a scheduler, never fail loudly and never undo ``-R``. So names come from a small
file; when it is old or missing, the backend is asked in the background, and whoever waits for it waits a fraction
of a second. An answer that did not come in time, or failed, is remembered as well, for a shorter time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

LIFETIME_SECONDS = 300.0
"""How long names are offered without asking again."""

FAILURE_LIFETIME_SECONDS = 30.0
"""How long a backend that failed or was slow is left alone."""

PATIENCE_SECONDS = 0.5
"""How long a key press waits for a backend."""

_FILENAME = "usernames.json"


def collect_reservation_usernames(repos: list[Any], *, skip_reservation_check: bool = False) -> list[str]:
    """Return the users the selected backend knows, sorted; empty if it cannot list them, fails or is slow.

    Args:
        repos: the active repositories; the first with reservation settings counts.
        skip_reservation_check: ``-R`` is on the command line: nothing is built, only remembered names are offered.
    """
    try:
        return _collect(repos, skip=skip_reservation_check)
    except Exception:  # noqa: BLE001 - completion is silent, whatever happens
        return []


def _collect(repos: list[Any], *, skip: bool) -> list[str]:
    import time

    selected = next((repo for repo in repos if repo.reservation_settings), None)
    if selected is None:
        return []
    key = repr((str(selected.sut_dir), selected.reservation_settings, os.environ.get("BESPEAK_LEDGER")))
    remembered = _read()
    names, until = remembered.get(key, ([], 0.0))
    if skip or time.time() < until:
        return names
    asked = _ask_in_background(repos)
    if asked is None:
        _write({**remembered, key: (names, time.time() + FAILURE_LIFETIME_SECONDS)})
        return names
    _write({**remembered, key: (asked, time.time() + LIFETIME_SECONDS)})
    return asked


def _ask_in_background(repos: list[Any]) -> list[str] | None:
    """Ask the backend in a thread that dies with the process; None if it failed or is still at it."""
    import threading

    answer: list[list[str]] = []

    def ask() -> None:
        try:
            answer.append(_list_usernames(repos))
        except BaseException:  # noqa: BLE001 - somebody else's code; there is nobody to tell
            return

    thread = threading.Thread(target=ask, name="bespeak-usernames", daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    return answer[0] if answer else None


def _list_usernames(repos: list[Any]) -> list[str]:
    from pathlib import Path

    from bespeak.reservations.factory import BackendFactory
    from bespeak.reservations.protocol import SupportsUsernameCompletion

    backend = BackendFactory(repos, Path())()
    if not isinstance(backend, SupportsUsernameCompletion):
        return []
    names: list[object] = list(backend.list_usernames())
    return sorted({name for name in names if isinstance(name, str) and name.isprintable()})


def _folder() -> str:
    from bespeak.base.paths import user_folder

    return user_folder(os.environ, "cache")


def _read() -> dict[str, tuple[list[str], float]]:
    """Return what is remembered; a file of somebody else, or one that cannot be understood, counts as none."""
    import json

    from bespeak.base.fileio import read_own

    try:
        raw = read_own(os.path.join(_folder(), _FILENAME))
        if raw is None:
            return {}
        content = json.loads(raw)
        return {str(key): ([str(name) for name in names], float(until)) for key, (names, until) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _write(remembered: dict[str, tuple[list[str], float]]) -> None:
    """Replace the file in one step, readable by its owner only."""
    import json

    from bespeak.base.fileio import write_atomically

    folder = _folder()
    os.makedirs(folder, mode=0o700, exist_ok=True)
    newest = sorted(remembered.items(), key=lambda item: item[1][1])[-20:]
    try:
        write_atomically(os.path.join(folder, _FILENAME), json.dumps(dict(newest)).encode())
    except OSError:
        return  # asked again at the next key press
