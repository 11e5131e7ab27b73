"""A job whose booking is lost, or about to end, is ended with all its processes."""

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bespeak.base.clock import SECOND_US, boot_us
from bespeak.base.errors import UnavailableError
from bespeak.base.frozen import replace
from bespeak.jobs import rows
from bespeak.jobs.hold_watch import HoldWatch
from bespeak.jobs.locations import open_store
from bespeak.jobs.model import JobReservation
from bespeak.jobs.resource_bookings import ResourceBookings, TimeLeft
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request, Reservation, State
from bespeak.ledger.service import Ledger
from support.job_sites import Dispatcher, Site, until
from support.trees import lives

LEAVES = (
    'setsid sleep 3600 & echo $! >"$0.away.new"; sleep 3600 & echo $! >"$0.child.new";'
    ' mv "$0.away.new" "$0.away"; mv "$0.child.new" "$0.child"; wait'
)


@pytest.fixture
def book(tmp_path) -> Iterator[tuple[Ledger, str]]:
    """A book of resources and where it is."""
    url = str(tmp_path / "book.sqlite3")
    with open_ledger(url) as ledger:
        yield ledger, url


def tree(site: Site) -> str:
    return os.path.join(site.folder, "tree")


def running(site: Site, url: str, *args: str, length: str = "1h") -> tuple[Dispatcher, str]:
    """Start a job that needs a rack and leaves processes everywhere; return its dispatcher and its booking."""
    words = ("reserve", "--run-key", "k", "--ledger", url, "--needs", "rack3", "--for", length, *args)
    found = site.call(*words, "--", "/bin/sh", "-c", LEAVES, tree(site)).json["reservation"]
    dispatcher = site.run(runner="embedded")
    until(lambda: os.path.exists(tree(site) + ".child"), "the start of its processes")
    return dispatcher, str(found["booking_id"])


def is_over(site: Site, dispatcher: Dispatcher) -> None:
    """Check that the whole tree is gone and everybody is told why."""
    until(lambda: [each["outcome"] for each in dispatcher.events("job_ended")] == ["HOLD_LOST"], "its end")
    until(
        lambda: not any(lives(int(Path(f"{tree(site)}.{name}").read_text())) for name in ("away", "child")),
        "the end of its processes",
    )


def test_the_job_whose_booking_is_kicked_is_ended_with_all_its_processes(any_site: Site, book) -> None:
    ledger, url = book
    dispatcher, booking = running(any_site, url)
    ledger.kick(booking, Holder("alice"), "the lab burns")
    (event,) = dispatcher.await_event("job_hold_lost")
    assert (event["run_key"], event["booking_id"]) == ("k", booking)
    is_over(any_site, dispatcher)
    found = any_site.status("k")
    assert (found["outcome"], found["hold_lost"]) == ("HOLD_LOST", f"its booking {booking} is lost: kicked")
    assert found["stopped_at"] is not None
    assert "HOLD_LOST" in any_site.call("list", "--failed", "--text").out
    lines = any_site.call("watch", "--run-key", "k", "--after-seq", "0", "--timeout", "0.01").out.splitlines()
    changes = [json.loads(line)["change"] for line in lines]
    assert [each for each in changes if each != "returned"][-2:] == ["hold_lost", "ended_hold_lost"]
    job = any_site.call("result", "--run-key", "k", runner="embedded").json
    assert (job["status"], job["abort_reason"]) == ("ABORTED", found["hold_lost"])


def test_a_job_that_keeps_its_needs_is_ended_too(site: Site, book) -> None:
    ledger, url = book
    dispatcher, booking = running(site, url, "--keep-needs")
    ledger.release(booking, Holder(ledger.find(booking).holder))
    is_over(site, dispatcher)


def test_the_end_of_a_booking_ends_the_job(any_site: Site, book) -> None:
    ledger, url = book
    dispatcher, booking = running(any_site, url)
    held = ledger.find(booking)
    ledger.shorten(booking, Holder(held.holder), ends_us=ledger.now_us() + 2 * SECOND_US)
    is_over(any_site, dispatcher)


def test_what_was_lost_while_no_dispatcher_ran_is_ended_by_the_next(any_site: Site, book) -> None:
    ledger, url = book
    dispatcher, booking = running(any_site, url)
    dispatcher.await_event("dispatch_succeeded")
    dispatcher.kill()
    ledger.kick(booking, Holder("alice"), "the lab burns")
    is_over(any_site, any_site.run(runner="embedded"))


@pytest.fixture
def booked(site: Site, book) -> JobReservation:
    """A job whose rack is held."""
    _, url = book
    site.call("reserve", "--run-key", "k", "--ledger", url, "--needs", "rack3", "--for", "1h", "--", "/bin/true")
    store = open_store(site.url)
    try:
        return store.read(lambda tx: rows.get(tx, run_key="k"))
    finally:
        store.close()


class Freezing(ResourceBookings):
    """A book that stops answering when a test says so."""

    frozen = False
    refused = 0

    def time_left(self, job: JobReservation) -> TimeLeft:
        if self.frozen:
            self.refused += 1
            raise UnavailableError("frozen")
        return super().time_left(job)


def test_the_end_stays_known_while_the_book_does_not_answer(booked: JobReservation, book) -> None:
    ledger, _ = book
    held = ledger.find(booked.booking_id or "")
    bookings = Freezing(None)
    watch = HoldWatch(bookings)
    watch.watch([booked])
    ((_, known),) = until(watch.known, "a first look")
    ends_us = boot_us() + held.ends_us - ledger.now_us()
    assert known.stop_us <= ends_us - 7 * SECOND_US, "time to end the command, and a margin"
    assert known.reason == f"its booking {held.id} ends"
    bookings.frozen = True
    ledger.shorten(held.id, Holder(held.holder), ends_us=held.ends_us - 60 * SECOND_US)
    until(lambda: bookings.refused, "a look that fails")
    assert watch.known() == [(booked, known)]
    watch.close()


def test_the_job_is_ended_though_its_store_cannot_be_written(site: Site, book) -> None:
    ledger, url = book
    dispatcher, booking = running(site, url)
    until(lambda: len(os.listdir(f"/proc/{dispatcher.process.pid}/task")) > 1, "following the booking")
    locked = sqlite3.connect(site.url, isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    ledger.kick(booking, Holder("alice"), "the lab burns")
    until(
        lambda: not any(lives(int(Path(f"{tree(site)}.{name}").read_text())) for name in ("away", "child")),
        "the end of its processes",
    )
    locked.execute("ROLLBACK")
    locked.close()
    is_over(site, dispatcher)


def made(ledger: Ledger, **more: object) -> Reservation:
    request = Request(("psu",), Holder("bob"), duration_us=3600 * SECOND_US)
    return ledger.reserve(replace(request, **more))


def with_booking(job: JobReservation, booking: Reservation) -> JobReservation:
    return replace(job, booking_id=booking.id, extras_json=json.dumps({**job.extras, "needs": booking.resources}))


def test_a_lease_ends_it_as_well(booked: JobReservation, book) -> None:
    other = made(book[0], keepalive_us=30 * SECOND_US)
    bookings = ResourceBookings(None)
    left = bookings.time_left(with_booking(booked, other))
    bookings.close()
    assert (left.lost, left.length_us) == ("", 3600 * SECOND_US)
    assert left.left_us <= 30 * SECOND_US


def test_a_job_that_runs_has_checked_in(booked: JobReservation, book) -> None:
    ledger, _ = book
    other = made(ledger, starts_us=ledger.now_us() + SECOND_US, check_in_us=900 * SECOND_US)
    assert other.check_in_us is not None
    until(lambda: ledger.find(other.id).state(ledger.now_us()) is State.ACTIVE)
    bookings = ResourceBookings(None)
    left = bookings.time_left(with_booking(booked, other))
    bookings.close()
    assert ledger.find(other.id).check_in_us is None
    assert left.left_us > 900 * SECOND_US
