"""What a host starts from, and how it is: over Redfish and IPMI, against services on real sockets."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bespeak.host import PowerOnlyHost, Status
from bespeak.host.power import PowerState, power_control_from_spec
from bespeak.host.power.management import BootDevice, Level, read_health, set_boot
from bespeak.host.power.permission import OrderForbiddenError, Switching, allowed_by
from support.redfish_service import SYSTEMS, RedfishService, redfish_service

from .conftest import run

PASSWORD = "s3cret-" + "w0rd"


def host_of(kind: str, **settings: object) -> PowerOnlyHost:
    control = power_control_from_spec({"type": kind, "timeout": 20, **settings})
    return PowerOnlyHost("h1", power_control=control)


# --- Redfish


@pytest.fixture
def service() -> Iterator[RedfishService]:
    with redfish_service() as found:
        yield found


def test_redfish_boots_once_and_always_and_as_before(service: RedfishService) -> None:
    system = service.add("1", "On")
    host = host_of("redfish", url=service.url)
    assert run(set_boot(host, BootDevice.PXE, once=True)) == (Status.Success, "")
    assert run(set_boot(host, BootDevice.BIOS, once=False)) == (Status.Success, "")
    assert system["Boot"] == {"BootSourceOverrideTarget": "BiosSetup", "BootSourceOverrideEnabled": "Continuous"}
    assert run(set_boot(host, BootDevice.DEFAULT, once=False)) == (Status.Success, "")
    assert [change["Boot"] for _, change in service.changes] == [
        {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"},
        {"BootSourceOverrideTarget": "BiosSetup", "BootSourceOverrideEnabled": "Continuous"},
        {"BootSourceOverrideEnabled": "Disabled"},
    ]
    assert service.resets == []


def test_redfish_asks_only_for_what_is_offered(service: RedfishService) -> None:
    service.add("1", "On", Boot={"BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Pxe"]})
    host = host_of("redfish", url=service.url)
    status, said = run(set_boot(host, BootDevice.CD, once=True))
    assert (status, "cannot start from Cd; it offers None, Pxe" in said) == (Status.Failed, True), said
    assert service.changes == []


def test_redfish_that_accepts_and_does_nothing_has_failed(service: RedfishService) -> None:
    service.add("1", "On", Boot={"BootSourceOverrideTarget": "Hdd", "BootSourceOverrideEnabled": "Continuous"})
    service.obeys = False
    host = host_of("redfish", url=service.url)
    status, said = run(set_boot(host, BootDevice.PXE, once=True))
    assert (status, said.endswith("Pxe was accepted, but the system says Hdd")) == (Status.Failed, True), said
    status, said = run(set_boot(host, BootDevice.DISK, once=True))
    assert (status, said) == (Status.Success, "the system was asked for Once and says Continuous")


def test_nothing_is_set_once_the_hold_is_gone(service: RedfishService) -> None:
    service.add("1", "On")
    host = host_of("redfish", url=service.url)

    async def gone() -> None:
        raise OrderForbiddenError("rack1 is no longer held", refused=True)

    async def work() -> None:
        with allowed_by(Switching(gone)):
            await set_boot(host, BootDevice.PXE, once=True)

    with pytest.raises(OrderForbiddenError):
        run(work())
    assert service.changes == []


def with_a_chassis(service: RedfishService) -> None:
    chassis, logs = "/redfish/v1/Chassis/1", f"{SYSTEMS}/1/LogServices"
    service.add(
        "1", "On", Status={"State": "Enabled", "Health": "OK", "HealthRollup": "Warning"},
        Links={"Chassis": [{"@odata.id": chassis}]}, LogServices={"@odata.id": logs},
    )  # fmt: skip
    service.pages[chassis] = {
        "Name": "box",
        "Status": {"Health": "OK"},
        "Thermal": {"@odata.id": f"{chassis}/Thermal"},
        "Power": {"@odata.id": f"{chassis}/Power"},
    }
    service.pages[f"{chassis}/Thermal"] = {
        "Temperatures": [
            {"Name": "CPU \x1b[2J", "ReadingCelsius": 91.5, "Status": {"State": "Enabled", "Health": "Warning"}},
            {"Name": "empty", "ReadingCelsius": None, "Status": {"State": "Absent", "Health": "Critical"}},
        ],
        "Fans": [{"Name": "fan1", "Reading": 30, "ReadingUnits": "Percent", "Status": {"Health": "OK"}}, "nonsense"],
    }
    service.pages[logs] = {"Members": [{"@odata.id": f"{logs}/Sel"}]}
    service.pages[f"{logs}/Sel"] = {"Entries": {"@odata.id": f"{logs}/Sel/Entries"}}
    service.pages[f"{logs}/Sel/Entries"] = {
        "Members": [
            {"Created": "2026-01-01T00:00:00Z", "Severity": "Critical", "Message": "power lost"},
            {"Created": "2026-01-02T00:00:00Z", "Severity": "Warning", "Message": "fan\nslow"},
            {"Created": "2026-01-03T00:00:00Z", "Severity": "OK", "Message": "fan fine"},
        ]
    }


def test_redfish_tells_health_sensors_and_events_and_only_reads(service: RedfishService) -> None:
    with_a_chassis(service)
    health, why = run(read_health(host_of("redfish", url=service.url)))
    assert health is not None, why
    assert (health.level, health.power) == (Level.WARNING, PowerState.ON)
    readings = {each.name: (each.kind, each.value, each.unit, each.level) for each in health.sensors}
    assert readings == {
        "box": ("chassis", None, "", Level.OK),
        "CPU \x1b[2J": ("temperature", 91.5, "°C", Level.WARNING),
        "empty": ("temperature", None, "", None),
        "fan1": ("fan", 30.0, "%", Level.OK),
    }
    assert health.warnings == ("system: warning", "CPU \x1b[2J: 91.5 °C warning")
    assert health.events == (
        "2026-01-02T00:00:00Z warning: fan slow",
        "2026-01-01T00:00:00Z critical: power lost",
    )
    assert ["/redfish/v1/Chassis/1/Power" in text for text in health.unread] == [True]
    assert {method for method, _ in service.asked} == {"GET"}


def test_redfish_with_sensors_of_the_newer_model(service: RedfishService) -> None:
    chassis = "/redfish/v1/Chassis/1"
    service.add("1", "Off", Links={"Chassis": [{"@odata.id": chassis}]})
    service.pages[chassis] = {"Sensors": {"@odata.id": f"{chassis}/Sensors"}}
    service.pages[f"{chassis}/Sensors"] = {"Members": [{"@odata.id": f"{chassis}/Sensors/t"}]}
    service.pages[f"{chassis}/Sensors/t"] = {
        "Name": "inlet", "ReadingType": "Temperature", "Reading": 21, "ReadingUnits": "Cel", "Status": {"Health": "OK"}
    }  # fmt: skip
    health, why = run(read_health(host_of("redfish", url=service.url)))
    assert health is not None, why
    (sensor,) = health.sensors
    assert (sensor.name, sensor.kind, sensor.value, sensor.unit) == ("inlet", "temperature", 21.0, "Cel")
    assert (health.level, health.power, health.unread) == (Level.OK, PowerState.OFF, ())


def test_a_refused_login_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG", "not-the-word")
    with redfish_service(PASSWORD) as service:
        with_a_chassis(service)
        host = host_of("redfish", url=service.url, user="admin", password="env:WRONG")
        health, why = run(read_health(host))
        assert health is None
        assert "login refused" in why
        assert "not-the-word" not in why
        assert service.logins == ["session"]


def test_other_controllers_cannot() -> None:
    switched = host_of("command", on_cmd="a", off_cmd="b")
    assert run(set_boot(switched, BootDevice.PXE, once=True)) == (
        Status.Error,
        "the power_control of host 'h1' (command) cannot say what it starts from; redfish and ipmi can",
    )
    assert run(read_health(PowerOnlyHost("h2"))) == (
        None,
        "host 'h2' has no power_control and no management_control, so it has no sensors; redfish and ipmi have",
    )


# --- IPMI

BMC = """
import struct, sys
from pyghmi.ipmi.bmc import Bmc

NAME = b"CPU"
RECORD = bytes([1, 0, 0x51, 1, 43 + len(NAME), 0x20, 0, 7, 3, 1, 0x7F, 0x68, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0])
RECORD += bytes([1, 0, 0, 0, 0, 0, 0, 40, 80, 10, 255, 0, 110, 100, 90, 0, 0, 0, 2, 2, 0, 0, 0, 0xC0 | len(NAME)]) + NAME
ENTRY = struct.pack("<HBI", 1, 2, 1) + bytes([0x20, 0, 4, 1, 7, 1, 0x59, 95, 100])

class Chassis(Bmc):
    device, flags = 0, 0
    state = "on"
    def get_power_state(self): return self.state

    def handle_raw_request(self, request, session):
        asked, data = (request["netfn"], request["command"]), request["data"]
        answers = {
            (0, 1): [0x01 | 0x08, 0, 0],
            (4, 0x2D): [95, 0xC0, 0x10],
            (6, 1): [0, 0x81, 1, 0, 2, 0x0F, 0, 0, 0, 0, 0],
            (10, 0x20): [0x51, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2],
            (10, 0x22): [1, 0],
            (10, 0x40): [0x51, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0],
            (10, 0x43): [0xFF, 0xFF, *ENTRY],
            (10, 0x48): list(struct.pack("<I", 1)),
        }
        print(*asked, *data, file=sys.stderr, flush=True)
        if sys.argv[3] == "bare" and asked[0] in (4, 10):
            session.send_ipmi_response(code=0xC1)
        elif asked == (10, 0x23):
            session.send_ipmi_response(data=[0xFF, 0xFF, *RECORD[data[4]:][:data[5]]])
        elif asked == (0, 8) and data[0] == 5:
            Chassis.flags, Chassis.device = data[1], data[2]
            session.send_ipmi_response()
        elif asked == (0, 8):
            session.send_ipmi_response(code=0x80)
        elif asked == (0, 9):
            device = 0x08 if sys.argv[3] == "deaf" else self.device
            session.send_ipmi_response(data=[1, 5, self.flags, device, 0, 0, 0])
        elif asked in answers:
            session.send_ipmi_response(data=answers[asked])
        else:
            super().handle_raw_request(request, session)

bmc = Chassis({"admin": sys.argv[2]}, port=int(sys.argv[1]), address="127.0.0.1")
print("ready", flush=True)
bmc.listen()
"""


class Controller:
    """A management controller as a program, and the host behind it."""

    def __init__(self, kind: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        words = [sys.executable, "-c", BMC, str(port), PASSWORD, kind]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        login = {"address": "127.0.0.1", "port": port, "user": "admin", "password": "env:BMC_PASSWORD"}
        self.host = host_of("ipmi", **{**login, "timeout": 60})

    def end(self) -> list[list[int]]:
        """Return what it was asked."""
        self.process.kill()
        _, asked = self.process.communicate()
        return [[int(word) for word in line.split()] for line in asked.splitlines()]


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMC_PASSWORD", PASSWORD)


def test_ipmi_boots_once_and_always_and_tells_health() -> None:
    controller = Controller("full")
    try:
        assert run(set_boot(controller.host, BootDevice.PXE, once=True)) == (Status.Success, "")
        assert run(set_boot(controller.host, BootDevice.BIOS, once=False)) == (Status.Success, "")
        assert run(set_boot(controller.host, BootDevice.DEFAULT, once=False)) == (Status.Success, "")
        health, why = run(read_health(controller.host))
    finally:
        asked = controller.end()
    assert [data[2:] for data in asked if data[:3] == [0, 8, 5]] == [
        [5, 0x80, 1 << 2, 0, 0, 0],
        [5, 0xC0, 6 << 2, 0, 0, 0],
        [5, 0, 0, 0, 0, 0],
    ]
    assert health is not None, why
    assert health.unread == ()
    assert (health.level, health.power) == (Level.CRITICAL, PowerState.ON)
    (sensor,) = health.sensors
    assert (sensor.name, sensor.value, sensor.unit, sensor.level) == ("CPU", 95.0, "°C", Level.CRITICAL)
    assert health.warnings[0] == "chassis: power fault"
    assert health.warnings[1].startswith("CPU: 95 °C ")
    assert len(health.events) == 1
    assert health.events[0].startswith("critical: CPU: ")
    assert health.events[0].endswith(" (entry 1)")
    reading = asked[asked.index([0, 1]) :]
    assert not [data for data in reading if data[:2] in ([0, 2], [0, 8], [10, 0x47], [10, 0x44])], (
        "reading changes nothing"
    )


def test_ipmi_without_sensors_says_so_and_one_that_ignores_the_device_has_failed() -> None:
    controller = Controller("bare")
    try:
        health, why = run(read_health(controller.host))
    finally:
        controller.end()
    assert health is not None, why
    assert (health.level, health.sensors, health.warnings) == (Level.CRITICAL, (), ("chassis: power fault",))
    assert [" sensors: " in text or " events: " in text for text in health.unread] == [True, True]
    controller = Controller("deaf")
    try:
        status, said = run(set_boot(controller.host, BootDevice.PXE, once=True))
    finally:
        controller.end()
    assert (status, said.endswith("it was accepted, but the controller says device 2")) == (Status.Failed, True), said
