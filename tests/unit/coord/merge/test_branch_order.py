"""In which order branches go in, and what git really needs for each: seen by merging them in that order."""

import subprocess

import pytest

from bespeak.coord.errors import ClaimError
from bespeak.coord.merge import plan as planning
from bespeak.coord.service import open_coord

LINES = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(12))


def edit(number, to):
    return {"a.py": LINES.replace(f"return {number}\n", f"return {to}\n")}


@pytest.fixture
def many(forked):
    """A repository with a branch for each way that a merge can go."""
    forked.commit({"a.py": LINES, "b.py": "x = 1\n"}, "base")
    forked.git("branch", "done")

    def branch(name, *changes):
        forked.git("checkout", "-q", "-b", name, "done")
        for changed in changes:
            forked.commit(changed)
        forked.git("checkout", "-q", "main")

    branch("forward", {"new.py": "y = 1\n"})
    branch("easy", {"c.py": "z = 1\n"})
    branch("one", edit(5, 50))
    branch("two", edit(5, 51))
    branch("apart", edit(11, 110))
    branch("hard", edit(1, 10))
    forked.branch = branch
    return forked


@pytest.fixture
def coord(many):
    made = open_coord(str(many.root))
    yield made
    made.close()


def ways(order):
    return [(one.revision.name, one.strategy, one.after) for one in order.branches]


def test_each_branch_gets_what_git_needs(many, coord):
    found = coord.reconcile(["forward", "done", "one", "two", "apart"])
    assert found.onto.name == "main"
    assert ways(found) == [
        ("apart", "fast_forward", ()),
        ("done", "already_merged", ()),
        ("forward", "merge", ()),
        ("one", "merge", ()),
        ("two", "rebase_after", ("one",)),
    ]
    assert found.branches[4].symbols == ("a.py::f5",)
    assert "a.py::f5" in found.branches[4].recommendation
    assert [(one.branch, one.count, one.symbols) for one in found.branches[3].conflicts] == [("two", 1, ("a.py::f5",))]


def test_what_conflicts_with_the_target_is_done_by_hand(many, coord):
    many.commit(edit(1, 11))
    found = coord.reconcile(["hard", "easy"])
    assert ways(found) == [("easy", "merge", ()), ("hard", "manual", ())]
    assert found.branches[1].symbols == ("a.py::f1",)
    assert found.blocked


def test_what_git_merges_but_breaks_is_done_by_hand_too(many, coord):
    many.commit({"a.py": LINES.replace("def f3(", "def renamed(")})
    many.branch("caller", {"d.py": "from a import f3\n\n\ndef new():\n    return f3()\n"})
    found = coord.reconcile(["caller"])
    assert [(one.strategy, one.verdict, one.symbols) for one in found.branches] == [
        ("manual", "semantic", ("a.py::f3",))
    ]


def test_the_strategies_are_true_when_the_merges_are_made(many, coord):
    names = ["forward", "done", "one", "two", "apart", "easy", "hard"]
    many.commit(edit(1, 11))
    found = coord.reconcile(names)
    for one in found.branches:
        name = one.revision.name
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        words = ["git", *who, "merge", "-q", "-m", "m", name]
        done = subprocess.run(words, cwd=many.root, capture_output=True, check=False)
        if one.strategy in {"merge", "fast_forward", "already_merged"}:
            assert done.returncode == 0, (name, done.stdout)
        else:
            assert done.returncode == 1, name
            many.git("merge", "--abort")


def test_dependencies_of_reservations_go_first(many, coord):
    def hold(branch, *on):
        many.git("checkout", "-q", branch)
        made = coord.reserve(["a.py::f1"], run_id=branch, depends_on=on).reservation.id
        many.git("checkout", "-q", "main")
        return made

    last = hold("two")
    middle = hold("easy", last)
    hold("apart", middle)
    found = coord.reconcile()
    assert [one.revision.name for one in found.branches] == ["two", "easy", "apart"]
    assert [one.needs for one in found.branches] == [(), ("two",), ("easy",)]
    assert all(len(one.claims) == 1 for one in found.branches)
    assert found.cycles == ()


def test_branches_that_wait_for_each_other_are_said(many, coord):
    def hold(branch, *on):
        many.git("checkout", "-q", branch)
        made = coord.reserve(["a.py"], run_id=branch, depends_on=on).reservation.id
        many.git("checkout", "-q", "main")
        return made

    first = hold("one")
    hold("two", first)
    second = hold("two")
    many.git("checkout", "-q", "one")
    coord.reserve(["b.py"], run_id="one", depends_on=[second])
    many.git("checkout", "-q", "main")
    found = coord.reconcile()
    assert found.cycles == (("one", "two"),)
    assert found.blocked
    assert "wait for each other" in found.notes[0]
    assert sorted(one.revision.name for one in found.branches) == ["one", "two"]


def test_a_branch_with_claims_that_is_gone_is_said_and_one_that_was_named_is_an_error(many, coord):
    many.git("checkout", "-q", "-b", "passing")
    coord.reserve(["a.py"], run_id="x")
    many.git("checkout", "-q", "main")
    many.git("branch", "-D", "passing")
    found = coord.reconcile()
    assert (found.missing, found.branches) == (("passing",), ())
    with pytest.raises(ClaimError, match="'passing' names no commit"):
        coord.reconcile(["passing"])
    with pytest.raises(ClaimError, match="'nowhere' names no commit"):
        coord.reconcile(["one"], onto="nowhere")


def test_only_branches_that_touch_one_file_are_compared(many, coord, monkeypatch):
    for number in range(8):
        many.branch(f"lone{number}", {f"lone{number}.py": "x = 1\n"})
    asked = []
    real = planning._One.plan
    monkeypatch.setattr(planning._One, "plan", lambda self, **options: asked.append(1) or real(self, **options))
    found = coord.reconcile([*(f"lone{number}" for number in range(8)), "one", "two"])
    assert found.compared == 1
    assert len(asked) == 1


def test_branches_that_break_each_other_without_a_file_in_common_are_found(many, coord):
    many.branch("renames", {"a.py": LINES.replace("def f3(", "def renamed(")})
    many.branch("calls", {"d.py": "from a import f3\n\n\ndef new():\n    return f3()\n"})
    found = coord.reconcile(["renames", "calls", "easy"])
    assert ways(found)[2] == ("renames", "rebase_after", ("calls",))
    assert found.branches[2].symbols == ("a.py::f3",)
    assert found.compared == 1


def test_the_order_does_not_depend_on_how_the_branches_were_given(many, coord):
    names = ["forward", "done", "one", "two", "apart", "easy", "hard"]
    assert coord.reconcile(names) == coord.reconcile([*reversed(names), "one"])


def test_the_target_is_the_origins_branch_else_main_else_where_one_is(many, coord):
    assert coord.reconcile(["one"]).onto.name == "main"
    many.git("branch", "trunk")
    many.git("update-ref", "refs/remotes/origin/trunk", "main")
    many.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    assert coord.reconcile(["one"]).onto.name == "trunk"
    many.git("branch", "-D", "trunk")
    many.git("symbolic-ref", "--delete", "refs/remotes/origin/HEAD")
    many.git("branch", "-m", "main", "develop")
    assert coord.reconcile(["one"]).onto.name == "HEAD"
    assert coord.reconcile(["one"], onto="easy").onto.name == "easy"
