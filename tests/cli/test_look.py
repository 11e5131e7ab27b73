"""``list`` by day and label, ``calendar show`` and ``report``."""

from __future__ import annotations

import csv
import io
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

    run("resource add board1 --label arch=arm64")
    run("resource add board2 --label arch=x86")
    run("reserve board1 --at '2040-05-01 9:00' --for 2h --purpose 'thermal [bold]run'")
    run("reserve board2 --at '2040-05-01 22:00' --for 4h")
    run("reserve board1 --at '2040-05-03 9:00' --for 1h --shared")
    return run


def listed(run, options):
    return [
        (one["resources"][0], one["starts"][:16])
        for one in json.loads(run(f"list {options} --json").out)["reservations"]
    ]


def test_a_list_of_a_day_of_times_and_of_labels(run):
    assert sorted(listed(run, "--day 2040-05-01")) == [("board1", "2040-05-01T09:00"), ("board2", "2040-05-01T22:00")]
    assert listed(run, "--day 2040-05-02") == [("board2", "2040-05-01T22:00")]
    assert listed(run, "--from '2040-05-02 3:00'") == [("board1", "2040-05-03T09:00")]
    assert listed(run, "--to '2040-05-01 9:30' --label arm64") == [("board1", "2040-05-01T09:00")]
    assert {name for name, _ in listed(run, "--label 'not arm64'")} == {"board2"}
    assert "no resource matches" in run("list --label riscv", 4).err
    assert "--day excludes" in run("list --day today --to '2040-05-01 9:00'", 2).err
    assert "--to is not after --from" in run("list --from '2040-05-02 9:00' --to '2040-05-01 9:00'", 2).err
    for wrong in ("someday", "2040-13-01", "1900-01-01", "9:00"):
        assert "--day: " in run(f"list --day {wrong}", 2).err


def test_resources_are_listed_by_what_they_are(run):
    run("resource add rig --label arch=arm64 --label ram=8 --group rigs --location 'rack 3'")

    def names(options):
        return [one["name"] for one in json.loads(run(f"resource list {options} --json").out)["resources"]]

    assert names("--label arm64") == ["board1", "rig"]
    assert names("--label 'arm64 and ram>=8'") == names("--label group=rigs") == ["rig"]
    assert names("'board*' --label 'arm64 or x86'") == ["board1", "board2"]
    assert names("--label 'location=\"rack 3\" and not name=board1'") == ["rig"]
    assert names("--label riscv") == []
    assert run("resource list --label riscv").out == "no resource matches\n"
    assert "--label 'ram>': 'ram' is compared with nothing" in run("resource list --label 'ram>'", 2).err


def test_a_list_by_label_asks_for_what_a_request_by_need_asks_for(run):
    assert {name for name, _ in listed(run, "--label name=board1")} == {"board1"}


def test_a_day_is_drawn_by_resource(run):
    out = run("calendar show --day 2040-05-01").out.splitlines()
    rows = {line.split()[0]: line for line in out if line.startswith("board")}
    assert "·" * 18 + "█" * 4 + "·" * 26 in rows["board1"]
    assert "·" * 44 + "█" * 4 in rows["board2"]
    assert "09:00-11:00 alice" in rows["board1"]
    assert "22:00-…" in rows["board2"]
    assert run("calendar show --day 2040-06-01").out == "nothing is reserved then\n"
    assert "·" * 48 in run("calendar show board2 --day 2040-06-01").out
    assert "▒▒" in run("calendar show --label arm64 --day 2040-05-03").out


def test_a_week_is_drawn_by_resource(run):
    out = run("calendar show board1 --week 2040-05-01").out
    assert "05-01" in out
    assert "05-07" in out
    assert "09:00-11:00" in out
    answer = json.loads(run("calendar show --week 2040-05-01 --json").out)
    assert [len(found) for found in answer["resources"].values()] == [2, 1]
    assert "exclude each other" in run("calendar show --day today --week today", 2).err


def test_a_report_in_each_form(run):
    run("reserve '=cmd' --for 1h", 0)
    run("release '=cmd'")
    assert run("report").out.splitlines()[1].split() == [
        *("RESOURCE", "HOLDS", "HOURS", "SHARE", "WAITS", "WAITED", "LONGEST", "NO-SHOWS")
    ]
    rows = list(csv.reader(io.StringIO(run("report --format csv").out)))
    assert rows[0][0] == "resource"
    assert "'=cmd" in {row[0] for row in rows}
    assert json.loads(run("report --by user --json").out)["lines"][0]["name"] == "alice"
    out = run("report --by week --format html").out
    assert out.startswith("<!DOCTYPE html>")
    assert "<svg" in out
    assert "is not one of" in run("report --by mood", 2).err
    assert "is not one of" in run("report --format pdf", 2).err


def test_a_zone_that_there_is_not_is_an_error(cli, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berln")
    for words in (["list"], ["reserve", "rack1", "--for", "1h"]):
        done = cli(*words)
        assert (done.returncode, done.stdout) == (2, "")
        assert "TZ is 'Europe/Berln', and there is no such time zone" in done.stderr
