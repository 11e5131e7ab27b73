"""IPMI against OpenIPMI's simulator: switching, keys, accounts, the console; and suite 17, with ipmitool as a witness."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bespeak.host import PowerOnlyHost, Status
from bespeak.host.console.dialogue import Dialogue, End, Step, converse
from bespeak.host.console.serial_over_lan import open_serial_over_lan
from bespeak.host.console.spec import console_from_spec
from bespeak.host.power import PowerState, power_control_from_spec
from bespeak.host.power.management import BootDevice, Level, read_health, set_boot
from bespeak.testing import assert_power_controller_conforms
from support import debs, peervenv
from support.programs import Start, free_port, run, until

HOST = PowerOnlyHost("h1")
SUITE_17 = str(Path(__file__).parents[2] / "support" / "bmc_of_suite_17.py")
KEY = "a-key-of-19-bytes-0"
"""The simulator reads at most 19 characters."""

TEMPERATURE = " ".join(
    f"{byte:#04x}"
    for byte in (
        *(0, 0, 0x51, 1, 46, 0x20, 0, 7, 3, 1, 0x7F, 0x68, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0),
        *(1, 0, 0, 0, 0, 0, 0, 40, 80, 10, 255, 0, 110, 100, 90, 0, 0, 0, 2, 2, 0, 0, 0, 0xC3),
        *b"CPU",
    )
)
"""The record of a sensor of the processor's temperature, in °C."""


LAN = """\
name "bench"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {port}
    priv_limit admin
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
    {key}
  endlan
  {console}
  chassis_control "{folder}/chassis 0x20"
  user 1 true "" "test" user 10 none
  user 2 true "admin" "test" admin 10 none md2 md5 straight
  user 3 true "viewer" "test" user 10 none md2 md5 straight
"""
EMULATED = f"""\
mc_setbmc 0x20
mc_add 0x20 0 has-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 100 0x0a
sensor_add 0x20 0 7 1 1
sensor_set_value 0x20 0 7 95 0
sensor_set_event_support 0x20 0 7 enable scanning per-state {" ".join(["0" * 15] * 4)}
main_sdr_add 0x20 {TEMPERATURE}
mc_enable 0x20
"""
CHASSIS = """\
#!/bin/sh
# ADDRESS get|set NAME [VALUE]
case "$2" in
get) echo "$3:$(cat {folder}/$3)" ;;
set) echo "$4" > {folder}/$3 ;;
esac
"""


def unpacked(*names: str) -> debs.Unpacked:
    try:
        return debs.unpacked(names)
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)


def simulator(start: Start, folder: Path, *, key: str = "", console: str = "") -> dict[str, Any]:
    """Start the simulator, and return how it is reached; it keeps the state of the chassis in files of ``folder``."""
    packages = unpacked("openipmi", "libopenipmi0", "libsnmp40", "libpopt0")
    port = free_port(socket.SOCK_DGRAM)
    (folder / "chassis").write_text(CHASSIS.format(folder=folder))
    (folder / "chassis").chmod(0o755)
    (folder / "power").write_text("0\n")
    (folder / "boot").write_text("default\n")
    (folder / "lan.conf").write_text(LAN.format(port=port, folder=folder, key=key, console=console))
    (folder / "bench.emu").write_text(EMULATED)
    (folder / "state").mkdir()
    program = start(
        f"{packages.root}/usr/bin/ipmi_sim", "-c", str(folder / "lan.conf"), "-f", str(folder / "bench.emu"),
        "-s", str(folder / "state"), "-n", env={"LD_LIBRARY_PATH": packages.libraries},
    )  # fmt: skip
    login = {"address": "127.0.0.1", "port": port, "user": "admin", "password": "env:BMC_PASSWORD"}
    settings = {"type": "ipmi", "cycle_delay": 0.1, "timeout": 25, **login, **({"kg": "env:KEY"} if key else {})}
    until(lambda: run(power_control_from_spec(settings).status(HOST)) is not None, program, folder)
    return settings


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMC_PASSWORD", "test")
    monkeypatch.setenv("KEY", KEY)
    monkeypatch.setenv("WRONG_KEY", KEY[::-1])


def test_openipmi_simulator(start: Start, tmp_path: Path) -> None:
    settings = simulator(start, tmp_path)
    control = power_control_from_spec(settings)
    assert_power_controller_conforms(control)
    assert (tmp_path / "power").read_text() == "1\n"
    assert run(control.off(HOST)) == (Status.Success, "")
    assert (tmp_path / "power").read_text() == "0\n"
    chosen = power_control_from_spec({**settings, "cipher_suite": 3, "privilege": "operator"})
    assert run(chosen.on(HOST)) == (Status.Success, "")
    assert run(chosen.reset(HOST)) == (Status.Success, "")
    assert (tmp_path / "reset").exists()
    state, why = run(power_control_from_spec({**settings, "cipher_suite": 17}).probe(HOST))
    assert (state, "does not take cipher suite 17" in why) == (None, True), why
    host = PowerOnlyHost("h1", power_control=control)
    taken = "the controller has taken it, and does not say that it is in force"
    assert run(set_boot(host, BootDevice.PXE, once=True)) == (Status.Success, taken)
    assert (tmp_path / "boot").read_text() == "pxe\n"
    health, why = run(read_health(host))
    assert health is not None, why
    assert (health.level, health.power, health.unread) == (Level.OK, PowerState.ON, ())
    assert [(each.name, each.value, each.unit) for each in health.sensors] == [("CPU", 95.0, "°C")]


def test_a_key_of_the_controller_and_what_an_account_may(start: Start, tmp_path: Path) -> None:
    settings = simulator(start, tmp_path, key=f'bmc_key "{KEY}"')

    def probe(**more: object) -> tuple[PowerState | None, str]:
        return run(power_control_from_spec({**settings, **more}).probe(HOST))

    for more in ({}, {"cipher_suite": 3}, {"privilege": "operator"}, {"user": "viewer", "privilege": "user"}):
        assert probe(**more) == (PowerState.OFF, ""), more
    for wrong in ({"kg": None}, {"kg": "env:WRONG_KEY"}):
        state, why = probe(**wrong)
        assert (state, "wrong Kg" in why) == (None, True), (wrong, why)
    state, why = probe(cipher_suite=17)
    assert (state, "does not take cipher suite 17" in why) == (None, True), why
    assert run(power_control_from_spec(settings).on(HOST)) == (Status.Success, "")
    viewer = power_control_from_spec({**settings, "user": "viewer", "privilege": "user"})
    status, why = run(viewer.off(HOST))
    assert (status, "nsufficient privilege" in why) == (Status.Failed, True), why
    assert (tmp_path / "power").read_text() == "1\n"


@contextmanager
def serial_port() -> Iterator[int]:
    """A console on a port of 127.0.0.1: each line is answered by itself, in brackets."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as lines:
                typed = b""
                while byte := lines.read(1):
                    typed += byte
                    if byte == b"\r":
                        connection.sendall(b"<" + typed + b">")
                        typed = b""

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])


def test_the_console_behind_a_controller(start: Start, tmp_path: Path) -> None:
    with serial_port() as port:
        console = f'sol "tcp:127.0.0.1:{port}" 115200'
        settings = simulator(start, tmp_path, key=f'bmc_key "{KEY}"', console=console)
        host = PowerOnlyHost("r1", power_control=power_control_from_spec(settings))
        host.console = console_from_spec({"type": "ipmi"})
        dialogue = Dialogue(steps=(Step(send=b"root\r"), Step(expect=b"<root\r>")), timeout_seconds=60)
        run(converse(host, dialogue, str(tmp_path / "transcript")))
        assert dialogue.end is End.DONE, dialogue.why
        assert b"<root\r>" in (tmp_path / "transcript").read_bytes()

        async def again() -> None:
            line = await open_serial_over_lan(host.require_power_control())
            await line.close()

        run(again())  # it was given back; what is typed into a second one is lost in the simulator, ipmitool's too


def test_suite_17_which_ipmitool_agrees_on_too(start: Start, tmp_path: Path) -> None:
    packages = unpacked("ipmitool", "freeipmi-common", "libfreeipmi17")
    port = free_port(socket.SOCK_DGRAM)
    program = start(sys.executable, SUITE_17, str(port), "test", KEY)
    login = {"address": "127.0.0.1", "port": port, "user": "admin", "password": "env:BMC_PASSWORD", "kg": "env:KEY"}
    settings = {"type": "ipmi", "cycle_delay": 0.1, "timeout": 25, **login}
    chosen = power_control_from_spec({**settings, "cipher_suite": 17})
    until(lambda: run(chosen.status(HOST)) is not None, program, tmp_path)

    def witness(suite: str, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            [f"{packages.root}/usr/bin/ipmitool", "-I", "lanplus", "-H", "127.0.0.1", "-p", str(port),
             "-U", "admin", "-E", "-k", KEY, "-C", suite, "chassis", "power", *words],
            env=os.environ | {"LD_LIBRARY_PATH": packages.libraries, "IPMI_PASSWORD": "test"},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        return done.returncode, done.stdout.strip()

    assert run(chosen.on(HOST)) == (Status.Success, "")
    assert witness("17", "status") == (0, "Chassis Power is on")
    assert witness("17", "off")[0] == 0
    assert witness("3", "status")[0] == 1
    assert run(chosen.status(HOST)) is PowerState.OFF
    assert run(power_control_from_spec(settings).on(HOST)) == (Status.Success, "")
    state, why = run(power_control_from_spec({**settings, "cipher_suite": 3}).probe(HOST))
    assert (state, "does not take cipher suite 3" in why) == (None, True), why
    state, why = run(power_control_from_spec({**settings, "kg": "env:WRONG_KEY"}).probe(HOST))
    assert (state, "wrong Kg" in why) == (None, True), why
