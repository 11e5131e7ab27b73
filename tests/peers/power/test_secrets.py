"""Secrets that live where only a real counterpart keeps them: OpenSSH's agent, and a keyring in a file."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bespeak.host import SshOptions, UnixHost
from bespeak.host.status import CommandStatus
from support import debs, peervenv
from support.trusting import trust

PASSWORD = "s3cret-" + "w0rd"
PROGRAM = str(Path(__file__).parents[2] / "support" / "sshd.py")


@pytest.fixture
def login(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A server, and what is needed to log in to it but for the secret; the user's key is the file ``user``."""
    import asyncssh

    for name in ("host", "user"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(tmp_path / name)
        key.write_public_key(tmp_path / f"{name}.pub")
        (tmp_path / name).chmod(0o600)
    words = [sys.executable, PROGRAM, str(tmp_path), "me", PASSWORD]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {(tmp_path / 'host.pub').read_text()}")
        yield {"user": "me", "port": port, "known_hosts": str(tmp_path / "known_hosts")}
        server.kill()


def whoever(options: dict[str, Any]) -> CommandStatus:
    """Log in and run a command."""
    host = UnixHost("h", ip="127.0.0.1", ssh=SshOptions(**options))

    async def work() -> CommandStatus:
        try:
            return await host.oneshot("echo in", timeout=30)
        finally:
            await host.close()

    return asyncio.run(work())


# --- OpenSSH's agent


@pytest.fixture
def ssh_add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The program that gives keys to an agent, which runs and is the one of the environment."""
    folder = os.path.dirname(shutil.which("ssh-agent") or "")
    if not folder:
        try:
            folder = f"{debs.unpacked(['openssh-client']).root}/usr/bin"
        except peervenv.UnobtainableError as error:
            pytest.fail(str(error), pytrace=False)
    path = tmp_path / "agent"
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    with subprocess.Popen([f"{folder}/ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL) as agent:
        deadline = time.monotonic() + 30
        while not path.exists():
            assert agent.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield f"{folder}/ssh-add"
        agent.kill()


def test_the_key_is_in_an_agent_and_nowhere_else(login: dict[str, Any], ssh_add: str, tmp_path: Path) -> None:
    assert "login refused" in whoever(login).output, "the agent has no key yet"
    subprocess.run([ssh_add, "-q", str(tmp_path / "user")], check=True)
    (tmp_path / "user").unlink()
    assert whoever(login).output == "in"
    assert "login refused" in whoever({**login, "agent": False}).output
    subprocess.run([ssh_add, "-q", "-D"], check=True)
    assert "login refused" in whoever(login).output


# --- A keyring: keyrings.alt's file

LAB = """
[[hosts]]
id = "h1"
labs = ["bench"]
ip = "127.0.0.1"
resources = ["rack1"]
[hosts.ssh]
user = "me"
port = {port}
known_hosts = "{known_hosts}"
agent = false
password = "keyring:bench lab/me"
"""


def test_a_password_in_a_keyring(login: dict[str, Any], tmp_path: Path) -> None:
    try:
        environment = peervenv.environment("keyring", ["keyrings.alt>=5"], bespeak="ssh,keyring")
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)
    folder = tmp_path / "project"
    (folder / ".bespeak").mkdir(parents=True)
    (folder / ".bespeak" / "settings.toml").write_text(
        '[reservations]\nbackend = "ledger"\n[ledger]\nurl = "book.db"\n'
    )
    (folder / "lab.toml").write_text(LAB.format(**login))
    trust(folder)
    settings = os.environ | {
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }

    def bespeak(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [environment.program("bespeak"), "--as-user", "alice", "-l", "bench", *words],
            cwd=folder, env=settings, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    assert bespeak("reserve", "rack1", "--for", "1h")[0] == 0
    code, said = bespeak("host", "exec", "h1", "--", "echo in")
    assert code == 1
    assert "the secret keyring:bench lab/me is not there or empty" in said
    subprocess.run(
        [environment.program("keyring"), "set", "bench lab", "me"], input=PASSWORD, text=True, env=settings, check=True
    )
    assert list((tmp_path / "data").rglob("*.cfg")), "the entry is in a file of its own"
    code, said = bespeak("host", "exec", "h1", "--", "echo in")
    assert code == 0, said
    assert said.startswith("in\n"), said
