"""Libraries are loaded by the action that needs them; one that is not installed is named with its extra."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bespeak.base.errors import needs_extra
from bespeak.host import PowerOnlyHost, SshOptions, Status, UnixHost
from bespeak.host.console.lines import ConsoleError
from bespeak.host.console.spec import console_from_spec
from bespeak.host.power import power_control_from_spec
from bespeak.host.secrets import Secret, SecretError

from .conftest import run

LIBRARIES = (
    *("asyncssh", "httpx", "pysnmp", "pyghmi", "wakeonlan", "libvirt", "keyring"),
    *("kasa", "serial", "telnetlib3"),
)
SETTINGS = {
    "http": {"url": "http://127.0.0.1:1", "model": "shelly1"},
    "pdudaemon": {"url": "http://127.0.0.1:1", "pdu": "p", "outlet": 1},
    "redfish": {"url": "http://127.0.0.1:1"},
    "snmp": {"address": "127.0.0.1", "outlet": 1, "model": "apc", "community": "env:HOME"},
    "wol": {"mac": "00:11:22:33:44:55"},
    "libvirt": {},
    "kasa": {"address": "127.0.0.1"},
}
PACKAGES = {
    "http": "httpx",
    "pdudaemon": "httpx",
    "redfish": "httpx",
    "snmp": "pysnmp.hlapi.v3arch",
    "wol": "wakeonlan",
}


def test_reading_lab_data_and_commands_load_no_library() -> None:
    program = (
        "import sys, bespeak.cli.power, bespeak.cli.host, bespeak.cli.host_console\n"
        "from bespeak.host.power import build_power_controller, known_controllers\n"
        "[build_power_controller(name) for name in known_controllers()]\n"
        f"print([name for name in {LIBRARIES!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_library_that_is_not_installed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGES.get(kind, kind), None)
    control = power_control_from_spec({"type": kind, "timeout": 5, **SETTINGS[kind]})
    status, said = run(control.on(PowerOnlyHost("h")))
    assert status is Status.Error
    extra = "http" if kind == "pdudaemon" else kind
    assert f"needs the extra '{extra}': in the clone of bespeak, pip install '.[{extra}]'" in said


def test_snmp_that_cannot_encrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    login = {"version": "3", "user": "me", "auth_password": "env:HOME", "priv_password": "env:HOME"}
    control = power_control_from_spec({"type": "snmp", "timeout": 5, **SETTINGS["snmp"], **login})
    assert run(control.on(PowerOnlyHost("h"))) == (Status.Error, needs_extra("snmp", "snmp"))


def test_ssh_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    result = run(UnixHost("h", ip="127.0.0.1", ssh=SshOptions(user="me")).oneshot("true"))
    assert (result.status, result.output) == (Status.Error, needs_extra("ssh me@127.0.0.1:22: SSH", "ssh"))


def test_a_keyring_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SecretError) as caught:
        Secret("keyring:lab/root").reveal()
    assert str(caught.value) == needs_extra("the secret keyring:lab/root", "keyring")


def test_a_machine_without_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "from bespeak.host.secrets import Secret\ntry: Secret('keyring:lab/root').reveal()\nexcept Exception as error: print(error)"
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("the secret keyring:lab/root cannot be read: NoKeyringError\n", "")


@pytest.mark.parametrize(("kind", "package"), [("telnet", "telnetlib3"), ("rfc2217", "serial")])
def test_a_console_whose_library_is_not_installed(kind: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    console = console_from_spec({"type": kind, "address": "127.0.0.1", "port": 1})
    assert console is not None
    with pytest.raises(ConsoleError, match="needs the extra 'console'"):
        run(console.open(PowerOnlyHost("h")))
