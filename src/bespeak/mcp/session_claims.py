"""What was claimed in the name of a connection ends with it: nobody can speak for it any more."""

from __future__ import annotations

import logging
import threading

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError

_log = logging.getLogger("bespeak.mcp")


class SessionClaims:
    """Where the runs of connections have claimed something.

    Args:
        ledger: the value of ``--ledger``.
    """

    def __init__(self, ledger: str | None) -> None:
        self._ledger = ledger
        self._folders: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def note(self, run_id: str, folder: str) -> None:
        """Remember that a connection's run has claimed something in the repository around a folder."""
        with self._lock:
            self._folders.setdefault(run_id, set()).add(folder)

    def end(self, run_id: str) -> None:
        """Give back what a connection's run has claimed; what cannot be given back lapses by itself."""
        with self._lock:
            folders = self._folders.pop(run_id, set())
        for folder in sorted(folders):
            try:
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
