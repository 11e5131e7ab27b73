"""A host with several supplies, each behind a controller of its own: a list in the lab data.

It is off only when every supply is off, so a cycle switches all off, sees that they are, and then switches all on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from bespeak.host.power.base import PowerController
from bespeak.host.power.permission import OrderForbiddenError, before_order
from bespeak.host.power.verification import attempt, probe
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
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
        limits = [each.timeout for each in self.controllers]
        self.timeout = None if None in limits else max(limit for limit in limits if limit is not None)
        self.cycle_delay = max(each.cycle_delay for each in self.controllers)

    @property
    def described(self) -> str:
        """The types of the controllers, for messages."""
        return "+".join(each.type_name for each in self.controllers)

    async def on(self, host: Host) -> tuple[Status, str]:
        """Power every supply on, all at once."""
        return await self._all(host, lambda each: each.on(host))

    async def off(self, host: Host) -> tuple[Status, str]:
        """Power every supply off, all at once."""
        return await self._all(host, lambda each: each.off(host))

    async def cycle(self, host: Host) -> tuple[Status, str]:
        """Cycle every supply as one; where one stays on, those that went off are switched on again."""
        ended, said = await super().cycle(host)
        if ended.is_ok:
            return ended, said
        states = [(await probe(each, host))[0] for each in self.controllers]
        if PowerState.ON not in states:
            return ended, said
        for number, (each, state) in enumerate(zip(self.controllers, states, strict=True), 1):
            if state is PowerState.OFF:
                said = f"{said}\n{await self._again(number, each, host, said)}"
        return ended, said

    @staticmethod
    async def _again(number: int, supply: PowerController, host: Host, said: str) -> str:
        try:
            await before_order(PowerState.ON)
            ended, why = await attempt(lambda: supply.on(host))
        except OrderForbiddenError as error:
            raise OrderForbiddenError(
                f"{said}\nsupply {number} was left off: {error}", refused=error.refused
            ) from error
        return f"supply {number} is on again" if ended.is_ok else f"supply {number} was left off: {why}"

    async def status(self, host: Host) -> PowerState | None:
        """Return ON when any supply is on, OFF when all are off, None when that cannot be told."""
        return (await self.probe(host))[0]

    async def probe(self, host: Host) -> tuple[PowerState | None, str]:
        """Return the state as :meth:`status` does, and why it is unknown."""
        found = await asyncio.gather(*(probe(each, host) for each in self.controllers))
        states = [state for state, _ in found]
        if PowerState.ON in states:
            return PowerState.ON, ""
        if None in states:
            number = states.index(None)
            return None, f"supply {number + 1}: {found[number][1]}"
        return PowerState.OFF, ""

    async def _all(
        self, host: Host, step: Callable[[PowerController], Awaitable[tuple[Status, str]]]
    ) -> tuple[Status, str]:
        """Do ``step`` with every supply; none is interrupted because another one fails."""
        done = await asyncio.gather(*(_attempt(each, step) for each in self.controllers))
        forbidden = [answer for answer in done if isinstance(answer, OrderForbiddenError)]
        if forbidden:
            raise forbidden[0]
        results = [answer for answer in done if not isinstance(answer, OrderForbiddenError)]
        worst = next((each for each in _WORST_FIRST if any(status is each for status, _ in results)), Status.Success)
        if worst is Status.Success:
            return worst, "\n".join(f"supply {number}: {text}" for number, (_, text) in enumerate(results, 1) if text)
        found = await asyncio.gather(*(probe(each, host) for each in self.controllers))
        return worst, "\n".join(
            f"supply {number}: {status.name.lower()}{': ' + text if text else ''}; "
            f"it is {state.value if state is not None else 'in an unknown state'}"
            for number, ((status, text), (state, _)) in enumerate(zip(results, found, strict=True), 1)
        )


async def _attempt(
    controller: PowerController, step: Callable[[PowerController], Awaitable[tuple[Status, str]]]
) -> tuple[Status, str] | OrderForbiddenError:
    try:
        return await attempt(lambda: step(controller))
    except OrderForbiddenError as error:
        return error
