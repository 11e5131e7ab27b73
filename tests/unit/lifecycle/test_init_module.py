"""A controller of a project's own: registered by an init module, named by lab data, used by the real program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.trusting import trust

SETTINGS = """
libs = ["${sut_dir}/lib"]
init = ["bench_power"]
[reservations]
backend = "ledger"
[ledger]
url = "book.db"
"""
LAB = """
[[hosts]]
id = "r1"
labs = ["bench"]
resources = ["rack1"]
power_control = { type = "bench-relay", relay = 4 }

[[hosts]]
id = "r2"
labs = ["bench"]
resources = ["rack1"]
power_control = "bench-relay"
"""
MODULE = """
from pathlib import Path

from bespeak.host import Status
from bespeak.host.power import PowerController, PowerState, register_power_controller


class BenchRelay(PowerController):
    type_name = "bench-relay"

    def __init__(self, relay=1):
        self._file = Path(f"relay{relay}")

    async def on(self, host):
        self._file.write_text("on")
        return Status.Success, f"{host.id} by {self._file}"

    async def off(self, host):
        self._file.write_text("off")
        return Status.Success, ""

    async def status(self, host):
        return PowerState(self._file.read_text()) if self._file.exists() else PowerState.OFF


register_power_controller("bench-relay", BenchRelay)
"""


class Project:
    """A repository with settings, a library and a lab, and the program in it."""

    def __init__(self, cli: Any, folder: Path) -> None:
        self.cli = cli
        self.folder = folder
        self.module = folder / "lib" / "bench_power.py"
        (folder / ".bespeak").mkdir()
        (folder / ".bespeak" / "settings.toml").write_text(SETTINGS)
        (folder / "lab.toml").write_text(LAB)
        self.module.parent.mkdir()
        self.write_module(MODULE)

    def write_module(self, text: str) -> None:
        self.module.write_text(text)
        trust(self.folder)

    def __call__(self, *words: str) -> Any:
        return self.cli("--as-user", "alice", "-l", "bench", *words, cwd=self.folder)


@pytest.fixture
def project(cli: Any, tmp_path: Path) -> Project:
    found = Project(cli, tmp_path)
    assert found("reserve", "rack1", "--for", "1h").returncode == 0
    return found


def test_the_controller_of_an_init_module_switches(project: Project) -> None:
    done = project("power", "on", "r1", "r2")
    assert done.returncode == 0, done.stderr
    assert "r1 by relay4" in done.stdout
    assert [(project.folder / name).read_text() for name in ("relay4", "relay1")] == ["on", "on"]
    assert project("power", "off", "r2").returncode == 0
    shown = project("power", "status", "--all").stdout.split()
    assert shown[-6:] == ["r1", "on", "bench-relay", "r2", "off", "bench-relay"]
    assert "(on r1 by bench-relay: off -> on, Success, " in project("log", "--resource", "rack1").stdout
    assert project("host", "list").returncode == 0
    checked = project("lab", "check")
    assert checked.returncode == 0, checked.stdout


def test_an_init_module_that_registers_nothing(project: Project) -> None:
    project.write_module("")
    done = project("power", "on", "r1")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "Unknown power controller 'bench-relay'. Registered controllers: command, fence, http, ipmi, " in said
    assert "Traceback" not in said


def test_an_init_module_that_fails(project: Project) -> None:
    project.write_module("raise RuntimeError('s3cret')")
    done = project("power", "on", "r1")
    assert (done.returncode, done.stdout) == (9, "")
    said = done.stderr.splitlines()[1:]
    assert len(said) == 1, "one line, after the one that says whom it acts for"
    assert "the init module 'bench_power' of " in said[0]
    assert "s3cret" not in done.stderr
    assert not list(project.folder.glob("relay*"))
