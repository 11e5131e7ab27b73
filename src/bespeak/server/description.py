"""The description of the API (OpenAPI 3.1), as clients and their generators read it.

Making it of the routes takes a second, in which a server could do nothing else. So it is made when it changes, and
committed beside this module; a test compares the two.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.routing import APIRoute
    from starlette.requests import Request

PLACE = Path(__file__).with_name("openapi.json")
"""The description as it was frozen."""

_JSON, _PROBLEM = "application/json", "application/problem+json"
_ABOUT = (
    "One book of reservations that people, CI jobs and coding agents share. Instants are ISO 8601 and, under `..._us`, "
    "integer microseconds since 1970 in UTC; durations are microseconds. What fails is told as a problem document."
)
_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token of `bespeak token create`."},
}


def operation_id(route: APIRoute) -> str:
    """Return the name of an operation: that of its handler."""
    return route.name


async def frozen(_: Request) -> Response:
    """Send the frozen description."""
    return Response(_text(), media_type=_JSON)


@cache
def _text() -> bytes:
    return PLACE.read_bytes()


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description; errors as problem documents, and how clients say who they are."""
    found = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
    for methods in found["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if status in ("4XX", "5XX"):
                    response["content"] = {_PROBLEM: response["content"][_JSON]}
    found["components"]["securitySchemes"] = _SCHEMES
    found["security"] = [{name: []} for name in _SCHEMES]
    return found
