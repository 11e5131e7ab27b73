"""Every backend that ships keeps the contract; and the helper that says so sees every violation."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from bespeak.labs import Lab
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Mode, Request
from bespeak.reservations import (
    JsonReservationBackend,
    LedgerReservationBackend,
    NullReservationBackend,
    ReservationBackendError,
    ReservationState,
    ReservationWindow,
    ResolvedIdentity,
    evaluate,
)
from bespeak.testing import assert_reservation_backend_conforms


def test_the_null_backend():
    assert_reservation_backend_conforms(NullReservationBackend(), known_user="alice", known_resources=())


def test_the_json_backend(tmp_path):
    path = tmp_path / "r.json"
    listed = [
        {"user": "bob", "resources": ["b", "a"], "expires": "2126-01-01"},
        {"user": "alice", "resources": ["a", "rack[1]"]},
        {"user": "alice", "resources": ["old"], "expires": "2020-01-01"},
    ]
    path.write_text(json.dumps({"version": 1, "reservations": listed}))
    backend = JsonReservationBackend(path=path)
    assert_reservation_backend_conforms(backend, known_user="alice", known_resources={"a", "rack[1]"})
    assert_reservation_backend_conforms(backend, known_user="bob", known_resources={"a", "b"})


@pytest.fixture
def book(book_url):
    """A book with the reservations of alice and bob, and its clock."""
    now = [1_800_000_000_000_000]
    ledger = open_ledger(book_url, now=lambda: now[0])
    hour = 3_600_000_000

    def reserve(holder, *resources, **more):
        return ledger.reserve(Request(resources, Holder(holder), **more))

    reserve("alice", "rack(1)", "psu", duration_us=hour)
    reserve("bob", "shelf", mode=Mode.SHARED, duration_us=2 * hour)
    reserve("alice", "shelf", mode=Mode.SHARED, duration_us=3 * hour)
    reserve("bob", "psu", starts_us=now[0] + 2 * hour, duration_us=hour)
    yield ledger, now
    ledger.close()


@pytest.fixture
def ledger_backend(book):
    return LedgerReservationBackend(engine=book[0].engine)


class TestTheLedgerBackend:
    def test_it_conforms(self, ledger_backend):
        known = {"rack(1)", "psu", "shelf"}
        assert_reservation_backend_conforms(ledger_backend, known_user="alice", known_resources=known)

    def test_only_the_present_counts(self, book, ledger_backend):
        assert ledger_backend.get_reserved_resources("bob") == {"shelf"}
        assert ledger_backend.who_reserved("psu") == ["alice"]
        book[1][0] += 2 * 3_600_000_000
        assert ledger_backend.get_reserved_resources("bob") == {"psu"}
        assert ledger_backend.who_reserved("psu") == ["bob"]
        assert ledger_backend.get_reserved_resources("alice") == {"shelf"}

    def test_several_holders_come_in_the_order_in_which_they_were_granted(self, ledger_backend):
        assert ledger_backend.who_reserved("shelf") == ["bob", "alice"]

    def test_the_report_says_who_and_until_when(self, book, ledger_backend):
        state = ReservationState(ledger_backend, ResolvedIdentity("bob", "--as-user"))
        report = evaluate(state, Lab("demo", {"shelf", "psu", "free"}))
        assert report.held == ("shelf",)
        assert report.text.splitlines()[1:] == ["  - free (unreserved)", "  - psu (held by alice)"]
        assert report.missing[1].holders[0].until == book[1][0] + 3_600_000_000

    def test_windows(self, book, ledger_backend):
        start = datetime.fromtimestamp(book[1][0] / 1_000_000, UTC)
        windows = ledger_backend.get_reservation_windows("bob")
        assert [(window.resource, window.start >= start) for window in windows] == [("shelf", True), ("psu", True)]
        assert all(window.end > window.start for window in windows)

    def test_more_resources_than_a_query_may_name(self, ledger_backend):
        names = {f"r{number}" for number in range(12_000)} | {"psu"}
        assert ledger_backend.held_among("alice", names) == {"psu"}

    @pytest.mark.parametrize("name", ["\ud800", "", "x" * 100_000, "\U0001f600", "'; DROP TABLE ledger_bookings; --"])
    def test_any_name_gets_an_answer_or_the_documented_error(self, ledger_backend, name):
        questions = (
            (lambda: ledger_backend.who_reserved(name), []),
            (lambda: ledger_backend.held_among(name, {name}), set()),
            (lambda: ledger_backend.get_reserved_resources(name), set()),
        )
        for question, nothing in questions:
            with suppress(ReservationBackendError):
                assert question() == nothing

    def test_a_released_reservation_counts_no_more(self, book, ledger_backend):
        book[0].release_mine(Holder("alice"))
        assert ledger_backend.get_reserved_resources("alice") == set()


def test_the_backend_opens_the_book_at_its_first_question_and_closes_it(tmp_path):
    path = tmp_path / "book.db"
    backend = LedgerReservationBackend(f"sqlite://{path}")
    with pytest.raises(ReservationBackendError, match="no book at "):
        backend.who_reserved("x")
    assert not path.exists()  # asking makes no book
    open_ledger(str(path)).close()
    assert backend.who_reserved("x") == []
    backend.close()
    assert backend.who_reserved("x") == []
    backend.close()


def test_the_book_of_the_settings_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("BESPEAK_LEDGER", str(tmp_path / "named.db"))
    with open_ledger(str(tmp_path / "named.db")) as book:
        book.reserve(Request(("x",), Holder("alice")))
    backend = LedgerReservationBackend()
    assert backend.list_usernames() == ["alice"]
    backend.close()


@pytest.mark.parametrize(
    "url", ["/proc/no/such/book.db", "mysql://x/y", "postgresql://127.0.0.1:9/x?connect_timeout=2"]
)
def test_a_book_that_cannot_be_asked_is_the_documented_error(url):
    with pytest.raises(ReservationBackendError):
        LedgerReservationBackend(url).get_reserved_resources("alice")


def test_a_file_that_is_no_book_is_the_documented_error(tmp_path):
    path = tmp_path / "book.db"
    path.write_bytes(b"nonsense" * 1000)
    with pytest.raises(ReservationBackendError, match="not a database"):
        LedgerReservationBackend(path=path).who_reserved("x")


class Wrong:
    """Breaks every rule that can be broken at once."""

    def __init__(self):
        self.own = {"a"}
        self.flip = False

    def backend_name(self):
        self.flip = not self.flip
        return f"wrong{self.flip}"

    def get_reserved_resources(self, username):
        return self.own

    def who_reserved(self, resource):
        return ["bob", "bob"]

    def list_usernames(self):
        return ["carol", 3]

    def get_reservation_windows(self, username):
        return [ReservationWindow("b", datetime(2026, 1, 1), None)]  # noqa: DTZ001 - a zone is what is missing

    def held_among(self, username, resources):
        return set()

    def holder_ends(self, resource):
        return [("dave", None)]


def test_every_violation_is_reported_at_once():
    with pytest.raises(AssertionError) as caught:
        assert_reservation_backend_conforms(Wrong(), known_user="alice", known_resources={"a"})
    text = str(caught.value)
    for demand in (
        "must be the same every time",
        "must not be the backend's own set",
        "must be empty for somebody without reservations",
        "must name 'alice'",
        "must name nobody twice",
        "must be an empty list where nobody holds",
        "list_usernames(): must hold texts only",
        "list_usernames(): must contain 'alice'",
        "must hold windows with zones",
        "held_among('alice', ['a', 'bespeak-conformance-nothing']): must be ['a']",
        "must name those that who_reserved names",
    ):
        assert demand in text


@pytest.mark.parametrize(
    "backend",
    [object(), type("Raises", (), dict.fromkeys(("backend_name", "get_reserved_resources", "who_reserved"), len))()],
)
def test_methods_that_are_missing_or_raise_are_violations(backend):
    with pytest.raises(AssertionError, match=r"get_reserved_resources.*must"):
        assert_reservation_backend_conforms(backend, known_user="alice", known_resources={"a"})
