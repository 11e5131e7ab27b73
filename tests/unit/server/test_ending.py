"""A server that is told to end: what was asked of it is answered, and nobody reads that a write failed that was done."""

from __future__ import annotations

import threading
from functools import wraps

import pytest

import bespeak.ledger.remote
import bespeak.server.api.calls  # noqa: F401 both read how methods are called, before a test changes any
from bespeak.ledger import open_ledger
from bespeak.ledger.service import Ledger
from bespeak.net.web import Ending
from bespeak.server import run
from support.server import serving

FOREVER_SECONDS = 600.0


class Blocked:
    """A method of the book that is held up until it is let go."""

    def __init__(self, monkeypatch, name):
        self.entered, self.go = threading.Event(), threading.Event()
        does = getattr(Ledger, name)

        @wraps(does)
        def blocked(*arguments, **options):
            self.entered.set()
            assert self.go.wait(FOREVER_SECONDS)
            return does(*arguments, **options)

        monkeypatch.setattr(Ledger, name, blocked)


@pytest.fixture
def asked(book_url):
    """Ask a server in another thread, and tell it to end when the method of the book is entered; return the answer."""

    def asked_(blocked, method, path, **options):
        answers = []

        def ask(client):
            with client:
                answers.append(client.request(method, path, **options))
            blocked.go.set()
            blocked.entered.set()  # also where the answer came without it

        with serving(book_url) as server:
            thread = threading.Thread(target=ask, args=(server.client("alice"),))
            thread.start()
            assert blocked.entered.wait(FOREVER_SECONDS)
        thread.join()
        return answers[0]

    return asked_


def test_a_write_that_is_under_way_is_answered(asked, book_url, monkeypatch):
    blocked, ends = Blocked(monkeypatch, "reserve"), Ending.end

    def end(ending):
        ends(ending)
        blocked.go.set()

    monkeypatch.setattr(run, "_GRACE_SECONDS", FOREVER_SECONDS)
    monkeypatch.setattr(Ending, "end", end)
    answer = asked(blocked, "POST", "/reservations", json={"resources": ["rack-1"], "duration": "10m"})
    assert answer.status_code == 201
    with open_ledger(book_url, durable=False) as ledger:
        assert [one.id for one in ledger.reservations()] == [answer.json()["id"]]


@pytest.mark.parametrize(
    ("method", "name", "path", "code"),
    [("POST", "reserve", "/reservations", "outcome_unknown"), ("GET", "who", "/who?resource=rack-1", "unavailable")],
)
def test_what_takes_too_long_is_told_what_is_known(asked, monkeypatch, method, name, path, code):
    monkeypatch.setattr(run, "_GRACE_SECONDS", 0.0)
    body = {"json": {"resources": ["rack-1"], "duration": "10m"}} if method == "POST" else {}
    answer = asked(Blocked(monkeypatch, name), method, path, **body)
    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert "the server is stopping" in answer.json()["detail"]


def test_a_stream_is_not_waited_for(book_url, monkeypatch):
    monkeypatch.setattr(run, "_GRACE_SECONDS", FOREVER_SECONDS)
    began, lines = threading.Event(), []

    def listen(client):
        with client, client.stream("GET", "/events") as answer:
            lines.append(answer.status_code)
            began.set()
            lines.extend(answer.iter_lines())

    with serving(book_url) as server:
        thread = threading.Thread(target=listen, args=(server.client("alice"),))
        thread.start()
        assert began.wait(FOREVER_SECONDS)
    thread.join()
    assert lines[0] == 200


def test_who_waits_in_line_is_not_waited_for(book_url, monkeypatch):
    monkeypatch.setattr(run, "_GRACE_SECONDS", FOREVER_SECONDS)
    asks, waits = {"resources": ["rack-1"], "duration": "10m"}, threading.Event()
    looks, answers = Ledger.queue_look, []

    @wraps(looks)
    def look(*arguments, **options):
        found = looks(*arguments, **options)
        waits.set()
        return found

    monkeypatch.setattr(Ledger, "queue_look", look)

    def wait(client):
        with client:
            answers.append(client.post("/reservations", json={**asks, "queue": True}, headers={"Prefer": "wait=60"}))
        waits.set()  # also where nobody waits

    with serving(book_url) as server:
        with server.client("bob") as bob:
            assert bob.post("/reservations", json=asks).status_code == 201
        thread = threading.Thread(target=wait, args=(server.client("alice"),))
        thread.start()
        assert waits.wait(FOREVER_SECONDS)
    thread.join()
    assert (answers[0].status_code, answers[0].json()["code"]) == (503, "outcome_unknown")
