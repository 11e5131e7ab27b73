"""Clients of ``bespeak mcp``, as the programs of agents have them: the SDK's own client against a real process."""

from __future__ import annotations

import http.client
import json
import os
import sys
import urllib.parse
from contextlib import asynccontextmanager

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

TOKEN = "token-of-the-tests"
"""What the servers of the fixture ``listening`` ask for."""
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
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
        create_mcp_http_client({**AUTHORIZED, **(headers or {})}) as web,
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


async def until(condition):
    """Wait until an asynchronous condition holds; the test's own limit bounds it."""
    while not await condition():
        await anyio.sleep(0.05)


def waiting(client):
    async def nobody():
        return (await ask(client, "book_list", states=["waiting"]))["reservations"] == []

    async def somebody():
        return not await nobody()

    return nobody, somebody


HELLO = {
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
}


def post(url, body, **headers):
    """Send one message by hand; return the connection, for its answer to be read or not."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        **AUTHORIZED,
        **headers,
    }
    connection.request("POST", parts.path, json.dumps({"jsonrpc": "2.0", **body}), headers)
    return connection


def hello(url, **headers):
    """Open a session by hand; return status and headers of the answer."""
    connection = post(url, HELLO, **headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers


def speak(process, *messages):
    for message in messages:
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    process.stdin.flush()


def begin(cli, *words, **options):
    process = cli.start("mcp", *words, **options)
    speak(process, HELLO)
    assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "bespeak"
    speak(process, {"method": "notifications/initialized"})
    return process


def call(number, tool, **arguments):
    return {"id": number, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
