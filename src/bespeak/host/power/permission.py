"""Permission to switch: asked for again before every order, and gone once the end of the action was reported.

Whoever carries out an action on a host (:mod:`bespeak.lifecycle`) opens a :class:`Switching`. Controllers call
:func:`before_order` right before they tell a device anything. Without a :class:`Switching` every order is allowed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from bespeak.base.errors import BespeakError

if TYPE_CHECKING:
    from bespeak.host.status import PowerState

T = TypeVar("T")


class OrderForbiddenError(BespeakError):
    """An order was about to be sent that must not be sent any more.

    Args:
        text: one line for people.
        refused: the hold is gone; False when that could not be found out, or the action has ended.
    """

    def __init__(self, text: str, *, refused: bool = False) -> None:
        super().__init__(text)
        self.refused = refused


class Switching:
    """One action on one host.

    Args:
        confirm: raises :class:`OrderForbiddenError` when the host must not be switched any more.

    Attributes:
        ordered: the state that was ordered last; None before the first order.
    """

    def __init__(self, confirm: Callable[[], Awaitable[None]]) -> None:
        self.ordered: PowerState | None = None
        self._confirm = confirm
        self._ended = False

    async def order(self, state: PowerState) -> None:
        """Ask for permission to order ``state``.

        Raises:
            OrderForbiddenError: it is not given.
        """
        await self.change()
        self.ordered = state

    async def change(self) -> None:
        """Ask for permission to change something that is no power state.

        Raises:
            OrderForbiddenError: it is not given.
        """
        if not self._ended:
            await self._confirm()
        if self._ended:
            raise OrderForbiddenError("the action has ended; nothing more is switched")

    def end(self) -> None:
        """Allow no further order."""
        self._ended = True


_current: ContextVar[Switching | None] = ContextVar("bespeak_switching", default=None)


@contextmanager
def allowed_by(switching: Switching) -> Iterator[None]:
    """Within this block, orders need the permission of ``switching``; afterwards it gives none."""
    token = _current.set(switching)
    try:
        yield
    finally:
        switching.end()
        _current.reset(token)


async def before_order(state: PowerState) -> None:
    """Ask for permission to order ``state``; a cycle of your own calls it before it switches on again.

    Raises:
        OrderForbiddenError: the hold on the host is gone, or the action has ended.
    """
    switching = _current.get()
    if switching is not None:
        await switching.order(state)


async def before_change() -> None:
    """Ask for permission to change a setting of the host, such as what it starts from.

    Raises:
        OrderForbiddenError: the hold on the host is gone, or the action has ended.
    """
    switching = _current.get()
    if switching is not None:
        await switching.change()


class ThreadPermission:
    """Permission for a thread that calls a blocking library; it is gone once nobody waits for the thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._withdrawn = False
        self._acting = False

    def act(self, order: Callable[[], T]) -> T:
        """Call ``order``, which changes something, unless the permission is gone.

        Raises:
            OrderForbiddenError: it is.
        """
        with self._lock:
            if self._withdrawn:
                raise OrderForbiddenError("nobody waits for this order any more")
            self._acting = True
        try:
            return order()
        finally:
            with self._lock:
                self._acting = False

    def withdraw(self) -> bool:
        """Take the permission back; return whether an order is being sent at this moment."""
        with self._lock:
            self._withdrawn = True
            return self._acting
