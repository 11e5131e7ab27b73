"""What was claimed in the name of a connection ends with it: nobody can speak for it any more."""

from __future__ import annotations

import logging
import threading

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError
from bespeak.coord.session_runs import forget, remember
from bespeak.git.repository import find

_log = logging.getLogger("bespeak.mcp")


class SessionClaims:
    """Where the runs of connections have claimed something.

    Args:
        ledger: the value of ``--ledger``.
        agent: the process of the one client, whose shells and hooks are of the same run; None if there are many.
    """

    def __init__(self, ledger: str | None, agent: int | None = None) -> None:
        self._ledger = ledger
        self._agent = agent
        self._folders: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def note(self, run_id: str, folder: str) -> None:
        """Remember that a connection's run has claimed something in the repository around a folder."""
        with self._lock:
            folders = self._folders.setdefault(run_id, set())
            new = folder not in folders
            folders.add(folder)
        if new and self._agent is not None:
            try:
                remember(find(folder), self._agent, run_id)
            except (BespeakError, OSError) as error:
                _log.warning("commits may not be known as this run's: %s", escape_unprintable(str(error)))

    def end(self, run_id: str) -> None:
        """Give back what a connection's run has claimed; what cannot be given back lapses by itself."""
        with self._lock:
            folders = self._folders.pop(run_id, set())
        for folder in sorted(folders):
            try:
                if self._agent is not None:
                    forget(find(folder), self._agent)
                self._give_back(run_id, folder)
            except (BespeakError, OSError) as error:
                _log.warning(
                    "claims in %s could not be given back and will lapse: %s",
                    escape_unprintable(folder),
                    escape_unprintable(str(error)),
                )

    def _give_back(self, run_id: str, folder: str) -> None:
        from bespeak.coord.service import open_coord

        coord = open_coord(folder, ledger=self._ledger)
        try:
            coord.release_all(run_id=run_id)
        finally:
            coord.close()
