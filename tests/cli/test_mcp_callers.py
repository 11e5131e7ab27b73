"""Who calls, and which repository is meant: what the connection tells where no argument does."""

from __future__ import annotations

from contextlib import AsyncExitStack

import anyio
import pytest
from mcp.types import ListRootsResult, Root

from support.agents import (
    LEGACY,
    MODERN,
    ask,
    fail,
    over_http,
    over_stdio,
    run,
)
from support.repositories import git
from support.trusting import trust


def test_what_another_agent_or_a_command_of_the_account_holds_passes_no_gate(cli, project):
    (project / "lab.toml").write_text('[labs.demo]\nresources = ["rack1"]\n')

    async def scenario():
        async with over_stdio() as one, over_stdio() as other:
            held = await ask(one, "book_reserve", resources=["rack1"], duration="1h")
            assert (await ask(one, "gate_check", labs=["demo"]))["allowed"]
            refused = await ask(other, "gate_check", labs=["demo"])
            assert not refused["allowed"]
            assert refused["held"] == []
            [missing] = refused["missing"]
            [holder] = missing["holders"]
            assert holder["where"].startswith(f"{held['process']} on ")
            assert (missing["resource"], holder["until"]) == ("rack1", held["ends"])
            assert missing["free_from"] == held["ends"]
            named = await ask(other, "gate_check", labs=["demo"], user=held["holder"])
            assert named["allowed"]
            await ask(one, "book_release", mine=True)
            assert cli("reserve", "rack1").returncode == 0
            assert (await ask(other, "gate_check", labs=["demo"]))["allowed"]

    run(scenario)


def test_processes_are_compared_whole_and_not_by_how_they_are_shown(project):
    names = [f"rack{number}" for number in range(52)]  # more than the gate describes
    (project / "lab.toml").write_text(f"[labs.demo]\nresources = {names}\n")

    async def scenario():
        async with (
            over_stdio(env={"BESPEAK_RUN_ID": "a on b"}) as longer,
            over_stdio(env={"BESPEAK_RUN_ID": "a"}) as shorter,
        ):
            await ask(longer, "book_reserve", resources=names, duration="1h")
            assert (await ask(longer, "gate_check", labs=["demo"]))["allowed"]
            refused = await ask(shorter, "gate_check", labs=["demo"])
            assert refused["held"] == []
            assert {each["resource"] for each in refused["missing"]} == set(names)

    run(scenario)


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


def two_on_stdio(listening):
    del listening
    return over_stdio, over_stdio


def two_sessions(listening):
    url, _ = listening()
    return (lambda: over_http(url),) * 2


def two_runs(listening):
    url, _ = listening()
    return tuple(
        lambda name=name: over_http(url, mode=MODERN, headers={"Bespeak-Run-Id": name}) for name in ("one", "two")
    )


@pytest.mark.parametrize("two", [two_on_stdio, two_sessions, two_runs])
def test_by_name_an_agent_gives_back_what_it_has_booked_itself(project, listening, two):
    first, second = two(listening)

    async def scenario():
        async with first() as one, second() as other:
            held = await ask(one, "book_reserve", resources=["rackM"], duration="1h")
            await ask(one, "book_reserve", resources=["later"], start="+2h", duration="1h")
            said = await fail(other, "book_release", resources=["rackM"])
            who = f"{held['holder']} [{held['process']} on {held['host']}]"
            assert said.startswith(f"BUSY: rackM is held by {who} since ")
            assert "not by this session" in said
            assert f"its id ends it all the same: {held['id']}" in said
            assert (await ask(other, "book_release", mine=True))["reservations"] == []
            assert (await fail(other, "book_release", resources=["free"])).startswith("NOT_FOUND: ")
            got = await ask(other, "book_wait", resources=["rackN"], duration="1h")
            assert "rackN is held by" in await fail(one, "book_release", resources=["rackN", "rackM"])
            assert [row["id"] for row in (await ask(other, "book_release", resources=["rackN"]))["reservations"]] == [
                got["id"]
            ]
            assert (await ask(one, "book_release", resources=["rackM"]))["reservations"][0]["id"] == held["id"]
            assert len((await ask(one, "book_release", mine=True))["reservations"]) == 1
            again = await ask(one, "book_reserve", resources=["rackM"], duration="1h")
            ended = await ask(other, "book_release", reservation_ids=[again["id"]])
            assert ended["reservations"][0]["state"] == "ended"

    run(scenario)


def test_who_comes_back_under_the_same_run_has_its_holds_again(project, listening):
    url, _ = listening()
    ways = (
        lambda: over_stdio(env={"BESPEAK_RUN_ID": "me"}),
        lambda: over_http(url, headers={"Bespeak-Run-Id": "me"}),
    )

    async def scenario():
        for first, then in (ways, ways[::-1]):
            async with first() as client:
                await ask(client, "book_reserve", resources=["a"], duration="1h")
                await ask(client, "book_reserve", resources=["b"], duration="1h")
            async with then() as client:
                assert len((await ask(client, "book_release", resources=["a"]))["reservations"]) == 1
                assert len((await ask(client, "book_release", mine=True))["reservations"]) == 1

    run(scenario)


def test_a_server_within_a_run_gives_back_the_runs_hold_and_its_own(project, as_json):
    around, other = (as_json("ci", "reserve", name, "--for", "1h") for name in ("rack1", "rack2"))
    inside = {"BESPEAK_RESERVATION": around["id"], "BESPEAK_NUMBER": str(around["number"])}

    async def scenario():
        async with over_stdio("--as-user", "ci", env=inside) as client:
            assert other["id"] in await fail(client, "book_release", resources=["rack2"])
            own = await ask(client, "book_reserve", resources=["rack3"], duration="1h")
            await ask(client, "book_release", resources=["rack3"])
            assert own["process"].startswith("agent mcp-")
            await ask(client, "book_reserve", resources=["rack3"], duration="1h")
            ended = await ask(client, "book_release", mine=True)
            assert sorted(row["resources"][0] for row in ended["reservations"]) == ["rack1", "rack3"]

    run(scenario)


def test_without_a_session_only_an_id_says_whose_hold_is_meant(project, listening):
    url, _ = listening()

    async def scenario():
        async with over_http(url, mode=MODERN) as client:
            held = await ask(client, "book_reserve", resources=["rack1"], duration="1h")
            for asked in ({"resources": ["rack1"]}, {"mine": True}):
                said = await fail(client, "book_release", **asked)
                assert said.startswith("USAGE: ")
                assert "Bespeak-Run-Id" in said
            assert len((await ask(client, "book_release", reservation_ids=[held["id"]]))["reservations"]) == 1

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
    trust(other)
    git(other, "init", "-q", "-b", "main")
    url, _ = listening("--root", str(other))

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
