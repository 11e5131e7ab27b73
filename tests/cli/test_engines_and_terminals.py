"""The same commands on both engines, and a key typed at a terminal."""

import json
import os
import pty
import signal
import subprocess
import sys

import pytest


@pytest.fixture
def on_engine(book_url, monkeypatch):
    monkeypatch.setenv("BESPEAK_LEDGER", book_url)


@pytest.mark.usefixtures("on_engine")
def test_a_day_with_the_book(cli, run_as, as_json):
    made = as_json("alice", "reserve", "rack3", "--for", "2h", "--purpose", "thermal run")
    assert "rack3 is held by alice until" in run_as("bob", "reserve", "rack3", "--for", "1h", code=7).stderr
    run_as("bob", "reserve", "rack3", "--for", "1h", "--next")
    watching = cli.start("watch", "rack3", "--after", "0")
    waiting = cli.start("--as-user", "carol", "run", "rack3", "--for", "1m", "--wait", "60s", "--", "echo", "mine")
    waiting.stderr.readline()
    assert "waiting: position 1" in waiting.stderr.readline()
    run_as("bob", "release", "--mine")
    run_as("alice", "release", made["short_id"])
    out, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, out) == (0, "mine\n"), err
    seen = []
    while not seen or (seen[-1]["action"], seen[-1]["who"]) != ("released", "carol"):
        seen.append(json.loads(watching.stdout.readline()))
    assert [entry["seq"] for entry in seen] == sorted(entry["seq"] for entry in seen)
    watching.send_signal(signal.SIGTERM)
    watching.wait(60)
    assert as_json("alice", "list")["reservations"] == []


@pytest.mark.usefixtures("on_engine")
def test_a_hold_that_is_taken_away_ends_the_command(cli, run_as, as_json):
    running = cli.start("--as-user", "alice", "run", "rack3", "--", "sleep", "60")
    while "holding" not in running.stderr.readline():
        pass
    [hold] = as_json("eve", "who", "rack3")["reservations"]
    run_as("eve", "kick", hold["short_id"], "--reason", "drill")
    assert running.wait(15) == 11


COUNTS = """
import signal, sys, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print("up", flush=True)
end = time.monotonic() + 60
while not seen and time.monotonic() < end:
    time.sleep(0.01)
time.sleep(0.5)
print(f"interrupts: {len(seen)}!", flush=True)
sys.exit(9)
"""


LOG_IN = "import os, sys; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"


def test_a_key_typed_at_the_terminal_reaches_the_command_once(cli, as_json):
    parent, child = pty.openpty()
    words = cli.command("--as-user", "alice", "run", "rack3", "--", sys.executable, "-c", COUNTS)
    process = subprocess.Popen([sys.executable, "-c", LOG_IN, *words], stdin=child, stdout=child, stderr=child)
    os.close(child)
    shown = b""
    while b"up" not in shown:
        shown += os.read(parent, 4096)
    os.write(parent, b"\x03")
    while b"!" not in shown:
        shown += os.read(parent, 4096)
    assert b"interrupts: 1!" in shown
    assert process.wait(60) == 9
    os.close(parent)
    assert as_json("bob", "list")["reservations"] == []
