"""A list that is printed a page at a time is the same document as one that is printed at once."""

from __future__ import annotations

import json

import pytest

from bespeak.base.clock import HOUR_US
from bespeak.cli.main import main
from bespeak.ledger import listing_pages, open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.serialize import reservation_json


@pytest.mark.parametrize(("count", "limit"), [(0, 5), (1, 5), (2, 1), (4, 4), (5, 2), (5, 4), (5, 5), (5, 6)])
def test_the_document_is_the_same_byte_for_byte(tmp_path, monkeypatch, capsys, count, limit):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(listing_pages, "PAGE", 2)
    url = str(tmp_path / "book")
    with open_ledger(url) as book:
        starts_us = book.now_us() + HOUR_US
        for number in range(count):
            book.reserve(Request((f"r{number}",), Holder("alice"), starts_us=starts_us, duration_us=HOUR_US))
        listed = [reservation_json(one, book.now_us()) for one in book.listing(limit=limit)]
    assert main(["--ledger", url, "list", "--json", "--limit", str(limit)]) == 0
    assert capsys.readouterr().out == json.dumps({"reservations": listed, "more": count > limit}) + "\n"
