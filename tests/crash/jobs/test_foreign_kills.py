"""kill -9 around the calls of a foreign runner that answers badly: the body runs at most once, and is found if it ran."""

import os
import signal

import pytest

from support.job_sites import Site
from support.runners import GOOD, reserve, runner, runs

POINTS = ("before_start", "after_start", "answered", "answered:2", "before_step:2", "after_step:2")
ANSWERS = {"a line before": "echo noise; " + GOOD, "exit code 1": "exit 1", "garbage": "echo garbage"}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
@pytest.mark.parametrize("point", POINTS)
def test_a_noisy_runner_starts_at_most_once(site: Site, point: str, answer: str) -> None:
    body = reserve(site)
    noisy = runner(site, answer)
    dispatcher = site.run("--once", runner=noisy, wait=False, env={"BESPEAK_CRASH_AT": f"jobs.{point}"})
    assert dispatcher.process.wait(60) in (-signal.SIGKILL, 0)
    for name in ("second", "third"):
        site.once(runner=noisy, env={"ORCHESJOB_HOME": os.path.join(site.folder, name)})
    assert runs(body) == 1
    found = site.status("k")
    assert (found["reservation_status"], found["job_id"]) == ("DISPATCHED", "job-k")


@pytest.mark.parametrize("point", POINTS)
def test_a_runner_that_cannot_be_asked_starts_at_most_once(site: Site, point: str) -> None:
    body = reserve(site)
    silent = runner(site, "exit 1", status='[ -e "$STUB_LOG.job" ] && exit 1')
    dispatcher = site.run("--once", runner=silent, wait=False, env={"BESPEAK_CRASH_AT": f"jobs.{point}"})
    assert dispatcher.process.wait(60) in (-signal.SIGKILL, 0)
    for _ in range(2):
        site.once(runner=silent)
    assert runs(body) == 1
    assert site.status("k")["reservation_status"] == "START_UNKNOWN"
