"""Doing something to many hosts at once: a limit, a stagger, and nobody waits for a dead one.

Each host is a task of its own. The interlock is asked and the log is written by each, right before and right after its
own device is touched.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bespeak.base import clock
from bespeak.base.errors import BespeakError, GateRefusedError
from bespeak.host.power.probing import probe
from bespeak.host.status import Status
from bespeak.lifecycle.model import Deed, Hold, Outcome

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.lifecycle.audit import Journal
    from bespeak.lifecycle.interlock import Interlock

AT_ONCE = 64
_LOOK_SECONDS = 5.0
"""How long the state before and after may take to read; it is told to people, and nothing depends on it."""


class Crew:
    """Carries out deeds under the interlock.

    Args:
        interlock: the gate in front of the hosts.
        journal: where it is written down.
        at_once: how many hosts are worked on at the same time.
        stagger_seconds: how long to wait between two starts, so that supplies do not all draw at once.
        on_done: called with each outcome as it comes.
    """

    def __init__(
        self,
        interlock: Interlock,
        journal: Journal,
        *,
        at_once: int = AT_ONCE,
        stagger_seconds: float = 0.0,
        on_done: Callable[[Outcome], None] | None = None,
    ) -> None:
        self._interlock = interlock
        self._journal = journal
        self._turns = asyncio.Semaphore(at_once)
        self._stagger = stagger_seconds
        self._next_start = 0.0
        self._on_done = on_done

    async def carry_out(self, deed: Deed, hosts: Sequence[Host]) -> list[Outcome]:
        """Do ``deed`` to every host; return the outcomes in the order of ``hosts``.

        Raises:
            MissingReservationError: the gate refuses one of them; none was touched.
            ReservationBackendError: the gate cannot be asked; none was touched.
        """
        admitted = self._interlock.admit(hosts)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(deed, host, admitted[host.id])) for host in hosts]
        return [task.result() for task in tasks]

    async def _one(self, deed: Deed, host: Host, holds: tuple[Hold, ...]) -> Outcome:
        async with self._turns:
            await self._wait_for_start()
            outcome = await self._guarded(deed, host, holds)
        if self._on_done is not None:
            self._on_done(outcome)
        return outcome

    async def _wait_for_start(self) -> None:
        if self._stagger <= 0:
            return
        now = time.monotonic()
        start = max(now, self._next_start)
        self._next_start = start + self._stagger
        await asyncio.sleep(start - now)

    async def _guarded(self, deed: Deed, host: Host, holds: tuple[Hold, ...]) -> Outcome:
        outcome = Outcome(
            host.id, deed.name, _controller(deed, host), Status.Error, "", started_us=clock.now(), holds=holds
        )
        if deed.switches and host.power_control is None:
            return replace(outcome, text=f"host {host.id!r} has no power_control", logged=False)
        before = await _look(deed, host)
        try:
            await asyncio.to_thread(self._interlock.confirm, host, holds)
            if not self._interlock.skipped:
                await asyncio.to_thread(self._journal.begin, host, deed.name, outcome.controller, holds)
        except GateRefusedError as error:
            return replace(outcome, text=str(error), before=before, refused=True, logged=False)
        except BespeakError as error:
            return replace(outcome, text=f"not done: {error}", before=before, logged=False)
        return await self._done(deed, host, replace(outcome, before=before))

    async def _done(self, deed: Deed, host: Host, outcome: Outcome) -> Outcome:
        began = time.monotonic()
        try:
            status, text = await _bounded(deed, host)
        except asyncio.CancelledError:
            spent_us = int((time.monotonic() - began) * clock.SECOND_US)
            self._note(host, replace(outcome, text="interrupted", duration_us=spent_us))
            raise
        duration_us = int((time.monotonic() - began) * clock.SECOND_US)
        after = await _look(deed, host)
        outcome = replace(outcome, status=status, text=text, after=after, duration_us=duration_us)
        logged = await asyncio.to_thread(self._note, host, outcome)
        return replace(outcome, logged=logged)

    def _note(self, host: Host, outcome: Outcome) -> bool:
        """Write the end into the log; it was done whether or not that works, so a failure is told and no more."""
        try:
            self._journal.end(host, outcome)
        except BespeakError:
            return False
        return True


def _controller(deed: Deed, host: Host) -> str | None:
    if not deed.switches:
        return str(host.kind)
    control: Any = host.power_control
    return None if control is None else str(getattr(control, "described", control.type_name))


async def _look(deed: Deed, host: Host) -> str | None:
    if not deed.switches or host.power_control is None:
        return None
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            state, _ = await probe(host.power_control, host)
    except TimeoutError:
        return None
    return None if state is None else state.value


async def _bounded(deed: Deed, host: Host) -> tuple[Status, str]:
    """Do it; whatever comes out of a controller, somebody else's included, becomes a status and a line."""
    seconds = deed.limit(host) if deed.limit is not None else None
    try:
        async with asyncio.timeout(seconds):
            return _checked(await deed.run(host), host)
    except TimeoutError:
        return Status.Error, f"given up after {seconds:g} s" if seconds else "given up: no answer in time"
    except (BespeakError, ValueError) as error:
        return Status.Error, str(error)
    except Exception as error:  # noqa: BLE001 - its text may carry anything, secrets included
        return Status.Error, f"failed: {type(error).__name__}"


def _checked(answer: object, host: Host) -> tuple[Status, str]:
    if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], Status):  # noqa: PLR2004 - a pair
        return answer[0], str(answer[1])
    return Status.Error, f"the controller of {host.id!r} answered with a {type(answer).__name__}"
