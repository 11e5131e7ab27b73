"""One action on one host, from the question whether it may be done to the row in the log that says how it ended.

The hold is compared again before every order to the device. However the action ends, the state of the host is read
afterwards, and an outcome says where the host was left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from bespeak.base import clock
from bespeak.base.errors import BespeakError, GateRefusedError
from bespeak.host.device_limit import time_limit
from bespeak.host.power.permission import OrderForbiddenError, Switching, allowed_by
from bespeak.host.power.verification import attempt, probe
from bespeak.host.status import Status
from bespeak.lifecycle.model import HostAction, HostGrant, Outcome

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.lifecycle.audit import AuditLog
    from bespeak.lifecycle.interlock import Interlock

T = TypeVar("T")
_ALONE_SECONDS = 900.0
"""How long an action that names no limit has its host to itself at most."""
_READ_SECONDS = 5.0
"""How long the state before and after may take to read; it is told to people, and nothing depends on it."""


class OneHost:
    """One action on one host.

    Args:
        action: what to do.
        host: the host.
        holds: the grants that the gate let it through with.
        interlock: the gate in front of the host.
        audit: where it is written down.
    """

    def __init__(
        self, action: HostAction, host: Host, holds: tuple[HostGrant, ...], interlock: Interlock, audit: AuditLog
    ) -> None:
        self._action = action
        self._host = host
        self._holds = holds
        self._interlock = interlock
        self._audit = audit
        self._switching = Switching(self._confirm)
        self._began: float | None = None
        self._took_over = ""
        self._done: Outcome | None = None
        self._outcome = Outcome(
            host.id, action.name, _controller(action, host), Status.Error, "", holds=holds, logged=False, begun=False
        )

    async def perform(self) -> Outcome:
        """Do it.

        Returns:
            How it ended. A cancellation goes through; :meth:`interrupted` then says where the host is.
        """
        action, host = self._action, self._host
        self._outcome = replace(self._outcome, started_us=clock.now())
        if action.switches and host.power_control is None:
            return replace(self._outcome, text=f"host {host.id!r} has no power_control")
        self._outcome = replace(self._outcome, before=await self._state())
        try:
            await asyncio.to_thread(self._interlock.confirm, host, self._holds)
            await self._begin()
        except GateRefusedError as error:
            return replace(self._outcome, text=str(error), refused=True)
        except BespeakError as error:
            return replace(self._outcome, text=f"not done: {error}")
        try:
            with allowed_by(self._switching):
                status, text = await self._bounded()
        except OrderForbiddenError as error:
            return await self._ended(Status.Error, str(error), refused=error.refused)
        return await self._ended(status, text)

    async def interrupted(self, reason: str) -> Outcome:
        """Return the outcome of an action that was broken off; where something was begun, write it down.

        Args:
            reason: why, for people.
        """
        self._switching.end()
        if self._done is not None:
            return self._done
        if self._began is None:
            return replace(self._outcome, text=f"not begun: {reason}", interrupted=True)
        self._outcome = replace(self._outcome, interrupted=True)
        return await self._ended(Status.Error, reason)

    async def _confirm(self) -> None:
        try:
            await asyncio.to_thread(self._interlock.confirm, self._host, self._holds)
        except GateRefusedError as error:
            raise OrderForbiddenError(str(error), refused=True) from error
        except BespeakError as error:
            raise OrderForbiddenError(f"the hold cannot be checked: {error}") from error

    async def _begin(self) -> None:
        self._began = time.monotonic()
        try:
            if not self._interlock.skipped:
                alone = self._alone_seconds()
                self._took_over = await _to_its_end(
                    lambda: self._audit.begin(self._host, self._outcome, alone_seconds=alone)
                )
        except BespeakError:
            self._began = None
            raise

    def _alone_seconds(self) -> float | None:
        """Return how long the host is to be left to this action at most; None if it may run beside others."""
        if not self._action.switches:
            return None
        return self._action.limit(self._host) if self._action.limit is not None else _ALONE_SECONDS

    async def _bounded(self) -> tuple[Status, str]:
        """Do it; whatever comes out of a controller, somebody else's included, becomes a status and a line."""
        action, host = self._action, self._host
        seconds = action.limit(host) if action.limit is not None else None
        try:
            async with time_limit(seconds):
                return await attempt(lambda: action.run(host))
        except TimeoutError:
            return Status.Error, f"given up after {seconds:g} s" if seconds else "given up: no answer in time"

    async def _ended(self, status: Status, text: str, *, refused: bool = False) -> Outcome:
        duration_us = int((time.monotonic() - (self._began or 0.0)) * clock.SECOND_US)
        after = await self._state()
        text = f"{self._took_over}\n{text}".strip() if self._took_over else text
        failed = self._action.ends_on and not status.is_ok
        lost = self._action.restores and self._outcome.before == "on"
        left_off = (failed or lost) and self._switching.ordered is not None and after != "on"
        if left_off:
            text = f"{text}\n{_left_off(after)}".lstrip()
        outcome = replace(
            self._outcome, status=status, text=text, after=after, duration_us=duration_us,
            refused=refused, begun=True, left_off=left_off,
        )  # fmt: skip
        self._done = replace(outcome, logged=True)
        self._done = replace(outcome, logged=await _to_its_end(lambda: self._note(outcome)))
        return self._done

    def _note(self, outcome: Outcome) -> bool:
        """Write the end into the log; it was done whether or not that works, so a failure is told and no more."""
        try:
            self._audit.end(self._host, outcome)
        except BespeakError:
            return False
        return True

    async def _state(self) -> str | None:
        if not self._action.switches or self._host.power_control is None:
            return None
        try:
            async with time_limit(_READ_SECONDS):
                state, _ = await probe(self._host.power_control, self._host)
        except TimeoutError:
            return None
        return None if state is None else state.value


def _left_off(after: str | None) -> str:
    return "the host was left off" if after == "off" else "the host may be off: its state cannot be read"


def _controller(action: HostAction, host: Host) -> str | None:
    if action.by is not None:
        return action.by
    if action.by_manager:
        from bespeak.host.power.management import manager_name

        return manager_name(host)
    if not action.switches:
        return str(host.kind)
    control: Any = host.power_control
    return None if control is None else str(getattr(control, "described", control.type_name))


async def _to_its_end(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread and wait for its end also when cancelled, so that rows of the log keep their order."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
