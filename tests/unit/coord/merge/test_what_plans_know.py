"""Plans that are believed: what git keeps twice, what both sides did alike, what is not read, where there is no tree."""

import json

import pytest

from bespeak.coord.merge.branch_order import BranchSelection, reconcile
from bespeak.coord.merge.model import ItemKind, Verdict
from bespeak.coord.merge.plan import Planner
from bespeak.git.repository import find
from support.repositories import git

TWICE = {
    "go": (
        "go.go",
        "package m\n\nfunc A() int {\n\treturn 1\n}\n\nfunc B() int {\n\treturn 2\n}\n",
        "func New(a int) int {\n\tb := a + 1\n\treturn b\n}\n",
    ),
    "java": (
        "M.java",
        "class M {\n    int a() {\n        return 1;\n    }\n\n    int b() {\n        return 2;\n    }\n}\n",
        "    int fresh(int a) {\n        int b = a + 1;\n        return b;\n    }\n",
    ),
    "typescript": (
        "m.ts",
        "export function a(): number {\n  return 1;\n}\n\nexport function b(): number {\n  return 2;\n}\n",
        "export function fresh(a: number): number {\n  const b = a + 1;\n  return b;\n}\n",
    ),
    "python": (
        "m.py",
        "def a():\n    return 1\n\n\ndef b():\n    return 2\n",
        "def fresh(a):\n    b = a + 1\n    return b\n",
    ),
}


def between(text, new):
    """Return a text with something new before its last definition."""
    head, blank, tail = text.rpartition("\n\n")
    return f"{head}{blank}{new}\n{tail}"


def at_the_end(text, new):
    """Return a text with something new at its end, inside the last bracket at the margin of a class."""
    return text[:-2] + "\n" + new + "}\n" if text.startswith("class") else f"{text}\n{new}"


@pytest.mark.parametrize("language", TWICE)
@pytest.mark.parametrize("turned", [False, True])
def test_the_same_definition_at_two_places_is_kept_twice_by_git(forked, language, turned):
    path, base, new = TWICE[language]
    sides = [{path: between(base, new)}, {path: at_the_end(base, new)}]
    forked.fork({path: base}, *(reversed(sides) if turned else sides))
    assert forked.conflicted() == (set(), True)
    plan = forked.plan()
    assert [(item.kind, item.how) for item in plan.items] == [
        (ItemKind.ADD_ADD, "git keeps the same definition twice"),
    ]
    assert plan.verdict == Verdict.SEMANTIC


@pytest.mark.parametrize("language", TWICE)
def test_the_same_definition_at_one_place_is_one(forked, language):
    path, base, new = TWICE[language]
    forked.fork(
        {path: base, "x.py": "", "y.py": ""},
        {path: at_the_end(base, new), "x.py": "x = 1\n"},
        {path: at_the_end(base, new), "y.py": "y = 1\n"},
    )
    assert (forked.plan().items, forked.plan().verdict) == ((), Verdict.CLEAN)


def test_what_both_sides_did_alike_is_no_conflict_whatever_uses_it(forked):
    """A signature and all its calls, changed by two cherry-picks of one commit."""
    base = {"a.py": "def f(a):\n    return a\n", "b.py": "from a import f\n\n\ndef g():\n    return f(1)\n"}
    same = {
        "a.py": "def f(a, b):\n    return a + b\n",
        "b.py": "from a import f\n\n\ndef g():\n    return f(1, 2)\n\n\ndef h():\n    return f(3, 4)\n",
    }
    forked.fork(base, {**same, "x.py": "x = 1\n"}, {**same, "y.py": "y = 1\n"})
    plan = forked.plan(everything=True)
    assert {item.kind for item in plan.items} == {ItemKind.NO_CONFLICT}
    assert plan.verdict == Verdict.CLEAN


def test_a_use_of_another_signature_is_still_one(forked):
    base = {"a.py": "def f(a):\n    return a\n", "b.py": "from a import f\n\n\ndef g():\n    return f(1)\n"}
    forked.fork(
        base, {"a.py": "def f(a, b):\n    return a + b\n"}, {"b.py": base["b.py"] + "\n\ndef h():\n    return f(3)\n"}
    )
    assert [item.kind for item in forked.plan().items] == [ItemKind.DEPENDENCY]


def test_a_changed_file_in_a_language_that_is_not_read_is_not_judged(forked, run):
    forked.fork(
        {"a.pl": "def x\nend\n", "b.py": "b = 1\n", "c.md": "c\n"}, {"a.pl": "def y\nend\n"}, {"b.py": "b = 2\n"}
    )
    plan = forked.plan()
    assert (plan.verdict, plan.not_judged) == (Verdict.NOT_JUDGED, (("a.pl", "Perl is not read"),))
    answer = run("plan-merge", "main", "feature")
    assert answer.out.splitlines()[0] == "✅ git merges it; not judged: 1 changed file(s) that are not read"
    assert " ⚠️ not judged: a.pl: Perl is not read" in answer.out.splitlines()
    assert "merges cleanly" not in answer.out
    assert run("plan-merge", "main", "feature", "--json").json["not_judged"] == [
        {"path": "a.pl", "why": "Perl is not read"}
    ]
    assert run("plan-merge", "main", "feature", "--fail-on", "not_judged").code == 7
    assert run("plan-merge", "main", "feature", "--fail-on", "any").code == 0


def test_texts_and_data_need_no_judging(forked):
    forked.fork({"a.md": "a\n", "b.json": "{}\n"}, {"a.md": "b\n"}, {"b.json": "[]\n"})
    assert (forked.plan().verdict, forked.plan().not_judged) == (Verdict.CLEAN, ())


def selected(*names, needs=None):
    return BranchSelection(names, needs or {}, {}, optional=False)


@pytest.fixture
def stacked(forked):
    """Branch ``upper`` has all of ``lower`` and more; ``beside`` is another."""
    forked.commit({"a.py": "a = 1\n"}, "base")
    forked.git("checkout", "-q", "-b", "lower")
    forked.commit({"a.py": "a = 2\n", "l.py": "l = 1\n"}, "lower")
    forked.git("checkout", "-q", "-b", "upper")
    forked.commit({"l.py": "l = 2\n"}, "upper")
    forked.git("checkout", "-q", "main")
    forked.git("checkout", "-q", "-b", "beside")
    forked.commit({"z.py": "z = 2\n"}, "beside")
    forked.git("checkout", "-q", "main")
    return forked


def order(forked, *names, **options):
    with Planner(find(str(forked.root))) as planner:
        return [
            (one.revision.name, one.strategy.value, one.recommendation)
            for one in reconcile(planner, "main", selected(*names, **options)).branches
        ]


def test_a_branch_that_another_contains_goes_first_and_the_other_follows(stacked):
    found = order(stacked, "upper", "lower")
    assert [one[:2] for one in found] == [("lower", "fast_forward"), ("upper", "fast_forward")]
    found = order(stacked, "upper", "beside", "lower")
    assert [one[:2] for one in found] == [("beside", "fast_forward"), ("lower", "merge"), ("upper", "merge")]


def test_what_came_with_another_branch_is_merged_by_then(stacked):
    found = order(stacked, "upper", "lower", needs={"lower": ("upper",)})
    assert found[1] == ("lower", "already_merged", "upper has all of lower already: nothing to merge.")


def test_a_bare_repository_can_be_planned_in(forked, run, monkeypatch, tmp_path):
    forked.fork(
        {"a.py": "def f():\n    return 1\n"}, {"a.py": "def g():\n    return 1\n"}, {"b.py": "import a\n\na.f()\n"}
    )
    expected = [item.kind for item in forked.plan().items]
    git(tmp_path, "clone", "-q", "--bare", str(forked.root), "bare.git")
    for folder in (tmp_path / "bare.git", tmp_path / "bare.git" / "refs"):
        monkeypatch.chdir(folder)
        assert [item["kind"] for item in run("plan-merge", "main", "feature", "--json").json["items"]] == expected
    assert run("list").code != 0


@pytest.fixture
def partial(forked, tmp_path, monkeypatch):
    """A clone with the contents of the branch ``main`` only."""
    forked.fork(
        {"a.py": "def f():\n    return 1\n", "b.py": "from a import f\n\n\ndef g():\n    return f()\n"},
        {"c.py": "c = 1\n"},
        {"b.py": "from a import f\n\n\ndef g():\n    return f() + 1\n", "d.py": "d = 1\n"},
    )
    forked.git("config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{forked.root}", "partial")
    monkeypatch.chdir(tmp_path / "partial")


def test_a_partial_clone_says_what_it_cannot_read_and_goes_on(partial, run):
    answer = run("symbols", "a.py", "b.py", "--rev", "origin/feature", "--json")
    assert (answer.code, answer.json["unknown_addresses"]) == (0, ["b.py"])
    assert [each["address"] for each in answer.json["symbols"]] == ["a.py::f"]
    assert [part["path"] for part in answer.json["unread"]] == ["b.py"]
    run("reserve", "a.py", "--run-id", "one")
    answer = run("forecast", "--rev", "origin/feature", "--json")
    assert (answer.code, answer.json["partial_forecast"]) == (0, True)
    assert {part["path"] for part in answer.json["unread"]} == {"b.py", "d.py"}


def test_a_partial_clone_that_git_can_merge_is_planned(partial, run):
    answer = run("plan-merge", "main", "origin/feature", "--json")
    assert (answer.code, answer.json["verdict"]) == (0, "not_judged")
    assert {part["path"] for part in answer.json["not_judged"]} == {"b.py", "d.py"}
    assert json.dumps(answer.json["git_conflicts"]) == "[]"


def test_a_move_is_named_only_where_a_file_was_moved(forked):
    base = "def f(a):\n    return a\n\n\ndef g(a):\n    return a\n"
    forked.fork(
        {"a.py": base, "b.py": base},
        {"a.py": base.replace("return a", "return a + 1", 1), "b.py": None, "c.py": base},
        {"a.py": base.replace("def g(a):\n    return a", "def g(a):\n    return a + 2"), "b.py": base + "\nX = 1\n"},
    )
    how = {item.address: item.how for item in forked.plan(everything=True).items}
    assert how["a.py::f"] == how["a.py::g"] == "only one side changed it"
    assert how["b.py::f"] == "only one side changed it"
    assert {item.kind for item in forked.plan(everything=True).items} == {ItemKind.NO_CONFLICT}


def test_a_change_that_git_carries_along_with_a_moved_file_says_so(forked):
    base = "def f(a):\n    b = a\n    return b\n\n\ndef g(a):\n    return a\n"
    forked.fork(
        {"b.py": base},
        {"b.py": None, "c.py": base},
        {"b.py": base.replace("b = a", "b = a + 1")},
    )
    how = {item.address: item.how for item in forked.plan(everything=True).items}
    assert how == {"b.py::f": "git carries the move of a file", "b.py::g": "only one side changed it"}


def test_what_one_side_did_on_top_of_the_same_is_no_move(forked):
    base = "def f(a):\n    return a\n"
    same = "def f(a):\n    return a + 1\n"
    forked.fork(
        {"a.py": base},
        {"a.py": same},
        {"a.py": '"""Text."""\n' + same.replace("    return", '    """F."""\n    return')},
    )
    item = next(item for item in forked.plan(everything=True).items if item.address == "a.py::f")
    assert (item.kind, item.how) == (ItemKind.NO_CONFLICT, "one side did all that the other did")
