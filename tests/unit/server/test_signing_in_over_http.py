"""Signing in as clients see it: the real server, its middleware and the credentials of a request."""

from __future__ import annotations

import ipaddress
import os
import pwd

import httpx
import pytest

from bespeak.access.tokens import hashed, new_token
from bespeak.base.clock import HOUR_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.remote_gate import open_remote_gate
from bespeak.server.sign_in.authenticator import SignIn
from bespeak.server.sign_in.settings import SignInSettings
from support.server import SECONDS, serving

ROOT = Holder("root")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    book = str(tmp_path_factory.mktemp("served") / "book.db")
    proxy = SignInSettings(proxy_user_header="x-user", proxies=(ipaddress.ip_network("127.0.0.0/8"),))
    with serving(book, authenticator=SignIn(proxy)) as running:
        yield running


def token(served, **more):
    secret = new_token()
    with open_ledger(served.book_url) as book:
        return secret, book.token_create(ROOT, "alice", hashed(secret), **more)


def ask(served, path, method="GET", headers=(), **more):
    return httpx.request(method, f"{served.url}/api/v1{path}", headers=headers, timeout=SECONDS, **more)


def test_without_a_credential_nothing_is_answered(served):
    answer = ask(served, "/reservations")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_with_a_token_it_is_answered_until_the_token_is_revoked(served):
    secret, made = token(served)
    headers = {"Authorization": f"Bearer {secret}"}
    me = ask(served, "/me", headers=headers).json()
    assert (me["user"], me["method"], me["scopes"]) == ("alice", "token", ["book", "coord", "mcp", "read"])
    wanted = {"resources": ["rack1"], "duration": "1h"}
    assert ask(served, "/reservations", "POST", headers, json=wanted).status_code == 201
    with open_ledger(served.book_url) as book:
        book.token_revoke(made.id, ROOT)
    refused = ask(served, "/me", headers=headers)
    assert (refused.status_code, refused.json()["detail"]) == (401, f"token {made.id} was revoked")
    assert secret not in refused.text


def test_the_account_of_the_unix_socket_needs_no_token(served):
    with served.client() as client:
        me = client.get("/me").json()
    assert (me["user"], me["method"]) == (pwd.getpwuid(os.getuid()).pw_name, "peer")


def test_the_header_of_a_proxy_said_twice_is_refused(served):
    assert ask(served, "/me", headers={"X-User": "carol"}).json()["user"] == "carol"
    twice = ask(served, "/me", headers=[("X-User", "carol"), ("X-User", "ci:x")])
    assert (twice.status_code, twice.json()["code"]) == (401, "not_signed_in")


def test_a_right_that_a_caller_has_not_is_refused_with_the_reason(served):
    secret, _ = token(served, scopes=("read",))
    answer = ask(
        served,
        "/reservations",
        "POST",
        {"Authorization": f"Bearer {secret}"},
        json={"resources": ["r"], "duration": "1h"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert "has not the scope book" in answer.json()["detail"]


def test_nobody_acts_for_others_without_the_right_to(served):
    secret, _ = token(served)
    headers = {"Authorization": f"Bearer {secret}", "Bespeak-As-User": "bob"}
    answer = ask(served, "/reservations", "POST", headers, json={"resources": ["rack9"], "duration": "1h"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_a_stream_of_events_shows_what_its_caller_may_see(tmp_path):
    secret = new_token()
    with (
        serving(str(tmp_path / "b"), authenticator=SignIn(SignInSettings())) as running,
        open_ledger(running.book_url) as book,
    ):
        book.token_create(ROOT, "alice", hashed(secret))
        book.rights_grant("alice", "viewer", ROOT, selector="rack*")
        for name in ("board1", "rack1"):
            book.reserve(Request((name,), ROOT, duration_us=HOUR_US))
        headers = {"Authorization": f"Bearer {secret}"}
        path = f"{running.url}/api/v1/events?after=0"
        with httpx.stream("GET", path, headers=headers, timeout=SECONDS) as answer:
            lines = answer.iter_lines()
            assert '"rack1"' in next(line for line in lines if line.startswith("data:"))
            rule, _ = book.rights_grant("alice", "viewer", ROOT, selector="board*")
            book.reserve(Request(("board2",), ROOT, duration_us=HOUR_US))
            assert '"board2"' in next(line for line in lines if line.startswith("data:"))
            book.rights_revoke(rule.id, ROOT)
            for name in ("board3", "rack3"):
                book.reserve(Request((name,), ROOT, duration_us=HOUR_US))
            assert '"rack3"' in next(line for line in lines if line.startswith("data:"))


def test_a_token_without_the_scope_has_no_tools_and_no_claims(served):
    secret, _ = token(served, scopes=("read", "book"))
    headers = {"Authorization": f"Bearer {secret}"}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    tools = httpx.post(f"{served.url}/mcp", json=hello, headers=headers, timeout=SECONDS)
    assert (tools.status_code, tools.json()["detail"]) == (403, "the token of alice has not the scope mcp")
    claims = ask(served, "/call/claims.now", "POST", headers, json={})
    assert (claims.status_code, claims.json()["detail"]) == (403, "the token of alice has not the scope coord")


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A server on which Alice may look at racks only, and holds a board that Bob has reserved for her before."""
    secret = new_token()
    path = str(tmp_path_factory.mktemp("shown") / "book.db")
    with serving(path, authenticator=SignIn(SignInSettings())) as running, open_ledger(path) as book:
        book.token_create(ROOT, "alice", hashed(secret))
        book.rights_grant("root", "admin", ROOT)
        book.rights_grant("alice", "viewer", ROOT, selector="rack*")
        for holder, name in ((ROOT, "board1"), (ROOT, "rack1"), (Holder("alice", "root"), "board2")):
            book.reserve(Request((name,), holder, duration_us=HOUR_US))
        yield running, {"Authorization": f"Bearer {secret}"}, book


GATE_OF_OTHERS = {
    "ask": {"username": "alice", "resources": ["board1"], "within": None},
    "held_among": {"username": "root", "resources": ["board1"], "within": None},
    "holdings": {"username": "alice", "resources": ["board1"], "within": None},
    "fences": {"username": "root", "resources": ["board1"], "within": None},
    "next_free": {"resources": ["board1"]},
    "holders_of": {"resource": "board1"},
}


@pytest.mark.parametrize("name", GATE_OF_OTHERS)
def test_the_gate_tells_nothing_of_what_its_caller_may_not_look_at(shown, name):
    server, headers, _ = shown
    refused = ask(server, f"/call/gate.{name}", "POST", headers, json=GATE_OF_OTHERS[name])
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert "root" not in refused.text
    said = {key: value for key, value in GATE_OF_OTHERS[name].items() if key.startswith("resource")}
    seen = {key: ["rack1"] if isinstance(value, list) else "rack1" for key, value in said.items()}
    assert ask(server, f"/call/gate.{name}", "POST", headers, json=GATE_OF_OTHERS[name] | seen).status_code == 200


def test_the_gate_tells_a_caller_what_it_holds_itself_and_lists_nothing_hidden(shown):
    server, headers, _ = shown

    def gate(name, **arguments):
        return ask(server, f"/call/gate.{name}", "POST", headers, json=arguments).json()["result"]

    assert gate("ask", username=None, resources=["board2"], within=None)["held"] == ["board2"]
    assert gate("held_by", username="alice", within=None) == ["board2"]
    assert gate("held_by", username="root", within=None) == ["rack1"]
    assert [name for name, *_ in gate("windows_of", username="root", within=None)] == ["rack1"]
    assert gate("all_holders") == ["alice"]


@pytest.mark.parametrize("topic", ["resource:board1", "reservation:", "coord:r"])
def test_nobody_is_woken_for_what_it_may_not_look_at(shown, topic):
    server, headers, book = shown
    if topic == "reservation:":
        topic += next(one.id for one in book.reservations() if one.resources == ("board1",))
    if topic == "coord:r":
        secret = new_token()
        book.token_create(ROOT, "alice", hashed(secret), scopes=("read", "book"))
        headers = {"Authorization": f"Bearer {secret}"}
    refused = ask(server, "/wakeups", headers=headers, params={"topic": topic})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


def test_a_caller_is_woken_for_what_it_may_look_at(shown):
    server, headers, book = shown
    own = next(one.id for one in book.reservations() if one.resources == ("board2",))
    topics = [("topic", "resource:rack1"), ("topic", f"reservation:{own}"), ("topic", "*")]
    with httpx.stream("GET", f"{server.url}/api/v1/wakeups", params=topics, headers=headers, timeout=SECONDS) as answer:
        assert next(answer.iter_lines()) == "alive"


def test_the_gate_of_a_server_leaves_a_sign_of_life(shown):
    server, _, book = shown
    made = book.reserve(Request(("rack9",), Holder(pwd.getpwuid(os.getuid()).pw_name), duration_us=HOUR_US))
    gate = open_remote_gate(f"unix://{server.socket}")
    try:
        gate.sign_of_life([made.id])
    finally:
        gate.close()
    assert book.get(made.id).gate_seen_us is not None
