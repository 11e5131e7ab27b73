"""Fence agents through their standard input, against a program that takes it as theirs do."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from bespeak.host import PowerOnlyHost, Status
from bespeak.host.power import PowerState, power_control_from_spec
from bespeak.testing import assert_power_controller_conforms

from .conftest import run

HOST = PowerOnlyHost("h1")


def make(kind: str, **settings: Any) -> Any:
    return power_control_from_spec({"type": kind, **settings})


PASSWORD = "s3cret-" + "w0rd"
AGENT = """#!/bin/sh
printf '%s\\n' "$@" > {place}/args
env > {place}/env
cat > {place}/in
action=$(sed -n 's/^action=//p' {place}/in)
plug=$(sed -n 's/^plug=//p' {place}/in)
[ -e {place}/broken ] && { echo "2026 ERROR: $(cat {place}/broken) $(sed -n 's/^password=//p' {place}/in)" >&2; exit 1; }
[ -e {place}/slow ] && { echo $$ > {place}/pid; sleep 1000; }
case "$action" in
status) [ "$(cat {place}/plug-$plug 2> /dev/null)" = on ] && { echo 'Status: ON'; exit 0; }; echo 'Status: OFF'; exit 2 ;;
on|off) echo "$action" > {place}/plug-$plug; echo "Success: Powered $action" ;;
esac
"""


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PDU_PASSWORD", PASSWORD)
    program = tmp_path / "fence_bench"
    program.write_text(AGENT.replace("{place}", str(tmp_path)))
    program.chmod(0o755)
    return program


def control(agent: Path, **more: Any) -> Any:
    options = {"ip": "pdu1", "username": "apc", "password": "env:PDU_PASSWORD", "ssl": True, "shell_timeout": 3}
    return make("fence", agent=str(agent), outlet=7, options=options, **{"timeout": 60, "cycle_delay": 0.0, **more})


def test_everything_goes_over_standard_input(agent: Path, tmp_path: Path) -> None:
    assert_power_controller_conforms(control(agent))
    assert run(control(agent).off(HOST)) == (Status.Success, "Success: Powered off")
    assert (tmp_path / "plug-7").read_text() == "off\n"
    assert (tmp_path / "in").read_text().splitlines() == [
        "ip=pdu1", "username=apc", f"password={PASSWORD}", "ssl=1", "shell_timeout=3", "plug=7", "action=status",
    ]  # fmt: skip
    assert (tmp_path / "args").read_text() == "\n"
    assert PASSWORD not in (tmp_path / "env").read_text()
    assert PASSWORD not in repr(control(agent))


def test_an_agent_that_fails_is_told_without_the_password(agent: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("Unable to connect/login to fencing device")
    status, said = run(control(agent, timeout=600).on(HOST))  # asked once: a wrong password locks accounts
    assert (status, "Unable to connect/login" in said, PASSWORD in said) == (Status.Error, True, False)
    (tmp_path / "broken").write_text("Connection timed out")
    state, why = run(control(agent).probe(HOST))
    assert (state, "fence_bench pdu1: 2026 ERROR: Connection timed out ***" in why) == (None, True)


def test_an_agent_that_hangs_is_killed(agent: Path, tmp_path: Path) -> None:
    (tmp_path / "slow").touch()
    status, said = run(control(agent, timeout=2).on(HOST))
    assert (status, "no answer within 2 s" in said) == (Status.Error, True)
    if (tmp_path / "pid").exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGCONT)


def test_an_agent_that_is_not_installed() -> None:
    told = "fence_nobody is not installed; it comes with fence-agents"
    assert run(make("fence", agent="fence_nobody", timeout=5).on(HOST)) == (Status.Error, told)


def test_a_reading_of_off_is_certain(agent: Path) -> None:
    assert run(control(agent).status(HOST)) is PowerState.OFF


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"agent": "rm"}, "agent must be the name or the absolute path of a fence_ program, not 'rm'"),
        ({"agent": "./fence_x"}, "agent must be the name"),
        ({"options": {"password": "plain"}}, "options: password must say where the secret is"),
        ({"options": {"snmp_priv_passwd": "plain"}}, "options: snmp_priv_passwd must say where the secret is"),
        ({"options": {"action": "off"}}, "options: action is not for lab data"),
        ({"options": {"ip": "a\naction=on"}}, "options: ip must be one line"),
        ({"options": {"a b": "x"}}, "options: 'a b' is no name of an option"),
        ({"options": {"ip": ["x"]}}, "options: ip must be a text"),
        ({"outlet": "7\noff"}, "outlet must be one line"),
    ],
)
def test_settings(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make("fence", **{"agent": "fence_apc", **settings})
