"""Help for those who write a controller: every violation of the contract in one run; see :mod:`bespeak.testing`."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from bespeak.host.base import PowerOnlyHost
from bespeak.host.power.base import PowerController
from bespeak.host.status import PowerState, Status


async def violations(controller: Any, host: Any = None, *, within_seconds: float = 60.0) -> list[str]:
    """Switch ``host`` on, off and through a cycle, and return what is not as the contract asks.

    Args:
        controller: over a device that works and may be switched.
        host: the host to hand over; one without an address if none is given.
        within_seconds: how long each call may take.
    """
    target = PowerOnlyHost("conformance") if host is None else host
    found = _shape(controller)
    if any("is not" in text and "coroutine" in text for text in found):
        return found
    for name, wanted in (("on", PowerState.ON), ("off", PowerState.OFF), ("cycle", PowerState.ON)):
        found += await _action(controller, name, wanted, target, within_seconds)
    return found


def _shape(controller: Any) -> list[str]:
    found: list[str] = []
    if not isinstance(controller, PowerController):
        found.append(f"{type(controller).__name__} is not a subclass of PowerController")
    name = getattr(controller, "type_name", None)
    if not isinstance(name, str) or not name:
        found.append(f"type_name must be a text, not {name!r}")
    for attribute in ("timeout", "cycle_delay"):
        value = getattr(controller, attribute, None)
        if attribute == "timeout" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            found.append(f"{attribute} must be a number of seconds, not {value!r}")
    methods = ("on", "off", "cycle", "status")
    plain = [name for name in methods if not inspect.iscoroutinefunction(getattr(controller, name, None))]
    found += [f"{name} is not a coroutine function" for name in plain]
    if "Secret" not in repr(controller) and _shows_a_secret(controller):
        found.append("repr() shows a setting whose name says that it is secret")
    return found


def _shows_a_secret(controller: Any) -> bool:
    settings = getattr(controller, "__dict__", {})
    values = [value for key, value in settings.items() if "password" in key or "secret" in key or "token" in key]
    return any(isinstance(value, str) and len(value) > 1 and value in repr(controller) for value in values)


async def _action(controller: Any, name: str, wanted: PowerState, host: Any, within_seconds: float) -> list[str]:
    try:
        async with asyncio.timeout(within_seconds):
            answer = await getattr(controller, name)(host)
            state = await controller.status(host)
    except TimeoutError:
        return [f"{name} and status did not end within {within_seconds:g} s"]
    except Exception as error:  # noqa: BLE001 - that is the finding
        return [f"{name} raised {type(error).__name__}: {error}"]
    found: list[str] = []
    if not (isinstance(answer, tuple) and len(answer) == 2):  # noqa: PLR2004 - a pair
        return [f"{name} must return (Status, str), not {answer!r}"]
    if not isinstance(answer[0], Status):
        found.append(f"{name} must return a Status first, not {answer[0]!r}")
    elif not answer[0].is_ok:
        found.append(f"{name} did not work: {answer[0].name}: {answer[1]}")
    if not isinstance(answer[1], str):
        found.append(f"{name} must return a text second, not {answer[1]!r}")
    if state is not None and not isinstance(state, PowerState):
        found.append(f"status must return a PowerState or None, not {state!r}")
    elif state is not None and state is not wanted:
        found.append(f"after {name}, status says {state.value}")
    return found
