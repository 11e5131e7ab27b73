"""Calls that wait: they tell how it stands as progress, and stop when nobody waits for their answer any more."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import anyio
from anyio import from_thread

from bespeak.base.errors import BespeakError
from bespeak.mcp.ledger_tools import microseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.streams.memory import MemoryObjectReceiveStream

    from bespeak.mcp.tool import Call, Json

    Tell = Callable[[str], None]

_TELL_SECONDS = 10.0
"""Progress is told at least so often: clients give up a call of which they hear nothing."""
_LOOK_SECONDS = 1.0


def timeout_us(text: str) -> int | None:
    """Read the argument ``timeout``; None for ever.

    Raises:
        UsageError: it cannot be read.
    """
    from bespeak.base.clock import FOREVER_US

    length_us = microseconds("timeout", text)
    return None if length_us is None or length_us >= FOREVER_US else length_us


async def patiently(
    call: Call,
    work: Callable[[threading.Event, Tell], Json],
    undo: Callable[[Json], None] | None = None,
) -> Json:
    """Run something that waits, in a thread.

    Args:
        call: the call that it is for.
        work: does the waiting: given an event that tells it to stop, and a function that tells how it stands.
        undo: takes back what ``work`` got in the moment in which it was told to stop.
    """
    stop = threading.Event()
    told, heard = anyio.create_memory_object_stream[str](math.inf)
    outcome: Json | BespeakError
    async with told, heard, anyio.create_task_group() as tasks:
        tasks.start_soon(_tell, call, heard)
        tasks.start_soon(_look_after, call, stop)
        # The thread is waited for even when the call is cancelled: it has to leave the queue, or give back what it was
        # granted in that moment. It notices within a fraction of a second.
        with anyio.CancelScope(shield=True):
            try:
                outcome = answer = await call.threads.wait(
                    lambda: work(stop, lambda text: from_thread.run_sync(told.send_nowait, text))
                )
                if stop.is_set() and undo is not None:
                    await call.threads.slow(lambda: undo(answer))
            except BespeakError as error:
                outcome = error
        tasks.cancel_scope.cancel()
    if isinstance(outcome, BespeakError):
        raise outcome
    return outcome


async def _tell(call: Call, heard: MemoryObjectReceiveStream[str]) -> None:
    """Tell how it stands whenever that changes, and again from time to time."""
    said, count = "waiting", 0
    while True:
        with anyio.move_on_after(_TELL_SECONDS):
            said = await heard.receive()
        count += 1
        await call.context.session.report_progress(count, None, said)


async def _look_after(call: Call, stop: threading.Event) -> None:
    """Have it stop when the call is cancelled, or the connection that its answer would have to take is gone."""
    http = call.context.request
    try:
        while http is None or not await http.is_disconnected():  # noqa: ASYNC110 nobody tells of it
            await anyio.sleep(_LOOK_SECONDS)
        stop.set()
    except anyio.get_cancelled_exc_class():
        stop.set()
        raise
