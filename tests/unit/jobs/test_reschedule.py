"""Another time, a pause, and the end of many at once: each either happens or the job is started, never both."""

from __future__ import annotations

import json
import sqlite3

from support.job_sites import until


def test_another_time_replaces_the_old_one(any_site) -> None:
    site = any_site
    site.reserve("k", "--not-before", "2090-01-01")
    done = site.call(
        "reschedule", "--run-key", "k", "--not-before", "2091-01-01T00:00:00Z", "--expires-at", "2092-01-01"
    )
    assert (done.code, done.json["rescheduled"]) == (0, True)
    assert site.status("k")["not_before_iso"] == "2091-01-01T00:00:00+00:00"
    site.once()
    assert site.starts() == []
    assert site.call("reschedule", "--run-key", "k", "--now").code == 0
    site.once()
    assert site.starts() == ["k"]
    assert site.status("k")["expires_at"] is None


def test_what_is_paused_is_not_started_until_it_is_resumed(any_site) -> None:
    site = any_site
    site.reserve("k")
    paused = site.call("pause", "--run-key", "k").json["reservation"]
    assert (paused["reservation_status"], paused["paused_at"] > 0) == ("RESERVED", True)
    assert site.call("pause", "--run-key", "k").json["reservation"] == paused
    assert site.call("reschedule", "--run-key", "k", "--now").json["reservation"]["paused_at"] == paused["paused_at"]
    site.once()
    assert site.starts() == []
    resumed = site.call("resume", "--run-key", "k").json["reservation"]
    assert "paused_at" not in resumed
    assert site.call("resume", "--run-key", "k").json["reservation"] == resumed
    site.once()
    assert site.starts() == ["k"]


def test_a_running_dispatcher_hears_of_it(site) -> None:
    site.reserve("k", "--not-before", "2090-01-01")
    dispatcher = site.run("--poll-interval", "3600")
    assert site.call("reschedule", "--run-key", "k", "--now").code == 0
    dispatcher.await_event("dispatch_succeeded")
    site.reserve("two", "--not-before", "2090-01-01")
    for words in (["pause"], ["reschedule", "--now"], ["resume"]):
        assert site.call(words[0], "--run-key", "two", *words[1:]).code == 0
    until(lambda: site.starts() == ["k", "two"])


def test_what_does_not_wait_is_refused_and_unchanged(site) -> None:
    site.reserve("k")
    site.once()
    before = site.status("k")
    for words in (["pause"], ["resume"], ["reschedule", "--now"]):
        done = site.call(words[0], "--run-key", "k", *words[1:])
        assert (done.code, "the reservation is DISPATCHED" in done.error) == (6, True)
    assert site.status("k") == before
    assert site.call("pause", "--run-key", "none").code == 4


def test_times_that_cannot_be_are_refused(site) -> None:
    site.reserve("k", "--not-before", "2090-01-01")
    before = site.status("k")
    late = site.call("reschedule", "--run-key", "k", "--not-before", "2091-01-01", "--expires-at", "2090-06-01")
    assert (late.code, "it could never start" in late.err) == (2, True)
    assert site.call("reschedule", "--run-key", "k").code == 2
    assert site.call("reschedule", "--run-key", "k", "--now", "--not-before", "2091-01-01").code == 2
    assert site.status("k") == before


def test_requeue_ends_a_pause(site) -> None:
    site.reserve("k")
    for words in (["pause"], ["cancel"], ["requeue"]):
        assert site.call(words[0], "--run-key", "k").code == 0
    site.once()
    assert site.starts() == ["k"]


def test_a_paused_one_expires_at_its_time(site) -> None:
    site.reserve("k", "--not-before", "2090-01-01", "--expires-at", "2091-01-01")
    assert site.call("pause", "--run-key", "k").code == 0
    connection = sqlite3.connect(site.url)
    connection.execute("UPDATE reservations SET expires_at = 5")
    connection.commit()
    connection.close()
    site.once()
    assert site.status("k")["reservation_status"] == "EXPIRED"


def test_many_that_wait_are_cancelled_by_the_beginning_of_their_keys(any_site) -> None:
    site = any_site
    site.reserve("soak-0")
    site.once()
    for key in ("soak-1", "soak-2", "soa", "other"):
        site.reserve(key, "--not-before", "2090-01-01")
    done = site.call("cancel", "--key-prefix", "soak-")
    assert (done.code, done.json["cancelled"]) == (0, 2)
    assert [each["run_key"] for each in done.json["reservations"]] == ["soak-1", "soak-2"]
    left = json.loads(site.call("list", "--status", "RESERVED").out)["reservations"]
    assert sorted(each["run_key"] for each in left) == ["other", "soa"]
    assert site.status("soak-0")["reservation_status"] == "DISPATCHED"
    assert site.call("cancel", "--key-prefix", "").code == 2
    assert site.call("cancel", "--key-prefix", "soak-", "--run-key", "other").code == 2
