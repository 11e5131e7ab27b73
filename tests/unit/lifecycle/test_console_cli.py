"""``bespeak host console`` as a real process, with a terminal and without one."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from support.trusting import trust

LAB = """
[devices.ser1]
type = "tcp"
address = "127.0.0.1"

[[hosts]]
id = "r1"
kind = "local"
labs = ["bench"]
resources = ["rack1"]
console = "ser1:{port}"

[[hosts]]
id = "dumb"
kind = "local"
labs = ["bench"]
resources = ["rack1"]
"""
COLOURED = b"\x1b[1mlogin:\x1b[0m "


class ConsoleServer:
    """A port of a console server; what is typed comes back in angle brackets."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connected = threading.Semaphore(0)
        self.connections: list[socket.socket] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        try:
            connection.sendall(COLOURED)
            self.connected.release()
            while typed := connection.recv(4096):
                connection.sendall(b"<" + typed + b">")
                if b"bye" in typed:
                    connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def end(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # who waits in accept() would keep it open
        self.socket.close()
        for connection in self.connections:
            connection.close()


class Bench:
    """A folder with a lab and a book in it, and the program."""

    def __init__(self, cli: Any, folder: Path, port: int) -> None:
        self.cli = cli
        self.folder = folder
        (folder / ".bespeak").mkdir()
        settings = '[reservations]\nbackend = "ledger"\n[ledger]\nurl = "book.db"\n'
        (folder / ".bespeak" / "settings.toml").write_text(settings)
        (folder / "lab.toml").write_text(LAB.format(port=port))
        trust(folder)
        assert self("reserve", "rack1", "--for", "1h").returncode == 0

    def __call__(self, *words: str, user: str = "alice", **options: Any) -> subprocess.CompletedProcess[str]:
        return self.cli("--as-user", user, *words, cwd=self.folder, **options)

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        return self.cli.start("--as-user", "alice", "host", "console", *words, cwd=self.folder, **options)

    @property
    def transcript(self) -> bytes:
        return (self.folder / "log").read_bytes()


@pytest.fixture
def server() -> Iterator[ConsoleServer]:
    found = ConsoleServer()
    yield found
    found.end()


@pytest.fixture
def bench(cli: Any, tmp_path: Path, server: ConsoleServer) -> Bench:
    return Bench(cli, tmp_path, server.port)


def test_only_for_who_holds_the_host(bench: Bench, server: ConsoleServer) -> None:
    refused = bench("host", "console", "r1", "--timeout", "1s", user="bob")
    assert (refused.returncode, server.connections) == (8, [])
    assert "rack1 (held by alice)" in refused.stderr
    refused = bench("host", "console", "r1", "--number", "99")
    assert refused.returncode == 8
    assert "number 99 is stale for rack1" in refused.stderr
    dry = bench("host", "console", "r1", "--dry-run")
    assert (dry.returncode, dry.stdout, server.connections) == (0, "would console r1\n", [])


def test_a_script_for_programs_and_the_log_of_the_book(bench: Bench) -> None:
    words = ("host", "console", "r1", "--expect", "login:", "--send", r"ro\x6ft", "--expect", r"<root\r>")
    done = bench(*words, "--timeout", "1m", "--log", "log")
    assert (done.returncode, done.stdout.encode()) == (0, COLOURED + b"<root\n>"), done.stderr  # \r as text
    assert b"login:\x1b[0m <root\r>" in bench.transcript
    assert "console of r1 ended: everything that was waited for came; transcript: log" in done.stderr
    told = json.loads(bench(*words, "--timeout", "1m", "--json").stdout)
    assert (told["ok"], told["ended"], told["matched"], told["console"]) == (True, "done", 2, "tcp")
    assert told["output"].endswith("<root\r>")
    assert Path(told["transcript"]).name.startswith("r1-2")
    late = bench("host", "console", "r1", "--expect", "never", "--timeout", "1s", "--json")
    assert (late.returncode, json.loads(late.stdout)["ended"]) == (10, "timeout")
    assert "console r1 by tcp: Success" in bench("log").stdout


def test_a_pipe_goes_there_and_what_comes_is_printed_as_it_is(bench: Bench) -> None:
    done = bench("host", "console", "r1", "--log", "log", input="\x1d.bye\n")
    assert (done.returncode, done.stdout.encode()) == (1, COLOURED + b"<\x1d.bye\n>"), done.stderr
    assert "the other side closed the connection" in done.stderr
    assert "Ctrl-]" not in done.stderr


def test_a_kick_ends_it_and_the_transcript_is_complete(bench: Bench, server: ConsoleServer) -> None:
    process = bench.start("r1", "--log", "log", stdin=subprocess.PIPE)
    assert server.connected.acquire(timeout=60)
    identifier = json.loads(bench("list", "--json").stdout)["reservations"][0]["id"]
    assert bench("kick", identifier, "--reason", "urgent").returncode == 0
    _, told = process.communicate(timeout=60)
    assert process.returncode == 11, told
    assert "console of r1 ended: the hold is lost: rack1 is no longer held" in told
    assert COLOURED + b"\n--- ended 20" in bench.transcript
    assert b": rack1 is no longer held" in bench.transcript
    assert "console r1 by tcp: Error" in bench("log").stdout


def test_nobody_who_reads_does_not_keep_it_open(bench: Bench, server: ConsoleServer) -> None:
    """More comes than a pipe takes, and nobody reads it: the end of the hold still ends the console."""
    process = bench.start("r1", "--log", "log", stdin=subprocess.DEVNULL)
    assert server.connected.acquire(timeout=60)
    flood = threading.Thread(target=_flood, args=(server.connections[0],), daemon=True)
    flood.start()
    assert bench("release", "--mine").returncode == 0
    assert process.wait(60) == 11
    process.communicate()


def _flood(connection: socket.socket) -> None:
    try:
        for _ in range(1000):
            connection.sendall(b"x" * 65536)
    except OSError:
        return


def test_a_signal_ends_it_in_order(bench: Bench, server: ConsoleServer) -> None:
    process = bench.start("r1", "--log", "log", stdin=subprocess.PIPE)
    assert server.connected.acquire(timeout=60)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "console of r1 ended: interrupted by SIGTERM" in told
    assert bench.transcript.endswith(b": interrupted\n")


def test_on_a_terminal_every_key_goes_there_until_the_escape_sequence(bench: Bench, server: ConsoleServer) -> None:
    parent, child = pty.openpty()
    process = bench.start("r1", "--log", "log", stdin=child, stdout=child, stderr=child)
    os.close(child)
    shown = _read_until(parent, COLOURED)
    assert b"Ctrl-] . ends the console" in shown
    os.write(parent, b"\x03")
    shown = _read_until(parent, b"<\x03>")
    os.write(parent, b"\x1d.")
    shown = _read_until(parent, b"console of r1 ended: the user ended it")
    assert process.wait(60) == 0
    os.close(parent)


def test_a_terminal_where_nobody_types_gets_no_control_characters(bench: Bench) -> None:
    parent, child = pty.openpty()
    words = ("r1", "--expect", "login:", "--log", "log")
    process = bench.start(*words, stdin=subprocess.DEVNULL, stdout=child, stderr=subprocess.PIPE)
    os.close(child)
    shown = _read_until(parent, b"login:")
    assert process.wait(60) == 0
    process.communicate()
    os.close(parent)
    assert b"\x1b" not in shown
    assert COLOURED.strip() in bench.transcript


def _read_until(parent: int, wanted: bytes) -> bytes:
    shown = b""
    while wanted not in shown:
        shown += os.read(parent, 4096)
    return shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("dumb",), "host 'dumb' has no console in the lab data"),
        (("r1", "--expect", ""), "--expect: an empty text comes at once"),
        (("r1", "--send", "a", "--send", "b", "--send", "c", "--expect", "d"), "--send and --expect come in turn"),
        (("r1", "--send", r"\q"), r"\q is not known"),
        (("r2",), "there is no host 'r2'"),
    ],
)
def test_what_is_typed_wrong(bench: Bench, server: ConsoleServer, words: tuple[str, ...], told: str) -> None:
    wrong = bench("host", "console", *words)
    assert (wrong.returncode in {2, 4}, told in wrong.stderr) == (True, True), wrong.stderr
    assert server.connections == []


def test_a_console_that_cannot_be_reached(bench: Bench, server: ConsoleServer) -> None:
    server.end()
    done = bench("host", "console", "r1", "--log", "log", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["ok"], told["ended"], told["transcript"]) == (False, "failed", "log")
    assert told["text"] == f"127.0.0.1:{server.port}: Connection refused"
    assert bench.transcript.endswith(b": Connection refused\n")
