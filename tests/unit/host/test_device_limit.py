"""One device behind many hosts: turns, and time limits that do not run while one waits for a turn."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from bespeak.host import PowerOnlyHost, Status
from bespeak.host.device_limit import time_limit, turn_at
from bespeak.host.power import power_control_from_spec

from .conftest import Plug, run


def test_a_unit_that_serves_one_connection_at_a_time_serves_all_its_outlets(plug: Plug) -> None:
    busy = threading.Lock()
    outlets: dict[str, bool] = {}

    def answer(
        path: str, handler: BaseHTTPRequestHandler
    ) -> tuple[int, str] | Callable[[BaseHTTPRequestHandler], None]:
        if not busy.acquire(blocking=False):
            return lambda one: one.connection.close()
        try:
            time.sleep(0.005)
            outlet = path.split("?", maxsplit=1)[0]
            if "turn=" in path:
                outlets[outlet] = "turn=on" in path
            return 200, json.dumps({"ison": outlets.get(outlet, False)})
        finally:
            busy.release()

    plug.answer = answer
    controls = [
        power_control_from_spec(
            {"type": "http", "url": plug.url, "model": "shelly1", "channel": number, "timeout": 600}
        )
        for number in range(8)
    ]

    async def work() -> list[tuple[Status, str]]:
        return list(await asyncio.gather(*(one.on(PowerOnlyHost("h")) for one in controls)))

    assert run(work()) == [(Status.Success, "")] * 8
    assert list(outlets.values()) == [True] * 8
    orders = [path for path in plug.asked if "turn=" in path]
    assert len(orders) == 8, "nothing had to be repeated"


def test_waiting_for_a_turn_costs_no_time() -> None:
    async def work() -> str:
        entered = asyncio.Event()

        async def first() -> None:
            async with turn_at("pdu", 1):
                entered.set()
                await asyncio.sleep(0.3)

        task = asyncio.create_task(first())
        await entered.wait()
        async with time_limit(0.2) as limit, turn_at("pdu", 1):
            left = limit.left_seconds
        await task
        assert left is not None
        assert left > 0
        return "served"

    assert run(work()) == "served"


def test_the_time_runs_again_after_the_wait() -> None:
    async def work() -> None:
        async with time_limit(0.05), turn_at("pdu", 1):
            await asyncio.sleep(600)

    with pytest.raises(TimeoutError):
        run(work())


def test_turns_are_counted_and_given_back() -> None:
    async def work() -> int:
        now = most = 0

        async def one() -> None:
            nonlocal now, most
            async with turn_at("pdu", 3):
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.001)
                now -= 1

        await asyncio.gather(*(one() for _ in range(20)))
        return most

    assert run(work()) == 3


@pytest.mark.parametrize("value", [0, -1, "2", True, 1.5])
def test_connections_are_checked(value: object) -> None:
    with pytest.raises(ValueError, match="connections must be"):
        power_control_from_spec({"type": "command", "on_cmd": "a", "off_cmd": "b", "connections": value})
