"""One listening connection of a process for all its sleepers: each is woken through a descriptor of its own."""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from typing import TYPE_CHECKING

from bespeak.base.errors import BespeakError, UnavailableError
from bespeak.storage.postgres.listener import ALL_TOPICS, topic_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bespeak.storage.postgres.listener import PostgresListener

log = logging.getLogger("bespeak.storage")

_STEP_SECONDS = 0.5


class SharedListening:
    """Listens once for many; threads may share it.

    Args:
        open_listener: begins to listen to everything in the book.
    """

    def __init__(self, open_listener: Callable[[], PostgresListener]) -> None:
        self._open = open_listener
        self._lock = threading.Lock()
        self._sleepers: set[SharedListener] = set()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def listen(self, topics: Iterable[str]) -> SharedListener:
        """Return a sleeper on some topics; what is committed after this call wakes it.

        Raises:
            UnavailableError: the server cannot be asked.
        """
        topics = list(topics)
        with self._lock:
            if self._stopping:
                raise UnavailableError("the book is closed")
            if self._thread is None:
                listener = self._open()
                self._thread = threading.Thread(target=self._run, args=(listener,), name="bespeak-listen", daemon=True)
                self._thread.start()
            hashes = None if ALL_TOPICS in topics else frozenset(map(topic_hash, topics))
            made = SharedListener(hashes, self._forget)
            self._sleepers.add(made)
            return made

    def close(self) -> None:
        """Stop listening; who sleeps is woken no more."""
        with self._lock:
            self._stopping = True
            thread = self._thread
        if thread is not None:
            thread.join()

    def _forget(self, sleeper: SharedListener) -> None:
        with self._lock:
            self._sleepers.discard(sleeper)

    def _run(self, listener: PostgresListener) -> None:
        try:
            while not self._stopping:
                self._hand_out(listener)
        finally:
            listener.close()

    def _hand_out(self, listener: PostgresListener) -> None:
        try:
            heard = listener.hear(_STEP_SECONDS)
        except BespeakError as error:
            log.warning("wake-ups cannot be heard: %s", error)
            time.sleep(_STEP_SECONDS)
            heard = None
        if heard is not None and not heard:
            return
        with self._lock:
            for sleeper in self._sleepers:
                sleeper.tell(heard)


class SharedListener:
    """A sleeper on some topics; see :class:`bespeak.storage.interface.Listener`.

    Args:
        hashes: what stands for its topics in notifications; None for everything.
        forget: told when it is closed.
    """

    def __init__(self, hashes: frozenset[str] | None, forget: Callable[[SharedListener], None]) -> None:
        self._hashes = hashes
        self._forget = forget
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)
        self._closed = False

    def tell(self, heard: frozenset[str] | None) -> None:
        """Wake if something that was heard concerns it; None is everything."""
        if heard is None or self._hashes is None or not self._hashes.isdisjoint(heard):
            os.eventfd_write(self._descriptor, 1)

    def wait(self, timeout_seconds: float | None) -> bool:
        """Sleep until woken or until the time is over; True when woken.

        Raises:
            ValueError: it is closed.
        """
        if self._closed:
            raise ValueError("this listener is closed")
        if not self._poll.poll(None if timeout_seconds is None else max(timeout_seconds, 0.0) * 1000):
            return False
        try:
            os.eventfd_read(self._descriptor)
        except BlockingIOError:
            return False
        return True

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when it is woken."""
        return self._descriptor

    def close(self) -> None:
        """Stop listening."""
        if not self._closed:
            self._closed = True
            self._forget(self)
            os.close(self._descriptor)
