"""One descriptor that becomes readable when the book has changed, on either engine.

On PostgreSQL the notification connection may be lost and come back; a thread of its own waits there and pokes a
pipe, so that the dispatcher's loop never waits for the network outside a transaction.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.storage.interface import Engine, Listener

_LONG_SECONDS = 3600.0


class BookChanges:
    """A listener with a descriptor.

    Args:
        engine: the book.
        topics: what to be woken for.
    """

    def __init__(self, engine: Engine, topics: Iterable[str]) -> None:
        self._listener: Listener = engine.listen(topics)
        self._read = self._write = -1
        if engine.dialect != "sqlite":
            from threading import Thread

            self._read, self._write = os.pipe()
            os.set_blocking(self._read, False)
            os.set_blocking(self._write, False)
            Thread(target=self._pass_on, name="jobs-notifier", daemon=True).start()

    def _pass_on(self) -> None:
        from bespeak.base.errors import BespeakError

        while self._write >= 0:
            try:
                self._listener.wait(_LONG_SECONDS)
                os.write(self._write, b"!")
            except BlockingIOError:
                continue
            except (OSError, BespeakError):
                return  # closed, or beyond repair: the back-stop interval of the dispatcher remains

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._read if self._read >= 0 else self._listener.fileno()

    def take(self) -> None:
        """Forget the wake-ups that have come so far."""
        if self._read < 0:
            self._listener.wait(0)
            return
        try:
            while os.read(self._read, 4096):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Stop listening. On PostgreSQL the waiting thread ends with the process."""
        if self._read < 0:
            self._listener.close()
