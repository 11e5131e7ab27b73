"""``--needs``: booked with the reservation, held at the start, given back when the job is over, whoever dies."""

import signal
from contextlib import closing

import pytest

from bespeak.base.clock import FOREVER_US, SECOND_US, now
from bespeak.base.errors import UnavailableError
from bespeak.jobs import resource_bookings, rows, schedules
from bespeak.jobs.booking_returns import has_ended
from bespeak.jobs.dispatcher_session import DispatcherSession
from bespeak.jobs.liveness import DispatcherRecord, machine, this_process
from bespeak.jobs.locations import open_store
from bespeak.jobs.model import JobReservation
from bespeak.jobs.resource_bookings import ResourceBookings, this_user
from bespeak.jobs.runner_client.replies import Reply
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.storage.interface import Engine
from support.job_sites import RECORDING, Site, until

ME = DispatcherRecord("me", "", "host", this_process(), f"{machine()}:/nowhere", "bespeak runner", 1, 0, 0, 0)


@pytest.fixture
def book(tmp_path):
    """A book of resources and where it is."""
    url = str(tmp_path / "book.sqlite3")
    with open_ledger(url) as ledger:
        yield ledger, url


def needing(site: Site, url: str, key: str, *args: str):
    return site.call("reserve", "--run-key", key, "--ledger", url, *args, "--", "/bin/true")


def test_needs_are_booked_and_the_job_starts_while_they_are_held(any_site: Site, book) -> None:
    ledger, url = book
    answer = needing(any_site, url, "k", "--needs", "rack3", "psu", "--for", "1h").json
    found = answer["reservation"]
    assert found["needs"] == ["rack3", "psu"]
    assert found["for_seconds"] == 3600
    (booking,) = ledger.reservations()
    assert (booking.id, set(booking.resources)) == (found["booking_id"], {"rack3", "psu"})
    assert ("job", found["reservation_id"]) in booking.tags
    any_site.once()
    assert any_site.status("k")["reservation_status"] == "DISPATCHED"


def test_needs_that_somebody_holds_are_refused_and_leave_nothing(any_site: Site, book) -> None:
    ledger, url = book
    ledger.reserve(Request(("rack3",), Holder("alice"), duration_us=3_600_000_000))
    answer = needing(any_site, url, "k", "--needs", "rack3", "--for", "1h")
    assert answer.code == 1
    assert "alice" in answer.error
    assert any_site.call("list").json["reservations"] == []
    assert any_site.call("status", "--run-key", "k").code == 4


def test_under_our_own_name_a_refusal_is_exit_7(site: Site, book) -> None:
    ledger, url = book
    ledger.reserve(Request(("rack3",), Holder("alice"), duration_us=3_600_000_000))
    words = ["reserve", "--run-key", "k", "--ledger", url, "--needs", "rack3", "--for", "1h", "--", "/bin/true"]
    assert site.call(*words, prog="bespeak job").code == 7


def test_a_job_whose_resources_were_released_does_not_start(any_site: Site, book) -> None:
    ledger, url = book
    found = needing(any_site, url, "k", "--needs", "rack3", "--for", "1h").json["reservation"]
    ledger.release(found["booking_id"], Holder(ledger.find(found["booking_id"]).holder))
    any_site.once()
    after = any_site.status("k")
    assert after["reservation_status"] == "DISPATCH_FAILED"
    assert "not held any more" in after["last_error"]
    assert any_site.starts() == []


@pytest.mark.parametrize("change", ["move", "release_part"])
def test_a_job_whose_booking_is_of_other_resources_does_not_start(
    site: Site, book, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, url = book
    needing(site, url, "k", "--needs", "rack3", "rack4", "--for", "1h", "--not-before", "+1h")
    (booking,) = ledger.reservations()
    by = Holder(booking.holder)
    if change == "move":
        ledger.move(booking.id, by, resources=["rack4", "rack5"])
    else:
        ledger.release_part(booking.id, ["rack3"], by)
    found = ledger.get(booking.id)
    with closing(open_store(site.url)) as store:
        job = store.read(lambda tx: rows.get(tx, run_key="k"))
    lost = f"its booking {booking.id} is not of rack3 any more: it is of {', '.join(found.resources)}"
    bookings = ResourceBookings(url)
    assert bookings.time_left(job).lost == lost
    assert bookings.ask(job).starts_us == booking.starts_us, "until its start it can be moved back"
    monkeypatch.setattr(bookings._opened(job), "now_us", lambda: booking.starts_us)
    asked = bookings.ask(job)
    assert (asked.held, asked.reason) == (False, lost)


def test_a_job_that_asked_by_label_and_has_less_left_does_not_start(site: Site, book) -> None:
    ledger, url = book
    ledger.inventory_add(["psu", "rack3", "rack4"], Holder("root"), {"labels": {"kind": "rack"}})
    needing(
        site, url, "k", "--needs", "psu", "--any", "2", "--label", "kind=rack", "--for", "1h", "--not-before", "+1h"
    )
    (booking,) = ledger.reservations()
    ledger.release_part(booking.id, ["rack3"], Holder(booking.holder))
    with closing(open_store(site.url)) as store:
        job = store.read(lambda tx: rows.get(tx, run_key="k"))
    lost = f"its booking {booking.id} is not of as many as it needs any more: it is of psu, rack4"
    assert ResourceBookings(url).time_left(job).lost == lost


def test_cancelling_gives_the_resources_back(site: Site, book) -> None:
    ledger, url = book
    needing(site, url, "k", "--needs", "rack3", "--for", "1h", "--not-before", "+1h")
    assert site.call("cancel", "--run-key", "k", "--ledger", url).code == 0
    assert ledger.reservations() == []


ENDS = RECORDING.replace("status) ", 'status) cat "$STUB_LOG.state" 2>/dev/null && exit 0; ')


def says(site: Site, text: str) -> None:
    """Let the stub answer so when it is asked about a job."""
    with open(site.calls_file + ".state", "w", encoding="utf-8") as file:
        file.write(text)


def returned(site: Site) -> list[str]:
    """Return the run keys whose resources were given back, by the log."""
    engine = open_store(site.url)
    found = engine.read(
        lambda tx: tx.fetch_all("SELECT run_key FROM dispatch_log WHERE change = 'returned' ORDER BY seq")
    )
    engine.close()
    return [str(key) for (key,) in found]


@pytest.mark.parametrize("kept", [False, True])
def test_what_was_booked_is_given_back_when_the_job_has_ended(any_site: Site, book, kept: bool) -> None:
    ledger, url = book
    runner = any_site.stub("ends", ENDS)
    keep = ["--keep-needs"] if kept else []
    found = needing(any_site, url, "k", *keep, "--needs", "rack3", "--for", "1h").json["reservation"]
    assert found.get("keep_needs", False) is kept
    says(any_site, '{"job_id": "job-k", "status": "RUNNING"}')
    any_site.once(runner=runner)
    any_site.once(runner=runner)
    assert len(ledger.reservations()) == 1, "it runs"
    says(any_site, '{"job_id": "job-k", "status": "FAILED", "exit_code": 3}')
    events = any_site.once(runner=runner)
    any_site.once(runner=runner)
    assert len(ledger.reservations()) == kept
    assert returned(any_site) == ([] if kept else ["k"])
    told = [event["booking_id"] for event in events if event["event"] == "needs_returned"]
    assert told == ([] if kept else [found["booking_id"]])


def test_a_dispatcher_that_runs_gives_back_by_itself(site: Site, book) -> None:
    ledger, url = book
    needing(site, url, "k", "--needs", "rack3", "--for", "1h")
    site.run()
    until(lambda: not ledger.reservations(), "giving back")


@pytest.mark.parametrize("point", ["before_return", "after_return"])
def test_giving_back_survives_a_kill_and_is_told_once(any_site: Site, book, point: str) -> None:
    ledger, url = book
    needing(any_site, url, "k", "--needs", "rack3", "--for", "1h")
    any_site.once()
    dying = any_site.run("--once", wait=False, env={"BESPEAK_CRASH_AT": f"jobs.{point}"})
    assert dying.process.wait(60) == -signal.SIGKILL
    assert len(ledger.reservations()) == (point == "before_return")
    assert returned(any_site) == []
    any_site.once()
    any_site.once()
    assert (ledger.reservations(), returned(any_site)) == ([], ["k"])


def test_what_was_booked_for_a_job_that_was_never_started_is_given_back(any_site: Site, book) -> None:
    ledger, url = book
    fails = any_site.stub("fails", '#!/bin/sh\n[ "$1" = status ] && exit 3; exit 9\n')
    needing(any_site, url, "k", "--needs", "rack3", "--for", "1h")
    any_site.once("--start-retries", "0", runner=fails)
    assert any_site.status("k")["reservation_status"] == "DISPATCH_FAILED"
    any_site.once(runner=fails)
    assert (ledger.reservations(), returned(any_site)) == ([], ["k"])
    found = any_site.call("requeue", "--run-key", "k", "--ledger", url).json["reservation"]
    assert [held.id for held in ledger.reservations()] == [found["booking_id"]]


def test_the_end_of_a_job_is_asked_where_it_was_started(any_site: Site, book) -> None:
    ledger, url = book
    homes = RECORDING.replace("status)", 'status) [ "$ORCHESJOB_HOME" = "$STUB_LOG.elsewhere" ] && exit 3;')
    runner = any_site.stub("homes", homes.replace("SUCCEEDED", "RUNNING"))
    needing(any_site, url, "k", "--needs", "rack3", "--for", "1h")
    any_site.once(runner=runner)
    any_site.once(runner=runner, env={"ORCHESJOB_HOME": any_site.calls_file + ".elsewhere"})
    assert len(ledger.reservations()) == 1
    any_site.stub("homes", homes)
    any_site.once(runner=runner, env={"ORCHESJOB_HOME": any_site.calls_file + ".elsewhere"})
    assert ledger.reservations() == []


def test_what_was_booked_stays_booked_while_the_job_may_run(any_site: Site, book) -> None:
    ledger, url = book
    silent = any_site.stub("silent", "#!/bin/sh\nexit 9\n")
    needing(any_site, url, "k", "--needs", "rack3", "--for", "1h")
    for _ in range(2):
        any_site.once("--start-retries", "0", runner=silent)
    assert any_site.status("k")["reservation_status"] == "START_UNKNOWN"
    assert (len(ledger.reservations()), returned(any_site)) == (1, [])


@pytest.mark.parametrize(
    ("code", "out", "ended"),
    [
        (0, '{"status": "RUNNING"}', False),
        (0, '{"status": "STARTING"}', False),
        (0, '{"status": "SUCCEEDED", "target_pid": 1}', True),
        (0, '{"status": "CANCELLED", "target_pid": 1}', False),
        (0, '{"status": "LOST", "target_pid": 1}', False),
        (0, '{"status": "ABORTED", "target_pid": 4194305}', True),
        (0, '{"status": "LOST", "target_pid": null}', True),
        (0, '{"status": 7}', False),
        (0, "what?", False),
        (1, "job 'x' not found", True),
        (3, "", True),
        (1, "out of memory", False),
        (None, "", False),
    ],
)
def test_what_a_runner_says_of_the_end(code, out, ended) -> None:
    assert has_ended(Reply(code, out)) is ended


def test_a_reserve_that_was_killed_before_it_booked_is_completed_by_the_next(site: Site, book) -> None:
    ledger, url = book
    words = ["reserve", "--run-key", "k", "--ledger", url, "--needs", "rack3", "--for", "1h", "--", "/bin/true"]
    assert site.call(*words, BESPEAK_CRASH_AT="storage.after_commit:2").code == -signal.SIGKILL
    site.once()
    assert site.starts() == []
    answer = site.call(*words).json
    assert answer["created"] is False
    assert answer["reservation"]["booking_id"] == ledger.reservations()[0].id
    site.once()
    assert len(ledger.reservations()) == 1
    assert site.starts() == ["k"]


def test_requeue_books_anew_or_changes_nothing(any_site: Site, book) -> None:
    ledger, url = book
    needing(any_site, url, "k", "--needs", "rack3", "--for", "1h", "--not-before", "+1h")
    any_site.call("cancel", "--run-key", "k", "--ledger", url)
    alice = ledger.reserve(Request(("rack3",), Holder("alice"), duration_us=3_600_000_000))
    assert any_site.call("requeue", "--run-key", "k", "--ledger", url).code == 1
    assert any_site.status("k")["reservation_status"] == "CANCELLED"
    ledger.release(alice.id, Holder("alice"))
    found = any_site.call("requeue", "--run-key", "k", "--ledger", url).json["reservation"]
    assert found["booking_id"] == ledger.reservations()[0].id
    any_site.once()
    assert any_site.status("k")["reservation_status"] == "DISPATCHED"
    assert any_site.call("requeue", "--run-key", "k", "--ledger", url).code == 6
    assert len(ledger.reservations()) == 1


def recurring(url: str) -> schedules.Schedule:
    extras = {"needs": ["rack3"], "for_seconds": 3600.0, "ledger": url, "holder": this_user()}
    return schedules.Schedule(
        "s", "* * * * *", "UTC", schedules.Overlap.SKIP, schedules.CatchUp.NONE, 0, ("true",), (), "",
        extras, 0, FOREVER_US, None, paused=False,
    )  # fmt: skip


def occurrence(engine: Engine, clock, url: str) -> JobReservation:
    clock.us = now() - 120 * SECOND_US
    schedules.save(engine, recurring(url), replace_existing=False)
    clock.step(60)
    (made,) = schedules.turn(engine, "").made
    assert (made.booking_id, made.next_us < FOREVER_US) == (None, True)
    return made


def test_an_occurrence_books_what_it_needs_when_it_starts(engine: Engine, clock, book) -> None:
    ledger, url = book
    made = occurrence(engine, clock, url)
    bookings = ResourceBookings(None)
    session = DispatcherSession(engine, ME)
    job, state = bookings.at_start(made, session.note_booking, session.note_held)
    assert state.held
    (booking,) = ledger.reservations()
    assert (booking.id, booking.resources) == (job.booking_id, ("rack3",))
    assert engine.read(lambda tx: rows.get(tx, run_key=made.run_key)).booking_id == booking.id
    again, state = bookings.at_start(made, session.note_booking, session.note_held)
    assert (again.booking_id, state.held) == (booking.id, True), "whoever was killed in between finds the same booking"
    bookings.close()


def test_an_occurrence_that_cannot_have_what_it_needs_is_not_started(engine: Engine, clock, book, monkeypatch) -> None:
    ledger, url = book
    made = occurrence(engine, clock, url)
    ledger.reserve(Request(("rack3",), Holder("alice"), duration_us=3_600_000_000))
    bookings = ResourceBookings(None)
    session = DispatcherSession(engine, ME)
    with pytest.raises(UnavailableError, match="alice"):
        bookings.at_start(made, session.note_booking, session.note_held)
    monkeypatch.setattr(resource_bookings, "REFUSED_US", 0)
    job, state = bookings.at_start(made, session.note_booking, session.note_held)
    assert (job.booking_id, state.held, state.starts_us) == (None, False, FOREVER_US)
    assert "alice" in state.reason
    bookings.close()


def test_a_schedule_takes_needs(any_site: Site, book) -> None:
    _, url = book
    answer = any_site.call(
        "schedule", "s", "--cron", "0 2 * * *", "--ledger", url, "--needs", "rack3", "--for", "1h", "--", "true"
    )
    assert answer.code == 0, answer.err
    assert (answer.json["schedule"]["needs"], answer.json["schedule"]["for_seconds"]) == (["rack3"], 3600)
    refused = any_site.call("schedule", "t", "--cron", "0 2 * * *", "--needs", "rack3", "--", "true")
    assert (refused.code, "--needs needs --for" in refused.error) == (2, True)
