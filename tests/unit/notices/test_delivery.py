"""Notices that leave the book: signed, retried, replayed, and never sent into the server's own network."""

from __future__ import annotations

import base64
import email
import hashlib
import hmac
import ipaddress
import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bespeak.base.clock import MINUTE_US, SECOND_US
from bespeak.base.errors import NotFoundError, UnavailableError, UsageError
from bespeak.ledger.model import Holder
from bespeak.notices import delivery, outbox, safe_address, send, store, targets
from bespeak.notices.model import Channel, Kind, Notice
from bespeak.notices.targets import DeliverySettings
from support.desk import Desk

LOOPBACK = DeliverySettings(allowed=(ipaddress.ip_network("127.0.0.0/8"),))


class Receiver:
    """A real server that takes webhooks and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?team=lab"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A place that takes webhooks."""
    made = Receiver()
    yield made
    made.close()


def _kick(desk: Desk, user: str = "bob", reason: str = "outage") -> None:
    desk.book.kick(desk.reserve("rack1", user).id, Holder("boss"), reason)
    outbox.collect(desk.book)


def test_a_webhook_is_signed_as_the_standard_says(desk: Desk, receiver: Receiver) -> None:
    outbox.collect(desk.book)
    made = store.subscribe(desk.book, "bob", Channel.WEBHOOK, receiver.url)
    _kick(desk)
    assert delivery.deliver(desk.book, LOOPBACK) == 1
    ((path, headers, body),) = receiver.got
    assert path == "/hook?team=lab"
    (notice,) = store.notices(desk.book, "bob")
    assert headers["webhook-id"] == notice.id
    assert headers["webhook-timestamp"] == str(desk.clock.now_us // SECOND_US)
    key = base64.b64decode(made.secret.removeprefix("whsec_"))
    signed = f"{notice.id}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body) == {
        "type": "reservation.taken_away",
        "timestamp": "2026-11-30T12:00:00+00:00",
        "data": {
            "user": "bob",
            "text": "boss took rack1 away from you: outage.",
            "resources": ["rack1"],
            "reservation_id": notice.reservation_id,
        },
    }
    assert delivery.deliver(desk.book, LOOPBACK) == 0
    assert delivery.next_due_us(desk.book) is None


def test_the_published_example_of_the_standard_has_this_signature() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert send.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_what_fails_is_tried_again_with_the_same_id_and_growing_pauses(desk: Desk, receiver: Receiver) -> None:
    outbox.collect(desk.book)
    store.subscribe(desk.book, "bob", Channel.WEBHOOK, receiver.url)
    _kick(desk)
    receiver.answers = [500, 302, 429]
    for pause in (0, 5 * SECOND_US, 5 * MINUTE_US, 30 * MINUTE_US):
        desk.clock.now_us += pause - 1
        if pause:
            assert delivery.deliver(desk.book, LOOPBACK) == 0
        desk.clock.now_us += 1
        assert delivery.deliver(desk.book, LOOPBACK) == 1
    desk.later(100)
    assert delivery.deliver(desk.book, LOOPBACK) == 0
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
    assert len(receiver.got) == 4


def test_a_notice_is_given_up_in_the_end(desk: Desk) -> None:
    outbox.collect(desk.book)
    store.subscribe(desk.book, "bob", Channel.WEBHOOK, "http://127.0.0.1:1/")
    _kick(desk)
    attempts = 0
    for _ in range(20):
        attempts += delivery.deliver(desk.book, LOOPBACK)
        desk.later(25)
    assert attempts == len(delivery.PAUSES_US) + 1


def test_a_place_that_is_gone_is_told_nothing_more(desk: Desk, receiver: Receiver) -> None:
    outbox.collect(desk.book)
    store.subscribe(desk.book, "bob", Channel.WEBHOOK, receiver.url)
    receiver.answers = [410]
    _kick(desk)
    delivery.deliver(desk.book, LOOPBACK)
    _kick(desk)
    assert delivery.deliver(desk.book, LOOPBACK) == 0
    assert store.subscriptions(desk.book, "bob") == []


def test_an_attempt_of_a_server_that_died_is_made_by_another(desk: Desk, receiver: Receiver) -> None:
    outbox.collect(desk.book)
    store.subscribe(desk.book, "bob", Channel.WEBHOOK, receiver.url)
    _kick(desk)

    class DiedError(Exception):
        """The process is gone."""

    def die(*_: object) -> send.Sent:
        raise DiedError

    with pytest.raises(DiedError):
        delivery.deliver(desk.book, LOOPBACK, die)
    assert delivery.deliver(desk.book, LOOPBACK) == 0
    desk.clock.now_us += 2 * MINUTE_US
    assert delivery.deliver(desk.book, LOOPBACK) == 1
    assert len(receiver.got) == 1


def test_what_was_told_can_be_told_again(desk: Desk, receiver: Receiver) -> None:
    outbox.collect(desk.book)
    made = store.subscribe(desk.book, "bob", Channel.WEBHOOK, receiver.url, [Kind.TAKEN_AWAY])
    _kick(desk)
    desk.later(1)
    since_us = desk.clock.now_us
    _kick(desk)
    delivery.deliver(desk.book, LOOPBACK)
    assert store.replay(desk.book, "bob", made.id[:8], since_us) == 1
    assert delivery.deliver(desk.book, LOOPBACK) == 1
    assert receiver.got[1][1]["webhook-id"] == receiver.got[2][1]["webhook-id"]
    with pytest.raises(NotFoundError):
        store.replay(desk.book, "alice", made.id, 0)


def test_only_what_was_asked_for_is_told(desk: Desk, receiver: Receiver) -> None:
    outbox.collect(desk.book)
    store.subscribe(desk.book, "bob", Channel.WEBHOOK, receiver.url, [Kind.YOUR_TURN])
    _kick(desk)
    assert delivery.deliver(desk.book, LOOPBACK) == 0


def test_a_removed_subscription_gets_nothing_that_was_on_its_way(desk: Desk, receiver: Receiver) -> None:
    outbox.collect(desk.book)
    made = store.subscribe(desk.book, "bob", Channel.WEBHOOK, receiver.url)
    _kick(desk)
    with pytest.raises(NotFoundError):
        store.unsubscribe(desk.book, "alice", made.id)
    store.unsubscribe(desk.book, "bob", made.id)
    assert delivery.deliver(desk.book, LOOPBACK) == 0
    assert receiver.got == []


def test_a_webhook_into_the_servers_network_is_refused(desk: Desk, receiver: Receiver) -> None:
    outbox.collect(desk.book)
    store.subscribe(desk.book, "bob", Channel.WEBHOOK, receiver.url)
    _kick(desk)
    assert delivery.deliver(desk.book, DeliverySettings()) == 1
    assert receiver.got == []
    error = desk.book.engine.read(lambda tx: tx.fetch_one("SELECT error FROM notices_deliveries"))
    assert error == ("127.0.0.1: 127.0.0.1 is not a public address; the server connects there only if it is allowed",)


def test_subscriptions_are_few_and_not_doubled(desk: Desk) -> None:
    for index in range(store.MOST_SUBSCRIPTIONS):
        store.subscribe(desk.book, "bob", Channel.MAIL, f"bob{index}@example.com")
    with pytest.raises(UsageError, match="which is the most"):
        store.subscribe(desk.book, "bob", Channel.MAIL, "more@example.com")
    store.subscribe(desk.book, "alice", Channel.MAIL, "alice@example.com")
    with pytest.raises(UsageError, match="already"):
        store.subscribe(desk.book, "alice", Channel.MAIL, "alice@example.com")


# --- addresses ---


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
        "224.0.0.1", "240.0.0.1", "192.0.0.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:0a00:0001::",
        "2001:db8::1", "64:ff9b:1::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    with pytest.raises(UsageError, match="not a public address"):
        safe_address.pinned("name.example", 443, (), lambda *_: [address])


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_public_addresses(address: str) -> None:
    assert safe_address.pinned("name.example", 443, (), lambda *_: [address]) == str(ipaddress.ip_address(address))


def test_one_private_address_of_a_name_is_enough_to_refuse_it() -> None:
    with pytest.raises(UsageError, match=r"10\.0\.0\.1"):
        safe_address.pinned("name.example", 443, (), lambda *_: ["93.184.216.34", "10.0.0.1"])


def test_a_name_is_resolved_once_and_the_connection_goes_there(receiver: Receiver) -> None:
    url = safe_address.http_url(receiver.url.replace("127.0.0.1", "hooks.example"))
    status, _ = safe_address.post(url, b"{}", {}, address="127.0.0.1", timeout_seconds=30)
    assert status == 204
    assert receiver.got[0][1]["host"] == url.authority


def test_a_network_can_be_allowed() -> None:
    allowed = safe_address.networks(["10.0.0.0/8"])
    assert safe_address.pinned("name.example", 443, allowed, lambda *_: ["10.0.0.1"]) == "10.0.0.1"
    assert safe_address.pinned("name.example", 443, allowed, lambda *_: ["::ffff:10.0.0.1"]) == "10.0.0.1"
    with pytest.raises(UsageError):
        safe_address.pinned("name.example", 443, allowed, lambda *_: ["192.168.0.1"])
    with pytest.raises(UsageError, match="written as"):
        safe_address.networks(["10.0.0.1/8"])


def test_a_name_without_an_address_cannot_be_reached() -> None:
    with pytest.raises(UnavailableError):
        safe_address.pinned("name.invalid", 443, ())


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost"])
def test_other_spellings_of_this_host_are_seen_through(host: str) -> None:
    with pytest.raises((UsageError, UnavailableError)):
        safe_address.pinned(host, 80, ())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "http://", "//example.com", "http://user@example.com/",
        "https://user:secret@example.com/", "http://exa mple.com/", "http://example.com/\r\nX: y", "http://example.com:99999/",
        "http://[::1", "http://ex\u00e4mple.com/", "http://example.com/" + "x" * 3000, "javascript:alert(1)",
    ],
)  # fmt: skip
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        targets.checked(Channel.WEBHOOK, url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["", "bob", "bob@", "@x", "a@b\nBcc: c@d", "a b@c", "a@b@c", "x" * 70 + "@c", "a@-b"]
)
def test_addresses_of_mail_that_are_none(address: str) -> None:
    with pytest.raises(UsageError):
        targets.checked(Channel.MAIL, address)


@pytest.mark.parametrize(
    "chat",
    [
        "json://127.0.0.1",
        "workflows://10.0.0.1/x/y",
        "xml://10.0.0.1",
        "file:///x",
        "syslog://",
        "mmost://10.0.0.1/x",
        "slack",
        "",
    ],
)
def test_chats_that_could_reach_inside_are_none(chat: str) -> None:
    with pytest.raises(UsageError):
        targets.checked(Channel.CHAT, chat)


def test_what_is_shown_of_a_target_has_no_secret() -> None:
    assert targets.shown(Channel.CHAT, "slack://tokenA/tokenB/tokenC") == "slack://..."
    assert targets.shown(Channel.WEBHOOK, "https://hooks.example/x?key=secret") == "https://hooks.example/x"


def test_mail_has_no_header_of_a_user() -> None:
    notice = Notice(1, "id-1", 0, "bob", Kind.FREE, "rack\\n1 is free.\nBcc: evil@example.com", ("rack1",), None)
    message = send.mail_message(notice, "bespeak@example.com", "bob@example.com")
    assert message["Bcc"] is None
    assert message["Subject"] == "[bespeak] rack\\n1 is free. Bcc: evil@example.com"
    assert message["Message-ID"] == "<id-1@bespeak.invalid>"


def test_without_a_mail_server_it_is_told(desk: Desk) -> None:
    outbox.collect(desk.book)
    store.subscribe(desk.book, "bob", Channel.MAIL, "bob@example.com")
    _kick(desk)
    delivery.deliver(desk.book, DeliverySettings())
    error = desk.book.engine.read(lambda tx: tx.fetch_one("SELECT error FROM notices_deliveries"))
    assert error == ("this server sends no mail (serve --mail-from)",)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://lab@smtp.example.com", ("smtp.example.com", 587, "starttls", "lab", "pw")),
        ("smtps://smtp.example.com:4650", ("smtp.example.com", 4650, "implicit", "", "")),
        ("smtp+plain://localhost:2525", ("localhost", 2525, "none", "", "")),
    ],
)
def test_mail_servers(url: str, expected: tuple[object, ...]) -> None:
    found = targets.mail_server(url, "bespeak@example.com", "pw")
    assert (found.host, found.port, found.tls, found.user, found.password) == expected


@pytest.mark.parametrize(
    "url",
    ["", "smtp.example.com", "smtp://", "smtp://u:secret@h", "http://h", "smtp+plain://smtp.example.com", "smtp://h:x"],
)
def test_mail_servers_that_are_none(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        targets.mail_server(url, "bespeak@example.com")
    assert "secret" not in str(refused.value)


class MailHost:
    """A real, small mail server of this machine: takes one mail after the other."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        outer = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 here\r\n")
                while line := self.rfile.readline():
                    word = line[:4].upper()
                    if word == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        lines = []
                        while (part := self.rfile.readline()) not in (b".\r\n", b""):
                            lines.append(part)
                        outer.mails.append(b"".join(lines))
                    self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                    if word == b"QUIT":
                        return

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"smtp+plain://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def test_mail_arrives(desk: Desk) -> None:
    host = MailHost()
    try:
        outbox.collect(desk.book)
        store.subscribe(desk.book, "bob", Channel.MAIL, "bob@example.com")
        _kick(desk)
        ways = DeliverySettings(targets.mail_server(host.url, "bespeak@example.com"))
        assert delivery.deliver(desk.book, ways) == 1
        assert delivery.next_due_us(desk.book) is None
    finally:
        host.close()
    (mail,) = [email.message_from_bytes(one) for one in host.mails]
    assert (mail["From"], mail["To"]) == ("bespeak@example.com", "bob@example.com")
    assert mail["Subject"] == "[bespeak] boss took rack1 away from you: outage."
