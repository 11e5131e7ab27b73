"""Well-formed requests of the API, answered without what FastAPI does for every request.

FastAPI describes the API, checks what is asked, and tells what is wrong with it. What is not understood here, a route
or a request, is handed on to it untouched. So nothing malformed is answered here, and one place tells what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import compile_path

from bespeak.base.errors import BespeakError
from bespeak.server import problems
from bespeak.server.arguments import Arguments, Asked, NotUnderstoodError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Mapping

    from fastapi import APIRouter, FastAPI
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_JSON = b"application/json"
_TEXT_CONVERTORS = frozenset({"StringConvertor", "PathConvertor"})


class _Direct(NamedTuple):
    """How the well-formed requests of a route are answered."""

    handler: Arguments
    required: tuple[Arguments, ...]

    def fits(self, scope: Scope) -> bool:
        """Tell whether a request has the form that is understood here, as far as can be told before its body."""
        if scope["query_string"] and (self.handler.takes_query or any(one.takes_query for one in self.required)):
            return False
        return not self.handler.takes_body or _media_type(scope) == _JSON

    async def answer(self, asked: Asked) -> Response | None:
        """Return the answer; None where the body is not what is taken, before anything was done."""
        try:
            for one in self.required:
                await one.solved(asked)
            values = await self.handler.of(asked)
        except ValidationError:
            return None
        answered: Response = await self.handler.function(**values)
        return answered


class _Place(NamedTuple):
    """A route where it stands among the others."""

    pattern: re.Pattern[str]
    route: APIRoute
    direct: _Direct | None
    """None: FastAPI answers all its requests."""


class DirectRoutes:
    """Answers well-formed requests of the API, and hands on the rest.

    Args:
        app: the application, whose state handlers use.
        inner: what answers the rest.
        routers: those of the API, in the order in which they are asked.
        prefix: of the paths of all their routes.
    """

    def __init__(self, app: FastAPI, inner: ASGIApp, routers: Iterable[APIRouter], prefix: str) -> None:
        self._app = app
        self._inner = inner
        self._prefix = f"{prefix}/"
        self._places: dict[tuple[str, str], list[_Place]] = {}
        """By the method and the first part of the path behind the prefix."""
        for router in routers:
            for route in router.routes:
                if isinstance(route, APIRoute):
                    self._add(route, prefix)

    def _add(self, route: APIRoute, prefix: str) -> None:
        path = prefix + route.path
        place = _Place(compile_path(path)[0], route, _direct(route))
        for method in route.methods or ():
            self._places.setdefault((method, self._first_part(path)), []).append(place)

    def _first_part(self, path: str) -> str:
        return path[len(self._prefix) :].partition("/")[0]

    @property
    def answered(self) -> frozenset[str]:
        """The names of the handlers whose well-formed requests are answered here."""
        every = (place for places in self._places.values() for place in places)
        return frozenset(place.route.name for place in every if place.direct is not None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(self._prefix) and not scope.get("root_path"):
            for place in self._places.get((scope["method"], self._first_part(path)), ()):
                if (match := place.pattern.match(path)) is not None:
                    if place.direct is None or not place.direct.fits(scope):
                        break
                    scope["app"], scope["route"] = self._app, place.route
                    await self._serve(place.direct, match.groupdict(), scope, receive, send)
                    return
        await self._inner(scope, receive, send)

    async def _serve(
        self, direct: _Direct, names: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        scope["path_params"] = names
        try:
            body = await _Body.read(receive) if direct.handler.takes_body else None
            request = Request(scope, receive if body is None else body.receive)
            answered = await direct.answer(Asked(request, names, b"" if body is None else body.whole))
        except BespeakError as error:
            answered = problems.response(error, scope)
        except HTTPException as error:
            answered = problems.of_http(error, scope)
        if answered is not None:
            await answered(scope, receive, send)
        else:
            await self._inner(scope, receive if body is None else body.again().receive, send)


class _Body:
    """The messages of a body that was read, for whoever reads it once more."""

    def __init__(self, messages: list[Message], receive: Receive) -> None:
        self._messages = messages
        self._later = receive
        self._next = 0

    @classmethod
    async def read(cls, receive: Receive) -> _Body:
        """Read a body to its end, or to where the client has left."""
        messages = [await receive()]
        while messages[-1]["type"] == "http.request" and messages[-1].get("more_body"):
            messages.append(await receive())
        return cls(messages, receive)

    @property
    def whole(self) -> bytes:
        """The body; without its end, which is no JSON, where the client has left."""
        return b"".join(message.get("body", b"") for message in self._messages)

    def again(self) -> _Body:
        """Return the same from its beginning."""
        return _Body(self._messages, self._later)

    async def receive(self) -> Message:
        """Return the next message of the body, and behind it what comes later."""
        if self._next == len(self._messages):
            return await self._later()
        self._next += 1
        return self._messages[self._next - 1]


def _direct(route: APIRoute) -> _Direct | None:
    convertors = {type(one).__name__ for one in route.param_convertors.values()}
    if not convertors <= _TEXT_CONVERTORS:
        return None
    try:
        required = tuple(Arguments(one.dependency) for one in route.dependencies if one.dependency is not None)
        return _Direct(Arguments(route.endpoint, route.param_convertors), required)
    except NotUnderstoodError:
        return None


def _media_type(scope: Scope) -> bytes:
    said = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    found: bytes = said.partition(b";")[0].strip().lower()
    return found
