"""A connection that waits for no answer longer than it makes sense.

The server ends what takes longer than a transaction of ours may last. If nothing has come by then, there is no way to
the server, whatever the kernel believes: the connection is closed, and what was under way on it has an outcome that
has to be asked for.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import waiting

from bespeak.storage.time_limit import left_seconds

if TYPE_CHECKING:
    from collections.abc import Generator

    from psycopg.abc import PQGen

RV = TypeVar("RV")

CONNECT_SECONDS = 10.0
LEAST_CONNECT_SECONDS = 2
"""libpq takes a shorter time for this one."""

TRANSACTION_LIMIT_MS = 30_000
"""No transaction of ours lives longer than this: a gap in the log's numbers older than it was rolled back."""

ANSWER_SECONDS = TRANSACTION_LIMIT_MS / 1000 + 5.0
"""Longest wait for one answer: the server's own limit, and the way."""

_LOOK_SECONDS = 0.1


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose round trips end by :data:`ANSWER_SECONDS` or what is left of a time limit."""

    bounded = True
    """False while it waits for notifications, which may never come."""

    def wait(self, gen: PQGen[RV], *args: Any, **kwargs: Any) -> RV:
        """Run an operation of the driver to its end.

        Raises:
            psycopg.OperationalError: no answer came in time; the connection is closed.
        """
        if not self.bounded:
            return super().wait(gen, *args, **kwargs)
        limit = left_seconds(ANSWER_SECONDS)
        try:
            return waiting.wait(_until(gen, time.monotonic() + limit), self.pgconn.socket, interval=_LOOK_SECONDS)
        except _NoAnswerError:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer from the server within {limit:.3g} s") from None
        except (KeyboardInterrupt, SystemExit):
            self.pgconn.finish()  # asking the server to cancel could wait just as long
            raise


class _NoAnswerError(Exception):
    """The time is over."""


def _until(gen: PQGen[RV], deadline: float) -> Generator[Any, Any, RV]:
    """Hand on what an operation waits for and what has come, until the deadline."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() >= deadline:
                raise _NoAnswerError
            wanted = gen.send(ready)
    except StopIteration as done:
        result: RV = done.value
        return result


def connect_seconds() -> int:
    """Return how long to try to connect, whole seconds."""
    return max(int(left_seconds(CONNECT_SECONDS)), LEAST_CONNECT_SECONDS)
