"""The gate as a command: exact texts, exit codes, and a watch over what runs behind it."""

import json
import os
import re
import sys

import pytest

from support.jobs import eventually
from support.trusting import trust

SETTINGS = '[reservations]\nbackend = "ledger"\n'
LAB = '[labs.demo]\ndescription = "a demo"\nresources = ["rack2", "rack1"]\n'
REFUSAL = """User 'bob' does not hold all resources required by lab 'demo'. Missing:
  - rack1 (held by alice)
  - rack2 (unreserved)
"""


@pytest.fixture(autouse=True)
def sample_lab(tmp_path, monkeypatch):
    (tmp_path / ".bespeak").mkdir()
    (tmp_path / ".bespeak" / "settings.toml").write_text(SETTINGS)
    (tmp_path / "lab.toml").write_text(LAB)
    monkeypatch.chdir(tmp_path)
    return tmp_path


RACKS = ("rack1", "rack2")


def hold_of(as_json):
    [hold] = as_json("eve", "who", "rack1")["reservations"]
    return hold


def set_backend(folder, text):
    (folder / ".bespeak" / "settings.toml").write_text(text)


def test_the_holder_s_command_runs_with_its_own_exit_code(run_as):
    run_as("alice", "reserve", "rack1", "rack2")
    done = run_as("alice", "gate", "-l", "demo", "--", "sh", "-c", "echo $BESPEAK_LAB; exit 4", code=4)
    assert done.stdout == "demo\n"
    assert done.stderr == ""
    assert "holds all resources" in run_as("alice", "gate", "-l", "demo").stdout


def test_who_does_not_hold_is_refused_with_the_exact_text_and_nothing_runs(run_as, tmp_path):
    run_as("alice", "reserve", "rack1")
    done = run_as("bob", "gate", "-l", "demo", "--", "touch", str(tmp_path / "ran"), code=8)
    assert done.stdout == ""
    assert_refused(done)
    assert not (tmp_path / "ran").exists()
    assert_refused(run_as("bob", "-l", "demo", "reservation", "check", code=1))


def assert_refused(done):
    """See the documented text, and after it until when and from when on."""
    assert done.stderr.startswith(REFUSAL)
    pattern = r"rack1: alice until (.+); free from \1\nasked: .*/book\.sqlite3\n"
    assert re.fullmatch(pattern, done.stderr.removeprefix(REFUSAL))


def test_a_refusal_says_when_what_others_have_booked_is_over(run_as):
    run_as("alice", "reserve", "rack1", "rack2", "--for", "1h")
    run_as("carol", "reserve", "rack2", "--next", "--for", "1h")
    text = run_as("bob", "gate", "-l", "demo", code=8).stderr
    first, second = (re.search(rf"^{name}: alice until (.+); free from (.+)$", text, re.MULTILINE) for name in RACKS)
    assert first[1] == first[2] == second[1] != second[2]


def test_a_refusal_says_what_uses_it_and_where(run_as, as_json):
    command = "env -u BESPEAK_RESERVATION {python} -m bespeak --as-user bob {json} gate -l demo".format
    text, found = (
        run_as("alice", "run", "rack1", "--", "sh", "-c", command(python=sys.executable, json=json), code=8).stderr
        for json in ("", "--json")
    )
    assert text.partition("Missing:")[2].startswith("\n  - rack1 (held by alice)\n")
    used = re.search(r"^rack1: alice \[(pid \d+ on \S+), seen (just now|.* ago)\] until ", text, re.MULTILINE)
    assert used is not None
    [rack1, _] = json.loads(found.splitlines()[-1])["missing"]
    [alice] = rack1["holders"]
    assert re.fullmatch(r"pid \d+ on \S+", alice["where"])
    assert alice["seen"] is not None


def test_a_refusal_without_an_end_says_so(run_as):
    run_as("alice", "reserve", "rack1", "rack2", "--for", "forever")
    assert "\nrack1, rack2: alice without an end\n" in run_as("bob", "gate", "-l", "demo", code=8).stderr


def test_a_refusal_for_programs_has_the_facts(run_as):
    run_as("alice", "reserve", "rack1")
    told = json.loads(run_as("bob", "gate", "-l", "demo", "--json", code=8).stderr)
    assert told["exit_code"] == 8
    assert told["error"] + "\n" == REFUSAL
    assert [missing["resource"] for missing in told["missing"]] == ["rack1", "rack2"]


def test_the_lab_comes_from_the_environment_too(run_as, cli):
    assert "lab 'demo'" in run_as("bob", "gate", code=8, env={"BESPEAK_LAB": "demo"}).stderr
    missing = cli("reservation", "check")
    assert (missing.returncode, missing.stdout) == (2, "")


def test_a_backend_that_cannot_be_asked_is_code_9_with_the_way_around(run_as, sample_lab):
    set_backend(sample_lab, '[reservations]\nbackend = "json"\n[reservations.json]\npath = "none.json"\n')
    done = run_as("bob", "gate", "-l", "demo", "--", "true", code=9)
    line, hint = done.stderr.splitlines()
    assert line.startswith("bespeak: error: Reservation backend unavailable: Failed to read reservation file")
    assert "-R" in hint
    run_as("bob", "-l", "demo", "reservation", "check", code=1)


def test_skipping_is_loud_and_asks_nobody(run_as, sample_lab):
    set_backend(sample_lab, '[reservations]\nbackend = "json"\n[reservations.json]\npath = "none.json"\n')
    done = run_as("bob", "-R", "gate", "-l", "demo", "--", "sh", "-c", "exit 3", code=3)
    assert "SKIPPED for user 'bob' on lab 'demo'. Required resources: ['rack1', 'rack2']" in done.stderr
    assert run_as("bob", "-R", "-l", "demo", "reservation", "check", code=1).stderr.startswith("bespeak: error: ")


def test_where_nobody_says_otherwise_the_book_is_asked(run_as, sample_lab, cli):
    """Nothing configured is no open gate: an empty file, the book alone, and no settings at all."""
    for text in ("", '[ledger]\ndefault_for = "1h"\n', "[reservations]\n"):
        set_backend(sample_lab, text)
        refused = run_as("bob", "gate", "-l", "demo", "--", "echo", "ran", code=8)
        assert refused.stdout == ""
        missing, asked = refused.stderr.splitlines()[:3], refused.stderr.splitlines()[3:]
        assert missing == REFUSAL.replace("held by alice", "unreserved").splitlines()
        assert [line.partition(": ")[0] for line in asked] == ["asked"]
    (sample_lab / ".bespeak" / "settings.toml").unlink()
    run_as("bob", "gate", "-l", "demo", "--", "echo", "ran", code=8)
    assert "Backend: ledger\n" in run_as("bob", "-l", "demo", "reservation", "check", code=1).stdout
    run_as("bob", "reserve", "rack1", "rack2")
    assert run_as("bob", "gate", "-l", "demo", "--", "echo", "ran").stdout == "ran\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[reservation]\nbackend = "json"\n', "there is no table [reservation]; known: "),
        ('[reservation]\nbackend = "json"\n', "did you mean reservations?"),
        ('[legder]\nurl = "x"\n', "did you mean ledger?"),
        ("nmae = 'x'\n", "there is no setting 'nmae'; known: "),
        ('[reservations]\nbackned = "none"\n', "[reservations] has no setting 'backned'; known: backend, url; did you"),
        ('[reservations]\npath = "none"\n', "[reservations] has no setting 'path'; known: backend, url"),
        ('[reservations]\nbackend = "json"\n[reservations.jsno]\npath = "x"\n', "did you mean [reservations.json]?"),
        ("[ledger]\nstrcit = true\n", "[ledger] has no setting 'strcit'; known: "),
    ],
)
def test_what_means_nothing_in_the_settings_shuts_the_gate(run_as, sample_lab, text, told):
    set_backend(sample_lab, text)
    refused = run_as("bob", "gate", "-l", "demo", "--", "echo", "ran", code=2)
    assert refused.stdout == ""
    assert told in refused.stderr
    assert "settings.toml" in refused.stderr


def test_settings_made_for_otto_keep_what_leaving_it_out_means_there(run_as, sample_lab):
    (sample_lab / ".bespeak").rename(sample_lab / ".otto")
    (sample_lab / ".otto" / "settings.toml").write_text('[tests]\nx = 1\n[lab]\nbackend = "json"\n')
    assert "Nothing was checked" in run_as("bob", "gate", "-l", "demo", "--", "true").stderr


def test_backend_none_has_to_be_written_and_it_says_that_nothing_was_checked(run_as, sample_lab):
    set_backend(sample_lab, '[reservations]\nbackend = "none"\n')
    done = run_as("bob", "gate", "-l", "demo", "--", "echo", "ran")
    assert done.stdout == "ran\n"
    assert "Nothing was checked" in done.stderr
    assert "Nothing was checked" in run_as("bob", "-l", "demo", "reservation", "check", code=1).stdout


def test_whoami_needs_no_lab(as_json, run_as):
    assert as_json("bob", "reservation", "whoami") == {
        "username": "bob",
        "source": "--as-user",
        "backend": "ledger",
        "lab": None,
        "book": os.environ["BESPEAK_LEDGER"],
        "book_named_by": "BESPEAK_LEDGER",
        "ignored_settings": [],
    }
    assert re.search(r"^lab: +demo$", run_as("bob", "-l", "demo", "reservation", "whoami").stdout, re.MULTILINE)
    assert "demo" in run_as("bob", "-l", "demo", "reservation", "whoami").stdout


def test_check_says_what_is_required_and_who_decided(run_as):
    run_as("alice", "reserve", "rack1", "rack2")
    shown = run_as("alice", "-l", "demo", "reservation", "check").stdout
    assert shown.startswith("Lab 'demo' requires:\n  - rack1\n  - rack2\nBackend: ledger (decided by ")


def test_check_says_it_to_who_is_refused_too(run_as):
    refused = run_as("bob", "-l", "demo", "reservation", "check", code=1)
    assert refused.stdout.startswith("Lab 'demo' requires:\n  - rack1\n  - rack2\nBackend: ledger (decided by ")
    assert refused.stderr.startswith("User 'bob' does not hold all resources required by lab 'demo'. Missing:\n")


@pytest.mark.parametrize("strict", [[], ["--strict"]], ids=["by default", "strict"])
def test_an_end_ahead_is_announced_and_the_command_is_stopped_before_it(run_as, as_json, strict):
    run_as("alice", "reserve", "rack1", "rack2", "--for", "8s")  # a busy machine takes seconds to start the gate
    done = run_as("alice", "gate", "-l", "demo", *strict, "--every", "1s", "--", "sleep", "60", code=11)
    announced, over = done.stderr.splitlines()
    assert "the reservation ends" in announced
    assert "the command is stopped" in announced
    assert "the reservation is over; the command is being stopped" in over


@pytest.mark.parametrize("every", ["1s", "500s"])
def test_a_reservation_that_is_taken_away_stops_the_command(cli, run_as, as_json, every):
    """However seldom the gate asks: it hears of a change in the moment of its commit."""
    run_as("alice", "reserve", "rack1", "rack2", "--for", "1h")
    words = ["gate", "-l", "demo", "--every", every, "--", "sh", "-c", "echo; sleep 300"]
    running = cli.start("--as-user", "alice", *words)
    running.stdout.readline()
    eventually(lambda: hold_of(as_json)["seen_us"] > hold_of(as_json)["created_us"])  # the gate has asked and listens
    run_as("eve", "kick", hold_of(as_json)["short_id"], "--reason", "drill")
    _, err = running.communicate(timeout=60)
    assert running.returncode == 11
    assert "alice no longer holds rack1, rack2; the command is being stopped" in err


def test_a_reservation_that_is_extended_in_time_stops_nothing(cli, run_as, as_json):
    run_as("alice", "reserve", "rack1", "rack2", "--for", "8s")
    words = ["gate", "-l", "demo", "--", "sh", "-c", "echo; sleep 9; exit 5"]
    running = cli.start("--as-user", "alice", *words)
    running.stdout.readline()
    [hold] = as_json("alice", "who", "rack1")["reservations"]
    run_as("alice", "extend", hold["short_id"], "--for", "1h")
    assert running.wait(60) == 5


def test_with_keep_going_the_command_goes_on_and_is_told(run_as):
    run_as("alice", "reserve", "rack1", "rack2", "--for", "8s")
    words = ["--keep-going", "--every", "500s", "--warn", "1h", "--", "sh", "-c", "sleep 9; exit 6"]
    done = run_as("alice", "gate", "-l", "demo", *words, code=6)
    assert "goes on without it" in done.stderr


def test_strict_and_keep_going_exclude_each_other(run_as):
    run_as("alice", "gate", "-l", "demo", "--strict", "--keep-going", "--", "true", code=2)


def test_a_scheduler_that_hangs_mid_run_keeps_nobody(cli, sample_lab):
    plug = sample_lab / "plug.py"
    plug.write_text(
        "import time\n"
        "from bespeak.reservations import register_reservation_backend\n"
        "class Slow:\n"
        "    asked = 0\n"
        "    def get_reserved_resources(self, username):\n"
        "        Slow.asked += 1\n"
        "        time.sleep(600 if Slow.asked > 1 or __import__('threading').current_thread().name == 'bespeak-gate' else 0)\n"
        "        return {'rack1', 'rack2'}\n"
        "    def who_reserved(self, resource):\n"
        "        return []\n"
        "    def backend_name(self):\n"
        "        return 'slow'\n"
        "register_reservation_backend('slow', Slow)\n"
    )
    set_backend(sample_lab, 'libs = ["."]\ninit = ["plug"]\n[reservations]\nbackend = "slow"\n')
    trust(sample_lab)
    done = cli("gate", "-l", "demo", "--every", "1s", "--", "sh", "-c", "sleep 2; exit 5", timeout=30)
    assert done.returncode == 5, done.stderr


def test_labs_are_listed_shown_and_checked(cli, sample_lab):
    assert "demo" in cli("lab", "list").stdout
    shown = json.loads(cli("lab", "show", "demo", "--json").stdout)
    assert shown["required"] == ["rack1", "rack2"]
    assert cli("lab", "check").returncode == 0
    assert cli("lab", "show", "dmeo").returncode == 3
    (sample_lab / "lab.toml").write_text(LAB + "[labs.other]\nresources = [1]\n")
    wrong = cli("lab", "check")
    assert wrong.returncode == 1
    assert "lab.toml" in wrong.stdout
    assert "1 mistake(s)" in wrong.stdout


def test_a_mistake_in_one_lab_leaves_the_others_listed(cli, sample_lab):
    (sample_lab / "lab.toml").write_text(LAB + '[[hosts]]\nid = "h"\nlabs = ["other"]\nresources = [1]\n')
    done = cli("lab", "list")
    assert done.returncode == 0
    assert "rack1, rack2" in done.stdout
    assert "lab check" in done.stderr


def test_an_end_counts_by_the_clock_of_whoever_tells_it(cli, sample_lab):
    """The scheduler's clock is an hour ahead of ours, so its reservation ends in three seconds."""
    plug = sample_lab / "plug.py"
    plug.write_text(
        "import datetime, time\n"
        "from bespeak.reservations import ReservationWindow, register_reservation_backend\n"
        "HOUR = datetime.timedelta(hours=1)\n"
        "class Ahead:\n"
        "    def __init__(self):\n"
        "        self.end = datetime.datetime.now(datetime.UTC) + HOUR + datetime.timedelta(seconds=3)\n"
        "    def get_reserved_resources(self, username):\n"
        "        return {'rack1', 'rack2'}\n"
        "    def get_reservation_windows(self, username):\n"
        "        return [ReservationWindow(name, None, self.end) for name in ('rack1', 'rack2')]\n"
        "    def present_us(self):\n"
        "        return time.time_ns() // 1000 + 3_600_000_000\n"
        "    def who_reserved(self, resource):\n"
        "        return []\n"
        "    def backend_name(self):\n"
        "        return 'ahead'\n"
        "register_reservation_backend('ahead', Ahead)\n"
    )
    set_backend(sample_lab, 'libs = ["."]\ninit = ["plug"]\n[reservations]\nbackend = "ahead"\n')
    trust(sample_lab)
    done = cli("gate", "-l", "demo", "--", "sleep", "60", timeout=50)
    assert done.returncode == 11, done.stderr
    assert "the reservation is over" in done.stderr
