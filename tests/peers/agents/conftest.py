"""The programs of coding agents, from npm, each in ``.peers``; the model that they talk to is ``support/fake_model.py``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.peervenv import FOLDER
from support.repositories import git

PACKAGES = {
    "claude": ("@anthropic-ai/claude-code", "2.1.197", "install.cjs"),
    "codex": ("@openai/codex", "0.171.0", ""),
    "gemini": ("@google/gemini-cli", "0.61.0", ""),
    "opencode": ("opencode-ai", "1.18.33", "postinstall.mjs"),
}
"""Package, version, and the step after the installation that newer versions of npm leave out."""
QUIET = {
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "MCP_TIMEOUT": "120000",
    "GEMINI_TELEMETRY_ENABLED": "false",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
    "npm_config_offline": "true",
}
"""What keeps the programs from the network; and the patience of Claude Code with a server that starts, in ms."""
SECONDS = 240
"""A program that hangs is ended; on an idle machine each takes less than 20 s."""
OURS = (sys.executable, "-P", "-m", "bespeak")


@pytest.fixture(scope="session")
def program():
    """A function that returns the path of an agent's program, installed at the first call."""

    def get(name):
        package, version, step = PACKAGES[name]
        folder = Path(FOLDER, f"{name}-{version}")
        found = folder / "node_modules" / ".bin" / name
        ready = folder / ".ready"
        if not ready.exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text("{}")
            npm = shutil.which("npm") or pytest.fail("npm is not here: apt-get install npm", pytrace=False)
            _install([npm, "install", "--no-audit", "--no-fund", f"{package}@{version}"], folder, name)
            if step:
                _install(["node", step], folder / "node_modules" / package, name)
            ready.touch()
        return str(found)

    return get


def _install(argv, folder, name):
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{name} could not be installed: {done.stderr[-500:]}", pytrace=False)


@dataclass
class Project:
    """A repository that an agent works on, and the home of who works.

    Args:
        folder: the repository.
        home: where the agent's program keeps its own files.
    """

    folder: Path
    home: Path

    @property
    def file(self):
        """The one file there is."""
        return self.folder / "m.py"

    def write(self, name, text):
        """Write one of the user's own files."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *argv, **env):
        """Run a program that has to succeed; return what it printed, on stdout and then on stderr."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=kept | QUIET | {"HOME": str(self.home)} | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def bespeak(self, *words):
        """Run bespeak."""
        return self.run(*OURS, *words)


@pytest.fixture
def project(tmp_path):
    """A repository with one file."""
    made = Project(tmp_path / "project", tmp_path / "home")
    made.folder.mkdir()
    made.home.mkdir()
    git(made.folder, "init", "-q")
    made.file.write_text("x = 1\n")
    git(made.folder, "add", ".")
    git(made.folder, "commit", "-q", "-m", "one")
    return made
