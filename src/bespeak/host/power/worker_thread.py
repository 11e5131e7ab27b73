"""Calling libraries that block, without ever waiting long for them.

A thread of the interpreter's own pool is joined at exit, so one device that never answers would hold up the whole
command. These threads are not: who gives up on the answer leaves the thread behind, and takes its permission to change
anything away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

from bespeak.host.power.permission import ThreadPermission

T = TypeVar("T")
_LAST_ORDER_SECONDS = 5.0
"""How long an order that is being sent is waited for after a time-out: what is reported must not change later."""


async def in_thread(work: Callable[[ThreadPermission], T], name: str = "bespeak-device") -> T:
    """Run ``work`` in a thread of its own and return what it returns.

    Cancelling this (a time-out) abandons the thread; it ends with the process. An order that goes through the
    permission handed to ``work`` is then not sent any more; one that is being sent is waited for.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()
    permission = ThreadPermission()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = work(permission)
        except StopIteration as error:  # a future cannot carry it
            failure = RuntimeError(str(error))
        except BaseException as error:  # noqa: BLE001 - told to who waits
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    Thread(target=run, name=name, daemon=True).start()
    try:
        return await asyncio.shield(answer)
    except asyncio.CancelledError:
        if permission.withdraw():
            await asyncio.wait({answer}, timeout=_LAST_ORDER_SECONDS)
        answer.cancel()
        raise
