"""Attacks on a browser's session, on links and on what stays open, each with the smallest request that once worked."""

from __future__ import annotations

import logging
from contextlib import ExitStack

import httpx
import pytest

from bespeak.access.tokens import hashed, new_token
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder
from bespeak.server.middleware import is_address, is_utf8
from bespeak.server.settings import ServerLimits, ServerSettings
from bespeak.server.sign_in.authenticator import COOKIES, SignIn
from bespeak.server.sign_in.settings import SignInSettings
from bespeak.web import csrf
from support.server import SECONDS, serving


@pytest.mark.parametrize(
    "path",
    [
        *("/resource/%ff", "/reservation/%c3", "/calendar/%ff.ics", "/now?only=%ff", "/%ed%a0%80"),
        *("/api/v1/resources/%ff", "/api/v1/who?resource=%ff", "/api/v1/free?resource=a&resource=%fe"),
    ],
)
def test_an_address_that_is_no_text_is_refused(server, alice, path):
    answer = httpx.get(server.url + path, headers=alice.headers, timeout=SECONDS)
    assert answer.status_code == 400, answer.text
    assert "is no percent-encoded UTF-8" in answer.json()["detail"]


def test_a_name_with_bytes_that_are_no_text_makes_no_resource(server, alice):
    refused = httpx.put(f"{server.url}/api/v1/resources/%ff", json={}, headers=alice.headers, timeout=SECONDS)
    assert refused.status_code == 400
    assert "\ufffd" not in str(alice.get("/resources").json())
    assert alice.get("/who", params={"resource": "r\u00e4ck"}).status_code == 200


def test_a_form_that_is_no_text_is_refused(server, alice):
    headers = {**alice.headers, "Content-Type": "application/x-www-form-urlencoded"}
    answer = httpx.post(f"{server.url}/act", content=b"do=reserve:%ff", headers=headers, timeout=SECONDS)
    assert (answer.status_code, "UTF-8" in answer.text) == (400, True)


def test_percent_encoding_is_read_as_utf8():
    assert is_utf8(b"/plain")
    assert is_utf8(b"/r%C3%A4ck")
    assert is_utf8("/räck".encode())
    assert not any(map(is_utf8, (b"/%ff", b"/\xff", b"%ed%a0%80", b"%c3")))


@pytest.mark.parametrize("host", ["fe80::1%evil.example", '[fe80::1%"><b>]', "[::1%25x]:80"])
def test_a_host_is_no_address_with_any_text_behind_it(server, host):
    assert not is_address(host)
    assert httpx.get(f"{server.url}/healthz", headers={"Host": host}, timeout=SECONDS).status_code == 421


@pytest.mark.parametrize("path", ["/now/", "/api/v1/resources/", "/auth/login/", "//evil.example/"])
def test_no_answer_leads_to_the_host_that_a_request_names(server, alice, path):
    headers = {**alice.headers, "Host": "203.0.113.9"}
    answer = httpx.get(server.url + path, headers=headers, timeout=SECONDS)
    assert (answer.status_code, answer.headers.get("location")) == (404, None)


def test_a_calendar_has_the_address_that_the_settings_say(tmp_path):
    path, secret = str(tmp_path / "book.db"), new_token()
    settings = SignInSettings(url="https://book.example.com/")
    with open_ledger(path) as book:
        book.token_create(Holder("alice"), "alice", hashed(secret))
    with (
        serving(path, authenticator=SignIn(settings)) as server,
        httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {secret}"}, timeout=SECONDS) as browser,
    ):
        page = browser.get("/mine").text
        word = page.partition('name="csrf" value="')[2].partition('"')[0]
        said = browser.post("/act", data={"csrf": word, "do": "calendar:all"}, headers={"Bespeak-Fragment": "1"})
    assert "https://book.example.com/calendar/" in said.text, said.text


def test_over_tls_no_form_comes_from_a_page_that_came_without_it():
    headers = {"host": "book.example.com", "origin": "http://book.example.com"}
    assert csrf.from_here(headers, secure=False)
    assert not csrf.from_here(headers, secure=True)
    assert csrf.from_here(headers | {"origin": "https://book.example.com"}, secure=True)


def test_who_guesses_the_addresses_of_calendars_is_slowed_down_and_nobody_else(tmp_path):
    settings = ServerSettings(limits=ServerLimits(failures_per_minute=1))
    with serving(str(tmp_path / "book.db"), settings) as server, server.client("alice") as alice:
        path = alice.post("/calendars", json={"shows": "all"}).json()["path"]

        def status(address):
            return httpx.get(server.url + address, timeout=SECONDS).status_code

        statuses = [status(f"/calendar/{number}.ics") for number in range(5)]
        assert (statuses[0], 429 in statuses) == (404, True)
        assert status(path) == 200


def test_who_guesses_tokens_in_the_form_is_slowed_down_and_nobody_else(tmp_path):
    path, secret = str(tmp_path / "book.db"), new_token()
    with open_ledger(path) as book:
        book.token_create(Holder("alice"), "alice", hashed(secret))
    settings = ServerSettings(limits=ServerLimits(failures_per_minute=1))
    with serving(path, settings, authenticator=SignIn(SignInSettings())) as server:

        def status(token):
            headers = {"Origin": server.url}
            return httpx.post(
                f"{server.url}/auth/token", data={"token": token}, headers=headers, timeout=SECONDS
            ).status_code

        statuses = [status(new_token()) for _ in range(5)]
        assert (statuses[0], 429 in statuses) == (401, True)
        assert status(secret) == 303


def test_the_address_of_a_calendar_is_not_in_the_access_log(tmp_path, caplog):
    with (
        caplog.at_level(logging.INFO, "bespeak.access"),
        serving(str(tmp_path / "book.db")) as server,
        server.client("alice") as alice,
    ):
        path = alice.post("/calendars", json={"shows": "all"}).json()["path"]
        assert httpx.get(server.url + path, timeout=SECONDS).status_code == 200
    told = [record.getMessage() for record in caplog.records if record.name == "bespeak.access"]
    assert any("/calendar/... 200" in line for line in told), told
    assert not any(path.rpartition("/")[2].removesuffix(".ics") in line for line in told)


def test_wake_ups_and_streams_of_agents_are_counted_as_streams_are(tmp_path):
    settings = ServerSettings(limits=ServerLimits(connections=64))
    with serving(str(tmp_path / "book.db"), settings) as server, ExitStack() as opened:

        def opens(path, user):
            headers = {"Authorization": f"Bearer {user}", "Accept": "text/event-stream"}
            client = opened.enter_context(httpx.Client(base_url=server.url, headers=headers, timeout=SECONDS))
            return opened.enter_context(client.stream("GET", path)).status_code

        statuses = [opens("/api/v1/wakeups?topic=resource:rack1", "alice") for _ in range(18)]
        assert statuses == [200] * 16 + [503] * 2
        assert opens("/mcp", "alice") == opens("/api/v1/events", "alice") == 503
        assert opens("/api/v1/wakeups?topic=resource:rack1", "bob") == 200


def test_a_cookie_of_plain_http_is_none_where_browsers_come_over_tls(tmp_path):
    path, secret = str(tmp_path / "book.db"), new_token()
    with open_ledger(path) as book:
        book.token_create(Holder("alice"), "alice", hashed(secret))
    with serving(path, authenticator=SignIn(SignInSettings(url="https://book.example.com"))) as server:

        def signed_in(origin):
            return httpx.post(
                f"{server.url}/auth/token",
                data={"token": secret},
                headers={"Host": "203.0.113.9", "Origin": origin},
                timeout=SECONDS,
            )

        refused = signed_in("http://203.0.113.9")
        assert (refused.status_code, refused.headers.get("set-cookie")) == (401, None)
        session = signed_in("https://203.0.113.9").headers["set-cookie"].partition(";")[0].partition("=")[2]

        def status(name):
            cookie = {"Cookie": f"{name}={session}"}
            return httpx.get(f"{server.url}/api/v1/me", headers=cookie, timeout=SECONDS).status_code

        assert [status(name) for name in COOKIES] == [200, 401]
