"""Consoles against servers on real sockets, and conversations that end in every way."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import serial
import telnetlib3
from serial.rfc2217 import PortManager

from bespeak.host import HostLab, PowerOnlyHost, Status
from bespeak.host.console.dialogue import BREAK, Dialogue, End, EscapeReader, Step, converse
from bespeak.host.console.lines import ConsoleError
from bespeak.host.console.spec import Console, console_from_spec
from bespeak.host.power import power_control_from_spec
from bespeak.host.power.permission import OrderForbiddenError, Switching, allowed_by

from .conftest import run
from .test_ssh import Sshd

PASSWORD = "s3cret-" + "w0rd"
LOGIN = (Step(expect=b"login: "), Step(send=b"root\xff\r"), Step(expect=b"<root\xff\r>"))


def host_with(**settings: object) -> PowerOnlyHost:
    host = PowerOnlyHost("h1")
    host.console = console_from_spec(settings)
    return host


def talk(host: Any, path: Path, *steps: Step, **options: Any) -> tuple[Status, Dialogue]:
    """Hold a conversation; return how it ended."""

    async def work() -> tuple[Status, Dialogue]:
        dialogue = Dialogue(steps=steps, **{"timeout_seconds": 60.0, **options})
        status, _ = await converse(host, dialogue, str(path))
        return status, dialogue

    return run(work())


def answer(connection: socket.socket) -> None:
    connection.sendall(b"login: ")
    while typed := connection.recv(4096):
        connection.sendall(b"<" + typed + b">")


class Server:
    """A TCP server with a thread for each connection."""

    def __init__(self, serve: Callable[[socket.socket], object]) -> None:
        self.serve = serve
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.handle, args=(connection,), daemon=True).start()

    def handle(self, connection: socket.socket) -> None:
        try:
            with connection:
                self.serve(connection)
        except OSError:
            return


@pytest.fixture
def port() -> Iterator[int]:
    server = Server(answer)
    yield server.port
    server.socket.close()


# --- conversations


def test_a_script_waits_and_sends_and_everything_is_in_the_transcript(port: int, tmp_path: Path) -> None:
    path = tmp_path / "new" / "log"
    status, dialogue = talk(host_with(type="tcp", address="127.0.0.1", port=port), path, *LOGIN)
    assert (status, dialogue.end, dialogue.matched) == (Status.Success, End.DONE, 2)
    begun, came, ended = path.read_bytes().partition(b"login: <root\xff\r>")
    assert begun.startswith(b"--- console of h1 (tcp), begun 20")
    assert came
    assert ended.endswith(b": everything that was waited for came\n")
    assert path.stat().st_mode & 0o777 == 0o600
    talk(host_with(type="tcp", address="127.0.0.1", port=port), path, *LOGIN)
    assert path.read_bytes().count(b"login: <root\xff\r>") == 2, "what the file has stays"


def test_what_does_not_come_in_time_has_failed_and_listening_for_a_while_has_not(port: int, tmp_path: Path) -> None:
    host = host_with(type="tcp", address="127.0.0.1", port=port)
    status, dialogue = talk(host, tmp_path / "log", Step(expect=b"never"), timeout_seconds=0.2)
    assert (status, dialogue.end, dialogue.why) == (
        Status.Failed,
        End.TIMEOUT,
        "0.2 s are over; 'never' did not come",
    )
    status, dialogue = talk(host, tmp_path / "log", timeout_seconds=0.2)
    assert (status, dialogue.end) == (Status.Success, End.TIMEOUT)


def test_the_other_side_closes(tmp_path: Path) -> None:
    server = Server(lambda connection: connection.sendall(b"bye"))
    status, dialogue = talk(host_with(type="tcp", address="127.0.0.1", port=server.port), tmp_path / "log")
    server.socket.close()
    assert (status, dialogue.end, dialogue.output) == (Status.Failed, End.CLOSED, b"bye")
    assert b"bye\n--- ended" in (tmp_path / "log").read_bytes()


def test_a_hold_that_is_lost_ends_it_and_the_transcript_is_complete(port: int, tmp_path: Path) -> None:
    host = host_with(type="tcp", address="127.0.0.1", port=port)
    asked: list[int] = []

    async def confirm() -> None:
        asked.append(1)
        if len(asked) > 1:
            raise OrderForbiddenError("rack1 is no longer held", refused=True)

    async def work() -> Dialogue:
        dialogue = Dialogue()
        with allowed_by(Switching(confirm)), pytest.raises(OrderForbiddenError):
            await converse(host, dialogue, str(tmp_path / "log"))
        return dialogue

    assert run(work()).end is End.LOST
    assert b"login: \n--- ended " in (tmp_path / "log").read_bytes()
    assert (tmp_path / "log").read_bytes().endswith(b": rack1 is no longer held\n")


class _NeverOpens(Console):
    type_name = "never"

    async def open(self, host: Any) -> Any:
        await asyncio.get_running_loop().create_future()


def test_an_interruption_while_it_is_opened_is_in_the_transcript(tmp_path: Path) -> None:
    host = PowerOnlyHost("h1")
    host.console = _NeverOpens()

    async def work() -> Dialogue:
        dialogue = Dialogue()
        task = asyncio.create_task(converse(host, dialogue, str(tmp_path / "log")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        return dialogue

    assert run(work()).end is End.INTERRUPTED
    assert (tmp_path / "log").read_bytes().endswith(b": interrupted\n")


def test_what_cannot_be_opened_or_written_is_said(closed_port: int, port: int, tmp_path: Path) -> None:
    for kind in ("tcp", "telnet", "rfc2217"):
        with pytest.raises(ConsoleError, match=rf"127\.0\.0\.1:{closed_port}: ") as failed:
            talk(host_with(type=kind, address="127.0.0.1", port=closed_port), tmp_path / "log")
        assert "\n" not in str(failed.value)
    with pytest.raises(ConsoleError, match=r"the transcript .* cannot be written: Is a directory"):
        talk(host_with(type="tcp", address="127.0.0.1", port=port), tmp_path)
    with pytest.raises(ConsoleError, match="the transcript /dev/full cannot be written: No space left on device"):
        talk(host_with(type="tcp", address="127.0.0.1", port=port), Path("/dev/full"))


def test_the_escape_sequence() -> None:
    reader = EscapeReader()
    assert reader.feed(b"ab\x1dbc") == [b"ab", BREAK, b"c"]
    assert reader.feed(b"\x1d") == []
    assert reader.feed(b"\x1d") == [b"\x1d"], "twice is the key itself"
    assert reader.feed(b"\x1dx") == [b"\x1dx"]
    assert reader.feed(b"d\x1d.e")[:2] == [b"d", None]


# --- ways


@asynccontextmanager
async def telnet_server() -> AsyncIterator[tuple[int, list[bytes]]]:
    heard: list[bytes] = []

    async def shell(reader: Any, writer: Any) -> None:
        writer.write(b"login: \xff\r\0")
        while data := await reader.read(100):
            heard.append(data)
            writer.write(b"<" + data.replace(b"\r\0", b"\r") + b">")

    server = await telnetlib3.create_server("127.0.0.1", 0, shell=shell, encoding=False, connect_maxwait=0.2)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()


def test_telnet_negotiates_and_keeps_every_byte(tmp_path: Path) -> None:
    async def work() -> Dialogue:
        async with telnet_server() as (port, _):
            dialogue = Dialogue(steps=(Step(expect=b"login: \xff\r"), *LOGIN[1:]), timeout_seconds=60)
            await converse(host_with(type="telnet", address="127.0.0.1", port=port), dialogue, str(tmp_path / "log"))
            return dialogue

    dialogue = run(work())
    assert (dialogue.end, bytes(dialogue.output)) == (End.DONE, b"login: \xff\r<root\xff\r>")


def redirect(connection: socket.socket) -> None:
    """Serve a port that gives everything back, as pyserial's own server does."""
    port = serial.serial_for_url("loop://", timeout=0.01)
    speeds.append(port)
    lock = threading.Lock()

    class Wire:
        def write(self, data: bytes) -> None:
            with lock:
                connection.sendall(data)

    manager = PortManager(port, Wire())

    def back() -> None:
        while True:
            data = port.read(port.in_waiting or 1)
            if data:
                try:
                    Wire().write(b"".join(manager.escape(data)))
                except OSError:
                    return

    threading.Thread(target=back, daemon=True).start()
    while data := connection.recv(1024):
        port.write(b"".join(manager.filter(data)))


speeds: list[Any] = []


def test_rfc_2217_sets_the_speed_and_keeps_every_byte(tmp_path: Path) -> None:
    server = Server(redirect)
    host = host_with(type="rfc2217", address="127.0.0.1", port=server.port, baudrate=57600)
    status, dialogue = talk(host, tmp_path / "log", Step(send=b"root\xff\r"), Step(expect=b"root\xff\r"))
    server.socket.close()
    assert (status, dialogue.end) == (Status.Success, End.DONE)
    assert speeds[-1].baudrate == 57600


def test_a_command_over_ssh_has_a_terminal_and_its_end_is_an_end(tmp_path: Path) -> None:
    sshd = Sshd(tmp_path)
    try:
        door = sshd.host("door")
        host = host_with(type="ssh", controller="door", command="echo console of; echo", line="it's r1")
        host._lab = HostLab("bench", {"door": door, "h1": host})

        async def work() -> tuple[Status, Dialogue]:
            dialogue = Dialogue(timeout_seconds=60)
            try:
                return (await converse(host, dialogue, str(tmp_path / "log")))[0], dialogue
            finally:
                await door.close()

        status, dialogue = run(work())
    finally:
        sshd.end()
    assert (status, dialogue.end) == (Status.Success, End.CLOSED)
    assert dialogue.output.split() == [b"console", b"of", b"it's", b"r1"]


BMC = """
import sys
from pyghmi.ipmi.bmc import Bmc
from pyghmi.ipmi.private.session import Session

class Chassis(Bmc):
    typed = b""
    def get_power_state(self): return "on"
    def is_active(self): return True
    def iohandler(self, data):
        if not isinstance(data, dict):
            self.typed += bytes(data)

bmc = Chassis({"admin": sys.argv[2]}, port=int(sys.argv[1]), address="127.0.0.1")
print("ready", flush=True)
greeted = None
while True:
    Session.wait_for_rsp(0.05)
    if bmc.sol is not None and greeted is not bmc.sol:
        greeted = bmc.sol
        bmc.sol.send_data(b"login: ")
    elif bmc.sol is not None and bmc.typed.endswith(b"\\r"):
        typed, bmc.typed = bmc.typed, b""
        bmc.sol.send_data(b"<" + typed + b">")
"""


def test_serial_over_lan_without_the_password_in_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMC_PASSWORD", PASSWORD)
    monkeypatch.setenv("WRONG", "not-the-word")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    login = {"address": "127.0.0.1", "port": number, "user": "admin"}
    host = host_with(type="ipmi")
    host.power_control = power_control_from_spec({"type": "ipmi", "password": "env:BMC_PASSWORD", **login})
    words = [sys.executable, "-c", BMC, str(number), PASSWORD]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as bmc:
        try:
            assert bmc.stdout is not None
            assert bmc.stdout.readline() == "ready\n"
            script = (Step(expect=b"login: "), Step(send=b"r\r"), Step(expect=b"<r\r>"))
            status, dialogue = talk(host, tmp_path / "log", *script)
            assert (status, dialogue.end) == (Status.Success, End.DONE), dialogue.why
            wrong = host_with(type="ipmi", password="env:WRONG", **login)
            with pytest.raises(ConsoleError, match=rf"127\.0\.0\.1:{number}: .*ncorrect password") as failed:
                talk(wrong, tmp_path / "log")
            assert "not-the-word" not in str(failed.value)
        finally:
            bmc.kill()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (5, "must be a type, a table or a device such as 'ser1:7004', not 5"),
        ("warp", "type must be one of tcp, telnet, rfc2217, ssh, ipmi, not 'warp'"),
        ({"type": "tcp", "address": "a"}, "tcp: port is missing"),
        ({"type": "tcp", "address": "a", "port": 0}, "tcp: port must be"),
        ({"type": "telnet", "adress": "a", "port": 1}, "telnet: there is no setting 'adress'; did you mean address?"),
        ({"type": "rfc2217", "address": "a", "port": 1, "baudrate": "x"}, "rfc2217: baudrate must be"),
        ({"type": "ssh", "line": "r1"}, "and command is missing"),
        ({"type": "ipmi", "address": "a", "user": "u"}, "password is missing"),
    ],
)
def test_mistakes_in_lab_data(value: object, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        console_from_spec(value)


def test_an_ipmi_console_needs_a_controller(tmp_path: Path) -> None:
    with pytest.raises(ConsoleError, match="host 'h1' has no power_control or management_control of type ipmi"):
        talk(host_with(type="ipmi"), tmp_path / "log")
