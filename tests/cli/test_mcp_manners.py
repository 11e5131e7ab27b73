"""How the server behaves among several clients, with hostile input, and when its end comes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.parse
from contextlib import AsyncExitStack

import anyio
import pytest
from mcp.types import ListRootsResult, Root

from support.agents import LEGACY, MODERN, ask, fail, over_http, over_stdio, run
from support.repositories import git


async def until(condition):
    """Wait until an asynchronous condition holds; the test's own limit bounds it."""
    while not await condition():
        await anyio.sleep(0.05)


# Who calls


def test_of_clients_that_race_for_one_symbol_exactly_one_is_told_that_it_is_free(project, listening):
    url, _ = listening()
    told = []

    async def scenario():
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(over_stdio()) for _ in range(3)]
            clients += [await stack.enter_async_context(over_http(url)) for _ in range(3)]

            async def race(client):
                answer = await ask(client, "reserve", addresses=["src/a.py::f"], on_conflict="fail")
                told.append(answer)

            async with anyio.create_task_group() as tasks:
                for client in clients:
                    tasks.start_soon(race, client)

    run(scenario)
    won = [answer for answer in told if answer["reservation_id"]]
    assert len(won) == 1
    lost = [answer for answer in told if answer["exit_code"] == 7]
    assert len(lost) == 5
    assert {each["run_id"] for answer in lost for each in answer["conflict_details"]} == {won[0]["run_id"]}
    assert len({answer["run_id"] for answer in told}) == 6


def test_each_session_of_one_server_is_a_run_of_its_own(project, listening):
    url, _ = listening(env={"BESPEAK_RUN_ID": "of-the-server"})

    async def scenario():
        async with over_http(url) as one, over_http(url) as two:
            mine = await ask(one, "reserve", addresses=["src/a.py"])
            again = await ask(one, "reserve", addresses=["src/a.py::f"])
            other = await ask(two, "reserve", addresses=["src/a.py"])
            assert mine["run_id"] == again["run_id"] != other["run_id"]
            assert "of-the-server" not in (mine["run_id"], other["run_id"])
            assert (mine["conflicts"], again["conflicts"], len(other["conflicts"])) == ([], [], 2)
            session = two.session
            assert other["run_id"] not in repr(session)
            refused = await fail(two, "release", reservation_id=mine["reservation_id"])
            assert refused.startswith("ERROR: Invalid run_id: reservation ")

    run(scenario)


def test_without_a_session_a_run_has_to_be_named(project, listening):
    url, _ = listening()

    async def scenario():
        async with over_http(url, mode=MODERN) as client:
            said = await fail(client, "reserve", addresses=["src/a.py"])
            assert said.startswith("USAGE: run_id has to be given")
            assert (await ask(client, "list"))["count"] == 0
            assert (await ask(client, "reserve", addresses=["src/a.py"], run_id="me"))["run_id"] == "me"

    run(scenario)


def test_two_programs_on_stdio_are_two_runs_and_one_keeps_its_own(project):
    async def scenario():
        async with over_stdio() as one, over_stdio(mode=MODERN) as two:
            mine = await ask(one, "reserve", addresses=["src/a.py"])
            assert (await ask(one, "check", addresses=["src/a.py"]))["free"]
            assert not (await ask(two, "check", addresses=["src/a.py"]))["free"]
            assert mine["run_id"].startswith("mcp-")

    run(scenario)


# Where


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
def test_the_folders_of_the_client_say_which_repository_is_meant(mode, project, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "trunk")
    monkeypatch.chdir(tmp_path)
    folders = [project]

    async def roots(context):
        return ListRootsResult(roots=[Root(uri=folder.as_uri()) for folder in folders])

    async def scenario():
        async with over_stdio(mode=mode, list_roots_callback=roots) as client:
            assert (await ask(client, "reserve", addresses=["src/a.py"]))["branch"] == "main"
            folders.append(other)
            said = await fail(client, "reserve", addresses=["x"])
            assert "2 repositories open" in said
            assert (await ask(client, "reserve", addresses=["x"], repository=str(other)))["branch"] == "trunk"

    run(scenario)


def test_no_client_over_http_chooses_settings_which_can_name_code(project, listening, tmp_path):
    other = tmp_path / "other"
    (other / ".bespeak").mkdir(parents=True)
    (other / "planted.py").write_text("open('ran', 'w').close()\n")
    text = 'libs = ["."]\ninit = ["planted"]\n[reservations]\nbackend = "planted"\n'
    (other / ".bespeak" / "settings.toml").write_text(text)
    git(other, "init", "-q", "-b", "main")
    url, _ = listening()

    async def roots(context):
        return ListRootsResult(roots=[Root(uri=other.as_uri())])

    async def scenario():
        async with over_http(url, list_roots_callback=roots) as client:
            assert (await ask(client, "reserve", addresses=["x"]))["branch"] == "main"
            assert (await ask(client, "gate_check", labs=["demo"]))["backend"] == "ledger"
            assert "has no argument 'repository'" in await fail(client, "gate_check", repository=str(other))
            assert (await ask(client, "book_list"))["reservations"] == []

    run(scenario)
    assert not list(tmp_path.rglob("ran"))


def test_a_work_tree_is_a_repository_and_a_fence_keeps_others_out(project, tmp_path):
    git(project, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    (tmp_path / "plain").mkdir()

    async def scenario():
        async with over_stdio("--repository", str(project), cwd=tmp_path) as client:
            made = await ask(client, "reserve", addresses=["src/a.py"], repository=str(tmp_path / "side"), run_id="a")
            assert made["branch"] == "side"
            assert not (await ask(client, "check", addresses=["src/a.py"], run_id="b"))["free"]
            for outside in (str(tmp_path / "plain"), "/"):
                assert "this server was started for" in await fail(client, "list", repository=outside)
            assert "is no folder" in await fail(client, "list", repository="nowhere")
            assert "is no folder" in await fail(client, "list", repository="a\0b")
        async with over_stdio(cwd=tmp_path / "plain") as client:
            assert (await fail(client, "list")).startswith("NO_CONTEXT: not a git repository")

    run(scenario)


# What is refused


HOSTILE = [
    ("reserve", {"addresses": ["a"] * 1001}, "ERROR: Too many addresses: 1001 (max 1000)."),
    ("reserve", {"addresses": []}, "USAGE: addresses: name at least one"),
    ("reserve", {}, "USAGE: addresses has to be given"),
    ("reserve", {"addresses": [1]}, "USAGE: addresses.0: 1 is not a text"),
    ("reserve", {"addresses": {"a": 1}}, "USAGE: addresses: {'a': 1} is not a list"),
    ("reserve", {"adresses": ["a"]}, "USAGE: reserve has no argument 'adresses'; did you mean addresses?"),
    ("reserve", {"addresses": ["a"], "ttl": True}, "USAGE: ttl: True is not a whole number"),
    ("reserve", {"addresses": ["a"], "ttl": "soon"}, "USAGE: ttl: 'soon' is not a whole number"),
    ("reserve", {"addresses": ["a"], "ttl": 0}, "ERROR: Invalid ttl: ttl must be between 1 and 31536000, got 0"),
    ("reserve", {"addresses": ["a"], "ttl": 10**30}, "Invalid ttl"),
    ("reserve", {"addresses": ["a"], "on_conflict": "maybe"}, "on_conflict: 'maybe' is not 'warn' or 'fail'"),
    ("reserve", {"addresses": ["a\0"]}, "ERROR: Invalid address 'a\\x00': has a NUL character in it"),
    ("reserve", {"addresses": ["../../etc/passwd"]}, "is outside the repository"),
    ("reserve", {"addresses": ["a"], "run_id": "x" * 257}, "ERROR: run_id is too long (257 chars; max 256)."),
    ("reserve", {"addresses": ["a"], "depends_on": ["\x1b[31m"]}, "Invalid depends_on: '\\x1b[31m' is not a"),
    ("release", {}, "USAGE: give a reservation_id, or mine"),
    ("depend", {"reservation_id": "sha256:" + "0" * 64, "on": ["sha256:" + "1" * 64]}, "There is no reservation"),
    ("book_reserve", {"resources": ["a\x07"]}, "USAGE: resource 'a\\x07': has a character that does not print"),
    ("book_reserve", {"resources": ["a"], "duration": "\x1b[2J"}, "USAGE: duration: "),
    ("book_reserve", {"resources": ["a"], "duration": "1h", "until": "+2h"}, "say the same thing"),
    ("book_wait", {"resources": ["a"], "priority": 10**9}, "USAGE: priority 1000000000"),
    ("book_wait", {"resources": ["a"], "timeout": "never"}, "USAGE: timeout: "),
    ("book_release", {"mine": True, "resources": ["a"]}, "only one of them"),
    ("book_extend", {"reservation_id": "ffffffff", "duration": "1h"}, "NOT_FOUND: no reservation has an id"),
    ("book_list", {"states": ["dead"]}, "states.0: 'dead' is not"),
    ("gate_check", {"labs": ["nowhere"]}, "NO_CONTEXT: "),
    ("gate_check", {"labs": [""]}, "USAGE: labs has to be given"),
    ("no\nsuch", {}, "USAGE: no tool is called 'no\\nsuch'; known: reserve, "),
]


def test_whatever_is_wrong_is_one_line_and_harms_nothing(project):
    async def scenario():
        async with over_stdio() as client:
            for tool, arguments, said in HOSTILE:
                text = await fail(client, tool, **arguments)
                assert said in text, (tool, text)
                assert text.isprintable(), text
            assert (await ask(client, "list", all=True))["count"] == 0
            strange = await ask(client, "reserve", addresses=["a"], run_id="\x1b[31mred\n")
            assert strange["run_id"] == "\x1b[31mred\n"

    run(scenario)


def test_what_can_only_mean_one_thing_is_taken_so(project):
    async def scenario():
        async with over_stdio() as client:
            made = await ask(client, "reserve", addresses='["src/a.py", "src/b.py"]', ttl="60", op=None, key=None)
            assert made["addresses"] == ["src/a.py", "src/b.py"]
            assert (await ask(client, "check", addresses="src/a.py"))["addresses"] == ["src/a.py"]

    run(scenario)


def test_a_book_that_cannot_be_reached_is_said_without_its_password(project):
    async def scenario():
        book = "postgresql://me:hush@127.0.0.1:9/x?connect_timeout=2"
        async with over_stdio("--ledger", book) as client:
            for tool, arguments in (("book_list", {}), ("list", {}), ("gate_check", {"labs": ["demo"]})):
                said = await fail(client, tool, **arguments)
                assert said.startswith("UNAVAILABLE: "), said
                assert "hush" not in said

    run(scenario)


def test_a_refusal_names_the_code_that_the_command_exits_with(project):
    async def scenario():
        async with over_stdio("--as-user", "alice") as alice, over_stdio("--as-user", "bob") as bob:
            held = await ask(alice, "book_reserve", resources=["rack1"], duration="1h")
            assert (held["holder"], held["acting"] is not None) == ("alice", True)
            assert (await fail(bob, "book_release", reservation_ids=[held["id"]])).startswith("BUSY: ")
            assert (await ask(bob, "gate_check", labs=["demo"]))["missing"][0]["holders"][0]["username"] == "alice"
            await ask(alice, "book_release", reservation_ids=[held["id"]])
            assert (await fail(alice, "book_extend", reservation_id=held["id"], duration="1h")).startswith(
                "WRONG_STATE: "
            )

    run(scenario)


def test_read_only_offers_what_changes_nothing(project):
    async def scenario():
        async with over_stdio("--read-only") as client:
            tools = (await client.list_tools()).tools
            assert all(tool.annotations.read_only_hint for tool in tools)
            assert {"check", "list", "dag", "book_who", "gate_check"} <= {tool.name for tool in tools}
            assert "no tool is called" in await fail(client, "reserve", addresses=["a"])

    run(scenario)


# Waiting


def waiting(client):
    async def nobody():
        return (await ask(client, "book_list", states=["waiting"]))["reservations"] == []

    async def somebody():
        return not await nobody()

    return nobody, somebody


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("mode", [LEGACY, MODERN])
def test_a_cancelled_wait_leaves_the_line(transport, mode, project, listening):
    url = listening()[0] if transport == "http" else None
    heard = []

    async def progress(count, total, message):
        heard.append(message)

    async def scenario():
        connect = over_http(url, mode=mode) if url else over_stdio(mode=mode)
        async with connect as client, over_stdio() as other:
            nobody, somebody = waiting(other)
            await ask(other, "book_reserve", resources=["rack1"], duration="1h")
            async with anyio.create_task_group() as tasks:
                wanted = {"resources": ["rack1"], "timeout": "1h"}
                tasks.start_soon(lambda: client.call_tool("book_wait", wanted, progress_callback=progress))
                await until(somebody)
                tasks.cancel_scope.cancel()
            await until(nobody)
            assert (await ask(client, "book_who", resource="rack1"))["reservations"][0]["state"] == "active"

    run(scenario)
    assert heard[0].startswith("waiting: place 1")


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
def test_a_wait_over_http_goes_on_until_it_is_granted(mode, project, listening):
    url, _ = listening()

    async def scenario():
        async with over_http(url, mode=mode) as client:
            held = await ask(client, "book_reserve", resources=["rack1"], duration="4s")
            answer = await ask(client, "book_wait", resources=["rack1"], timeout="1m")
            assert (answer["status"], answer["starts_us"] >= held["ends_us"]) == ("reserved", True)

    run(scenario)


def test_who_waits_for_code_is_told_when_it_is_free(project):
    heard = []

    async def progress(count, total, message):
        heard.append(message)

    async def scenario():
        async with over_stdio() as client, over_stdio(env={"BESPEAK_RUN_ID": "other"}) as other:
            held = await ask(other, "reserve", addresses=["src/a.py"])
            await ask(other, "reserve", addresses=["src/b.py"], ttl=3)

            async def is_told():
                return bool(heard)

            async def release():
                await until(is_told)
                await ask(other, "release", reservation_id=held["reservation_id"])

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(release)
                wanted = {"addresses": ["src/"], "timeout": "1m"}
                answer = await client.call_tool("wait", wanted, progress_callback=progress)
            assert answer.structured_content["free"] is True
            assert (await ask(client, "check", addresses=["src/"]))["free"] is True

    run(scenario)
    assert heard[0] == "waiting for other"


def test_many_wait_and_others_are_answered_and_each_gets_its_turn(project):
    async def scenario():
        async with over_stdio() as client, over_stdio() as other:
            held = await ask(other, "book_reserve", resources=["rack1"], duration="1h")
            granted = []

            async def wait():
                answer = await ask(client, "book_wait", resources=["rack1"], duration="1s", timeout="1m")
                granted.append(answer["number"])
                await ask(client, "book_release", reservation_ids=[answer["id"]])

            async with anyio.create_task_group() as tasks:
                for _ in range(12):
                    tasks.start_soon(wait)

                async def all_in_line():
                    return len((await ask(client, "book_list", states=["waiting"]))["reservations"]) == 12

                await until(all_in_line)
                await ask(other, "book_release", reservation_ids=[held["id"]])
            assert granted == sorted(granted)
            assert len(granted) == 12

    run(scenario)


@pytest.mark.postgres
def test_machines_that_share_a_book_share_claims_and_lines(project, postgres_url, listening):
    url, _ = listening("--ledger", postgres_url)

    async def scenario():
        async with over_http(url) as one, over_stdio("--ledger", postgres_url) as two:
            held = await ask(one, "reserve", addresses=["src/a.py"], on_conflict="fail")
            assert (await ask(two, "reserve", addresses=["src/"], on_conflict="fail"))["reservation_id"] is None
            booked = await ask(one, "book_reserve", resources=["rack1"], duration="1h")
            assert (await ask(two, "gate_check", labs=["demo"]))["allowed"]  # they are one account
            nobody, somebody = waiting(one)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask_free, two)
                tasks.start_soon(ask_booked, two)
                await until(somebody)
                await ask(one, "book_release", reservation_ids=[booked["id"]])
                await ask(one, "release", reservation_id=held["reservation_id"])
            assert await nobody()

    async def ask_free(client):
        assert (await ask(client, "wait", addresses=["src/"], timeout="1m"))["free"]

    async def ask_booked(client):
        assert (await ask(client, "book_wait", resources=["rack1"], timeout="1m"))["status"] == "reserved"

    run(scenario)


def test_hundreds_of_calls_at_once(project, listening):
    url, _ = listening()

    async def scenario():
        async with over_http(url) as client:
            made = []

            async def claim(number):
                made.append(await ask(client, "reserve", addresses=[f"src/{number}.py"]))

            async with anyio.create_task_group() as tasks:
                for number in range(200):
                    tasks.start_soon(claim, number)
            assert sorted(each["epoch"] for each in made) == list(range(1, 201))
            assert (await ask(client, "release", mine=True))["count"] == 200

    run(scenario)


def post(url, body, **headers):
    """Send one message by hand; return the connection, for its answer to be read or not."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers}
    connection.request("POST", parts.path, json.dumps({"jsonrpc": "2.0", **body}), headers)
    return connection


HELLO = {
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
}


def hello(url, **headers):
    """Open a session by hand; return status and headers of the answer."""
    connection = post(url, HELLO, **headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers


def test_a_client_that_dies_while_it_waits_leaves_the_line(project, listening):
    url, _ = listening()
    session = {"Mcp-Session-Id": hello(url)[1]["mcp-session-id"]}
    ready = post(url, {"method": "notifications/initialized"}, **session)
    assert ready.getresponse().status == 202
    ready.close()

    async def scenario():
        async with over_stdio() as client:
            nobody, somebody = waiting(client)
            await ask(client, "book_reserve", resources=["rack1"], duration="1h")
            call = {"name": "book_wait", "arguments": {"resources": ["rack1"], "timeout": "1h"}}
            dying = post(url, {"id": 2, "method": "tools/call", "params": call}, **session)
            await until(somebody)
            dying.close()
            await until(nobody)

    run(scenario)


# The end, and what comes after it


def test_a_server_that_is_killed_loses_nothing(project, listening):
    url, process = listening()
    kept = {}

    async def before():
        async with over_http(url) as client:
            kept.update(await ask(client, "reserve", addresses=["src/a.py"], run_id="me"))
            await ask(client, "book_reserve", resources=["rack1"], duration="1h")

    async def after():
        async with over_http(listening()[0]) as client:
            assert (await ask(client, "list"))["reservations"][0]["reservation_id"] == kept["reservation_id"]
            assert (await ask(client, "release", reservation_id=kept["reservation_id"], run_id="me"))["status"] == "ok"
            assert (await ask(client, "gate_check", labs=["demo"]))["allowed"]

    run(before)
    process.kill()
    run(after)


def speak(process, *messages):
    for message in messages:
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    process.stdin.flush()


def begin(cli, *words, **options):
    process = cli.start("mcp", *words, **options)
    speak(process, HELLO)
    assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "bespeak"
    speak(process, {"method": "notifications/initialized"})
    return process


def call(number, tool, **arguments):
    return {"id": number, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


@pytest.mark.parametrize("ending", ["eof", signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_server_that_ends_leaves_the_line_and_nothing_else(ending, project, cli, as_json):
    as_json("alice", "reserve", "rack1", "--for", "1h")
    process = begin(cli)
    speak(process, call(2, "book_wait", resources=["rack1"], timeout="1h"))
    while not as_json("alice", "list", "--state", "waiting")["reservations"]:
        assert process.poll() is None
    if ending == "eof":
        process.stdin.close()
    else:
        process.send_signal(ending)
    assert process.wait(60) == (0 if ending == "eof" else 128 + ending)
    assert as_json("alice", "list", "--state", "waiting")["reservations"] == []
    assert process.stderr.read() == ""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_listening_server_ends_at_once_though_clients_are_connected(ending, project, listening, as_json):
    as_json("alice", "reserve", "rack1", "--for", "1h")
    url, process = listening()

    async def scenario():
        async with over_http(url) as client, over_stdio() as other:
            _, somebody = waiting(other)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "book_wait", {"resources": ["rack1"], "timeout": "1h"})
                await until(somebody)
                process.send_signal(ending)
                await anyio.to_thread.run_sync(process.wait)
                tasks.cancel_scope.cancel()
            raise EOFError

    with pytest.raises(BaseExceptionGroup):
        run(scenario)
    assert process.returncode == 128 + ending
    assert as_json("alice", "list", "--state", "waiting")["reservations"] == []
    assert process.stderr.read() == ""


def test_stdout_carries_the_protocol_only_whatever_a_plug_in_prints(project, cli):
    (project / "noisy.py").write_text(
        "import os\nfrom bespeak.reservations import register_reservation_backend\n"
        "print('loaded')\nos.system('echo shouted')\n"
        "class Noisy:\n"
        "    def __init__(self, **_): print('made')\n"
        "    def backend_name(self): return 'noisy'\n"
        "    def get_reserved_resources(self, username): print('asked'); return {'rack1'}\n"
        "    def who_reserved(self, resource): return []\n"
        "    def list_usernames(self): return []\n"
        "register_reservation_backend('noisy', Noisy)\n"
    )
    settings = 'libs = ["."]\ninit = ["noisy"]\n[reservations]\nbackend = "noisy"\n'
    (project / ".bespeak" / "settings.toml").write_text(settings)
    process = begin(cli)
    speak(process, call(2, "gate_check", labs=["demo"]))
    answer = json.loads(process.stdout.readline())["result"]
    assert not answer["isError"], answer
    assert answer["structuredContent"]["backend"] == "noisy"
    process.stdin.close()
    assert process.stdout.read() == ""
    assert set(process.stderr.read().split()) == {"loaded", "shouted", "made", "asked"}


def test_nonsense_on_the_wire_is_answered_or_ignored_and_the_server_lives_on(project, cli):
    process = begin(cli)
    process.stdin.write(
        "not json\n\n{}\n[1, 2]\n" + "x" * 5_000_000 + "\n" + '{"a": "\\ud800"}\n' + "[" * 100_000 + "\n"
    )
    speak(process, call(2, "check", addresses=["src/a.py"]))
    answers = []
    while not any(answer.get("id") == 2 for answer in answers):
        answers.append(json.loads(process.stdout.readline()))
    assert answers[-1]["result"]["structuredContent"]["free"] is True
    process.stdin.close()
    assert process.wait(60) == 0
    assert "Traceback" not in process.stderr.read()


# Listening


def test_only_this_machine_is_listened_to_without_a_token(project, cli):
    for words, said in (
        (["--http", "0.0.0.0:0"], "other machines could book in your name; give --token env:NAME"),
        (["--http", "0.0.0.0:0", "--token", "hunter2"], "--token: name the variable that has it, as env:NAME"),
        (["--http", "0.0.0.0:0", "--token", "env:NOT_SET"], "--token: the variable 'NOT_SET' is not set"),
        (["--http", "nonsense"], "--http: 'nonsense' is not of the form HOST:PORT"),
        (["--http", "127.0.0.1:99999"], "is not of the form HOST:PORT"),
        (["--path", "/x"], "--path goes with --http"),
        (["--http", "127.0.0.1:0", "--path", "x"], "--path: 'x' is no path such as /mcp"),
        (["--repository", "nowhere"], "--repository: 'nowhere' is no folder"),
        (["--client", "claude"], "--client goes with 'mcp config'"),
    ):
        done = cli("mcp", *words)
        assert done.returncode == 2, words
        assert said in done.stderr
        assert "hunter2" not in done.stderr
    taken = cli("mcp", "--http", "192.0.2.1:0", "--without-token")
    assert (taken.returncode, "192.0.2.1" in taken.stderr) == (9, True)


def test_a_token_is_asked_for(project, listening):
    url, _ = listening("--token", "env:SECRET", at="0.0.0.0:0", env={"SECRET": "s3cret"})
    url = url.replace("0.0.0.0", "127.0.0.1")
    for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "s3cret"}):
        status, answered = hello(url, **headers)
        assert (status, answered["WWW-Authenticate"]) == (401, "Bearer")

    async def scenario():
        async with over_http(url, headers={"Authorization": "Bearer s3cret"}) as client:
            assert (await ask(client, "list"))["count"] == 0
            assert "this server was started for" in await fail(client, "list", repository="/")

    run(scenario)


def test_a_name_that_is_not_its_own_is_refused(project, listening):
    url, _ = listening("--allow-host", "build1.example.org", "--path", "/tools")
    assert url.endswith("/tools")
    for headers, status in (
        ({"Host": "evil.example.org"}, 421),
        ({"Origin": "http://evil.example.org"}, 403),
        ({"Host": "127.0.0.1.evil.example.org:80"}, 421),
        ({"Host": "build1.example.org:80"}, 200),
        ({"Host": "localhost:1", "Origin": "http://localhost:3000"}, 200),
    ):
        assert hello(url, **headers)[0] == status, headers


# Configuration, and the extra


@pytest.mark.parametrize("client", ["claude", "cursor", "vscode", "generic"])
def test_the_configuration_starts_a_server(client, project, cli):
    done = cli("mcp", "config", "--client", client, "--read-only", "--json")
    (servers,) = json.loads(done.stdout).values()
    server = servers["bespeak"]
    assert server["args"][-2:] == ["mcp", "--read-only"]
    process = subprocess.run(
        [server["command"], *server["args"]], input=json.dumps({"jsonrpc": "2.0", **HELLO}) + "\n", capture_output=True,
        text=True, check=True, timeout=60,
    )  # fmt: skip
    assert json.loads(process.stdout)["result"]["serverInfo"]["name"] == "bespeak"
    page = cli("mcp", "config", "--client", client, "--read-only").stdout
    assert json.loads(page[page.index("{") :]) == json.loads(done.stdout)
    assert cli("mcp", "config", "--client", "emacs").returncode == 2


def test_without_the_extra_one_line_says_how_to_get_it(project):
    program = "import sys; sys.modules['mcp'] = None; from bespeak.cli.main import main; sys.exit(main(['mcp']))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 9
    assert done.stderr == "bespeak: error: mcp needs the extra: pip install 'bespeak[mcp]'\n"


def test_the_guide_is_a_resource_and_a_prompt_too(project):
    async def scenario():
        async with over_stdio() as client:
            assert "BESPEAK_RUN_ID" in client.instructions
            (listed,) = (await client.list_resources()).resources
            (read,) = (await client.read_resource(listed.uri)).contents
            (prompt,) = (await client.list_prompts()).prompts
            (message,) = (await client.get_prompt(prompt.name)).messages
            guide = (await ask(client, "guide"))["guide"]
            assert read.text == message.content.text == guide
            assert "AGENTS" not in guide
            assert "coord reserve" in (await ask(client, "guide", agents_md=True))["guide"]
            for wrong in (client.read_resource("bespeak://x"), client.get_prompt("x")):
                with pytest.raises(Exception, match="known: "):
                    await wrong

    run(scenario)
