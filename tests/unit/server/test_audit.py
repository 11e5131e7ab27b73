"""The log has a row for each token, right and sign-in, whichever door it came through; and none for what was refused."""

from __future__ import annotations

import ipaddress
import os
import pwd
import re

import httpx
import pytest

from bespeak.access.tokens import hashed, new_token
from bespeak.base.errors import NotAllowedError
from bespeak.base.http_url import parse_http_url
from bespeak.client.requests import Requests
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder
from bespeak.ledger.remote import RemoteLedger
from bespeak.server.sign_in.authenticator import SignIn
from bespeak.server.sign_in.settings import SignInSettings
from support.server import SECONDS, Bearer, serving

ROOT = Holder("root")
ISSUER = "https://gitlab.example.com"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server, its book, and tokens of root, who administers it, and of Alice, who does not."""
    path = str(tmp_path_factory.mktemp("served") / "book.db")
    with serving(path, authenticator=SignIn(SignInSettings())) as running, open_ledger(path) as book:
        book.rights_grant("root", "admin", ROOT)
        book.rights_grant("alice", "booker", ROOT)
        secrets = {}
        for user, scopes in (("root", ("read", "book", "manage", "admin")), ("alice", ("read", "book"))):
            secrets[user] = new_token()
            book.token_create(ROOT, user, hashed(secrets[user]), scopes=scopes)
        yield running, book, secrets


def rows_of(book, work):
    """Do something; return the action and the actor of each row that it left."""
    before = book.log_rows(0, 1_000)[0][-1].seq
    work()
    return [(entry.action.value, entry.who) for entry in book.log_rows(before, 100)[0]]


@pytest.fixture(params=["file", "server"])
def as_user(request, served):
    """Open the book as somebody, through the file and through the server."""
    running, book, secrets = served
    opened = []

    def open_as(user):
        if request.param == "file":
            return book
        opened.append(RemoteLedger(Requests(parse_http_url(running.url), Bearer(secrets[user]))))
        return opened[-1]

    yield open_as
    for one in opened:
        one.close()


def test_each_change_of_tokens_and_rights_leaves_a_row(served, as_user):
    book, root = served[1], as_user("root")
    made = {}

    def everything():
        made["token"] = root.token_create(ROOT, "carol", hashed(new_token()))
        made["rule"], _ = root.rights_grant("carol", "viewer", ROOT)
        made["mapping"] = root.rights_map(ISSUER, (("project_path", "org/x"),), "ci:org-x", "booker", ROOT)
        root.rights_group("bringup", ROOT, add=("carol",))
        root.rights_group("bringup", ROOT, remove=("carol",))
        root.token_revoke(made["token"].id, ROOT)
        root.rights_revoke(made["rule"].id, ROOT)
        root.rights_revoke(made["mapping"].id, ROOT)

    actions = (
        "token_created right_granted workload_mapped group_changed group_changed token_revoked right_revoked "
        "workload_unmapped"
    )
    assert rows_of(book, everything) == [(action, "root") for action in actions.split()]


def test_what_is_refused_leaves_none(served, as_user):
    book, alice, by = served[1], as_user("alice"), Holder("alice")

    def everything():
        for refused in (
            lambda: alice.token_create(by, "alice", hashed(new_token())),
            lambda: alice.rights_grant("alice", "admin", by),
            lambda: alice.rights_group("bringup", by, add=("alice",)),
            lambda: alice.rights_map(ISSUER, (("project_path", "org/x"),), "ci:org-x", "booker", by),
        ):
            with pytest.raises(NotAllowedError):
                refused()

    assert rows_of(book, everything) == []


def test_the_buttons_of_the_administrators_page_leave_a_row_each(served):
    running, book, secrets = served
    token = book.token_create(ROOT, "carol", hashed(new_token()))
    headers = {"Authorization": f"Bearer {secrets['root']}"}
    with httpx.Client(base_url=running.url, headers=headers, timeout=SECONDS) as browser:
        csrf = re.search(r'name="csrf" value="([0-9a-f]*)"', browser.get("/admin").text)

        def press(do, **fields):
            answer = browser.post("/act", data={"csrf": csrf.group(1), "do": do, **fields})
            assert answer.status_code == 303, answer.text

        def everything():
            press("rights-grant:new", principal="dora", role="viewer")
            rule = next(one for one in book.rights_list().rules if one.principal == "user:dora")
            press(f"rights-revoke:{rule.id}")
            press(f"token-revoke:{token.id}")

        assert rows_of(book, everything) == [
            (one, "root") for one in ("right_granted", "right_revoked", "token_revoked")
        ]


def test_a_browser_that_signs_in_with_a_token_and_out_leaves_a_row_each(served):
    running, book, secrets = served
    with httpx.Client(base_url=running.url, timeout=SECONDS, headers={"Origin": running.url}) as browser:

        def in_and_out():
            assert browser.post("/auth/token", data={"token": secrets["alice"]}).status_code == 303
            assert browser.post("/auth/logout").status_code == 303

        assert rows_of(book, in_and_out) == [("signed_in", "alice"), ("signed_out", "alice")]

        def guess():
            assert browser.post("/auth/token", data={"token": new_token()}).status_code == 401

        assert rows_of(book, guess) == []


def test_who_comes_by_the_socket_or_by_a_proxys_header_leaves_one_row_a_day(tmp_path):
    path = str(tmp_path / "book.db")
    proxies = (ipaddress.ip_network("127.0.0.0/8"),)
    settings = SignInSettings(proxy_user_header="x-user", proxies=proxies)
    with serving(path, authenticator=SignIn(settings)) as running, open_ledger(path) as book:
        book.resource_set("rack1", ROOT)

        def come():
            with running.client() as account:
                assert [account.get("/me").json()["method"] for _ in range(3)] == ["peer"] * 3
            for name in ("alice", "bob", "alice"):
                headers = {"X-User": name}
                assert httpx.get(f"{running.url}/api/v1/me", headers=headers, timeout=SECONDS).json()["holder"] == name

        me = pwd.getpwuid(os.geteuid()).pw_name
        assert rows_of(book, come) == [("signed_in", one) for one in (me, "alice", "bob")]
        assert "proxy 127.0.0.1" in str(book.log(newest_first=True, limit=1)[0].after)
