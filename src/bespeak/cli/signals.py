"""Being told to end while something has to be given back first."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Any, Self

ENDING = (signal.SIGTERM, signal.SIGHUP)
_BASE = 128
_IMPATIENT = 3


class ended_by_signal:  # noqa: N801 used like a function
    """Within this block, SIGTERM and SIGHUP end the process in order, by an exception, with 128 + their number.

    A signal that our caller had us ignore, as ``nohup`` does, stays ignored.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        heard = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, _end) for number in heard}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


class SignalsOfLoop:
    """SIGINT, SIGTERM and SIGHUP while an event loop runs: the first asks to stop in order, the third ends at once.

    A signal that our caller had us ignore, as ``nohup`` does, stays ignored.

    Args:
        loop: the running event loop.
        stop: called with the name of the first signal.
        cancel: called at the third.

    Attributes:
        first: the number of the first signal; None while there was none.
    """

    def __init__(self, loop: AbstractEventLoop, stop: Callable[[str], object], cancel: Callable[[], object]) -> None:
        self._loop = loop
        self._stop = stop
        self._cancel = cancel
        self._count = 0
        self.first: int | None = None

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, *ENDING):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._loop.add_signal_handler(number, self._heard, number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in (signal.SIGINT, *ENDING):
            self._loop.remove_signal_handler(number)

    @property
    def exit_code(self) -> int | None:
        """128 and the number of the first signal; None while there was none."""
        return None if self.first is None else _BASE + self.first

    def _heard(self, number: int) -> None:
        self._count += 1
        if self.first is None:
            self.first = number
            self._stop(signal.Signals(number).name)
        elif self._count >= _IMPATIENT:
            self._cancel()


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 the shape of a handler
    raise SystemExit(_BASE + number)
