"""The end of a server, however it comes, and what is on its wires until then."""

from __future__ import annotations

import json
import signal

import anyio
import pytest

from support.agents import (
    ask,
    begin,
    call,
    over_http,
    over_stdio,
    run,
    speak,
    until,
    waiting,
)
from support.trusting import trust


def test_a_server_that_is_killed_loses_nothing(project, listening):
    url, process = listening()
    kept: dict[str, object] = {}
    held: dict[str, object] = {}

    async def before():
        async with over_http(url) as client:
            kept.update(await ask(client, "reserve", addresses=["src/a.py"], run_id="me"))
            held.update(await ask(client, "book_reserve", resources=["rack1"], duration="1h"))

    async def after():
        async with over_http(listening()[0]) as client:
            assert (await ask(client, "list"))["reservations"][0]["reservation_id"] == kept["reservation_id"]
            assert (await ask(client, "release", reservation_id=kept["reservation_id"], run_id="me"))["status"] == "ok"
            refused = await ask(client, "gate_check", labs=["demo"])  # this is another session
            assert refused["missing"][0]["holders"][0]["where"].startswith(f"{held['process']} on ")
            ended = await ask(client, "book_release", reservation_ids=[held["id"]])
            assert [one["id"] for one in ended["reservations"]] == [held["id"]]

    run(before)
    process.kill()
    run(after)


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
    trust(project)
    process = begin(cli)
    speak(process, call(2, "gate_check", labs=["demo"]))
    answer = json.loads(process.stdout.readline())["result"]
    assert not answer["isError"], answer
    assert answer["structuredContent"]["backend"] == "noisy"
    process.stdin.close()
    assert process.stdout.read() == ""
    assert set(process.stderr.read().split()) == {"loaded", "shouted", "made", "asked"}


@pytest.mark.parametrize(
    ("settings", "tool"),
    [
        ('libs = ["."]\ninit = ["planted_too"]\n[reservations]\nbackend = "mine"\n', "gate_check"),
        ('[ledger]\nurl = "../elsewhere.db"\n', "book_list"),
    ],
)
def test_a_tool_does_not_act_on_what_an_untrusted_folder_names(project, cli, monkeypatch, settings, tool):
    monkeypatch.delenv("BESPEAK_LEDGER")
    (project / "planted_too.py").write_text("open('ran', 'w').close()\n")
    (project / ".bespeak" / "settings.toml").write_text(settings)
    process = begin(cli)
    speak(process, call(2, tool, **({"labs": ["demo"]} if tool == "gate_check" else {})))
    answer = json.loads(process.stdout.readline())["result"]
    assert answer["isError"]
    assert "its folder is not trusted" in answer["content"][0]["text"]
    assert not (project / "ran").exists()
    assert not (project.parent / "elsewhere.db").exists()
