"""One commit for the transactions of several threads: one of them works for all that wait for their turn."""

from __future__ import annotations

from _thread import allocate_lock  # the lock that `threading` offers, without its import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.runner.model import Started
    from bespeak.storage.interface import Engine

    Call = Callable[[], Started]


class _Turn:
    """What one thread wants, and what it gets."""

    __slots__ = ("call", "outcome")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.outcome: Started | BaseException | None = None


class SharedCommits:
    """Runs calls, each of which makes one transaction of a book, with one commit for all that come at once."""

    def __init__(self) -> None:
        self._guard = allocate_lock()
        self._commit = allocate_lock()
        self._waiting: list[_Turn] = []

    def run(self, engine: Engine, call: Call) -> Started:
        """Return what a call returned, once it is committed; raise what it raised, without harm to the others.

        Raises:
            UnavailableError: the book cannot be written; nothing was kept.
        """
        turn = _Turn(call)
        with self._guard:
            self._waiting.append(turn)
        with self._commit:
            if turn.outcome is None:
                with self._guard:
                    turns, self._waiting = self._waiting, []
                _work(engine, turns)
        if isinstance(turn.outcome, BaseException):
            raise turn.outcome
        assert turn.outcome is not None  # noqa: S101 -- whoever had the lock before us, or we, have set it
        return turn.outcome


def _work(engine: Engine, turns: list[_Turn]) -> None:
    try:
        together = getattr(engine, "together", None) if len(turns) > 1 else None  # what only reads has none
        outcomes = together([turn.call for turn in turns]) if together else [_alone(turn.call) for turn in turns]
    except BaseException as error:
        for turn in turns:
            turn.outcome = error
        if not isinstance(error, Exception):
            raise
        return
    for turn, outcome in zip(turns, outcomes, strict=True):
        turn.outcome = outcome


def _alone(call: Call) -> Started | Exception:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 -- raised again in the thread whose call it was
        return error
