"""Requests end in time, and say whether something was done."""

from __future__ import annotations

import socket
import threading

import pytest

from bespeak.base.errors import OutcomeUnknownError, UnavailableError
from bespeak.base.http_url import parse_http_url
from bespeak.client.credentials import Credentials
from bespeak.client.requests import Requests
from bespeak.storage.time_limit import within


class Scripted:
    """A server that answers each connection with the next of some raw texts, slowly if need be."""

    def __init__(self, *answers: bytes, pause: float = 0.0) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._answers = list(answers)
        self._pause = threading.Event()
        self._seconds = pause
        self.asked: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while self._answers:
            client, _ = self._listening.accept()
            with client:
                self.asked.append(client.recv(65_536))
                for letter in (answer := self._answers.pop(0)):
                    client.sendall(bytes([letter]) if self._seconds else answer)
                    if not self._seconds or self._pause.wait(self._seconds):
                        break

    def close(self) -> None:
        self._pause.set()
        self._listening.close()


def answer(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status.encode(), len(body), body)


@pytest.fixture
def server_of():
    opened = []

    def make(*answers, **options):
        opened.append(Scripted(*answers, **options))
        return opened[-1], Requests(parse_http_url(opened[-1].url), Credentials(opened[-1].url, {}))

    yield make
    for one in opened:
        one.close()


def test_a_lost_answer_is_asked_for_again_under_the_same_key(server_of):
    server, requests = server_of(b"", b"HTTP/1.1 200 OK\r\ncontent-le", answer(b"", "502 Bad Gateway"), answer(b"{}"))
    assert requests.ask("POST", "/x", b"{}", key="k-1").body == b"{}"
    assert len(server.asked) == 4
    assert all(b"Idempotency-Key: k-1\r\n" in asked for asked in server.asked)


def test_what_was_sent_and_never_answered_is_unknown(server_of):
    _, requests = server_of(b"")
    with within(0.2), pytest.raises(OutcomeUnknownError, match="may or may not"):
        requests.ask("POST", "/x", b"{}", key="k")
    _, requests = server_of(b"")
    with within(0.2), pytest.raises(UnavailableError) as caught:
        requests.ask("POST", "/x", b"{}")
    assert type(caught.value) is UnavailableError


def test_a_server_that_sends_a_letter_now_and_then_is_not_waited_for(server_of):
    _, requests = server_of(answer(b"x" * 1_000), pause=0.05)
    with within(0.5), pytest.raises(UnavailableError):
        requests.ask("GET", "/x")


def test_nobody_there_is_said_at_once_and_nothing_was_done(tmp_path):
    url = f"unix://{tmp_path}/none"
    with pytest.raises(UnavailableError, match="No such file") as caught:
        Requests(parse_http_url(url), Credentials(url, {})).ask("POST", "/x", b"{}", key="k")
    assert type(caught.value) is UnavailableError


def test_the_token_goes_to_the_server_and_into_no_message(server_of):
    server, _ = server_of(answer(b"{}"))
    known = Requests(parse_http_url(server.url), Credentials(server.url, {"BESPEAK_TOKEN": "bsp_x"}))
    known.ask("GET", "/x")
    assert b"Authorization: Bearer bsp_x\r\n" in server.asked[0]
