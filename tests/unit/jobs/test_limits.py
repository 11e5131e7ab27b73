"""A job has a time limit and a priority, and of a tag or on a host only so many jobs run at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bespeak.base import ids
from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.base.frozen import replace
from bespeak.jobs import claiming, rows, schedules, store
from bespeak.jobs.claiming import StartOutcome
from bespeak.jobs.concurrency import NO_LIMITS, Limits
from bespeak.jobs.liveness import DispatcherRecord, machine, this_process
from bespeak.jobs.locations import open_store
from bespeak.jobs.model import JobReservation, Status
from bespeak.jobs.schema import LOCK
from bespeak.jobs.store import JobSpec
from bespeak.storage.interface import Engine
from support.job_sites import Site, until
from support.trees import lives

ME = DispatcherRecord("me", "", "host", this_process(), f"{machine()}:/nowhere", "bespeak runner", 1, 0, 0, 0)
LIMITS = Limits(per_tag={"gpu": 2, "disk": 1})


def reserved(engine: Engine, key: str, *tags: str, site: str = "") -> None:
    store.reserve(engine, JobSpec(key, ["/bin/true"], tags=tags, site=site), ids.new_id())


def claimed(
    engine: Engine, slots: int = 10, limits: Limits = LIMITS, me: DispatcherRecord = ME
) -> list[JobReservation]:
    return engine.transact((LOCK,), lambda tx: claiming.step(tx, me, (), slots, None, limits)).claimed


def keys(found: list[JobReservation]) -> list[str]:
    return [job.run_key for job in found]


def started(engine: Engine, jobs: list[JobReservation]) -> None:
    outcomes = [StartOutcome(job, Status.DISPATCHED, job_id=f"job-{job.run_key}") for job in jobs]
    engine.transact((LOCK,), lambda tx: claiming.step(tx, ME, outcomes, 0))


def ended(engine: Engine, key: str) -> None:
    sql = "UPDATE reservations SET outcome = 'SUCCEEDED' WHERE run_key = :key"
    engine.transact((LOCK,), lambda tx: tx.execute(sql, {"key": key}))


def test_of_a_tag_so_many_are_claimed_and_others_pass(engine: Engine) -> None:
    for number in range(4):
        reserved(engine, f"g{number}", "gpu")
    reserved(engine, "both", "disk", "gpu")
    reserved(engine, "d", "disk")
    reserved(engine, "free")
    reserved(engine, "near", "gp", "xgpu", "gpu_")
    first = claimed(engine)
    assert keys(first) == ["g0", "g1", "d", "free", "near"]
    assert claimed(engine) == []
    seen = engine.read(lambda tx: claiming.look(tx, ME, 0, None, LIMITS))
    assert (seen.next_us, seen.has_full) == (FOREVER_US, True), "what is full is not waited for"
    started(engine, first)
    assert claimed(engine) == [], "what was started runs until its end is known"
    ended(engine, "g0")
    assert keys(claimed(engine)) == ["g2"]
    ended(engine, "d")
    assert claimed(engine) == [], "one that has two tags needs a place of each"


def test_a_few_slots_are_filled_past_what_is_full(engine: Engine) -> None:
    for number in range(6):
        reserved(engine, f"g{number}", "gpu")
    reserved(engine, "free")
    assert keys(claimed(engine, slots=3)) == ["g0", "g1", "free"]


def test_without_limits_tags_mean_nothing(engine: Engine) -> None:
    for number in range(4):
        reserved(engine, f"g{number}", "gpu")
    assert len(claimed(engine, limits=NO_LIMITS)) == 4


def test_on_a_host_so_many_are_claimed_whatever_their_site(engine: Engine) -> None:
    three = Limits(jobs=3)
    lab = replace(ME, dispatcher_id="lab", site="lab")
    far = replace(ME, dispatcher_id="far", runner_home="another-machine:/nowhere")
    for number in range(4):
        reserved(engine, f"k{number}")
        reserved(engine, f"l{number}", site="lab")
    first = claimed(engine, slots=2, limits=three)
    assert keys(first) == ["k0", "k1"]
    assert keys(claimed(engine, limits=three, me=lab)) == ["l0"], "two of the other site have a place each"
    assert claimed(engine, limits=three) == []
    seen = engine.read(lambda tx: claiming.look(tx, ME, 0, None, three))
    assert (seen.next_us, seen.has_full) == (FOREVER_US, True)
    assert keys(claimed(engine, slots=1, limits=three, me=far)) == ["k2"], "another machine has places of its own"
    started(engine, first)
    assert claimed(engine, limits=three, me=lab) == [], "what was started runs until its end is known"
    ended(engine, "k0")
    assert keys(claimed(engine, limits=three, me=lab)) == ["l1"]


def test_both_kinds_of_limits_are_kept_to(engine: Engine) -> None:
    for number in range(3):
        reserved(engine, f"g{number}", "gpu")
        reserved(engine, f"d{number}", "disk")
    assert keys(claimed(engine, limits=Limits(4, LIMITS.per_tag))) == ["g0", "d0", "g1"]
    reserved(engine, "free")
    reserved(engine, "over")
    assert keys(claimed(engine, limits=Limits(4, LIMITS.per_tag))) == ["free"]


def test_when_a_job_is_to_be_ended_is_known_from_its_start_on(engine: Engine, clock) -> None:
    spec = JobSpec("k", ["/bin/true"], extras={"run_timeout_seconds": 90.0})
    store.reserve(engine, spec, ids.new_id())
    clock.step(1000)
    started(engine, claimed(engine))
    job = engine.read(lambda tx: rows.get(tx, run_key="k"))
    assert job.run_until_us == clock.us + 90 * SECOND_US


def test_an_occurrence_has_the_tags_of_its_schedule(engine: Engine, clock) -> None:
    nightly = schedules.Schedule(
        "s", "* * * * *", "UTC", schedules.Overlap.SKIP, schedules.CatchUp.NONE, 0, ("true",), (), "",
        {"tags": ["gpu"], "nice": 5}, 0, FOREVER_US, None, paused=False,
    )  # fmt: skip
    schedules.save(engine, nightly, replace_existing=False)
    clock.step(60)
    (made,) = schedules.turn(engine, "").made
    assert (made.tag_names, made.extras) == (["gpu"], {"nice": 5})


LEAVES = 'setsid sleep 3600 & echo $! >"$0.away"; sleep 3600 & echo $! >"$0.child"; wait'


def test_what_runs_too_long_is_ended_with_all_its_processes(any_site: Site) -> None:
    note = os.path.join(any_site.folder, "pid")
    any_site.call(
        "reserve", "--run-key", "slow", "--run-timeout", "1", "--nice", "7", "--", "/bin/sh", "-c", LEAVES, note
    )
    any_site.call("reserve", "--run-key", "quick", "--run-timeout", "1h", "--", "/bin/true")
    dispatcher = any_site.run(runner="embedded")
    (event,) = dispatcher.await_event("job_timed_out")
    assert (event["run_key"], event["run_timeout_seconds"]) == ("slow", 1)
    until(lambda: {each["run_key"] for each in dispatcher.events("job_ended")} == {"slow", "quick"})
    found = any_site.status("slow")
    assert (found["outcome"], found["run_timeout_seconds"], found["nice"]) == ("TIMED_OUT", 1, 7)
    assert found["stopped_at"] is not None
    assert any_site.status("quick")["outcome"] == "SUCCEEDED"
    until(
        lambda: not any(lives(int(Path(f"{note}.{name}").read_text())) for name in ("away", "child")),
        "the end of its processes",
    )
    text = any_site.call("list", "--failed", "--text").out
    assert "TIMED_OUT" in text
    assert "quick" not in text
    changes = any_site.call("watch", "--run-key", "slow", "--after-seq", "0", "--timeout", "0.01").out.splitlines()
    assert [json.loads(line)["change"] for line in changes][-2:] == ["timed_out", "ended_timed_out"]
    job = any_site.call("result", "--run-key", "slow", runner="embedded").json
    assert (job["status"], job["abort_reason"]) == ("ABORTED", "ran longer than 1 s")


def test_what_fell_due_while_no_dispatcher_ran_is_ended_by_the_next(site: Site) -> None:
    site.call("reserve", "--run-key", "slow", "--run-timeout", "1", "--", "/bin/sleep", "3600")
    site.once(runner="embedded")
    dispatcher = site.run(runner="embedded")
    until(lambda: [each["outcome"] for each in dispatcher.events("job_ended")] == ["TIMED_OUT"])


ABORTING = r"""#!/bin/sh
printf '%s' "$*
" >>"$STUB_LOG"
case "$1" in
    start) printf '{"job_id": "job-%s", "existing": false}\n' "$3" ;;
    abort) case "$3" in *fails) exit 1 ;; *) touch "$STUB_LOG.aborted" ;; esac ;;
    status) if [ -e "$STUB_LOG.aborted" ]; then s=ABORTED; else s=RUNNING; fi
        printf '{"job_id": "%s", "status": "%s", "exit_code": null}\n' "$3" "$s" ;;
esac
"""


def test_a_foreign_runner_is_told_to_abort(site: Site) -> None:
    site.runner = site.stub("aborts", ABORTING)
    site.reserve("k", "--run-timeout", "1", "--nice", "7")
    dispatcher = site.run()
    until(lambda: [each["outcome"] for each in dispatcher.events("job_ended")] == ["TIMED_OUT"])
    calls = site.calls()
    assert calls[0] == "start --run-key k -- nice -n 7 -- /bin/true k"
    assert "abort --job-id job-k --reason ran longer than 1 s" in calls


def test_the_priority_of_the_command(site: Site) -> None:
    out = os.path.join(site.folder, "out")
    site.call("reserve", "--run-key", "k", "--nice", "7", "--retry", "1", "--", "/bin/sh", "-c", f"nice >{out}")
    base = os.nice(0)
    site.once(runner="embedded")
    assert site.call("wait", "--run-key", "k", runner="embedded").code == 0
    with open(out) as file:
        assert int(file.read()) == min(base + 7, 19)


def test_jobs_of_a_tag_run_one_after_the_other(any_site: Site) -> None:
    busy = os.path.join(any_site.folder, "busy")
    script = f"mkdir {busy} || exit 9; sleep 0.2; rmdir {busy}"
    for number in range(3):
        any_site.call("reserve", "--run-key", f"k{number}", "--tag", "one", "--", "/bin/sh", "-c", script)
    dispatcher = any_site.run("--max-per-tag", "one=1", runner="embedded")
    ends = dispatcher.await_event("job_ended", 3)
    assert [(each["run_key"], each["exit_code"]) for each in ends] == [("k0", 0), ("k1", 0), ("k2", 0)]
    assert any_site.status("k0")["tags"] == ["one"]
    assert dispatcher.events("reserver_started")[0]["max_per_tag"] == {"one": 1}


def test_more_ends_than_are_asked_about_at_once_are_known_soon(site: Site) -> None:
    site.reserve("k0")
    engine = open_store(site.url)
    for number in range(1, 40):
        reserved(engine, f"k{number}")
    engine.close()
    dispatcher = site.run("--max-jobs", "20")
    dispatcher.await_event("job_ended", 40)
    assert dispatcher.events("reserver_started")[0]["max_jobs"] == 20


def test_jobs_of_a_site_without_a_dispatcher_give_their_places_back(site: Site) -> None:
    site.reserve("other", "--site", "lab")
    site.once("--site", "lab")
    site.reserve("k")
    dispatcher = site.run("--max-jobs", "1")
    ends = dispatcher.await_event("job_ended", 2)
    assert [each["run_key"] for each in ends] == ["other", "k"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("reserve", "--run-key", "k", "--nice", "20", "--", "x"), "--nice"),
        (("reserve", "--run-key", "k", "--nice", "-1", "--", "x"), "--nice"),
        (("reserve", "--run-key", "k", "--run-timeout", "0", "--", "x"), "--run-timeout"),
        (("reserve", "--run-key", "k", "--tag", "a,b", "--", "x"), "--tag 'a,b'"),
        (("reserve", "--run-key", "k", "--tag", "", "--", "x"), "--tag ''"),
        (("run", "--max-per-tag", "gpu"), "--max-per-tag 'gpu'"),
        (("run", "--max-per-tag", "gpu=0"), "--max-per-tag"),
        (("run", "--max-per-tag", "=1"), "--max-per-tag ''"),
        (("run", "--max-jobs", "0"), "--max-jobs '0'"),
    ],
)
def test_what_is_no_limit_is_said(site: Site, words: tuple[str, ...], told: str) -> None:
    answer = site.call(*words)
    assert answer.code == 2
    assert told in answer.error


def test_another_tag_or_limit_is_another_request(site: Site) -> None:
    site.reserve("k", "--tag", "a", "--tag", "b")
    assert site.call("reserve", "--run-key", "k", "--tag", "b", "--tag", "a", "--", "/bin/true", "k").json[
        "same_request"
    ]
    assert not site.call("reserve", "--run-key", "k", "--tag", "a", "--", "/bin/true", "k").json["same_request"]
