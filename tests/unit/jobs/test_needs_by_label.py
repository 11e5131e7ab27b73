"""``--any`` and ``--label``: a job books what suits, whichever it is, and its command is told which."""

from __future__ import annotations

import pytest

from bespeak.base.clock import HOUR_US
from bespeak.jobs import schedules, store
from bespeak.jobs.dispatcher_session import DispatcherSession
from bespeak.jobs.liveness import DispatcherRecord, machine, this_process
from bespeak.jobs.locations import open_store
from bespeak.jobs.resource_bookings import ResourceBookings
from bespeak.jobs.runner_client.full_command import full_command
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from support.job_sites import Site

ME = DispatcherRecord("me", "", "host", this_process(), f"{machine()}:/nowhere", "bespeak runner", 1, 0, 0, 0)
ROOT, ALICE = Holder("root"), Holder("alice")
TWO_BOARDS = ("--any", "2", "--label", "arm64 and ram>=4", "--same", "site", "--for", "1h")


@pytest.fixture
def book(tmp_path):
    """A book with a lab, and where it is."""
    url = str(tmp_path / "book.sqlite3")
    with open_ledger(url) as ledger:
        for name, ram, site in (("board1", 4, "lyon"), ("board2", 8, "oslo"), ("board10", 8, "oslo")):
            ledger.inventory_add(
                [name], ROOT, {"labels": {"arch": "arm64", "ram": ram, "site": site, "ip": f"10.0.0.{ram}"}}
            )
        ledger.inventory_add(["psu"], ROOT, {"labels": {"site": "oslo"}})
        yield ledger, url


def reserve(site: Site, url: str, *args: str, **more):
    return site.call("reserve", "--run-key", "k", "--ledger", url, *args, "--", "/bin/true", prog="bespeak job", **more)


def test_a_job_books_what_suits_and_its_command_is_told_which(any_site: Site, book, tmp_path) -> None:
    ledger, url = book
    told = tmp_path / "told"
    words = ["reserve", "--run-key", "k", "--ledger", url, "--needs", "psu", *TWO_BOARDS, "--env", "BESPEAK_PSU_SITE=x"]
    script = f'printf "%s|" "$BESPEAK_RESOURCES" "$BESPEAK_BOARD10_IP" "$BESPEAK_PSU_SITE" >{told}'
    made = any_site.call(*words, "--", "sh", "-c", script, runner="embedded").json["reservation"]
    assert made["needs"] == ["psu", {"count": 2, "label": "arm64 and ram>=4"}]
    assert (made["same"], "held_env" in made) == (["site"], False)
    (booking,) = ledger.reservations()
    assert (booking.id, set(booking.resources)) == (made["booking_id"], {"psu", "board2", "board10"})
    any_site.once(runner="embedded")
    any_site.call("wait", "--run-key", "k", runner="embedded")
    assert told.read_text() == "\n".join(booking.resources) + "|10.0.0.8|x|"
    held = any_site.status("k")["held_env"]
    assert (held["BESPEAK_RESOURCES"], held["BESPEAK_BOARD2_RAM"]) == ("\n".join(booking.resources), "8")


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("--any", "3", "--label", "ram>=8", "--for", "1h"), 4, "the book does not have 3 of 'ram>=8'"),
        (("--any", "2", "--label", "oslo", "--label", "lyon", "--for", "1h"), 2, "--any is given once and --label"),
        (("--any", "0", "--for", "1h"), 2, "--any '0': a number of resources, at least 1"),
        (("--label", "ram>=", "--for", "1h"), 2, "ram>="),
        (("--label", "arm64"), 2, "--needs needs --for"),
        (("--prefer", "oslo"), 2, "--prefer needs --needs"),
        (("--same", "site"), 2, "--same needs --needs"),
        (("--needs", "psu", "--same", "site", "--for", "1h"), 2, "choose among resources"),
    ],
)
def test_what_cannot_be_had_is_refused_and_leaves_nothing(site: Site, book, args, code: int, told: str) -> None:
    ledger, url = book
    answer = reserve(site, url, *args)
    assert (answer.code, told in answer.error) == (code, True), answer.err
    assert ledger.reservations() == []
    assert site.call("status", "--run-key", "k").code == 4


def test_a_refusal_says_who_has_what_suits(site: Site, book) -> None:
    ledger, url = book
    ledger.reserve(Request(("board2",), ALICE, duration_us=HOUR_US))
    answer = reserve(site, url, "--any", "2", "--label", "ram=8", "--for", "1h")
    assert (answer.code, "alice" in answer.error) == (7, True)
    again = reserve(site, url, "--any", "1", "--label", "ram=8", "--prefer", "name=board2", "--for", "1h")
    assert again.code == 0
    assert [one.resources for one in ledger.reservations() if one.holder != "alice"] == [("board10",)]
    repeated = reserve(site, url, "--label", "ram=8", "--prefer", "name=board2", "--for", "1h").json
    assert (repeated["created"], repeated["same_request"]) == (False, True)


def test_a_name_that_the_book_does_not_know_leaves_no_job(site: Site, book) -> None:
    ledger, url = book
    ledger.policy_set("strict", True, ROOT, is_owner=True)
    answer = reserve(site, url, "--needs", "bord1", "--for", "1h")
    assert (answer.code, "bord1" in answer.error) == (4, True), answer.err
    assert site.call("list").json["reservations"] == []


def test_the_words_of_a_start_stay_those_that_are_written_down(any_site: Site, book) -> None:
    ledger, url = book
    reserve(any_site, url, "--label", "ram=8", "--for", "1h")
    engine = open_store(any_site.url)
    session, bookings = DispatcherSession(engine, ME), ResourceBookings(None)
    reserved = store.look(engine, run_key="k", reservation_id=None).job
    job, state = bookings.at_start(reserved, session.note_booking, session.note_held)
    assert state.held
    assert "BESPEAK_BOARD2_IP=10.0.0.8" in full_command(job)
    ledger.inventory_change(["board2"], ROOT, {"labels": {"ip": "10.9.9.9"}})
    stored = store.look(engine, run_key="k", reservation_id=None).job
    assert full_command(stored) == full_command(job), "who asks about the start compares them"
    moved, _ = bookings.at_start(stored, session.note_booking, session.note_held)
    assert "BESPEAK_BOARD2_IP=10.9.9.9" in full_command(moved), "a new start is told what is true now"
    bookings.close()
    engine.close()


def test_each_occurrence_of_a_schedule_books_what_suits(site: Site, book) -> None:
    _, url = book
    words = ["--cron", "0 2 * * *", "--ledger", url, *TWO_BOARDS, "--", "true"]
    made = site.call("schedule", "s", *words).json["schedule"]
    assert (made["needs"], made["same"]) == ([{"count": 2, "label": "arm64 and ram>=4"}], ["site"])
    engine = open_store(site.url)
    (schedule,) = engine.read(schedules.listing)
    job = store.JobSpec("s@1", ["true"], extras=schedule.extras)
    stored = store.reserve(engine, job, "01a224e7-9023-7464-8cda-d9f63442b640").job
    session, bookings = DispatcherSession(engine, ME), ResourceBookings(None)
    _, state = bookings.at_start(stored, session.note_booking, session.note_held)
    assert set(state.variables["BESPEAK_RESOURCES"].split("\n")) == {"board2", "board10"}
    bookings.close()
    engine.close()
