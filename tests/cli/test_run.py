"""``run`` gives back however the command ends."""

import json
import signal
import time

import pytest


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def held(as_json):
    """Return who holds a resource now."""
    return lambda name: [one["holder"] for one in as_json("watcher", "who", name)["reservations"]]


def test_the_command_sees_its_hold_and_its_exit_code_is_ours(run_as, held):
    script = 'echo "$BESPEAK_NUMBER"; echo "$BESPEAK_RESOURCES"; echo "$BESPEAK_RESERVATION"; exit 5'
    done = run_as("alice", "run", "rack3", "analyser", "--", "sh", "-c", script, code=5)
    number, first, second, identifier = done.stdout.splitlines()
    assert (number, first, second, len(identifier)) == ("1", "analyser", "rack3", 36)
    assert "holding" in done.stderr
    assert held("rack3") == []


def test_the_command_uses_the_same_book(run_as, cli, tmp_path):
    book = str(tmp_path / "another")
    script = "import os; print(os.environ['BESPEAK_LEDGER'])"
    done = run_as("alice", "--ledger", book, "run", "x", "--", "python3", "-c", script)
    assert done.stdout.strip() == book


def test_a_command_killed_by_a_signal_counts_as_a_shell_counts_it(run_as, held):
    run_as("alice", "run", "rack3", "--", "sh", "-c", "kill -9 $$", code=137)
    assert held("rack3") == []


@pytest.mark.parametrize(("words", "code"), [(["/nonexistent/program"], 127), (["/tmp"], 126)])
def test_a_command_that_cannot_be_started_holds_nothing(run_as, held, words, code):
    done = run_as("alice", "run", "rack3", "--", *words, code=code)
    assert "cannot run" in done.stderr
    assert held("rack3") == []


def test_what_is_held_by_another_is_refused_and_nothing_runs(run_as, tmp_path):
    run_as("alice", "reserve", "rack3")
    run_as("bob", "run", "rack3", "--", "touch", str(tmp_path / "ran"), code=7)
    assert not (tmp_path / "ran").exists()


def test_run_waits_in_line(cli, run_as):
    run_as("alice", "reserve", "rack3")
    waiting = cli.start("--as-user", "bob", "run", "rack3", "--wait", "60s", "--", "echo", "mine")
    waiting.stderr.readline()
    assert "waiting" in waiting.stderr.readline()
    run_as("alice", "release", "rack3")
    out, _ = waiting.communicate(timeout=60)
    assert (waiting.returncode, out) == (0, "mine\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on_and_the_hold_is_given_back(cli, held, number):
    script = f"import signal, sys, time; signal.signal({int(number)}, lambda *_: sys.exit(42)); print('up', flush=True); time.sleep(60)"
    running = cli.start("--as-user", "alice", "run", "rack3", "--", "python3", "-c", script)
    assert running.stdout.readline() == "up\n"
    assert held("rack3") == ["alice"]
    running.send_signal(number)
    assert running.wait(60) == 42
    assert held("rack3") == []


def test_a_hold_whose_keeper_was_killed_lapses_by_itself(cli, held):
    running = cli.start("--as-user", "alice", "run", "rack3", "--keepalive", "1s", "--", "sleep", "30")
    wait_for(lambda: held("rack3") == ["alice"])
    running.send_signal(signal.SIGKILL)
    wait_for(lambda: held("rack3") == [])


def test_signs_of_life_keep_a_hold_longer_than_one_of_them(cli, held, run_as):
    running = cli.start("--as-user", "alice", "run", "rack3", "--keepalive", "3s", "--", "sleep", "6")
    wait_for(lambda: held("rack3") == ["alice"])
    run_as("bob", "reserve", "rack3", "--for", "1h", "--wait", "4s", code=10)
    assert running.wait(60) == 0


def test_a_hold_that_is_taken_away_ends_the_command_at_once(cli, run_as, as_json):
    running = cli.start("--as-user", "alice", "run", "rack3", "--", "sleep", "60")
    running.stderr.readline()
    assert "holding" in running.stderr.readline()
    [hold] = as_json("eve", "who", "rack3")["reservations"]
    run_as("eve", "kick", hold["short_id"], "--reason", "fire drill")
    _, err = running.communicate(timeout=15)
    assert running.returncode == 11
    assert "the hold is lost" in err
    assert "fire drill" in err


def test_with_keep_going_the_command_is_only_told(cli, run_as, as_json):
    running = cli.start("--as-user", "alice", "run", "rack3", "--keep-going", "--", "sh", "-c", "read x; exit 3")
    running.stderr.readline()
    running.stderr.readline()
    [hold] = as_json("eve", "who", "rack3")["reservations"]
    run_as("eve", "kick", hold["short_id"], "--reason", "drill")
    assert "goes on without it" in running.stderr.readline()
    running.communicate("go\n", timeout=60)
    assert running.returncode == 3


def test_a_time_that_was_asked_for_is_over_when_it_is_over(run_as):
    done = run_as("alice", "run", "rack3", "--for", "1s", "--", "sleep", "60", code=11)
    assert "the hold ends" in done.stderr
    assert "the hold is over; the command is being stopped" in done.stderr


def test_a_command_that_ignores_the_end_is_killed(run_as):
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    run_as("alice", "run", "rack3", "--for", "1s", "--", "python3", "-c", stubborn, code=11, timeout=50)


def test_an_end_nobody_chose_moves_on_while_the_command_runs(run_as, as_json, tmp_path, monkeypatch):
    (tmp_path / ".bespeak").mkdir()
    (tmp_path / ".bespeak" / "settings.toml").write_text('[ledger]\ndefault_for = "2s"\n')
    monkeypatch.chdir(tmp_path)
    run_as("alice", "run", "rack3", "--", "sleep", "3.5")
    actions = [entry["action"] for entry in as_json("alice", "log")["entries"]]
    assert actions[0] == "reserved"
    assert "extended" in actions
    assert actions[-1] == "released"


def test_with_json_events_are_objects_on_stderr_and_stdout_is_the_command_s(run_as):
    done = run_as("alice", "run", "rack3", "--json", "--", "echo", "hello")
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["event"] for event in events] == ["holding", "released"]
    assert events[0]["reservation"]["resources"] == ["rack3"]
    assert done.stdout == "hello\n"


def inside(cli, *words):
    """Return the words of a shell command that is run inside: ``bespeak run`` with ``words``."""
    import shlex

    return ["sh", "-c", shlex.join(cli.command("--as-user", "alice", "run", *words))]


def test_a_run_inside_a_run_uses_its_hold_and_leaves_it(cli, run_as, as_json):
    script = "echo $BESPEAK_NUMBER $BESPEAK_RESERVATION; exit 3"
    words = ["run", "rack3", "analyser", "--", *inside(cli, "rack3", "--wait", "60s", "--", "sh", "-c", script)]
    words[-1] = f"{words[-1]}; code=$?; echo $BESPEAK_NUMBER $BESPEAK_RESERVATION; exit $code"
    done = run_as("alice", *words, code=3, timeout=50)
    inner, outer = done.stdout.splitlines()
    assert inner == outer
    assert "with the bespeak run around this one" in done.stderr
    assert [entry["action"] for entry in as_json("alice", "log")["entries"]] == ["reserved", "released"]


def test_a_run_inside_a_run_keeps_to_its_own_time(cli, run_as):
    run_as(
        "alice", "run", "rack3", "--", *inside(cli, "rack3", "--for", "1s", "--", "sleep", "60"), code=11, timeout=50
    )


def test_a_run_inside_a_run_stops_when_the_hold_is_taken_away(cli, run_as, as_json):
    words = ["--as-user", "alice", "run", "rack3", "--keep-going", "--"]
    running = cli.start(*words, *inside(cli, "rack3", "--", "sh", "-c", "echo up; sleep 60"))
    assert running.stdout.readline() == "up\n"
    [hold] = as_json("eve", "who", "rack3")["reservations"]
    run_as("eve", "kick", hold["short_id"], "--reason", "drill")
    assert running.wait(60) == 11


@pytest.mark.parametrize(
    ("outer", "inner", "text"),
    [
        (["rack3"], ["rack3", "analyser"], "rack3 belongs to the bespeak run around this one"),
        (["rack3", "--shared"], ["rack3"], "only shared"),
    ],
)
def test_a_run_that_would_wait_for_its_own_parent_is_refused(cli, run_as, outer, inner, text):
    done = run_as("alice", "run", *outer, "--", *inside(cli, *inner, "--wait", "--", "true"), code=7, timeout=50)
    assert text in done.stderr


def test_variables_of_a_hold_that_is_not_one_s_own_mean_nothing(run_as, as_json):
    run_as("alice", "reserve", "rack3")
    [hold] = as_json("alice", "who", "rack3")["reservations"]
    env = {"BESPEAK_RESERVATION": hold["id"], "BESPEAK_NUMBER": str(hold["number"])}
    run_as("bob", "run", "rack3", "--", "true", code=7, env=env)
    run_as("alice", "run", "rack3", "--", "true", code=7, env={**env, "BESPEAK_NUMBER": "99"})
    run_as("alice", "run", "rack3", "--", "true", code=0, env=env)
    assert [one["id"] for one in as_json("alice", "who", "rack3")["reservations"]] == [hold["id"]]
