"""The tools of the book inside the server of the book: for agents anywhere, each in its own verified name.

Tools that read a repository or a lab are left out: the server's folders are not the agent's.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from mcp.server.transport_security import TransportSecuritySettings

from bespeak.mcp import ledger_tools, wait_tools
from bespeak.mcp.http import LONGEST_REQUEST, MOST_SESSIONS, SESSION_IDLE_SECONDS
from bespeak.mcp.server import ToolServer
from bespeak.mcp.tool import Setup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette

    from bespeak.mcp.tool import Tool

TOOLS: tuple[Tool[Any], ...] = (
    *ledger_tools.TOOLS,
    *(tool for tool in wait_tools.TOOLS if tool.name.startswith("book_")),
)
INSTRUCTIONS = """\
bespeak keeps people, pipelines and agents that share machines, labs and licences out of each other's way.
- book_reserve before you use one, book_wait to wait in the queue, book_release afterwards; say what for with `purpose`.
- A refusal is an answer, with who holds what, until when and when it is free next; do not work around it.
"""


def application(ledger: str | None, path: str) -> Starlette:
    """Return the application, to be put behind what verifies who calls and which host is asked for.

    Args:
        ledger: the book; None for the one of the settings.
        path: of its one endpoint.
    """
    setup = Setup(os.getcwd(), roots=(), remote=True, ledger=ledger, verified=True)
    server = ToolServer(setup, TOOLS, INSTRUCTIONS).server()
    return server.streamable_http_app(
        streamable_http_path=path,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        session_idle_timeout=SESSION_IDLE_SECONDS,
        max_sessions=MOST_SESSIONS,
        max_request_body_size=LONGEST_REQUEST,
    )


@asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[None]:
    """Keep its sessions for as long as the block runs."""
    async with app.router.lifespan_context(app):
        yield
