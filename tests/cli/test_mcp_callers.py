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
