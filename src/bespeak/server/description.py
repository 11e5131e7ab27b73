"""The description of the API (OpenAPI 3.1), as clients and their generators read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.routing import APIRoute

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
