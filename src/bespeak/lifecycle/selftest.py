"""Trying out what switches a host: each operation once, timed, and the host left as it was.

A host that is on is switched off, on, through a cycle and a reset; one that is off is switched on, through a cycle and
a reset, and off. The password of the lab data is the only one that is ever sent: controllers lock accounts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from bespeak.base.clock import SECOND_US
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError
from bespeak.host.power.base import CYCLE_DELAY_SECONDS
from bespeak.host.power.permission import before_order
from bespeak.host.power.verification import NO_LIMIT_SECONDS, TIMEOUT_SECONDS, attempt, probe, read_back
from bespeak.host.secrets import Secret, scrubbed
from bespeak.host.status import PowerState, Status
from bespeak.lifecycle.model import HostAction

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.host.power.verification import PowerControl

REFUSED_LOGIN = "never tried: controllers lock accounts"
"""What reports say of a wrong password."""
_Ended = tuple[Status, str]
_TIMES = 14
"""How many of a controller's own time-outs all operations together can use up."""
_GRACE_SECONDS = 60.0


@runtime_checkable
class SupportsReset(Protocol):
    """What a controller may be able to do in addition: have the host restart without being off in between."""

    async def reset(self, host: Any) -> tuple[Status, str]:
        """Restart ``host``; Skipped where the device does not offer that."""


class Result(Enum):
    """What became of one operation."""

    WORKS = "works"
    FAILED = "failed"
    NOT_OFFERED = "not offered"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation that was tried.

    Attributes:
        name: ``status``, ``off``, ``read back off``, ``on``, ``read back on``, ``cycle``, ``reset``, ``restore``.
        result: what became of it.
        text: what was said, without secrets.
        state: ``on`` or ``off`` afterwards; None when it is not known.
        duration_us: how long it took, µs.
    """

    name: str
    result: Result
    text: str = ""
    state: str | None = None
    duration_us: int = 0


@dataclass
class SelfTest:
    """A trial of one host.

    Args:
        leave: how to leave the host; None for as it was.
        on_operation: called with each operation as it ends.

    Attributes:
        operations: what was tried, in order.
        found: the state before; None when it could not be read.
        switched: the state that the last order brought about; None when there was none, or it did not work.
    """

    leave: PowerState | None = None
    on_operation: Callable[[Operation], None] = lambda _: None
    operations: list[Operation] = field(default_factory=list)
    found: PowerState | None = None
    switched: PowerState | None = None

    def action(self) -> HostAction:
        """Return the trial as something that can be done to a host."""
        return HostAction("selftest", self.run, limit=_limit, restores=True, command="power selftest")

    @property
    def failed(self) -> list[str]:
        """The names of the operations that failed."""
        return [one.name for one in self.operations if one.result is Result.FAILED]

    async def run(self, host: Host) -> tuple[Status, str]:
        """Try everything; leave the host as it was, also when this is cancelled."""
        control = host.require_power_control()
        self.found = await self._status(control, host)
        end = self.leave or self.found
        if end is None:
            why = self.operations[0].text
            return Status.Error, f"nothing was switched: the state cannot be read, so say how to leave the host ({why})"
        try:
            await self._try_all(control, host, end)
        except asyncio.CancelledError:
            await self._restore(control, host, end)
            raise
        await self._restore(control, host, end)
        failed = self.failed
        return (Status.Failed, f"does not work: {', '.join(failed)}") if failed else (Status.Success, "all of it works")

    async def _try_all(self, control: PowerControl, host: Host, end: PowerState) -> None:
        on = end is PowerState.ON
        works = await self._order(control, host, PowerState.OFF if on else PowerState.ON)
        if on:
            works = works and await self._order(control, host, PowerState.ON)
        if works:
            self.switched = None
            works = await self._do("cycle", host, lambda: control.cycle(host), control)
            self.switched = PowerState.ON if works else None
        else:
            self._note(Operation("cycle", Result.NOT_TRIED, "the operation before it does not work"))
        await self._reset(control, host, works=works)
        if not on and works:
            await self._order(control, host, PowerState.OFF)

    async def _status(self, control: PowerControl, host: Host) -> PowerState | None:
        began = time.monotonic()
        state, why = await probe(control, host)
        mute = state is None and getattr(control, "reports", True) is False
        result = Result.WORKS if state is not None else Result.NOT_OFFERED if mute else Result.FAILED
        self._note(Operation("status", result, _clean(control, why), _word(state), _since(began)))
        return state

    async def _order(self, control: PowerControl, host: Host, state: PowerState) -> bool:
        """Switch, and read the state back by itself; return whether that went well."""
        order = control.on if state is PowerState.ON else control.off
        self.switched = None
        if not await self._do(state.value, host, _permitted(state, lambda: order(host)), control):
            return False
        self.switched = state
        name = f"read back {state.value}"
        if getattr(control, "reports", True) is False:
            self._note(Operation(name, Result.NOT_OFFERED, f"{control.type_name} reports no state"))
            return True

        async def back() -> tuple[Status, str]:
            async def ask() -> PowerState | None:
                return (await probe(control, host))[0]

            within = TIMEOUT_SECONDS if control.timeout is None else control.timeout
            return await read_back(ask, state, within=within)

        return await self._do(name, host, back, control)

    async def _reset(self, control: PowerControl, host: Host, *, works: bool) -> None:
        if not isinstance(control, SupportsReset):
            self._note(Operation("reset", Result.NOT_OFFERED, f"{control.type_name} has no reset of its own"))
        elif works:
            await self._do("reset", host, _permitted(PowerState.ON, lambda: control.reset(host)), control)
        else:
            self._note(Operation("reset", Result.NOT_TRIED, "the operation before it does not work"))

    async def _restore(self, control: PowerControl, host: Host, end: PowerState) -> None:
        """Switch the host to ``end`` where it is not seen to be there, and was not just brought there."""
        state = (await probe(control, host))[0]
        if state is not end and not (state is None and self.switched is end):
            order = control.on if end is PowerState.ON else control.off
            await self._do("restore", host, _permitted(end, lambda: order(host)), control)

    async def _do(
        self, name: str, host: Host, step: Callable[[], Awaitable[tuple[Status, str]]], control: PowerControl
    ) -> bool:
        began = time.monotonic()
        try:
            status, text = await attempt(step)
        except BaseException as error:
            why = "interrupted" if isinstance(error, asyncio.CancelledError) else _clean(control, str(error))
            self._note(Operation(name, Result.FAILED, why, None, _since(began)))
            raise
        spent_us = _since(began)
        result = Result.NOT_OFFERED if status is Status.Skipped else Result.WORKS if status.is_ok else Result.FAILED
        if getattr(control, "reports", True) is False and result is Result.WORKS:
            text = f"accepted; nobody can tell whether it was done. {text}"
        state = _word((await probe(control, host))[0])
        self._note(Operation(name, result, _clean(control, text), state, spent_us))
        return status.is_ok

    def _note(self, operation: Operation) -> None:
        self.operations.append(operation)
        with suppress(OSError, ValueError):  # the terminal that shows the progress went away
            self.on_operation(operation)


def _permitted(state: PowerState, step: Callable[[], Awaitable[_Ended]]) -> Callable[[], Awaitable[_Ended]]:
    """Return ``step`` behind the question whether it may still be ordered; controllers of others do not ask."""

    async def ordered() -> _Ended:
        await before_order(state)
        return await step()

    return ordered


def _limit(host: Host) -> float:
    control: Any = host.power_control
    timeout: float | None = getattr(control, "timeout", TIMEOUT_SECONDS)
    delay: float = getattr(control, "cycle_delay", CYCLE_DELAY_SECONDS)
    return (NO_LIMIT_SECONDS if timeout is None else timeout) * _TIMES + 2 * delay + _GRACE_SECONDS


def _since(began: float) -> int:
    return int((time.monotonic() - began) * SECOND_US)


def _word(state: PowerState | None) -> str | None:
    return None if state is None else state.value


def _clean(control: Any, text: str) -> str:
    """Return one line without any secret that the controller refers to."""
    return scrubbed(escape_unprintable(" ".join(text.split())), *_secrets_of(control))


def _secrets_of(control: Any) -> list[str]:
    found: list[str] = []
    for each in getattr(control, "controllers", (control,)):
        values = list(getattr(each, "__dict__", {}).values())
        values += [inner for value in values if isinstance(value, dict) for inner in value.values()]
        for value in values:
            if isinstance(value, Secret):
                with suppress(BespeakError):  # what cannot be had was not sent either
                    found.append(value.reveal())
    return found
