"""A strict book: only what was declared can be reserved."""

from __future__ import annotations

import pytest

from bespeak.base.clock import HOUR_US
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from support.engines import on_databases

ALICE, ROOT = Holder("alice"), Holder("root")


def take(book, *names):
    return book.reserve(Request(names, ALICE, duration_us=HOUR_US))


@on_databases
def test_a_strict_book_names_the_nearest(book_url, book, clock):
    book.resource_set("rack-3", ROOT)
    take(book, "wild")
    with open_ledger(book_url, strict=True, now=clock) as strict:
        for name in ("rakc-3", "wild"):
            with pytest.raises(NotFoundError):
                take(strict, name)
        with pytest.raises(NotFoundError, match="did you mean 'rack-3'"):
            take(strict, "rack-3", "rakc-3")
        assert take(strict, "rack-3")


@on_databases
def test_the_nearest_names_are_looked_for_while_nobody_is_kept_waiting(book_url, book, clock, monkeypatch):
    made = []

    def nearest(name, known):
        made.append(take(book, name))  # would not be let in if the refused one held its locks still
        return list(known)

    book.resource_set("rack-3", ROOT)
    monkeypatch.setattr("bespeak.base.display.suggest", nearest)
    with open_ledger(book_url, strict=True, now=clock) as strict:
        with pytest.raises(NotFoundError, match="did you mean 'rack-3'") as told:
            take(strict, "rakc-3")
        assert told.value.details["nearest"] == ["rack-3"]
        with pytest.raises(NotFoundError, match="did you mean 'rack-3'"):
            strict.queue(Request(("rakc-4",), ALICE))
    assert [held.resources for held in made] == [("rakc-3",), ("rakc-4",)]


@pytest.mark.parametrize("name", ["Rack-3", "rack\u20133", "\uff52ack-3"])
def test_the_first_use_of_a_name_that_looks_like_another_is_refused(book, name):
    take(book, "rack-3")
    for make in (lambda: take(book, name), lambda: book.resource_set(name, ROOT)):
        with pytest.raises(UsageError, match="looks like 'rack-3'"):
            make()
    with pytest.raises(UsageError, match="looks like"):
        book.queue_join(Request((name,), ALICE, duration_us=HOUR_US), "0190a0b0-0000-7000-8000-000000000001")
    assert [one.name for one in book.resource_list()] == ["rack-3"]
