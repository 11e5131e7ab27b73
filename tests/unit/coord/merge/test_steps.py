"""Merges that are done: each kind of step in each language, with a twin in which nothing is to be done, or certain."""

import os
import subprocess

import pytest

from bespeak.coord.merge.plan import revision_named
from bespeak.coord.merge.steps.attempt import Merger
from bespeak.coord.merge.steps.state import MergeState
from bespeak.git import merges, trees
from bespeak.git.repository import find
from support.planted_merges import KINDS, LANGUAGES, contested, planted


@pytest.fixture
def merged(forked):
    """Do a merge; return what came of it, and the merged files by path."""

    def do(ours="main", theirs="feature"):
        with Merger(find(str(forked.root))) as merger:
            outcome = merger.merge(ours, theirs)
            names = merges.listing(merger.git, outcome.tree)
            texts = merges.blobs(merger.git, names.values())
            return outcome, {path: texts[blob].decode() for path, blob in names.items()}

    return do


def tree_of_git(forked, ours="main", theirs="feature"):
    words = ["git", "merge-tree", "--write-tree", "--no-messages", ours, theirs]
    done = subprocess.run(words, cwd=forked.root, capture_output=True, check=False)
    return done.stdout.decode().split()[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_is_taken(forked, merged, language):
    forked.fork(*planted(language, harmless=False))
    outcome, files = merged()
    assert {step.kind.value for step in outcome.steps} == KINDS
    assert (outcome.left, outcome.failed) == ((), False)
    of = LANGUAGES[language]
    text = {name: files[of.path(name)] for name in ("user", "twice", "both", "moved", "imports")}
    assert "newname" in text["user"]
    assert "oldname" not in text["user"]
    assert text["twice"].count("added") == 1
    assert "mine" in text["both"]
    assert "yours" in text["both"]
    assert text["moved"].index("f5") < text["moved"].index("* 1000")
    assert of.imports[0] in text["imports"]
    assert not any("<<<<<<<" in each for each in files.values())


def in_all_languages(of):
    """Return the files of one merge with what is planted in each language, in a folder of its own."""
    planted_in = {language: of(language) for language in LANGUAGES}
    return [
        {
            f"{language}/{path}": text
            for language, version in planted_in.items()
            for path, text in version[number].items()
        }
        for number in range(3)
    ]


def test_a_harmless_twin_is_merged_as_git_does(forked, merged):
    forked.fork(*in_all_languages(lambda language: planted(language, harmless=True)))
    outcome, _ = merged()
    assert (outcome.steps, outcome.left) == ((), ())
    assert outcome.tree == tree_of_git(forked)


def test_what_is_not_certain_is_left(forked, merged):
    forked.fork(*in_all_languages(contested))
    outcome, _ = merged()
    assert (outcome.steps, outcome.failed) == ((), True)
    names = ("twice", "both", "moved")
    paths = {f"{language}/{of.path(name)}" for language, of in LANGUAGES.items() for name in names}
    assert {left.address.partition("::")[0] for left in outcome.left} == paths
    assert outcome.tree == tree_of_git(forked)


def test_the_other_way_round_the_same_is_done(forked, merged):
    forked.fork(*planted("python", harmless=False))
    outcome, files = merged("feature", "main")
    assert {step.kind.value for step in outcome.steps} == KINDS
    assert not outcome.left
    assert "from library import newname" in files["user.py"]


BODY = "def f(a):\n    one = a + 1\n    two = one * 2\n    three = two - 3\n    return three\n"
G = "def g(b):\n    one = b - 1\n    two = one * 7\n    return two\n"
H = "def h(b):\n    other = b - 11\n    last = other * 72\n    return last\n"


def test_an_edit_follows_a_definition_into_another_file_with_its_imports(forked, merged):
    head = "import os\n\n\n"
    edited = BODY.replace("one * 2", "one * len(os.sep)")
    forked.fork(
        {"a.py": f"{head}{G}\n\n{BODY}", "b.py": H},
        {"a.py": f"{head}{G}", "b.py": f"{H}\n\n{BODY}"},
        {"a.py": f"{head}{G}\n\n{edited}"},
    )
    outcome, files = merged()
    assert [step.kind.value for step in outcome.steps] == ["edit_carried"]
    assert files["b.py"] == f"import os\n\n{H}\n\n{edited}"
    assert "def f" not in files["a.py"]
    assert "is made there" in outcome.steps[0].reason
    assert "+    two = one * len(os.sep)" in outcome.steps[0].patch


def test_what_was_moved_is_imported_from_where_it_is(forked, merged):
    forked.fork(
        {"a.py": f"{BODY}\n\n{G}", "b.py": H},
        {"a.py": G, "b.py": f"{H}\n\n{BODY}"},
        {"c.py": "from a import f, g\n\n\ndef use():\n    return f(g(1))\n"},
    )
    outcome, files = merged()
    assert [step.kind.value for step in outcome.steps] == ["use_redirected"]
    assert files["c.py"].startswith("from a import g\nfrom b import f\n\n\n")


def test_an_edit_of_a_line_with_a_renamed_name_is_merged(forked, merged):
    use = "def g(x):\n    y = f(x)\n    return y\n"
    forked.fork(
        {"a.py": f"{BODY}\n\n{use}"},
        {"a.py": f"{BODY}\n\n{use}".replace("f(", "better(")},
        {"a.py": f"{BODY}\n\n{use}".replace("y = f(x)", "y = f(x) + f(2)")},
    )
    outcome, files = merged()
    assert [step.kind.value for step in outcome.steps] == ["rename_followed"]
    assert "    y = better(x) + better(2)\n" in files["a.py"]


def test_a_rename_is_not_followed_where_the_name_means_two_things(forked, merged):
    use = "from a import f\n\n\ndef new():\n    return dict(f=f(2))\n"
    forked.fork({"a.py": BODY}, {"a.py": BODY.replace("f(", "better(")}, {"b.py": use})
    outcome, _ = merged()
    assert (outcome.steps, outcome.failed) == ((), True)
    assert "is not certain" in outcome.left[0].obstacle


def test_imports_of_both_sides_are_one_list(forked, merged):
    forked.fork(
        {"a.py": f"import re\n\n\n{G}"},
        {"a.py": f"import json\nimport re\n\n\n{G}"},
        {"a.py": f"import os\nimport re\n\n\n{G}"},
    )
    outcome, files = merged()
    assert [step.kind.value for step in outcome.steps] == ["both_kept"]
    assert files["a.py"].startswith("import json\nimport os\nimport re\n\n\n")


def test_edits_of_two_definitions_that_touch_are_both_kept(forked, merged):
    base = "def f():\n    a = 1\n    return a\ndef g():\n    return 2\n"
    forked.fork(
        {"a.py": base}, {"a.py": base.replace("return a", "return a + 1")}, {"a.py": base.replace("g()", "g(b=3)")}
    )
    outcome, files = merged()
    assert [step.kind.value for step in outcome.steps] == ["both_kept"]
    assert files["a.py"] == base.replace("return a", "return a + 1").replace("g()", "g(b=3)")


def test_steps_on_large_files_are_few_and_the_others_are_said_to_be_untried(forked, merged, monkeypatch):
    base = f"import re\n\n\n{G}"
    sides = [base.replace("import re", f"import {name}\nimport re") for name in ("json", "os")]
    forked.fork(*({"a.py": text, "b.py": text} for text in (base, *sides)))
    monkeypatch.setattr("bespeak.coord.merge.steps.attempt._MOST_BYTES", len(base))
    outcome, _ = merged()
    assert [step.address.partition("::")[0] for step in outcome.steps] == ["a.py"]
    assert [left.address.partition("::")[0] for left in outcome.left] == ["b.py"]
    assert "the files of the steps tried before it" in outcome.left[0].obstacle


def test_edits_of_lines_that_touch_in_one_definition_are_left(forked, merged):
    forked.fork({"a.py": BODY}, {"a.py": BODY.replace("a + 1", "a + 9")}, {"a.py": BODY.replace("one * 2", "one * 9")})
    outcome, _ = merged()
    assert (outcome.steps, outcome.failed) == ((), True)


GO = "func f(a string) string {\n\treturn a\n}\n"


def test_one_import_at_two_places_is_kept_once(forked, merged):
    """Go refuses a name that is imported twice; git merges the two lines, and the plan of symbols knows none."""
    head = 'package p\n\nimport (\n\t"fmt"\n\t"os"\n\t"testing"\n)\n\n'
    forked.fork(
        {"a.go": head + GO},
        {"a.go": head.replace('\t"testing"\n', '\t"testing"\n\t"strings"\n') + GO},
        {"a.go": head.replace('\t"os"', '\t"strings"\n\t"os"') + GO},
    )
    outcome, files = merged()
    assert [(step.kind.value, step.address) for step in outcome.steps] == [("kept_once", "a.go::strings")]
    assert (outcome.left, files["a.go"].count('"strings"')) == ((), 1)


def test_one_import_in_a_file_that_was_in_conflict_is_kept_once_too(forked, merged):
    head = 'package p\n\nimport (\n\t"fmt"\n\t"os"\n\t"testing"\n)\n\n'
    mine, yours = GO.replace("func f", "func mine"), GO.replace("func f", "func yours")
    forked.fork(
        {"a.go": head + GO},
        {"a.go": head.replace('\t"testing"\n', '\t"testing"\n\t"strings"\n') + GO + "\n" + mine},
        {"a.go": head.replace('\t"os"', '\t"strings"\n\t"os"') + GO + "\n" + yours},
    )
    outcome, files = merged()
    assert [step.kind.value for step in outcome.steps] == ["both_kept", "kept_once"]
    assert (outcome.left, files["a.go"].count('"strings"')) == ((), 1)


def test_a_file_that_a_side_deleted_has_no_text(forked):
    forked.fork({"a.py": G, "b.py": H}, {"a.py": None}, {"a.py": G + H})
    with Merger(find(str(forked.root))) as merger:
        assert merger.merge("main", "feature").left[0].address == "a.py"
        bases = merges.bases(merger.git, "main", "feature")
        state = MergeState(merger.git, None, [revision_named(merger.git, name) for name in ("main", "feature")], bases)
        assert state.path_on("ours", "a.py") == ""
        assert state.text("ours", "") is None


def test_one_local_name_for_two_imports_is_left(forked, merged):
    forked.fork({"a.py": G}, {"a.py": f"from x import n\n\n\n{G}"}, {"a.py": f"from y import n\n\n\n{G}"})
    outcome, _ = merged()
    assert (outcome.steps, outcome.failed) == ((), True)


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        ({"a.txt": "1\n2\n3\n"}, {"a.txt": "1\nx\n3\n"}, {"a.txt": "1\ny\n3\n"}),
        ({"a.txt": "1\n2\n3\n"}, {"a.txt": None}, {"a.txt": "1\ny\n3\n"}),
        ({"a": "1\n"}, {"b": "2\n"}, {"b/c": "3\n"}),
        (
            {"old.txt": "1\n2\n3\n4\n5\n"},
            {"old.txt": None, "new.txt": "1\nx\n3\n4\n5\n"},
            {"old.txt": "1\ny\n3\n4\n5\n"},
        ),
        ({"a.bin": b"\0\1"}, {"a.bin": b"\0\2"}, {"a.bin": b"\0\3"}),
        ({"a.txt": "1\r\n2\r\n"}, {"a.txt": "1\r\n2\r\n3\r\n"}, {"b.txt": "<<<<<<< x\n"}),
    ],
)
def test_without_steps_the_result_is_that_of_git_byte_for_byte(forked, merged, base, ours, theirs):
    forked.fork(base, ours, theirs)
    forked.git("branch", "-m", "feature", "topic/a")
    outcome, _ = merged("main", "topic/a")
    assert outcome.steps == ()
    assert outcome.tree == tree_of_git(forked, "main", "topic/a")


def test_files_are_replaced_in_a_tree_with_their_modes(forked):
    (forked.root / "run.sh").write_text("#!/bin/sh\n")
    os.chmod(forked.root / "run.sh", 0o755)
    commit = forked.commit({"a.txt": "1\n"})
    with Merger(find(str(forked.root))) as merger:
        tree = trees.tree_with(merger.git, commit, {"run.sh": b"exit 0\n", "n/ew": b"2\n"}, {"a.txt": "b.txt"})
        known = trees.mode_and_blob(merger.git, tree, ["run.sh", "n/ew", "a.txt", "b.txt"])
    assert {path: mode for path, (mode, _) in known.items()} == {
        "run.sh": "100755",
        "n/ew": "100644",
        "b.txt": "100644",
    }
    assert forked.git("status", "--porcelain") == ""
