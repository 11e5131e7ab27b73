"""A server that listens is there for who may use it, whatever others send, and for nobody else."""

from __future__ import annotations

import json
import os
import resource
import socket
import stat
import urllib.parse
from contextlib import ExitStack

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from bespeak.mcp import http
from bespeak.mcp.server import ToolServer
from bespeak.mcp.tool import Setup
from bespeak.net import connections, listening
from bespeak.net.listen_address import ListenAddress
from support.agents import AUTHORIZED, HELLO, LEGACY, ask, hello, over_http, over_stdio, post, run

FLOOD = 1024
BODY = json.dumps({"jsonrpc": "2.0", **HELLO}).encode()
HEADERS = b"Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
TOKEN_LINE = f"Authorization: {AUTHORIZED['Authorization']}\r\n".encode()


def request(*, token=True, body=BODY, length=None):
    """Return a request as bytes."""
    head = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + HEADERS + (TOKEN_LINE if token else b"")
    return head + b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body


HALF = {
    "silent": b"",
    "half a request line": b"POST /m",
    "half the headers": b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Long: ",
    "half a body": request(length=1000),
    "half a body without a token": request(token=False, length=1000),
}


@pytest.fixture
def descriptors():
    """Room for as many connections as one process may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY and hard < 4096 else 4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("sent", HALF.values(), ids=HALF)
def test_beside_1024_half_open_connections_a_client_is_served(sent, project, listening, descriptors):
    url, process = listening()
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (FLOOD, FLOOD))
    parts = urllib.parse.urlsplit(url)
    with ExitStack() as stack:
        for _ in range(FLOOD):
            connection = stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=60))
            connection.sendall(sent)
        assert hello(url)[0] == 200
        assert len(os.listdir(f"/proc/{process.pid}/fd")) < connections.Limits().connections + 200
    process.terminate()
    process.wait(60)
    assert len(process.stderr.read().splitlines()) <= 21


def test_too_large_requests_are_refused_before_they_are_read(project, listening):
    url, _ = listening()
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(request(body=b"", length=64 * 1024 * 1024))
        assert b" 413 " in connection.recv(4096)
    for body in (
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"id": 1, "method": "ping", "params": {"a": "\\ud800"}}',
        b"\xff\0",
    ):
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
            connection.sendall(request(body=body))
            assert b" 400 " in connection.recv(4096).split(b"\r\n")[0]
    assert hello(url)[0] == 200


class Serving:
    """A server in this process, on a Unix socket."""

    def __init__(self, folder, **options):
        self.address = ListenAddress(socket=str(folder / "s"), uids=options.pop("uids", frozenset([os.geteuid()])))
        self.limits = connections.Limits(**options)
        self.bound = listening.listen(self.address)
        self.ready = anyio.Event()
        self.server = ToolServer(Setup(str(folder), roots=(str(folder),))).server()

    async def serve(self):
        await http.serve(self.server, self.address, None, self.bound, self.ready.set, self.limits)

    async def says(self, sent):
        """Return what the server says to some bytes until it hangs up."""
        async with await anyio.connect_unix(self.address.socket) as stream:
            told = b""
            try:
                if sent:
                    await stream.send(sent)
                while True:
                    told += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return told


def served(folder, check, **options):
    """Run a check against a server of its own."""

    async def scenario():
        serving = Serving(folder, **options)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serving.serve)
            await serving.ready.wait()
            await check(serving)
            tasks.cancel_scope.cancel()

    run(scenario)


@pytest.mark.parametrize("sent", [HALF["silent"], HALF["half a request line"], HALF["half a body"]])
def test_what_does_not_come_in_time_is_hung_up_on(sent, tmp_path):
    async def check(serving):
        assert await serving.says(sent) == b""

    served(tmp_path, check, header_seconds=0.1, body_seconds=0.1)


def test_a_connection_that_rests_is_closed_after_its_answer(tmp_path):
    async def check(serving):
        assert b" 200 OK" in await serving.says(request(token=False))

    served(tmp_path, check, idle_seconds=1)


def test_no_more_sessions_are_opened_than_there_may_be(tmp_path, monkeypatch):
    monkeypatch.setattr(http, "MOST_SESSIONS", 2)

    async def check(serving):
        told = [await serving.says(request(token=False)) for _ in range(3)]
        assert [b" 200 OK" in one for one in told] == [True, True, False]
        assert told[2].startswith(b"HTTP/1.1 503 ")

    served(tmp_path, check, idle_seconds=0)


def test_a_session_that_rests_is_forgotten_and_its_claims_end(project, monkeypatch):
    monkeypatch.setattr(http, "SESSION_IDLE_SECONDS", 5.0)

    async def check(serving):
        transport = httpx2.AsyncHTTPTransport(uds=serving.address.socket)
        async with (
            httpx2.AsyncClient(transport=transport, base_url="http://localhost") as web,
            Client(
                streamable_http_client("http://localhost/mcp", http_client=web, terminate_on_close=False), mode=LEGACY
            ) as client,
        ):
            assert (await ask(client, "reserve", addresses=["src/a.py"]))["run_id"].startswith("mcp-")
            assert (await ask(client, "list"))["count"] == 1
        async with over_stdio() as other:
            while (await ask(other, "list"))["count"]:
                await anyio.sleep(0.1)

    served(project, check)


def test_an_account_that_is_not_named_is_hung_up_on_unheard(tmp_path):
    async def check(serving):
        assert await serving.says(request(token=False)) == b""

    served(tmp_path, check, uids=frozenset([os.geteuid() + 1]))


def test_the_account_of_a_peer_is_what_the_kernel_says():
    one, other = socket.socketpair()
    with one, other:
        assert connections.peer_uid(one) == os.geteuid()


def test_a_socket_is_its_owners_and_goes_with_its_server(project, cli, tmp_path):
    place = tmp_path / "s"
    process = cli.start("mcp", "--socket", str(place), "--json")
    said = json.loads(process.stdout.readline())
    assert said == {"url": "http://localhost/mcp", "token": False, "token_file": None, "socket": str(place)}
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(place))
        connection.sendall(request(token=False))
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    second = cli("mcp", "--socket", str(place))
    assert (second.returncode, "listens on" in second.stderr) == (9, True)
    process.terminate()
    process.wait(60)
    assert not place.exists()


def test_a_socket_takes_the_place_of_its_dead_predecessor_and_of_nothing_else(project, cli, tmp_path):
    place = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place))
    process = cli.start("mcp", "--socket", str(place), "--json")
    assert json.loads(process.stdout.readline())["socket"] == str(place)
    process.terminate()
    process.wait(60)
    place.write_text("precious")
    refused = cli("mcp", "--socket", str(place))
    assert (refused.returncode, place.read_text()) == (9, "precious")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    refused = cli("mcp", "--socket", str(shared / "s"))
    assert (refused.returncode, "others may replace files" in refused.stderr) == (2, True)
    assert not (shared / "s").exists()


def test_claims_of_a_session_end_with_it_and_those_of_a_named_run_do_not(project, listening):
    url, process = listening()

    async def scenario():
        async with over_http(url) as one, over_http(url) as other:
            await ask(one, "reserve", addresses=["src/a.py"])
            await ask(one, "reserve", addresses=["src/b.py"], run_id="named")
            assert (await ask(other, "list"))["count"] == 2
            await ask(other, "reserve", addresses=["src/c.py"])
        async with over_http(url) as later:
            while len(left := (await ask(later, "list"))["reservations"]) > 1:
                await anyio.sleep(0.05)
            assert left[0]["run_id"] == "named"
            await ask(later, "reserve", addresses=["src/d.py"])
            process.terminate()
            await anyio.to_thread.run_sync(process.wait)
            raise EOFError

    with pytest.raises(BaseExceptionGroup):
        run(scenario)

    async def afterwards():
        async with over_stdio(env={"BESPEAK_RUN_ID": "agent"}) as client:
            assert [one["run_id"] for one in (await ask(client, "list"))["reservations"]] == ["named"]

    run(afterwards)


@pytest.mark.parametrize(("named", "left"), [(None, 0), ("agent", 1)])
def test_claims_of_the_one_client_on_stdio_end_with_it_unless_it_named_its_run(project, named, left):
    env = {} if named is None else {"BESPEAK_RUN_ID": named}

    async def scenario():
        async with over_stdio(env=env) as client:
            await ask(client, "reserve", addresses=["src/a.py"])
        async with over_stdio() as later:
            assert (await ask(later, "list"))["count"] == left

    run(scenario)


def test_a_session_that_was_never_opened_speaks_for_no_run(project, listening):
    url, _ = listening()
    call = {"name": "reserve", "arguments": {"addresses": ["src/a.py"]}}
    forged = post(url, {"id": 1, "method": "tools/call", "params": call}, **{"Mcp-Session-Id": "0" * 32})
    assert forged.getresponse().status == 404
    forged.close()
