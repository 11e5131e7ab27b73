"""A project as otto knows it, in the two forms that its releases read, gated by bespeak's book."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.peervenv import Environment

LAB = "demo"
NEEDED = ("analyser", "rack1")
PROOF = "the lab was used"
_COMMAND = """
from {module} import instruction


@instruction()
async def use():
    print({proof!r})
"""
_DOCUMENTED = """
name = "bench"
version = "1.0.0"
labs = ["${{sut_dir}}/labs"]
libs = ["${{sut_dir}}/lib"]
init = ["bespeak.integrations.otto", "lab_commands"]

{reservations}
"""
_LATER = """
name = "bench"
version = "1.0.0"
libs = ["lib"]
init = ["bespeak.integrations.otto", "lab_commands"]

[[lab.sources]]
backend = "json"
paths = ["labs"]

{reservations}
"""


@dataclass(frozen=True)
class Release:
    """One published release of otto and what it calls things."""

    requirements: tuple[str, ...]
    later: bool
    sut_dirs: str
    as_user: str
    commands_from: str


DOCUMENTED = Release(("otto-sh==0.5.2",), later=False, sut_dirs="OTTO_SUT_DIRS", as_user="--as-user",
                     commands_from="otto.cli.run")  # fmt: skip
NEWEST = Release(("otto-sh", "typer<0.28"), later=True, sut_dirs="OTTOPATH", as_user="--holder",
                 commands_from="otto.instructions")  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """How a run of otto ended."""

    code: int
    text: str

    @property
    def used(self) -> bool:
        """Whether the gated command ran."""
        return PROOF in self.text


class Project:
    """A repository with a lab that needs two resources and one command that uses it."""

    def __init__(self, release: Release, environment: Environment, root: Path, reservations: str) -> None:
        self.release = release
        self.root = root
        self._environment = environment
        settings = (_LATER if release.later else _DOCUMENTED).format(reservations=reservations)
        self._write(".otto/settings.toml", settings)
        self._write("lib/lab_commands.py", _COMMAND.format(module=release.commands_from, proof=PROOF))
        self._write(*(_later_lab() if release.later else _documented_lab()))

    def _write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def otto(self, *args: str, user: str | None = None, **environ: str) -> Answer:
        """Run ``otto`` on the lab, as ``user`` if given."""
        whose = [self.release.as_user, user] if user else []
        return self._run(["--lab", LAB, *whose, *args], environ)

    def use(self, *args: str, user: str | None = None) -> Answer:
        """Run the gated command."""
        return self.otto(*args, "run", "use", user=user)

    def complete(self, typed: str) -> list[str]:
        """Return what a shell offers after ``typed``."""
        words = f"otto {typed}"
        environ = {"_OTTO_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(typed.split(" ")))}
        return self._run([], environ).text.split()

    def _run(self, args: list[str], environ: dict[str, str]) -> Answer:
        done = subprocess.run(
            [self._environment.program("otto"), *args],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            cwd=self.root,
            env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1", self.release.sut_dirs: str(self.root)} | environ,
        )
        return Answer(done.returncode, re.sub(r"[ \n]+", " ", done.stdout))


def _documented_lab() -> tuple[str, str]:
    host = {"ip": "127.0.0.1", "element": "dut", "creds": {"lab": "s3cret"}, "resources": [*NEEDED], "labs": [LAB]}
    return "labs/hosts.json", json.dumps([host])


def _later_lab() -> tuple[str, str]:
    host = {"ip": "127.0.0.1", "os_type": "unix", "creds": [{"login": "lab", "password": "s3cret"}]}
    element = {"name": "dut", "labs": [LAB], "hosts": [host], "resources": [NEEDED[1]]}
    return "labs/lab.json", json.dumps({"labs": {LAB: {"resources": [NEEDED[0]]}}, "elements": [element], "links": []})
