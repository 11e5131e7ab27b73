"""Redfish as real controllers have it: sessions, reset types, sick neighbours, busy and far too long answers."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bespeak.host import PowerOnlyHost, Status
from bespeak.host.power import PowerState, power_control_from_spec
from support.redfish_service import ROOT, SESSIONS, SYSTEMS, RedfishService, redfish_service

from .conftest import run

HOST = PowerOnlyHost("h1")
PASSWORD = "s3cret-" + "w0rd"


@pytest.fixture
def service() -> Iterator[RedfishService]:
    """A service without accounts."""
    with redfish_service() as found:
        yield found


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[RedfishService]:
    """A service that takes a login in a session only."""
    monkeypatch.setenv("BMC_PASSWORD", PASSWORD)
    with redfish_service(PASSWORD) as found:
        yield found


def control(service: RedfishService, **settings: Any) -> Any:
    login = {"user": "admin", "password": "env:BMC_PASSWORD"} if service.password is not None else {}
    place = {"type": "redfish", "url": service.url, "timeout": 30, "cycle_delay": 0.01}
    return power_control_from_spec({**place, **login, **settings})


def busy(times: int, headers: dict[str, str], of: Callable[[str, str], bool]) -> Any:
    left = iter(range(times))
    return lambda method, path: (503, headers, b"") if of(method, path) and next(left, None) is not None else None


def test_a_service_that_takes_logins_in_sessions_only(guarded: RedfishService) -> None:
    guarded.add("1")
    assert run(control(guarded).on(HOST)) == (Status.Success, "")
    assert guarded.resets == ["On"]
    assert set(guarded.logins) == {"session"}
    assert guarded.tokens == {}, "every session is closed: a controller has few of them"


@pytest.mark.parametrize("sessions", [True, False])
def test_a_wrong_password_costs_one_login(
    guarded: RedfishService, monkeypatch: pytest.MonkeyPatch, *, sessions: bool
) -> None:
    monkeypatch.setenv("BMC_PASSWORD", "wrong-word")
    guarded.add("1")
    guarded.sessions = sessions
    guarded.basic = True
    status, said = run(control(guarded).off(HOST))
    assert (status, said) == (Status.Error, f"{guarded.url}: login refused (HTTP 401)")
    assert guarded.logins == ["session" if sessions else "basic"]


def test_a_service_without_sessions_takes_the_login_with_each_request(guarded: RedfishService) -> None:
    guarded.add("1", "On")
    guarded.sessions, guarded.basic = False, True
    assert run(control(guarded).off(HOST)) == (Status.Success, "")


def test_sessions_that_are_promised_and_not_there(guarded: RedfishService) -> None:
    guarded.add("1", "On")
    guarded.basic = True
    guarded.instead = lambda method, path: (404, {}, b"{}") if path == SESSIONS else None
    assert run(control(guarded).status(HOST)) is PowerState.ON


def test_the_token_of_a_session_is_never_logged(guarded: RedfishService, caplog: pytest.LogCaptureFixture) -> None:
    guarded.add("1", "On")
    with caplog.at_level(logging.DEBUG):
        assert run(control(guarded).status(HOST)) is PowerState.ON
    assert "token-1" not in caplog.text
    assert PASSWORD not in caplog.text


def test_proxies_of_the_environment_are_not_used(service: RedfishService, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    service.add("1", "On")
    assert run(control(service).probe(HOST)) == (PowerState.ON, "")


def test_states_in_capitals(service: RedfishService) -> None:
    service.add("1", "ON")
    assert run(control(service).on(HOST)) == (Status.Success, "already on")


def test_a_system_that_offers_force_on_only(service: RedfishService) -> None:
    service.add("1", resets=["ForceOn", "ForceOff"])
    assert run(control(service).on(HOST)) == (Status.Success, "")
    assert service.resets == ["ForceOn"]


def test_a_reset_type_that_is_not_offered_is_said_and_not_replaced(service: RedfishService) -> None:
    service.add("1", "On", resets=["On", "GracefulShutdown"])
    status, said = run(control(service).off(HOST))
    assert status is Status.Failed
    assert said == f"{service.url}: the system offers no ForceOff, only On, GracefulShutdown"
    assert run(control(service, off_type="graceful").off(HOST)) == (Status.Success, "")
    assert service.resets == ["GracefulShutdown"]


def test_reset_types_are_read_from_the_description_of_the_action(service: RedfishService) -> None:
    system = service.add("1")
    system["Actions"]["#ComputerSystem.Reset"]["@Redfish.ActionInfo"] = "/redfish/v1/Systems/1/ResetActionInfo"
    parameters = [{"Name": "ResetType", "AllowableValues": ["ForceOn"]}]
    service.pages["/redfish/v1/Systems/1/ResetActionInfo"] = {"Parameters": parameters}
    assert run(control(service, system="1").on(HOST)) == (Status.Success, "")
    assert service.resets == ["ForceOn"]


@pytest.mark.parametrize("system", ["2", f"{SYSTEMS}/2", "node 2", "u-2"])
def test_a_sick_system_does_not_block_its_sibling(service: RedfishService, system: str) -> None:
    service.add("1")
    service.add("2", UUID="u-2")
    service.instead = lambda method, path: (500, {}, b"sick") if path.endswith("Systems/1") else None
    assert run(control(service, system=system).on(HOST)) == (Status.Success, "")
    assert service.pages[f"{SYSTEMS}/1"]["PowerState"] == "Off"


@pytest.mark.parametrize("system", ["2", f"{SYSTEMS}/2"])
def test_nothing_but_the_system_named_is_loaded(service: RedfishService, system: str) -> None:
    service.add("1")
    service.add("2")
    assert run(control(service, system=system).status(HOST)) is PowerState.OFF
    assert {path for _, path in service.asked} <= {ROOT, SESSIONS, f"{SESSIONS}/1", f"{SYSTEMS}/2"}


def test_a_name_that_nobody_has_while_a_system_is_sick_is_unsure(service: RedfishService) -> None:
    service.add("1")
    service.instead = lambda method, path: (500, {}, b"") if path.endswith("Systems/1") else None
    state, why = run(control(service, system="web").probe(HOST))
    assert state is None
    assert why == f"{service.url}: HTTP 500; no other system is 'web'"


def test_a_list_of_systems_in_several_pages(service: RedfishService) -> None:
    service.add("1")
    service.add("2", "On")
    first = {"Members": [{"@odata.id": f"{SYSTEMS}/1"}], "Members@odata.nextLink": f"{SYSTEMS}?page=2"}
    second = {"Members": [{"@odata.id": f"{SYSTEMS}/2"}]}
    pages = {SYSTEMS: first, f"{SYSTEMS}?page=2": second}
    service.instead = lambda _, path: (200, {}, json.dumps(pages[path]).encode()) if path in pages else None
    assert run(control(service, system="node 2").status(HOST)) is PowerState.ON
    assert "which of these it is: 1, 2" in run(control(service).probe(HOST))[1]


@pytest.mark.parametrize("link", ["http://127.0.0.1:1/x", "//127.0.0.1:1/x", "x", 5])
def test_a_link_to_another_machine_is_not_followed(service: RedfishService, link: object) -> None:
    members = json.dumps({"Members": [{"@odata.id": link}]}).encode()
    service.instead = lambda method, path: (200, {}, members) if path == SYSTEMS else None
    assert run(control(service).probe(HOST)) == (None, f"{service.url}: a system has no path")


def test_a_redirect_within_the_service_is_followed_when_reading(service: RedfishService) -> None:
    service.add("1", "On")
    moved = {"Location": f"{SYSTEMS}/1"}
    service.instead = lambda _, path: (307, moved, b"") if path == f"{SYSTEMS}/web" else None
    assert run(control(service, system=f"{SYSTEMS}/web").status(HOST)) is PowerState.ON


@pytest.mark.parametrize("place", ["http://127.0.0.1:1/x", "/redfish/v1/Systems/web", ""])
def test_a_redirect_elsewhere_or_in_a_circle_is_not(service: RedfishService, place: str) -> None:
    service.instead = lambda _, path: (307, {"Location": place}, b"") if path.endswith("web") else None
    assert run(control(service, system=f"{SYSTEMS}/web").probe(HOST)) == (None, f"{service.url}: HTTP 307")


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_an_answer_that_is_far_too_long_is_not_kept(service: RedfishService, coding: str) -> None:
    data = b"[" + b" " * (8 * 1024 * 1024)
    body, headers = (gzip.compress(data), {"Content-Encoding": "gzip"}) if coding == "gzip" else (data, {})
    service.instead = lambda method, path: (200, headers, body) if path == SYSTEMS else None
    assert run(control(service).probe(HOST)) == (None, f"{service.url}: the answer is longer than 2097152 bytes")


def test_an_answer_that_is_compressed_unasked_is_read(service: RedfishService) -> None:
    service.add("1", "On")
    body = gzip.compress(json.dumps(service.pages[f"{SYSTEMS}/1"]).encode())
    service.instead = lambda _, path: (200, {"Content-Encoding": "gzip"}, body) if path.endswith("/1") else None
    assert run(control(service, system=f"{SYSTEMS}/1").status(HOST)) is PowerState.ON


@pytest.mark.parametrize(("coding", "told"), [("br", "compressed as 'br'"), ("gzip", "cannot be decompressed")])
def test_an_answer_that_cannot_be_decompressed(service: RedfishService, coding: str, told: str) -> None:
    service.instead = lambda _, path: (200, {"Content-Encoding": coding}, b"xyz") if path == SYSTEMS else None
    assert told in run(control(service).probe(HOST))[1]


class Pauses:
    """Sleeps that are written down and take no time."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await SLEEP(0)


SLEEP = asyncio.sleep


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    found = Pauses()
    monkeypatch.setattr("bespeak.host.power.device.asyncio.sleep", found.sleep)
    return found


def test_a_busy_service_is_left_alone_as_long_as_it_says(service: RedfishService, pauses: Pauses) -> None:
    service.add("1")
    service.instead = busy(1, {"Retry-After": "7"}, lambda method, path: path.endswith("Reset"))
    assert run(control(service).on(HOST)) == (Status.Success, "")
    assert pauses.seconds[0] == 7
    assert service.resets == ["On"]


def test_reading_waits_for_a_busy_service_too(service: RedfishService, pauses: Pauses) -> None:
    service.add("1", "On")
    service.instead = busy(2, {"Retry-After": "5"}, lambda method, path: path.endswith("Systems/1"))
    assert run(control(service).probe(HOST)) == (PowerState.ON, "")
    assert pauses.seconds == [5, 5]


@pytest.mark.parametrize("after", ["3600", "Fri, 31 Dec 2199 23:59:59 GMT"])
def test_a_service_that_is_busy_for_longer_than_there_is_time(service: RedfishService, after: str) -> None:
    service.add("1")
    service.instead = busy(100, {"Retry-After": after}, lambda method, path: path.endswith("Reset"))
    status, said = run(control(service).on(HOST))
    assert (status, said) == (Status.Error, f"{service.url}: HTTP 503")
    assert sum(path.endswith("Reset") for _, path in service.asked) == 1


@pytest.mark.parametrize("after", ["soon", "nan", "-5", ""])
def test_a_retry_after_that_makes_no_sense_disturbs_nothing(service: RedfishService, after: str) -> None:
    service.add("1")
    service.instead = busy(1, {"Retry-After": after}, lambda method, path: path.endswith("Reset"))
    assert run(control(service).on(HOST))[0] is Status.Success


def test_a_restart_by_the_system_itself(service: RedfishService) -> None:
    service.add("1", "On", resets=["On", "ForceOff", "ForceRestart", "PowerCycle"])
    for kind in ("ForceRestart", "PowerCycle"):
        assert run(control(service, cycle_type=kind).cycle(HOST)) == (Status.Success, "")
    assert service.resets == ["ForceRestart", "PowerCycle"]
    assert run(control(service, system="1").reset(HOST)) == (Status.Success, "")
    assert service.resets[2:] == ["ForceRestart"]
    service.add("2", "On", resets=["On", "ForceOff"])
    assert run(control(service, system="2").reset(HOST))[0] is Status.Skipped


@pytest.mark.parametrize(("power", "offered"), [("On", ["On", "ForceOff"]), ("Off", ["On", "ForceOff", "PowerCycle"])])
def test_a_restart_that_is_not_possible_is_off_and_on(service: RedfishService, power: str, offered: list[str]) -> None:
    service.add("1", power, resets=offered)
    assert run(control(service, cycle_type="PowerCycle").cycle(HOST))[0] is Status.Success
    assert service.resets[-1] == "On"
    assert "PowerCycle" not in service.resets


def test_a_restart_whose_answer_is_lost_is_not_repeated_and_leaves_no_host_off(service: RedfishService) -> None:
    system = service.add("1", "On", resets=["On", "ForceOff", "ForceRestart"])

    def reset(path: str, kind: str) -> int:
        system["PowerState"] = "Off" if kind == "ForceRestart" else "On"
        return 500 if kind == "ForceRestart" else 204

    service.on_reset = reset
    status, said = run(control(service, cycle_type="ForceRestart").cycle(HOST))
    assert status is Status.Error
    assert said == f"{service.url}: HTTP 500; nobody can tell whether it restarted; it is on"
    assert service.resets == ["ForceRestart", "On"]


def test_what_the_service_says_is_told(guarded: RedfishService) -> None:
    guarded.add("1")
    body = {"error": {"message": "general", "@Message.ExtendedInfo": [{"Message": f"chassis open, {PASSWORD}"}]}}
    guarded.instead = lambda _, path: (409, {}, json.dumps(body).encode()) if path.endswith("Reset") else None
    assert run(control(guarded).on(HOST)) == (Status.Failed, f"{guarded.url}: HTTP 409: chassis open, ***")


def test_a_cycle_type_is_checked() -> None:
    with pytest.raises(ValueError, match="cycle_type must be one of off-on, ForceRestart, "):
        power_control_from_spec({"type": "redfish", "url": "http://bmc", "cycle_type": "warm"})
