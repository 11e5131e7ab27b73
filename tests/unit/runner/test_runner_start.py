"""Starting: one key, one job; what the command gets; how its end is kept."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading

import pytest

from bespeak.base.errors import UsageError
from bespeak.runner.model import JobStatus
from bespeak.runner.service import Runner
from support.jobs import WAIT_SECONDS, counting, eventually, executions, run, stderr_of, stdout_of


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        ("exit 0", JobStatus.SUCCEEDED, 0),
        ("exit 3", JobStatus.FAILED, 3),
        ("exit 137", JobStatus.FAILED, 137),
        ("kill -9 $$", JobStatus.FAILED, -9),
        ("kill -15 $$", JobStatus.FAILED, -15),
        ("kill -1 $$", JobStatus.FAILED, -1),
    ],
)
def test_the_exit_code_is_kept_and_a_signal_is_told_from_a_code(runner, script, status, code):
    job = run(runner, ["/bin/sh", "-c", script])
    assert (job.status, job.exit_code) == (status, code)
    assert runner.find(job_id=job.job_id).exit_code == code


def test_every_byte_of_the_command_arrives(runner):
    words = [b"", b"a b", b"line\nbreak", b"\xff\xfe", b"'\"$(x)`", b"-n", b"\\", "日本".encode()]
    job = run(runner, ["/usr/bin/printf", "%s|", *words])
    assert stdout_of(runner, job) == b"".join(word + b"|" for word in words)
    assert job.command == (b"/usr/bin/printf", b"%s|", *words)


def test_variables_with_any_name_and_value_arrive(runner, monkeypatch):
    monkeypatch.setenv("bspk", "x")
    monkeypatch.setenv("dotted.name", "a=b\nc")
    job = run(
        runner,
        ["/usr/bin/env", "-0"],
        environment={"ADDED": "", "a-b": "1", "pid": "mine", "record": "r", b"b": b"\xff"},
    )
    assert job.exit_code == 0
    got = dict(item.split(b"=", 1) for item in stdout_of(runner, job).split(b"\0")[:-1])
    expected = {b"dotted.name": b"a=b\nc", b"ADDED": b"", b"a-b": b"1", b"pid": b"mine", b"record": b"r", b"b": b"\xff"}
    assert {name: got.get(name) for name in expected} == expected
    assert not [name for name in got if name.startswith((b"bspk_", b"BESPEAK_ODD"))]


def test_the_command_has_nothing_of_the_starter_open_or_blocked(runner):
    leak_read, leak_write = os.pipe()
    os.set_inheritable(leak_write, True)
    try:
        script = 'ls /proc/self/fd | wc -l; grep -E "SigBlk|SigIgn" /proc/self/status; umask; readlink /proc/self/fd/0'
        job = run(runner, ["/bin/sh", "-c", script])
    finally:
        os.close(leak_read)
        os.close(leak_write)
    lines = stdout_of(runner, job).decode().split()
    assert lines[0] == "4"  # 0, 1, 2 and the listing's own
    assert int(lines[2], 16) == 0
    ignored = int(lines[4], 16)
    assert ignored & ~(3 << 31) == 0  # 32 and 33 belong to the C library
    assert lines[5:] == [f"{_umask():04o}", "/dev/null"]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_folder_is_used_and_a_missing_one_is_a_failure_that_says_so(runner, tmp_path):
    here = tmp_path / "with space"
    here.mkdir()
    assert stdout_of(runner, run(runner, ["/bin/pwd"], cwd=str(here))).decode().strip() == str(here)
    job = run(runner, ["/bin/pwd"], cwd=str(tmp_path / "none"))
    assert (job.status, job.exit_code) == (JobStatus.FAILED, -1)
    assert b"no such folder" in stderr_of(runner, job)


@pytest.mark.parametrize("command", [["/no/such"], [""], ["no-such-program-here"], ["/etc/passwd"], ["/tmp"]])
def test_a_command_that_cannot_run_fails_with_minus_one_and_says_why(runner, command):
    job = run(runner, command)
    assert (job.status, job.exit_code, job.target_pid) == (JobStatus.FAILED, -1, None)
    assert b"cannot run" in stderr_of(runner, job)


def test_arguments_too_long_for_the_system_are_a_failure_that_says_so(runner):
    job = run(runner, ["/bin/true", "x" * 200_000])
    assert (job.status, job.exit_code) == (JobStatus.FAILED, -1)
    assert b"too long" in stderr_of(runner, job)


def test_a_running_job_is_returned_and_an_ended_one_started_anew(runner, tmp_path):
    command, marks = counting(tmp_path, "while [ ! -e $1.go ]; do sleep 0.01; done")
    first = runner.start("k", command)
    assert (first.existing, first.job.status) == (False, JobStatus.RUNNING)
    second = runner.start("k", ["/bin/false"])
    assert (second.existing, second.job.job_id) == (True, first.job.job_id)
    (tmp_path / "executions.go").touch()
    assert runner.wait(first.job.job_id, WAIT_SECONDS).status is JobStatus.SUCCEEDED
    third = runner.start("k", command)
    assert (third.existing, third.job.attempt_no, third.job.rerun_of_job_id) == (False, 2, first.job.job_id)
    runner.wait(third.job.job_id, WAIT_SECONDS)
    assert executions(marks) == 2
    assert [job.attempt_no for job in runner.history("k")] == [2, 1]


def test_strict_runs_once_and_an_unlock_allows_exactly_one_more(runner, tmp_path):
    command, marks = counting(tmp_path)
    first = runner.start("k", command, strict=True)
    runner.wait(first.job.job_id, WAIT_SECONDS)
    assert runner.start("k", command, strict=True).job.job_id == first.job.job_id
    runner.unlock("k", reason="data fix", ttl_seconds=60)
    assert runner.override("k").reason == "data fix"
    again = runner.start("k", command, strict=True)
    assert (again.existing, again.override_used, again.job.rerun_reason) == (False, True, "data fix")
    runner.wait(again.job.job_id, WAIT_SECONDS)
    assert runner.start("k", command, strict=True).existing
    assert executions(marks) == 2


def test_an_unlock_ends_with_its_time(tmp_path):
    now = [1_000_000_000_000_000]
    runner = Runner(str(tmp_path / "h"), now=lambda: now[0])
    job = runner.start("k", ["/bin/true"], strict=True).job
    runner.wait(job.job_id, WAIT_SECONDS)
    runner.unlock("k", ttl_seconds=10)
    now[0] += 10_000_000
    assert runner.override("k") is None
    assert runner.start("k", ["/bin/true"], strict=True).existing
    runner.close()


def test_an_idempotency_key_is_executed_once_whatever_became_of_the_job(runner, tmp_path):
    command, marks = counting(tmp_path)
    first = runner.start("k", command, idempotency_key="mine")
    runner.wait(first.job.job_id, WAIT_SECONDS)
    runner.start("k", ["/bin/true"])
    for run_key in ("k", "other"):
        again = runner.start(run_key, command, idempotency_key="mine")
        assert (again.existing, again.job.job_id) == (True, first.job.job_id)
    assert executions(marks) == 1
    assert runner.find(idempotency_key="mine").job_id == first.job.job_id


def test_another_callers_running_job_of_the_key_is_told_by_its_idempotency_key(runner):
    first = runner.start("k", ["/bin/sleep", "30"], idempotency_key="theirs")
    second = runner.start("k", ["/bin/sleep", "30"], idempotency_key="ours")
    assert second.existing
    assert second.job.idempotency_key == "theirs"
    assert first.job.job_id == second.job.job_id


def test_returning_at_once_starts_all_the_same(runner, tmp_path):
    command, marks = counting(tmp_path)
    started = runner.start("k", command, start_timeout_seconds=0)
    assert started.job.worker_pid is not None
    assert runner.wait(started.job.job_id, WAIT_SECONDS).exit_code == 0
    assert executions(marks) == 1


_AT_ONCE = """
import os, sys, time
from bespeak.runner.cli import main
while not os.path.exists(sys.argv[1]):
    time.sleep(0.001)
sys.exit(main(sys.argv[2:]))
"""


def test_of_many_processes_at_once_exactly_one_starts(runner, tmp_path):
    command, marks = counting(tmp_path, "sleep 30")
    gate = tmp_path / "gate"
    words = [sys.executable, "-c", _AT_ONCE, str(gate), "start", "--run-key", "k", "--", *command]
    starters = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(8)]
    gate.touch()
    answers = [starter.communicate(timeout=60) for starter in starters]
    assert [error for _, error in answers] == [b""] * 8
    got = [json.loads(answer) for answer, _ in answers]
    assert sorted(answer["existing"] for answer in got) == [False] + [True] * 7
    assert len({answer["job_id"] for answer in got}) == 1
    assert eventually(lambda: executions(marks)) == 1


def test_of_many_threads_at_once_exactly_one_starts_under_an_idempotency_key(runner, tmp_path):
    command, marks = counting(tmp_path)
    barrier, found = threading.Barrier(8), []

    def start(number):
        barrier.wait()
        found.append(runner.start(f"key-{number}", command, idempotency_key="one").job.job_id)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runner.wait(found[0], WAIT_SECONDS)
    assert len(set(found)) == 1
    assert executions(marks) == 1


def test_files_are_for_their_owner_only(runner):
    old = os.umask(0)
    try:
        job = run(runner, ["/bin/true"])
    finally:
        os.umask(old)
    modes = {}
    for folder, folders, files in os.walk(runner.paths.home):
        for name in folders:
            modes[name] = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
            assert modes[name] == 0o700, name
        for name in files:
            modes[name] = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
            assert modes[name] == 0o600, name
    assert {job.job_id, f"{job.job_id}.stdout", f"{job.job_id}.stderr", "runner.sqlite3"} <= set(modes)


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("k", []), {}),
        (("k\udcff", ["true"]), {}),
        (("k\0", ["true"]), {}),
        (("k", ["a\0b"]), {}),
        (("k", ["true"]), {"idempotency_key": ""}),
        (("k", ["true"]), {"environment": {"": "x"}}),
        (("k", ["true"]), {"environment": {"a=b": "x"}}),
    ],
)
def test_a_request_that_makes_no_sense_writes_nothing(runner, arguments, options):
    with pytest.raises(UsageError):
        runner.start(*arguments, **options)
    assert not os.path.exists(runner.paths.home)


def test_a_long_lived_caller_collects_its_ended_supervisors(runner):
    jobs = [runner.start(f"k{number}", ["/bin/true"]).job for number in range(5)]
    for job in jobs:
        runner.wait(job.job_id, WAIT_SECONDS)

    def collected():
        runner.reap()
        return not runner._children

    assert eventually(collected)


def test_a_rerun_has_the_same_command_variables_and_folder(runner, tmp_path):
    job = run(runner, ["/bin/sh", "-c", "pwd; echo $X"], environment={"X": "y"}, cwd=str(tmp_path))
    again = runner.rerun(job_id=job.job_id, reason="why not")
    ended = runner.wait(again.job.job_id, WAIT_SECONDS)
    assert stdout_of(runner, ended) == stdout_of(runner, job)
    assert (ended.rerun_of_job_id, ended.rerun_reason, ended.attempt_no) == (job.job_id, "why not", 2)


def test_an_environment_that_is_given_once_is_that_of_every_job(runner, monkeypatch):
    runner.inherited = {b"PATH": os.environb[b"PATH"], b"OF_ALL": b"1"}
    monkeypatch.setenv("LATER", "2")
    job = run(runner, ["/bin/sh", "-c", "echo $OF_ALL.$LATER.$OWN"], environment={"OWN": "3"})
    assert stdout_of(runner, job) == b"1..3\n"
    assert runner.inherited == {b"PATH": os.environb[b"PATH"], b"OF_ALL": b"1"}
