"""Clients of ``bespeak mcp``, as the programs of agents have them: the SDK's own client against a real process."""

from __future__ import annotations

import json
import os
import sys
from contextlib import asynccontextmanager

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

LEGACY, MODERN = "legacy", "2026-07-28"
"""The two eras of the protocol: with a handshake and a session, and without."""


@asynccontextmanager
async def over_stdio(*words, mode=LEGACY, env=None, cwd=None, **options):
    """A client whose server is started for it: ``bespeak mcp WORDS``."""
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "bespeak", "mcp", *words],
        env={**os.environ, **(env or {})},
        cwd=None if cwd is None else str(cwd),
    )
    with open(os.devnull, "w") as nowhere:  # noqa: ASYNC230 opening it blocks nobody
        async with Client(stdio_client(parameters, nowhere), mode=mode, **options) as client:
            yield client


@asynccontextmanager
async def over_http(url, *, mode=LEGACY, headers=None, **options):
    """A client of a server that listens."""
    async with (
        create_mcp_http_client(headers) as web,
        Client(streamable_http_client(url, http_client=web), mode=mode, **options) as client,
    ):
        yield client


async def ask(client, tool, /, **arguments):
    """Call a tool that has to succeed; return what it answered, which is the same in both forms."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content[0].text
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


async def fail(client, tool, /, **arguments):
    """Call a tool that has to fail; return the one line that says why."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    (content,) = result.content
    assert content.text == f"{result.structured_content['code']}: {result.structured_content['error']}"
    assert "\n" not in content.text
    assert "Traceback" not in content.text
    return content.text


def run(scenario):
    """Run a test's coroutine; a hang fails it."""

    async def bounded():
        with anyio.fail_after(100):
            await scenario()

    anyio.run(bounded)
