"""Inside ``bespeak run`` the hold is the identity: the variables narrow what may be done, and never widen it."""

import json
import os
import pwd
import re
import sys

import pytest

from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.reservations import LedgerReservationBackend

LAB = '[labs.demo]\nresources = ["rack1"]\n'


@pytest.fixture(autouse=True)
def sample_lab(tmp_path, monkeypatch):
    (tmp_path / ".bespeak").mkdir()
    (tmp_path / ".bespeak" / "settings.toml").write_text('[reservations]\nbackend = "ledger"\n')
    (tmp_path / "lab.toml").write_text(LAB)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def book_path():
    return os.environ["BESPEAK_LEDGER"]


def inside(hold):
    """Return the variables that ``run`` sets for what runs under a hold."""
    return {"BESPEAK_RESERVATION": hold["id"], "BESPEAK_NUMBER": str(hold["number"])}


def test_a_job_passes_the_gate_under_its_own_hold_only(as_json, run_as):
    first = as_json("ci", "reserve", "rack1", "--for", "1h")
    second = as_json("ci", "reserve", "rack2", "--for", "1h")
    for _ in range(2):  # the long way, and the one that remembers
        refused = run_as("ci", "gate", "-l", "demo", "--", "echo", "ran", env=inside(second), code=8)
        assert refused.stdout == ""
        assert f"only its own hold counts ({second['id']}); rack1 is held under another one" in refused.stderr
        assert run_as("ci", "gate", "-l", "demo", "--", "echo", "ran", env=inside(first)).stdout == "ran\n"
        assert run_as("ci", "gate", "-l", "demo", "--", "echo", "ran").stdout == "ran\n"
    told = json.loads(run_as("ci", "gate", "-l", "demo", "--json", env=inside(second), code=8).stderr)
    assert told["within"] == second["id"]


def test_a_run_inside_passes_for_what_it_holds_and_not_for_what_another_run_holds(run_as, as_json):
    as_json("ci", "reserve", "rack1", "--for", "1h")
    words = ["--", sys.executable, "-m", "bespeak", "--as-user", "ci", "gate", "-l", "demo"]
    assert "rack1 is held under another one" in run_as("ci", "run", "rack2", *words, code=8).stderr
    run_as("ci", "release", "rack1")
    assert "holds all resources" in run_as("ci", "run", "rack1", *words).stdout


@pytest.mark.parametrize(
    "narrowed",
    [lambda hold: {"BESPEAK_NUMBER": str(hold["number"] + 1)}, lambda _: {"BESPEAK_NUMBER": "x"}],
    ids=["stale", "garbage"],
)
def test_under_a_stale_number_nothing_is_held(as_json, run_as, narrowed):
    hold = as_json("ci", "reserve", "rack1", "--for", "1h")
    run_as("ci", "gate", "-l", "demo", env={**inside(hold), **narrowed(hold)}, code=8)


def test_the_variables_are_no_identity(as_json, run_as):
    """Whoever copies them gets nothing: the hold has to be the user's own."""
    hold = as_json("ci", "reserve", "rack1", "--for", "1h")
    run_as("eve", "gate", "-l", "demo", env=inside(hold), code=8)
    run_as("eve", "release", "rack1", env=inside(hold), code=4)


def test_a_hold_of_another_book_says_nothing_about_this_one(as_json, run_as):
    hold = as_json("ci", "reserve", "rack1", "--for", "1h")
    elsewhere = {**inside(hold), "BESPEAK_RESERVATION": "01a2015b-8aed-784a-834b-8ef7639a6e17"}
    run_as("ci", "gate", "-l", "demo", env=elsewhere)


def test_releasing_by_name_ends_no_hold_of_another_job(as_json, run_as):
    first = as_json("ci", "reserve", "board7", "--for", "1h")
    second = as_json("ci", "reserve", "board8", "--for", "1h")
    refused = run_as("ci", "release", "board7", env=inside(second), code=4)
    assert first["id"] in refused.stderr
    assert second["id"] in refused.stderr
    assert [one["id"] for one in as_json("ci", "list")["reservations"]] == [first["id"], second["id"]]
    run_as("ci", "release", "board8", env=inside(second))
    assert [one["id"] for one in as_json("ci", "list")["reservations"]] == [first["id"]]


def test_mine_inside_a_run_is_its_own_hold(as_json, run_as):
    first = as_json("ci", "reserve", "board7", "--for", "1h")
    second = as_json("ci", "reserve", "board8", "--for", "1h")
    ended = as_json("ci", "release", "--mine", env=inside(second))["reservations"]
    assert [one["id"] for one in ended] == [second["id"]]
    assert [one["id"] for one in as_json("ci", "list")["reservations"]] == [first["id"]]


def test_every_question_of_the_backend_is_narrowed(tmp_path, monkeypatch):
    """What switches hosts asks for fencing numbers, and the guard over a command for windows."""
    with open_ledger(str(tmp_path / "b.db")) as book:
        first = book.reserve(Request(("rack1",), Holder("ci")))
        second = book.reserve(Request(("rack2",), Holder("ci")))
        monkeypatch.setenv("BESPEAK_RESERVATION", second.id)
        monkeypatch.setenv("BESPEAK_NUMBER", str(second.fencing_token))
        backend = LedgerReservationBackend(engine=book.engine)
        assert backend.get_reserved_resources("ci") == {"rack2"}
        assert backend.held_among("ci", ["rack1", "rack2"]) == {"rack2"}
        assert backend.holdings("ci", ["rack1", "rack2"])[0] == {"rack2"}
        assert backend.fences("ci", ["rack1", "rack2"]) == [("rack2", second.id, second.fencing_token)]
        assert [window.resource for window in backend.get_reservation_windows("ci")] == ["rack2"]
        assert backend.who_reserved("rack1") == ["ci"]
        assert first.id != second.id


@pytest.mark.parametrize(
    "env", [{"BESPEAK_RESERVATION": "abc", "BESPEAK_NUMBER": "1" * 5000}, {"BESPEAK_RESERVATION": "\udcff"}]
)
@pytest.mark.parametrize("words", [["gate", "-l", "demo"], ["run", "rack9", "--", "true"], ["release", "rack1"]])
def test_variables_that_nothing_can_mean_are_no_internal_error(run_as, cli, env, words):
    run_as("ci", "reserve", "rack1", "--for", "1h")
    done = cli("--as-user", "ci", *words, env={"BESPEAK_NUMBER": "1", **env})
    assert done.returncode in {0, 4, 8}
    assert "internal error" not in done.stderr


def test_the_name_of_a_resource_means_the_hold_of_the_run_and_no_other(as_json, run_as):
    first = as_json("ci", "reserve", "board7", "--for", "1h")
    second = as_json("ci", "reserve", "board8", "--for", "1h")
    for words in (
        ["extend", "board7", "--for", "1m"],
        ["shorten", "board7", "--for", "1m"],
        ["kick", "board7", "--reason", "x"],
    ):
        refused = run_as("ci", *words, env=inside(second), code=4)
        assert f"board7 is held under reservation {first['id']}" in refused.stderr
        assert second["id"] in refused.stderr
    run_as("ci", "extend", "board8", "--for", "1m", env=inside(second))
    run_as("ci", "extend", first["id"], "--for", "1m", env=inside(second))


def test_a_run_says_which_book_its_hold_is_in_and_a_hold_that_is_gone_from_it_is_none(as_json, run_as, book_path):
    told = run_as("ci", "run", "rack2", "--", "sh", "-c", "echo $BESPEAK_BOOK")
    with open_ledger(book_path) as book:
        identity = book.identity()
        assert told.stdout == f"{identity}\n"
    hold = as_json("ci", "reserve", "rack1", "--for", "1h")
    gone = {"BESPEAK_RESERVATION": "01a2015b-8aed-784a-834b-8ef7639a6e17", "BESPEAK_NUMBER": "1"}
    run_as("ci", "gate", "-l", "demo", env={**gone, "BESPEAK_BOOK": identity}, code=8)
    run_as("ci", "release", "rack1", env={**gone, "BESPEAK_BOOK": identity}, code=4)
    refused = run_as("ci", "run", "rack1", "--", "true", env={**gone, "BESPEAK_BOOK": identity}, code=6)
    assert "is in this book no more" in refused.stderr
    run_as("ci", "gate", "-l", "demo", env={**inside(hold), "BESPEAK_BOOK": identity})
    run_as("ci", "gate", "-l", "demo", env={**gone, "BESPEAK_BOOK": "of another book"})


def test_a_hold_of_a_run_is_shown_with_its_process_wherever_it_is_shown(run_as, cli):
    script = """
set -e
B="$PYTHON -m bespeak"
$B who rack1; $B show rack1 | grep -E '^(host|process|seen)'
$B reserve rack1 || true
$B --as-user bob reserve rack1 --json || true
"""
    done = cli("--as-user", "ci", "run", "rack1", "--", "sh", "-c", script, env={"PYTHON": sys.executable})
    host = os.uname().nodename
    process = re.search(r"held by ci \[(pid \d+) on .*, seen (?:just now|\S+ ago)\]", done.stdout)
    assert process is not None, done
    shown = dict(line.split(None, 1) for line in done.stdout.splitlines() if ":" in line.split()[0])
    assert (shown["host:"], shown["process:"]) == (host, process[1])
    assert f"rack1 is held by ci [{process[1]} on {host}, seen " in done.stderr
    (refused,) = (json.loads(line) for line in done.stderr.splitlines() if line.startswith("{"))
    (conflict,) = refused["conflicts"]
    assert (conflict["host"], conflict["process"], conflict["holder_kind"]) == (host, process[1], "user")


def test_a_gate_leaves_a_sign_of_life_of_what_it_watches(tmp_path):
    now = [1_900_000_000_000_000]
    with open_ledger(str(tmp_path / "b.db"), now=lambda: now[0]) as book:
        held = book.reserve(Request(("rack1",), Holder("ci")))
        now[0] += 1_000_000
        backend = LedgerReservationBackend(engine=book.engine)
        backend.sign_of_life("eve", ["rack1"])
        assert book.get(held.id).seen_us == held.created_us
        LedgerReservationBackend(engine=book.engine).sign_of_life("ci", ["rack1"])
        assert book.get(held.id).seen_us == held.created_us + 1_000_000


def test_the_gate_counts_what_a_team_holds_for_its_members_alone(run_as, book_path, cli):
    me = pwd.getpwuid(os.getuid()).pw_name
    with open_ledger(book_path) as book:
        book.reserve(Request(("rack1",), Holder("team:bringup")))
        refused = cli("--as-user", "team:bringup", "gate", "-l", "demo")
        assert (refused.returncode, f"{me} may not act for team:bringup" in refused.stderr) == (9, True), refused
        book.policy_set("teams", {"bringup": [me]}, Holder(me))
    run_as("team:bringup", "gate", "-l", "demo")
    assert (
        json.loads(cli("list", "--user", "team:bringup", "--json").stdout)["reservations"][0]["holder_kind"] == "team"
    )


def test_what_a_command_holds_is_ended_from_outside_by_its_id_alone(cli, run_as, as_json):
    """Two jobs of one account: the second, outside of any run, must not end the first one's hold by a slip."""
    booked = as_json("ci", "reserve", "board8", "--for", "1h")
    running = cli.start("--as-user", "ci", "run", "board7", "--", "sh", "-c", "echo up; sleep 300")
    assert running.stdout.readline() == "up\n"
    (hold,) = as_json("ci", "who", "board7")["reservations"]
    refused = run_as("ci", "release", "board7", code=7)
    assert f"board7 is held by ci [pid {running.pid} on " in refused.stderr
    assert f"its id ends it all the same: {hold['id']}" in refused.stderr
    mine = run_as("ci", "release", "--mine")
    assert (booked["short_id"] in mine.stdout, hold["short_id"] in mine.stdout) == (True, False)
    assert f"kept: {hold['short_id']}  board7  until " in mine.stderr
    assert "its id ends it all the same" in mine.stderr
    assert running.poll() is None
    run_as("ci", "release", hold["short_id"])
    assert running.wait(60) == 11
