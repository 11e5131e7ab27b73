"""``move``, ``transfer``, ``swap`` and ``release --from``: every refusal names the nearest thing that would work."""

from __future__ import annotations

import json
import shlex

import pytest

from bespeak.cli.main import main


@pytest.fixture
def run(capfd):
    def run(line, code=0):
        capfd.readouterr()
        assert main(shlex.split(line)) == code, capfd.readouterr().err
        return capfd.readouterr()

    return run


def made(run, line):
    return json.loads(run(f"--json {line}").out)["short_id"]


def test_a_refused_move_names_the_command_that_would_work(run):
    mine = made(run, "--as-user alice reserve rack1 --at '2040-05-01 9:00' --for 1h")
    run("--as-user bob reserve rack1 --at '2040-05-01 14:00' --for 2h")
    err = run(f"--as-user alice move {mine} --at '2040-05-01 15:00'", 7).err
    assert "rack1 is booked by bob from 2040-05-01 14:00 UTC" in err
    command = err.strip().rpartition("would be granted: bespeak ")[2]
    assert command == f"--as-user alice move {mine} --at 2040-05-01T16:00:00+00:00"
    assert "moved" in run(command).out
    assert "say to when" in run(f"--as-user alice move {mine}", 2).err


def test_a_booking_is_moved_to_another_resource(run):
    mine = made(run, "--as-user alice reserve rack1 scope --at '2040-05-01 9:00' --for 1h")
    run("--as-user bob reserve rack2 --at '2040-05-01 9:00' --for 2h")
    err = run(f"--as-user alice move {mine} --to rack2 --to scope", 7).err
    assert "rack2 is booked by bob from 2040-05-01 09:00 UTC" in err
    command = err.strip().rpartition("would be granted: bespeak ")[2]
    assert command == f"--as-user alice move {mine} --at 2040-05-01T11:00:00+00:00 --to=rack2 --to=scope"
    (moved,) = json.loads(run(f"--json {command}").out)["reservations"]
    assert (moved["resources"], moved["starts"]) == (["rack2", "scope"], "2040-05-01T11:00:00+00:00")
    assert "moved" in run(f"--as-user alice move {mine} --to rack3").out
    assert "moved rack2, scope to rack3: 2040-05-01 11:00 UTC" in run("log --resource rack3").out


def test_a_refused_extension_names_the_end_that_would_be_granted(run):
    mine = made(run, "--as-user alice reserve rack1 --at '2040-05-01 9:00' --for 1h")
    run("--as-user bob reserve rack1 --at '2040-05-01 14:00' --for 2h")
    err = run(f"--as-user alice extend {mine} --until '2040-05-01 15:00'", 7).err
    assert "until 2040-05-01 14:00 UTC would be granted" in err
    run("--as-user alice " + err.strip().rpartition("would be granted: bespeak ")[2])
    assert "would be granted" not in run(f"--as-user alice extend {mine} --for 1h", 7).err


def test_transfer_swap_and_part(run):
    mine = made(run, "--as-user alice reserve rack1 rack2 --for 1h")
    assert "transferred to bob:" in run(f"--as-user alice transfer {mine} --to bob").out
    theirs = made(run, "--as-user alice reserve rack3 --for 1h")
    answer = json.loads(run(f"--as-user alice swap {theirs} {mine} --reason agreed --json").out)
    assert [one["holder"] for one in answer["reservations"]] == ["bob", "alice"]
    assert "rack1" in run(f"--as-user alice release --from {mine} rack2").out
    run("reserve rack2 --for 1h")
    assert "say which of its resources" in run(f"--as-user alice release --from {mine}", 2).err
    assert "nothing would be left" in run(f"--as-user alice release --from {mine} rack1", 6).err
