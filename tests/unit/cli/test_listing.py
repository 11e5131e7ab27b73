"""``list`` fits the terminal it is shown on, and cuts nothing where there is none."""

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.clock import FOREVER_US, HOUR_US
from bespeak.base.frozen import replace
from bespeak.cli import formatting, output
from bespeak.ledger import request_checks
from bespeak.ledger.model import Holder, Origin, Request

NOW_US = 1_800_000_000_000_000
ID = "01a20148-4fb7-7ee4-9334-5faaf29b78d0"
TEXT = st.text("abc déf", min_size=1, max_size=60).map(str.strip).filter(bool)


def made(holder="alice", names=("rack1",), purpose="", origin=None, ends_us=NOW_US + HOUR_US):
    request = Request(tuple(names), Holder(holder), purpose=purpose, origin=origin or Origin("lab1"))
    return request_checks.new(request, ID, 7, NOW_US, (NOW_US, ends_us), HOUR_US)


@given(st.sampled_from([80, 120, 160, 200]), st.lists(st.builds(made, TEXT, st.lists(TEXT, min_size=1), TEXT)))
def test_no_line_is_wider_than_the_terminal(width, found):
    assert max(len(line) for line in formatting.rows(found, NOW_US, width).splitlines()) <= width


@given(st.builds(made, TEXT, st.lists(TEXT, min_size=1), TEXT))
def test_nothing_is_cut_where_there_is_no_terminal(one):
    shown = formatting.rows([one], NOW_US)
    assert "…" not in shown
    assert all(text in shown for text in (one.holder, one.purpose, *one.resources))


def test_a_narrow_table_has_short_times_in_one_named_zone_and_keeps_what_matters():
    other_year = made("bob", ends_us=NOW_US + 400 * 24 * HOUR_US)
    head, first, second, third = formatting.rows(
        [made(purpose="thermal run of the new boards"), other_year, made(ends_us=FOREVER_US)], NOW_US, 80
    ).splitlines()
    assert "FROM (UTC)" in head
    assert first.split()[:3] == ["5faaf29b", "active", "alice"]
    assert "01-15 08:00" in first
    assert first.endswith("…")
    assert "2028-02-19" in second
    assert third.split()[:4] == ["5faaf29b", "active", "alice", "rack1"]


def test_a_wide_table_says_where_a_reservation_is_used():
    told = formatting.rows([made(origin=Origin("lab1", "pid 4711")), made()], NOW_US, 200).splitlines()
    assert told[0].endswith("WHERE")
    assert told[1].endswith("pid 4711 on lab1")
    assert told[2].endswith("lab1")
    assert "WHERE" not in formatting.rows([made()], NOW_US, 120)
    assert replace(made(), ended_us=NOW_US).ended_us == NOW_US


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def fileno(self):
        return 1


@pytest.mark.parametrize(("said", "width"), [("97", 97), ("", 133), ("0", 133), ("wide", 133)])
def test_columns_goes_before_what_the_terminal_says(monkeypatch, said, width):
    monkeypatch.setenv("COLUMNS", said)
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((133, 50)))
    assert output.width() == width


def test_what_is_no_terminal_has_no_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert output.width() is None
