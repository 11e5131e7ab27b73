"""What a power controller is: the names and signatures of otto's `power`."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from bespeak.host.power.verification import TIMEOUT_SECONDS, read_back
from bespeak.host.status import PowerState

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.host.status import Status

CYCLE_DELAY_SECONDS = 2.0


class PowerController(ABC):
    """How a host is switched from somewhere else.

    A controller of one's own defines ``type_name``, :meth:`on` and :meth:`off`, and :meth:`status` if it can tell;
    the attributes below have values that need no constructor.

    Attributes:
        timeout: how long one action may take, in seconds.
        cycle_delay: how long a host stays off in a cycle, in seconds; supplies need it to discharge.
    """

    type_name: ClassVar[str]
    """How lab data calls this controller, for example ``command``."""

    timeout: float = TIMEOUT_SECONDS
    cycle_delay: float = CYCLE_DELAY_SECONDS

    @abstractmethod
    async def on(self, host: Host) -> tuple[Status, str]:
        """Power ``host`` on; return how that ended and what was said."""

    @abstractmethod
    async def off(self, host: Host) -> tuple[Status, str]:
        """Power ``host`` off; return how that ended and what was said."""

    async def cycle(self, host: Host) -> tuple[Status, str]:
        """Power ``host`` off, see that it is off, let it settle, and power it on.

        A host that does not go off is not switched on: what was not interrupted was not cycled.
        """
        ended, said = await self.off(host)
        if not ended.is_ok:
            return ended, said
        if await self.status(host) is not None:
            ended, doubt = await read_back(lambda: self.status(host), PowerState.OFF, within=self.timeout)
            if not ended.is_ok:
                return ended, f"not switched on again: {doubt}"
        await asyncio.sleep(self.cycle_delay)
        return await self.on(host)

    async def status(self, host: Host) -> PowerState | None:  # noqa: ARG002 - the contract's shape
        """Return the present state, or None when this controller cannot tell."""
        return None
