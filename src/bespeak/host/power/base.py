"""What a power controller is: the names and signatures of otto's `power`."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from bespeak.host.power.permission import before_order
from bespeak.host.power.verification import NO_LIMIT_SECONDS, TIMEOUT_SECONDS, attempt, probe, read_back
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from bespeak.host.base import Host

CYCLE_DELAY_SECONDS = 2.0


class PowerController(ABC):
    """How a host is switched from somewhere else.

    A controller of one's own defines ``type_name``, :meth:`on` and :meth:`off`, and :meth:`status` if it can tell;
    the attributes below have values that need no constructor.

    Attributes:
        timeout: how long one action may take, in seconds; None for no limit.
        cycle_delay: how long a host stays off in a cycle, in seconds; supplies need it to discharge.
    """

    type_name: ClassVar[str]
    """How lab data calls this controller, for example ``command``."""

    timeout: float | None = TIMEOUT_SECONDS
    cycle_delay: float = CYCLE_DELAY_SECONDS
    verifies: ClassVar[bool] = False
    """Whether :meth:`off` itself returns only when the host is seen to be off."""

    @abstractmethod
    async def on(self, host: Host) -> tuple[Status, str]:
        """Power ``host`` on; return how that ended and what was said."""

    @abstractmethod
    async def off(self, host: Host) -> tuple[Status, str]:
        """Power ``host`` off; return how that ended and what was said."""

    async def cycle(self, host: Host) -> tuple[Status, str]:
        """Power ``host`` off, see that it is off, let it settle, and power it on.

        A host that does not go off is not switched on: what was not interrupted was not cycled. One that is off
        although "off" was refused or got no answer is switched on, and both is told.
        """
        await before_order(PowerState.OFF)
        ended, said = await attempt(lambda: self.off(host))
        state = None if ended.is_ok and self.verifies else (await probe(self, host))[0]
        if not ended.is_ok and state is not PowerState.OFF:
            return ended, said
        doubted = "" if ended.is_ok else said
        if state is not None:
            ended, doubt = await read_back(lambda: _state(self, host), PowerState.OFF, within=_seconds(self))
            if ended in {Status.Failed, Status.Unstable}:
                return ended, f"not switched on again: {doubt}"
        await asyncio.sleep(self.cycle_delay)
        ended, said = await self._on_again(host)
        return ended, f"off: {doubted}; but it was off\n{said}".rstrip() if doubted else said

    async def _on_again(self, host: Host) -> tuple[Status, str]:
        """Switch on after a cycle's off; while the order cannot be delivered and there is time, try again."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _seconds(self)
        pause = 0.1
        while True:
            await before_order(PowerState.ON)
            ended, said = await attempt(lambda: self.on(host))
            if ended is not Status.Error or loop.time() + pause >= deadline:
                return ended, said
            if (await probe(self, host))[0] is PowerState.ON:
                return Status.Success, f"{said}; but it is on"
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)

    async def status(self, host: Host) -> PowerState | None:  # noqa: ARG002 - the contract's shape
        """Return the present state, or None when this controller cannot tell."""
        return None


async def _state(controller: PowerController, host: Host) -> PowerState | None:
    return (await probe(controller, host))[0]


def _seconds(controller: PowerController) -> float:
    return NO_LIMIT_SECONDS if controller.timeout is None else controller.timeout
