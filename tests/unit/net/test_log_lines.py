"""What strangers send does not fill the log."""

from __future__ import annotations

import logging

from bespeak.net.log_lines import MOST_LINES, LineLimit


def record(number):
    return logging.makeLogRecord({"msg": "line %d", "args": (number,)})


def test_so_many_lines_a_minute_are_said_and_the_last_says_so():
    clock = [0.0]
    sparing = LineLimit(lambda: clock[0])
    records = [record(number) for number in range(1000)]
    said = [one.getMessage() for one in records if sparing.filter(one)]
    assert len(said) == MOST_LINES
    assert said[:2] == ["line 0", "line 1"]
    assert said[-1] == f"line {MOST_LINES - 1} (the rest of this minute is left out; --debug has it all)"
    clock[0] = 61.0
    again = record(5)
    assert sparing.filter(again)
    assert again.getMessage() == "line 5"
