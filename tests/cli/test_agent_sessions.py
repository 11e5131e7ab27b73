"""An agent claims through its server of tools and commits from its shell: that is one run, and its commit is its own."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from bespeak.coord.run_id import this_boot
from bespeak.coord.session_runs import FOLDER
from support.agents import ask, over_stdio, run
from support.repositories import git
from support.trees import lives, wait_for

COMMIT = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "change"]


@pytest.fixture
def guarded(project, cli, monkeypatch):
    monkeypatch.delenv("BESPEAK_RUN_ID", raising=False)
    assert cli("coord", "guard", "install", "--refuse").returncode == 0
    (project / "src/a.py").write_text("def f():\n    return 2\n")
    git(project, "add", ".")
    return project


def commit(folder):
    return subprocess.run(["sh", "-c", 'cd "$0" && "$@"', folder, *COMMIT], capture_output=True, text=True, check=False)


def sessions(folder):
    return sorted(os.listdir(folder / ".git" / FOLDER))


def test_the_commit_of_what_the_agent_has_claimed_itself_is_made(guarded, cli):
    async def scenario():
        async with over_stdio() as client:
            claimed = await ask(client, "reserve", addresses=["src/a.py"])
            assert cli("coord", "check", "src/a.py").returncode == 0
            assert cli("coord", "check", "src/a.py", "--run-id", "other").returncode == 7
            refusing = "coord", "reserve", "--on-conflict", "fail", "src/a.py"
            assert cli(*refusing, "--run-id", "other").returncode == 7
            mine = cli(*refusing, "--json")
            assert (mine.returncode, json.loads(mine.stdout)["conflicts"]) == (0, [])
            assert claimed["run_id"].startswith("mcp-")
            assert len(sessions(guarded)) == 1
            done = commit(guarded)
            assert (done.returncode, done.stderr) == (0, "")

    run(scenario)
    assert sessions(guarded) == []


def claim_and_commit(folder, claimant, committer):
    """Claim and commit in sessions of the system of their own, as many agents start commands; return the commit."""
    apart = {"cwd": folder, "capture_output": True, "text": True, "start_new_session": True}
    words = [sys.executable, "-m", "bespeak", "coord", "reserve", "src/a.py"]
    subprocess.run(words, env=os.environ | claimant, check=True, **apart)
    return subprocess.run(COMMIT, env=os.environ | committer, check=False, **apart)


@pytest.mark.parametrize("name", ["BESPEAK_RUN_ID", "CODEX_THREAD_ID", "CLAUDE_CODE_SESSION_ID"])
def test_commands_in_sessions_of_their_own_are_one_run_by_the_name_of_their_agent(guarded, name):
    refused = claim_and_commit(guarded, {name: "a7"}, {name: "a8"})
    assert (refused.returncode, "already reserved by run-id 'a7'" in refused.stderr) == (1, True)
    done = claim_and_commit(guarded, {name: "a7"}, {name: "a7"})
    assert (done.returncode, done.stderr) == (0, "")


def test_commands_in_sessions_of_their_own_that_nobody_names_may_be_of_two_agents(guarded):
    refused = claim_and_commit(guarded, {}, {})
    assert refused.returncode == 1
    assert "set BESPEAK_RUN_ID in its environment before it claims anything." in refused.stderr


def test_what_another_agent_has_claimed_is_still_refused(guarded):
    async def scenario():
        async with over_stdio() as client:
            await ask(client, "reserve", addresses=["src/a.py"])
            async with over_stdio() as other:  # one process leads two agents: nobody knows whose shell commits
                await ask(other, "reserve", addresses=["lab.toml"])
                assert commit(guarded).returncode == 1
            assert commit(guarded).returncode == 0

    run(scenario)


def test_a_session_belongs_to_one_work_tree(guarded, tmp_path):
    git(guarded, "stash", "-q")
    git(guarded, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    (tmp_path / "other/src/a.py").write_text("x = 1\n")
    git(tmp_path / "other", "add", ".")

    async def scenario():
        async with over_stdio() as client:
            await ask(client, "reserve", addresses=["src/a.py"])
            refused = commit(tmp_path / "other")
            assert (refused.returncode, "already reserved by run-id 'mcp-" in refused.stderr) == (1, True)

    run(scenario)


def test_a_file_that_others_may_write_makes_nobody_the_same_run(guarded):
    async def scenario():
        async with over_stdio() as client:
            await ask(client, "reserve", addresses=["src/a.py"])
            (name,) = sessions(guarded)
            (guarded / ".git" / FOLDER / name).chmod(0o666)
            assert commit(guarded).returncode == 1

    run(scenario)


def kill_server(folder):
    """Kill the one server of tools with -9, as an out-of-memory kill does; wait until it is gone."""
    (name,) = sessions(folder)
    server = int(name.rpartition("-")[2])
    os.kill(server, signal.SIGKILL)
    wait_for(lambda: not lives(server))


@pytest.mark.parametrize("tree", ["main", "linked"])
def test_what_a_killed_server_has_claimed_stands_in_nobody_s_way(guarded, cli, tmp_path, tree):
    """Also in another work tree of the clone; the claim is given back by the next one that claims."""
    git(guarded, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "linked")
    where = {"cwd": guarded if tree == "main" else tmp_path / "linked"}

    async def scenario():
        with suppress(Exception):
            async with over_stdio() as client:
                await ask(client, "reserve", addresses=["src/a.py"])
                assert cli("coord", "check", "src/a.py", "--run-id", "other", **where).returncode == 7
                kill_server(guarded)

    run(scenario)
    assert cli("coord", "check", "src/a.py", "--run-id", "other", **where).returncode == 0
    assert len(sessions(guarded)) == 1, "a check changes nothing"
    made = cli("coord", "reserve", "src/a.py", "--run-id", "other", "--on-conflict", "fail", **where)
    assert (made.returncode, sessions(guarded)) == (0, [])
    held = json.loads(cli("coord", "list", "--json", **where).stdout)["reservations"]
    assert [one["run_id"] for one in held] == ["other"]


def leave(folder, name, text):
    """Leave the file of a server, as the server itself does: nobody else has any right to it."""
    path = folder / ".git" / FOLDER / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o600)


def test_a_server_of_this_boot_that_has_ended_is_called_dead(guarded, cli):
    assert cli("coord", "reserve", "src/a.py", "--run-id", "mcp-on").returncode == 0
    leave(guarded, "999999-1-999998", f"mcp-on\n{this_boot()}")
    assert cli("coord", "check", "src/a.py", "--run-id", "other").returncode == 0


@pytest.mark.parametrize("elsewhere", ["", "00000000", "00000000-4026531999"])
def test_a_server_of_another_machine_is_not_called_dead(guarded, cli, elsewhere):
    assert cli("coord", "reserve", "src/a.py", "--run-id", "mcp-far").returncode == 0
    leave(guarded, "999999-1-999998", f"mcp-far\n{elsewhere}")
    assert cli("coord", "check", "src/a.py", "--run-id", "other").returncode == 7
    assert cli("coord", "reserve", "src/a.py", "--run-id", "other", "--on-conflict", "fail").returncode == 7


def test_a_server_whose_agent_has_ended_speaks_for_its_run_while_it_works(guarded, cli):
    """An agent behind a shell or a wrapper that ends leaves its server to init; that server's claims stand."""
    assert cli("coord", "reserve", "src/a.py", "--run-id", "mcp-on").returncode == 0
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(["sleep", "600"], **quiet) as server:
        try:
            leave(guarded, f"999999-1-{server.pid}", f"mcp-on\n{this_boot()}")
            assert cli("coord", "check", "src/a.py", "--run-id", "other").returncode == 7
            assert cli("coord", "reserve", "src/a.py", "--run-id", "other", "--on-conflict", "fail").returncode == 7
        finally:
            server.kill()
    assert cli("coord", "check", "src/a.py", "--run-id", "other").returncode == 0


def test_a_file_of_another_name_calls_no_run_ended(guarded, cli):
    assert cli("coord", "reserve", "src/a.py", "--run-id", "mcp-on").returncode == 0
    leave(guarded, "notes", f"mcp-on\n{this_boot()}")
    assert cli("coord", "check", "src/a.py", "--run-id", "other").returncode == 7


@pytest.fixture
def begin(cli, tmp_path):
    """Call the hook at the start of a session; return what the shell's file has then, and the answer."""

    def call(document, name="shell", **env):
        path = tmp_path / name
        done = cli("coord", "guard", "session", input=json.dumps(document), env={"CLAUDE_ENV_FILE": str(path), **env})
        return (path.read_text() if path.is_file() else "", done)

    return call


def test_the_hook_at_the_start_of_a_session_gives_its_shell_the_run_id(begin, tmp_path):
    (tmp_path / "shell").write_text("export OTHER=1\n")
    text, done = begin({"hook_event_name": "SessionStart", "session_id": "a7 $(touch x)"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    shell = subprocess.run(
        ["sh", "-c", f'{text}printf %s "$BESPEAK_RUN_ID"'], capture_output=True, text=True, check=True
    )
    assert (shell.stdout, text.startswith("export OTHER=1\n")) == ("a7 $(touch x)", True)


def test_a_run_id_of_the_environment_stays(begin):
    assert begin({"session_id": "a7"}, BESPEAK_RUN_ID="mine")[0] == ""
    assert begin({"source": "startup"})[0] == ""


def test_the_shell_s_file_is_never_reached_by_a_link(begin, tmp_path):
    (tmp_path / "profile").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "profile")
    text, done = begin({"session_id": "a7"}, "link")
    assert (text, done.returncode) == ("", 9)
    assert "CLAUDE_ENV_FILE: " in done.stderr
