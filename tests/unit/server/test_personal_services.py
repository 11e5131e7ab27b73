"""Calendar links and notices of whoever calls a server: the same methods as on a file, each in the caller's own name."""

from __future__ import annotations

import httpx
import pytest

from bespeak.access.tokens import hashed, new_token
from bespeak.base.clock import HOUR_US
from bespeak.base.errors import NotAllowedError, NotFoundError, UsageError
from bespeak.base.http_url import parse_http_url
from bespeak.client.requests import Requests
from bespeak.integrations import calendar_links
from bespeak.integrations.calendar_links import Shows
from bespeak.integrations.calendar_service import calendar_links_in
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.remote import RemoteLedger
from bespeak.notices import store
from bespeak.notices.model import Channel, Kind
from bespeak.notices.service import notices_in
from bespeak.server.sign_in.authenticator import SignIn
from bespeak.server.sign_in.settings import SignInSettings
from support.server import SECONDS, Bearer, serving

ROOT = Holder("root")
ALICE = Holder("alice")
HOOK = "https://hooks.example.com/lab"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server, and its book."""
    path = str(tmp_path_factory.mktemp("served") / "book.db")
    with serving(path, authenticator=SignIn(SignInSettings())) as running, open_ledger(path) as book:
        book.rights_grant("root", "admin", ROOT)
        book.rights_grant("alice", "booker", ROOT)
        book.rights_grant("boss", "manager", ROOT)
        yield running, book


@pytest.fixture
def distant(served):
    """Open the book from the other side, with a token of somebody."""
    opened = []

    def open_as(user, **limits):
        secret = new_token()
        served[1].token_create(ROOT, user, hashed(secret), **limits)
        opened.append(RemoteLedger(Requests(parse_http_url(served[0].url), Bearer(secret))))
        return opened[-1]

    yield open_as
    for one in opened:
        one.close()


def test_a_calendar_link_is_made_on_the_server_which_never_sees_its_secret_again(served, distant):
    running, book = served
    book.reserve(Request(("rack1",), ALICE, duration_us=HOUR_US))
    links, secret = calendar_links_in(distant("alice")), calendar_links.new_secret()
    made = links.make(ALICE, calendar_links.hashed(secret), Shows.USER)
    assert links.links(ALICE) == [made] == calendar_links.links(book, "alice")
    calendar = httpx.get(f"{running.url}/calendar/{secret}.ics", timeout=SECONDS)
    assert (calendar.status_code, "rack1" in calendar.text) == (200, True)
    rows = book.engine.read(lambda tx: tx.fetch_all("SELECT answer FROM ledger_requests"))
    assert secret not in str(rows)
    assert links.revoke(ALICE, made.id) == made
    assert httpx.get(f"{running.url}/calendar/{secret}.ics", timeout=SECONDS).status_code == 404
    with pytest.raises(NotFoundError, match="no calendar link"):
        links.revoke(ALICE, made.id)


def test_notices_are_read_and_sent_elsewhere_through_a_server_which_writes_no_secret_down_twice(served, distant):
    _, book = served
    notices, secret = notices_in(distant("alice")), store.new_secret(Channel.WEBHOOK)
    made = notices.subscribe(ALICE, Channel.WEBHOOK, HOOK, (Kind.YOUR_TURN,), secret)
    assert (made.target, made.kinds, made.secret) == (HOOK, (Kind.YOUR_TURN,), "")
    assert notices.subscriptions(ALICE) == [made]
    assert [one.secret for one in store.subscriptions(book, "alice")] == [secret]
    rows = book.engine.read(lambda tx: tx.fetch_all("SELECT answer FROM ledger_requests"))
    assert secret not in str(rows)
    assert notices.listed(ALICE, 5) == []
    assert notices.replay(ALICE, made.id, HOUR_US) == 0
    assert notices.unsubscribe(ALICE, made.id) == made
    assert notices.subscriptions(ALICE) == []


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_eA==", "x"])
def test_a_webhook_is_not_signed_with_a_poor_secret(distant, secret):
    with pytest.raises(UsageError, match="secret: whsec_ with 32 bytes"):
        notices_in(distant("alice")).subscribe(ALICE, Channel.WEBHOOK, HOOK, (), secret)


def test_nobody_reads_or_changes_what_is_somebody_else_s(distant):
    of_alice = distant("alice")
    for by in (Holder("boss"), Holder("boss", "boss"), Holder("boss", "alice")):
        with pytest.raises(NotAllowedError):
            notices_in(of_alice).listed(by)
        with pytest.raises(NotAllowedError):
            notices_in(of_alice).subscribe(by, Channel.MAIL, "alice@example.com")
        with pytest.raises(NotAllowedError):
            calendar_links_in(of_alice).make(by, "0" * 64, Shows.ALL)


def test_a_manager_acts_for_others(distant):
    by = Holder("alice", "boss")
    notices = notices_in(distant("boss", scopes=("read", "book", "manage")))
    made = notices.subscribe(by, Channel.MAIL, "alice@example.com")
    assert made.user == "alice"
    notices.unsubscribe(by, made.id)


def test_a_token_does_no_more_here_than_elsewhere(distant):
    with pytest.raises(NotAllowedError, match="has not the scope book"):
        calendar_links_in(distant("alice", scopes=("read",))).make(ALICE, "0" * 64, Shows.USER)
    with pytest.raises(NotAllowedError, match="has not the scope book"):
        notices_in(distant("alice", scopes=("read",))).subscribe(ALICE, Channel.MAIL, "a@example.com")
    with pytest.raises(NotAllowedError, match="for some resources"):
        calendar_links_in(distant("alice", selectors=("rack*",))).make(ALICE, "0" * 64, Shows.ALL)
