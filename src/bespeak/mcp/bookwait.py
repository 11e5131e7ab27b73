"""Waiting in line as a tool: the place is told as progress, and given up when nobody waits for the answer any more."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import anyio
from anyio import from_thread

from bespeak.errors import BespeakError, WaitTimedOutError
from bespeak.mcp import bookshapes as shapes
from bespeak.mcp.booktools import BookWait, granted, microseconds, request
from bespeak.mcp.toolkit import Tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.streams.memory import MemoryObjectReceiveStream

    from bespeak.ledger.model import Place
    from bespeak.mcp.toolkit import Call, Json

_TELL_SECONDS = 10.0
"""Progress is told at least so often: clients give up a call of which they hear nothing."""
_LOOK_SECONDS = 1.0


async def book_wait(call: Call, asked: BookWait) -> Json:
    """Wait in line until all is free, then hold it; or say who is ahead when the time is over."""
    stop = threading.Event()
    places, seen = anyio.create_memory_object_stream[str](math.inf)

    def told(place: Place) -> None:
        from_thread.run_sync(places.send_nowait, _words(place))

    outcome: Json | BespeakError
    async with places, seen, anyio.create_task_group() as tasks:
        tasks.start_soon(_tell, call, seen)
        tasks.start_soon(_look_after, call, stop)
        # The thread is waited for even when the call is cancelled: it has to leave the line, or give back what it was
        # granted in that moment. It notices within a fraction of a second.
        with anyio.CancelScope(shield=True):
            try:
                outcome = answer = await call.threads.wait(lambda: _in_line(call, asked, stop, told))
                if stop.is_set() and answer["status"] == "reserved":
                    await call.threads.wait(lambda: _give_back(call, answer["id"]))
            except BespeakError as error:
                outcome = error
        tasks.cancel_scope.cancel()
    if isinstance(outcome, BespeakError):
        raise outcome
    return outcome


def _give_back(call: Call, identifier: str) -> None:
    with call.book() as book:
        book.release(identifier, call.actor())


def _in_line(call: Call, asked: BookWait, stop: threading.Event, told: Callable[[Place], None]) -> Json:
    from bespeak.clock import FOREVER_US

    wanted = request(call, asked)
    timeout_us = microseconds("timeout", asked.timeout)
    if timeout_us is not None and timeout_us >= FOREVER_US:
        timeout_us = None
    with call.book() as book:
        try:
            made = book.queue(
                wanted, priority=asked.priority, timeout_us=timeout_us, on_place=told, should_stop=stop.is_set
            )
        except WaitTimedOutError as error:
            from bespeak.ledger.jsonform import refusal_json
            from bespeak.ledger.model import Refusal

            later = refusal_json(Refusal(book.in_the_way(wanted), book.next_free(wanted)))
            return {"status": "timed_out", "reason": str(error), **later}
        return granted("reserved", made, book)


def _words(place: Place) -> str:
    from bespeak.clock import iso

    behind = f", behind {', '.join(place.ahead)}" if place.ahead else ""
    promised = f"; promised by {iso(place.promised_us)}" if place.promised_us is not None else ""
    return f"waiting: place {place.position}{behind}{promised}"


async def _tell(call: Call, seen: MemoryObjectReceiveStream[str]) -> None:
    """Tell the place whenever it changes, and again from time to time."""
    said, count = "waiting", 0
    while True:
        with anyio.move_on_after(_TELL_SECONDS):
            said = await seen.receive()
        count += 1
        await call.context.session.report_progress(count, None, said)


async def _look_after(call: Call, stop: threading.Event) -> None:
    """Have the line left when the call is cancelled, or the connection that its answer would have to take is gone."""
    http = call.context.request
    try:
        while http is None or not await http.is_disconnected():  # noqa: ASYNC110 nobody tells of it
            await anyio.sleep(_LOOK_SECONDS)
        stop.set()
    except anyio.get_cancelled_exc_class():
        stop.set()
        raise


TOOLS = (
    Tool(
        "book_wait",
        "Wait in line for resources",
        "Wait in line until all resources are free, then hold them; progress tells your place. When the time is over, "
        "status is timed_out and the place is lost. Cancelling the call leaves the line.",
        BookWait,
        shapes.BookAnswer,
        book_wait,
    ),
)
