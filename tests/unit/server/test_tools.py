"""The tools for agents inside the server: in the name of whoever was verified, and for nobody else."""

from __future__ import annotations

from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from support.agents import LEGACY, MODERN, ask, fail


def run(scenario):
    """Run a scenario; what fails in it is what failed."""
    anyio.run(scenario)


@asynccontextmanager
async def agent(server, name, mode):
    """A client of the tools."""
    async with (
        create_mcp_http_client({"Authorization": f"Bearer {name}"}) as web,
        Client(streamable_http_client(f"{server.url}/mcp", http_client=web), mode=mode) as client,
    ):
        yield client


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
def test_agents_book_in_their_own_names(server, mode):
    name = f"t-{mode}"

    async def scenario():
        async with agent(server, "carol", mode) as carol, agent(server, "dave", mode) as dave:
            made = await ask(carol, "book_reserve", resources=[name], duration="1h", purpose="soak")
            assert (made["status"], made["holder"]) == ("reserved", "carol")
            refused = await ask(dave, "book_reserve", resources=[name], duration="1h")
            assert (refused["status"], refused["conflicts"][0]["purpose"]) == ("refused", "soak")
            assert "carol's" in await fail(dave, "book_release", reservation_ids=[made["id"]])
            assert (await ask(dave, "book_who", resource=name))["reservations"][0]["holder"] == "carol"
            await ask(carol, "book_release", reservation_ids=[made["id"]])
            got = await ask(dave, "book_wait", resources=[name], duration="1h")
            assert got["holder"] == "dave"

    run(scenario)


def test_only_tools_of_the_book_are_there(server):
    async def scenario():
        async with agent(server, "carol", LEGACY) as carol:
            names = {tool.name for tool in (await carol.list_tools()).tools}
            assert names >= {"book_reserve", "book_release", "book_wait", "book_who"}
            assert [name for name in names if not name.startswith("book_")] == []
            assert "no tool" in await fail(carol, "symbols", file="x.py")

    run(scenario)


def test_without_a_credential_there_are_no_tools(server):
    hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    refused = httpx.post(f"{server.url}/mcp", json=hello, timeout=60)
    assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
