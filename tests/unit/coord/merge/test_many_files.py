"""Merges that change many files: what is worked out for all of them at once, and what for none that cannot matter."""

import pytest

from bespeak.coord.merge import plan as planning
from bespeak.coord.merge.resolved_trees import ResolvedTrees
from bespeak.git import merges
from bespeak.git.process import Git
from bespeak.git.repository import find

MANY = planning._FEW + 10
OLD = "def old(a):\n    return a + 1\n"
USE = "from lib import old\n\n\ndef caller_{0}(x):\n    return old(x)\n"
ALIASED = "from middle import other\n\n\ndef late(x):\n    return other(x)\n"


@pytest.fixture
def resolved(monkeypatch):
    """Return the files whose uses were resolved, as (side, path)."""
    asked = []
    plain = ResolvedTrees.edges

    def edges(self, side, path):
        asked.append((side, path))
        return plain(self, side, path)

    monkeypatch.setattr(ResolvedTrees, "edges", edges)
    return asked


def many(text):
    return {f"m{number}.py": text.format(number) for number in range(MANY)}


def renamed(forked, base, theirs):
    return forked.fork({"lib.py": OLD, **base}, {"lib.py": OLD.replace("old", "new")}, theirs)


def test_only_files_that_mention_what_is_gone_are_resolved(forked, resolved):
    others = many("def f_{0}(x):\n    return x\n")
    theirs = {path: text.replace("return x", "return x + 1") for path, text in others.items()}
    renamed(forked, others, {**theirs, "user.py": USE.format(0)})
    assert [item[:2] for item in forked.items()] == [("rename_edit", "lib.py::old")]
    assert resolved == [("theirs", "user.py")]


def test_a_use_under_another_name_is_found(forked, resolved):
    middle = {"middle.py": "from lib import old as other\n"}
    renamed(forked, middle, {"late.py": ALIASED})
    assert "late.py::late" in {item.user for item in forked.plan().items}
    assert ("theirs", "late.py") in resolved


def test_new_uses_in_more_files_than_are_compared_one_by_one(forked):
    before = many("def caller_{0}(x):\n    return x\n")
    renamed(forked, before, many(USE))
    found = {item.user for item in forked.plan().items if item.kind == "rename_edit"}
    assert found == {f"m{number}.py::caller_{number}" for number in range(MANY)}


def test_the_lines_of_all_files_at_once_are_those_of_each(forked):
    base = {"a.py": OLD * 9, "b.txt": "1\n2\n3\n", "bytes": b"\0\1\n", "gone.py": OLD, "was.py": OLD * 8}
    theirs = {
        "a.py": OLD * 4 + "diff --git a b\nindex 1..2\n@@ -1 +1 @@\n" + OLD * 5,
        "b.txt": "1\n3\n4",
        "bytes": b"\0\2\n",
        "gone.py": None,
        "was.py": None,
        "is now.py": OLD * 7 + "x = 1\n",
        "new.py": "y = 2\n",
    }
    forked.fork(base, {}, theirs)
    with Git(find(str(forked.root))) as git:
        ids = [git.commit_of(name) for name in ("main~1", "feature")]
        entries = [entry for entry in merges.entries(git, *ids) if entry.status in "MR"]
        found = merges.all_hunks(git, *ids)
        each = {(one.old_blob, one.new_blob): merges.hunks(git, one.old_blob, one.new_blob) for one in entries}
    assert len(each) == 4
    assert found == each
