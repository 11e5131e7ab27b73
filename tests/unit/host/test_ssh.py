"""Hosts over SSH, against a real SSH server in a thread of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from bespeak.host import HostLab, PowerOnlyHost, SshOptions, Status, UnixHost
from bespeak.host.power import CommandPowerController
from bespeak.host.secrets import Secret
from support.trees import lives

from .conftest import run, wait_for

PASSWORD = "s3cret-" + "w0rd"
PROGRAM = str(Path(__file__).parents[2] / "support" / "sshd.py")


class Sshd:
    """The server's process, and keys to get in."""

    def __init__(self, folder: Path, sessions: int = 10) -> None:
        self.folder = folder
        host_key = asyncssh.generate_private_key("ssh-ed25519")
        host_key.write_private_key(folder / "host")
        user_key = asyncssh.generate_private_key("ssh-ed25519")
        user_key.write_private_key(folder / "user")
        user_key.write_public_key(folder / "user.pub")
        program = [sys.executable, PROGRAM, str(folder), "me", PASSWORD, str(sessions)]
        self.process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        known = host_key.export_public_key().decode().strip()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {known}\n")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def host(self, identifier: str = "h", *, hop: str | None = None, **options: Any) -> UnixHost:
        settings = {
            "user": "me",
            "port": self.port,
            "key": str(self.folder / "user"),
            "agent": False,
            "known_hosts": str(self.folder / "known_hosts"),
            **options,
        }
        return UnixHost(identifier, ip="127.0.0.1", hop=hop, ssh=SshOptions(**settings))


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path)
    yield server
    server.end()


async def closing(host: UnixHost, work: Any) -> Any:
    try:
        return await work
    finally:
        await host.close()


def test_a_command_with_a_key(sshd: Sshd) -> None:
    host = sshd.host()
    result = run(closing(host, host.oneshot("echo to you; echo and you >&2")))
    assert (result.status, result.output, result.retcode) == (Status.Success, "to you\nand you", 0)


def test_the_exit_code(sshd: Sshd) -> None:
    host = sshd.host()
    result = run(closing(host, host.oneshot("echo no; exit 3")))
    assert (result.status, result.output, result.retcode) == (Status.Failed, "no", 3)


def test_a_password_by_reference(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_PASSWORD", PASSWORD)
    host = sshd.host(key=None, password=Secret("env:SSH_PASSWORD"))
    assert run(closing(host, host.oneshot("echo in"))).output == "in"
    assert PASSWORD not in repr(host.ssh)


def test_a_wrong_password(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_PASSWORD", "not-the-word")
    host = sshd.host(key=None, password=Secret("env:SSH_PASSWORD"))
    result = run(closing(host, host.oneshot("echo in")))
    assert result.status is Status.Error
    assert "login refused" in result.output
    assert "not-the-word" not in result.output


def test_a_host_key_that_is_not_known(sshd: Sshd) -> None:
    (sshd.folder / "known_hosts").write_text("")
    host = sshd.host()
    result = run(closing(host, host.oneshot("echo in")))
    assert result.status is Status.Error
    assert "host key is not known or has changed" in result.output
    careless = sshd.host(host_key_check=False)
    assert run(closing(careless, careless.oneshot("echo in"))).output == "in"


def test_nobody_listens(closed_port: int, sshd: Sshd) -> None:
    host = sshd.host(port=closed_port)
    result = run(closing(host, host.oneshot("true")))
    assert result.status is Status.Error
    assert result.output == f"ssh me@127.0.0.1:{closed_port}: Connection refused"
    assert not run(host.is_reachable(2))


def test_somebody_listens_and_says_nothing(black_hole: tuple[str, int], sshd: Sshd) -> None:
    host = sshd.host(port=black_hole[1], connect_timeout=0.4)
    result = run(closing(host, host.oneshot("true")))
    assert result.status is Status.Error
    assert result.output.endswith("no answer within 0.4 s")
    assert not run(host.is_reachable(0.3))


def test_a_time_out_ends_the_command(sshd: Sshd, tmp_path: Path) -> None:
    host = sshd.host()

    async def work() -> Any:
        result = await host.oneshot(f"echo $$ > {tmp_path}/pid; echo begun; sleep 1000", timeout=1)
        again = await host.oneshot("echo still usable")
        return result, again

    result, again = run(closing(host, work()))
    assert result.status is Status.Error
    assert result.output.endswith("no end within 1 s; ended")
    assert again.output == "still usable"
    pid = int(wait_for(tmp_path / "pid"))
    deadline = time.monotonic() + 10
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not lives(pid)


def test_a_connection_that_breaks_off_in_mid_command(sshd: Sshd) -> None:
    host = sshd.host()

    async def work() -> Any:
        return await host.oneshot("drop"), await host.oneshot("echo again")

    broke, again = run(closing(host, work()))
    assert broke.status is Status.Error
    assert "the connection went away" in broke.output
    assert again.output == "again", "the next command opens a new connection"


def test_through_a_jump_host(sshd: Sshd) -> None:
    jump, target = sshd.host("jump"), sshd.host("target", hop="jump")
    lab = HostLab("lab", {"jump": jump, "target": target})
    jump._lab = target._lab = lab

    async def work() -> Any:
        try:
            return await target.is_reachable(5), await target.oneshot("echo through")
        finally:
            await lab.close()

    reachable, result = run(work())
    assert reachable
    assert result.output == "through"


def test_jump_hosts_in_a_circle_and_missing_ones(sshd: Sshd) -> None:
    a, b, lost = sshd.host("a", hop="b"), sshd.host("b", hop="a"), sshd.host("lost", hop="nowhere")
    lab = HostLab("lab", {"a": a, "b": b, "lost": lost})
    for host in lab.hosts.values():
        host._lab = lab
    assert "go in a circle: a -> b -> a" in run(a.oneshot("true", timeout=5)).output
    assert "jump host 'nowhere' is not a host of the lab" in run(lost.oneshot("true", timeout=5)).output
    assert not run(a.is_reachable(2))


def test_power_by_a_command_on_another_host(sshd: Sshd, tmp_path: Path) -> None:
    hypervisor, vm = sshd.host("hyp"), UnixHost("vm; reboot", ip="10.0.0.9")
    lab = HostLab("lab", {"hyp": hypervisor, vm.id: vm})
    vm._lab = lab
    control = CommandPowerController(
        f"printf %s {{name}} > {tmp_path}/on", "false", f"test -e {tmp_path}/on && echo on", "on", "hyp", timeout=10
    )

    async def work() -> Any:
        try:
            return await control.on(vm), await control.off(vm), await control.status(vm)
        finally:
            await lab.close()

    on, off, _ = run(work())
    assert on == (Status.Success, "")
    assert (tmp_path / "on").read_text() == "vm; reboot"
    assert off == (Status.Failed, "off_cmd exited with 1")


def test_shutdown_and_reboot_take_a_lost_connection_for_a_yes(sshd: Sshd) -> None:
    host = sshd.host()
    host.shutdown_cmd = host.reboot_cmd = "drop"
    assert run(host.shutdown())[0] is Status.Success
    assert run(host.reboot())[0] is Status.Success
    host.shutdown_cmd = "echo may not; exit 1"
    assert run(host.shutdown()) == (Status.Failed, "may not")


def test_reboot_waits_for_another_boot(sshd: Sshd, tmp_path: Path) -> None:
    class Booting(UnixHost):
        async def _boot_mark(self) -> str | None:
            result = await self.oneshot(f"cat {tmp_path}/boot", timeout=5)
            return result.output

    (tmp_path / "boot").write_text("first")
    plain = sshd.host()
    host = Booting("h", ip="127.0.0.1", ssh=plain.ssh, reboot_cmd=f"(sleep 1; echo second > {tmp_path}/boot) &")
    assert run(closing(host, host.reboot(wait=True, timeout=20)))[0] is Status.Success
    assert (tmp_path / "boot").read_text() == "second\n"
    host.reboot_cmd = "true"
    status, said = run(closing(host, host.reboot(wait=True, timeout=1)))
    assert (status, said) == (Status.Failed, "not reachable again within 1 s")


def test_wait_until_up(sshd: Sshd) -> None:
    assert run(sshd.host().wait_until_up(5))
    assert not run(sshd.host().wait_until_down(0.3, interval=0.1))


def test_an_agent_that_is_gone(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(sshd.folder / "no-agent"))
    host = sshd.host(agent=True)
    assert run(closing(host, host.oneshot("echo in"))).output == "in", "the key file is enough"
    keyless = sshd.host(key=None, agent=True)
    assert "login refused" in run(closing(keyless, keyless.oneshot("echo in"))).output


def test_a_password_that_is_not_there_is_a_login_that_failed(sshd: Sshd) -> None:
    host = sshd.host(key=None, password=Secret("env:NO_SUCH_PASSWORD"))
    place = f"ssh me@127.0.0.1:{sshd.port}"
    said = f"{place}: the secret env:NO_SUCH_PASSWORD is not there or empty"
    result = run(closing(host, host.oneshot("true")))
    assert (result.status, result.output) == (Status.Error, said)
    assert run(host.shutdown()) == (Status.Error, said)


def test_a_jump_host_without_its_password_is_no_way_in(sshd: Sshd) -> None:
    jump = sshd.host("jump", key=None, password=Secret("env:NO_SUCH_PASSWORD"))
    target = sshd.host("target", hop="jump")
    target._lab = HostLab("lab", {"jump": jump, "target": target})
    assert not run(target.is_reachable(2))


def _behind_one_door(sshd: Sshd, folder: Path, count: int, **ssh: Any) -> HostLab:
    """Return a lab of ``count`` hosts that one SSH controller switches."""
    door = sshd.host("door", **ssh)
    lab = HostLab("lab", {"door": door})
    door._lab = lab
    for number in range(count):
        control = CommandPowerController(
            f"echo on > {folder}/{{id}}", f"echo off > {folder}/{{id}}", f"cat {folder}/{{id}}", "on", "door",
            status_off="off", cycle_delay=0.01, timeout=600,
        )  # fmt: skip
        host = PowerOnlyHost(f"r{number}", power_control=control)
        host._lab = lab
        lab.hosts[host.id] = host
    return lab


async def _cycle_all(lab: HostLab) -> list[tuple[Status, str]]:
    hosts = [host for host in lab.hosts.values() if host.power_control is not None]
    try:
        return list(await asyncio.gather(*(host.require_power_control().cycle(host) for host in hosts)))
    finally:
        await lab.close()


@pytest.mark.parametrize("sessions", [None, 64])
def test_many_hosts_behind_one_controller(sshd: Sshd, tmp_path: Path, sessions: int | None) -> None:
    """The server serves ten sessions; with 64 allowed, refused ones wait for others to end, and disturb nobody."""
    lab = _behind_one_door(sshd, tmp_path, 30, **({} if sessions is None else {"sessions": sessions}))
    results = run(_cycle_all(lab))
    assert {status for status, _ in results} == {Status.Success}, results
    assert {(tmp_path / f"r{number}").read_text().strip() for number in range(30)} == {"on"}


def test_a_session_that_is_refused_for_good_is_told_and_leaves_the_connection_alone(tmp_path: Path) -> None:
    server = Sshd(tmp_path, sessions=0)
    try:
        host = server.host()

        async def work() -> Any:
            connection = await host.connect()
            return await host.oneshot("true"), connection.is_closed()

        result, closed = run(closing(host, work()))
    finally:
        server.end()
    assert result.status is Status.Error
    assert "one more session is refused" in result.output
    assert not closed
