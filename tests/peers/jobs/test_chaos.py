"""Random faults with each kind of runner, small. The size to believe: ``python tests/support/job_chaos.py --jobs 2000``."""

from __future__ import annotations

import pytest

from support.job_chaos import Chaos, noisy

JOBS = 12
FAULT_SECONDS = 6.0


def test_with_the_embedded_runner_each_body_runs_once(site, fake_clock: str) -> None:
    report = Chaos(site, "embedded", 2 * JOBS, fake_clock=fake_clock, fault_seconds=FAULT_SECONDS).run()
    assert report.exactly_once, report


@pytest.mark.parametrize("kind", ["as it is", "noisy"])
def test_with_another_runner_each_body_runs_at_most_once(site, published, fake_clock: str, kind: str) -> None:
    runner = published.program("orchesjob")
    report = Chaos(
        site,
        noisy(site, runner) if kind == "noisy" else runner,
        JOBS,
        fake_clock=fake_clock,
        fault_seconds=FAULT_SECONDS,
    ).run()
    assert report.at_most_once, report
    assert sum(report.states.values()) == JOBS
    assert not {"RESERVED", "DISPATCHING"} & report.states.keys(), report
