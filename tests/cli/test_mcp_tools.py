"""Every tool, driven by a real client over each transport and in each era of the protocol."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from bespeak.cli.main import main
from bespeak.mcp.server import TOOLS
from support.agents import LEGACY, MODERN, ask, over_http, over_stdio, run
from support.repositories import git

WAYS = ["stdio-legacy", "stdio-modern", "http-legacy", "http-modern"]


@pytest.fixture(params=WAYS)
def connect(request, project, listening):
    """A function that connects a client."""
    transport, _, era = request.param.partition("-")
    mode = LEGACY if era == "legacy" else MODERN
    if transport == "stdio":

        @asynccontextmanager
        async def connect_(*, run_id="me", **options):
            async with over_stdio(mode=mode, env={"BESPEAK_RUN_ID": run_id}, **options) as client:
                yield client

        return connect_
    url, _ = listening()

    @asynccontextmanager
    async def connect_(*, run_id="me", **options):
        async with over_http(url, mode=mode, headers={"Bespeak-Run-Id": run_id}, **options) as client:
            yield client

    return connect_


def test_every_tool(connect, project):
    used = set()
    source = project / "src" / "a.py"
    for branch, text in (("side", "def f():\n    return 2\n"), ("main", "def f():\n    return 3\n")):
        git(project, "checkout", "-q", *(["-b"] if branch == "side" else []), branch)
        source.write_text(text)
        git(project, "commit", "-qam", branch)

    async def scenario():
        async with connect() as client, connect(run_id="other") as other:

            async def use(tool, /, **arguments):
                used.add(tool)
                return await ask(client, tool, **arguments)

            await claims(use, other)
            await merges(use)
            await resources(use)
            await looking(use)
            await by_need(use)

    run(scenario)
    assert used == {tool.name for tool in TOOLS}


async def claims(use, other):
    first = await ask(other, "reserve", addresses=["src/a.py::f"], op="modify")
    mine = await use("reserve", addresses=["src/a.py", "src/b.py"], op="rename", depends_on=[first["reservation_id"]])
    assert (mine["run_id"], mine["branch"], mine["exit_code"]) == ("me", "main", 0)
    assert [found["run_id"] for found in mine["conflict_details"]] == ["other"]
    assert mine["epoch"] > first["epoch"]
    forecast = await use("forecast", run_id="me")
    assert forecast["counts"]["address_overlap"] == 1
    checked = await use("check", addresses=["src/a.py"])
    assert (checked["free"], checked["exit_code"]) == (False, 7)
    waited = await use("wait", addresses=["src/a.py"], timeout="1s")
    assert (waited["free"], waited["conflict_details"]) == (False, checked["conflict_details"])
    intent = await use("intent", addresses=["src/a.py::f"], op="delete", reservation_id=mine["reservation_id"])
    assert intent["reservation_id"] == mine["reservation_id"]
    listed = await use("list")
    assert (listed["count"], len(listed["intents"])) == (2, 1)
    dag = await use("dag")
    assert dag["waves"] == [[first["reservation_id"]], [mine["reservation_id"]]]
    third = await ask(other, "reserve", addresses=["src/c.py"])
    depends = await use("depend", reservation_id=mine["reservation_id"][:20], on=[third["reservation_id"]])
    assert depends["depends_on"] == [third["reservation_id"]]
    beaten = await use("heartbeat", reservation_id=mine["reservation_id"], extension=7200)
    assert (beaten["status"], beaten["ttl_extended_seconds"]) == ("ok", 7200)
    assert (await use("release", reservation_id=mine["reservation_id"]))["status"] == "ok"
    assert (await use("heartbeat", reservation_id=mine["reservation_id"]))["status"] == "already_released"
    assert (await use("release", mine=True))["count"] == 0


async def merges(use):
    found = await use("symbols", addresses=["src/"], callers=True)
    assert [(each["address"], each["kind"]) for each in found["symbols"]] == [("src/a.py::f", "function")]
    plan = await use("plan_merge", ours="main", theirs="side")
    assert (plan["relation"], plan["verdict"], plan["blocked"]) == ("diverged", "textual", True)
    assert plan["items"][0]["address"] == "src/a.py::f"
    order = await use("reconcile", branches=["side"])
    assert [branch["strategy"] for branch in order["branches"]] == ["manual"]


async def resources(use):
    held = await use("book_reserve", resources=["rack1"], duration="1h", purpose="soak", tags={"ci": "42"})
    assert (held["status"], held["state"], held["tags"]) == ("reserved", "active", {"ci": "42"})
    refused = await use("book_reserve", resources=["rack1", "rack2"], duration="1h")
    assert (refused["status"], refused["next_free"]) == ("refused", held["ends"])
    assert refused["conflicts"][0]["purpose"] == "soak"
    longer = await use("book_extend", reservation_id=held["short_id"], duration="30m")
    assert longer["ends_us"] - held["ends_us"] == 30 * 60 * 1_000_000
    assert (await use("book_wait", resources=["rack2"], duration="1h"))["status"] == "reserved"
    assert (await use("gate_check", labs=["demo"]))["allowed"] is True
    here = await use("book_answer", reservation_ids=[held["id"]], answer="here")
    assert here["reservations"] == [{"id": held["id"], "state": "active"}]
    gone = await use("book_release", resources=["rack1"])
    assert [each["state"] for each in gone["reservations"]] == ["ended"]
    late = await use("book_wait", resources=["rack2"], duration="1h", timeout="1s")
    assert (late["status"], late["conflicts"][0]["resource"]) == ("timed_out", "rack2")
    stranger = await use("gate_check", labs=["demo"], user="nobody")
    assert (stranger["allowed"], stranger["missing"][0]["resource"]) == (False, "rack1")
    assert stranger["free"][0]["resource"] == "rack1"


async def by_need(use):
    for name, ram in (("board1", 8), ("board2", 8), ("board3", 4)):
        main(["resource", "add", name, "--label", f"ram={ram}", "--label", "site=lyon", "--group", "boards"])
    chosen = await use("book_reserve", needs={"group=boards and ram>=8": 2}, same=["site"], duration="1h")
    assert (chosen["resources"], chosen["properties"]["board1"]["ram"]) == (["board1", "board2"], 8)
    full = await use("book_reserve", resources=["rack9"], needs={"group=boards": 2}, duration="1h")
    assert (full["status"], full["next_free"]) == ("refused", chosen["ends"])
    one = await use("book_wait", needs={"group=boards": 1}, duration="1h")
    assert (one["status"], one["resources"]) == ("reserved", ["board3"])
    await use("book_release", reservation_ids=[chosen["id"], one["id"]])


async def looking(use):
    assert [each["resources"] for each in (await use("book_list", mine=True))["reservations"]] == [["rack2"]]
    assert (await use("book_who", resource="rack2"))["reservations"][0]["state"] == "active"
    assert [each["resource"] for each in (await use("book_free", duration="2h"))["resources"]] == ["rack1", "rack2"]
    assert "reserve" in (await use("guide"))["guide"]
