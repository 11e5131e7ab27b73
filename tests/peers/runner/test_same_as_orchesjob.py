"""The same calls to the published orchesjob and to ours: the same JSON but for ids, times, pids and what is listed here.

Documented differences:

* ours adds ``idempotency_key`` to every job;
* errors: theirs are a line of text (or a traceback), ours one JSON object; the exit codes are the same;
* a command that cannot run: ours starts no supervisor for it, so it has no pid, and says why in its error output;
* ended by SIGINT or SIGPIPE: ours shows the shell's 130 and 141, theirs -2 and -13.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time

import pytest

CHANGING = {"job_id", "pid", "worker_pid", "target_pid", "rerun_of_job_id"}


def shape(value):
    """Replace what differs from run to run by its kind."""
    if isinstance(value, list):
        return [shape(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {}
    for name, item in value.items():
        if name == "idempotency_key":
            continue
        if name in CHANGING or name.endswith(("_at", "_at_iso")):
            plain[name] = type(item).__name__
        elif name.endswith("_file"):
            plain[name] = re.sub("[0-9a-f-]{36}", "ID", "/".join(item.split("/")[-2:]))
        else:
            plain[name] = shape(item)
    return plain


def settle(runner, key):
    """Wait until a job of either runner has ended."""
    deadline = time.monotonic() + 20
    while runner.json("status", "--run-key", key)["status"] in ("STARTING", "RUNNING"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


SCRIPTS = {
    "a job that succeeds": [("start", "--run-key", "k", "--sync", "--", "echo", "hi"), ("status", "--run-key", "k")],
    "a job that fails": [("start", "--run-key", "k", "--sync", "--", "sh", "-c", "exit 3"), ("logs", "--run-key", "k")],
    "a job ended by a signal": [("start", "--run-key", "k", "--sync", "--", "sh", "-c", "kill -9 $$")],
    "words after the separator": [("start", "--run-key", "k", "--sync", "echo", "--", "--strict", "")],
    "a second attempt and its history": [
        ("start", "--run-key", "k", "--sync", "--", "true"),
        ("start", "--run-key", "k", "--sync", "--", "false"),
        ("status", "--run-key", "k", "--all"),
    ],
    "strict and unlock": [
        ("start", "--run-key", "k", "--sync", "--strict", "--", "true"),
        ("start", "--run-key", "k", "--sync", "--strict", "--", "false"),
        ("unlock", "--run-key", "k", "--reason", "r", "--ttl", "30m"),
        ("status", "--run-key", "k"),
        ("start", "--run-key", "k", "--sync", "--strict", "--", "false"),
        ("start", "--run-key", "k", "--sync", "--strict", "--", "false"),
        ("status", "--run-key", "k", "--all"),
    ],
    "a running job": [
        ("start", "--run-key", "k", "--", "sleep", "30"),
        ("start", "--run-key", "k", "--", "sleep", "31"),
        ("start", "--run-key", "k", "--strict", "--", "sleep", "31"),
        ("status", "--running"),
        ("unlock", "--run-key", "k"),
        ("rerun", "--run-key", "k"),
        ("clean", "--all"),
        ("abort", "--run-key", "k", "--reason", "why"),
        ("abort", "--run-key", "k"),
        ("status", "--run-key", "k"),
        ("status", "--running"),
    ],
    "rerun": [
        ("start", "--run-key", "k", "--sync", "--", "true"),
        ("rerun", "--run-key", "k", "--sync", "--reason", "again"),
        ("status", "--run-key", "k", "--all"),
    ],
    "clean": [
        ("start", "--run-key", "k", "--sync", "--", "true"),
        ("start", "--run-key", "l", "--sync", "--", "true"),
        ("clean", "--before", "2020-01-01"),
        ("clean", "--after", "2020-01-01", "--run-key", "k", "--dry-run"),
        ("clean", "--run-key", "k", "--all"),
        ("status", "--run-key", "k"),
        ("clean", "--all"),
        ("clean", "--job-id", "none"),
    ],
    "nothing there": [
        ("status", "--run-key", "none"),
        ("status", "--run-key", "none", "--all"),
        ("status", "--job-id", "none"),
        ("status", "--running"),
        ("logs", "--run-key", "none"),
        ("abort", "--job-id", "none"),
        ("rerun", "--run-key", "none"),
        ("unlock", "--run-key", "none"),
    ],
    "wrong use": [
        (),
        ("bogus",),
        ("start", "--", "true"),
        ("start", "--run-key", "k"),
        ("start", "--run-key", "k", "--start-timeout", "x", "--", "true"),
        ("start", "--run-key", "k", "--bogus", "--", "true"),
        ("status",),
        ("status", "--job-id", "x", "--all"),
        ("status", "--run-key", "x", "--running"),
        ("logs", "--run-key", "x", "--stream", "both"),
        ("unlock", "--run-key", "x", "--ttl", "1.5h"),
        ("unlock", "--run-key", "x", "--ttl", "0"),
        ("clean",),
        ("clean", "--all", "--after", "2020-01-01"),
        ("clean", "--job-id", "x", "--run-key", "k"),
        ("clean", "--before", "garbage"),
    ],
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_the_same_calls_get_the_same_answers(ours, theirs, script):
    for words in script:
        mine, other = ours.call(*words), theirs.call(*words)
        assert mine.returncode == other.returncode, (words, mine.stderr, other.stderr)
        if other.returncode:
            assert mine.stdout == b""
            assert list(json.loads(mine.stderr)) == ["error"]
        elif words[0] == "logs":
            assert mine.stdout == other.stdout
        else:
            assert shape(json.loads(mine.stdout)) == shape(json.loads(other.stdout)), words


def test_an_asynchronous_job_ends_the_same(ours, theirs):
    answers = []
    for runner in (ours, theirs):
        runner.call("start", "--run-key", "k", "--", "sh", "-c", "sleep 0.2; exit 5")
        settle(runner, "k")
        answers.append(shape(runner.json("status", "--run-key", "k")))
    assert answers[0] == answers[1]
    assert answers[0]["exit_code"] == 5


def test_a_stubborn_job_is_killed_the_same(ours, theirs):
    answers = []
    for runner in (ours, theirs):
        runner.call("start", "--run-key", "k", "--", "sh", "-c", "trap '' TERM; sleep 30; sleep 30")
        time.sleep(0.3)
        answers.append(shape(runner.json("abort", "--run-key", "k", "--grace-seconds", "0.5")))
    assert answers[0] == answers[1]


def test_a_killed_supervisor_reads_lost_in_both(ours, theirs):
    answers = []
    for runner in (ours, theirs):
        job = runner.json("start", "--run-key", "k", "--", "sleep", "30")
        time.sleep(0.2)
        os.kill(job["worker_pid"], signal.SIGKILL)
        settle(runner, "k")
        answers.append(shape(runner.json("status", "--run-key", "k")))
        os.kill(job["target_pid"], signal.SIGKILL)
    assert answers[0] == answers[1]
    assert answers[0]["status"] == "LOST"


def test_a_command_that_cannot_run_differs_as_documented(ours, theirs):
    words = ("start", "--run-key", "k", "--sync", "--", "/no/such/command")
    mine, other = shape(ours.json(*words)), shape(theirs.json(*words))
    assert (mine.pop("pid"), mine.pop("worker_pid"), mine.pop("pid_kind")) == ("NoneType", "NoneType", None)
    assert (other.pop("pid"), other.pop("worker_pid"), other.pop("pid_kind")) == ("int", "int", "worker")
    assert mine == other
    assert b"there is no such file" in ours.call("logs", "--run-key", "k", "--stream", "stderr").stdout


def test_theirs_has_neither_result_nor_cancel(ours, theirs):
    ours.call("start", "--run-key", "k", "--sync", "--", "true")
    theirs.call("start", "--run-key", "k", "--sync", "--", "true")
    assert theirs.call("result", "--run-key", "k").returncode == 2
    assert theirs.call("cancel", "--run-key", "k").returncode == 2
    assert ours.json("result", "--run-key", "k")["exit_code"] == 0
