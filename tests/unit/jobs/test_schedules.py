"""Recurring jobs: each occurrence is one reservation, whatever the clocks do and whoever runs."""

from __future__ import annotations

import json
import subprocess
import threading
from datetime import UTC, datetime

import pytest

from bespeak.base.clock import FOREVER_US, HOUR_US, MINUTE_US, SECOND_US
from bespeak.base.errors import NotFoundError, UsageError, WrongStateError
from bespeak.base.timezones import NamedZone
from bespeak.jobs import rows, schedules
from bespeak.jobs.resource_bookings import this_user
from bespeak.jobs.schedules import CatchUp, Overlap, Schedule
from bespeak.jobs.schema import LOCK
from bespeak.recurrence import cron
from support.job_sites import until

BERLIN = NamedZone("Europe/Berlin")


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND_US


def coming(expression: str, after: str, count: int) -> list[str]:
    found = cron.instants(expression, BERLIN, us(after))
    return [datetime.fromtimestamp(next(found) / SECOND_US, UTC).isoformat() for _ in range(count)]


def test_a_time_that_the_clocks_skip_comes_when_they_have_gone_on() -> None:
    assert coming("30 2 * * *", "2026-03-28T00:00+01:00", 3) == [
        "2026-03-28T01:30:00+00:00",
        "2026-03-29T01:30:00+00:00",  # 03:30 in Berlin, where 02:30 is skipped
        "2026-03-30T00:30:00+00:00",
    ]


def test_a_time_that_the_clocks_show_twice_comes_once() -> None:
    assert coming("30 2 * * *", "2026-10-24T12:00+02:00", 2) == [
        "2026-10-25T00:30:00+00:00",  # the first 02:30
        "2026-10-26T01:30:00+00:00",
    ]
    # Asked between the two, the second is none.
    assert coming("30 2 * * *", "2026-10-25T00:45+00:00", 1) == ["2026-10-26T01:30:00+00:00"]


@pytest.mark.parametrize("after", ["2026-03-29T00:10+00:00", "2026-10-25T00:10+00:00", "2026-06-01T00:10+00:00"])
def test_every_hour_comes_in_order_and_never_twice(after: str) -> None:
    found = cron.instants("0 * * * *", BERLIN, us(after))
    instants = [next(found) for _ in range(30)]
    assert instants == sorted(set(instants))
    assert instants[0] > us(after)


@pytest.mark.parametrize("expression", ["61 * * * *", "0 0 30 2 *", "", "a b c d e", "* * * *"])
def test_what_is_no_expression_is_said(expression: str) -> None:
    with pytest.raises(UsageError, match=r"is no cron expression|never comes"):
        cron.check(expression)


def schedule(**more) -> Schedule:
    values = {
        "name": "s", "cron": "* * * * *", "zone": "UTC", "overlap": Overlap.SKIP, "catch_up": CatchUp.NONE,
        "jitter_us": 0, "command": ("true",), "options": (), "site": "", "extras": {}, "created_us": 0,
        "next_us": FOREVER_US, "last_us": None, "paused": False,
    }  # fmt: skip
    return Schedule(**{**values, **more})


NINE = us("2026-06-01T09:00+00:00")


@pytest.mark.parametrize(
    ("catch_up", "wanted", "missed"),
    [
        (CatchUp.NONE, ["09:03", "09:04"], ["09:00", "09:01", "09:02"]),
        (CatchUp.ONE, ["09:02", "09:03", "09:04"], ["09:00", "09:01"]),
        (CatchUp.ALL, ["09:00", "09:01", "09:02", "09:03", "09:04"], []),
    ],
)
def test_what_becomes_of_missed_occurrences(catch_up: CatchUp, wanted: list[str], missed: list[str]) -> None:
    now_us = NINE + 4 * MINUTE_US
    found = schedules.due_and_missed(schedule(catch_up=catch_up, next_us=NINE), now_us)
    assert [[f"{datetime.fromtimestamp(at / SECOND_US, UTC):%H:%M}" for at in part] for part in found] == [
        wanted,
        missed,
    ]


def test_the_jitter_of_an_occurrence_is_always_the_same() -> None:
    moved = schedule(jitter_us=5 * MINUTE_US)
    starts = [moved.starts_us(NINE + number * HOUR_US) - NINE - number * HOUR_US for number in range(50)]
    assert starts == [moved.starts_us(NINE + number * HOUR_US) - NINE - number * HOUR_US for number in range(50)]
    assert all(0 <= each < 5 * MINUTE_US for each in starts)
    assert len(set(starts)) > 40


def made(engine) -> list[str]:
    return [
        job.run_key.partition("@")[2][11:16]
        for job in engine.read(lambda tx: rows.jobs(tx.fetch_all(f"{rows.SELECT} ORDER BY seq")))
    ]


def end(engine, minute: str, outcome: str | None = "SUCCEEDED") -> None:
    sql = "UPDATE reservations SET reservation_status = 'DISPATCHED', job_id = 'j', outcome = :o WHERE run_key LIKE :k"
    engine.transact((LOCK,), lambda tx: tx.execute(sql, {"o": outcome, "k": f"%{minute}%"}))


def saved(engines, clock, **more):
    engine = engines()
    clock.us = NINE - 30 * SECOND_US
    schedules.save(engine, schedule(**more), replace_existing=False)
    return engine


def test_an_occurrence_is_made_once_when_it_is_due(engines, clock) -> None:
    engine = saved(engines, clock)
    assert schedules.turn(engine, "").made == []
    clock.us = NINE
    assert [job.run_key for job in schedules.turn(engine, "").made] == ["s@2026-06-01T09:00:00+00:00"]
    assert schedules.turn(engines(), "").made == []
    assert schedules.turn(engine, "elsewhere").next_us == FOREVER_US


def test_an_occurrence_is_a_job_of_whoever_made_the_schedule(engines, clock) -> None:
    engine = saved(engines, clock)
    sql = "UPDATE dispatch_schedules SET account = 'eve' WHERE account = :me"
    assert engine.transact((LOCK,), lambda tx: tx.execute(sql, {"me": this_user()})) == 1
    clock.us = NINE
    assert len(schedules.turn(engine, "").made) == 1
    assert engine.read(lambda tx: tx.fetch_all("SELECT account FROM reservations")) == [("eve",)]


def test_an_occurrence_is_skipped_while_the_one_before_runs(engines, clock) -> None:
    engine = saved(engines, clock)
    for minute in range(3):
        clock.us = NINE + minute * MINUTE_US
        done = schedules.turn(engine, "")
        assert len(done.made) == (0 if minute == 1 else 1)
        assert len(done.skipped) == (1 if minute == 1 else 0)
        if minute == 1:
            end(engine, "09:00")
    assert made(engine) == ["09:00", "09:02"]


def test_queued_occurrences_follow_one_another(engines, clock) -> None:
    engine = saved(engines, clock, overlap=Overlap.QUEUE)
    for minute in range(3):
        clock.us = NINE + minute * MINUTE_US
        schedules.turn(engine, "")
    assert made(engine) == ["09:00", "09:01", "09:02"]
    assert seen(engine) == ["09:00"]
    end(engine, "09:00", None)
    schedules.turn(engine, "")
    assert seen(engine) == []
    end(engine, "09:00")
    schedules.turn(engine, "")
    assert seen(engine) == ["09:01"]
    end(engine, "09:01")
    schedules.turn(engine, "")
    assert seen(engine) == ["09:02"]


def seen(engine) -> list[str]:
    sql = f"{rows.SELECT} WHERE reservation_status = 'RESERVED' AND next_us < {FOREVER_US} ORDER BY seq"
    return [job.run_key.partition("@")[2][11:16] for job in engine.read(lambda tx: rows.jobs(tx.fetch_all(sql)))]


def test_an_occurrence_replaces_the_one_before(engines, clock) -> None:
    engine = saved(engines, clock, overlap=Overlap.REPLACE)
    clock.us = NINE
    schedules.turn(engine, "")
    clock.us = NINE + MINUTE_US
    assert schedules.turn(engine, "").replaced == []  # it had not been started, and is cancelled
    assert seen(engine) == ["09:01"]
    end(engine, "09:01", None)
    clock.us = NINE + 2 * MINUTE_US
    assert [job.run_key[-14:-9] for job in schedules.turn(engine, "").replaced] == ["09:01"]


def test_a_paused_schedule_makes_nothing_and_goes_on_from_now(engines, clock) -> None:
    engine = saved(engines, clock)
    schedules.pause(engine, "s", paused=True)
    clock.us = NINE + 5 * MINUTE_US
    assert schedules.turn(engine, "").made == []
    assert schedules.pause(engine, "s", paused=False).next_us == NINE + 6 * MINUTE_US


def test_names_are_kept_apart(engines, clock) -> None:
    engine = saved(engines, clock)
    with pytest.raises(WrongStateError, match="replace changes it"):
        schedules.save(engine, schedule(), replace_existing=False)
    assert schedules.save(engine, schedule(cron="0 3 * * *"), replace_existing=True).cron == "0 3 * * *"
    schedules.remove(engine, "s")
    with pytest.raises(NotFoundError):
        schedules.remove(engine, "s")


def test_of_many_dispatchers_one_makes_an_occurrence(engines, clock) -> None:
    engine = saved(engines, clock)
    others = [engines() for _ in range(4)]
    clock.us = NINE
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda book=book: found.append(len(schedules.turn(book, "").made))) for book in others
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 0, 0, 1]
    assert made(engine) == ["09:00"]


def test_a_dispatcher_starts_occurrences(any_site) -> None:
    site = any_site
    told = site.call("schedule", "tick", "--cron", "* * * * *", "--zone", "UTC", "--catch-up", "one", "--", "/bin/true")
    assert (told.code, len(told.json["schedule"]["next"])) == (0, 10)
    from bespeak.jobs.locations import open_store

    engine = open_store(site.url)
    engine.transact((LOCK,), lambda tx: tx.execute(f"UPDATE dispatch_schedules SET next_us = {_this_minute()}"))
    engine.close()
    site.run()
    until(site.starts)
    assert site.starts()[0].startswith("tick@")
    listed = json.loads(site.call("schedules", "--next", "1").out)["schedules"]
    assert [(each["name"], each["last"][:5], len(each["next"])) for each in listed] == [("tick", "tick@", 1)]
    assert site.call("pause", "--schedule", "tick").json["schedule"]["paused"] is True
    assert site.call("resume", "--schedule", "tick").json["schedule"]["paused"] is False
    assert site.call("unschedule", "tick").code == 0
    assert site.call("unschedule", "tick").code == 4
    assert "NAME" in site.call("schedules", "--text").out


def test_what_is_shown_to_people_has_a_line_for_each_occurrence(site) -> None:
    for name in ("nightly", "still"):
        site.call("schedule", name, "--cron", "0 2 * * *", "--zone", "Europe/Berlin", "--", "/bin/true")
    site.call("pause", "--schedule", "still")
    lines = site.call("schedules", "--text").out.splitlines()
    assert [line.split()[0] for line in (lines[0], lines[1], lines[-1])] == ["NAME", "nightly", "still"]
    assert (len(lines), lines[-1].split()[1]) == (12, "paused")
    assert max(map(len, lines)) <= 80


def _this_minute() -> int:
    import time

    return int(time.time() // 60) * 60 * SECOND_US


def test_a_schedule_that_cannot_be_is_refused_and_nothing_is_stored(site) -> None:
    for words in (
        ["--cron", "61 * * * *", "--", "true"],
        ["--cron", "* * * * *"],
        ["--cron", "* * * * *", "--overlap", "sometimes", "--", "true"],
        ["--cron", "* * * * *", "--zone", "Mars/Olympus", "--", "true"],
    ):
        done: subprocess.CompletedProcess[str] | object = site.call("schedule", "tick", *words)
        assert done.code == 2, words  # type: ignore[attr-defined]
    assert json.loads(site.call("schedules").out) == {"schedules": []}


def test_a_turn_reads_and_writes_only_what_is_due(engines, clock) -> None:
    engine = saved(engines, clock)
    schedules.save(engine, schedule(name="yearly", cron="0 0 1 1 *"), replace_existing=False)
    damage = "UPDATE dispatch_schedules SET command_json = 'no JSON' WHERE name = 'yearly'"
    engine.transact((LOCK,), lambda tx: tx.execute(damage))
    clock.step(60)
    done = schedules.turn(engine, "")
    assert [job.run_key for job in done.made] == ["s@2026-06-01T09:00:00+00:00"]
    assert done.next_us == NINE + MINUTE_US
    row = engine.read(lambda tx: tx.fetch_one("SELECT last_us FROM dispatch_schedules WHERE name = 'yearly'"))
    assert row[0] is None


def test_many_that_are_due_are_made_in_several_turns(engines, clock) -> None:
    engine = engines()
    clock.us = NINE - 30 * SECOND_US
    for number in range(120):
        schedules.save(engine, schedule(name=f"s{number:03}"), replace_existing=False)
    clock.step(31)
    first = schedules.turn(engine, "")
    assert (len(first.made), first.next_us) == (100, NINE)
    assert (len(schedules.turn(engine, "").made), len(schedules.turn(engine, "").made)) == (20, 0)
