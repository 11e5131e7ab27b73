"""How jobs end: by themselves, stopped, or lost; and that nobody is fooled about which."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from bespeak.base import process_identity
from bespeak.base.errors import NotFoundError, WrongStateError
from bespeak.runner import exit_record, stop
from bespeak.runner.clean import JobSelection, clean
from bespeak.runner.model import JobStatus
from bespeak.runner.service import Runner
from support.jobs import WAIT_SECONDS, counting, eventually, executions, gone, run


def test_a_killed_supervisor_is_lost_and_its_command_still_holds_the_key(runner):
    job = runner.start("k", ["/bin/sleep", "30"]).job
    os.kill(job.worker_pid, signal.SIGKILL)
    eventually(lambda: gone(job.worker_pid))
    eventually(lambda: runner.find(job_id=job.job_id).status is JobStatus.LOST)
    assert runner.start("k", ["/bin/true"]).job.job_id == job.job_id
    os.kill(job.target_pid, signal.SIGKILL)
    eventually(lambda: gone(job.target_pid))
    assert runner.start("k", ["/bin/true"]).existing is False


def test_a_lost_command_can_still_be_stopped(runner):
    job = runner.start("k", ["/bin/sleep", "30"]).job
    os.kill(job.worker_pid, signal.SIGKILL)
    eventually(lambda: gone(job.worker_pid))
    eventually(lambda: runner.find(job_id=job.job_id).status is JobStatus.LOST)
    _, sent = stop.stop(runner, job, JobStatus.ABORTED)
    assert sent.term_target
    eventually(lambda: gone(job.target_pid))


def _pretend(runner, job, pid, began):
    """Make the record name another process, as if the numbers had been used again."""
    path = Path(runner.paths.record(job.job_id))
    path.write_text(f"target {pid} {began} {pid} {began}\n")


def test_a_pid_used_again_fools_nobody(runner):
    job = runner.start("k", ["/bin/sleep", "30"]).job
    for pid in (job.worker_pid, job.target_pid):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: gone(job.worker_pid))
    victim = runner.start("victim", ["/bin/sleep", "30"]).job
    _pretend(runner, job, victim.worker_pid, process_identity.began_ticks(victim.worker_pid) - 1)
    assert runner.find(job_id=job.job_id).status is JobStatus.LOST
    with pytest.raises(WrongStateError):
        stop.stop(runner, job, JobStatus.ABORTED)
    assert runner.find(job_id=victim.job_id).status is JobStatus.RUNNING


def test_a_live_supervisor_is_believed_when_its_log_was_rotated_away(runner):
    job = runner.start("k", ["/bin/sleep", "30"]).job
    for stream in ("stdout", "stderr"):
        os.rename(runner.paths.log(job.job_id, stream), runner.paths.log(job.job_id, stream) + ".1")
    assert runner.find(job_id=job.job_id).status is JobStatus.RUNNING
    Path(runner.paths.log(job.job_id, "stderr")).touch()
    assert runner.find(job_id=job.job_id).status is JobStatus.RUNNING


def test_after_a_restart_of_the_machine_what_ran_is_lost_and_what_did_not_never_runs(runner, tmp_path):
    command, marks = counting(tmp_path)
    runner._make_folders()
    job = _store_unstarted(runner, command, idempotency_key="mine")
    runner.transact("k", lambda tx: tx.execute("UPDATE runner_jobs SET boot_id = 'another'"))
    assert runner.find(job_id=job.job_id).status is JobStatus.LOST
    assert runner.start("k", command, idempotency_key="mine").job.status is JobStatus.LOST
    assert executions(marks) == 0


def _store_unstarted(runner, command, **options):
    """Store a job as a starter does that dies before it starts anything."""
    from bespeak.runner import acceptance, validation

    defaults = {"now_us": runner.now(), "environment": {}, "cwd": None, "strict": False, "idempotency_key": None}
    fresh = validation.new_job("k", command, **{**defaults, **options})
    return runner.transact("k", lambda tx: acceptance.decide(tx, fresh, runner.paths)).job


def test_a_job_that_nobody_started_reads_lost_in_time_and_runs_all_the_same(tmp_path):
    now = [1_800_000_000_000_000]
    runner = Runner(str(tmp_path / "h"), now=lambda: now[0])
    command, marks = counting(tmp_path)
    runner._make_folders()
    job = _store_unstarted(runner, command)
    assert runner.find(job_id=job.job_id).status is JobStatus.STARTING
    now[0] += 31_000_000
    assert runner.find(job_id=job.job_id).status is JobStatus.LOST
    assert runner.start("k", command).job.job_id == job.job_id
    runner.wait(job.job_id, WAIT_SECONDS)
    assert executions(marks) == 1
    runner.close()


def test_a_job_stopped_before_it_was_started_never_runs(runner, tmp_path):
    command, marks = counting(tmp_path)
    runner._make_folders()
    job = _store_unstarted(runner, command, idempotency_key="mine")
    stopped, _ = stop.stop(runner, job, JobStatus.CANCELLED, reason="not needed")
    assert (stopped.status, stopped.end_reason) == (JobStatus.CANCELLED, "not needed")
    assert runner.start("k", command, idempotency_key="mine").job.status is JobStatus.CANCELLED
    assert executions(marks) == 0


def test_abort_ends_the_whole_group_and_its_supervisor_notes_how(runner):
    job = runner.start("k", ["/bin/sh", "-c", "sleep 30 & sleep 30"]).job
    aborted, sent = stop.stop(runner, job, JobStatus.ABORTED, reason="why")
    assert (aborted.status, aborted.exit_code, aborted.end_reason) == (JobStatus.ABORTED, None, "why")
    assert (sent.term_target, sent.term_worker, sent.kill_target, sent.kill_worker) == (True, True, False, False)
    assert eventually(lambda: not process_identity.group_members(job.worker_pid))
    assert exit_record.read(runner.paths.record(job.job_id)).exit_code == -15
    assert runner.find(job_id=job.job_id).status is JobStatus.ABORTED


def test_abort_kills_what_ignores_the_request(runner):
    job = runner.start("k", ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]).job
    eventually(lambda: Path(runner.paths.log(job.job_id, "stdout")).read_text())
    _, sent = stop.stop(runner, job, JobStatus.ABORTED, grace_seconds=0.1)
    assert (sent.term_target, sent.kill_target, sent.kill_worker) == (True, True, False)
    assert eventually(lambda: not process_identity.group_members(job.worker_pid))


def test_an_ended_job_cannot_be_stopped_unlocked_jobs_must_have_ended(runner):
    job = run(runner, ["/bin/true"])
    with pytest.raises(WrongStateError):
        stop.stop(runner, job, JobStatus.ABORTED)
    assert runner.find(job_id=job.job_id).status is JobStatus.SUCCEEDED
    active = runner.start("k", ["/bin/sleep", "30"]).job
    with pytest.raises(WrongStateError):
        runner.unlock("k")
    with pytest.raises(WrongStateError):
        runner.rerun(job_id=active.job_id)
    with pytest.raises(NotFoundError):
        runner.rerun(run_key="none")


def test_waiting_ends_with_its_time(runner):
    job = runner.start("k", ["/bin/sleep", "30"]).job
    assert runner.wait(job.job_id, 0.05).status is JobStatus.RUNNING


def test_running_lists_what_runs_and_stores_how_the_others_ended(runner):
    active = runner.start("active", ["/bin/sleep", "30"]).job
    ended = [runner.start(f"k{number}", ["/bin/true"]).job for number in range(3)]
    for job in ended:
        eventually(lambda job=job: not exit_record.looked_after(runner.paths.log(job.job_id, "stderr")))
    assert [job.job_id for job in runner.running()] == [active.job_id]
    rows = runner.read(lambda tx: tx.fetch_all("SELECT status FROM runner_jobs ORDER BY number"))
    assert rows == [("STARTING",), ("SUCCEEDED",), ("SUCCEEDED",), ("SUCCEEDED",)]


def test_clean_takes_ended_jobs_with_their_files_and_leaves_the_others(runner):
    active = runner.start("active", ["/bin/sleep", "30"]).job
    ended = [run(runner, ["/bin/true"]) for _ in range(3)]
    everything = JobSelection()
    assert [job.job_id for job, _ in clean(runner, everything, dry_run=True)] == [job.job_id for job in ended]
    one = JobSelection(run_key=ended[0].run_key)
    assert [job.job_id for job, _ in clean(runner, one, dry_run=False)] == [ended[0].job_id]
    bounded = JobSelection(after_us=ended[1].finished_us, before_us=ended[2].finished_us)
    assert [job.job_id for job, _ in clean(runner, bounded, dry_run=False)] == [ended[1].job_id]
    assert [job.job_id for job, _ in clean(runner, JobSelection(job_id=active.job_id), dry_run=False)] == []
    assert len(list(clean(runner, everything, dry_run=False))) == 1
    assert os.listdir(runner.paths.records) == [active.job_id]
    assert sorted(os.listdir(runner.paths.logs)) == [f"{active.job_id}.stderr", f"{active.job_id}.stdout"]


def test_clean_leaves_a_lost_job_whose_command_still_runs(runner):
    job = runner.start("k", ["/bin/sleep", "30"]).job
    os.kill(job.worker_pid, signal.SIGKILL)
    eventually(lambda: runner.find(job_id=job.job_id).status is JobStatus.LOST)
    assert list(clean(runner, JobSelection(), dry_run=False)) == []
    os.kill(job.target_pid, signal.SIGKILL)
    eventually(lambda: gone(job.target_pid))
    assert [found.job_id for found, _ in clean(runner, JobSelection(), dry_run=False)] == [job.job_id]


def test_a_damaged_record_counts_as_what_can_still_be_read(tmp_path):
    path = tmp_path / "record"
    for text, target, code in (
        ("", None, None),
        ("target 1 2 3", None, None),
        ("target 1 2 3 4\n", (1, 2), None),
        ("target 1 2 3 4\nexit 1", (1, 2), None),
        ("target 1 2 3 4\nexit -9\n", (1, 2), -9),
        ("never\n", None, None),
    ):
        path.write_text(text)
        record = exit_record.read(str(path))
        assert (record.target, record.exit_code) == (target, code)


def test_a_lost_job_whose_command_lives_is_among_those_that_run(runner):
    first = runner.start("a", ["/bin/sleep", "30"]).job
    second = runner.start("b", ["/bin/sleep", "30"]).job
    os.kill(first.worker_pid, signal.SIGKILL)
    eventually(lambda: gone(first.worker_pid))
    eventually(lambda: runner.find(job_id=first.job_id).status is JobStatus.LOST)
    assert [(job.job_id, job.status) for job in runner.running()] == [
        (first.job_id, JobStatus.LOST),
        (second.job_id, JobStatus.RUNNING),
    ]
    os.kill(first.target_pid, signal.SIGKILL)
    eventually(lambda: gone(first.target_pid))
    assert [job.job_id for job in runner.running()] == [second.job_id]


DAEMON = """
import os, sys, time
if os.fork():
    time.sleep(60)
os.setsid()
if os.fork():
    os._exit(0)
open(sys.argv[1] + ".new", "w").write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
"""


def test_abort_reaches_what_has_left_the_session(runner, tmp_path):
    note = tmp_path / "pid"
    job = runner.start("k", [sys.executable, "-c", DAEMON, str(note)]).job
    eventually(note.exists)
    daemon = int(note.read_text())
    assert daemon not in process_identity.group_members(job.worker_pid)
    stop.stop(runner, runner.find(job_id=job.job_id), JobStatus.ABORTED)
    eventually(lambda: gone(daemon))
    eventually(lambda: gone(job.target_pid))
