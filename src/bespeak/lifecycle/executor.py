"""Doing something to many hosts at once: a limit, a stagger, and nobody waits for a dead one.

Each host is a task of its own (:mod:`bespeak.lifecycle.one_host`). What goes wrong with one, or with this program,
becomes the outcome of that host and disturbs no other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from bespeak.lifecycle.one_host import OneHost

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.lifecycle.audit import AuditLog
    from bespeak.lifecycle.interlock import Interlock
    from bespeak.lifecycle.model import HostAction, Outcome

AT_ONCE = 64


class Executor:
    """Carries out actions under the interlock.

    Args:
        interlock: the gate in front of the hosts.
        audit: where it is written down.
        at_once: how many hosts are worked on at the same time.
        stagger_seconds: how long to wait between two starts, so that supplies do not all draw at once.
        on_done: called with each outcome as it comes.
    """

    def __init__(
        self,
        interlock: Interlock,
        audit: AuditLog,
        *,
        at_once: int = AT_ONCE,
        stagger_seconds: float = 0.0,
        on_done: Callable[[Outcome], None] | None = None,
    ) -> None:
        self._interlock = interlock
        self._audit = audit
        self._turns = asyncio.Semaphore(at_once)
        self._stagger = stagger_seconds
        self._next_start = 0.0
        self._on_done = on_done
        self._tasks: list[asyncio.Task[Outcome]] = []
        self._interrupted: str | None = None

    def interrupt(self, reason: str) -> None:
        """Stop in order: nothing more is switched, and :meth:`execute` returns what became of every host.

        Args:
            reason: what interrupts, for people: ``SIGTERM``.
        """
        self._interrupted = reason
        for task in self._tasks:
            task.cancel()

    async def execute(self, action: HostAction, hosts: Sequence[Host]) -> list[Outcome]:
        """Do ``action`` to every host; return the outcomes in the order of ``hosts``.

        Raises:
            MissingReservationError: the gate refuses one of them; none was touched.
            ReservationBackendError: the gate cannot be asked; none was touched.
        """
        admitted = self._interlock.admit(hosts)
        work = [OneHost(action, host, admitted[host.id], self._interlock, self._audit) for host in hosts]
        self._tasks = [asyncio.create_task(self._one(each)) for each in work]
        if self._interrupted is not None:
            self.interrupt(self._interrupted)
        try:
            return list(await asyncio.gather(*self._tasks))
        except BaseException:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            raise

    async def _one(self, work: OneHost) -> Outcome:
        outcome: Outcome | None = None
        try:
            async with self._turns:
                await self._wait_for_start()
                outcome = await work.perform()
        except asyncio.CancelledError:
            if self._interrupted is None:
                await work.interrupted("interrupted")
                raise
            outcome = await work.interrupted(f"interrupted by {self._interrupted}")
        except Exception as error:  # noqa: BLE001 - one host's fault must not stop another in the middle
            outcome = await work.interrupted(f"internal error: {type(error).__name__}")
        if self._on_done is not None:
            with suppress(OSError, ValueError):  # the terminal that shows the progress went away
                self._on_done(outcome)
        return outcome

    async def _wait_for_start(self) -> None:
        if self._stagger <= 0:
            return
        now = time.monotonic()
        start = max(now, self._next_start)
        self._next_start = start + self._stagger
        await asyncio.sleep(start - now)
