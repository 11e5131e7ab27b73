"""Points in time: what is read, what is refused, daylight-saving changes, and showing."""

import subprocess
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base import clock, time_windows, timeparse
from bespeak.base.errors import UsageError
from bespeak.base.timezones import FixedZone, NamedZone, local_zone

BERLIN = NamedZone("Europe/Berlin")
BERLIN.suffix = ""  # as if it were the zone of the machine


def us(text):
    return int(datetime.fromisoformat(text).timestamp()) * clock.SECOND_US


SUNDAY_MORNING = us("2026-11-22T10:15:00+01:00")


def refusal_of(text):
    try:
        read(text)
    except UsageError as error:
        return error
    return None


def read(text, zone=BERLIN):
    return timeparse.instant(text, now_us=SUNDAY_MORNING, zone=zone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:00", "2026-11-22T14:00+01:00"),
        ("14:00:30", "2026-11-22T14:00:30+01:00"),
        ("today 9:00", "2026-11-22T09:00+01:00"),
        ("tomorrow 9:00", "2026-11-23T09:00+01:00"),
        ("fri 14:00", "2026-11-27T14:00+01:00"),
        ("Friday 14:00", "2026-11-27T14:00+01:00"),
        ("sat 9:00", "2026-11-28T09:00+01:00"),
        ("mon 00:00", "2026-11-23T00:00+01:00"),
        ("tomorrow 9:00 Europe/Berlin", "2026-11-23T09:00+01:00"),
        ("tomorrow 9:00 America/New_York", "2026-11-23T09:00-05:00"),
        ("2026-11-24T14:00", "2026-11-24T14:00+01:00"),
        ("2026-07-24 14:00", "2026-07-24T14:00+02:00"),
        ("2026-11-24T14:00:00Z", "2026-11-24T14:00+00:00"),
        ("2026-11-24T14:00:00+05:30", "2026-11-24T14:00+05:30"),
        ("2026-11-24 14:00 UTC", "2026-11-24T14:00+00:00"),
        ("14:00 -03:00", "2026-11-22T14:00-03:00"),
        ("14:00-0300", "2026-11-22T14:00-03:00"),
        ("+2h", "2026-11-22T12:15+01:00"),
        ("+1d", "2026-11-23T10:15+01:00"),
        ("now", "2026-11-22T10:15+01:00"),
        ("now+2h", "2026-11-22T12:15+01:00"),
        ("-2h", "2026-11-22T08:15+01:00"),
        ("now-1d", "2026-11-21T10:15+01:00"),
        ("+0s", "2026-11-22T10:15+01:00"),
        ("1795347000", "2026-11-22T12:30+01:00"),
        ("20261124T1400", "2026-11-24T14:00+01:00"),
        ("20261124T140000Z", "2026-11-24T14:00+00:00"),
        ("20261124T140030+0530", "2026-11-24T14:00:30+05:30"),
    ],
)
def test_reads_what_has_one_meaning(text, expected):
    assert read(text) == us(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", "1970-01-01T00:00:07+00:00"),
        ("20261124", "1970-08-23T12:05:24+00:00"),
        ("2026-11-24", "2026-11-24T00:00+00:00"),
        (" 2026-W48-2T14Z ", "2026-11-24T14:00+00:00"),
        ("tomorrow 9:00 Europe/Berlin", "2026-11-23T09:00+01:00"),
    ],
)
def test_scripts_may_write_numbers_and_dates_alone(text, expected):
    assert timeparse.script_instant(text, now_us=SUNDAY_MORNING) == us(expected)


@pytest.mark.parametrize("text", ["+300", "-300", "20261124", "202611241400", "1795347000123", "now +2h"])
def test_a_number_that_is_not_surely_an_instant_is_refused(text):
    with pytest.raises(UsageError):
        read(text)


def test_fractions_of_a_second_are_kept():
    assert read("2026-11-24T14:00:00.25Z") - us("2026-11-24T14:00:00+00:00") == 250_000


def test_the_days_are_those_of_the_zone_that_is_named():
    # It is Sunday 10:15 in Berlin and still Saturday in Honolulu... 23:15 of it.
    assert read("tomorrow 9:00 Pacific/Honolulu") == us("2026-11-22T09:00-10:00")


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("09:00", ["today 09:00", "tomorrow 09:00"]),
        ("sun 14:00", ["2026-11-22 14:00", "2026-11-29 14:00"]),
        ("05/06/2026", ["2026-05-06 00:00", "2026-06-05 00:00"]),
        ("05/06/2026 14:00", ["2026-05-06 14:00", "2026-06-05 14:00"]),
        ("5.6.2026 14:00", ["2026-05-06 14:00", "2026-06-05 14:00"]),
        ("01/02/03 14:00", ["2001-02-03 14:00", "2003-01-02 14:00", "2003-02-01 14:00"]),
        ("25/06/2026 14:00", ["2026-06-25 14:00"]),
        ("2026-11-24", ["2026-11-24 00:00", "2026-11-25 00:00"]),
        ("fri", ["fri 0:00", "fri 9:00"]),
        ("next fri 14:00", ["2026-11-27 14:00", "2026-12-04 14:00"]),
        ("2pm", ["14:00"]),
        ("2:30 pm", ["14:30"]),
        ("tomorrow 12am", ["tomorrow 00:00", "tomorrow 12:00"]),
        ("tomorrow 9", ["tomorrow 9:00", "tomorrow 21:00"]),
        ("noon", ["12:00"]),
        (
            "tomorrow 9:00 IST",
            ["tomorrow 9:00 Asia/Kolkata", "tomorrow 9:00 Europe/Dublin", "tomorrow 9:00 Asia/Jerusalem"],
        ),
        ("2027-03-28 02:30", ["2027-03-28T01:30+01:00", "2027-03-28T03:30+02:00"]),
        ("2026-10-25 02:30", ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"]),
        ("+90", ["+90s", "+90m", "+90h"]),
        ("+0.5h", ["+30m"]),
    ],
)
def test_unclear_times_are_refused_with_what_they_could_mean(text, readings):
    with pytest.raises(UsageError, match="not clear") as refused:
        read(text)
    assert refused.value.details["readings"] == readings


@pytest.mark.parametrize(
    "text",
    [
        "", "+", "soon", "25:00", "14:60", "14:00 Mars/Olympus", "14:00 ../../etc/passwd", "14:00 FOO", "+forever",
        "2026-02-30 14:00", "2026-13-01 14:00", "9999-01-01 00:00", "0001-01-01 00:00", "14:00 +01:00 UTC",
        "14:00+99:00", "14:00+1", "tomorrow tomorrow 9:00", "14:00 fri", "14:00\x1b[0m", "٣:00", "T14:00", "x" * 400,
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_in_one_plain_line(text):
    with pytest.raises(UsageError) as refused:
        read(text)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "UTC"]
)
@given(wall=st.datetimes(datetime(1975, 1, 1), datetime(2060, 1, 1)))  # noqa: DTZ001 wall-clock times
def test_wall_clock_times_agree_with_zoneinfo_and_gaps_and_folds_are_refused(name, wall):
    """The independent judge is the standard library: both folds must agree, and convert back to the same wall time."""
    wall = wall.replace(microsecond=0)
    zone = ZoneInfo(name)
    folds = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    real = {instant for instant in folds if instant.astimezone(zone).replace(tzinfo=None) == wall}
    text = f"{wall.isoformat()} {name}"
    if len(real) == 1:
        assert read(text) == int(real.pop().timestamp()) * clock.SECOND_US
    else:
        with pytest.raises(UsageError, match="the clocks go") as refused:
            read(text)
        assert len(refused.value.details["readings"]) == 2


WORDS = st.sampled_from(
    [
        "now",
        "+2h",
        "14:00",
        "2:30",
        "fri",
        "today",
        "tomorrow",
        "next",
        "2026-11-24",
        "2026-03-29",
        "02:30",
        "05/06/26",
        "2026-10-25T02:30",
        "Europe/Berlin",
        "CST",
        "UTC",
        "Z",
        "+01:00",
        "pm",
        "12",
        "am",
        "noon",
        "-",
        "T",
        ":",
        "/",
    ]
)


@given(
    st.text(max_size=100) | st.lists(WORDS, max_size=4).map(" ".join) | st.text("0123456789-:+.TZ /apm", max_size=20)
)
def test_any_text_is_read_or_refused_and_every_suggestion_is_accepted(text):
    refused = refusal_of(text)
    assert refused is None or str(refused).isprintable()
    for reading in refused.details["readings"] if refused else ():
        read(reading)


@given(st.integers(0, us("2200-01-01T00:00+00:00") // clock.SECOND_US))
def test_what_is_shown_names_the_zone_and_is_the_same_wall_clock_as_the_standard_library(seconds):
    there = datetime.fromtimestamp(seconds, ZoneInfo("Europe/Berlin"))
    wall = f"{there:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    assert timeparse.show(seconds * clock.SECOND_US, BERLIN) == f"{wall} {there.tzname()}"


def test_an_open_end_and_an_instant_beyond_the_calendar_are_shown_too():
    assert timeparse.show(clock.FOREVER_US) == "no end"
    assert timeparse.show(clock.FOREVER_US - 1, FixedZone(0, "UTC")).endswith("UTC")


def test_the_zone_of_the_machine_is_the_one_of_its_environment():
    program = (
        "from bespeak.base import timeparse as when; print(when.show(1795315440000000), when.show(1782000000000000))"
    )
    out = {
        zone: subprocess.run(
            [sys.executable, "-c", program], env={"TZ": zone}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for zone in ("Europe/Berlin", "Asia/Kolkata", "UTC", "")
    }
    assert out["Europe/Berlin"] == "2026-11-22 03:44 CET 2026-06-21 02:00 CEST"
    assert out["Asia/Kolkata"] == "2026-11-22 08:14 IST 2026-06-21 05:30 IST"
    assert out["UTC"] == out[""] == "2026-11-22 02:44 UTC 2026-06-21 00:00 UTC"


def test_a_machine_without_zone_files_falls_back_to_the_packaged_ones(monkeypatch):
    monkeypatch.setattr("bespeak.base.timezones._ZONE_FILES", "/nonexistent")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert timeparse.show(1795315440000000, local_zone()) == "2026-11-22 11:44 JST"
    monkeypatch.setenv("TZ", "No/Where")
    assert timeparse.show(1795315440000000) == "2026-11-22 02:44 UTC"


def test_reading_imports_no_zone_database_unless_a_zone_is_named():
    program = (
        "import sys; from bespeak.base import timeparse as when; when.instant('+2h', now_us=1); when.duration('2h'); when.show(0);"
        "print([m for m in ('zoneinfo', 're', 'typing', 'json', 'dataclasses') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_zone_without_a_name_is_shown_by_its_offset():
    assert timeparse.show(0, FixedZone(3600, " ")) == "1970-01-01 01:00 +01:00"


@pytest.mark.parametrize(
    ("begins", "text", "until"),
    [
        ("2030-07-01 09:00", "10:00", "2030-07-01T10:00:00+00:00"),
        ("2030-07-01 09:00 Europe/Berlin", "10:00", "2030-07-01T08:00:00+00:00"),
        ("2030-07-01 22:00 Europe/Berlin", "06:00", "2030-07-02T04:00:00+00:00"),
        ("2030-07-01T22:00Z", "22:30", "2030-07-01T22:30:00+00:00"),
        ("2030-07-01T22:00-08:00", "23:00", "2030-07-02T07:00:00+00:00"),
        ("2030-07-01 22:00 +0530", "06:00", "2030-07-02T00:30:00+00:00"),
        ("2030-07-01 22:00 UTC", "06:00", "2030-07-02T06:00:00+00:00"),
        ("2030-07-01 09:00", "2030-07-01 12:00", "2030-07-01T12:00:00+00:00"),
        (None, "2030-07-01 12:00", "2030-07-01T12:00:00+00:00"),
    ],
)
def test_a_time_of_day_alone_ends_on_the_day_on_which_it_began(begins, text, until):
    assert clock.iso(time_windows.end_after(text, begins, SUNDAY_MORNING)) == until


@pytest.mark.parametrize("name", ["Europe/Berln", "Berlin", "no zone"])
def test_a_misspelt_zone_of_the_machine_is_refused_and_never_shown(name, monkeypatch):
    monkeypatch.setenv("TZ", name)
    with pytest.raises(UsageError, match=r"TZ is .*, and there is no such time zone"):
        timeparse.instant("14:00", now_us=SUNDAY_MORNING)
    assert timeparse.show(SUNDAY_MORNING).endswith(" UTC")


@pytest.mark.parametrize("name", ["", "UTC", "Europe/Berlin", ":Europe/Berlin", "CET-1CEST", "<+03>-3", "EST5EDT"])
def test_every_form_of_a_zone_is_taken(name, monkeypatch):
    monkeypatch.setenv("TZ", name)
    assert timeparse.instant("tomorrow 14:00", now_us=SUNDAY_MORNING) > SUNDAY_MORNING
