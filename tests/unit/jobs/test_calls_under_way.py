"""A start call that outlives its caller: a foreign runner that answers late starts the job once, or not at all."""

import os
import signal

import pytest

from bespeak.base.errors import UnavailableError
from bespeak.jobs.runner_client.call_lock import CallLocks
from support.job_sites import Dispatcher, Site, until
from support.runners import GOOD, RUNNER, reserve, runs

WAITS = 'start)\n        while [ ! -e "$STUB_LOG.go" ]; do sleep 0.05; done'
"""A start that does nothing before a file says so."""


def late(site: Site) -> str:
    """Return a runner whose start is not done before :func:`go`."""
    text = RUNNER.replace("start)", WAITS).replace("ANSWER", GOOD).replace("STATUS", "")
    return site.stub("late", text)


def go(site: Site) -> None:
    with open(site.calls_file + ".go", "w", encoding="ascii"):
        pass


def asked(site: Site) -> bool:
    return any(line.startswith("status") for line in site.calls())


def killed_while_it_starts(site: Site, runner: str) -> None:
    dispatcher = site.run(runner=runner, wait=False, env={"BESPEAK_CRASH_AT": "jobs.after_start"})
    assert dispatcher.process.wait(60) == -signal.SIGKILL


def adopted(site: Site, dispatcher: Dispatcher) -> None:
    """Let the late start happen, and check that it was the only one."""
    go(site)
    dispatcher.await_event("dispatch_succeeded")
    assert len(site.starts()) == 1
    found = site.status("k")
    assert (found["reservation_status"], found["job_id"]) == ("DISPATCHED", "job-k")


def test_the_next_dispatcher_waits_for_the_call_of_a_killed_one(any_site: Site) -> None:
    body = reserve(any_site)
    runner = late(any_site)
    killed_while_it_starts(any_site, runner)
    second = any_site.run(runner=runner)
    until(lambda: asked(any_site), "the question")
    adopted(any_site, second)
    assert runs(body) == 1


def test_a_call_that_ends_while_the_runner_is_asked_may_have_started_the_job(site: Site) -> None:
    body = reserve(site)
    text = RUNNER.replace("start)", WAITS).replace("ANSWER", 'exec </dev/null; touch "$STUB_LOG.ended"')
    waits = 'touch "$STUB_LOG.go"; while [ ! -e "$STUB_LOG.ended" ]; do sleep 0.05; done'
    overtaken = f'[ -e "$STUB_LOG.job" ] || {{ {waits}; exit 3; }}'
    runner = site.stub("late", text.replace("STATUS", overtaken))
    killed_while_it_starts(site, runner)
    site.once(runner=runner)
    assert len(site.starts()) == 1
    assert site.status("k")["reservation_status"] == "DISPATCHED"
    assert runs(body) == 1


def test_a_call_that_took_too_long_is_ended_with_its_children(site: Site) -> None:
    body = reserve(site)
    wrapper = site.stub("wrapper", f'#!/bin/sh\n{late(site)} "$@"\nexit $?\n')
    site.once("--start-timeout", "1s", prog="bespeak job", runner=wrapper)
    go(site)
    assert site.status("k")["reservation_status"] == "DISPATCH_FAILED"
    assert len(site.starts()) == 1
    assert runs(body) == 0


def test_a_call_that_cannot_be_ended_is_waited_for(site: Site) -> None:
    body = reserve(site)
    wrapper = site.stub("wrapper", f'#!/bin/sh\nsetsid -w {late(site)} "$@"\nexit $?\n')
    dispatcher = site.run("--start-timeout", "2s", prog="bespeak job", runner=wrapper)
    until(lambda: asked(site), "the question")
    adopted(site, dispatcher)
    assert runs(body) == 1


def test_a_call_that_never_ends_leaves_the_start_unknown(site: Site) -> None:
    body = reserve(site)
    runner = late(site)
    killed_while_it_starts(site, runner)
    site.once("--start-timeout", "1s", prog="bespeak job", runner=runner)
    found = site.status("k")
    assert found["reservation_status"] == "START_UNKNOWN"
    assert "still under way" in found["last_error"]
    go(site)
    until(lambda: runs(body), "the late start")
    site.call("requeue", "--run-key", "k")
    site.once(prog="bespeak job", runner=runner)
    assert site.status("k")["reservation_status"] == "DISPATCHED"
    assert runs(body) == 1


def test_nothing_is_left_of_the_locks_of_calls_that_have_ended(site: Site) -> None:
    for key in ("a", "b"):
        site.reserve(key)
    site.once()
    assert os.listdir(site.url + "-calls") == []


def test_a_lock_is_held_by_its_descriptor(tmp_path) -> None:
    locks = CallLocks(str(tmp_path / "calls"))
    assert not locks.is_held("a")
    descriptor = locks.take("a")
    assert descriptor is not None
    assert locks.is_held("a")
    assert locks.take("a") is None
    copy = os.dup(descriptor)
    os.close(descriptor)
    assert locks.is_held("a")
    os.close(copy)
    assert not locks.is_held("a")


@pytest.mark.parametrize("name", ["../x", "a/b", "x" * 300, "\udcff", "ü"])
def test_any_reservation_id_has_a_file_of_its_own(tmp_path, name: str) -> None:
    locks = CallLocks(str(tmp_path / "calls"))
    descriptor = locks.take(name)
    assert descriptor is not None
    assert len(os.listdir(tmp_path / "calls")) == 1
    os.close(descriptor)


def test_a_folder_of_locks_is_not_looked_for_behind_a_link(tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "calls").symlink_to("elsewhere")
    with pytest.raises(UnavailableError, match="calls/a"):
        CallLocks(str(tmp_path / "calls")).take("a")
    assert os.listdir(tmp_path / "elsewhere") == []


def test_what_is_laid_in_the_place_of_a_lock_is_neither_waited_for_nor_followed(tmp_path) -> None:
    locks = CallLocks(str(tmp_path / "calls"))
    (tmp_path / "calls").mkdir()
    os.mkfifo(tmp_path / "calls" / "a")
    (tmp_path / "calls" / "b").symlink_to(tmp_path / "new")
    for name in ("a", "b"):
        with pytest.raises(UnavailableError, match=f"calls/{name}"):
            locks.take(name)
    locks.sweep()
    assert sorted(os.listdir(tmp_path)) == ["calls"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="file/calls/a"):
        CallLocks(str(tmp_path / "file" / "calls")).take("a")
