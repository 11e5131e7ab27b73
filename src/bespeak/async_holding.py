"""``bespeak.ahold``: resources held exactly as long as an asyncio block runs; the loop is never blocked."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from bespeak.base.errors import BespeakError
from bespeak.holding import Hold, hold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import TypeVar

    from bespeak.ledger.service import Ledger

    T = TypeVar("T")


def ahold(
    *resources: str,
    any: int | None = None,  # noqa: A002 the word of the command line
    label: str | None = None,
    prefer: str = "",
    same: tuple[str, ...] = (),
    minutes: float | None = None,
    wait: str | bool = False,
    shared: bool = False,
    purpose: str = "",
    tags: Mapping[str, str] | None = None,
    priority: int = 0,
    user: str | None = None,
    book: Ledger | str | None = None,
    keepalive: str | None = None,
) -> AsyncHold:
    """Hold resources as long as an asyncio block runs: ``async with bespeak.ahold("rack3") as held:``.

    The arguments are those of :func:`bespeak.hold`. The loop is never blocked. If the hold is lost, the block is
    cancelled at its next ``await`` and :class:`Lost` is raised in its place; whoever is cancelled while it waits leaves
    the queue.

    Raises:
        UsageError: the arguments contradict each other.
    """
    return AsyncHold(
        hold(
            *resources,
            any=any,
            label=label,
            prefer=prefer,
            same=same,
            minutes=minutes,
            wait=wait,
            shared=shared,
            purpose=purpose,
            tags=tags,
            priority=priority,
            user=user,
            book=book,
            keepalive=keepalive,
        )
    )


class AsyncHold:
    """What :func:`ahold` returns: an asynchronous context manager around a :class:`Hold`."""

    def __init__(self, inner: Hold) -> None:
        self._hold = inner
        self._cancelled = False
        self._leaving = False

    async def __aenter__(self) -> Hold:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        self._hold.when_lost(lambda _: self._later(loop, task))
        taking = _in_thread(loop, self._hold.take)
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            self._hold.stop_waiting()
            with suppress(BespeakError):
                await taking
                await _in_thread(loop, self._hold.release)
            raise

    def _later(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[object] | None) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._cancel, task)

    def _cancel(self, task: asyncio.Task[object] | None) -> None:
        if task is not None and not self._leaving:
            self._cancelled = True
            task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving = True
        arrived = isinstance(error, asyncio.CancelledError)
        task = asyncio.current_task()
        if self._cancelled and task is not None:
            others = task.uncancel()
            if not arrived:
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)  # ours is still on its way
            elif not others:
                kind = error = None
        await asyncio.shield(_in_thread(asyncio.get_running_loop(), lambda: self._hold.__exit__(kind, error, trace)))


def _in_thread(loop: asyncio.AbstractEventLoop, work: Callable[[], T]) -> asyncio.Future[T]:
    """Run ``work`` in a thread of its own: many who wait must not use up the pool of the loop, which releases need."""
    future: asyncio.Future[T] = loop.create_future()

    def tell(give: Callable[[], None]) -> None:
        if not future.done():
            give()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 told to whoever awaits
            raised = error
            give: Callable[[], None] = lambda: future.set_exception(raised)  # noqa: E731 one of two answers
        else:
            give = lambda: future.set_result(result)  # noqa: E731 one of two answers
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, give)

    threading.Thread(target=run, name="bespeak ahold", daemon=True).start()
    return future
