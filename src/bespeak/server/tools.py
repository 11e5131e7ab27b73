"""The tools for agents at one path of the server, loaded when the first agent comes: their library takes a second."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import anyio

from bespeak.base.errors import NotAllowedError, needs_extra
from bespeak.server import problems
from bespeak.server.dependencies import CALLER
from bespeak.server.open_streams import too_many
from bespeak.server.stream_access import serve_with_access, stream_access

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bespeak.server.open_streams import OpenStreams

PATH = "/mcp"
_MODULE, _LIBRARY = "bespeak.mcp.mounted", "mcp"
"""Found by name: the room of the tools stands beside this one."""


class ToolsForAgents:
    """Answers what is for the tools, and hands everything else on.

    Args:
        app: what answers everything else.
        ledger: the book; None for the one of the settings.
    """

    def __init__(self, app: FastAPI, ledger: str | None) -> None:
        self._app = app
        self._ledger = ledger
        self._is_there = find_spec(_LIBRARY) is not None
        self._wanted = anyio.Event()
        self._ready = anyio.Event()
        self._tools: ASGIApp = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
        elif not self._is_there:
            missing = problems.plain(501, needs_extra(PATH, "mcp"), scope)
            await missing(scope, receive, send)
        elif (refused := _refusal(scope)) is not None:
            await problems.response(refused, scope)(scope, receive, send)
        else:
            self._wanted.set()
            await self._ready.wait()
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; a GET stays open, and counts as a stream."""
        streams: OpenStreams = self._app.state.streams
        stays = scope["method"] == "GET"
        if stays and not streams.may_open(scope):
            await too_many(scope)(scope, receive, send)
            return
        with streams.opened(scope) if stays else nullcontext():
            await serve_with_access(self._tools, stream_access(self._app, scope), scope, receive, send)

    async def run(self) -> None:
        """Wait until somebody wants the tools; then keep their sessions until cancelled."""
        await self._wanted.wait()
        mounted = await asyncio.to_thread(import_module, _MODULE)
        tools = mounted.application(self._ledger, PATH)
        async with mounted.running(tools):
            self._tools = tools
            self._ready.set()
            await anyio.sleep_forever()


def _refusal(scope: Scope) -> NotAllowedError | None:
    """Return why whoever calls may not use the tools: its token is for other things."""
    caller = scope["state"].get(CALLER)
    try:
        if caller is not None:
            caller.require_scope("mcp")
    except NotAllowedError as error:
        return error
    return None
