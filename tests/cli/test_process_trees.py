"""``run`` and ``gate`` stop the command with all that it has started, and meddle with nothing else."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bespeak.cli.process_tree import is_stopped
from support import trees
from support.trees import lives, noted, python, wait_for

ALL_BUT_REAL_TIME = 2**31 - 1


@pytest.fixture
def notes(tmp_path):
    """The file into which the processes of a command write their numbers."""
    return tmp_path / "pids"


@pytest.fixture
def impatient(cli):
    """Start bespeak with a short patience for commands that do not end."""

    def start(*words, **options):
        cli.command = lambda *args: [sys.executable, "-c", trees.IMPATIENT, *args]
        return cli.start(*words, **options)

    return start


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A lab of one rack whose gate asks the book; the test stands in its folder."""
    (tmp_path / ".bespeak").mkdir()
    (tmp_path / ".bespeak" / "settings.toml").write_text('[reservations]\nbackend = "ledger"\n')
    (tmp_path / "lab.toml").write_text('[labs.demo]\nresources = ["rack1"]\n')
    monkeypatch.chdir(tmp_path)


def kicked(run_as, as_json):
    wait_for(lambda: as_json("eve", "who", "rack3")["reservations"])
    [hold] = as_json("eve", "who", "rack3")["reservations"]
    run_as("eve", "kick", hold["short_id"], "--reason", "drill")


TREES = {
    "in the background": (["sh", "-c", 'sleep 300 & echo $! >> "$1"; echo $$ >> "$1"; sleep 300; sleep 300', "-"], 2),
    "a daemon": (python(trees.DAEMON), 1),
    "deaf to SIGTERM": (python(trees.STUBBORN), 2),
    "stopped": (python(trees.STOPPED), 2),
}


@pytest.mark.parametrize(("words", "count"), TREES.values(), ids=TREES)
def test_sigterm_ends_all_that_the_command_has_started(impatient, notes, words, count):
    running = impatient("run", "rack3", "--", *words, str(notes))
    pids = noted(notes, count)
    running.send_signal(signal.SIGTERM)
    if words[-1] == trees.STUBBORN:
        trees.kill(min(pids))  # the command may ignore it as long as it likes; what it leaves behind may not
    assert running.wait(60) in {137, 143}
    assert not [pid for pid in pids if lives(pid)]


@pytest.mark.parametrize(("words", "count"), TREES.values(), ids=TREES)
def test_a_hold_that_is_taken_away_ends_all_that_the_command_has_started(
    impatient, notes, run_as, as_json, words, count
):
    running = impatient("run", "rack3", "--keepalive", "6s", "--", *words, str(notes))
    pids = noted(notes, count)
    kicked(run_as, as_json)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 11, err
    assert "drill" in err
    assert not [pid for pid in pids if lives(pid)]


def test_a_storm_of_new_processes_is_calmed(impatient, notes, run_as, as_json):
    running = impatient("run", "rack3", "--keepalive", "6s", "--", *python(trees.STORM, notes))
    noted(notes, 1)
    kicked(run_as, as_json)
    assert running.wait(90) == 11
    assert not trees.with_argument(str(notes))


def test_what_a_killed_command_has_left_is_stopped_when_its_hold_is_lost(cli, notes, run_as, as_json):
    """Its watchdog may kill a command before bespeak, on a busy machine, has seen that the hold is lost."""
    patient = trees.IMPATIENT.replace("0.3", "600")
    cli.command = lambda *args: [sys.executable, "-c", patient, *args]
    running = cli.start("run", "rack3", "--keepalive", "20s", "--", *python(trees.STUBBORN, notes))
    noted(notes, 2)
    [command] = [pid for pid in map(int, notes.read_text().split()) if os.getsid(pid) == os.getsid(running.pid)]
    os.kill(command, signal.SIGKILL)
    kicked(run_as, as_json)
    assert running.wait(90) == 11
    assert not trees.with_argument(str(notes))


def test_the_next_holder_begins_after_the_last_process_has_ended(cli, run_as, as_json, tmp_path):
    ticks = tmp_path / "ticks"
    program = (
        "import os, signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork(): time.sleep(300)\nos.setsid()\n"
        "while True:\n    open(sys.argv[1], 'a').write(f'{time.time_ns() // 1000}\\n'); time.sleep(0.005)"
    )
    running = cli.start("--as-user", "alice", "run", "rack3", "--for", "12s", "--", *python(program, ticks))
    wait_for(ticks.exists)
    waiting = cli.start("--as-user", "bob", "reserve", "rack3", "--for", "1h", "--wait", "60s", "--json")
    assert running.wait(60) == 11
    assert "the hold is over; the command is being stopped" in running.stderr.read()
    waiting.communicate(timeout=60)
    [granted] = [entry for entry in as_json("bob", "log")["entries"] if entry["action"] == "granted"]
    assert int(ticks.read_text().split("\n")[-2]) < granted["at_us"], as_json("bob", "log")


def stop_between_transactions(process, book):
    """Stop a process while it has no lock on the book."""

    def stopped():
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        with contextlib.closing(sqlite3.connect(book, timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                return False
        return True

    wait_for(stopped)


def test_a_bespeak_that_was_itself_stopped_for_too_long_ends_the_command(cli, run_as):
    words = ["--as-user", "alice", "run", "rack3", "--keepalive", "3s", "--", "sh", "-c", "echo up; sleep 300"]
    running = cli.start(*words)
    assert running.stdout.readline() == "up\n"
    stop_between_transactions(running, Path(os.environ["BESPEAK_LEDGER"]))
    run_as("bob", "reserve", "rack3", "--for", "1h", "--wait", "60s")
    running.send_signal(signal.SIGCONT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 11, err
    assert "the hold is lost" in err or "the hold cannot be kept" in err


def test_what_a_command_leaves_in_the_background_goes_on_when_it_has_ended_in_order(run_as, notes):
    run_as("alice", "run", "rack3", "--", "sh", "-c", f"sleep 300 >/dev/null 2>&1 & echo $! >> {notes}")
    [pid] = noted(notes, 1)
    assert lives(pid)
    trees.kill(pid)


def test_processes_that_are_not_the_command_s_are_left_alone(cli, notes):
    script = f'sleep 300 & echo $! >> {notes}; exec "$@"'
    bespeak = cli.command("run", "rack3", "--", "sh", "-c", "echo up; sleep 300")
    with subprocess.Popen(["sh", "-c", script, "-", *bespeak], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout.readline() == "up\n"
        running.terminate()
        assert running.wait(60) == 143
        [pid] = noted(notes, 1)
        assert lives(pid)
        trees.kill(pid)


@pytest.mark.parametrize("words", [["run", "rack3"], ["-R", "gate", "-l", "demo"]], ids=" ".join)
def test_a_hangup_that_is_ignored_by_nohup_stays_ignored(cli, lab, words):
    bespeak = cli.command(*words, "--", "sh", "-c", "grep SigIgn /proc/self/status; read x; exit 7")
    with subprocess.Popen(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "-", *bespeak], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        ignored = int(running.stdout.readline().split()[1], 16)
        assert ignored & 1 << (signal.SIGHUP - 1)
        running.send_signal(signal.SIGHUP)
        running.communicate("go\n", timeout=60)
        assert running.returncode == 7


def test_a_waiter_started_by_nohup_survives_the_hangup(cli, run_as):
    run_as("alice", "reserve", "rack3")
    bespeak = cli.command("--as-user", "bob", "run", "rack3", "--wait", "60s", "--", "echo", "mine")
    with subprocess.Popen(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "-", *bespeak],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as waiting:
        waiting.stderr.readline()
        assert "waiting" in waiting.stderr.readline()
        waiting.send_signal(signal.SIGHUP)
        run_as("alice", "release", "rack3")
        assert waiting.communicate(timeout=60)[0] == "mine\n"


def test_the_command_finds_no_signal_ignored_that_bespeak_found_set_to_default(cli):
    seen = cli("run", "rack3", "--", "grep", "SigIgn", "/proc/self/status").stdout
    by_python = {signal.SIGPIPE, signal.SIGXFSZ}
    ours = {each for each in signal.valid_signals() - by_python if signal.getsignal(each) is signal.SIG_IGN}
    found = int(seen.split()[1], 16) & ALL_BUT_REAL_TIME
    assert {each for each in range(1, 32) if found >> (each - 1) & 1} <= ours, "a shell's `&` ignores some"


def test_the_gate_stops_the_whole_tree_too(impatient, lab, run_as, notes):
    run_as("alice", "reserve", "rack1", "--for", "8s")  # a busy machine takes seconds to start the gate
    running = impatient("--as-user", "alice", "gate", "-l", "demo", "--", *python(trees.STUBBORN, notes))
    assert running.wait(60) == 11
    assert not [pid for pid in noted(notes, 2) if lives(pid)]


def test_without_proc_ps_finds_what_descends_from_the_command():
    from bespeak.cli import process_tree

    with subprocess.Popen(["sh", "-c", "sleep 300 & echo up; wait"], stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout.readline() == "up\n"
        found = process_tree._descendants_by_ps(shell.pid)
        assert found[0] == shell.pid
        assert len(found) == 2
        trees.kill(*found)


@pytest.mark.parametrize("words", [["run", "rack1", "--for", "12s"], ["--lab", "demo", "gate"]], ids=["run", "gate"])
def test_a_bespeak_that_is_stopped_and_not_woken_does_not_let_the_command_run_on(cli, lab, notes, words):
    if "gate" in words:
        assert cli("reserve", "rack1", "--for", "14s").returncode == 0
    running = cli.start(*words, "--", *TREES["in the background"][0], str(notes))
    pids = noted(notes, 2)
    wait_for(lambda: watchdogs(running.pid))
    running.send_signal(signal.SIGSTOP)
    wait_for(lambda: not [pid for pid in pids if lives(pid)])
    assert is_stopped(running.pid)
    running.send_signal(signal.SIGCONT)
    assert running.wait(60) == 11
    assert watchdogs(running.pid) == []


def watchdogs(pid):
    """Return the processes that watch for a bespeak."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if b"bespeak.cli.watchdog" in words and str(pid).encode() in words:
                found.append(folder.name)
    return found
