"""Durations: what is read, what is refused, and that a refusal can be acted on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base import clock, timeparse
from bespeak.base.errors import UsageError
from bespeak.base.timeparse import LONGEST_US


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86_400), ("1h30m", 5400), ("1w", 604_800), ("1d2h3m4s", 93_784)],
)
def test_reads_numbers_with_units(text, seconds):
    assert timeparse.duration(text) == seconds * clock.SECOND_US


@pytest.mark.parametrize(
    ("text", "seconds"), [("30", 30), ("0.5", 0.5), ("0s", 0), ("0", 0), ("2h", 7200), ("1h30m", 5400)]
)
def test_scripts_may_write_a_bare_number_of_seconds(text, seconds):
    assert timeparse.script_duration(text) == seconds * clock.SECOND_US


@pytest.mark.parametrize("text", ["-1", "nan", "1e3", "9" * 30, "9" * 500, "²", ""])
def test_what_is_no_number_of_seconds_is_refused(text):
    with pytest.raises(UsageError):
        timeparse.script_duration(text)


def test_forever_is_the_open_end():
    assert timeparse.duration("forever") == clock.FOREVER_US


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("90", ["90s", "90m", "90h"]),
        ("0.5h", ["30m"]),
        ("1,5d", ["1d12h"]),
        ("1:30", ["1h30m", "1m30s"]),
        ("1M", ["1m", "30d"]),
        ("1H", ["1h"]),
        ("1h90m", ["2h30m"]),
        ("30m1h", ["1h30m"]),
        ("1h1h", ["2h"]),
        ("2hours", ["2h"]),
        ("90 min", ["90m"]),
        ("1 h 30 m", ["1h30m"]),
    ],
)
def test_unclear_durations_are_refused_with_what_they_could_mean(text, readings):
    with pytest.raises(UsageError, match="not clear") as refused:
        timeparse.duration(text)
    assert refused.value.details["readings"] == readings
    for reading in readings:
        assert f"'{reading}'" in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", " ", "0s", "-5m", "h", "1h30", "999999d", "1.3333s", "1y", "٣h", "1h\x1b[31m", "9" * 500]
)
def test_what_is_no_duration_is_refused_in_one_plain_line(text):
    with pytest.raises(UsageError) as refused:
        timeparse.duration(text)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300


@given(st.integers(1, LONGEST_US // clock.SECOND_US))
def test_every_duration_that_is_shown_in_full_is_read_back(seconds):
    text, rest = "", seconds
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    assert timeparse.duration(text) == seconds * clock.SECOND_US


@given(st.text(max_size=100) | st.text(alphabet="0123456789dhmsw.,: MHforev", max_size=16))
def test_any_text_is_read_or_refused_and_every_suggestion_is_accepted(text):
    refused = None
    try:
        assert 0 < timeparse.duration(text) <= clock.FOREVER_US
    except UsageError as error:
        refused = error
    assert refused is None or str(refused).isprintable()
    for reading in refused.details["readings"] if refused else ():
        timeparse.duration(reading)
