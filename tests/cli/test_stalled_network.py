"""What long commands do while nothing moves between them and PostgreSQL: they hear signals, and nobody is doubled."""

import json
import signal

import pytest

from support.stalling import Stalling
from support.trees import python, wait_for

pytestmark = pytest.mark.postgres

TICKER = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork(): time.sleep(300)
os.setsid()
while True:
    open(sys.argv[1], 'a').write(f'{time.time_ns() // 1000}\\n'); time.sleep(0.005)
"""
"""A daemon that ignores SIGTERM and writes down when it was alive, µs UTC."""

POLITE = (
    "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(42)); print('up', flush=True); time.sleep(300)"
)


@pytest.fixture
def network(private_postgres):
    standing = Stalling(private_postgres.folder)
    yield standing
    standing.close()


@pytest.fixture
def far(network):
    """The environment of a process that reaches the book over the network."""
    return {"BESPEAK_LEDGER": f"postgresql://postgres@127.0.0.1:{network.port}/postgres?sslmode=disable&schema=s"}


@pytest.fixture(autouse=True)
def near(private_postgres, network, monkeypatch, far, run_as):
    """Everybody else stands beside the server."""
    monkeypatch.setenv("BESPEAK_LEDGER", f"{private_postgres.url}&schema=s")
    run_as("alice", "resource", "add", "rack1")


@pytest.fixture
def lab(tmp_path, monkeypatch):
    (tmp_path / ".bespeak").mkdir()
    (tmp_path / ".bespeak" / "settings.toml").write_text('[reservations]\nbackend = "ledger"\n')
    (tmp_path / "lab.toml").write_text('[labs.demo]\nresources = ["rack1"]\n')
    monkeypatch.chdir(tmp_path)


def last(ticks):
    return int(ticks.read_text().split("\n")[-2])


@pytest.mark.parametrize("fault", ["freeze", "lose"])
def test_the_command_has_ended_before_its_lease_is_another_s(cli, network, far, as_json, tmp_path, fault):
    ticks = tmp_path / "ticks"
    words = ["--as-user", "alice", "run", "rack1", "--keepalive", "12s", "--", *python(TICKER, ticks)]
    running = cli.start(*words, env=far)
    wait_for(ticks.exists)
    waiting = cli.start("--as-user", "bob", "reserve", "rack1", "--for", "1h", "--wait", "90s", "--json")
    getattr(network, fault)()
    got, _ = waiting.communicate(timeout=90)
    assert last(ticks) < json.loads(got)["starts_us"]
    _, err = running.communicate(timeout=90)
    assert running.returncode == 11
    assert "the hold cannot be kept" in err
    assert "the command is being stopped" in err
    actions = [entry["action"] for entry in as_json("bob", "log")["entries"]]
    assert actions[-2:] == ["lapsed", "granted"]


def test_a_signal_reaches_the_command_while_a_sign_of_life_hangs(cli, network, far):
    words = ["--as-user", "alice", "run", "rack1", "--keepalive", "30s", "--", *python(POLITE)]
    running = cli.start(*words, env=far)
    assert running.stdout.readline() == "up\n"
    network.freeze()
    assert network.held_back.wait(60)
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 42
    assert "could not give back" in err
    assert "lapses by itself" in err


def test_a_hold_survives_an_outage_that_is_shorter_than_its_lease(cli, network, far, as_json):
    running = cli.start(
        "--as-user", "alice", "run", "rack1", "--keepalive", "60s", "--", "sh", "-c", "echo up; read x", env=far
    )
    assert running.stdout.readline() == "up\n"
    network.go_away()
    network.thaw()
    running.communicate("go\n", timeout=60)
    assert running.returncode == 0
    assert as_json("alice", "who", "rack1")["reservations"] == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
@pytest.mark.parametrize("command", ["reserve", "run"])
def test_a_waiter_leaves_although_the_book_does_not_answer(cli, network, far, run_as, command, number, code):
    run_as("alice", "reserve", "rack1")
    tail = ["--", "true"] if command == "run" else ["--for", "1h"]
    waiting = cli.start("--as-user", "bob", command, "rack1", "--wait", *tail, env=far)
    waiting.stderr.readline()
    assert "waiting: position 1" in waiting.stderr.readline()
    network.freeze()
    waiting.send_signal(number)
    assert waiting.wait(60) == code


@pytest.mark.parametrize("words", [["watch"], ["log", "--follow"]], ids=" ".join)
def test_a_watcher_leaves_although_the_book_does_not_answer(cli, network, far, run_as, words):
    watching = cli.start(*words, "--after", "0", env=far)
    assert watching.stdout.readline()
    network.freeze()
    run_as("alice", "reserve", "rack1")
    watching.send_signal(signal.SIGINT)
    assert watching.wait(60) == 130


def test_a_waiter_survives_an_outage_and_says_so(cli, network, far, run_as, as_json):
    run_as("alice", "reserve", "rack1")
    waiting = cli.start("--as-user", "bob", "reserve", "rack1", "--for", "1h", "--wait", "120s", "--json", env=far)
    waiting.stderr.readline()
    assert "waiting: position 1" in waiting.stderr.readline()
    network.go_away()
    assert "waiting: book postgresql://" in waiting.stderr.readline()
    network.thaw()
    assert "the book answers again; the queue position is kept" in waiting.stderr.readline()
    run_as("alice", "release", "rack1")
    out, _ = waiting.communicate(timeout=60)
    assert json.loads(out)["holder"] == "bob"
    assert [one["holder"] for one in as_json("eve", "who", "rack1")["reservations"]] == ["bob"]


def test_the_gate_stops_at_the_end_that_it_knows(cli, network, far, lab, run_as, as_json, tmp_path):
    ticks = tmp_path / "ticks"
    run_as("alice", "reserve", "rack1", "--for", "14s")
    [hold] = as_json("alice", "who", "rack1")["reservations"]
    running = cli.start("--as-user", "alice", "gate", "-l", "demo", "--", *python(TICKER, ticks), env=far)
    running.stderr.readline()
    assert "the reservation ends" in running.stderr.readline()
    network.freeze()
    _, err = running.communicate(timeout=90)
    assert running.returncode == 11
    assert "the reservation is over; the command is being stopped" in err
    assert last(ticks) < hold["ends_us"]
