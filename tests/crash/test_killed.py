"""A process is killed while it writes the book; the next one finds every acknowledged write, and nothing half-done."""

import json
import subprocess
import sys

from support import history

VICTIM = [sys.executable, history.__file__.replace("history.py", "victim.py")]


def run(*args):
    ran = subprocess.run([*VICTIM, *args], check=False, capture_output=True, text=True, timeout=250)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout)


def test_each_kind_of_write_is_killed_at_each_step(book_url):
    kills = run("steps", book_url)
    print(kills)
    assert all(count >= 4 for count in kills.values()), kills


def test_processes_are_killed_at_200_random_moments(book_url):
    seen = run("random", book_url, "200")
    print(seen)
    assert seen["kills"] == 200
    assert seen["acknowledged"] > 50
