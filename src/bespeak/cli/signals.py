"""Being told to end while something has to be given back first."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any

ENDING = (signal.SIGTERM, signal.SIGHUP)
_BASE = 128


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


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 the shape of a handler
    raise SystemExit(_BASE + number)
