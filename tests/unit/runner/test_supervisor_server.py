"""Starts through the helper: each supervisor is a process of its own, which a server makes where one was compiled."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys

import pytest

from bespeak.base import process_identity
from bespeak.runner import exit_record, stop
from bespeak.runner.batch_starts import BatchStarts
from bespeak.runner.model import JobStatus
from bespeak.runner.supervisor_server import LONGEST_MESSAGE, SupervisorServer
from support.jobs import (
    COMPILERS,
    WAIT_SECONDS,
    compiled_supervisor,
    counting,
    eventually,
    executions,
    gone,
    run,
    served,
    stderr_of,
    stdout_of,
)


@pytest.fixture(params=["script", *COMPILERS])
def way(request, monkeypatch, tmp_path):
    """How supervisors are made: without a server, or by the compiled one."""
    compiled = compiled_supervisor(request.param, tmp_path) if request.param in COMPILERS else ""
    monkeypatch.setenv("BESPEAK_SUPERVISOR", compiled)
    return request.param


def start_words(key, command, *options):
    return ["start", "--run-key", key, "--idempotency-key", key, *options, "--", *command]


def ended(runner, answered):
    assert answered["code"] == 0, answered["err"]
    return runner.wait(json.loads(answered["out"])["job_id"], WAIT_SECONDS)


@pytest.mark.usefixtures("way")
def test_codes_words_variables_folders_and_what_is_open(runner, tmp_path):
    scripts = ("exit 0", "exit 3", "exit 137", "kill -9 $$", "ls /proc/self/fd | wc -l", "echo $PWD", "echo no >&2")
    requests = [start_words(f"k{number}", ["/bin/sh", "-c", text]) for number, text in enumerate(scripts)]
    requests[5].insert(1, f"--cwd={tmp_path}")
    requests.append(start_words("words", ["printf", "%s|", "", "a\nb", "*", "$x"]))
    requests.append(start_words("variables", ["env"], "--env", "a.b=c d", "--env", "EMPTY="))
    requests.append(start_words("signals", ["grep", "^Sig[BI]", "/proc/self/status"]))
    requests.append(start_words("nothing", ["/no/such/program"]))
    jobs = [ended(runner, answered) for answered in served(runner, *requests)]
    assert [job.exit_code for job in jobs] == [0, 3, 137, -9, 0, 0, 0, 0, 0, 0, -1]
    assert stdout_of(runner, jobs[4]).strip() == b"4"
    assert stdout_of(runner, jobs[5]).decode().strip() == str(tmp_path)
    assert stderr_of(runner, jobs[6]) == b"no\n"
    assert stdout_of(runner, jobs[7]) == b"|a\nb|*|$x|"
    assert {b"a.b=c d", b"EMPTY=", b"BESPEAK_RUNNER_JOB=" + jobs[8].job_id.encode()} <= set(
        stdout_of(runner, jobs[8]).splitlines()
    )
    blocked, ignored = (int(line.split()[1], 16) for line in stdout_of(runner, jobs[9]).splitlines())
    assert (blocked, ignored & 0x7FFFFFFF) == (0, 0)


@pytest.mark.usefixtures("way")
def test_what_comes_at_once_is_one_commit_and_a_bad_one_fails_alone(runner, tmp_path):
    run(runner, ["/bin/true"])
    command, marks = counting(tmp_path)
    twice = start_words("same", command)
    answers = served(
        runner, twice, start_words("bad", [""]), twice, ["start", "--run-key", "x"], start_words("b", ["true"])
    )
    assert [answered["code"] for answered in answers] == [0, 0, 0, 2, 0]
    first, second = (json.loads(answers[number]["out"]) for number in (0, 2))
    assert (first["job_id"], first["existing"], second["existing"]) == (second["job_id"], False, True)
    ended(runner, answers[0])
    assert executions(marks) == 1


@pytest.mark.usefixtures("way")
def test_a_command_that_is_too_long_for_the_system_says_so(runner):
    longest = ["/bin/true", "x" * (LONGEST_MESSAGE + 1)]
    too_long = ["/bin/true", "x" * 200_000]
    jobs = [
        ended(runner, answered) for answered in served(runner, start_words("a", longest), start_words("b", too_long))
    ]
    assert [job.exit_code for job in jobs] == [0, -1]
    assert b"too long" in stderr_of(runner, jobs[1])


@pytest.mark.usefixtures("way")
def test_a_book_that_is_locked_is_told_to_each(runner):
    run(runner, ["/bin/true"])
    blocker = sqlite3.connect(runner.paths.database, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    starts = BatchStarts(runner, dict(os.environb))
    runner._open()._busy_seconds = 0
    starts.submit([(number, _values(f"k{number}")) for number in (1, 2)])
    blocker.close()
    assert [(start.number, start.started) for start in starts.done] == [(1, None), (2, None)]
    assert all("locked" in str(start.error) for start in starts.done)
    starts.close()


def _values(key):
    return {"run_key": key, "tail": ("/bin/true",), "strict": False, "idempotency_key": key, "env": (), "cwd": None,
            "start_timeout": None}  # fmt: skip


@pytest.mark.usefixtures("way")
def test_a_job_outlives_its_helper_and_a_stop_reaches_all_of_it(runner):
    answered = served(runner, start_words("k", ["/bin/sh", "-c", "sleep 60 & sleep 60"]))
    job = runner.find(run_key="k")
    assert json.loads(answered[0]["out"])["job_id"] == job.job_id
    assert job.status is JobStatus.RUNNING
    assert os.getpgid(job.target_pid) == job.worker_pid
    _, sent = stop.stop(runner, job, JobStatus.ABORTED)
    assert (sent.term_target, sent.kill_worker) == (True, False)
    assert eventually(lambda: not process_identity.group_members(job.worker_pid))
    assert exit_record.read(runner.paths.record(job.job_id)).exit_code == -15


@pytest.mark.parametrize(
    "point",
    ["begun", "before_claim", "checked", "claimed", "ended", "recorded"],
)
@pytest.mark.usefixtures("way")
def test_a_supervisor_killed_at_any_point_never_lets_its_job_run_twice(runner, tmp_path, point):
    command, marks = counting(tmp_path)
    crash = f"BESPEAK_CRASH_AT=supervisor.{point}"
    served(runner, start_words("k", command, "--start-timeout", "0.3", "--env", crash))
    again = served(runner, start_words("k", command))[0]
    assert again["code"] in (0, 1)
    if point == "begun":  # the variable is the job's own, so whoever starts it dies: nothing ever ran
        assert executions(marks) == 0
        return
    assert eventually(lambda: executions(marks)) == 1
    job = ended(runner, again)
    assert job.status in (JobStatus.SUCCEEDED, JobStatus.LOST)
    assert executions(marks) == 1


class TestServer:
    @pytest.fixture(params=COMPILERS)
    def server(self, request, monkeypatch, tmp_path):
        monkeypatch.setenv("BESPEAK_SUPERVISOR", compiled_supervisor(request.param, tmp_path))
        server = SupervisorServer(dict(os.environb))
        assert server.begin()
        yield server
        server.close()

    def test_one_that_is_killed_ends_no_job_and_loses_no_exit_code(self, runner, server, tmp_path):
        job = self._stored(
            runner, ["/bin/sh", "-c", f"while [ ! -e {shlex.quote(str(tmp_path))}/go ]; do sleep 0.01; done; exit 7"]
        )
        assert server.submit(1, runner.paths, job)
        begun = eventually(server.take)
        assert [number for number, pids in begun if pids] == [1]
        os.kill(server._pid, signal.SIGKILL)
        eventually(lambda: server.take() == [] and server.fileno() < 0)
        assert runner.find(job_id=job.job_id).status is JobStatus.RUNNING
        (tmp_path / "go").touch()
        assert runner.wait(job.job_id, WAIT_SECONDS).exit_code == 7

    def test_one_that_is_killed_before_it_read_leaves_the_job_to_another_way(self, runner, server, tmp_path):
        os.kill(server._pid, signal.SIGSTOP)
        command, marks = counting(tmp_path)
        job = self._stored(runner, command)
        assert server.submit(1, runner.paths, job)
        os.kill(server._pid, signal.SIGKILL)
        assert eventually(lambda: server.take() == [] and server.fileno() < 0)
        assert executions(marks) == 0
        runner.ensure_started(job, 5)
        assert runner.wait(job.job_id, WAIT_SECONDS).exit_code == 0
        assert executions(marks) == 1

    def test_of_two_messages_about_one_job_one_runs_it(self, runner, server, tmp_path):
        command, marks = counting(tmp_path)
        job = self._stored(runner, command)
        answers = []
        for number in (1, 2):
            server.submit(number, runner.paths, job)
        eventually(lambda: answers.extend(server.take()) or len(answers) == 2)
        assert sorted(pids is not None for _, pids in answers) == [False, True]
        assert runner.wait(job.job_id, WAIT_SECONDS).status is JobStatus.SUCCEEDED
        assert executions(marks) == 1

    def test_a_file_in_the_way_of_the_output_is_no_start(self, runner, server):
        job = self._stored(runner, ["/bin/true"])
        os.mkfifo(runner.paths.log(job.job_id, "stdout"))
        server.submit(1, runner.paths, job)
        assert eventually(server.take) == [(1, None)]
        assert exit_record.read(runner.paths.record(job.job_id)) is None

    def test_it_leaves_with_whoever_started_it(self, runner, server):
        pid = server._pid
        server._socket.close()
        server._socket = None
        assert os.waitpid(pid, 0)[1] == 0
        assert gone(pid)

    @staticmethod
    def _stored(runner, command):
        from bespeak.runner import validation

        fresh = validation.new_job(
            "k", command, now_us=runner.now(), environment={}, cwd=None, strict=False, idempotency_key=None
        )
        return runner.accept([fresh])[0].job


def test_a_compiled_supervisor_that_makes_none_leaves_each_start_to_be_made_alone(runner, tmp_path, monkeypatch):
    """As one of an earlier version does, beside newer sources; it is not tried for ever."""
    earlier = tmp_path / "supervise.bin"
    earlier.write_text(f'#!/bin/sh\n[ "$1" != --serve ] || {{ echo >>{tmp_path}/tried; exit 127; }}\nexit 1\n')
    earlier.chmod(0o755)
    monkeypatch.setenv("BESPEAK_SUPERVISOR", str(earlier))
    starts = BatchStarts(runner, dict(os.environb))
    for number in range(1, 6):
        starts.submit([(number, _values(f"k{number}"))])
        eventually(lambda: starts.take() or not len(starts))
    assert [start.number for start in starts.unsettled] == [1, 2, 3, 4, 5]
    assert (tmp_path / "tried").read_text() == "\n" * 3
    starts.close()


def test_a_helper_killed_with_its_starts_under_way_leaves_each_to_run_once(runner, tmp_path):
    """Again and again: the helper is killed as soon as it has its requests, then all of them are asked for."""
    marks = tmp_path / "marks"
    marks.mkdir()
    keys = [f"k{number}" for number in range(40)]
    requests = [start_words(key, ["/bin/sh", "-c", f"echo run >>{shlex.quote(str(marks))}/{key}"]) for key in keys]
    lines = "".join(json.dumps({"n": number, "argv": words}) + "\n" for number, words in enumerate(requests)).encode()
    environment = {**os.environ, "ORCHESJOB_HOME": runner.paths.home}
    for answers_before in (0, 1, 7, 20):
        helper = subprocess.Popen(
            [sys.executable, "-m", "bespeak.runner", "serve"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        helper.stdin.write(lines)
        helper.stdin.flush()
        for _ in range(answers_before):
            helper.stdout.readline()
        helper.kill()
        helper.communicate()
    jobs = [ended(runner, answered) for answered in served(runner, *requests)]
    assert {job.status for job in jobs} == {JobStatus.SUCCEEDED}
    assert [executions(marks / key) for key in keys] == [1] * len(keys)
