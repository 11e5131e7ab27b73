"""A connection whose COMMIT is carried out while its answer is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg


class _Kept:
    """A context manager that remembers what it gave."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def __enter__(self) -> Any:
        self.entered = self._manager.__enter__()
        return self.entered

    def __exit__(self, *failure: object) -> Any:
        return self._manager.__exit__(*failure)


class Severed:
    """Stands for a connection; ``then`` is called when the commit was made and the connection closed."""

    def __init__(self, connection: Any, then: Callable[[], object] = lambda: None) -> None:
        self._connection = connection
        self._then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def pipeline(self) -> Any:
        self._pipeline = _Kept(self._connection.pipeline())
        return self._pipeline

    def execute(self, query: Any, *args: Any) -> Any:
        answer = self._connection.execute(query, *args)
        if query == "COMMIT":
            self._pipeline.entered.sync()  # returns when the server has answered
            assert answer.statusmessage == "COMMIT"
            self._connection.close()
            self._then()
            raise psycopg.OperationalError("consuming input failed: server closed the connection unexpectedly")
        return answer
