"""Asking any controller for a state, with the reason when there is no answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bespeak.base.errors import BespeakError
from bespeak.host.power.base import TIMEOUT_SECONDS, PowerController, PowerState

if TYPE_CHECKING:
    from bespeak.host.base import Host


async def probe(controller: PowerController, host: Host) -> tuple[PowerState | None, str]:
    """Return the state of ``host``, and why it is unknown when it is None.

    A controller of somebody else's may raise or hang; both are "unknown" here.
    """
    own: Any = getattr(controller, "probe", None)
    try:
        if own is not None:
            answer: tuple[PowerState | None, str] = await own(host)
            return answer
        async with asyncio.timeout(getattr(controller, "timeout", TIMEOUT_SECONDS)):
            state = await controller.status(host)
    except TimeoutError:
        return None, "no answer in time"
    except (BespeakError, ValueError) as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001 - somebody else's code; its text may carry anything
        return None, f"the {controller.type_name} controller failed: {type(error).__name__}"
    return checked(state, controller.type_name)


def checked(answer: object, type_name: str) -> tuple[PowerState | None, str]:
    """Return what a controller answered if it is a state, and else why it is none."""
    if isinstance(answer, PowerState):
        return answer, ""
    if answer is None:
        return None, f"{type_name} reports no state"
    return None, f"the {type_name} controller answered with a {type(answer).__name__}"
