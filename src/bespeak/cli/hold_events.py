"""Hears of each change of some reservations in a thread of its own, which never keeps the end of the program."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from bespeak.ledger.lease import told_to_stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.storage.interface import Listener

_CLOSING_SECONDS = 2.0


class HoldEvents:
    """Calls ``tell`` after each change.

    Args:
        listener: to the reservations' topics; closed by the thread.
        tell: called in the thread.
    """

    def __init__(self, listener: Listener, tell: Callable[[], None]) -> None:
        self._listener = listener
        self._tell = tell
        self._stop_reader, self._stop_writer = os.pipe()
        self._thread = threading.Thread(target=self._hear, name="bespeak-news", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; a listener that does not answer is left behind."""
        os.close(self._stop_writer)
        self._thread.join(_CLOSING_SECONDS)

    def _hear(self) -> None:
        try:
            while not told_to_stop(self._stop_reader, self._listener):
                if self._listener.wait(0):
                    self._tell()
        except Exception:  # noqa: BLE001 the book is away: the regular question finds out
            return
        finally:
            self._listener.close()
            os.close(self._stop_reader)
