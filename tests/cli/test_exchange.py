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


def test_a_second_name_of_an_old_book_comes_as_the_plain_one(run, tmp_path):
    run("reserve r2 --at '2040-05-01 9:00' --for 2h")
    run("reserve rack/a --at '2040-05-01 9:00' --for 2h")
    text = run("export").out
    (tmp_path / "old.json").write_text(text.replace('"r2"', '"./r2"').replace('"rack/a"', '"rack//a"'))
    other = f"--ledger {tmp_path / 'other.sqlite3'}"
    imported = run(f"{other} import {tmp_path / 'old.json'}")
    assert "imported 2 reservations" in imported.out
    assert "'./r2' is imported as 'r2': a new book has no second name for it" in imported.err
    assert "'rack//a' is imported as 'rack/a'" in imported.err
    assert run(f"{other} export").out == text
    (tmp_path / "both.json").write_text(text.replace('"rack/a"', '"r2/"'))
    again = f"--ledger {tmp_path / 'third.sqlite3'}"
    assert "nothing was written: r2 is booked" in run(f"{again} import {tmp_path / 'both.json'}", 7).err
    (tmp_path / "up.json").write_text(text.replace('"r2"', '"../r2"'))
    assert "has a part that is '..'" in run(f"{again} import {tmp_path / 'up.json'}", 2).err


def test_what_cannot_be_imported(run, tmp_path):
    assert "there is no file" in run(f"import {tmp_path / 'nothing'}", 4).err
    (tmp_path / "letter.csv").write_text("Dear Alice\n")
    assert "this is no csv of reservations" in run(f"import {tmp_path / 'letter.csv'}", 2).err
    assert "is not one of json, csv, ical, otto" in run(f"import {tmp_path / 'letter.csv'} --format pdf", 2).err


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        ("json", "[1]", "a value in it is of another kind than the documented one"),
        ("json", "null", "a value in it is of another kind than the documented one"),
        ("json", '{"version": 1}', "'reservations' is missing"),
        ("json", '{"version": 1, "reservations": [{"resources": "rack1"}]}', "resources must be a list of names"),
        ("json", "[" * 100_000, "it is nested too deeply"),
        ("otto", '{"version": 1, "reservations": [{"resources": ["rack1"]}]}', "'user' is missing"),
        ("csv", f"resources,tags\nrack1,{'[' * 100_000}\n", "it is nested too deeply"),
        ("dibs", '[{"owner": "alice"}]', "'resource' is missing"),
        ("dibs", "[" * 100_000, "it is nested too deeply"),
        ("labgrid", "- 1", "a value in it is of another kind than the documented one"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_words(run, tmp_path, form, text, said):
    (tmp_path / "file").write_text(text)
    err = run(f"import {tmp_path / 'file'} --format {form}", 2).err
    assert err.startswith(f"bespeak: error: this is no {form}")
    assert err.endswith(f": {said}\n")


PLACES = """
board-1: {acquired: dude/rcz, comment: on the left, matches: [], tags: {board: imx6}}
board-2: {acquired: null, comment: '', matches: [], tags: {board: imx8}}
"""
CASC = """
unclassified:
  lockableResourcesManager:
    declaredResources: [{name: plc, labels: spare, reservedBy: carol, note: soak}, {name: rig}]
"""
CLAIMED = [
    {"resource": "gpu", "description": "", "owner": "alice", "note": "train", "group": "g-1"},
    {"resource": "phone", "description": "", "owner": "alice", "note": "train", "group": "g-1"},
    {"resource": "idle", "description": "nobody's"},
]


@pytest.mark.parametrize(
    ("form", "text", "held"),
    [
        ("labgrid", PLACES, [("rcz", ["board-1"], "")]),
        ("jenkins", CASC, [("carol", ["plc"], "soak")]),
        ("dibs", json.dumps(CLAIMED), [("alice", ["gpu", "phone"], "train")]),
    ],
)
def test_what_is_held_elsewhere(run, tmp_path, form, text, held):
    (tmp_path / "file").write_text(text)
    found = json.loads(run(f"import {tmp_path / 'file'} --format {form} --json").out)["reservations"]
    assert [(one["holder"], one["resources"], one["purpose"]) for one in found] == held
    assert {one["ends_us"] for one in found} == {None}
    assert f"{form!r} is not one of json, csv, ical, otto" in run(f"export --format {form}", 2).err
    (tmp_path / "file").write_text("[1]")
    told = "must be a list of resources" if form == "jenkins" else f"this is no {form} file with holds"
    assert told in run(f"import {tmp_path / 'file'} --format {form}", 2).err


def test_the_inventories_of_others(run, tmp_path):
    (tmp_path / "places.yaml").write_text(PLACES)
    assert "say whose form it has" in run(f"resource sync {tmp_path / 'places.yaml'}", 2).err
    assert "2 new" in run(f"resource sync {tmp_path / 'places.yaml'} --format labgrid").out
    for form in ("labgrid", "jenkins"):
        (tmp_path / form).write_text(run(f"resource export --format {form}").out)
        assert "0 new, 0 changed, 0 removed, 2 the same" in run(f"resource sync {tmp_path / form} --format {form}").out
    exported = run("resource export --format dibs")
    assert json.loads(exported.out) == {"board-1": "on the left", "board-2": ""}
    told = "left out, because a dibs file has no place for it: board-1 (labels), board-2 (labels)"
    assert told in exported.err
