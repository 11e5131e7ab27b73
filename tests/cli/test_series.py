"""``reserve --every`` and ``series``: conflicts are listed first, one or the rest is changed or cancelled."""

from __future__ import annotations

import json
import shlex

import pytest

from bespeak.cli.main import main


@pytest.fixture
def run(capfd):
    def run(line, code=0):
        capfd.readouterr()
        assert main(shlex.split(f"--as-user alice {line}")) == code, capfd.readouterr().err
        return capfd.readouterr()

    return run


EVERY = "reserve rack3 --every 'weekday 22:00' --at '2040-05-01 9:00' --for 8h"


def series(run, line):
    return json.loads(run(f"{line} --json").out)


def test_a_series_is_made_shown_and_cancelled(run):
    made = series(run, f"{EVERY} --until 2040-05-09 --purpose soak --tag ci=7")
    assert made["rule"] == "weekday 22:00 UTC"
    assert [one["starts"][:16] for one in made["reservations"]] == [
        *("2040-05-01T22:00", "2040-05-02T22:00", "2040-05-03T22:00", "2040-05-04T22:00"),
        *("2040-05-07T22:00", "2040-05-08T22:00", "2040-05-09T22:00"),
    ]
    assert {one["purpose"] for one in made["reservations"]} == {"soak"}
    assert made["reservations"][0]["tags"]["series"] == made["id"]
    name = made["short_id"]
    assert "weekday 22:00 UTC" in run("series list").out
    assert len(series(run, f"series cancel {name} --only 2040-05-03")["reservations"]) == 1
    assert len(series(run, f"series cancel {name} --from 2040-05-08")["reservations"]) == 2
    assert len(series(run, f"series show {name}")["reservations"]) == 7
    assert "has none that has not begun there" in run(f"series cancel {name} --only 2040-05-03", 4).err
    assert len(series(run, f"series cancel {name}")["reservations"]) == 4
    assert run("series list").out == "no series\n"
    assert "no series has an id" in run(f"series cancel {name}", 4).err


def test_conflicts_are_listed_before_anything_is_written(run):
    run("reserve rack3 --at '2040-05-03 23:00' --for 1h")
    err = run(f"{EVERY} --count 4", 7).err
    assert "1 of 4 cannot be had, so nothing was written: 2040-05-03 22:00 UTC: rack3 is booked by alice" in err
    assert "--skip-conflicts leaves these out" in err
    assert run("series list").out == "no series\n"
    made = series(run, f"{EVERY} --count 4 --skip-conflicts")
    assert (len(made["reservations"]), len(made["skipped"])) == (3, 1)
    assert made["skipped"][0]["starts"] == "2040-05-03T22:00:00+00:00"


def test_one_or_the_rest_is_edited(run):
    name = series(run, f"{EVERY} --count 4")["short_id"]
    one = series(run, f"series edit {name} --only 2040-05-02 --time 20:00 --for 1h")["reservations"]
    assert [(each["starts"][:16], each["ends"][:16]) for each in one] == [("2040-05-02T20:00", "2040-05-02T21:00")]
    rest = series(run, f"series edit {name} --from 2040-05-03 --for 2h")["reservations"]
    assert [each["ends"][:16] for each in rest] == ["2040-05-04T00:00", "2040-05-05T00:00"]
    run("reserve rack3 --at '2040-05-04 12:00' --for 1h")
    assert "1 of 4 cannot be had" in run(f"series edit {name} --time 12:00", 7).err
    changed = series(run, f"series edit {name} --time 12:00 --skip-conflicts")
    assert (len(changed["reservations"]), len(changed["skipped"])) == (3, 1)
    assert "say what changes" in run(f"series edit {name}", 2).err
    assert "exclude each other" in run(f"series edit {name} --time 9:00 --only 2040-05-02 --from 2040-05-02", 2).err


def test_the_clocks_change_and_nothing_is_guessed(run):
    line = "reserve rack3 --every 'daily 2:30 Europe/Berlin' --at '2040-03-23 9:00' --count 3 --for 10m"
    err = run(line, 2).err
    assert "2040-03-25 02:30: the clocks skip it" in err
    assert "--clock-change" in err
    assert len(series(run, f"{line} --clock-change skip")["reservations"]) == 2
    assert "is not skip, early or late" in run(f"{line} --clock-change maybe", 2).err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"{EVERY}", "without an end"),
        (f"{EVERY} --count 2 --wait", "--every has times of its own"),
        ("reserve rack3 --count 2", "they need --every"),
        ("reserve rack3 --every 'sometimes 9:00' --count 2", "is not read"),
        ("reserve rack3 --every 'daily 9:00' --until 2020-01-01", "no occurrence"),
    ],
)
def test_what_makes_no_series(run, line, said):
    assert said in run(line, 2).err
