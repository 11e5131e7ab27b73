"""``export`` and ``import``: a book empties into a file and fills from it, exactly."""

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


@pytest.mark.parametrize("form", ["json", "csv", "ical"])
def test_a_book_comes_back(run, tmp_path, form):
    run("--as-user alice reserve rack1 rack2 --at '2040-05-01 9:00' --for 2h --purpose 'a, \"b\"' --tag ci=7")
    run("--as-user bob reserve rack1 --at '2040-05-02 9:00' --for forever --shared")
    text = run(f"export --format {form}").out
    (tmp_path / "file").write_text(text)
    other = f"--ledger {tmp_path / 'other.sqlite3'}"
    assert "imported 2 reservations" in run(f"{other} import {tmp_path / 'file'} --format {form}").out
    assert run(f"{other} export --format {form}").out == text
    assert {one["holder"] for one in json.loads(run(f"{other} list --json").out)["reservations"]} == {"alice", "bob"}
    err = run(f"{other} import {tmp_path / 'file'} --format {form}", 7).err
    assert "cannot be had, so nothing was written: rack1 is booked by alice" in err


def test_what_cannot_be_imported(run, tmp_path):
    assert "there is no file" in run(f"import {tmp_path / 'nothing'}", 4).err
    (tmp_path / "letter.csv").write_text("Dear Alice\n")
    assert "this is no csv of reservations" in run(f"import {tmp_path / 'letter.csv'}", 2).err
    assert "is not one of json, csv, ical, otto" in run(f"import {tmp_path / 'letter.csv'} --format pdf", 2).err
