"""A device is described once in a lab file; hosts refer to it and to what of it."""

from __future__ import annotations

import pytest

from bespeak.host import build_hosts
from bespeak.labs.host_parsing import host_from
from bespeak.labs.parsing import LabDataError, parse

DEVICES = """
name = "bench"
[devices.pdu1]
type = "snmp"
address = "pdu1.lab"
model = "apc"
community = "env:PDU_COMMUNITY"
[devices.chassis]
type = "redfish"
url = "https://chassis.lab"
user = "admin"
password = "env:BMC_PASSWORD"
[devices.bmc4]
type = "ipmi"
address = "bmc4.lab"
user = "admin"
password = "env:BMC_PASSWORD"
"""


def specs(text):
    document = parse("lab.toml", (DEVICES + text).encode())
    return [host_from(raw, document.only_lab, document.path, document.devices) for raw in document.hosts]


def test_a_reference_is_the_controller_that_it_means():
    board, blade, single = specs(
        '[hosts.board1]\npower = "pdu1:5"\n[hosts.blade2]\npower = "chassis:2"\n[hosts.node]\npower = "bmc4"\n'
    )
    assert board.power_control == {
        "type": "snmp",
        "address": "pdu1.lab",
        "model": "apc",
        "community": "env:PDU_COMMUNITY",
        "outlet": 5,
    }
    assert (blade.power_control["system"], blade.power_control["type"]) == ("2", "redfish")
    assert "outlet" not in single.power_control
    assert board.acts == ["power_control"]


def test_two_supplies_and_outlets_in_banks():
    other = '[devices.pdu2]\ntype = "snmp"\naddress = "pdu2.lab"\nmodel = "raritan"\ncommunity = "env:C"\n'
    [board] = specs(other + '[hosts.board1]\npower = ["pdu2:2.5", "pdu1:7"]\n')
    assert [each["outlet"] for each in board.power_control] == ["2.5", 7]
    [host] = build_hosts(board_lab(board)).hosts.values()
    assert host.power_control is not None


def board_lab(spec):
    from bespeak.labs.model import Lab

    return Lab("bench", hosts={spec.id: spec})


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ('power = "pdu2:5"', "power 'pdu2:5': the file has no [devices.pdu2]; did you mean pdu1?"),
        ('power = "pdu1:"', "power 'pdu1:': nothing stands behind the colon"),
        ("power = 5", "power must be a text such as 'pdu1:5', or a list of them, not 5"),
        ("power = []", "power must be a text such as 'pdu1:5', or a list of them, not []"),
        ('power = "pdu1:1"\npower_control = "x"', "power and power_control say the same; keep one of them"),
    ],
)
def test_what_is_no_reference_is_said(host, said):
    with pytest.raises(LabDataError) as caught:
        specs(f"[hosts.board1]\n{host}\n")
    assert str(caught.value) == f"lab.toml: host 'board1': {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[devices]\npdu1 = "x"', "lab.toml: device 'pdu1': must be a table, not 'x'"),
        ("devices = 3", "lab.toml: devices must be a table, not 3"),
        ('[devices.pdu1]\nmodel = "apc"', "lab.toml: device 'pdu1': type must be a text, not None"),
        ('[devices."a:b"]\ntype = "snmp"', "lab.toml: device 'a:b': a name has a character and no colon"),
    ],
)
def test_what_is_no_device_is_said(text, said):
    with pytest.raises(LabDataError) as caught:
        parse("lab.toml", text.encode())
    assert str(caught.value) == said


SERIAL = """
[devices.ser1]
type = "telnet"
address = "ser1.lab"
[devices.menu]
type = "ssh"
controller = "conserver"
command = "console"
"""


def test_a_console_is_a_device_and_what_of_it():
    hosts = SERIAL + (
        '[hosts.a]\nconsole = "ser1:7004"\n[hosts.b]\nconsole = "menu:b"\n[hosts.c]\nconsole = "bmc4"\n'
        '[hosts.d]\nconsole = "ipmi"\n[hosts.e]\nconsole = { type = "tcp", address = "s", port = 1 }\n'
    )
    a, b, c, d, e = specs(hosts)
    assert a.raw["console"] == {"type": "telnet", "address": "ser1.lab", "port": 7004}
    assert b.raw["console"] == {"type": "ssh", "controller": "conserver", "command": "console", "line": "b"}
    assert (c.raw["console"]["type"], d.raw["console"], e.raw["console"]["port"]) == ("ipmi", "ipmi", 1)
    assert a.acts == ["console"]


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("ser2:1", "console 'ser2:1': the file has no [devices.ser2]; did you mean ser1?"),
        ("ser1:", "console 'ser1:': nothing stands behind the colon"),
    ],
)
def test_what_is_no_console_of_a_device_is_said(host, said):
    with pytest.raises(LabDataError) as caught:
        specs(SERIAL + f'[hosts.a]\nconsole = "{host}"\n')
    assert str(caught.value) == f"lab.toml: host 'a': {said}"


def test_what_another_program_keeps_as_power_stays():
    document = parse("hosts.json", b'[{"id": "h1", "power": {"watts": 3}}]')
    [spec] = [host_from(raw, "bench", document.path, document.devices) for raw in document.hosts]
    assert spec.power_control is None


def test_what_manages_a_host_stands_beside_what_switches_it():
    board, blade, other = specs(
        '[hosts.board1]\npower = "pdu1:5"\nmanagement = "bmc4"\nconsole = "ipmi"\n'
        '[hosts.blade2]\npower = "pdu1:6"\nmanagement = "chassis:2"\n[hosts.none]\npower = "pdu1:7"\n'
    )
    assert (board.power_control["type"], board.management_control["type"]) == ("snmp", "ipmi")
    assert (blade.management_control["system"], other.management_control) == ("2", None)
    assert board.acts == ["power_control", "management_control", "console"]
    [host] = build_hosts(board_lab(board)).hosts.values()
    assert (host.power_control.type_name, host.management.type_name) == ("snmp", "ipmi")


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ('management = "bmc5"', "management 'bmc5': the file has no [devices.bmc5]; did you mean bmc4?"),
        ('management = ["bmc4"]', "management must be a text such as 'bmc1', not ['bmc4']"),
        (
            'management = "bmc4"\nmanagement_control = "x"',
            "management and management_control say the same; keep one of them",
        ),
    ],
)
def test_what_is_no_manager_is_said(host, said):
    with pytest.raises(LabDataError) as caught:
        specs(f"[hosts.board1]\n{host}\n")
    assert str(caught.value) == f"lab.toml: host 'board1': {said}"


def test_what_manages_a_host_can_do_what_it_is_for():
    [board] = specs('[hosts.board1]\nmanagement = "pdu1:5"\n')
    [why] = build_hosts(board_lab(board)).broken.values()
    assert why.endswith(
        "management_control: snmp neither says what a host starts from nor has sensors; redfish and ipmi do"
    )


def test_a_file_without_devices_may_have_a_field_of_that_name():
    document = parse("lab.toml", b'[hosts.board1]\nmanagement = "10.0.0.3"\n')
    [spec] = [host_from(raw, "bench", document.path, document.devices) for raw in document.hosts]
    assert spec.management_control is None
