"""``coord reserve`` as documented: flags, limits, texts, JSON fields, order of work, exit codes."""

import hashlib
import json
import os
import re

import pytest

ID = re.compile(r"sha256:[0-9a-f]{64}")
DOCUMENTED = [
    "schema_version", "reservation_id", "run_id", "branch", "addresses", "created_at", "expires_at", "operation",
    "conflicts", "depends_on", "dependency_error", "duration_ms", "exit_code", "conflict_details", "epoch",
]  # fmt: skip
UNKNOWN = "sha256:" + "0" * 64


def test_the_text(run):
    answer = run("reserve", "src/a.py::compute", "--run-id", "agent-42", "--op", "rename", "--ttl", "7200")
    assert answer.code == 0
    assert answer.err == "note: src/a.py::compute is not in the work tree\n"
    lines = answer.out.splitlines()
    assert lines[:2] == ["", "✅ Reserved 1 address(es) for run-id 'agent-42'"]
    assert re.fullmatch(rf" Reservation ID: {ID.pattern}", lines[2])
    assert re.fullmatch(r" Expires: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", lines[3])
    assert lines[4:] == [" Operation: rename"]


def test_a_conflict_is_a_warning_before_the_reservation(run):
    run("reserve", "src/a.py::f", "--run-id", "agent-41")
    answer = run("reserve", "src/a.py::f", "--run-id", "agent-42")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == " ⚠️ src/a.py::f"
    assert re.fullmatch(r" already reserved by run-id 'agent-41' \(expires \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)", lines[1])
    assert "✅ Reserved 1 address(es) for run-id 'agent-42'" in lines
    assert lines[-1] == " ⚠️ 1 conflict(s) detected. Run 'bespeak coord forecast' for details."


@pytest.mark.parametrize("flags", [["--json"], ["-j"], ["--format", "json"]])
def test_the_json(run, flags):
    answer = run("reserve", "src/a.py::f", "src/b.py", "--run-id", "a", *flags)
    facts = answer.json
    assert answer.out.count("\n") == 1
    assert set(DOCUMENTED) <= set(facts)
    assert facts["addresses"] == ["src/a.py::f", "src/b.py"]
    assert (facts["run_id"], facts["branch"], facts["operation"], facts["exit_code"]) == ("a", "main", None, 0)
    assert (facts["conflicts"], facts["depends_on"], facts["dependency_error"]) == ([], [], None)
    assert facts["created_at"].endswith("+00:00")
    assert facts["epoch"] == 1


def test_the_id_is_the_hash_of_the_canonical_record(run):
    facts = run("reserve", "src/ä.py", "--json").json
    hashed = facts.keys() & {
        "schema_version", "run_id", "branch", "addresses", "created_at", "expires_at", "operation", "shared", "epoch",
    }  # fmt: skip
    canonical = json.dumps(
        {key: facts[key] for key in hashed}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert facts["reservation_id"] == "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def test_conflicts_in_words_and_in_detail(run):
    held = run("reserve", "src/a.py", "--run-id", "a", "--op", "delete", "--json").json
    facts = run("reserve", "src/a.py::f", "--run-id", "b", "--json").json
    assert facts["exit_code"] == 0
    (message,) = facts["conflicts"]
    assert "src/a.py::f" in message
    assert "already reserved by run-id 'a'" in message
    assert facts["conflict_details"] == [
        {
            "address": "src/a.py::f", "held_address": "src/a.py", "run_id": "a", "relation": "inside",
            "reservation_id": held["reservation_id"], "expires_at": held["expires_at"], "operation": "delete",
            "epoch": 1,
        }
    ]  # fmt: skip


BAD = [
    (["src/a.py", "--ttl", "0"], "Invalid --ttl: ttl must be between 1 and 31536000, got 0"),
    (["src/a.py", "--ttl", "-1"], "Invalid --ttl: ttl must be between 1 and 31536000, got -1"),
    (["src/a.py", "--ttl", "31536001"], "Invalid --ttl: ttl must be between 1 and 31536000, got 31536001"),
    (["src/a.py", "--ttl", "soon"], "Invalid --ttl: 'soon' is not a number of seconds"),
    (["src/a.py", "--ttl", "9" * 5000], "Invalid --ttl: "),
    (["src/a.py", "--run-id", "x" * 257], "--run-id is too long (257 chars; max 256)."),
    (["src/a.py", "--run-id", ""], "Invalid --run-id: it is empty"),
    ([f"f{number}" for number in range(1001)], "Too many addresses: 1001 (max 1000)."),
    (["src/a.py", "--op", "explode"], "Invalid --op: 'explode'; choose one of: delete, extract, modify, move, rename"),
    (["src/a.py", "--depends-on", "../../etc"], "Invalid --depends-on: '../../etc' is not a reservation id"),
    (["src/a.py", "--depends-on", UNKNOWN[:-1]], "Invalid --depends-on: "),
    (["src/a.py", "--depends-on", UNKNOWN], f"Invalid --depends-on: there is no reservation {UNKNOWN}"),
    (["::f"], "Invalid address '::f': names no file"),
    (["a.py::"], "Invalid address 'a.py::': names no symbol after '::'"),
    (["src/::f"], "Invalid address 'src/::f': a folder has no symbols"),
    (["../outside.py"], "Invalid address '../outside.py': is outside the repository"),
    (["/etc/passwd"], "is outside the repository"),
    (["x" * 2001], "is longer than 2000 bytes"),
    (["src/*.{py,js}"], "braces are not understood"),
    (["src/*/../x"], "'..' after a wildcard"),
    (["src/a.py", "--on-conflict", "cry"], "Invalid --on-conflict: 'cry'; choose one of: warn, fail"),
    (["src/a.py", "--format", "xml"], "Invalid --format: 'xml'; choose one of: json, text"),
    (["src/\udcff.py"], "is not UTF-8"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_what_is_wrong_exits_1_and_leaves_nothing_behind(run, repo, words, message):
    answer = run("reserve", *words)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("❌ ")
    assert message in answer.err
    assert answer.err.count("\n") == 1
    told = run("reserve", *words, "--json")
    assert (told.code, told.out) == (1, "")
    facts = json.loads(told.err)
    assert facts["exit_code"] == 1
    assert message[:20] in facts["error"]
    assert run("list", "--json").json["count"] == 0


def test_syntax_is_checked_before_anything_is_read_or_made(run, repo):
    assert run("reserve", "a.py", "--depends-on", "x").code == 1
    assert run("reserve", "a.py", "--ttl", "0").code == 1
    assert not os.path.exists(repo / ".git" / "bespeak")


def test_limits_are_inclusive(run):
    assert run("reserve", *[f"f{number}" for number in range(1000)], "--run-id", "x" * 256).code == 0
    assert run("reserve", "a", "--ttl", "1").code == 0
    assert run("reserve", "b", "--ttl", "31536000").code == 0


def test_without_a_repository_it_exits_3(run, tmp_path, monkeypatch):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    monkeypatch.chdir(outside)
    answer = run("reserve", "a.py")
    assert answer.code == 3
    assert "not a git repository" in answer.err
    told = run("reserve", "a.py", "-j")
    assert (told.code, json.loads(told.err)["exit_code"]) == (3, 3)


def test_dependencies_are_recorded_and_named_in_full(run):
    first = run("reserve", "src/a.py", "--run-id", "a", "--json").json["reservation_id"]
    answer = run("reserve", "src/b.py", "--run-id", "b", "--depends-on", first, "--depends-on", first)
    assert answer.code == 0
    assert answer.out.splitlines()[-2:] == [" Depends on (1):", f" {first}"]
    facts = run("reserve", "src/sub/", "--run-id", "c", "--depends-on", first, "--json").json
    assert facts["depends_on"] == [first]


def test_a_cycle_leaves_the_reservation_and_exits_1(run):
    first = run("reserve", "src/a.py", "--run-id", "a", "--key", "k", "--json").json["reservation_id"]
    second = run("reserve", "src/b.py", "--run-id", "b", "--depends-on", first, "--json").json["reservation_id"]
    words = ("reserve", "src/a.py", "--run-id", "a", "--key", "k", "--depends-on", second)
    answer = run(*words, "--json")
    assert (answer.code, answer.json["exit_code"], answer.json["reservation_id"]) == (1, 1, first)
    assert answer.json["depends_on"] == []
    assert answer.json["dependency_error"].startswith(f"dependency cycle: {first} -> {second} -> {first}")
    text = run(*words)
    assert text.code == 1
    assert "✅ Reserved" in text.out
    assert "⚠️ Dependency error: dependency cycle" in text.err
    assert run("list", "--json").json["count"] == 2


def test_refusal_on_request_makes_nothing(run):
    run("reserve", "src/", "--run-id", "a")
    answer = run("reserve", "src/a.py::f", "free.py", "--run-id", "b", "--on-conflict", "fail")
    assert answer.code == 7
    assert answer.out.splitlines()[-1] == "❌ Not reserved: 1 conflict(s)."
    told = run("reserve", "src/a.py::f", "free.py", "--run-id", "b", "--on-conflict", "fail", "--json")
    assert (told.code, told.json["exit_code"], told.json["reservation_id"]) == (7, 7, None)
    assert told.json["conflict_details"][0]["relation"] == "inside"
    assert run("list", "--run-id", "b", "--json").json["count"] == 0
    assert run("reserve", "free.py", "--run-id", "b", "--on-conflict", "fail").code == 0


def test_a_repeated_request_with_a_key_returns_the_same_reservation(run):
    first = run("reserve", "src/a.py", "--run-id", "a", "--key", "step 1", "--json").json
    again = run("reserve", "./src/a.py", "--run-id", "a", "--key", "step 1", "--json").json
    assert again["reservation_id"] == first["reservation_id"]
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert run("list", "--json").json["count"] == 1
    other = run("reserve", "src/b.py", "--run-id", "a", "--key", "step 1")
    assert (other.code, "Invalid --key" in other.err) == (1, True)
    assert run("reserve", "src/b.py", "--run-id", "b", "--key", "step 1").code == 0


def test_terminal_escapes_are_never_printed_raw(run):
    evil = "\x1b[31mred\x07\u202e"
    run("reserve", f"src/{evil}.py::f{evil}", "--run-id", evil)
    for words in (["list"], ["check", "src/"], ["reserve", "src/", "--run-id", "b"], ["dag"], ["dag", "--mermaid"]):
        answer = run(*words)
        assert "\\x1b[31mred" in answer.out
        for char in "\x1b\x07\u202e":
            assert char not in answer.out + answer.err
    bad = run("reserve", "../" + evil)
    assert (bad.code, "\x1b" in bad.err) == (1, False)
    machine = run("list", "--json")
    assert "\x1b" not in machine.out
    assert machine.json["reservations"][0]["run_id"] == evil
