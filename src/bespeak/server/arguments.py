"""Where the arguments of a handler come from, found out once when the server starts.

FastAPI finds out the same for each request, which takes several times as long as the handler. Only the forms that our
handlers use are understood here; :mod:`bespeak.server.direct_routes` leaves everything else to FastAPI.
"""

from __future__ import annotations

import inspect
from copy import copy
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

from fastapi.params import Depends, Header, Query
from pydantic import BaseModel
from starlette.requests import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Source = Callable[["Asked"], Any]

_EMPTY = inspect.Parameter.empty
_PLAIN_TYPES = (bool, int, str)
"""What FastAPI looks for in the query where nothing says where it comes from."""


class NotUnderstoodError(Exception):
    """A handler takes an argument of a form that is not understood here."""


class Asked:
    """One request, as the sources of arguments see it.

    Args:
        request: the request.
        names: what stands in the path for the names of its route.
        body: of the request, where its route takes one.
    """

    __slots__ = ("body", "headers", "names", "request", "solved")

    def __init__(self, request: Request, names: Mapping[str, str], body: bytes = b"") -> None:
        self.request = request
        self.names = names
        self.body = body
        self.headers: dict[bytes, bytes] = {}
        self.solved: dict[object, Any] = {}
        """What was depended on so far, by the function that gave it: each is called once for a request."""
        for name, value in request.scope["headers"]:
            self.headers.setdefault(name, value)


class Arguments:
    """The arguments of a handler, or of what one depends on.

    Attributes:
        function: what takes them; asynchronous.
        takes_body: the body of the request is one of them.
        takes_query: parts of the query are among them, all with defaults, which are what a request without one means.

    Args:
        function: what takes them.
        names: those of the route's path.

    Raises:
        NotUnderstoodError: one of them is of another form.
    """

    def __init__(self, function: Callable[..., Any], names: Iterable[str] = ()) -> None:
        if not inspect.iscoroutinefunction(function):
            raise NotUnderstoodError
        self.function = function
        self.takes_body = self.takes_query = False
        self._names = frozenset(names)
        self._sources: list[tuple[str, Source]] = []
        self._needed: list[tuple[str, Arguments]] = []
        try:
            hints = get_type_hints(function, include_extras=True)
        except NameError:  # of what only type checkers import
            raise NotUnderstoodError from None
        for parameter in inspect.signature(function).parameters.values():
            self._add(parameter.name, parameter.default, hints[parameter.name])

    async def of(self, asked: Asked) -> dict[str, Any]:
        """Return the arguments for a request.

        Raises:
            ValidationError: the body is not what is taken; FastAPI tells what is wrong with it.
            BespeakError: something that is depended on refuses the request.
        """
        values = {name: source(asked) for name, source in self._sources}
        for name, needed in self._needed:
            values[name] = await needed.solved(asked)
        return values

    async def solved(self, asked: Asked) -> Any:
        """Return what the function returns for a request; it is called once for it."""
        if self.function not in asked.solved:
            asked.solved[self.function] = await self.function(**await self.of(asked))
        return asked.solved[self.function]

    def _add(self, name: str, default: object, hint: Any) -> None:
        kind, mark = hint, None
        if get_origin(hint) is Annotated:
            kind, mark = get_args(hint)[0], hint.__metadata__[-1]
        if isinstance(mark, Depends):
            self._needed.append((name, self._depended_on(mark)))
        else:
            self._sources.append((name, self._source(name, kind, mark, default)))

    def _depended_on(self, mark: Depends) -> Arguments:
        if mark.dependency is None:
            raise NotUnderstoodError
        found = Arguments(mark.dependency)
        if found.takes_body or found.takes_query:
            raise NotUnderstoodError
        return found

    def _source(self, name: str, kind: Any, mark: object, default: object) -> Source:
        if isinstance(mark, Header):
            return _header(mark, kind, default)
        if mark is None and kind is Request:
            return lambda asked: asked.request
        if mark is None and kind is str and name in self._names:
            return lambda asked: asked.names[name]
        if mark is None and _is_model(kind) and default is _EMPTY and not self.takes_body:
            self.takes_body = True
            return lambda asked: kind.model_validate_json(asked.body)
        is_of_query = isinstance(mark, Query) or (mark is None and kind in _PLAIN_TYPES)
        if is_of_query and default is not _EMPTY and name not in self._names:
            self.takes_query = True
            return lambda _: copy(default)
        raise NotUnderstoodError


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _header(mark: Header, kind: Any, default: object) -> Source:
    if mark.alias is None or mark.metadata or default is not None or kind != (str | None):
        raise NotUnderstoodError
    name = mark.alias.lower().encode()

    def source(asked: Asked) -> str | None:
        found = asked.headers.get(name)
        return None if found is None else found.decode("latin-1")

    return source
