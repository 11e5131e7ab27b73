"""kill -9 between every two durable steps of a dispatch: whatever was reached, the job runs exactly once."""

import os
import signal

import pytest

from bespeak.base import ids
from bespeak.jobs import store
from bespeak.jobs.locations import open_store
from bespeak.jobs.store import JobSpec
from support.job_sites import Site, until

OURS = ("before_step", "after_step", "before_start", "after_start", "answered")
POINTS = [
    *(f"jobs.{name}" for name in OURS),
    "jobs.before_step:2",
    "jobs.after_step:2",
    *(f"storage.before_commit:{number}" for number in range(1, 5)),
    *(f"storage.after_commit:{number}" for number in range(1, 5)),
    *(f"storage.statement:{number}" for number in range(1, 9)),
]


def marks(path: str) -> list[str]:
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().split()


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_it_runs_exactly_once(any_site: Site, point: str) -> None:
    out = os.path.join(any_site.folder, "out")
    any_site.call("reserve", "--run-key", "k", "--expires-at", "+1h", "--", "/bin/sh", "-c", f"echo ran >>{out}")
    dispatcher = any_site.run(
        "--once", prog="bespeak job", runner="embedded", wait=False, env={"BESPEAK_CRASH_AT": point}
    )
    code = dispatcher.process.wait(60)
    if point.startswith("jobs."):
        assert code == -signal.SIGKILL
    for _ in range(3):
        any_site.once(prog="bespeak job", runner="embedded")
    assert any_site.status("k")["reservation_status"] == "DISPATCHED"
    until(lambda: marks(out), "the job")
    job = any_site.call("wait", "--run-key", "k", runner="embedded").json["job"]
    assert (job["status"], job["attempt_no"]) == ("SUCCEEDED", 1)
    assert marks(out) == ["ran"]


def test_killed_while_it_recovers(any_site: Site) -> None:
    out = os.path.join(any_site.folder, "out")
    any_site.call("reserve", "--run-key", "k", "--", "/bin/sh", "-c", f"echo ran >>{out}")
    for point in ("jobs.answered", "jobs.after_recover", "jobs.after_start", "jobs.before_step:1"):
        dispatcher = any_site.run(runner="embedded", wait=False, env={"BESPEAK_CRASH_AT": point})
        assert dispatcher.process.wait(60) == -signal.SIGKILL
    any_site.once(runner="embedded")
    assert any_site.status("k")["reservation_status"] == "DISPATCHED"
    any_site.call("wait", "--run-key", "k", runner="embedded")
    assert marks(out) == ["ran"]


@pytest.mark.parametrize(
    "point", ["storage.statement:1", "storage.before_commit:1", "storage.after_commit:1", "storage.after_commit:2"]
)
def test_reserve_killed_is_there_or_not_and_can_be_repeated(any_site: Site, point: str) -> None:
    killed = any_site.call("reserve", "--run-key", "k", "--", "/bin/true", BESPEAK_CRASH_AT=point)
    assert killed.code == -signal.SIGKILL
    again = any_site.call("reserve", "--run-key", "k", "--", "/bin/true").json
    assert again["reservation"]["reservation_status"] == "RESERVED"
    assert len(any_site.call("list").json["reservations"]) == 1


PLACE = """for place in a b; do
    if mkdir "$0.$place" 2>/dev/null; then
        echo ran >>"$0.ran"
        while [ ! -e "$0.go" ]; do sleep 0.05; done
        rmdir "$0.$place"
        exit 0
    fi
done
exit 9
"""


@pytest.mark.parametrize("point", ["jobs.after_start:2", "jobs.before_step:2"])
def test_no_more_run_at_once_when_a_dispatcher_is_killed(any_site: Site, point: str) -> None:
    own = os.path.join(any_site.folder, "place")
    engine = open_store(any_site.url)
    for number in range(4):
        store.reserve(engine, JobSpec(f"k{number}", ["/bin/sh", "-c", PLACE, own]), ids.new_id())
    engine.close()
    limit = ("--max-jobs", "2")
    dispatcher = any_site.run(
        *limit, prog="bespeak job", runner="embedded", wait=False, env={"BESPEAK_CRASH_AT": point}
    )
    assert dispatcher.process.wait(60) == -signal.SIGKILL
    any_site.once(*limit, prog="bespeak job", runner="embedded")
    until(lambda: len(marks(f"{own}.ran")) == 2, "the first two")
    any_site.once(*limit, prog="bespeak job", runner="embedded")
    assert marks(f"{own}.ran") == ["ran"] * 2
    with open(f"{own}.go", "w"):
        last = any_site.run(*limit, prog="bespeak job", runner="embedded")
    ends = last.await_event("job_ended", 4)
    assert [each["exit_code"] for each in ends] == [0] * 4, "one that finds no place ends with 9"
    assert marks(f"{own}.ran") == ["ran"] * 4
