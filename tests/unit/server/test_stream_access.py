"""An open stream ends with the credential that it was begun with, and with the right to what it tells."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager

import httpx
import pytest

from bespeak.access import sessions
from bespeak.access.model import Caller
from bespeak.access.tokens import hashed, new_token
from bespeak.base.clock import HOUR_US
from bespeak.base.errors import NotAllowedError
from bespeak.base.http_url import parse_http_url
from bespeak.base.ids import new_id
from bespeak.client.requests import Requests
from bespeak.client.wakeups import WakeUps
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.queue_rights import check_own_place
from bespeak.server.settings import ServerLimits, ServerSettings
from bespeak.server.sign_in.authenticator import COOKIES, SignIn
from bespeak.server.sign_in.settings import SignInSettings
from support.server import SECONDS, Bearer, serving

ROOT = Holder("root")
STREAMS = ("/api/v1/events", "/api/v1/wakeups?topic=resource:rack1", "/live")
NEVER = 3600.0
"""Seconds between two looks at a credential where nothing but a row of the log may bring one about."""
MOST_LINES = 2_000
"""A stream that tells more has not ended."""


@contextmanager
def served(folder, alive_seconds):
    settings = ServerSettings(limits=ServerLimits(alive_seconds=alive_seconds))
    path = str(folder / "book.db")
    with serving(path, settings, authenticator=SignIn(SignInSettings())) as running, open_ledger(path) as book:
        book.rights_grant("root", "admin", ROOT)
        book.rights_grant("alice", "booker", ROOT)
        yield running, book


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """A server that looks at the credentials of streams when a row of the log says so, and its book."""
    with served(tmp_path_factory.mktemp("patient"), NEVER) as found:
        yield found


@pytest.fixture(scope="module")
def ticking(tmp_path_factory):
    """A server that looks at the credentials of streams all the time, and its book."""
    with served(tmp_path_factory.mktemp("ticking"), 0.05) as found:
        yield found


def token(book):
    secret = new_token()
    return book.token_create(ROOT, "alice", hashed(secret)), {"Authorization": f"Bearer {secret}"}


def session(book):
    """Begin a session of Alice, and return the cookie."""
    secret = sessions.new_secret()
    until = book.now_us() + HOUR_US
    book.engine.transact([], lambda tx: sessions.begin(tx, secret, "alice", (), until))
    return secret, {"Cookie": f"{COOKIES[1]}={secret}"}


@contextmanager
def stream(server, path, headers):
    """Open a stream, and wait for its first line."""
    with httpx.stream("GET", server.url + path, headers=headers, timeout=SECONDS) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert next(lines) in ("alive", "retry: 1000")
        yield lines


def rest(lines):
    """Return what a stream tells until it ends."""
    found = []
    for line in lines:
        found.append(line)
        assert len(found) < MOST_LINES, "the stream goes on"
    return found


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_ends_as_soon_as_its_token_is_revoked_and_tells_nothing_more(patient, path):
    server, book = patient
    made, headers = token(book)
    with stream(server, path, headers) as lines:
        book.token_revoke(made.id, ROOT)
        book.reserve(Request(("rack1",), ROOT, duration_us=HOUR_US))
        told = rest(lines)
    book.release_mine(ROOT)
    assert not [line for line in told if "rack1" in line]
    assert httpx.get(server.url + path, headers=headers, timeout=SECONDS).status_code == 401


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_ends_when_its_token_has_expired(ticking, path):
    server, book = ticking
    made, headers = token(book)
    over = {"id": made.id, "now": book.now_us()}
    with stream(server, path, headers) as lines:
        book.engine.transact(
            [], lambda tx: tx.execute("UPDATE access_tokens SET expires_us = :now WHERE id = :id", over)
        )
        rest(lines)


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_ends_as_soon_as_its_session_is_signed_out(patient, path):
    server, book = patient
    _, cookie = session(book)
    with stream(server, path, cookie) as lines:
        same = {"Origin": server.url, "Sec-Fetch-Site": "same-origin", **cookie}
        assert httpx.post(server.url + "/auth/logout", headers=same, timeout=SECONDS).status_code == 303
        rest(lines)


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_ends_when_its_session_is_over(ticking, path):
    server, book = ticking
    secret, cookie = session(book)
    with stream(server, path, cookie) as lines:
        book.engine.transact([], lambda tx: sessions.end(tx, secret))
        rest(lines)


def test_other_streams_go_on_when_a_token_is_revoked(patient):
    server, book = patient
    made, _ = token(book)
    _, headers = token(book)
    with stream(server, STREAMS[0], headers) as lines:
        book.token_revoke(made.id, ROOT)
        book.reserve(Request(("rack5",), ROOT, duration_us=HOUR_US))
        assert any('"rack5"' in line for line in lines)


def test_nobody_is_woken_any_more_for_what_it_may_no_longer_look_at(patient):
    server, book = patient
    rule, _ = book.rights_grant("bob", "viewer", ROOT, selector="rack*")
    secret = new_token()
    book.token_create(ROOT, "bob", hashed(secret))
    headers = {"Authorization": f"Bearer {secret}"}
    with stream(server, STREAMS[1], headers) as lines:
        book.rights_revoke(rule.id, ROOT)
        rest(lines)
    assert httpx.get(server.url + STREAMS[1], headers=headers, timeout=SECONDS).status_code == 403


def test_an_open_page_hears_nothing_of_what_it_may_no_longer_look_at(patient):
    server, book = patient
    secret = new_token()
    book.token_create(ROOT, "carol", hashed(secret))
    book.rights_grant("carol", "viewer", ROOT, selector="desk*")
    rule, _ = book.rights_grant("carol", "viewer", ROOT, selector="shelf*")
    headers = {"Authorization": f"Bearer {secret}"}
    with stream(server, "/live", headers) as lines:
        told = (json.loads(line[6:]) for line in lines if line.startswith("data: ["))
        book.reserve(Request(("shelf1",), ROOT, duration_us=HOUR_US))
        assert next(told) == ["shelf1"]
        book.rights_revoke(rule.id, ROOT)
        for name in ("shelf2", "desk1"):
            book.reserve(Request((name,), ROOT, duration_us=HOUR_US))
        assert next(told) == ["desk1"]


@contextmanager
def waiting(server, book, name, headers):
    """Have somebody wait in line for what root has; yield what comes of it once the place is there."""
    book.reserve(Request((name,), ROOT, duration_us=HOUR_US))
    answers = []

    def wait():
        wanted = {"resources": [name], "duration": "1h", "queue": True}
        url = f"{server.url}/api/v1/reservations"
        answers.append(httpx.post(url, json=wanted, headers={**headers, "Prefer": "wait=60"}, timeout=SECONDS * 2))

    waiter = threading.Thread(target=wait)
    with stream(server, STREAMS[0], token(book)[1]) as lines:
        waiter.start()
        assert any(f'"{name}"' in line for line in lines)
    yield answers
    waiter.join()


def test_who_waits_in_line_is_told_that_the_token_has_ended(patient):
    server, book = patient
    made, headers = token(book)
    with waiting(server, book, "rack7", headers) as answers:
        book.token_revoke(made.id, ROOT)
    assert (answers[0].status_code, answers[0].json()["code"]) == (401, "not_signed_in")


def test_a_place_in_line_is_kept_no_longer_for_who_may_not_reserve_there_any_more(patient):
    server, book = patient
    rule, _ = book.rights_grant("dave", "booker", ROOT, selector="rack*")
    secret = new_token()
    book.token_create(ROOT, "dave", hashed(secret))
    with waiting(server, book, "rack8", {"Authorization": f"Bearer {secret}"}) as answers:
        book.rights_revoke(rule.id, ROOT)
    assert (answers[0].status_code, answers[0].json()["code"]) == (403, "not_allowed")


def test_nobody_has_a_place_of_somebody_else_kept(patient):
    server, book = patient
    book.reserve(Request(("rack10",), ROOT, duration_us=HOUR_US))
    place = book.queue_join(Request(("rack10",), Holder("alice"), duration_us=HOUR_US), new_id())
    book.rights_grant("eve", "booker", ROOT)
    secret = new_token()
    book.token_create(ROOT, "eve", hashed(secret))
    url = f"{server.url}/api/v1/reservations/{place.id}"
    headers = {"Authorization": f"Bearer {secret}", "Prefer": "wait=60"}
    seen = httpx.get(url, headers=headers, timeout=SECONDS)
    assert (seen.status_code, "Preference-Applied" in seen.headers) == (200, False)
    assert book.get(place.id).lease_us == place.lease_us
    with pytest.raises(NotAllowedError, match="alice's"):
        check_own_place(book.as_caller(Caller("eve", "user", "token")), place.id)


def test_the_stream_of_an_agent_ends_with_its_token(patient):
    server, book = patient
    made, headers = token(book)
    headers["Accept"] = "application/json, text/event-stream"
    about = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}
    answer = httpx.post(f"{server.url}/mcp", json=hello, headers=headers, timeout=SECONDS)
    headers["Mcp-Session-Id"] = answer.headers["Mcp-Session-Id"]
    with httpx.stream("GET", f"{server.url}/mcp", headers=headers, timeout=SECONDS) as open_stream:
        assert open_stream.status_code == 200
        book.token_revoke(made.id, ROOT)
        rest(open_stream.iter_lines())


def test_a_sleeper_wakes_when_its_token_is_revoked_so_that_whoever_looks_is_told(patient):
    server, book = patient
    made, headers = token(book)
    sleeper = WakeUps(
        Requests(parse_http_url(server.url), Bearer(headers["Authorization"].partition(" ")[2])), ["resource:rack9"]
    )
    try:
        book.token_revoke(made.id, ROOT)
        assert sleeper.wait(SECONDS)
    finally:
        sleeper.close()
