"""The supervisor on every POSIX shell of this machine (Debian's dash, and what /bin/sh is elsewhere), and compiled."""

from __future__ import annotations

import os

import pytest

from bespeak.base import process_identity
from bespeak.runner import exit_record, launch, stop, supervisors
from bespeak.runner.model import JobStatus
from support.jobs import COMPILERS, compiled_supervisor, counting, executions, run, stderr_of, stdout_of

SHELLS = [path for path in ("/bin/dash", "/bin/bash", "/bin/ksh", "/bin/sh") if os.access(path, os.X_OK)]


@pytest.fixture(params=[*SHELLS, *COMPILERS])
def shell(request, monkeypatch, tmp_path):
    compiled = compiled_supervisor(request.param, tmp_path) if request.param in COMPILERS else ""
    monkeypatch.setenv("BESPEAK_SUPERVISOR", compiled)
    monkeypatch.setattr(supervisors, "SHELLS", (request.param,))


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


@pytest.mark.usefixtures("shell")
def test_descriptors_that_the_starter_leaves_open_do_not_reach_the_command(runner):
    inherited, other = os.pipe()
    os.set_inheritable(inherited, True)
    job = run(runner, ["/bin/sh", "-c", "ls /proc/self/fd | wc -l"])
    os.close(inherited)
    os.close(other)
    assert stdout_of(runner, job).strip() == b"4"


@pytest.mark.usefixtures("shell")
def test_a_program_without_a_first_line_is_run_by_a_shell_and_a_folder_is_its_pwd(runner, tmp_path):
    script = tmp_path / "plain"
    script.write_text("echo $PWD\n")
    script.chmod(0o755)
    job = run(runner, [str(script)], cwd=str(tmp_path))
    assert stdout_of(runner, job).decode().strip() == str(tmp_path)
    assert job.exit_code == 0


@pytest.mark.usefixtures("shell")
def test_what_cannot_be_run_after_all_fails_and_says_why(runner, tmp_path):
    """A file that names an interpreter which is not there: only running it tells."""
    script = tmp_path / "orphan"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    job = run(runner, [str(script)])
    assert job.exit_code in (126, 127)
    assert b"orphan" in stderr_of(runner, job)


def test_a_compiled_supervisor_for_another_machine_leaves_the_work_to_the_script(runner, tmp_path, monkeypatch):
    foreign = tmp_path / "supervise.bin"
    foreign.write_bytes(b"\x7fELF of another machine")
    foreign.chmod(0o755)
    monkeypatch.setenv("BESPEAK_SUPERVISOR", str(foreign))
    job = run(runner, ["/bin/echo", "done"])
    assert (job.exit_code, stdout_of(runner, job)) == (0, b"done\n")
