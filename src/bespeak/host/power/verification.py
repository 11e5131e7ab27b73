"""Reading the state of a host through any controller, and seeing that it did what it was told.

Controllers answer before anything has happened: a Redfish service says yes within milliseconds and changes the state
seconds later. So the state is read until it is the one asked for, twice in a row, or the time is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import Enum
from typing import Any, ClassVar, Protocol

from bespeak.base.errors import BespeakError
from bespeak.host.device_limit import time_limit
from bespeak.host.power.permission import OrderForbiddenError
from bespeak.host.status import PowerState, Status

TIMEOUT_SECONDS = 60.0
NO_LIMIT_SECONDS = 86_400.0
"""What a controller without a time-out gets: a day."""
_FIRST_PAUSE_SECONDS = 0.05
_LAST_PAUSE_SECONDS = 1.0
_GROWTH = 1.6


class PowerControl(Protocol):
    """What hosts need of a power controller; :class:`bespeak.host.power.PowerController` has it."""

    type_name: ClassVar[str]
    timeout: float | None
    cycle_delay: float

    async def on(self, host: Any) -> tuple[Status, str]:
        """Power ``host`` on."""

    async def off(self, host: Any) -> tuple[Status, str]:
        """Power ``host`` off."""

    async def cycle(self, host: Any) -> tuple[Status, str]:
        """Power ``host`` off and on again."""

    async def status(self, host: Any) -> PowerState | None:
        """Return the present state, or None when it cannot be told."""


async def probe(controller: PowerControl, host: Any) -> tuple[PowerState | None, str]:
    """Return the state of ``host``, and why it is unknown when it is None.

    A controller of somebody else's may raise or hang; both are "unknown" here.
    """
    own: Any = getattr(controller, "probe", None)
    try:
        if own is not None:
            answer: tuple[PowerState | None, str] = await own(host)
            return answer
        async with time_limit(getattr(controller, "timeout", TIMEOUT_SECONDS)):
            state = await controller.status(host)
    except TimeoutError:
        return None, "no answer in time"
    except (BespeakError, ValueError) as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001 - somebody else's code; its text may carry anything
        return None, f"the {controller.type_name} controller failed: {type(error).__name__}"
    return checked(state, controller.type_name)


async def attempt(action: Callable[[], Awaitable[tuple[Status, str]]]) -> tuple[Status, str]:
    """Carry out one step of somebody's controller; what it raises becomes an Error and a line.

    Raises:
        OrderForbiddenError: the step was not permitted.
    """
    try:
        answer: object = await action()
    except OrderForbiddenError:
        raise
    except TimeoutError:
        return Status.Error, "no answer in time"
    except (BespeakError, ValueError) as error:
        return Status.Error, str(error)
    except Exception as error:  # noqa: BLE001 - its text may carry anything, secrets included
        return Status.Error, f"failed: {type(error).__name__}"
    if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], Status):  # noqa: PLR2004 - a pair
        return answer[0], str(answer[1])
    return Status.Error, f"the controller answered with a {type(answer).__name__}"


def checked(answer: object, type_name: str) -> tuple[PowerState | None, str]:
    """Return what a controller answered if it is a state, and else why it is none."""
    if isinstance(answer, PowerState):
        return answer, ""
    if answer is None:
        return None, f"{type_name} reports no state"
    return None, f"the {type_name} controller answered with a {type(answer).__name__}"


async def read_back(
    ask: Callable[[], Awaitable[PowerState | None]], wanted: PowerState, *, within: float
) -> tuple[Status, str]:
    """Read a state until it is ``wanted``.

    Args:
        ask: reads the state once; None when it cannot be told now.
        wanted: what it should become.
        within: seconds until this gives up.

    Returns:
        Success and an empty text; Unstable when the state was reached and left again, or at the last look only; Failed
        when it never was; Error when the state could not be read at all.
    """
    seen: list[Enum] = []
    pause = _FIRST_PAUSE_SECONDS
    with suppress(TimeoutError):
        async with time_limit(within) as limit:
            while True:
                state = await ask()
                if state is not None:
                    if state is wanted and seen and seen[-1] is wanted:
                        return Status.Success, ""
                    seen.append(state)
                left = limit.left_seconds
                if left is not None and pause >= left:
                    break
                await asyncio.sleep(pause)
                pause = _FIRST_PAUSE_SECONDS if state is wanted else min(pause * _GROWTH, _LAST_PAUSE_SECONDS)
    return _doubt(seen, wanted, within)


def _doubt(seen: list[Enum], wanted: Enum, within: float) -> tuple[Status, str]:
    if not seen:
        return Status.Error, f"accepted, but its state could not be read within {within:g} s"
    if wanted not in seen:
        return Status.Failed, f"accepted, but it is still {seen[-1].value} after {within:g} s"
    name = wanted.value
    if seen.index(wanted) == len(seen) - 1:
        return Status.Unstable, f"it is {name}, but whether it stays {name} was not seen within {within:g} s"
    return Status.Unstable, f"it was {name}, but did not stay {name} within {within:g} s"
