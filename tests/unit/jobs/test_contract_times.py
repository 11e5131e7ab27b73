"""Reading instants and durations as the documented contract takes them."""

import time

import pytest

from bespeak.base.errors import UsageError
from bespeak.jobs.contract_times import iso_seconds, read_duration, read_instant

NOW_US = 1_800_000_000_250_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1777831200", 1_777_831_200),
        (" 7 ", 7),
        ("2026-05-04T02:00:00+09:00", 1_777_827_600),
        ("2026-05-04T02:00:00.999999+09:00", 1_777_827_600),
        ("2026-05-03T17:00:00Z", 1_777_827_600),
        ("2026-05-03 17:00", 1_777_827_600),
        ("2026-05-03", 1_777_766_400),
        ("1969-12-31T23:59:59.5+00:00", -1),
        ("now", 1_800_000_000),
        ("+5m", 1_800_000_301),
        ("now+2h", 1_800_007_201),
        ("+1s", 1_800_000_002),
        ("+0s", 1_800_000_000),
        ("now+00m", 1_800_000_000),
        ("2026-12-01 02:00 Europe/Berlin", 1_796_086_800),
        ("tomorrow 02:00", 1_800_064_800),
        ("20260503T170000Z", 1_777_827_600),
    ],
)
def test_what_is_read(text: str, seconds: int) -> None:
    assert read_instant(text, "--not-before", NOW_US) == seconds


def test_a_time_without_offset_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert read_instant("2026-05-04T02:00:00", "--not-before", NOW_US) == 1_777_827_600
        assert read_instant("2026-05-04", "--not-before", NOW_US) == 1_777_820_400
        assert iso_seconds(1_777_820_400) == "2026-05-03T15:00:00+00:00"
    finally:
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "xx",
        "²",
        "١٢",
        "1.7",
        "1e9",
        "NaN",
        "2026-13-01",
        "+",
        "+forever",
        "+300",
        "-5",
        "+0.25s",
        "9" * 30,
        "253402300800",
        "x" * 200,
        "\udcff",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--not-before"):
        read_instant(text, "--not-before", NOW_US)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-10:00", "-99999999999999"])
def test_instants_beyond_the_calendar_are_refused_or_can_be_shown(text: str) -> None:
    try:
        seconds = read_instant(text, "--expires-at", NOW_US)
    except UsageError:
        return
    assert iso_seconds(seconds) is not None


def test_what_an_old_database_holds_beyond_the_calendar_is_shown_as_null() -> None:
    assert iso_seconds(10**15) is None


@pytest.mark.parametrize(
    ("text", "us"),
    [("2.0", 2_000_000), ("0", 0), ("0s", 0), ("30s", 30_000_000), ("1h30m", 5_400_000_000), (".5", 500_000)],
)
def test_durations(text: str, us: int) -> None:
    assert read_duration(text, "--for") == us


@pytest.mark.parametrize("text", ["", "-1", "²", "x", "nan", "1e3", "9" * 30])
def test_durations_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--for"):
        read_duration(text, "--for")


def test_a_duration_below_the_smallest_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 1s"):
        read_duration("0.5", "--for", smallest_us=1_000_000)
