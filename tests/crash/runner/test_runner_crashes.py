"""kill -9 at every named point of a start, and at random: the next start with the same key runs it exactly once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from bespeak.runner.model import JobStatus
from support.jobs import COMPILERS, WAIT_SECONDS, compiled_supervisor, counting, eventually, executions, program

STARTER_POINTS = ["storage.before_commit", "storage.after_commit", "runner.stored", "runner.locked", "runner.spawned"]
AROUND_CLAIM = ["supervisor.before_claim", "supervisor.checked"]
AFTER_CLAIM = ["supervisor.claimed", "supervisor.ended", "supervisor.recorded"]


@pytest.fixture(params=["script", *COMPILERS])
def supervisor(request, monkeypatch, tmp_path):
    compiled = compiled_supervisor(request.param, tmp_path) if request.param in COMPILERS else ""
    monkeypatch.setenv("BESPEAK_SUPERVISOR", compiled)


def start(command, *, crash_at="", key="mine"):
    return program(
        "start", "--run-key", "k", "--idempotency-key", key, "--start-timeout", "5", "--", *command, crash_at=crash_at
    )


def ended(runner):
    """Return the job of the idempotency key once it has ended."""

    def look():
        job = runner.find(idempotency_key="mine")
        return None if job.status.active else job

    return eventually(look)


@pytest.mark.parametrize("point", STARTER_POINTS)
def test_a_starter_killed_at_any_point_and_called_again_runs_the_job_once(runner, tmp_path, point):
    command, marks = counting(tmp_path)
    # The book is made first, so that the point is reached in the transaction that decides.
    runner.start("other", ["/bin/true"])
    assert start(command, crash_at=point).returncode == -signal.SIGKILL
    again = start(command)
    assert again.returncode == 0
    job = ended(runner)
    assert (job.status, executions(marks)) == (JobStatus.SUCCEEDED, 1)
    assert start(command).returncode == 0
    assert executions(marks) == 1
    assert len(runner.history("k")) == 1


@pytest.mark.parametrize("point", ["storage.statement", "storage.before_commit", "storage.after_commit"])
def test_the_first_start_of_all_may_die_while_it_makes_the_book(runner, tmp_path, point):
    command, marks = counting(tmp_path)
    assert start(command, crash_at=point).returncode == -signal.SIGKILL
    assert start(command).returncode == 0
    assert ended(runner).status is JobStatus.SUCCEEDED
    assert executions(marks) == 1


@pytest.mark.usefixtures("supervisor")
def test_a_supervisor_killed_before_it_began_leaves_the_job_to_the_next(runner, tmp_path):
    command, marks = counting(tmp_path)
    words = ["start", "--run-key", "k", "--idempotency-key", "mine", "--start-timeout", "0.3", "--", *command]
    assert program(*words, crash_at="supervisor.begun").returncode in (0, 1)
    assert executions(marks) == 0
    assert start(command).returncode == 0
    job = ended(runner)
    assert (job.status, job.exit_code, executions(marks)) == (JobStatus.SUCCEEDED, 0, 1)


@pytest.mark.usefixtures("supervisor")
@pytest.mark.parametrize("point", AROUND_CLAIM)
def test_a_supervisor_killed_while_the_job_is_claimed_leaves_one_execution(runner, tmp_path, point):
    """The command may or may not see in time that its supervisor died; either way it runs once."""
    command, marks = counting(tmp_path)
    start(command, crash_at=point)
    assert start(command).returncode == 0
    assert ended(runner).status in (JobStatus.SUCCEEDED, JobStatus.LOST)
    assert eventually(lambda: executions(marks)) == 1


@pytest.mark.usefixtures("supervisor")
@pytest.mark.parametrize("point", AFTER_CLAIM)
def test_a_supervisor_killed_after_it_claimed_the_job_never_lets_it_run_twice(runner, tmp_path, point):
    command, marks = counting(tmp_path)
    assert start(command, crash_at=point).returncode in (0, 1)
    assert start(command).returncode == 0
    job = ended(runner)
    expected = JobStatus.SUCCEEDED if point == "supervisor.recorded" else JobStatus.LOST
    assert job.status is expected
    assert eventually(lambda: executions(marks)) == 1
    assert json.loads(start(command).stdout)["job_id"] == job.job_id
    assert executions(marks) == 1


@pytest.mark.usefixtures("supervisor")
def test_a_command_killed_before_its_first_instruction_is_a_failure_that_says_so(runner, tmp_path):
    command, marks = counting(tmp_path)
    assert start(command, crash_at="target.before_exec").returncode == 0
    job = ended(runner)
    assert (job.status, job.exit_code, executions(marks)) == (JobStatus.FAILED, -9, 0)
    assert json.loads(start(command).stdout)["job_id"] == job.job_id


@pytest.mark.usefixtures("supervisor")
def test_an_abort_killed_after_it_was_stored_can_be_repeated(runner):
    job = runner.start("k", ["/bin/sleep", "30"]).job
    assert program("abort", "--run-key", "k", crash_at="runner.stop_stored").returncode == -signal.SIGKILL
    assert runner.find(job_id=job.job_id).status is JobStatus.ABORTED
    again = program("abort", "--run-key", "k")
    assert again.returncode == 0
    assert json.loads(again.stdout)["sent_term_target"] is True


ROUNDS = 200
SUPERVISOR_ROUNDS = 100


def _kill_at_random(rng, words, longest_seconds):
    """Start the program and kill it at a random instant; its exit code, or None if it was killed."""
    starter = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(rng.uniform(0, longest_seconds))
    starter.kill()
    return starter.wait()


def test_starters_killed_at_random_instants_lose_and_double_nothing(runner, tmp_path):
    """The killed calls cover the whole life of a start; then every key is started until it is acknowledged."""
    rng = random.Random(20)
    marks = tmp_path / "marks"
    marks.mkdir()
    longest = _length_of_a_start(runner) * 1.5

    def words(number):
        command = ["/bin/sh", "-c", 'echo run >>"$1"', "sh", str(marks / str(number))]
        key = f"key-{number}"
        program = [sys.executable, "-m", "bespeak.runner", "start", "--run-key", key, "--idempotency-key", key]
        return [*program, "--", *command]

    killed = sum(_kill_at_random(rng, words(number), longest) == -signal.SIGKILL for number in range(ROUNDS))
    assert killed > ROUNDS // 10
    for number in range(ROUNDS):
        assert subprocess.run(words(number), stdout=subprocess.DEVNULL, check=False).returncode == 0
    jobs = [runner.wait(runner.find(idempotency_key=f"key-{number}").job_id, WAIT_SECONDS) for number in range(ROUNDS)]
    assert {job.status for job in jobs} == {JobStatus.SUCCEEDED}
    assert [executions(marks / str(number)) for number in range(ROUNDS)] == [1] * ROUNDS


def _length_of_a_start(runner):
    began = time.monotonic()
    assert program("start", "--run-key", "warm-up", "--", "true").returncode == 0
    return time.monotonic() - began


@pytest.mark.usefixtures("supervisor")
def test_supervisors_killed_at_random_instants_never_double_and_never_say_what_did_not_happen(runner, tmp_path):
    rng = random.Random(21)
    marks = tmp_path / "marks"
    marks.mkdir()
    for number in range(SUPERVISOR_ROUNDS):
        command = ["/bin/sh", "-c", 'echo run >>"$1"', "sh", str(marks / str(number))]
        started = runner.start(f"k{number}", command, idempotency_key=f"k{number}", start_timeout_seconds=0)
        time.sleep(rng.uniform(0, 0.004))
        if started.job.worker_pid is not None:
            os.kill(started.job.worker_pid, signal.SIGKILL)
        runner.start(f"k{number}", command, idempotency_key=f"k{number}")
    for number in range(SUPERVISOR_ROUNDS):
        job = runner.wait(runner.find(idempotency_key=f"k{number}").job_id, WAIT_SECONDS)
        ran = executions(marks / str(number))
        assert job.status in (JobStatus.SUCCEEDED, JobStatus.LOST)
        assert ran <= 1
        assert ran == 1 or job.status is JobStatus.LOST
