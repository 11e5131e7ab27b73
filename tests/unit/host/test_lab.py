"""From lab data to hosts: every mistake is named, and costs only the host that has it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.errors import UsageError
from bespeak.host import LocalHost, PowerOnlyHost, UnixHost, build_hosts
from bespeak.host.label_selector import labels_of, matching, parse_labels
from bespeak.host.power import CommandPowerController, build_power_controller, known_controllers
from bespeak.host.secrets import Secret, SecretError, scrubbed
from bespeak.labs import LabStore

SECRET = "hunter2-" + "hunter2"


def lab(tmp_path: Path, text: str):
    (tmp_path / "lab.toml").write_text(text)
    return build_hosts(LabStore([str(tmp_path)]).load(["bench"]))


def test_kinds_of_hosts(tmp_path: Path) -> None:
    built = lab(
        tmp_path,
        """
        [[hosts]]
        id = "unix"
        labs = ["bench"]
        address = "10.0.0.1"
        user = "root"
        hop = "here"
        labels = ["arm64"]
        resources = ["rack1"]
        ssh = { port = 2222, key = "~/key", password = "env:P", agent = false, connect_timeout = 3 }
        [[hosts]]
        id = "switched"
        labs = ["bench"]
        labels = { rack = 3, spare = true }
        power_control = { type = "command", on_cmd = "a", off_cmd = "b" }
        [[hosts]]
        id = "here"
        kind = "local"
        labs = ["bench"]
        """,
    )
    assert built.broken == {}
    unix = built.hosts["unix"]
    assert isinstance(unix, UnixHost)
    assert (unix.ip, unix.hop, unix.ssh.user, unix.ssh.port, unix.ssh.agent) == (
        "10.0.0.1",
        "here",
        "root",
        2222,
        False,
    )
    assert unix.resources == {"rack1"}
    assert unix._lab is built
    assert isinstance(built.hosts["switched"], PowerOnlyHost)
    assert built.hosts["switched"].labels == {"rack=3", "spare"}
    assert isinstance(built.hosts["switched"].power_control, CommandPowerController)
    assert isinstance(built.hosts["here"], LocalHost)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("power_control = { on_cmd = 'x' }", "power_control: needs a type; known: command, fence"),
        ("power_control = 5", "power_control: must be a name, a table or a list"),
        ("power_control = 'warp'", "power_control: Unknown power controller 'warp'"),
        ("power_control = { type = 'command', on_cmd = 'a {nme}', off_cmd = 'b' }", "on_cmd: no field '{nme}'"),
        ("power_control = { type = 'command', on_cmd = 'a', off_cmd = 'b {name.x}' }", "off_cmd: no field '{name.x}'"),
        ("power_control = { type = 'command', on_cmd = 'a', off_cmd = 'ping {ip}' }", "off_cmd uses {ip}, but"),
        (
            "power_control = { type = 'command', on_cmd = 'a', off_cmd = 'b', controller = 'no' }",
            "no host 'no' in the lab",
        ),
        ("power_control = [{ type = 'command', on_cmd = 'a', off_cmd = 'b', controller = 'no' }]", "no host 'no'"),
        ("kind = 'windows'", "kind must be one of local, unix, power-only"),
        ("kind = 'unix'", "needs an address"),
        ("address = '1.2.3.4'\nhop = 'no'", "hop: no host 'no' in the lab"),
        ("address = '1.2.3.4'\nssh = { prt = 1 }", "ssh: there is no setting 'prt'; did you mean port"),
        ("address = '1.2.3.4'\nssh = 5", "ssh must be a table"),
        ("address = '1.2.3.4'\nssh = { port = 'x' }", "ssh: port must be a number from 1"),
        ("address = '1.2.3.4'\nssh = { agent = 'no' }", "ssh: agent must be true or false"),
        (f"address = '1.2.3.4'\nssh = {{ password = '{SECRET}' }}", "password must say where the secret is"),
        (f"address = '1.2.3.4'\ncreds = {{ root = '{SECRET}' }}", "password must say where the secret is"),
        (
            f"power_control = {{ type = 'ipmi', address = 'x', user = 'u', password = '{SECRET}' }}",
            "password must say where",
        ),
        ("labels = 5", "labels must be a list of texts or a table"),
    ],
)
def test_a_mistake_names_file_host_and_field_and_costs_that_host_only(tmp_path: Path, line: str, told: str) -> None:
    built = lab(
        tmp_path, f"[[hosts]]\nid = 'good'\nlabs = ['bench']\n[[hosts]]\nid = 'bad'\nlabs = ['bench']\n{line}\n"
    )
    assert list(built.hosts) == ["good"]
    assert str(tmp_path / "lab.toml") in built.broken["bad"]
    assert "(bad)" in built.broken["bad"]
    assert told in built.broken["bad"]
    assert SECRET not in built.broken["bad"]


def test_hostile_host_names_are_told_when_the_lab_is_loaded(tmp_path: Path) -> None:
    control = """power_control = { type = "command", on_cmd = "ssh hyp 'start {name}'", off_cmd = "b" }"""
    built = lab(tmp_path, f'[[hosts]]\nid = "a; reboot\\u001b[2J"\nlabs = ["bench"]\n{control}\n')
    (told,) = built.broken.values()
    assert "cannot be put inside quotes" in told
    assert told.isprintable()


def test_every_shipped_controller_loads_and_is_known() -> None:
    assert known_controllers() >= ["command"]
    for name in ("command", "http", "ipmi", "libvirt", "pdudaemon", "redfish", "snmp", "wol"):
        assert build_power_controller(name).type_name == name
        assert name in known_controllers()


def test_an_entry_point_brings_a_controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "lab_robot-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-robot\nVersion: 1.0\n")
    points = "robot = lab_robot:Robot\nnothing = lab_robot:Missing\nnumber = lab_robot:FIVE\n"
    (info / "entry_points.txt").write_text(f"[bespeak.power_controllers]\n{points}")
    (tmp_path / "lab_robot.py").write_text(
        "from bespeak.host import Status\nfrom bespeak.host.power import PowerController\nFIVE = 5\n"
        "class Robot(PowerController):\n    type_name = 'robot'\n"
        "    async def on(self, host): return Status.Success, 'pressed'\n"
        "    async def off(self, host): return Status.Success, 'pressed'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert "robot" in known_controllers()
    assert build_power_controller("robot").__name__ == "Robot"
    with pytest.raises(ValueError, match="package lab-robot cannot be loaded: AttributeError"):
        build_power_controller("nothing")
    with pytest.raises(ValueError, match="is no PowerController"):
        build_power_controller("number")


# --- secrets


def test_where_secrets_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", SECRET)
    assert Secret("env:NAME").reveal() == SECRET
    (tmp_path / "s").write_text(f"{SECRET}\r\nsecond line\n")
    assert Secret(f"file:{tmp_path}/s").reveal() == SECRET
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Secret("file:~/s").reveal() == SECRET
    assert repr(Secret("env:NAME")) == "Secret(env:NAME)"


def test_a_secret_in_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.backend import KeyringBackend
    from keyring.errors import PasswordSetError

    class Memory(KeyringBackend):
        priority = 1

        def get_password(self, service, username):
            if service == "broken":
                raise RuntimeError(SECRET)
            return SECRET if (service, username) == ("lab", "root") else None

        def set_password(self, service, username, password):
            raise PasswordSetError("nothing is stored here")

    before = keyring.get_keyring()
    keyring.set_keyring(Memory())
    try:
        assert Secret("keyring:lab/root").reveal() == SECRET
        with pytest.raises(SecretError, match="keyring:lab/nobody is not there"):
            Secret("keyring:lab/nobody").reveal()
        with pytest.raises(SecretError, match="cannot be read: RuntimeError") as told:
            Secret("keyring:broken/x").reveal()
        assert SECRET not in str(told.value)
    finally:
        keyring.set_keyring(before)


def test_secrets_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="env:NO_SUCH is not there or empty"):
        Secret("env:NO_SUCH").reveal()
    with pytest.raises(SecretError, match="cannot be read: No such file"):
        Secret(f"file:{tmp_path}/no").reveal()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(SecretError, match="not readable as text"):
        Secret(f"file:{tmp_path}/bytes").reveal()


@pytest.mark.parametrize("value", [SECRET, "", "env:", "vault:x", None, 5, "file:relative", "keyring:lab", "env:a\0b"])
def test_what_is_no_reference_is_refused_and_not_repeated(value: object) -> None:
    with pytest.raises(ValueError, match=r"^password") as told:
        Secret(value)
    assert SECRET not in str(told.value)


def test_scrubbing() -> None:
    assert scrubbed(f"no {SECRET} here", SECRET, None) == "no *** here"
    assert scrubbed("a b", "a") == "a b", "too short to be told from other text"


# --- labels


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ("arm64", True),
        ("usb2", False),
        ("arm64 and not usb2", True),
        ("arm64 and usb2 or rack=3", True),
        ("arm64 and (usb2 or rack=3)", True),
        ("not (arm64 or usb2)", False),
        ("not not arm64", True),
        ("ARM64", False),
    ],
)
def test_label_expressions(expression: str, matches: bool) -> None:
    assert parse_labels(expression)(frozenset({"arm64", "rack=3"})) is matches


@pytest.mark.parametrize("expression", ["", "and", "arm64 and", "(arm64", "arm64)", "not", "a b", "()", "(" * 500])
def test_expressions_that_make_no_sense(expression: str) -> None:
    with pytest.raises(UsageError, match="label"):
        parse_labels(expression)


@given(st.text(alphabet="ab() notdr=", max_size=40))
def test_any_expression_is_read_or_refused(expression: str) -> None:
    with suppress(UsageError):
        assert parse_labels(expression)(frozenset({"a"})) in {True, False}


def test_matching_hosts() -> None:
    hosts = [LocalHost("a", labels=["x"]), LocalHost("b")]
    assert [host.id for host in matching("x", hosts)] == ["a"]
    assert labels_of(None) == frozenset()


@pytest.mark.parametrize("user", ["['root']", "{ name = 'root' }", "3.5", "true"])
def test_a_user_that_is_no_text_breaks_only_its_host(tmp_path: Path, user: str) -> None:
    built = lab(tmp_path, f"[[hosts]]\nid = 'h'\nlabs = ['bench']\naddress = '10.0.0.1'\nuser = {user}\n")
    assert list(built.broken) == ["h"]
    assert "user must be a text" in str(built.broken["h"])
