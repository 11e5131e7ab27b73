"""Seeing that a host did what it was told.

Controllers answer before anything has happened: a Redfish service says yes within milliseconds and changes the state
seconds later. So the state is read until it is the one asked for, twice in a row, or the time is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING

from bespeak.host.status import Status

if TYPE_CHECKING:
    from bespeak.host.power.base import PowerState

_FIRST_PAUSE_SECONDS = 0.05
_LAST_PAUSE_SECONDS = 1.0
_GROWTH = 1.6


async def read_back(
    ask: Callable[[], Awaitable[PowerState | None]], wanted: PowerState, *, within: float
) -> tuple[Status, str]:
    """Read a state until it is ``wanted``.

    Args:
        ask: reads the state once; None when it cannot be told now.
        wanted: what it should become.
        within: seconds until this gives up.

    Returns:
        Success and an empty text; Unstable when the state was reached and left again; Failed when it never was;
        Error when the state could not be read at all.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    seen: list[Enum] = []
    pause = _FIRST_PAUSE_SECONDS
    while True:
        state: Enum | None = None
        try:
            async with asyncio.timeout_at(deadline):
                state = await ask()
        except TimeoutError:
            break
        if state is not None:
            if state is wanted and seen and seen[-1] is wanted:
                return Status.Success, ""
            seen.append(state)
        if loop.time() + pause >= deadline:
            break
        await asyncio.sleep(pause)
        pause = _FIRST_PAUSE_SECONDS if state is wanted else min(pause * _GROWTH, _LAST_PAUSE_SECONDS)
    return _doubt(seen, wanted, within)


def _doubt(seen: list[Enum], wanted: Enum, within: float) -> tuple[Status, str]:
    if not seen:
        return Status.Error, f"accepted, but its state could not be read within {within:g} s"
    if wanted in seen:
        return Status.Unstable, f"it was {wanted.value}, but did not stay {wanted.value} within {within:g} s"
    return Status.Failed, f"accepted, but it is still {seen[-1].value} after {within:g} s"
