"""Every command works on a book of a server as on a file; only its address is another."""

from __future__ import annotations

import json
import os

import pytest

from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder
from support.distant import Server
from support.repositories import git


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of its own for these tests, on a Unix socket."""
    found = Server(str(tmp_path_factory.mktemp("served")))
    found.start()
    yield found
    found.kill()


@pytest.fixture(autouse=True)
def at_the_server(server, monkeypatch):
    """Name the book, and begin with an empty one."""
    monkeypatch.setenv("BESPEAK_LEDGER", server.url)
    with open_ledger(server.url) as book:
        book.release_mine(book.own(Holder("whoever")))


def told(done, code=0):
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_reserve_change_look_and_release(cli):
    made = told(cli("reserve", "rack3", "--for", "1h", "--purpose", "soak", "--json"))
    refused = cli("reserve", "rack3", "--for", "1h", "--next", "--at", "+10m", "--json")
    assert told(refused)["starts_us"] == made["ends_us"]
    busy = cli("reserve", "rack3", "--for", "1h")
    assert busy.returncode == 7
    assert f"held by {made['holder']}" in busy.stderr
    assert told(cli("shorten", made["id"], "--for", "30m", "--json"))["reservations"][0]["ends_us"] < made["ends_us"]
    assert next(one["id"] for one in told(cli("list", "--mine", "--json"))["reservations"]) == made["id"]
    assert told(cli("who", "rack3", "--json"))["reservations"][0]["purpose"] == "soak"
    assert told(cli("show", made["short_id"], "--json"))["id"] == made["id"]
    assert told(cli("release", "rack3", "--json"))["reservations"][0]["ended_why"] == "released"
    assert told(cli("log", "--id", made["id"], "--json"))["entries"][-1]["action"] == "released"
    late = cli("release", made["id"])
    assert late.returncode == 6
    assert "ended at" in late.stderr


def test_wait_run_and_watch(cli):
    held = told(cli("reserve", "rack4", "--for", "1h", "--json"))
    watch = cli.start("watch", "rack4", "--after", "0")
    waiting = cli.start("run", "rack4", "--wait", "--", "sh", "-c", "echo $BESPEAK_RESERVATION; exit 3")
    while "position 1" not in waiting.stderr.readline():
        pass
    assert cli("release", held["id"]).returncode == 0
    identifier = waiting.stdout.readline().strip()
    assert waiting.wait(60) == 3
    seen = []
    while "released" not in seen[-1:] or len(seen) < 5:
        entry = json.loads(watch.stdout.readline())
        seen.append(entry["action"])
        last = entry
    assert "granted" in seen
    assert last["reservation_id"] == identifier


def test_the_gate_asks_the_server(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.toml").write_text('name = "bench"\nresources = ["rack5"]\n')
    closed = cli("-l", "bench", "gate")
    assert closed.returncode == 8
    assert "rack5" in closed.stderr
    told(cli("reserve", "rack5", "--for", "1h", "--json"))
    for _ in range(2):  # the second answer may come by the quick road
        assert cli("-l", "bench", "gate", "--", "true").returncode == 0
    assert told(cli("reservation", "whoami", "--json"))["source"] == "server"
    assert cli("--as-user", "bob", "-l", "bench", "gate").returncode == 8


def test_claims_on_code_meet_in_the_book_of_the_server(cli, tmp_path):
    clones = []
    for name in ("one", "two"):
        root = tmp_path / name
        root.mkdir()
        git(root, "init", "-q", "-b", "main")
        git(root, "remote", "add", "origin", "https://git.example.org/team/shop.git")
        (root / "a.py").write_text("def f():\n    pass\n")
        clones.append(root)
    one, two = clones
    made = told(cli("coord", "reserve", "a.py::f", "--run-id", "first", "--json", cwd=one))
    met = cli("coord", "check", "a.py", "--run-id", "second", "--json", cwd=two)
    assert told(met, 7)["free"] is False
    assert '"run_id": "first"' in met.stdout
    assert cli("coord", "heartbeat", made["reservation_id"], "--run-id", "first", cwd=one).returncode == 0
    assert cli("coord", "forecast", "--json", cwd=two).returncode == 0
    assert cli("coord", "release", made["reservation_id"], "--run-id", "first", cwd=one).returncode == 0
    assert cli("coord", "check", "a.py", "--run-id", "second", cwd=two).returncode == 0


def test_what_a_job_needs_is_booked_on_the_server(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESJOB_HOME", str(tmp_path / "jobs"))
    words = ["job", "reserve", "--run-key", "soak", "--needs", "rack6", "--for", "1h", "--not-before", "+1h"]
    made = cli(*words, "--", "true")
    assert made.returncode == 0, made.stderr
    (booked,) = told(cli("list", "--resource", "rack6", "--json"))["reservations"]
    assert booked["purpose"] == "job soak"
    assert cli("job", "cancel", "--run-key", "soak").returncode == 0
    assert told(cli("list", "--resource", "rack6", "--json"))["reservations"] == []


def test_what_is_about_the_database_is_done_on_its_machine(cli, server):
    done = cli("ledger", "accept-clock")
    assert done.returncode == 2
    assert "on the machine of the book" in done.stderr
    assert f"book {server.url}" in done.stderr


def test_whom_the_server_does_not_know_is_told_how_to_sign_in(cli, server):
    how = "; set BESPEAK_TOKEN, or sign in with: bespeak login\n"
    for command in (("list",), ("reserve", "rack3"), ("run", "rack3", "--", "true")):
        refused = cli("--ledger", server.address, *command)
        assert (refused.returncode, refused.stderr.endswith(f": it does not know who you are{how}")) == (9, True)
    wrong = cli("--ledger", server.address, "list", env={"BESPEAK_TOKEN": "bsp_wrong"})
    assert (wrong.returncode, wrong.stderr.endswith(how), "mistyped or cut off" in wrong.stderr) == (9, True, True)
    assert "bsp_wrong" not in wrong.stderr


def test_a_server_that_is_not_there(cli, tmp_path):
    for url in (f"unix://{tmp_path}/none", "http://127.0.0.1:1"):
        done = cli("list", env={"BESPEAK_LEDGER": url})
        assert done.returncode == 9
        assert done.stderr.startswith(f"bespeak: error: book {url}: ")
        assert len(done.stderr.splitlines()) == 1
    assert not os.path.exists(tmp_path / "none")


def test_an_address_that_makes_no_sense_is_refused(cli):
    done = cli("list", env={"BESPEAK_LEDGER": "http://book.example.com"})
    assert done.returncode == 2
    assert "use https://" in done.stderr
