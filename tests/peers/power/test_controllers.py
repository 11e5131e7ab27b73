"""Power controllers against the real thing, over real sockets: each peer is a program or a driver of its own makers."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from bespeak.host import PowerOnlyHost, SshOptions, Status, UnixHost
from bespeak.host.console.dialogue import Dialogue, End, Step, converse
from bespeak.host.console.spec import console_from_spec
from bespeak.host.factory import HostLab
from bespeak.host.power import PowerState, power_control_from_spec
from bespeak.host.power.management import BootDevice, Level, read_health, set_boot
from bespeak.testing import assert_power_controller_conforms
from support import debs, job_sites, openssh, peervenv, trees
from support.programs import Start, free_port, listens, run, until
from support.redfish_service import redfish_service

HERE = Path(__file__).parent
HOST = PowerOnlyHost("h1")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


# --- Redfish: sushy-tools


LOGIN = "admin:$2b$04$RYXa9eri0txxF7r4sxlRjuuEj0IHrHnZxUypH445slrfuOHWZDnH.\n"
"""An account of the emulator, and its password as it keeps it: ``password``."""


def emulated(peer: Any, start: Start, folder: Path, **more: str) -> tuple[int, subprocess.Popen[bytes]]:
    """Start the emulator with three systems; return its port. ``more`` are settings of its own."""
    environment = peer("sushy-tools", ["sushy-tools>=2"])
    port = free_port()
    systems = [
        {"uuid": f"uuid-{n}", "name": f"node{n}", "power_state": "Off", "external_notifier": False, "nics": []}
        for n in range(3)
    ]
    config = folder / "emulator.conf"
    config.write_text(
        f"SUSHY_EMULATOR_FAKE_DRIVER = True\nSUSHY_EMULATOR_FAKE_SYSTEMS = {systems!r}\n"
        f"SUSHY_EMULATOR_LISTEN_IP = '127.0.0.1'\nSUSHY_EMULATOR_LISTEN_PORT = {port}\n"
        f"SUSHY_EMULATOR_STATE_DIR = {str(folder)!r}\n"
        + "".join(f"SUSHY_EMULATOR_{name} = {value!r}\n" for name, value in more.items())
    )
    return port, start(environment.program("sushy-emulator"), "--config", str(config))


@pytest.fixture
def emulator(peer: Any, start: Start, tmp_path: Path) -> str:
    port, program = emulated(peer, start, tmp_path)
    url = f"http://127.0.0.1:{port}"
    until(lambda: answers(f"{url}/redfish/v1/Systems/uuid-0"), program, tmp_path)  # it makes its files when first asked
    return url


def test_redfish_over_tls_with_a_login(
    peer: Any, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BMC_PASSWORD", "password")
    monkeypatch.setenv("WRONG", "not-the-word")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=bmc.lab", "-batch",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    (tmp_path / "users").write_text(LOGIN)
    files = {"SSL_CERT": str(certificate), "SSL_KEY": str(key), "AUTH_FILE": str(tmp_path / "users")}
    port, program = emulated(peer, start, tmp_path, **files)
    place = {"url": f"https://127.0.0.1:{port}", "system": "node1", "user": "admin", "timeout": 60, "cycle_delay": 0.1}
    settings = {"type": "redfish", **place, "verify": str(certificate), "password": "env:BMC_PASSWORD"}

    def probe(**more: object) -> tuple[PowerState | None, str]:
        return run(power_control_from_spec({**settings, **more}).probe(HOST))

    until(lambda: probe()[0] is not None, program, tmp_path)
    assert run(power_control_from_spec(settings).on(HOST)) == (Status.Success, "")
    assert probe() == (PowerState.ON, "")
    state, why = probe(password="env:WRONG")
    assert (state, "login refused" in why, "not-the-word" in why) == (None, True, False), why
    state, why = probe(verify=True)
    assert (state, "certificate" in why.lower()) == (None, True), why


def test_redfish_reads_back_what_comes_seconds_later(emulator: str) -> None:
    controls = [
        power_control_from_spec({"type": "redfish", "url": emulator, "system": f"node{n}", "timeout": 30})
        for n in range(3)
    ]

    async def all_on() -> list[Any]:
        return await asyncio.gather(*(control.on(HOST) for control in controls))

    async def states() -> list[Any]:
        return await asyncio.gather(*(control.status(HOST) for control in controls))

    assert run(states()) == [PowerState.OFF] * 3
    assert [status for status, _ in run(all_on())] == [Status.Success] * 3
    assert run(states()) == [PowerState.ON] * 3
    assert run(controls[0].on(HOST)) == (Status.Success, "already on")
    hasty = power_control_from_spec({"type": "redfish", "url": emulator, "system": "uuid-1", "timeout": 0.9})
    status, said = run(hasty.off(HOST))
    # How long the emulator takes is drawn by lot, and a busy machine looks earlier for the last time.
    told = {Status.Failed: "still on after 0.", Status.Unstable: "was not seen within 0.", Status.Error: "within 0."}
    assert told.get(status, "") in said
    assert run(controls[2].off(HOST))[0] is Status.Success
    unnamed = power_control_from_spec({"type": "redfish", "url": emulator})
    assert "system must say which of these it is: uuid-0, uuid-1, uuid-2" in run(unnamed.probe(HOST))[1]


SESSION = """
import os, sys, redfish
client = redfish.redfish_client(base_url=sys.argv[1], username="admin", password=os.environ["BMC_PASSWORD"])
client.login(auth="session")
print(client.get("/redfish/v1/Systems/1").dict["PowerState"])
client.post("/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", body={"ResetType": "ForceOff"})
client.logout()
"""


def test_redfish_in_sessions_as_the_library_of_its_makers_opens_them(
    peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No emulator with sessions can be had, so the stand-in for one is logged in to by DMTF's own client, too."""
    monkeypatch.setenv("BMC_PASSWORD", "s3cret-word")
    environment = peer("redfish", ["redfish>=3.4"])
    with redfish_service("s3cret-word") as service:
        service.add("1")
        settings = {"type": "redfish", "url": service.url, "user": "admin", "password": "env:BMC_PASSWORD"}
        control = power_control_from_spec({**settings, "timeout": 60})
        assert run(control.on(HOST)) == (Status.Success, "")
        ours = len(service.logins)
        done = subprocess.run(
            [environment.python, "-c", SESSION, service.url], capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stdout) == (0, "On\n"), done.stderr
        assert len(service.logins) == ours + 1
        assert run(control.status(HOST)) is PowerState.OFF
        assert (set(service.logins), service.tokens) == ({"session"}, {})


def test_redfish_says_what_a_system_starts_from_and_how_it_is(emulator: str) -> None:
    control = power_control_from_spec({"type": "redfish", "url": emulator, "system": "node1", "timeout": 30})
    host = PowerOnlyHost("h1", power_control=control)
    assert run(set_boot(host, BootDevice.PXE, once=False)) == (Status.Success, "")
    status, said = run(set_boot(host, BootDevice.CD, once=True))  # it keeps every device for every start, and says so
    assert (status, said) == (Status.Success, "the system was asked for Once and says Continuous")
    status, said = run(set_boot(host, BootDevice.BIOS, once=True))
    assert (status, "cannot start from BiosSetup; it offers " in said) == (Status.Failed, True), said
    health, why = run(read_health(host))
    assert health is not None, why
    assert (health.level, health.power) == (Level.OK, PowerState.OFF)
    readings = {each.name: (each.value, each.unit) for each in health.sensors}
    assert readings["Chassis Intake Temp"] == (25.0, "°C")
    assert readings["BaseBoard System Fan"] == (2100.0, "RPM")


# --- SNMP: snmpsim

SNMPSIM = ["snmpsim>=1.2", "pysmi", "cryptography>=47"]


def test_snmp_outlets(peer: Any, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMUNITY", "public")
    monkeypatch.setenv("WRONG", "private")
    environment = peer("snmpsim", SNMPSIM)
    data = tmp_path / "data"
    data.mkdir()
    outlet = "1.3.6.1.4.1.318.1.1.4.4.2.1.3"
    (data / "public.snmprec").write_text(f"{outlet}.1|2:writecache|value=2\n{outlet}.2|2|2\n{outlet}.3|4|no number\n")
    port = free_port(socket.SOCK_DGRAM)
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    group = subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()
    program = start(
        environment.program("snmpsim-command-responder"), f"--data-dir={data}", f"--cache-dir={tmp_path}/cache",
        f"--agent-udpv4-endpoint=127.0.0.1:{port}", f"--variation-module-options=writecache:file:{tmp_path}/written",
        f"--process-user={user}", f"--process-group={group}",
    )  # fmt: skip
    log = tmp_path / "program-0.log"
    until(lambda: f"127.0.0.1:{port}" in log.read_text(errors="replace"), program, tmp_path)

    def outlet_control(number: int, **more: object) -> Any:
        settings = {"address": "127.0.0.1", "port": port, "model": "apc", "community": "env:COMMUNITY", "timeout": 10}
        return power_control_from_spec({"type": "snmp", "outlet": number, "cycle_delay": 0.1, **settings, **more})

    assert run(outlet_control(1).status(HOST)) is PowerState.OFF
    assert_power_controller_conforms(outlet_control(1))
    for version in ("1", "2c"):
        assert run(outlet_control(1, version=version).off(HOST)) == (Status.Success, "")
    status, said = run(outlet_control(2).on(HOST))
    assert status is Status.Failed, "an outlet that may not be written"
    assert said.startswith(f"127.0.0.1:{port}: ")
    assert run(outlet_control(3).status(HOST)) is None
    assert "no answer" in run(outlet_control(1, community="env:WRONG", timeout=1).on(HOST))[1]

    async def twenty() -> list[Any]:
        return await asyncio.gather(*(outlet_control(1).status(HOST) for _ in range(20)))

    assert run(twenty()) == [PowerState.OFF] * 20


def test_snmp_with_logins_and_encryption(
    peer: Any, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AUTH_1", "PRIV_1", "AUTH_2", "PRIV_2", "WRONG"):
        monkeypatch.setenv(name, f"password-{name}")
    data = tmp_path / "data"
    data.mkdir()
    outlet = "1.3.6.1.4.1.318.1.1.4.4.2.1.3.1"
    (data / ".snmprec").write_text(f"{outlet}|2:writecache|value=2\n")  # the name is the context's: none
    ports = [free_port(socket.SOCK_DGRAM) for _ in range(2)]
    words = [f"--cache-dir={tmp_path}/cache", f"--variation-module-options=writecache:file:{tmp_path}/written"]
    words += ["--process-user=root", "--process-group=root"] if os.getuid() == 0 else []
    for number, port in enumerate(ports, 1):  # the same user has other passwords on the second unit
        words += [
            f"--v3-engine-id=800000000102030{number}", "--v3-user=bench",
            f"--v3-auth-key=password-AUTH_{number}", "--v3-auth-proto=SHA",
            f"--v3-priv-key=password-PRIV_{number}", "--v3-priv-proto=AES",
            f"--data-dir={data}", f"--agent-udpv4-endpoint=127.0.0.1:{port}",
        ]  # fmt: skip
    program = start(peer("snmpsim", SNMPSIM).program("snmpsim-command-responder"), *words)
    log = tmp_path / "program-0.log"
    until(lambda: f"127.0.0.1:{ports[1]}" in log.read_text(errors="replace"), program, tmp_path)

    def unit(number: int, **more: object) -> Any:
        secrets = {"auth_password": f"env:AUTH_{number}", "priv_password": f"env:PRIV_{number}"}
        place = {"address": "127.0.0.1", "port": ports[number - 1], "model": "apc", "outlet": 1, "timeout": 10}
        login = {"version": "3", "user": "bench", **secrets}
        return power_control_from_spec({"type": "snmp", "cycle_delay": 0.1, **place, **login, **more})

    assert run(unit(1).on(HOST)) == (Status.Success, "")
    assert run(unit(1).status(HOST)) is PowerState.ON
    assert_power_controller_conforms(unit(2))
    for wrong, said in (
        ({"user": "nobody"}, "the user is not known there"),
        ({"auth_password": "env:WRONG"}, "auth_password is wrong, or auth_protocol"),
        ({"priv_password": "env:WRONG"}, "priv_password is wrong, or priv_protocol"),
    ):
        assert run(unit(1, **wrong).on(HOST)) == (Status.Error, f"127.0.0.1:{ports[0]}: login refused: {said}")

    async def both_at_once() -> list[Any]:
        return await asyncio.gather(*(unit(number).probe(HOST) for number in (1, 2) * 3))

    assert {why for _, why in run(both_at_once())} == {""}


SIGNED = {"md5": "MD5", "sha": "SHA", "sha224": "SHA224", "sha256": "SHA256", "sha384": "SHA384", "sha512": "SHA512"}
ENCRYPTED = {
    "des": "DES",
    "3des": "3DES",
    "aes": "AES",
    "aes192": "AES192BLMT",
    "aes256": "AES256BLMT",
    "aes192c": "AES192",
    "aes256c": "AES256",
}
"""Protocols of version 3 by our names: what the simulator calls them."""


def test_snmp_signs_and_encrypts_in_every_way(
    peer: Any, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGN", "password-SIGN")
    monkeypatch.setenv("SEAL", "password-SEAL")
    data = tmp_path / "data"
    data.mkdir()
    (data / ".snmprec").write_text("1.3.6.1.4.1.318.1.1.4.4.2.1.3.1|2|1\n")
    ways = [(sign, "aes") for sign in SIGNED] + [("sha256", seal) for seal in ENCRYPTED]
    ports = [free_port(socket.SOCK_DGRAM) for _ in ways]
    words = [f"--cache-dir={tmp_path}/cache"]
    words += ["--process-user=root", "--process-group=root"] if os.getuid() == 0 else []
    for number, ((sign, seal), port) in enumerate(zip(ways, ports, strict=True)):
        words += [
            f"--v3-engine-id=8000000001020{number:03x}", "--v3-user=bench",
            "--v3-auth-key=password-SIGN", f"--v3-auth-proto={SIGNED[sign]}",
            "--v3-priv-key=password-SEAL", f"--v3-priv-proto={ENCRYPTED[seal]}",
            f"--data-dir={data}", f"--agent-udpv4-endpoint=127.0.0.1:{port}",
        ]  # fmt: skip
    program = start(peer("snmpsim", SNMPSIM).program("snmpsim-command-responder"), *words)
    log = tmp_path / "program-0.log"
    until(lambda: f"127.0.0.1:{ports[-1]}" in log.read_text(errors="replace"), program, tmp_path)
    login = {"version": "3", "user": "bench", "auth_password": "env:SIGN", "priv_password": "env:SEAL"}
    told = {}
    for (sign, seal), port in zip(ways, ports, strict=True):
        place = {"address": "127.0.0.1", "port": port, "model": "apc", "outlet": 1, "timeout": 10}
        control = power_control_from_spec(
            {"type": "snmp", **place, **login, "auth_protocol": sign, "priv_protocol": seal}
        )
        told[sign, seal] = run(control.probe(HOST))
    assert told == dict.fromkeys(ways, (PowerState.ON, ""))


# --- PDUDaemon


DRIVERS = """
import pathlib, re, pdudaemon.drivers
for file in pathlib.Path(pdudaemon.drivers.__file__).parent.glob("*.py"):
    for known in re.findall(r"drivername(?:\\.lower\\(\\))? (?:==|in) (.*)|models = (.*)", file.read_text()):
        print(*re.findall("[\\"']([^\\"']+)[\\"']", "".join(known)))
"""
"""Prints the drivers that PDUDaemon's sources name; those on USB are named by the names of their classes."""


def test_pdudaemon(peer: Any, start: Start, tmp_path: Path) -> None:
    environment = peer("pdudaemon", [str(HERE / "systemd_stub"), "pdudaemon==1.1.1"])
    port = free_port()
    state = tmp_path / "outlet"
    unit = {"driver": "localcmdline", "cmd_on": f"echo on > {state}-%s", "cmd_off": f"echo off > {state}-%s"}
    config = tmp_path / "pdudaemon.conf"
    daemon = {"hostname": "127.0.0.1", "port": port, "logging_level": "INFO", "listener": "http"}
    config.write_text(json.dumps({"daemon": daemon, "pdus": {"bench pdu": unit}}))
    program = start(environment.program("pdudaemon"), "--conf", str(config))
    until(lambda: listens(port), program, tmp_path)
    settings = {"type": "pdudaemon", "url": f"http://127.0.0.1:{port}", "outlet": 7, "timeout": 15, "cycle_delay": 0.1}
    control = power_control_from_spec(
        {**settings, "pdu": "bench pdu", "status_cmd": f"cat {state}-7", "status_on": "on", "status_off": "off"}
    )
    assert_power_controller_conforms(control)
    assert run(control.off(HOST)) == (Status.Success, "OK - accepted request")
    assert (tmp_path / "outlet-7").read_text() == "off\n"
    told = subprocess.run([environment.python, "-c", DRIVERS], capture_output=True, text=True, check=True)
    page = (HERE.parents[2] / "docs/reference/power.md").read_text()
    assert [name for name in told.stdout.split() if "%" not in name and f"`{name}`" not in page] == [], (
        "the table has every driver"
    )
    unknown = power_control_from_spec({**settings, "pdu": "no such unit", "timeout": 3})
    status, said = run(unknown.on(HOST))  # its 500 may be an error of its own, so the order is repeated until the end
    assert (status, f"127.0.0.1:{port}: HTTP 500: Invalid request" in said) == (Status.Error, True), said


# --- libvirt: its own test driver

LIBVIRT_DEBS = [
    "libvirt0", "libvirt-dev", "libnl-3-200", "libnl-route-3-200", "libssh-4", "libyajl2", "libtirpc3", "libxml2",
]  # fmt: skip
LIBVIRT_PROGRAM = """
import asyncio, libvirt
from bespeak.host import PowerOnlyHost, Status
from bespeak.host.power import PowerState, power_control_from_spec
from bespeak.testing import assert_power_controller_conforms

kept = libvirt.open("test:///default")  # the driver keeps its state as long as somebody in the process is connected
host = PowerOnlyHost("test")
control = power_control_from_spec({"type": "libvirt", "uri": "test:///default", "cycle_delay": 0.1, "timeout": 10})
assert asyncio.run(control.status(host)) is PowerState.ON
assert_power_controller_conforms(control, host)
assert asyncio.run(control.on(host)) == (Status.Success, "already on")
gentle = power_control_from_spec({"type": "libvirt", "uri": "test:///default", "off_type": "graceful", "domain": "test"})
assert asyncio.run(gentle.off(host))[0] is Status.Success
missing = power_control_from_spec({"type": "libvirt", "uri": "test:///default", "domain": "nobody"})
assert asyncio.run(missing.on(host)) == (Status.Failed, "libvirt has no domain 'nobody'")
wrong = power_control_from_spec({"type": "libvirt", "uri": "nonsense:///x"})
status, said = asyncio.run(wrong.on(host))
assert status is Status.Error and said.startswith("nonsense:///x: "), said
print("all of it")
"""


def test_libvirt(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        packages = debs.unpacked(LIBVIRT_DEBS)
        for name, value in packages.building.items():
            monkeypatch.setenv(name, value)
        environment = peervenv.environment("libvirt", ["libvirt-python>=9"], bespeak="")
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)
    done = subprocess.run(
        [environment.python, "-c", LIBVIRT_PROGRAM],
        capture_output=True, text=True, check=False, timeout=120, env=os.environ | {"LD_LIBRARY_PATH": packages.libraries},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "all of it\n", "")


# --- fence-agents: its dummy agent, which keeps its state in a file


def test_fence_agents(peer: Any, tmp_path: Path) -> None:
    environment = peer("fence-agents", ["pexpect", "pycurl"])
    try:
        packages = debs.unpacked(["fence-agents"])
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)
    agent = tmp_path / "fence_dummy"
    agent.write_text(
        f"#!/bin/sh\nexec env PYTHONPATH={packages.root}/usr/share/fence {environment.python} "
        f'{packages.root}/usr/sbin/fence_dummy "$@"\n'
    )
    agent.chmod(0o755)
    settings = {"type": "fence", "agent": str(agent), "cycle_delay": 0.1, "timeout": 60}
    control = power_control_from_spec({**settings, "options": {"status_file": str(tmp_path / "state")}})
    assert run(control.status(HOST)) is PowerState.OFF
    assert_power_controller_conforms(control)
    assert (tmp_path / "state").read_text() == "on"
    assert run(control.off(HOST))[0] is Status.Success
    assert (tmp_path / "state").read_text() == "off"
    failing = power_control_from_spec({**settings, "options": {"type": "fail"}, "outlet": "p", "timeout": 5})
    assert run(failing.off(HOST))[0] is not Status.Success


# --- SSH: OpenSSH's own server


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[openssh.Server]:
    try:
        with openssh.server(tmp_path) as found:
            yield found
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)


def test_openssh(sshd: openssh.Server, tmp_path: Path) -> None:
    host = UnixHost(
        "h", ip="127.0.0.1",
        ssh=SshOptions(user=sshd.user, port=sshd.port, key=sshd.key, agent=False, known_hosts=sshd.known_hosts),
    )  # fmt: skip

    async def work() -> Any:
        try:
            return (
                await host.is_reachable(5),
                await host.oneshot("echo from $0; exit 3"),
                await host.oneshot(f"echo $$ > {tmp_path}/pid; exec sleep 1000", timeout=2),
                await host.oneshot("echo still here"),
            )
        finally:
            await host.close()

    reachable, failed, late, after = run(work())
    assert reachable
    assert (failed.status, failed.retcode) == (Status.Failed, 3)
    assert late.status is Status.Error
    assert after.output == "still here"
    pid = int((tmp_path / "pid").read_text())
    if os.getuid() == 0:  # OpenSSH passes no signals on to the processes of root; see docs/explanation/power.md
        os.kill(pid, 9)
    job_sites.until(lambda: not trees.lives(pid), "the end of the command")


def test_a_console_behind_openssh(sshd: openssh.Server, tmp_path: Path) -> None:
    door = UnixHost(
        "door", ip="127.0.0.1",
        ssh=SshOptions(user=sshd.user, port=sshd.port, key=sshd.key, agent=False, known_hosts=sshd.known_hosts),
    )  # fmt: skip
    host = PowerOnlyHost("r1")
    host.console = console_from_spec(
        {"type": "ssh", "controller": "door", "command": "printf 'login: '; tty; read x; echo", "line": "r1"}
    )
    host._lab = HostLab("bench", {"door": door, "r1": host})
    steps = (Step(expect=b"login: /dev/"), Step(send=b"root\r"), Step(expect=b"r1"))

    async def work() -> Dialogue:
        dialogue = Dialogue(steps=steps, timeout_seconds=60)
        try:
            await converse(host, dialogue, str(tmp_path / "transcript"))
        finally:
            await door.close()
        return dialogue

    assert run(work()).end is End.DONE
    assert b"r1" in (tmp_path / "transcript").read_bytes()


BEHIND_ONE_DOOR = 200


def test_many_hosts_behind_one_openssh_server(sshd: openssh.Server, tmp_path: Path) -> None:
    """OpenSSH serves ten sessions over one connection; 200 hosts whose commands run there are cycled at once."""
    door = UnixHost(
        "door", ip="127.0.0.1",
        ssh=SshOptions(user=sshd.user, port=sshd.port, key=sshd.key, agent=False, known_hosts=sshd.known_hosts),
    )  # fmt: skip
    lab = HostLab("bench", {"door": door})
    states = tmp_path / "states"
    states.mkdir()
    for number in range(BEHIND_ONE_DOOR):
        control = power_control_from_spec(
            {
                "type": "command", "controller": "door", "timeout": 600, "cycle_delay": 0.01,
                "on_cmd": f"echo on >> {states}/{{id}}", "off_cmd": f"echo off >> {states}/{{id}}",
            }
        )  # fmt: skip
        host = PowerOnlyHost(f"r{number}", power_control=control)
        host._lab = lab
        lab.hosts[host.id] = host

    async def cycle_all() -> list[tuple[Status, str]]:
        hosts = [host for host in lab.hosts.values() if host is not door]
        try:
            return list(await asyncio.gather(*(host.require_power_control().cycle(host) for host in hosts)))
        finally:
            await lab.close()

    results = run(cycle_all())
    assert {status for status, _ in results} == {Status.Success}, results
    assert [path.read_text() for path in states.iterdir()] == ["off\non\n"] * BEHIND_ONE_DOOR
