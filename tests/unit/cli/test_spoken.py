"""What a suggested command repeats of the options that were typed."""

import pytest

from bespeak.cli.context import Context


def spoken(ledger):
    shared = dict.fromkeys(("ledger", "as_user", "skip_reservation_check", "lab", "json", "debug", "no_color"))
    return Context(shared | {"ledger": ledger}).spoken()


@pytest.mark.parametrize("url", ["book.db", "postgresql://me@db/team?schema=a", "postgresql://me:@/team?host=/run"])
def test_a_book_is_repeated_as_it_was_typed(url):
    assert spoken(url) == ["--ledger", url]


@pytest.mark.parametrize(
    "url",
    ["postgresql://me:hunter2@db/team", "postgresql://me:a@hunter2@db/team", "postgresql://db/x?password=hunter2"],
)
def test_a_password_is_not_repeated(url):
    assert "hunter2" not in " ".join(spoken(url))
