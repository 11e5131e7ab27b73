"""The supervisor on every POSIX shell of this machine: Debian's dash, and what /bin/sh is elsewhere."""

from __future__ import annotations

import os

import pytest

from bespeak.base import process_identity
from bespeak.runner import exit_record, launch, stop
from bespeak.runner.model import JobStatus
from support.jobs import counting, executions, run, stderr_of, stdout_of

SHELLS = [path for path in ("/bin/dash", "/bin/bash", "/bin/ksh", "/bin/sh") if os.access(path, os.X_OK)]


@pytest.fixture(params=SHELLS)
def shell(request, monkeypatch):
    monkeypatch.setattr(launch, "_SHELLS", (request.param,))


@pytest.mark.usefixtures("shell")
def test_codes_signals_words_and_variables(runner):
    codes = [
        run(runner, ["/bin/sh", "-c", script]).exit_code for script in ("exit 0", "exit 3", "exit 137", "kill -9 $$")
    ]
    assert codes == [0, 3, 137, -9]
    job = run(runner, ["/usr/bin/printf", "%s|", "", "a\nb", b"\xff", "*", "$x"])
    assert stdout_of(runner, job) == b"|a\nb|\xff|*|$x|"
    job = run(runner, ["/usr/bin/env"], environment={"a.b": "c d"})
    assert b"a.b=c d\n" in stdout_of(runner, job)
    assert b"bspk_" not in stdout_of(runner, job)


@pytest.mark.usefixtures("shell")
def test_nothing_is_left_open_and_nothing_is_said(runner):
    job = run(runner, ["/bin/sh", "-c", "ls /proc/self/fd | wc -l"])
    assert stdout_of(runner, job).strip() == b"4"
    assert stderr_of(runner, job) == b""


@pytest.mark.usefixtures("shell")
def test_a_stop_reaches_the_command_and_spares_the_supervisor(runner):
    job = runner.start("k", ["/bin/sleep", "30"]).job
    _, sent = stop.stop(runner, job, JobStatus.ABORTED)
    assert (sent.term_target, sent.kill_target) == (True, False)
    runner.wait(job.job_id, 5)
    assert not [pid for pid in process_identity.group_members(job.worker_pid) if pid != job.worker_pid]


@pytest.mark.usefixtures("shell")
def test_of_two_supervisors_of_one_job_one_runs_it(runner, tmp_path):
    """Past the lock: two are started by hand, as if the lock had failed."""
    command, marks = counting(tmp_path)
    job = run(runner, ["/bin/true"])
    os.unlink(runner.paths.record(job.job_id))
    twice = job.replace(command=tuple(os.fsencode(word) for word in command))
    pids = [launch._spawn(runner.paths, twice, dict(os.environb), [os.open("/dev/null", os.O_RDONLY)], 0) for _ in "12"]
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    assert codes == [0, 0]
    assert executions(marks) == 1
    assert exit_record.read(runner.paths.record(job.job_id)).exit_code == 0
