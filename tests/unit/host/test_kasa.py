"""Plugs and strips of TP-Link through python-kasa, against a device that speaks their protocol over TCP."""

from __future__ import annotations

from typing import Any

import pytest
from kasa import Discover

from bespeak.host import PowerOnlyHost, Status
from bespeak.host.power import PowerState, power_control_from_spec
from support.kasa_plug import KasaPlug, decrypted, encrypted
from support.klap_plug import KlapPlug

from .conftest import run

HOST = PowerOnlyHost("h1")


def make(kind: str, **settings: Any) -> Any:
    return power_control_from_spec({"type": kind, **settings})


def control(plug: KasaPlug, **settings: Any) -> Any:
    return make("kasa", address="127.0.0.1", port=plug.port, **{"timeout": 60, "cycle_delay": 0.0, **settings})


def test_the_stand_in_speaks_the_protocol_as_it_was_written_down() -> None:
    """``{"system":{"get_sysinfo":null}}`` as captured from the maker's application."""
    known = "d0f281f88bff9af7d5ef94b6d1b4c09fec95e68fe187e8caf08bf68bf6"
    assert encrypted('{"system":{"get_sysinfo":null}}')[4:].hex().startswith(known[:20])
    assert decrypted(encrypted("text")[4:]) == "text"


def test_a_plug() -> None:
    async def work() -> list[Any]:
        async with KasaPlug().listening() as plug:
            device = control(plug)
            return [
                await device.status(HOST), await device.on(HOST), await device.status(HOST),
                await device.cycle(HOST), await device.off(HOST), plug.relays,
            ]  # fmt: skip

    done = (Status.Success, "")
    assert run(work()) == [PowerState.OFF, done, PowerState.ON, done, done, {"": 0}]


def test_an_outlet_of_a_strip_and_never_the_whole_strip() -> None:
    async def work() -> list[Any]:
        async with KasaPlug(("left", "right")).listening() as plug:
            by_name, by_number = control(plug, outlet="right"), control(plug, outlet=1)
            answers = [await by_name.on(HOST), await by_number.status(HOST), await by_name.status(HOST)]
            refused = [await control(plug, **more).on(HOST) for more in ({}, {"outlet": 3}, {"outlet": "middle"})]
            return [*answers, plug.relays, *refused]

    *answers, relays, whole, number, name = run(work())
    assert answers == [(Status.Success, ""), PowerState.OFF, PowerState.ON]
    assert relays == {"ID0": 0, "ID1": 1}
    assert (whole[0], "outlet must say which of these it is: 'left', 'right'" in whole[1]) == (Status.Failed, True)
    assert "the device has no outlet 3" in number[1]
    assert "the device has no outlet 'middle'" in name[1]


def test_a_device_that_the_library_trips_over() -> None:
    async def work() -> Any:
        async with KasaPlug().listening() as plug:
            plug.is_odd = True
            return await control(plug, timeout=5).probe(HOST)

    state, why = run(work())
    assert (state, "python-kasa cannot read the answer: TypeError" in why) == (None, True)


def test_nobody_answers(closed_port: int) -> None:
    status, said = run(make("kasa", address="127.0.0.1", port=closed_port, timeout=1).on(HOST))
    assert status is Status.Error
    assert f"127.0.0.1:{closed_port}" in said


@pytest.mark.parametrize("tapo", [False, True])
def test_a_plug_that_wants_an_account(monkeypatch: pytest.MonkeyPatch, tapo: bool) -> None:
    monkeypatch.setenv("RIGHT", "s3cret-word")
    monkeypatch.setenv("WRONG", "not-the-word")

    async def work() -> list[Any]:
        async with KlapPlug("me@lab", "s3cret-word", tapo=tapo).listening() as plug:
            monkeypatch.setattr(Discover, "DISCOVERY_PORT_2", plug.port)
            login = {"address": "127.0.0.1", "user": "me@lab", "timeout": 60, "cycle_delay": 0.0}
            device = make("kasa", password="env:RIGHT", **login)
            done = [await device.status(HOST), await device.on(HOST), plug.is_on, await device.cycle(HOST)]
            done += [await device.off(HOST), plug.is_on]
            before = plug.logins
            refused = await make("kasa", password="env:WRONG", **login).on(HOST)
            return [*done, refused, plug.is_on, plug.logins - before]

    *done, refused, is_on, logins = run(work())
    success = (Status.Success, "")
    assert done == [PowerState.OFF, success, True, success, success, False]
    assert refused == (Status.Error, "127.0.0.1: login refused")
    assert (is_on, logins) == (False, 1), "devices lock accounts, so a wrong password is tried once"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"outlet": 0}, "outlet must be a number from 1 to 100"),
        ({"user": "me"}, "user and password belong together"),
        ({"user": "me", "password": "plain"}, "password must say where the secret is"),
    ],
)
def test_settings(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make("kasa", address="plug", **settings)
