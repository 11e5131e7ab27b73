"""What no client of ours sends: refused as the mistake that it is, and no fault that fills the log."""

from __future__ import annotations

import json
import logging
import re
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from bespeak.server.settings import ServerLimits, ServerSettings
from support.server import SECONDS, serving

RESERVE = {"resources": ["rack1"], "duration": "1h"}


def raw(server, lines, body=b""):
    """Send a request as it stands; return the status and the whole answer."""
    parts = urlsplit(server.url)
    head = b"\r\n".join([*lines, b"Connection: close", b"Content-Length: %d" % len(body), b"", b""])
    with socket.create_connection((parts.hostname, parts.port), timeout=SECONDS) as connection:
        connection.sendall(head + body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1]), answer.decode("latin-1")


@pytest.mark.parametrize("wait", [b"\xb2", b"\xb3\xb9", b"-1", b"1e3", b""])
def test_a_wait_that_is_no_number_is_none(server, wait):
    lines = [b"POST /api/v1/reservations HTTP/1.1", b"Host: localhost", b"Authorization: Bearer alice"]
    lines += [b"Content-Type: application/json", b"Prefer: wait=" + wait]
    status, answer = raw(server, lines, json.dumps(RESERVE | {"resources": [f"w{wait.hex()}"]}).encode())
    assert status == 201, answer


@pytest.mark.parametrize("name", ["%ff", "%ed%a0%80", "alice%c3"])
def test_a_user_that_is_no_text_is_refused(alice, name):
    refused = alice.post("/reservations", json=RESERVE, headers={"Bespeak-As-User": name})
    assert (refused.status_code, refused.json()["code"]) == (400, "usage")
    assert "percent-encoded UTF-8" in refused.json()["detail"]


@pytest.mark.parametrize(
    "more",
    [[b"Host: localhost"], [b"Host: evil.example"], [b"Origin: http://localhost", b"Origin: http://evil.example"]],
    ids=["the same host", "another host", "two origins"],
)
def test_what_counts_once_is_said_once(server, more):
    for lines in ([b"Host: localhost", *more], [*more, b"Host: localhost"]):
        status, answer = raw(server, [b"GET /healthz HTTP/1.1", *lines])
        assert (status, "is said twice" in answer) == (400, True), answer


def test_one_name_for_two_requests_in_the_names_of_others_is_refused(alice):
    named = {"Idempotency-Key": "for-two"}
    made = alice.post("/reservations", json=RESERVE, headers=named | {"Bespeak-As-User": "carol"})
    again = alice.post("/reservations", json=RESERVE, headers=named | {"Bespeak-As-User": "carol"})
    assert (made.status_code, made.json()["holder"], again.json()["id"]) == (201, "carol", made.json()["id"])
    for headers in (named, named | {"Bespeak-As-User": "dave"}):
        refused = alice.post("/reservations", json=RESERVE, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_mismatch")


def test_a_key_of_somebody_else_is_another(alice, bob):
    made = [client.post("/reservations", json={"resources": [f"key-{who}"], "duration": "1h"},
                        headers={"Idempotency-Key": "shared"}) for who, client in (("a", alice), ("b", bob))]  # fmt: skip
    assert [one.json()["holder"] for one in made] == ["alice", "bob"]


def ended_early(server, route):
    """Return how many requests of a route the server has counted as refused, failed, or left by their clients."""
    lines = httpx.get(f"{server.url}/metrics", timeout=SECONDS).text.splitlines()
    found = [line for line in lines if line.startswith("bespeak_http_requests_total") and f'route="{route}"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in found if re.search('status="[45]', line))


@pytest.mark.parametrize("path", ["/act", "/auth/token", "/api/v1/reservations", "/api/v1/call/policy"])
def test_a_client_that_leaves_before_its_request_is_whole_leaves_nothing_in_the_log(server, caplog, path):
    parts = urlsplit(server.url)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alice\r\nContent-Length: 100\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n" if "api" not in path else ""
    head += "Content-Type: application/json\r\n" if "api" in path else ""
    route = path.replace("policy", "{operation}")
    before = ended_early(server, route)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with socket.create_connection((parts.hostname, parts.port), timeout=SECONDS) as connection:
                connection.sendall(head.encode() + b"\r\ndo=")
        while ended_early(server, route) < before + 3:
            pass
    assert [record for record in caplog.records if record.name.startswith("bespeak")] == []


def test_streams_of_nobody_and_of_one_caller_leave_room_for_others(tmp_path):
    limits = ServerLimits(connections=64)
    settings = ServerSettings(public=("now",), limits=limits)
    with serving(str(tmp_path / "book.db"), settings) as server, ExitStack() as opened:

        def stream(path, user=None):
            client = opened.enter_context(httpx.Client(base_url=server.url, timeout=SECONDS))
            headers = {} if user is None else {"Authorization": f"Bearer {user}"}
            return opened.enter_context(client.stream("GET", path, headers=headers)).status_code

        statuses = [stream("/live") for _ in range(6)]
        assert statuses == [200] * 4 + [503] * 2
        statuses = [stream("/api/v1/events", "alice") for _ in range(18)]
        assert statuses == [200] * 16 + [503] * 2
        assert stream("/api/v1/events", "bob") == stream("/live", "bob") == 200
        assert httpx.get(f"{server.url}/healthz", timeout=SECONDS).text == "ok\n"


def test_a_stream_that_has_ended_leaves_its_room_to_the_next(tmp_path):
    settings = ServerSettings(public=("now",), limits=ServerLimits(connections=64))
    with serving(str(tmp_path / "book.db"), settings) as server:

        def status():
            with httpx.stream("GET", f"{server.url}/live", timeout=SECONDS) as answer:
                return answer.status_code

        assert [status() for _ in range(4)] == [200] * 4
        while status() != 200:  # the server hears a little later that a client has left
            pass
