"""``coord plan-merge`` and ``coord reconcile``: what they print, and how they exit."""

import json

import pytest

F = "def f(a):\n    return a + 1\n"


@pytest.fixture
def semantic(forked):
    return forked.fork(
        {"a.py": F}, {"a.py": F.replace("f(", "ff(")}, {"b.py": "from a import f\n\n\ndef new():\n    return f(1)\n"}
    )


@pytest.fixture
def textual(forked):
    return forked.fork({"a.txt": "1\n"}, {"a.txt": "2\n"}, {"a.txt": "3\n"})


def test_a_plan_in_words(semantic, run):
    answer = run("plan-merge", "main", "feature")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == (
        " ❌ rename_edit a.py::f (git merges it, 0.95)\n"
        "    ours: renamed to a.py::ff\n"
        "    theirs: used\n"
        "    used by b.py::new at line 5\n"
        "    main renamed a.py::f to a.py::ff: after the merge, let b.py::new (feature) use it there.\n"
        "\n"
        "❌ git merges it, but 1 conflict(s) are likely that git does not see\n"
        " main changed 1 file(s), feature 1, both 0\n"
    )


def test_a_plan_for_a_program(semantic, run):
    found = run("plan-merge", "main", "feature", "--json").json
    assert list(found)[:3] == ["schema_version", "duration_ms", "exit_code"]
    assert (found["relation"], found["verdict"], found["blocked"]) == ("diverged", "semantic", True)
    assert found["summary"]["kinds"]["rename_edit"] == found["summary"]["likely"] == 1
    item = found["items"][0]
    assert (item["ours_address"], item["theirs_address"], item["used_by"], item["line"]) == (
        "a.py::ff",
        "a.py::f",
        "b.py::new",
        5,
    )
    assert run("plan-merge", "main", "feature", "-j").json["items"] == found["items"]
    assert run("plan-merge", "main", "feature", "--format", "json").json["items"] == found["items"]


@pytest.mark.parametrize(
    ("flags", "code"),
    [((), 0), (("any",), 7), (("semantic",), 7), (("textual",), 0), (("review",), 0), (("textual", "semantic"), 7)],
)
def test_when_a_plan_fails_is_chosen(semantic, run, flags, code):
    words = [word for flag in flags for word in ("--fail-on", flag)]
    answer = run("plan-merge", "main", "feature", "--json", *words)
    assert answer.code == answer.json["exit_code"] == code


def test_conflicts_of_git_are_textual_ones(textual, run):
    assert run("plan-merge", "main", "feature", "--fail-on", "textual").code == 7
    assert run("plan-merge", "main", "feature", "--fail-on", "semantic").code == 0
    assert "❌ git reports conflicts in 1 file(s)\n" in run("plan-merge", "main", "feature").out


def test_pictures(semantic, run):
    assert run("plan-merge", "main", "feature", "--mermaid").out == (
        "graph LR\n"
        '  ours["ours: main"]\n'
        '  theirs["theirs: feature"]\n'
        '  i0["a.py::f (rename_edit, 0.95)"]\n'
        '  ours -->|"renamed"| i0\n'
        '  theirs -->|"used by b.py::new"| i0\n'
    )
    assert '  theirs -> i0 [label="used by b.py::new"];' in run("plan-merge", "main", "feature", "--dot").out
    assert 'b1["1. feature: manual"]' in run("reconcile", "feature", "--mermaid").out
    assert '  b1 -> onto [label="manual"];' in run("reconcile", "feature", "--dot").out


@pytest.mark.parametrize(
    "words",
    [
        ("plan-merge", "main", "nope"),
        ("plan-merge", "\x1b[31m", "main"),
        ("plan-merge", "main", "feature", "--dot", "--mermaid"),
        ("plan-merge", "main", "feature", "--fail-on", "sometimes"),
        ("plan-merge", "main", "feature", "--format", "xml"),
        ("reconcile", "nope"),
        ("reconcile", "feature", "--onto", "nope"),
        ("reconcile", "--fail-on", "never"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(semantic, run, words):
    answer = run(*words)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("❌ ")
    assert answer.err.count("\n") == 1
    assert answer.err.strip().isprintable()
    told = run(*words, "--json")
    assert (told.code, told.out, json.loads(told.err)["exit_code"]) == (1, "", 1)


def test_nothing_to_do(forked, run):
    forked.commit({"a.py": F})
    forked.git("branch", "feature")
    assert run("plan-merge", "main", "feature").out == "✅ main has all of feature already: nothing to merge\n"
    forked.git("checkout", "-q", "feature")
    forked.commit({"b.py": F})
    assert run("plan-merge", "main", "feature").out == "✅ Fast-forward: main only has to move on to feature\n"
    forked.git("checkout", "-q", "main")
    forked.commit({"c.py": F})
    assert run("plan-merge", "main", "feature").out.startswith("✅ feature merges cleanly into main\n")
    assert (
        " ✅ c.py::f (ours: added; theirs: -; only one side changed it)"
        in run("plan-merge", "main", "feature", "--all").out
    )


def test_terminal_escapes_are_never_printed_raw(forked, run):
    name = "\x1b[31mred.txt"
    forked.fork({name: "1\n"}, {name: "2\n"}, {name: "3\n"})
    for words in ((), ("--mermaid",), ("--dot",), ("--json",), ("--all",)):
        answer = run("plan-merge", "main", "feature", *words)
        assert (answer.code, "\x1b" in answer.out) == (0, False)
        assert "red.txt" in answer.out


def test_it_works_from_a_folder_inside(semantic, run, monkeypatch):
    (semantic.root / "sub").mkdir()
    monkeypatch.chdir(semantic.root / "sub")
    assert run("plan-merge", "HEAD", "feature", "--json").json["verdict"] == "semantic"


def test_a_plan_makes_no_book_of_claims(semantic, run):
    run("plan-merge", "main", "feature")
    assert not (semantic.root / ".git" / "bespeak" / "coord.sqlite3").exists()


def test_an_order_in_words_and_for_a_program(semantic, run):
    semantic.git("branch", "easy", "main~1")
    semantic.git("checkout", "-q", "easy")
    semantic.commit({"c.py": "x = 1\n"})
    semantic.git("checkout", "-q", "main")
    answer = run("reconcile", "feature", "easy")
    assert answer.out == (
        "  1. merge           easy\n"
        "     git merges easy into main by itself.\n"
        "  2. manual          feature\n"
        "     Merge feature by hand (git merges it, but what comes out is likely broken): a.py::f.\n"
    )
    found = run("reconcile", "feature", "easy", "--json", "--fail-on", "any")
    assert (found.code, found.json["exit_code"], found.json["onto"]["revision"]) == (7, 7, "main")
    assert [one["branch"] for one in found.json["branches"]] == ["easy", "feature"]
    assert run("reconcile", "easy", "--fail-on", "any").code == 0
    assert run("reconcile").out == "nothing to merge into main: no other branch has active claims; name some\n"


def test_outside_of_a_repository(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("plan-merge", "a", "b").code == 3
    assert run("reconcile").code == 3
