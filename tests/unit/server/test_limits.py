"""What nobody may do to a server: send too much, too often, too slowly, or speak for somebody else."""

from __future__ import annotations

import os
import resource
import socket
import ssl
from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest

from bespeak.base.errors import UsageError
from bespeak.net import handshakes
from bespeak.server import exposure, self_signed
from bespeak.server.proxy import BehindProxy
from bespeak.server.rate_limit import Buckets
from bespeak.server.settings import ServerLimits, ServerSettings
from support.server import serving

FLOOD = 1024
HALF = {
    "silent": b"",
    "half a request line": b"POST /ap",
    "half the headers": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
}


@pytest.fixture
def book(tmp_path):
    return str(tmp_path / "book.db")


@pytest.fixture
def descriptors():
    """Room for the connections of both sides in one process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY and hard < 8192 else 8192, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("sent", HALF.values(), ids=HALF)
def test_beside_1024_half_open_connections_everybody_is_served(book, sent, descriptors):
    limits = ServerLimits(connections=256)
    with serving(book, ServerSettings(limits=limits)) as server, ExitStack() as stack:
        parts = urlsplit(server.url)
        for _ in range(FLOOD):
            connection = stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=60))
            connection.sendall(sent)
        assert httpx.get(f"{server.url}/healthz", timeout=60).text == "ok\n"
        with server.client("alice") as client:
            assert client.get("/me").json()["holder"] == "alice"


def hello(context):
    """Return how a client begins a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """The certificate of a server, and who trusts it."""
    files = self_signed.kept(str(tmp_path_factory.mktemp("tls")), [])
    return exposure.tls_files(*files), ssl.create_default_context(cafile=files[0])


def is_hung_up_on(connection):
    """Wait for the other side to say something or to hang up; return whether it has."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionError:
        return True
    return True


@pytest.mark.parametrize("begun", [0, 100, None], ids=["silent", "half a hello", "a hello"])
def test_beside_200_handshakes_that_never_end_everybody_is_served(book, tls, begun, monkeypatch):
    monkeypatch.setattr(handshakes, "HANDSHAKE_SECONDS", 3600.0)
    files, trusting = tls
    settings = ServerSettings(limits=ServerLimits(connections=64), tls=files)
    with serving(book, settings) as server, ExitStack() as stack:
        parts = urlsplit(server.url)
        begin = hello(trusting)[:begun]
        flood = []
        for _ in range(200):
            flood.append(stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=60)))
            flood[-1].sendall(begin)
        with httpx.Client(verify=trusting, base_url=server.url, timeout=60) as client:
            assert client.get("/healthz").text == "ok\n"
        assert all(is_hung_up_on(one) for one in flood[:100]), "the oldest give way, whatever time they have"


def test_a_handshake_that_takes_too_long_is_hung_up_on(book, tls, monkeypatch):
    monkeypatch.setattr(handshakes, "HANDSHAKE_SECONDS", 0.05)
    with serving(book, ServerSettings(tls=tls[0])) as server:
        parts = urlsplit(server.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as silent:
            assert is_hung_up_on(silent)
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as garbled:
            garbled.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert is_hung_up_on(garbled)


def test_a_request_that_comes_with_the_end_of_the_handshake_is_answered(book, tls):
    with serving(book, ServerSettings(tls=tls[0])) as server:
        parts = urlsplit(server.url)
        for _ in range(20):
            with (
                socket.create_connection((parts.hostname, parts.port), timeout=60) as plain,
                tls[1].wrap_socket(plain, server_hostname="localhost") as secured,
            ):
                secured.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = b"".join(iter(lambda: secured.recv(4096), b""))
            assert answer.endswith(b"ok\n")


def test_headers_without_an_end_are_hung_up_on(server):
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        with pytest.raises(OSError):  # noqa: PT012 it may take several
            for _ in range(200):
                connection.sendall(b"X-Long: " + b"a" * 4096 + b"\r\n")
            if not connection.recv(1):
                raise ConnectionResetError


def test_a_body_that_is_too_long_is_refused_before_it_is_read(server):
    with server.client("alice") as client:
        refused = client.post("/reservations", content=b"x" * (1024 * 1024 + 1))
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        for media in ("text/plain", "application/json"):
            headers = {"Content-Type": media}
            streamed = client.post("/reservations", content=(b" " * 65536 for _ in range(20)), headers=headers)
            assert (streamed.status_code, streamed.json()["code"]) == (413, "too_large")
        assert client.get("/me").status_code == 200


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"resources": ["\xff"]}', b"{", b"", b"null", b'"x"', b"\0"])
def test_a_body_that_is_no_document_is_a_usage_error(server, body):
    with server.client("alice") as client:
        refused = client.post("/reservations", content=body, headers={"Content-Type": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (400, "usage")


def until_refused(ask, before):
    """Ask until it is too often; how fast that is depends on the machine."""
    answers = [ask()]
    while answers[-1].status_code != 429 and len(answers) < 50:
        answers.append(ask())
    assert {one.status_code for one in answers[:-1]} == {before}
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too_many")
    return answers[-1]


def test_a_caller_that_asks_too_often_is_told_when_to_come_back_and_others_are_served(book):
    with (
        serving(book, ServerSettings(limits=ServerLimits(requests_per_minute=3))) as server,
        server.client("alice") as alice,
        server.client("bob") as bob,
    ):
        refused = until_refused(lambda: alice.get("/me"), 200)
        assert int(refused.headers["Retry-After"]) > 0
        assert bob.get("/me").status_code == 200


def test_an_address_that_guesses_credentials_is_slowed_down_and_who_knows_one_is_served(book):
    with serving(book, ServerSettings(limits=ServerLimits(failures_per_minute=3))) as server:
        until_refused(lambda: httpx.get(f"{server.url}/api/v1/me", timeout=60), 401)
        known = httpx.get(f"{server.url}/api/v1/me", headers={"Authorization": "Bearer alice"}, timeout=60)
        assert known.status_code == 200


def test_a_bucket_fills_at_its_rate():
    now = [0.0]
    buckets = Buckets(60, lambda: now[0])
    assert [buckets.take("a") for _ in range(60)] == [0.0] * 60
    assert buckets.take("a") == pytest.approx(1.0)
    assert buckets.take("b") == 0.0
    now[0] = 2.0
    assert (buckets.take("a"), buckets.take("a")) == (0.0, 0.0)
    assert buckets.take("a") > 0


def proxied(client, headers, networks):
    """Return the scope that a handler sees."""
    seen = {}

    async def inner(scope, receive, send):
        seen.update(scope)

    async def send(message):
        seen.setdefault("status", message.get("status"))

    scope = {"type": "http", "client": client, "headers": headers, "state": {}, "scheme": "http"}
    coroutine = BehindProxy(inner, exposure.networks(networks))(scope, None, send)
    with pytest.raises(StopIteration):
        coroutine.send(None)
    return seen


FORWARDED = [
    (b"x-forwarded-for", b"6.6.6.6, 203.0.113.9, 10.1.0.1"),
    (b"x-forwarded-proto", b"https"),
    (b"accept", b"*/*"),
]


def test_only_the_proxy_says_where_a_client_is():
    seen = proxied(("10.0.0.9", 1), FORWARDED, ["10.0.0.0/8"])
    assert (seen["client"][0], seen["scheme"], seen["headers"]) == ("203.0.113.9", "https", [(b"accept", b"*/*")])
    assert seen["state"]["peer_address"] == "10.0.0.9"
    assert proxied(("192.0.2.1", 1), FORWARDED, ["10.0.0.0/8"])["status"] == 403
    for networks in ([], ["10.0.0.0/8"]):
        alone = proxied(("127.0.0.1", 1), FORWARDED, networks)
        assert (alone["client"][0], alone["scheme"], alone["headers"]) == ("127.0.0.1", "http", [(b"accept", b"*/*")])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "book.example.com"])
def test_another_address_than_this_machines_needs_tls_or_a_proxy(host):
    with pytest.raises(UsageError, match="read along"):
        exposure.check(host, tls=False, proxy=())
    exposure.check(host, tls=True, proxy=())
    exposure.check(host, tls=False, proxy=exposure.networks(["10.0.0.0/8"]))
    with pytest.raises(UsageError, match="exclude"):
        exposure.check(host, tls=True, proxy=exposure.networks(["10.0.0.0/8"]))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_needs_neither(host):
    exposure.check(host, tls=False, proxy=())


@pytest.mark.parametrize("text", ["x", "10.0.0.1/8", "10.0.0.0/99", ""])
def test_what_is_no_network_is_told(text):
    with pytest.raises(UsageError, match="--behind-proxy"):
        exposure.networks([text])


def test_a_certificate_for_a_first_try_is_kept_and_clients_that_trust_it_connect(book, tmp_path):
    files = self_signed.kept(str(tmp_path / "tls"), ["book.example.com"])
    assert self_signed.kept(str(tmp_path / "tls"), ["book.example.com"]) == files
    assert os.stat(files[1]).st_mode & 0o777 == 0o600
    before = self_signed.fingerprint(files[0])
    self_signed.kept(str(tmp_path / "tls"), ["other.example.com"])
    assert self_signed.fingerprint(files[0]) != before
    with serving(book, replace(ServerSettings(), tls=exposure.tls_files(*files))) as server:
        assert server.url.startswith("https://")
        trusting = ssl.create_default_context(cafile=files[0])
        answer = httpx.get(f"{server.url}/healthz", verify=trusting)
        assert answer.text == "ok\n"
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/healthz")


def test_files_that_are_no_certificate_are_told(tmp_path):
    files = self_signed.kept(str(tmp_path / "one"), [])
    other = self_signed.kept(str(tmp_path / "other"), [])
    for pair in ((files[0], other[1]), (files[1], files[0]), (str(tmp_path / "none"), files[1])):
        with pytest.raises(UsageError, match="--tls-cert"):
            exposure.tls_files(*pair)
    with pytest.raises(UsageError, match="go together"):
        exposure.tls_files(files[0], None)


def test_what_a_server_counts_is_there_for_prometheus(server):
    with server.client("alice") as client:
        made = client.post("/reservations", json={"resources": ["m1"], "duration": "1h"}).json()
        client.post("/reservations", json={"resources": ["m1"], "duration": "1h"})
        client.get("/no/such/path/with/a/name")
        waiting = client.post("/reservations", json={"resources": ["m1"], "duration": "1h", "queue": True})
        numbers = httpx.get(f"{server.url}/metrics").text
        assert 'bespeak_reservations{state="waiting"} 1.0' in numbers
        client.delete(f"/reservations/{made['id']}")
        client.get(waiting.headers["Location"].removeprefix("/api/v1"), headers={"Prefer": "wait=30"})
    numbers = httpx.get(f"{server.url}/metrics").text
    assert 'bespeak_refusals_total{code="refused"} 1.0' in numbers
    assert 'bespeak_http_requests_total{method="POST",route="/api/v1/reservations",status="201"} 1.0' in numbers
    assert "bespeak_holders 1.0" in numbers
    assert "alice" not in numbers
    assert "m1" not in numbers
    assert "with/a/name" not in numbers
