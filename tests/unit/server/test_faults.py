"""What nobody foresaw: the client gets a number, the log the reason, and nobody a secret."""

from __future__ import annotations

import logging
import time

import pytest

from bespeak.ledger.service import Ledger


def test_an_unforeseen_fault_is_told_as_a_number_that_the_log_knows(server, alice, monkeypatch, caplog):
    def fails(*_, **__):
        raise ZeroDivisionError("the secret of the day")

    monkeypatch.setattr(Ledger, "who", fails)
    with caplog.at_level(logging.ERROR, logger="bespeak.server"):
        answer = alice.get("/who", params={"resource": "x"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    number = answer.headers["X-Request-Id"]
    assert answer.json()["instance"] == f"urn:uuid:{number}"
    assert number in caplog.text
    assert alice.get("/me").status_code == 200


@pytest.mark.parametrize("path", ["/me", "/log"])
def test_the_access_log_has_no_secret(server, caplog, path):
    with caplog.at_level(logging.INFO, logger="bespeak.access"), server.client("secret-token") as client:
        answer = client.get(path, params={"resource": "secret-query"}, headers={"X-Other": "secret-header"})
        number = answer.headers["X-Request-Id"]
        while not (found := [one.getMessage() for one in caplog.records if number in one.getMessage()]):
            time.sleep(0.01)  # the line is written when the answer has been sent, as is that of the test before
    (line,) = found
    assert f"GET /api/v1{path} 200" in line
    assert "secret-query" not in line
    assert "secret-header" not in line


def test_no_answer_names_the_program_that_serves(alice):
    answer = alice.get("/me")
    assert "Server" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
