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
from bespeak.host.power.verification import probe
from bespeak.host.status import Status
from bespeak.lifecycle.model import Hold, HostAction, Outcome

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.lifecycle.audit import AuditLog
    from bespeak.lifecycle.interlock import Interlock

AT_ONCE = 64
_READ_SECONDS = 5.0
"""How long the state before and after may take to read; it is told to people, and nothing depends on it."""


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

    async def execute(self, action: HostAction, hosts: Sequence[Host]) -> list[Outcome]:
        """Do ``action`` to every host; return the outcomes in the order of ``hosts``.

        Raises:
            MissingReservationError: the gate refuses one of them; none was touched.
            ReservationBackendError: the gate cannot be asked; none was touched.
        """
        admitted = self._interlock.admit(hosts)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(action, host, admitted[host.id])) for host in hosts]
        return [task.result() for task in tasks]

    async def _one(self, action: HostAction, host: Host, holds: tuple[Hold, ...]) -> Outcome:
        async with self._turns:
            await self._wait_for_start()
            outcome = await self._guarded(action, host, holds)
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

    async def _guarded(self, action: HostAction, host: Host, holds: tuple[Hold, ...]) -> Outcome:
        outcome = Outcome(
            host.id, action.name, _controller(action, host), Status.Error, "", started_us=clock.now(), holds=holds
        )
        if action.switches and host.power_control is None:
            return replace(outcome, text=f"host {host.id!r} has no power_control", logged=False)
        before = await _read_state(action, host)
        try:
            await asyncio.to_thread(self._interlock.confirm, host, holds)
            if not self._interlock.skipped:
                await asyncio.to_thread(self._audit.begin, host, action.name, outcome.controller, holds)
        except GateRefusedError as error:
            return replace(outcome, text=str(error), before=before, refused=True, logged=False)
        except BespeakError as error:
            return replace(outcome, text=f"not done: {error}", before=before, logged=False)
        return await self._done(action, host, replace(outcome, before=before))

    async def _done(self, action: HostAction, host: Host, outcome: Outcome) -> Outcome:
        began = time.monotonic()
        try:
            status, text = await _bounded(action, host)
        except asyncio.CancelledError:
            spent_us = int((time.monotonic() - began) * clock.SECOND_US)
            self._note(host, replace(outcome, text="interrupted", duration_us=spent_us))
            raise
        duration_us = int((time.monotonic() - began) * clock.SECOND_US)
        after = await _read_state(action, host)
        outcome = replace(outcome, status=status, text=text, after=after, duration_us=duration_us)
        logged = await asyncio.to_thread(self._note, host, outcome)
        return replace(outcome, logged=logged)

    def _note(self, host: Host, outcome: Outcome) -> bool:
        """Write the end into the log; it was done whether or not that works, so a failure is told and no more."""
        try:
            self._audit.end(host, outcome)
        except BespeakError:
            return False
        return True


def _controller(action: HostAction, host: Host) -> str | None:
    if not action.switches:
        return str(host.kind)
    control: Any = host.power_control
    return None if control is None else str(getattr(control, "described", control.type_name))


async def _read_state(action: HostAction, host: Host) -> str | None:
    if not action.switches or host.power_control is None:
        return None
    try:
        async with asyncio.timeout(_READ_SECONDS):
            state, _ = await probe(host.power_control, host)
    except TimeoutError:
        return None
    return None if state is None else state.value


async def _bounded(action: HostAction, host: Host) -> tuple[Status, str]:
    """Do it; whatever comes out of a controller, somebody else's included, becomes a status and a line."""
    seconds = action.limit(host) if action.limit is not None else None
    try:
        async with asyncio.timeout(seconds):
            return _checked(await action.run(host), host)
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
