"""Signing in with a browser: at a real provider (oidc-provider-mock), or with a token; and all that is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bespeak.access.tokens import hashed, new_token
from bespeak.host.secrets import Secret
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder
from bespeak.server.settings import ServerLimits, ServerSettings
from bespeak.server.sign_in.authenticator import COOKIES, SignIn
from bespeak.server.sign_in.browser import LOGIN_COOKIES, local_path
from bespeak.server.sign_in.settings import OidcSettings, SignInSettings
from support.server import SECONDS, serving

ROOT = Holder("root")
LOGIN_COOKIE = LOGIN_COOKIES[False][0]
PROVIDER = """
import sys, warnings
warnings.simplefilter("ignore")
from oidc_provider_mock import run_server_in_thread
with run_server_in_thread() as server:
    print(server.server_port, flush=True)
    sys.stdin.read()
"""


@contextmanager
def provider():
    """The mock provider, in a process of its own: its Flask makes warnings that fail tests."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", PROVIDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    try:
        yield f"http://localhost:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait(SECONDS)
        process.stdout.close()


@pytest.fixture(scope="module")
def issuer():
    with provider() as address:
        user = {"preferred_username": "alice", "groups": ["lab"]}
        httpx.put(f"{address}/users/alice", json=user, timeout=SECONDS).raise_for_status()
        httpx.put(f"{address}/users/odd", json={"preferred_username": "ci:x"}, timeout=SECONDS).raise_for_status()
        yield address


@pytest.fixture(scope="module")
def oidc(tmp_path_factory, issuer):
    place = tmp_path_factory.mktemp("secrets") / "client"
    place.write_text("secret-of-the-client\n")
    return OidcSettings(issuer, "book", Secret(f"file:{place}"), audiences=("book",), groups_claim="groups")


@pytest.fixture(scope="module")
def served(tmp_path_factory, oidc):
    settings = SignInSettings(oidc=oidc)
    with serving(str(tmp_path_factory.mktemp("served") / "book.db"), authenticator=SignIn(settings)) as running:
        yield running


@pytest.fixture
def browser(served):
    with httpx.Client(base_url=served.url, timeout=SECONDS) as client:
        yield client


def begin(browser, next_path="/"):
    """Go to the provider; return its address with all that the server asks for."""
    answer = browser.get("/auth/login", params={"next": next_path})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def at_provider(address, who="alice"):
    """Sign in at the provider; return the path and query that it sends the browser back to."""
    answer = httpx.post(address, data={"sub": who}, timeout=SECONDS)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def me(browser):
    return browser.get("/api/v1/me")


def test_somebody_signs_in_and_out(browser, served):
    address = begin(browser, "/mine?x=1")
    asked = {key: value[0] for key, value in parse_qs(urlsplit(address).query).items()}
    assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", "book", "S256")
    assert asked["redirect_uri"] == f"{served.url}/auth/callback"
    assert len(asked["state"]) == len(asked["nonce"]) == len(asked["code_challenge"]) == 43
    back = browser.get(at_provider(address))
    assert (back.status_code, back.headers["location"]) == (303, "/mine?x=1")
    said = back.headers.get_list("set-cookie")
    cookie = next(one for one in said if one.startswith(f"{COOKIES[1]}="))
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    found = me(browser).json()
    assert (found["user"], found["method"], found["groups"]) == ("alice", "session", ["lab"])
    word = browser.get("/auth/session").json()
    assert word["user"] == "alice"
    wanted = {"resources": ["rack1"], "duration": "1h"}
    assert browser.post("/api/v1/reservations", json=wanted).status_code == 401
    made = browser.post("/api/v1/reservations", json=wanted, headers={"X-CSRF-Token": word["csrf"]})
    assert made.status_code == 201
    secret = browser.cookies[COOKIES[1]]
    assert browser.post("/auth/logout").status_code == 401, "no page of ours asked for it"
    assert browser.post("/auth/logout", headers={"Origin": served.url}).status_code == 303
    assert me(browser).status_code == 401
    assert httpx.get(f"{served.url}/api/v1/me", cookies={COOKIES[1]: secret}, timeout=SECONDS).status_code == 401
    with open_ledger(served.book_url) as book:
        told = [entry.action.value for entry in book.log() if entry.who == "alice" and "browser" in str(entry.after)]
        rows = repr(book.engine.read(lambda tx: tx.fetch_all("SELECT * FROM access_sessions")))
    assert told[-2:] == ["signed_in", "signed_out"]
    assert secret not in rows


def test_over_tls_the_cookie_is_for_this_host_and_tls_only(tmp_path, oidc):
    settings = SignInSettings(oidc=oidc, url="https://book.example.com/")
    with (
        serving(str(tmp_path / "b"), authenticator=SignIn(settings)) as running,
        httpx.Client(base_url=running.url, timeout=SECONDS) as browser,
    ):
        answer = browser.get("/auth/login")
        assert "redirect_uri=https%3A%2F%2Fbook.example.com%2Fauth%2Fcallback" in answer.headers["location"]
        begun = answer.headers["set-cookie"]
        state = re.search("__Host-bespeak-login=([^;]+)", begun)[1]
        assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in begun.split(";")}
        back_at = at_provider(answer.headers["location"])
        planted = browser.get(back_at, headers={"Cookie": f"{LOGIN_COOKIE}={state}"})
        assert "not begun in this browser" in refused(planted), "another host of the domain can set this cookie"
        back = browser.get(back_at, headers={"Cookie": f"__Host-bespeak-login={state}"})
    cookie = next(one for one in back.headers.get_list("set-cookie") if one.startswith(f"{COOKIES[0]}="))
    assert COOKIES[0].startswith("__Host-")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "domain" not in cookie.lower()


def test_nobody_begins_sign_ins_without_end(tmp_path, oidc):
    settings = ServerSettings(limits=ServerLimits(failures_per_minute=1))
    path = str(tmp_path / "book.db")
    with serving(path, settings, authenticator=SignIn(SignInSettings(oidc=oidc))) as running:
        statuses = [httpx.get(f"{running.url}/auth/login", timeout=SECONDS).status_code for _ in range(5)]
        with open_ledger(path) as book:
            (kept,) = book.engine.read(lambda tx: tx.fetch_one("SELECT COUNT(*) FROM access_once"))
    assert (statuses[0], 429 in statuses) == (303, True)
    assert kept == statuses.count(303)


def test_a_new_session_for_whoever_signs_in(browser, served):
    def signed_in(given):
        back = at_provider(begin(browser))
        cookies = {LOGIN_COOKIE: parse_qs(urlsplit(back).query)["state"][0], COOKIES[1]: given}
        said = browser.get(back, headers={"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())})
        return said.cookies[COOKIES[1]]

    def status(secret):
        return httpx.get(f"{served.url}/api/v1/me", cookies={COOKIES[1]: secret}, timeout=SECONDS).status_code

    first = signed_in("chosen-by-somebody-else")
    assert (status("chosen-by-somebody-else"), status(first)) == (401, 200)
    second = signed_in(first)
    assert (status(first), status(second)) == (401, 200), "the session from before has ended"


def refused(answer):
    assert answer.status_code == 401, answer.text
    assert not any(one.startswith(COOKIES) for one in answer.headers.get_list("set-cookie"))
    return answer.text


def test_an_answer_counts_once_and_in_the_browser_that_began(browser, served):
    back = at_provider(begin(browser))
    with httpx.Client(base_url=served.url, timeout=SECONDS) as other:
        assert "not begun in this browser" in refused(other.get(back))
        begin(other)
        assert "not begun in this browser" in refused(other.get(back))
    assert browser.get(back).status_code == 303
    state = parse_qs(urlsplit(back).query)["state"][0]
    again = browser.get(back, headers={"Cookie": f"{LOGIN_COOKIE}={state}"})
    assert "took too long, or is over" in refused(again)


def test_answers_that_do_not_fit_are_refused(browser):
    def back_with(change, who="alice"):
        path, _, query = at_provider(begin(browser), who).partition("?")
        return browser.get(path, params={**{key: value[0] for key, value in parse_qs(query).items()}, **change})

    assert "refuses" in refused(back_with({"code": "made-up"}))
    assert "no code" in refused(back_with({"code": ""}))
    assert "another provider" in refused(back_with({"iss": "https://evil.example"}))
    assert "access_denied" in refused(back_with({"error": "access_denied"}))
    assert "not begun" in refused(back_with({"state": "x"}))
    assert "no name of a person" in refused(back_with({}, who="odd"))
    told = refused(back_with({"error": "<script>alert(1)</script>"}))
    assert "<script>" not in told


def test_a_code_of_another_sign_in_is_of_no_use(browser):
    other = parse_qs(urlsplit(at_provider(begin(browser))).query)["code"][0]
    path, _, query = at_provider(begin(browser)).partition("?")
    mixed = {**{key: value[0] for key, value in parse_qs(query).items()}, "code": other}
    told = refused(browser.get(path, params=mixed))
    assert "not made for this sign-in" in told or "refuses" in told, "by the nonce, or by the verifier of PKCE"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/mine", "/mine"),
        ("/timeline?day=1", "/timeline?day=1"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(text, path):
    assert local_path(text) == path


# With a token


@pytest.fixture
def alone(tmp_path):
    with (
        serving(str(tmp_path / "b"), authenticator=SignIn(SignInSettings())) as running,
        httpx.Client(base_url=running.url, timeout=SECONDS) as client,
    ):
        yield running, client


def test_where_there_is_no_provider_a_token_signs_a_browser_in(alone):
    running, browser = alone
    assert 'action="/auth/token"' in browser.get("/auth/login?next=/mine").text
    assert browser.get("/auth/methods").json() == {"token": True, "oidc": None}
    secret = new_token()
    with open_ledger(running.book_url) as book:
        made = book.token_create(ROOT, "bob", hashed(secret), scopes=("read",))
        form, here = {"token": secret, "next": "/mine"}, {"Origin": running.url}
        assert "another site" in browser.post("/auth/token", data=form).text
        assert "not known here" in browser.post("/auth/token", data={"token": new_token()}, headers=here).text
        evil = browser.post("/auth/token", data={"token": "x", "next": '"><script>'}, headers=here)
        assert (evil.status_code, "<script>" in evil.text) == (401, False)
        answer = browser.post("/auth/token", data=form, headers=here)
        assert (answer.status_code, answer.headers["location"]) == (303, "/mine")
        found = me(browser).json()
        assert (found["user"], found["method"], found["scopes"]) == ("bob", "session", ["read"])
        book.token_revoke(made.id, ROOT)
    assert me(browser).status_code == 401, "the session ends with its token"


def test_the_command_line_is_told_how_to_sign_in(browser, issuer):
    oidc = {"issuer": issuer, "client_id": "book", "scopes": ["openid", "profile", "email"]}
    assert browser.get("/auth/methods").json() == {"token": True, "oidc": oidc}
