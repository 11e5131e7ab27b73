"""What is git's own: revisions, bases, every conflict that it reports, and that a plan leaves no trace."""

import os
import stat
import subprocess
import sys

import pytest

from bespeak.base.errors import UnavailableError
from bespeak.coord.errors import ClaimError
from bespeak.coord.merge.plan import plan, revision_named
from bespeak.git import merges
from bespeak.git.process import Git
from bespeak.git.repository import find
from bespeak_symbols import syntax
from support.repositories import git

F = "def f(a):\n    return a + 1\n"


def every_path(found):
    return {one.path for one in found.items} | {one.address.partition("::")[0] for one in found.items}


def check(forked):
    """Every path that git reports is in the plan, and the verdict says so."""
    found = forked.plan()
    paths, clean = forked.conflicted()
    assert not clean
    assert paths <= every_path(found)
    assert paths <= {one.path for one in found.conflicts}
    assert found.verdict == "textual"
    return {one.path: (one.kind, one.type) for one in found.items}


def test_a_file_in_no_language(forked):
    forked.fork({"a.txt": "1\n2\n3\n"}, {"a.txt": "1\n3\n3\n"}, {"a.txt": "1\n4\n3\n"})
    assert check(forked) == {"a.txt": ("file", "contents")}


def test_a_file_that_is_no_text(forked):
    forked.fork({"a.bin": b"\0\1"}, {"a.bin": b"\0\2"}, {"a.bin": b"\0\3"})
    assert check(forked) == {"a.bin": ("file", "binary")}


def test_a_file_deleted_here_and_edited_there(forked):
    forked.fork({"a.txt": "1\n", "a.py": F}, {"a.txt": None, "a.py": None}, {"a.txt": "2\n", "a.py": F + "x = 1\n"})
    found = check(forked)
    assert found["a.txt"] == found["a.py"] == ("file", "modify/delete")


def test_a_file_with_another_path_here_and_deleted_there(forked):
    long = "".join(f"{n}\n" for n in range(40))
    forked.fork({"a.txt": long}, {"a.txt": None, "b.txt": long}, {"a.txt": None})
    assert check(forked)["b.txt"] == ("file", "rename/delete")


def test_a_file_with_two_new_paths(forked):
    long = "".join(f"{n}\n" for n in range(40))
    forked.fork({"a.txt": long}, {"a.txt": None, "b.txt": long}, {"a.txt": None, "c.txt": long})
    assert check(forked) == dict.fromkeys(("a.txt", "b.txt", "c.txt"), ("file", "rename/rename"))


def test_a_file_where_the_other_has_a_folder(forked):
    forked.fork({"x": "x\n"}, {"d": "a file\n"}, {"d/e.txt": "in a folder\n"})
    assert check(forked)["d~main"] == ("file", "file/directory")


def test_two_files_of_one_name(forked):
    forked.fork({"x": "x\n"}, {"new.txt": "one\n"}, {"new.txt": "two\n"})
    assert check(forked) == {"new.txt": ("file", "add/add")}


def test_a_link_and_a_file_and_a_mode(forked):
    forked.commit({"a": "a\n", "run": "#!/bin/sh\n", "l": "was a file\n"})
    forked.git("branch", "feature")
    (forked.root / "a").unlink()
    (forked.root / "a").symlink_to("here")
    (forked.root / "l").unlink()
    (forked.root / "l").symlink_to("one")
    forked.commit({})
    forked.git("checkout", "-q", "feature")
    (forked.root / "a").write_text("edited\n")
    (forked.root / "l").unlink()
    (forked.root / "l").symlink_to("two")
    (forked.root / "run").chmod(0o755)
    forked.commit({})
    forked.git("checkout", "-q", "main")
    assert {"l"} <= set(check(forked))


def test_a_submodule(forked, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "-q", "-b", "main")
    commits = []
    for number in range(3):
        git(inner, "commit", "-q", "--allow-empty", "-m", str(number))
        commits.append(git(inner, "rev-parse", "HEAD"))
        if number:
            git(inner, "reset", "-q", "--hard", commits[0])
    forked.commit({"x": "x\n"})
    forked.git("update-index", "--add", "--cacheinfo", f"160000,{commits[0]},sub")
    forked.git("commit", "-q", "-m", "sub")
    forked.git("branch", "feature")
    for branch, commit in (("main", commits[1]), ("feature", commits[2])):
        forked.git("checkout", "-q", branch)
        forked.git("update-index", "--cacheinfo", f"160000,{commit},sub")
        forked.git("commit", "-q", "-m", "sub")
    forked.git("checkout", "-q", "main")
    kind, said = check(forked)["sub"]
    assert kind == "file"
    assert said.startswith("submodule")


def test_lines_outside_of_any_symbol(forked):
    forked.fork({"a.py": "import os\n" + F}, {"a.py": "import re\n" + F}, {"a.py": "import sys\n" + F})
    assert check(forked) == {"a.py": ("file", "contents")}


def test_two_functions_added_at_one_place_are_named(forked):
    forked.fork(
        {"a.py": F}, {"a.py": F + "\n\ndef one():\n    return 1\n"}, {"a.py": F + "\n\ndef two():\n    return 2\n"}
    )
    found = forked.plan()
    assert check(forked) == {"a.py": ("file", "contents")}
    assert "one, two" in found.items[0].recommendation


def test_a_symbol_in_a_file_with_another_path_is_where_git_has_it(forked):
    long = F + "".join(f"# {n}\n" for n in range(40))
    forked.fork(
        {"a.py": long}, {"a.py": long.replace("+ 1", "+ 2")}, {"a.py": None, "b.py": long.replace("+ 1", "+ 3")}
    )
    assert check(forked) == {"b.py": ("symbol_edit_overlap", "")}
    assert forked.plan().items[0].address == "a.py::f"


def test_names_of_any_bytes(forked):
    names = ["a b.txt", "ä\t\n.txt", "-x.txt", '"q".txt', "\x1b[31m.py", "😀.py"]
    forked.fork(*(dict.fromkeys(names, f"{text}\n") for text in ("x = 0", "x = 1", "x = 2")))
    raw = os.fsdecode(b"\xff\xfe.txt")
    for branch in ("feature", "main"):
        forked.git("checkout", "-q", branch)
        with open(os.fsencode(forked.root) + b"/\xff\xfe.txt", "w") as file:
            file.write(branch)
        forked.commit({})
    assert {*names, raw} <= set(check(forked)) | every_path(forked.plan())


@pytest.fixture
def simple(forked):
    return forked.fork({"a.py": F}, {"a.py": F.replace("1", "2")}, {"b.py": "x = 1\n"})


def test_any_revision_will_do(simple, tmp_path):
    simple.git("tag", "-a", "v1", "-m", "v1", "feature")
    simple.git("tag", "light", "feature")
    simple.git("commit", "-q", "--allow-empty", "-m", "more")
    simple.git("update-ref", "refs/remotes/origin/feature", "feature")
    simple.git("branch", "with/slash", "feature")
    commit = simple.git("rev-parse", "feature")
    texts = (
        "feature",
        "refs/heads/feature",
        "v1",
        "light",
        commit,
        commit[:10],
        "origin/feature",
        "with/slash",
        "feature^{commit}",
    )
    for text in texts:
        found = simple.plan("HEAD~1", text)
        assert (found.theirs.commit, found.theirs.name, found.verdict) == (commit, text, "clean")
    assert simple.plan("HEAD", "@{-1}").theirs.commit == simple.plan("main", "feature").theirs.commit


def test_a_branch_of_another_work_tree_and_a_plan_from_there(simple, tmp_path):
    simple.git("worktree", "add", "-q", "-b", "third", str(tmp_path / "wt"), "feature")
    git(tmp_path / "wt", "commit", "-q", "--allow-empty", "-m", "third")
    here = simple.plan("main", "third")
    there = plan(find(str(tmp_path / "wt")), "main", "HEAD")
    assert here.theirs.commit == there.theirs.commit
    assert (here.verdict, here.files) == (there.verdict, there.files) == ("clean", (1, 1, 0))


@pytest.mark.parametrize(
    "text", ["nope", "", "-x", "--all", "HEAD:a.py", "main..feature", "\x1b[31m", "a\0b", "é\udcff", "HEAD~99"]
)
def test_a_revision_that_names_nothing_is_said_in_one_line(simple, text):
    for pair in ((text, "main"), ("main", text)):
        with pytest.raises(ClaimError) as failed:
            simple.plan(*pair)
        assert "names no commit" in str(failed.value)
        assert str(failed.value).isprintable()


def test_a_fast_forward_is_one_and_has_no_conflict(forked):
    forked.commit({"a.py": F})
    forked.git("branch", "feature")
    forked.git("checkout", "-q", "feature")
    forked.commit({"a.py": F.replace("f", "g")})
    found = forked.plan()
    assert (found.relation, found.verdict, found.items) == ("fast_forward", "clean", ())


def test_what_is_merged_already_is_said_to_be(forked):
    forked.commit({"a.py": F})
    forked.git("branch", "feature")
    forked.commit({"a.py": F.replace("f", "g")})
    assert forked.plan().relation == "already_merged"
    assert forked.plan("main", "main").relation == "already_merged"


def test_unrelated_histories_are_said_to_be(forked):
    forked.commit({"a.py": F})
    forked.git("checkout", "-q", "--orphan", "feature")
    forked.commit({"a.py": F.replace("1", "2")})
    forked.git("checkout", "-q", "main")
    found = forked.plan()
    assert (found.relation, found.bases, found.verdict) == ("unrelated", (), "textual")
    assert "unrelated" in found.notes[0]
    assert [(one.kind, one.address, one.textual) for one in found.items] == [("add_add", "a.py::f", True)]


def test_the_merge_base_counts_and_not_what_differs_between_the_tips(forked):
    """Only theirs changed it: ours has what the base had."""
    forked.fork({"a.py": F}, {"b.py": "x = 1\n"}, {"a.py": F.replace("1", "2")})
    assert forked.plan().items == ()


def criss_cross(forked):
    """Make two branches that have merged each other, each with an edit of its own: two merge bases."""
    long = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(9))
    forked.fork(
        {"a.py": long}, {"a.py": long.replace("return 1", "return 10")}, {"a.py": long.replace("return 7", "return 70")}
    )
    ours, theirs = forked.git("rev-parse", "main"), forked.git("rev-parse", "feature")
    forked.git("merge", "-q", "-m", "one", theirs)
    forked.git("checkout", "-q", "feature")
    forked.git("merge", "-q", "-m", "two", ours)
    both = long.replace("return 1", "return 10").replace("return 7", "return 70")
    forked.commit({"a.py": both.replace("return 4", "return 41")})
    forked.git("checkout", "-q", "main")
    forked.commit({"a.py": both.replace("return 4", "return 42")})
    return forked


def test_criss_cross_histories_have_the_base_that_git_makes(forked):
    found = criss_cross(forked).plan()
    assert len(found.bases) == 2
    assert "criss-cross" in found.notes[0]
    assert [(one.kind, one.address, one.textual) for one in found.items] == [("symbol_edit_overlap", "a.py::f4", True)]
    check(forked)


def test_a_plan_leaves_no_trace(simple):
    simple.commit({"a.py": F.replace("1", "3")})
    simple.git("checkout", "-q", "feature")
    simple.commit({"a.py": F.replace("1", "4")})
    (simple.root / "untracked").write_text("mine")
    (simple.root / "b.py").write_text("not committed")
    common = os.path.join(simple.root, ".git")

    def state():
        status = simple.git("--no-optional-locks", "status", "--porcelain")
        files = {}
        for folder, folders, names in os.walk(common):
            folders[:] = [one for one in folders if one != "bespeak"]
            files |= {os.path.join(folder, name): os.stat(os.path.join(folder, name)).st_mtime_ns for name in names}
        return files, status, sorted(os.listdir(simple.root))

    before = state()
    assert simple.plan("main", "feature").verdict == "textual"
    after = state()
    assert after[1:] == before[1:]
    assert {path for path in {*after[0], *before[0]} if after[0].get(path) != before[0].get(path)} == set()


def test_a_repository_that_may_not_be_written_to(simple):
    folders = [str(simple.root / ".git"), str(simple.root / ".git" / "objects")]
    modes = {folder: stat.S_IMODE(os.stat(folder).st_mode) for folder in folders}
    for folder in folders:
        os.chmod(folder, 0o555)
    try:
        assert simple.plan().verdict == "clean"
    finally:
        for folder, mode in modes.items():
            os.chmod(folder, mode)


def test_one_plan_is_like_the_next(simple):
    simple.commit({f"m{n}.py": F for n in range(6)})
    simple.git("checkout", "-q", "feature")
    simple.commit({f"m{n}.py": F.replace("1", "9") for n in range(6)})
    simple.git("checkout", "-q", "main")
    found = simple.plan()
    assert len(found.items) > 5
    assert found == simple.plan()
    assert [one.address for one in found.items] == sorted(one.address for one in found.items)


def test_unrelated_settings_of_the_user_change_nothing(simple, monkeypatch):
    before = simple.plan()
    for name, text in (
        ("diff.external", "false"),
        ("color.ui", "always"),
        ("diff.noprefix", "true"),
        ("core.quotePath", "true"),
        ("merge.conflictStyle", "zdiff3"),
    ):
        simple.git("config", name, text)
    assert simple.plan() == before


def test_what_could_not_be_read_is_said(forked):
    forked.fork({"a.py": F}, {"a.py": F + "def (((:\n"}, {"b.py": b"x = 1\0\n"})
    found = forked.plan()
    assert {one.path for one in found.unread} == {"a.py", "b.py"}


def test_files_of_any_bytes(forked):
    noise = bytes(range(256)) * 50
    forked.fork(
        {"a.py": noise, "b.js": b"((((" * 5000},
        {"a.py": noise + b"\xff", "b.js": b"{{{{" * 5000},
        {"a.py": b"\xfe" + noise, "b.js": b""},
    )
    assert set(check(forked)) == {"a.py", "b.js"}


def test_a_git_too_old_is_said_to_be(simple, tmp_path, monkeypatch):
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    real = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, text=True, check=True).stdout.strip()
    fake.write_text(
        f'#!/bin/sh\nfor w; do [ "$w" = version ] && echo "git version 2.30.2" && exit 0; done\nexec {real} "$@"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    with pytest.raises(UnavailableError, match=r"git 2\.30\.2 cannot try a merge"):
        simple.plan()


def test_no_git_at_all_is_said(simple, monkeypatch, tmp_path):
    with Git(find(str(simple.root))) as made:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(UnavailableError, match="git cannot be run"):
            revision_named(made, "main")


def test_hunks_are_read_as_git_writes_them():
    text = b"@@ -3 +3,2 @@ def f\n-a\n+b\n+c\n@@ -10,0 +12,2 @@\n+d\n+e\n@@ -20,2 +23,0 @@\n-f\n-g\n"
    found = [(one.first, one.beyond, one.new_first, one.new_beyond) for one in merges.parse_hunks(text)]
    assert found == [(3, 4, 3, 5), (11, 11, 12, 14), (20, 22, 24, 24)]


def test_a_repository_without_a_commit(forked):
    with pytest.raises(ClaimError, match="names no commit"):
        forked.plan("HEAD", "HEAD")


def test_without_the_extra_that_reads_languages_one_line_says_what_to_install(simple, monkeypatch):
    syntax._language.cache_clear()
    for name in ("tree_sitter", "tree_sitter_python"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UnavailableError, match=r"pip install '\.\[symbols\]'"):
        simple.plan()
