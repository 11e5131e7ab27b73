"""Each attempt of a command that is run again is seen."""

from __future__ import annotations

import json
import os

from bespeak.base import ids
from bespeak.jobs import attempts, rows, store
from bespeak.jobs.attempts import AttemptNotes
from bespeak.jobs.model import JobReservation
from bespeak.jobs.schema import LOCK
from bespeak.jobs.store import JobSpec
from bespeak.storage.interface import Engine
from support.job_sites import Site, until


def test_each_attempt_is_in_status_list_watch_and_events(any_site: Site) -> None:
    note = os.path.join(any_site.folder, "n")
    script = f'echo x >>{note}; n=$(wc -l <{note}); [ "$n" -ge 3 ] || exit "$n"'
    words = ("--retry", "5", "--retry-delay", "0", "--", "/bin/sh", "-c", script)
    any_site.call("reserve", "--run-key", "k", *words)
    dispatcher = any_site.run(runner="embedded")
    dispatcher.await_event("job_ended")
    found = any_site.status("k")
    assert [(each["attempt"], each["exit_code"]) for each in found["tries"]] == [(1, 1), (2, 2), (3, 0)]
    assert all(each["ended_at"] and each["ended_at_iso"] for each in found["tries"])
    assert found["outcome"] == "SUCCEEDED"
    events = dispatcher.events("job_attempt_failed")
    assert [(each["attempt"], each["exit_code"]) for each in events] == [(1, 1), (2, 2)]
    lines = any_site.call("watch", "--run-key", "k", "--after-seq", "0", "--timeout", "0.01").out.splitlines()
    told = [change["detail"] for change in map(json.loads, lines) if change["change"] == "attempt_failed"]
    assert told == ["attempt 1 of 6: exit code 1", "attempt 2 of 6: exit code 2"]
    assert any_site.call("reserve", "--run-key", "k", *words).json["same_request"]


def test_a_job_that_still_tries_says_so(site: Site) -> None:
    site.call("reserve", "--run-key", "k", "--retry", "1", "--retry-delay", "1h", "--", "/bin/sh", "-c", "exit 7")
    dispatcher = site.run(runner="embedded")
    dispatcher.await_event("job_attempt_failed")
    assert "try 2 of 2" in site.call("list", "--text").out
    assert site.call("cancel", "--run-key", "k", runner="embedded").code == 0
    dispatcher.await_event("job_ended")
    assert [each["exit_code"] for each in site.status("k")["tries"]] == [7]
    notes = f"{os.path.realpath(site.url)}-attempts"
    until(lambda: os.listdir(notes) == [])


def retrying(engine: Engine) -> JobReservation:
    spec = JobSpec("k", ["/bin/true"], extras={"retry": 2, "retry_delay_seconds": 1.0})
    return store.reserve(engine, spec, ids.new_id()).job


def test_what_two_dispatchers_have_read_is_logged_once(engine: Engine) -> None:
    job = retrying(engine)
    one, two = {"exit_code": 3, "ended_at": 5}, {"exit_code": 4, "ended_at": 6}

    def stored(*tries: dict[str, int]) -> list[tuple[int, int]]:
        return engine.transact((LOCK,), lambda tx: attempts.store(tx, job, list(tries)))

    assert stored(one) == [(1, 3)]
    assert stored(one) == []
    assert stored(one, two) == [(2, 4)]
    assert stored(one) == [], "what is older changes nothing"
    assert engine.read(lambda tx: rows.get(tx, run_key="k")).tries == [one, two]


def test_what_is_no_note_counts_as_none(engine: Engine, tmp_path) -> None:
    job = retrying(engine)
    notes = AttemptNotes(str(tmp_path / "notes"))
    assert notes.read(job) == []
    notes.prepare(job)
    path = tmp_path / "notes" / job.reservation_id
    path.write_bytes(b"3 100\nx\n-1 2\n4 101 5\n\xff 1\n6 102\n7 10")
    assert notes.read(job) == [{"exit_code": 3, "ended_at": 100}, {"exit_code": 6, "ended_at": 102}]
    notes.discard(job)
    notes.discard(job)
    path.symlink_to("/etc/passwd")
    assert notes.read(job) == []
