"""Calls that wait, calls by the hundred, and clients that go away meanwhile."""

from __future__ import annotations

import anyio
import pytest

from support.agents import (
    LEGACY,
    MODERN,
    ask,
    hello,
    over_http,
    over_stdio,
    post,
    run,
    until,
    waiting,
)


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("mode", [LEGACY, MODERN])
def test_a_cancelled_wait_leaves_the_line(transport, mode, project, listening):
    url = listening()[0] if transport == "http" else None
    heard = []

    async def progress(count, total, message):
        heard.append(message)

    async def is_told():
        return bool(heard)

    async def scenario():
        connect = over_http(url, mode=mode) if url else over_stdio(mode=mode)
        async with connect as client, over_stdio() as other:
            nobody, somebody = waiting(other)
            await ask(other, "book_reserve", resources=["rack1"], duration="1h")
            async with anyio.create_task_group() as tasks:
                wanted = {"resources": ["rack1"], "timeout": "1h"}
                tasks.start_soon(lambda: client.call_tool("book_wait", wanted, progress_callback=progress))
                await until(somebody)
                await until(is_told)
                tasks.cancel_scope.cancel()
            await until(nobody)
            assert (await ask(client, "book_who", resource="rack1"))["reservations"][0]["state"] == "active"

    run(scenario)
    assert heard[0].startswith("waiting: position 1")


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
def test_a_wait_over_http_goes_on_until_it_is_granted(mode, project, listening):
    url, _ = listening()

    async def scenario():
        async with over_http(url, mode=mode) as client:
            held = await ask(client, "book_reserve", resources=["rack1"], duration="4s")
            answer = await ask(client, "book_wait", resources=["rack1"], timeout="1m")
            assert (answer["status"], answer["starts_us"] >= held["ends_us"]) == ("reserved", True)

    run(scenario)


def test_who_waits_for_code_is_told_when_it_is_free(project):
    heard = []

    async def progress(count, total, message):
        heard.append(message)

    async def scenario():
        async with over_stdio() as client, over_stdio(env={"BESPEAK_RUN_ID": "other"}) as other:
            held = await ask(other, "reserve", addresses=["src/a.py"])
            await ask(other, "reserve", addresses=["src/b.py"], ttl=3)

            async def is_told():
                return bool(heard)

            async def release():
                await until(is_told)
                await ask(other, "release", reservation_id=held["reservation_id"])

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(release)
                wanted = {"addresses": ["src/"], "timeout": "1m"}
                answer = await client.call_tool("wait", wanted, progress_callback=progress)
            assert answer.structured_content["free"] is True
            assert (await ask(client, "check", addresses=["src/"]))["free"] is True

    run(scenario)
    assert heard[0] == "waiting for other"


def test_many_wait_and_others_are_answered_and_each_gets_its_turn(project):
    async def scenario():
        async with over_stdio() as client, over_stdio() as other:
            held = await ask(other, "book_reserve", resources=["rack1"], duration="1h")
            granted = []

            async def wait():
                answer = await ask(client, "book_wait", resources=["rack1"], duration="1s", timeout="1m")
                granted.append(answer["number"])
                await ask(client, "book_release", reservation_ids=[answer["id"]])

            async with anyio.create_task_group() as tasks:
                for _ in range(12):
                    tasks.start_soon(wait)

                async def all_in_line():
                    return len((await ask(client, "book_list", states=["waiting"]))["reservations"]) == 12

                await until(all_in_line)
                await ask(other, "book_release", reservation_ids=[held["id"]])
            assert granted == sorted(granted)
            assert len(granted) == 12

    run(scenario)


@pytest.mark.postgres
def test_machines_that_share_a_book_share_claims_and_lines(project, postgres_url, listening):
    url, _ = listening("--ledger", postgres_url)

    async def scenario():
        async with over_http(url) as one, over_stdio("--ledger", postgres_url) as two:
            held = await ask(one, "reserve", addresses=["src/a.py"], on_conflict="fail")
            assert (await ask(two, "reserve", addresses=["src/"], on_conflict="fail"))["reservation_id"] is None
            booked = await ask(one, "book_reserve", resources=["rack1"], duration="1h")
            assert (await ask(one, "gate_check", labs=["demo"]))["allowed"]
            assert not (await ask(two, "gate_check", labs=["demo"]))["allowed"]  # one account, and two sessions
            nobody, somebody = waiting(one)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask_free, two)
                tasks.start_soon(ask_booked, two)
                await until(somebody)
                await ask(one, "book_release", reservation_ids=[booked["id"]])
                await ask(one, "release", reservation_id=held["reservation_id"])
            assert await nobody()

    async def ask_free(client):
        assert (await ask(client, "wait", addresses=["src/"], timeout="1m"))["free"]

    async def ask_booked(client):
        assert (await ask(client, "book_wait", resources=["rack1"], timeout="1m"))["status"] == "reserved"

    run(scenario)


def test_hundreds_of_calls_at_once(project, listening):
    url, _ = listening()

    async def scenario():
        async with over_http(url) as client:
            made = []

            async def claim(number):
                made.append(await ask(client, "reserve", addresses=[f"src/{number}.py"]))

            async with anyio.create_task_group() as tasks:
                for number in range(200):
                    tasks.start_soon(claim, number)
            assert sorted(each["epoch"] for each in made) == list(range(1, 201))
            assert (await ask(client, "release", mine=True))["count"] == 200

    run(scenario)


def test_a_client_that_dies_while_it_waits_leaves_the_line(project, listening):
    url, _ = listening()
    session = {"Mcp-Session-Id": hello(url)[1]["mcp-session-id"]}
    ready = post(url, {"method": "notifications/initialized"}, **session)
    assert ready.getresponse().status == 202
    ready.close()

    async def scenario():
        async with over_stdio() as client:
            nobody, somebody = waiting(client)
            await ask(client, "book_reserve", resources=["rack1"], duration="1h")
            call = {"name": "book_wait", "arguments": {"resources": ["rack1"], "timeout": "1h"}}
            dying = post(url, {"id": 2, "method": "tools/call", "params": call}, **session)
            await until(somebody)
            dying.close()
            await until(nobody)

    run(scenario)
