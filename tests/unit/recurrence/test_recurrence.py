# ruff: noqa: DTZ001 wall-clock times have no zone
"""Rules, and what their wall-clock times mean where the clocks change."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bespeak.base.errors import UsageError
from bespeak.base.timezones import NamedZone
from bespeak.recurrence import MOST, ClockChange, chosen, expand, local_zone_name, occurrence, parse, wall_time

BERLIN = "Europe/Berlin"


def walls(text, first, **more):
    return [f"{one.wall:%a %d %H:%M}" for one in expand(parse(text), first, **more)]


@pytest.mark.parametrize(
    ("text", "rrule", "zone"),
    [
        ("weekday 22:00", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", ""),
        ("daily 9:00 UTC", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "UTC"),
        ("weekend 9:00 Europe/Berlin", "FREQ=WEEKLY;BYDAY=SA,SU", BERLIN),
        ("thu,mon 9:30", "FREQ=WEEKLY;BYDAY=MO,TH", ""),
        ("RRULE:freq=monthly;bymonthday=1", "FREQ=MONTHLY;BYMONTHDAY=1", ""),
    ],
)
def test_rules_that_are_read(text, rrule, zone):
    found = parse(text)
    assert (found.rrule, found.zone_name, found.text) == (rrule, zone, text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "weekday",
            "22:00",
            "weekday 25:00",
            "someday 9:00",
            "mon,xyz 9:00",
            "weekday 9:00 Europe/Nowhere",
            "é 9:00",
        ),
        *(
            "FREQ=MINUTELY",
            "FREQ=SECONDLY;COUNT=3",
            "BYDAY=MO",
            "FREQ=WEEKLY;BYDAY=XX",
            "FREQ=DAILY;INTERVAL=x",
            "x" * 300,
        ),
    ],
)
def test_rules_that_are_none(text):
    with pytest.raises(UsageError):
        parse(text)


def test_occurrences_begin_at_the_first_time_and_end():
    tuesday = datetime(2040, 5, 1, 23, 0)
    assert walls("weekday 22:00", tuesday, count=4) == ["Wed 02 22:00", "Thu 03 22:00", "Fri 04 22:00", "Mon 07 22:00"]
    assert walls("weekday 22:00", tuesday, until=datetime(2040, 5, 3, 22, 0)) == ["Wed 02 22:00", "Thu 03 22:00"]
    assert walls("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=2", tuesday) == ["Mon 14 23:00", "Mon 28 23:00"]
    with pytest.raises(UsageError, match="without an end"):
        expand(parse("weekday 22:00"), tuesday)
    with pytest.raises(UsageError, match=f"more than {MOST}"):
        expand(parse("FREQ=HOURLY"), tuesday, until=datetime(2041, 1, 1))


def test_a_time_that_the_clocks_skip_or_show_twice_is_told_and_never_guessed():
    spring = expand(parse("daily 2:30 Europe/Berlin"), datetime(2040, 3, 24), count=3)
    assert [one.problem for one in spring] == [None, "the clocks skip it", None]
    with pytest.raises(UsageError, match="2040-03-25 02:30: the clocks skip it") as unclear:
        chosen(spring, ClockChange.REFUSE)
    assert unclear.value.details["unclear"] == ["2040-03-25T02:30"]
    assert [one.wall.day for one, _ in chosen(spring, ClockChange.SKIP)] == [24, 26]
    autumn = expand(parse("daily 2:30 Europe/Berlin"), datetime(2040, 10, 27), count=3)
    assert [one.problem for one in autumn] == [None, "the clocks show it twice", None]
    early, late = (dict(chosen(autumn, how))[autumn[1]] for how in (ClockChange.EARLY, ClockChange.LATE))
    assert late - early == 3_600_000_000


@settings(max_examples=200)
@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2036, 12, 31)),
    st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata"]),
)
def test_what_a_time_means_agrees_with_the_zone_database(wall, name):
    wall = wall.replace(microsecond=0)
    found = occurrence(wall, NamedZone(name))
    both = {wall.replace(tzinfo=ZoneInfo(name), fold=fold) for fold in (0, 1)}
    meant = {int(one.timestamp()) for one in both}
    real = {one for one in meant if wall_time(one * 1_000_000, NamedZone(name)) == wall}
    assert {one // 1_000_000 for one in found.instants_us} == real
    assert (found.problem is None) == (len(real) == 1)


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.integers(1, 40))
def test_weekdays_agree_with_counting_days(first, count):
    first = first.replace(second=0, microsecond=0)
    day, expected = first, []
    while len(expected) < count:
        at = day.replace(hour=22, minute=0)
        if at >= first and at.weekday() < 5:
            expected.append(at)
        day += timedelta(days=1)
    assert [one.wall for one in expand(parse("weekday 22:00 UTC"), first, count=count)] == expected


def test_the_name_of_the_zone(monkeypatch):
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert local_zone_name() == BERLIN
    monkeypatch.setenv("TZ", "CET-1CEST")
    assert local_zone_name() == ""
