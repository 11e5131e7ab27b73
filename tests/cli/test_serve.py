"""``bespeak serve`` as a process: it says where it is, serves, and ends in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat

import httpx
import pytest


@pytest.fixture
def serve(cli, tmp_path):
    """Start a server; return what it said and its process."""

    def start(*args):
        place = tmp_path / "s"
        process = cli.start("serve", "--port", "0", "--socket", str(place), "--json", *args)
        return json.loads(process.stdout.readline()), process

    return start


def client(said):
    return httpx.Client(transport=httpx.HTTPTransport(uds=said["socket"]), base_url="http://localhost", timeout=60)


def test_it_says_where_it_is_and_the_commands_see_what_was_booked(serve, cli):
    said, process = serve()
    with client(said) as web:
        assert web.get("/healthz").text == web.get("/readyz").text == "ok\n"
        assert web.post("/api/v1/reservations", json={"resources": ["rack3"], "duration": "2h"}).status_code == 201
    assert [one["resource"] for one in json.loads(cli("free", "rack3", "--json").stdout)["resources"]] == ["rack3"]
    assert json.loads(cli("who", "rack3", "--json").stdout)["reservations"][0]["state"] == "active"
    assert httpx.get(f"{said['url']}/api/v1/reservations").status_code == 401
    assert stat.S_ISSOCK(os.stat(said["socket"]).st_mode)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM
    assert process.stderr.read() == ""
    assert not os.path.exists(said["socket"])


def test_by_a_name_or_from_a_page_that_it_does_not_know_nothing_is_answered(serve):
    said, _ = serve("--allow-host", "book.example.com")
    with client(said) as web:
        for host, status in (("book.example.com", 200), ("localhost:99", 200), ("evil.example.com", 421)):
            assert web.get("/healthz", headers={"Host": host}).status_code == status
        for origin, status in (("https://book.example.com", 200), ("https://evil.example.com", 403), ("null", 200)):
            assert web.get("/api/v1/me", headers={"Origin": origin}).status_code == status
        sent = web.post("/api/v1/release", json={"mine": True}, headers={"Origin": "null"})
        assert sent.status_code == 403


@pytest.mark.parametrize("words", [["--port", "70000"], ["--port", "-1"]])
def test_a_port_that_is_none_is_told_in_one_line(cli, words):
    refused = cli("serve", *words)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "is no port" in refused.stderr


def test_a_port_that_is_taken_is_told_in_one_line(cli, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = cli("serve", "--port", str(port), "--socket", str(tmp_path / "s"))
    assert (refused.returncode, refused.stderr.count("\n")) == (9, 1)
    assert str(port) in refused.stderr
    assert not (tmp_path / "s").exists()


def test_a_book_that_cannot_be_opened_is_told_in_one_line(cli, tmp_path):
    (tmp_path / "no-book").write_text("something else, and long enough to be no database at all" * 100)
    refused = cli("--ledger", str(tmp_path / "no-book"), "serve", "--port", "0", "--socket", str(tmp_path / "s"))
    assert (refused.returncode, refused.stderr.count("\n"), refused.stdout) == (9, 1, "")
