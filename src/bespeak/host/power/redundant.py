"""A host with several supplies, each behind a controller of its own: a list in the lab data.

It is off only when every supply is off, so a cycle switches all off, sees that they are, and then switches all on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from bespeak.host.power.base import PowerController
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from bespeak.host.base import Host

_WORST_FIRST = (Status.Error, Status.Failed, Status.Unstable)


class RedundantPowerController(PowerController):
    """Several controllers as one.

    Args:
        controllers: one for each supply.

    Raises:
        ValueError: there are none.
    """

    type_name: ClassVar[str] = "list"

    def __init__(self, controllers: Sequence[PowerController]) -> None:
        if not controllers:
            raise ValueError("a list of power controllers must not be empty")
        self.controllers = tuple(controllers)
        self.timeout = max(each.timeout for each in self.controllers)
        self.cycle_delay = max(each.cycle_delay for each in self.controllers)

    @property
    def described(self) -> str:
        """The types of the controllers, for messages."""
        return "+".join(each.type_name for each in self.controllers)

    async def on(self, host: Host) -> tuple[Status, str]:
        """Power every supply on, all at once."""
        return await self._all([each.on(host) for each in self.controllers])

    async def off(self, host: Host) -> tuple[Status, str]:
        """Power every supply off, all at once."""
        return await self._all([each.off(host) for each in self.controllers])

    async def status(self, host: Host) -> PowerState | None:
        """Return ON when any supply is on, OFF when all are off, None when that cannot be told."""
        return (await self.probe(host))[0]

    async def probe(self, host: Host) -> tuple[PowerState | None, str]:
        """Return the state as :meth:`status` does, and why it is unknown."""
        from bespeak.host.power.verification import probe

        found = await asyncio.gather(*(probe(each, host) for each in self.controllers))
        states = [state for state, _ in found]
        if PowerState.ON in states:
            return PowerState.ON, ""
        if None in states:
            number = states.index(None)
            return None, f"supply {number + 1}: {found[number][1]}"
        return PowerState.OFF, ""

    async def _all(self, actions: Sequence[Coroutine[Any, Any, tuple[Status, str]]]) -> tuple[Status, str]:
        results = await asyncio.gather(*actions)
        said = "\n".join(f"supply {number}: {text}" for number, (_, text) in enumerate(results, 1) if text)
        for status in _WORST_FIRST:
            if any(each is status for each, _ in results):
                return status, said
        return Status.Success, said
