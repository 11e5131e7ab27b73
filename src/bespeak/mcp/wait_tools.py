"""Waiting as a tool: in the queue for resources, and for code that somebody else has claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from bespeak.base.errors import WaitTimedOutError
from bespeak.coord import serialize
from bespeak.mcp import coord_schemas, ledger_schemas, waiting
from bespeak.mcp.arguments import Addresses, Arguments, Repository, RunId
from bespeak.mcp.ledger_tools import BookWait, granted, request
from bespeak.mcp.tool import Tool

if TYPE_CHECKING:
    import threading

    from bespeak.ledger.model import QueuePosition
    from bespeak.mcp.tool import Call, Json
    from bespeak.mcp.waiting import Tell


class Wait(Arguments):
    """Arguments of ``wait``."""

    addresses: Addresses
    timeout: Annotated[
        str, Field(description="At most so long, such as 90s, 15m, 2h or forever; mind your client's own limit.")
    ] = "50s"
    shared: Annotated[bool, Field(description="Shared claims are not in the way.")] = False
    run_id: RunId = None
    repository: Repository = None


async def wait(call: Call, asked: Wait) -> Json:
    """Wait until no other run holds what overlaps."""
    run_id = call.run_id(asked.run_id)

    def work(stop: threading.Event, tell: Tell) -> Json:
        timeout_us = waiting.timeout_us(asked.timeout)
        with call.coord(asked.repository) as coord:
            found = coord.wait_free(
                asked.addresses,
                run_id=run_id,
                shared=asked.shared,
                timeout_us=timeout_us,
                stop=stop.is_set,
                on_change=lambda left: tell(f"waiting for {', '.join(dict.fromkeys(one.run_id for one in left))}"),
            )
            texts = [address.text for address in coord.locate(asked.addresses)]
        return call.answer(serialize.check_json(run_id, texts, found), serialize.HELD_CODE if found else 0)

    return await waiting.patiently(call, work)


async def book_wait(call: Call, asked: BookWait) -> Json:
    """Wait in the queue until all is free, then hold it; or say who is ahead when the time is over."""

    def give_back(answer: Json) -> None:
        if answer["status"] == "reserved":
            with call.book() as book:
                book.release(answer["id"], call.holder())

    return await waiting.patiently(call, lambda stop, tell: _in_queue(call, asked, stop, tell), give_back)


def _in_queue(call: Call, asked: BookWait, stop: threading.Event, tell: Tell) -> Json:
    wanted = request(call, asked)
    timeout_us = waiting.timeout_us(asked.timeout)
    with call.book(create=True) as book:
        try:
            made = book.queue(
                wanted,
                priority=asked.priority,
                timeout_us=timeout_us,
                on_position=lambda position: tell(_words(position)),
                should_stop=stop.is_set,
            )
        except WaitTimedOutError as error:
            from bespeak.ledger.model import Refusal
            from bespeak.ledger.serialize import refusal_json

            later = refusal_json(Refusal(book.in_the_way(wanted), book.next_free(wanted)))
            return {"status": "timed_out", "reason": str(error), **later}
        return granted("reserved", made, book)


def _words(position: QueuePosition) -> str:
    from bespeak.base.clock import iso

    behind = f", behind {', '.join(position.ahead)}" if position.ahead else ""
    promised = f"; promised by {iso(position.promised_us)}" if position.promised_us is not None else ""
    if position.moved_from_us is not None:
        promised += f"; not by {iso(position.moved_from_us)} any more: {position.moved_by} goes first"
    return f"waiting: position {position.position}{behind}{promised}"


TOOLS = (
    Tool(
        "wait",
        "Wait until code is free",
        "Wait until no other run holds what overlaps, instead of asking again and again; then reserve it, for somebody "
        "may be faster. free is false if the time was over first.",
        Wait,
        coord_schemas.Checked,
        wait,
        read_only=True,
    ),
    Tool(
        "book_wait",
        "Wait in the queue for resources",
        "Wait in the queue until all resources are free, then hold them; progress tells your position. When the time "
        "is over, status is timed_out and the position is lost. Cancelling the call leaves the queue.",
        BookWait,
        ledger_schemas.BookAnswer,
        book_wait,
    ),
)
