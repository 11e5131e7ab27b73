"""What the server does beside answering requests: it keeps places in the queue, and tells notices."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from bespeak.base.clock import SECOND_US
from bespeak.base.errors import BespeakError, UsageError
from bespeak.notices import delivery, outbox, safe_address, store, targets
from bespeak.notices.targets import DeliverySettings
from bespeak.web import notice_hints, queue_keeper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bespeak.ledger.service import Ledger
    from bespeak.server.settings import ServerSettings
    from bespeak.storage.interface import Listener

log = logging.getLogger("bespeak.server")

_LONGEST_PAUSE_SECONDS = 10.0
_SHORTEST_PAUSE_SECONDS = 0.05
"""Changes that come in quick succession are dealt with together."""
_AFTER_TROUBLE_SECONDS = 2.0
_STOP_SECONDS = 0.2
_FORGET_SECONDS = 3600.0
"""Old notices are looked for so often."""


class Worker:
    """A thread that does a piece of work whenever the book changes, and when the work itself says so.

    Args:
        name: of the thread.
        open_ledger: opens the book; called in the thread.
        work: does what is to be done now, and returns after how many seconds there is more at the latest.
    """

    def __init__(self, name: str, open_ledger: Callable[[], Ledger], work: Callable[[Ledger], float]) -> None:
        self._open = open_ledger
        self._work = work
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._open() as ledger:
                    self._follow(ledger)
            except BespeakError as error:
                log.warning("%s: %s", self._thread.name, error)
                self._stop.wait(_AFTER_TROUBLE_SECONDS)

    def _follow(self, ledger: Ledger) -> None:
        listener = ledger.listen(["*"])
        try:
            while not self._stop.is_set():
                seconds = min(self._work(ledger), _LONGEST_PAUSE_SECONDS)
                self._stop.wait(_SHORTEST_PAUSE_SECONDS)
                self._sleep(listener, seconds)
        finally:
            listener.close()

    def _sleep(self, listener: Listener, seconds: float) -> None:
        while seconds > 0 and not self._stop.is_set():
            if listener.wait(min(seconds, _STOP_SECONDS)):
                return
            seconds -= _STOP_SECONDS


class Teller:
    """Makes notices of what is new, and sends what is due.

    Args:
        ways: how notices leave.
    """

    def __init__(self, ways: DeliverySettings) -> None:
        self._ways = ways
        self._forget_at = 0.0

    def __call__(self, ledger: Ledger) -> float:
        """Do what is to be done now; return after how many seconds there is more."""
        notice_hints.tell(outbox.collect(ledger))
        delivery.deliver(ledger, self._ways)
        if time.monotonic() >= self._forget_at and not store.forget_old(ledger):
            self._forget_at = time.monotonic() + _FORGET_SECONDS
        due_us = delivery.next_due_us(ledger)
        if due_us is None:
            return _LONGEST_PAUSE_SECONDS
        return max((due_us - ledger.now_us()) / SECOND_US, 0.0)


def ways_of(settings: ServerSettings) -> DeliverySettings:
    """Return how this server delivers notices.

    Raises:
        UsageError: a setting cannot be.
    """
    mail = None
    if settings.mail_server is not None or settings.mail_from is not None:
        if settings.mail_server is None or settings.mail_from is None:
            raise UsageError("serve: --mail-server and --mail-from go together")
        password = os.environ.get("BESPEAK_MAIL_PASSWORD", "")
        mail = targets.mail_server(settings.mail_server, settings.mail_from, password)
    return DeliverySettings(mail, safe_address.networks(settings.webhooks_to))


@asynccontextmanager
async def running(settings: ServerSettings, open_ledger: Callable[[], Ledger]) -> AsyncIterator[None]:
    """Do it for as long as the block runs."""
    ways = ways_of(settings)
    workers = [
        Worker("bespeak-line", open_ledger, queue_keeper.keep),
        Worker("bespeak-notices", open_ledger, Teller(ways)),
    ]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        with anyio.CancelScope(shield=True):
            for worker in workers:
                await anyio.to_thread.run_sync(worker.join)
