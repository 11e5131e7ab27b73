"""The one follower of the log in this process: what it reads goes to every stream of events and to all who wait."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bespeak.base.errors import BespeakError
from bespeak.base.json_text import compact
from bespeak.ledger.actions import Action
from bespeak.ledger.ordered_log import OrderedLog
from bespeak.ledger.serialize import log_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.service import Ledger

log = logging.getLogger("bespeak.server")

_KEPT = 4_096
"""Entries kept in memory; whoever was away for longer reads the book."""
_STOP_SECONDS = 0.2
_LOOK_SECONDS = 5.0
"""A wake-up that was lost costs so long at most."""
_GAP_SECONDS = 0.05
_AFTER_TROUBLE_SECONDS = 1.0
CHANGES_OF_RIGHTS = frozenset(
    (Action.RIGHT_GRANTED, Action.RIGHT_REVOKED, Action.GROUP_CHANGED, Action.WORKLOAD_MAPPED, Action.WORKLOAD_UNMAPPED)
)
_CHANGES_OF_ACCESS = CHANGES_OF_RIGHTS | {Action.TOKEN_REVOKED, Action.SIGNED_OUT}


@dataclass(frozen=True)
class Event:
    """One change of the book, as it is sent.

    Attributes:
        entry: the row of the log.
    """

    entry: LogEntry

    @property
    def seq(self) -> int:
        """The number of the row."""
        return self.entry.seq

    @cached_property
    def text(self) -> str:
        """The event as a client reads it: made once for all streams, and not where there is none."""
        return f"id: {self.seq}\nevent: change\ndata: {compact(log_json(self.entry))}\n\n"


class EventHub:
    """Follows the log in a thread, and hands out what is new in the loop.

    Args:
        open_ledger: opens the book, for the thread.
        note: told of new entries, in the loop.
    """

    def __init__(self, open_ledger: Callable[[], Ledger], note: Callable[[list[LogEntry]], object] = len) -> None:
        self._open = open_ledger
        self._note = note
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._kept: deque[Event] = deque(maxlen=_KEPT)
        self._changed: asyncio.Future[None] | None = None
        self._access_changed: asyncio.Future[None] | None = None
        self.last = 0
        """The number of the last row that was handed out."""

    async def start(self) -> None:
        """Begin behind what is in the book.

        Raises:
            BespeakError: the book cannot be asked.
        """
        self._loop = asyncio.get_running_loop()
        self._changed, self._access_changed = self._loop.create_future(), self._loop.create_future()
        started: asyncio.Future[int] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="bespeak-follow")
        self._thread.start()
        self.last = await started

    async def stop(self) -> None:
        """End the thread."""
        self._stopping = True
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    @property
    def changed(self) -> asyncio.Future[None]:
        """Done as soon as there is something new; a new one each time. Shield it before waiting with a time-out."""
        assert self._changed is not None  # noqa: S101 it was started
        return self._changed

    @property
    def access_changed(self) -> asyncio.Future[None]:
        """Done as soon as rights changed or a credential was ended; a new one each time. Shield it as the other."""
        assert self._access_changed is not None  # noqa: S101 it was started
        return self._access_changed

    def since(self, after: int) -> Sequence[Event] | None:
        """Return what came after a number, oldest first; None where the book has to be read for it."""
        if after >= self.last:
            return ()
        if not self._kept or self._kept[0].seq > after + 1:
            return None
        return [event for event in self._kept if event.seq > after]

    def _publish(self, entries: list[LogEntry]) -> None:
        self._kept.extend(map(Event, entries))
        self.last = entries[-1].seq
        self._note(entries)
        new = asyncio.get_running_loop().create_future
        if any(entry.action in _CHANGES_OF_ACCESS for entry in entries):
            done, self._access_changed = self.access_changed, new()
            done.set_result(None)
        done, self._changed = self.changed, new()
        done.set_result(None)

    def _run(self, started: asyncio.Future[int]) -> None:
        try:
            ledger = self._open()
        except Exception as error:  # noqa: BLE001 told to whoever started it
            self._tell(_fail, started, error)
            return
        with ledger:
            self._follow(ledger, started)

    def _follow(self, ledger: Ledger, started: asyncio.Future[int]) -> None:
        listener = ledger.listen(["*"])
        try:
            follower = ledger.engine.read(OrderedLog.from_now)
            self._tell(started.set_result, follower.last)
            woken, due = False, 0.0
            while not self._stopping:
                if woken or follower.waits or time.monotonic() >= due:
                    self._look(ledger, follower)
                    due = time.monotonic() + _LOOK_SECONDS
                woken = listener.wait(_GAP_SECONDS if follower.waits else _STOP_SECONDS)
        except Exception as error:  # noqa: BLE001 told to whoever started it
            self._tell(_fail, started, error)
        finally:
            listener.close()

    def _look(self, ledger: Ledger, follower: OrderedLog) -> None:
        """Hand out what is new."""
        try:
            while entries := ledger.engine.read(follower.take):
                self._tell(self._publish, entries)
        except BespeakError as error:
            log.warning("the log cannot be followed: %s", error)
            time.sleep(_AFTER_TROUBLE_SECONDS)

    def _tell(self, function: Callable[..., object], *arguments: object) -> None:
        assert self._loop is not None  # noqa: S101 it was started
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            self._stopping = True  # the loop has ended


def _fail(started: asyncio.Future[int], error: Exception) -> None:
    if not started.done():
        started.set_exception(error)
