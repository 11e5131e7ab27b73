"""The JSON file: what it may say, what it must not say, and how often it is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from bespeak.base import clock
from bespeak.labs import Lab
from bespeak.reservations import (
    JsonReservationBackend,
    MissingReservationError,
    ReservationBackendError,
    check_reservations,
)
from bespeak.reservations import json_backend as json_backend_module


@pytest.fixture
def file(tmp_path):
    return tmp_path / "reservations.json"


def backend(file, content):
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    return JsonReservationBackend(path=file)


def entries(*listed):
    return {"version": 1, "reservations": list(listed)}


def entry(user, *resources, **more):
    return {"user": user, "resources": list(resources), **more}


def test_the_documented_example(file):
    example = entries(
        {"user": "alice", "resources": ["rack3-psu"], "expires": "2126-05-01T00:00:00Z"},
        {"user": "bob", "resources": ["rack4-psu"]},
    )
    found = backend(file, example)
    assert found.backend_name() == "json"
    assert found.get_reserved_resources("alice") == {"rack3-psu"}
    assert found.get_reserved_resources("bob") == {"rack4-psu"}
    assert found.get_reserved_resources("carol") == set()
    assert found.who_reserved("rack4-psu") == ["bob"]
    assert found.who_reserved("rack5-psu") == []


def test_a_user_may_stand_in_several_entries_and_a_resource_too(file):
    found = backend(
        file, entries(entry("bob", "a", "b", "a"), entry("alice", "a"), entry("bob", "c", "a"), entry("eve"))
    )
    assert found.get_reserved_resources("bob") == {"a", "b", "c"}
    assert found.who_reserved("a") == ["bob", "alice"]
    assert found.held_among("bob", ["a", "c", "x"]) == {"a", "c"}
    assert found.list_usernames() == ["alice", "bob", "eve"]


def test_a_list_of_reservations_may_be_missing_or_empty(file):
    assert backend(file, {"version": 1}).who_reserved("a") == []
    assert backend(file, entries()).list_usernames() == []


@pytest.mark.parametrize(
    ("expires", "live"),
    [
        (None, True),
        ("2026-05-01T12:00:00Z", False),
        ("2026-05-01T12:00:01Z", True),
        ("2026-05-01T12:00:00.000001Z", True),
        ("2026-05-01T11:59:59Z", False),
        ("2026-05-01T14:00:00+02:00", False),
        ("2026-05-01T14:00:01+02:00", True),
        ("2026-05-01T08:00:01-04:00", True),
        ("2026-05-01T12:00:01", True),
        ("2026-05-01T12:00:00", False),
        ("2026-05-02", True),
        ("2026-05-01", False),
        ("9999-12-31T23:59:59-12:00", True),
        ("0001-01-01T00:00:00+12:00", False),
    ],
)
def test_when_an_entry_counts(file, monkeypatch, expires, live):
    now_us = (datetime(2026, 5, 1, 12, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    monkeypatch.setattr(clock, "now", lambda: now_us)
    found = backend(file, entries(entry("alice", "a", expires=expires)))
    assert found.get_reserved_resources("alice") == ({"a"} if live else set())
    assert found.who_reserved("a") == (["alice"] if live else [])


def test_an_entry_ends_while_the_process_lives(file, monkeypatch):
    now = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    found = backend(file, entries(entry("alice", "a", expires="2126-01-01")))
    assert found.who_reserved("a") == ["alice"]
    now[0] = json_backend_module.instant_us("2126-01-01")
    assert found.who_reserved("a") == []


def test_until_when(file):
    found = backend(
        file, entries(entry("a", "x", expires="2126-01-01"), entry("a", "x", expires="2125-01-01"), entry("b", "x"))
    )
    assert found.holder_ends("x") == [("a", json_backend_module.instant_us("2126-01-01")), ("b", clock.FOREVER_US)]
    assert [window.end for window in found.get_reservation_windows("b")] == [None]
    assert [window.end.year for window in found.get_reservation_windows("a")] == [2126, 2125]


BAD_FILES = [
    (b"", "Malformed JSON in reservation file", "empty"),
    (b" \n", "Malformed JSON in reservation file", "empty"),
    (b"{", "Malformed JSON in reservation file", ""),
    (b"\xef\xbb\xbf{}", "Malformed JSON in reservation file", "byte order mark"),
    (b'{"version": 1, "reservations": "\xff"}', "Malformed JSON in reservation file", "UTF-8"),
    (b"[" * 200_000, "Malformed JSON in reservation file", "nested too deeply"),
    (b'{"version": ' + b"1" * 5000 + b"}", "Malformed JSON in reservation file", ""),
    (b"[]", "Invalid reservation file", "must be an object"),
    (b"null", "Invalid reservation file", "must be an object"),
    (b"{}", "Invalid reservation file", "'version' is missing"),
    (b'{"version": 1, "reservations": {}}', "Invalid reservation file", "reservations must be a list, not an object"),
    (b'{"version": 1, "reservation": []}', "Invalid reservation file", "no field 'reservation'; did you mean reservations"),
    (b'{"version": 1, "version": 1}', "Invalid reservation file", "'version' stands twice"),
    (b'{"version": 1, "reservations": [{"user": "a", "resources": []}], "reservations": []}', "Invalid reservation file", "stands twice"),
    (b'{"version": 1, "x": {"user": "a", "resources": ["r"]}, "reservations": []}', "Invalid reservation file", "no field 'x'"),
    (b'{"user": "a", "resources": ["r"]}', "Invalid reservation file", "must be an object with version"),
    (b'{"version": 2}', "Reservation file", "has unsupported version 2"),
    (b'{"version": "1"}', "Reservation file", "has unsupported version '1'"),
    (b'{"version": true}', "Reservation file", "has unsupported version True"),
    (b'{"version": 1.0}', "Reservation file", "has unsupported version 1.0"),
    (b'{"version": null}', "Reservation file", "has unsupported version None"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "start", "reason"), BAD_FILES)
@pytest.mark.parametrize("question", ["get_reserved_resources", "who_reserved"])
def test_a_file_that_cannot_be_used(file, raw, start, reason, question):
    with pytest.raises(ReservationBackendError) as caught:
        getattr(backend(file, raw), question)("x")
    text = str(caught.value)
    assert text.startswith(f"{start} {file}")
    assert reason in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"resources": []}, "the field 'user' is missing"),
        ({"user": "a"}, "the field 'resources' is missing"),
        ({"user": 1, "resources": []}, "user must be a text, not 1"),
        ({"user": None, "resources": []}, "user must be a text, not None"),
        (entry("a") | {"resources": "r"}, "resources must be a list of texts, not 'r'"),
        (entry("a", "r", 5), "resources[1] must be a text, not 5"),
        (entry("a", {"user": "b", "resources": ["r"]}), "resources[0] must be a text, not an object"),
        (entry("a", expires="soon"), "expires must be null or an ISO 8601 instant, not 'soon'"),
        (entry("a", expires=1777000000), "expires must be null or an ISO 8601 instant, not 1777000000"),
        (entry("a", expires=[]), "expires must be null or an ISO 8601 instant, not []"),
        (entry("a", expires={}), "expires must be null or an ISO 8601 instant, not an object"),
        (entry("a", expires=""), "expires must be null or an ISO 8601 instant, not ''"),
        (entry("a", expire="2026-01-01"), "there is no field 'expire'; did you mean expires?"),
        (entry("a", expires=None, more=1), "there is no field 'more'"),
        ("alice", "must be an object, not 'alice'"),
        ([entry("a", "r")], "must be an object, not"),
        ({}, "the field 'user' is missing"),
    ],
)
def test_a_bad_entry_is_named_with_its_field(file, bad, reason):
    content = entries(entry("ok", "r"), entry("ok", "s", expires=None), bad, entry("ok", "t"))
    with pytest.raises(ReservationBackendError) as caught:
        backend(file, content).who_reserved("r")
    assert str(caught.value).startswith(f"Invalid reservation file {file}: reservations[2]: {reason}")


def test_a_field_given_twice_is_refused(file):
    with pytest.raises(ReservationBackendError, match=r"reservations\[0\]: the field 'user' stands twice"):
        backend(file, '{"version": 1, "reservations": [{"user": "a", "resources": ["r"], "user": "b"}]}').who_reserved(
            "r"
        )


@pytest.mark.parametrize("kind", ["missing", "directory", "pipe"])
def test_what_is_no_file_fails_at_once(file, kind):
    if kind == "directory":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    with pytest.raises(ReservationBackendError, match=f"^Failed to read reservation file {file}: "):
        JsonReservationBackend(path=file).who_reserved("x")


def test_a_file_that_goes_away_is_told(file):
    found = backend(file, entries())
    found.who_reserved("x")
    file.unlink()
    with pytest.raises(ReservationBackendError, match="Failed to read"):
        found.who_reserved("x")


class TestHowOftenItIsRead:
    @pytest.fixture
    def reads(self, monkeypatch):
        counted = []
        real = json_backend_module.read_regular
        monkeypatch.setattr(json_backend_module, "read_regular", lambda *a, **k: counted.append(1) or real(*a, **k))
        return counted

    def test_a_refusal_reads_the_file_once(self, file, reads):
        found = backend(file, entries(*(entry("bob", f"r{number}") for number in range(10))))
        with pytest.raises(MissingReservationError) as caught:
            check_reservations(Lab("demo", {f"r{number}" for number in range(10)}), "alice", found)
        assert str(caught.value).count("(held by bob)") == 10
        assert len(reads) == 1

    def test_a_changed_file_is_read_again(self, file, reads):
        found = backend(file, entries(entry("bob", "r")))
        assert found.who_reserved("r") == ["bob"]
        backend(file, entries(entry("carol", "r")))
        assert found.who_reserved("r") == ["carol"]
        os.replace(self.another(file), file)
        assert found.who_reserved("r") == ["dave1"]
        assert len(reads) == 3

    @staticmethod
    def another(file):
        other = file.with_name("other.json")
        other.write_text(json.dumps(entries(entry("dave1", "r"))))
        return other

    def test_a_hundred_thousand_entries_fit_into_a_hundred_megabytes(self, file):
        listed = (
            entry(f"u{number % 1000}", f"rack{number}-psu", expires="2126-01-01T00:00:00Z") for number in range(100_000)
        )
        file.write_text(json.dumps(entries(*listed)))
        code = (
            "import sys\n"
            "from bespeak.reservations.json_backend import JsonReservationBackend\n"
            "found = JsonReservationBackend(path=sys.argv[1])\n"
            "assert found.who_reserved('rack99999-psu') == ['u999']\n"
            "assert len(found.get_reserved_resources('u7')) == 100\n"
            "print(*(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
        )
        done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
        assert int(done.stdout) < 100 * 1024

    def test_nothing_is_read_before_the_first_question(self, file, reads):
        JsonReservationBackend("url is ignored", path=file).backend_name()
        assert reads == []
