"""The index: every content is read once, whoever asks, whatever happens to the cache; odd things in trees are survived."""

import os
import sqlite3
import subprocess
import sys

import pytest

from bespeak.coord.errors import ClaimError
from bespeak.coord.symbol_index import open_index
from bespeak.git import repository
from bespeak_symbols.call_graph import CallGraph
from bespeak_symbols.model import Unread
from support.repositories import git

PYTHON = ["app/__init__.py", "app/main.py", "app/other.py", "app/store.py"]


def edges(snapshot):
    graph = CallGraph(snapshot)
    return [edge for path in snapshot.paths for edge in graph.edges_of(path)]


def test_a_snapshot_has_the_files_that_can_be_read_and_the_text_of_all(project):
    with project.index() as index:
        snapshot = index.snapshot("HEAD")
        assert list(snapshot.paths) == PYTHON
        assert set(snapshot.paths.values()) == {"python"}
        assert snapshot.commit == project.git("rev-parse", "HEAD")
        assert snapshot.text("README.md") == b"words\n"
        assert snapshot.text("nowhere") is None
        assert snapshot.facts("README.md") is None
        assert snapshot.blob("app/main.py") == project.git("rev-parse", "HEAD:app/main.py")
        assert snapshot.defining("save") == ("app/store.py::Store.save",)
        assert snapshot.defining("nothing") == ()
        assert snapshot.unread == ()


def test_any_name_of_a_revision_is_understood_and_an_unknown_one_is_named(project):
    first = project.git("rev-parse", "HEAD")
    project.git("tag", "v1")
    project.write("app/new.py", "def new():\n    pass\n")
    project.commit()
    with project.index() as index:
        for name in (first, first[:8], "v1", "HEAD~1", "main^"):
            assert index.snapshot(name).commit == first
        assert "app/new.py" in index.snapshot("main").paths
        for name in ("nowhere", "", "HEAD~99", "--all", "a\0b", "HEAD:README.md", "\x1b[31m"):
            with pytest.raises(ClaimError, match="no such revision") as told:
                index.snapshot(name)
            assert "\x1b" not in str(told.value)


def test_a_change_to_one_file_reads_exactly_one_content(project):
    with project.index() as index:
        index.snapshot("HEAD")
        assert index.read_count == 4
    project.write("app/store.py", "def check(item):\n    return [item]\n")
    project.commit()
    with project.index() as index:
        index.snapshot("HEAD")
        assert index.read_count == 1
        index.snapshot("HEAD~1")
        assert index.read_count == 1


def asked(index, monkeypatch):
    """Return a list that gets the number of keys each time the cache is asked for the numbers of some."""
    counts = []
    known = index.cache.known

    def counting(keys):
        counts.append(len(list(keys)))
        return known(keys)

    monkeypatch.setattr(index.cache, "known", counting)
    return counts


def test_a_listing_that_was_open_before_is_not_looked_up_file_by_file(project, monkeypatch):
    project.write("app/broken.py", "def f(:\n")
    project.commit()
    with project.index() as index:
        first = index.snapshot("HEAD")
    project.write("app/other.py", "def other():\n    pass\n")
    project.root.joinpath("app/main.py").unlink()
    with project.index() as index:
        counts = asked(index, monkeypatch)
        again = index.snapshot("HEAD")
        assert not counts
        assert (list(again.paths.items()), again.unread) == (list(first.paths.items()), first.unread)
        assert again.defining("check") == first.defining("check")
        changed = index.worktree()
        assert list(changed.paths) == ["app/__init__.py", "app/broken.py", "app/other.py", "app/store.py"]
        assert changed.defining("other") == ("app/other.py::other",)
        assert changed.defining("run") == ()
        assert changed.unread == first.unread
        assert max(counts) == 1


def test_a_listing_is_looked_up_again_when_its_files_are_read_otherwise_or_were_dropped(project, monkeypatch):
    with project.index() as index:
        index.snapshot("HEAD")
        counts = asked(index, monkeypatch)
        monkeypatch.setattr("bespeak_symbols.cache._SPARE", 2)
        index.cache.prune(set())
        index.snapshot("HEAD")
        assert counts == [4, 4]  # looked up, read, looked up
        assert index.read_count == 7
        version = index.backend.version
        monkeypatch.setattr(index.backend, "version", lambda language: version(language) + "+")
        index.snapshot("HEAD")
        assert counts == [4, 4, 4, 4]
        assert index.read_count == 11


def test_the_same_content_under_two_names_is_read_once(project):
    project.write("copy/store.py", project.root.joinpath("app/store.py").read_bytes())
    project.commit()
    with project.index() as index:
        assert index.snapshot("HEAD").defining("save") == ("app/store.py::Store.save", "copy/store.py::Store.save")
        assert index.read_count == 4


def test_the_work_tree_counts_what_is_changed_new_and_gone_and_leaves_out_what_is_ignored(project):
    project.write(".gitignore", "skipped.py\n")
    project.write("skipped.py", "def skipped(): pass\n")
    project.write("new.py", "def new(): pass\n")
    project.write("app/store.py", "def check(item):\n    return new(item)\n")
    os.unlink(project.root / "app" / "other.py")
    os.symlink("app/main.py", project.root / "link.py")
    os.mkfifo(project.root / "pipe.py")
    with project.index() as index:
        snapshot = index.worktree()
        assert list(snapshot.paths) == ["app/__init__.py", "app/main.py", "app/store.py", "new.py"]
        assert snapshot.defining("save") == ()
        assert snapshot.text("new.py") == b"def new(): pass\n"
        assert snapshot.commit == project.git("rev-parse", "HEAD")
        assert [symbol.name for symbol in snapshot.facts("app/store.py").symbols] == ["check"]


def test_a_repository_without_a_commit_has_a_work_tree_and_no_head(empty):
    empty.write("a.py", "def a(): pass\n")
    with empty.index() as index:
        assert index.worktree().defining("a") == ("a.py::a",)
        assert index.worktree().commit == ""
        with pytest.raises(ClaimError, match="HEAD"):
            index.snapshot("HEAD")


def test_links_submodules_and_names_that_are_no_text_are_said_and_not_followed(project, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    (other / "b.py").write_text("def b(): pass\n")
    git(other, "add", "-A")
    git(other, "commit", "-q", "-m", "x")
    project.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    os.symlink("app/main.py", project.root / "link.py")
    with open(os.fsencode(project.root) + b"/n\xff.py", "wb") as file:
        file.write(b"x = 1\n")
    project.commit()
    with project.index() as index:
        for snapshot in (index.snapshot("HEAD"), index.worktree()):
            assert list(snapshot.paths) == PYTHON
            assert Unread("sub", "a submodule: another repository") in snapshot.unread
            assert [part.why for part in snapshot.unread if part.path.startswith("n")] == ["its name is no UTF-8 text"]


def test_what_cannot_be_read_is_said_and_the_rest_is_read(project):
    project.write("big.py", b"x = 1\n" * 400_000)
    project.write("nul.py", b"x = 1\0\n")
    project.write("torn.py", b"def good():\n    pass\n\ndef bad(:\n    good()\n")
    project.commit()
    with project.index() as index:
        snapshot = index.snapshot("HEAD")
        assert {part.path: (part.line, part.why) for part in snapshot.unread if part.path != "torn.py"} == {
            "big.py": (0, "larger than 2 MB"),
            "nul.py": (0, "holds NUL bytes: no text"),
        }
        assert any(part.path == "torn.py" and part.line == 4 for part in snapshot.unread)
        assert "torn.py" in snapshot.paths
        assert "big.py" not in snapshot.paths
        assert "torn.py::good" in snapshot.defining("good")


def test_a_sha256_repository_is_read_like_any_other(tmp_path):
    root = tmp_path / "long"
    root.mkdir()
    git(root, "init", "-q", "-b", "main", "--object-format=sha256")
    (root / "a.py").write_text("def a(): pass\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "x")
    (root / "a.py").write_text("def a(): pass\n\n\ndef b(): a()\n")
    with open_index(repository.find(str(root))) as index:
        assert index.snapshot("HEAD").defining("a") == ("a.py::a",)
        assert index.worktree().defining("b") == ("a.py::b",)
        assert len(index.snapshot("HEAD").commit) == 64


def test_all_work_trees_of_a_clone_share_what_was_read(project, tmp_path):
    with project.index() as index:
        index.snapshot("HEAD")
    linked = tmp_path / "linked"
    project.git("worktree", "add", "-q", str(linked), "-b", "side")
    with open_index(repository.find(str(linked))) as index:
        assert list(index.worktree().paths) == PYTHON
        assert index.read_count == 0


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100, None], ids=["emptied", "garbage", "torn"])
def test_a_broken_cache_is_thrown_away_and_everything_is_read_again(project, damage):
    with project.index() as index:
        before = edges(index.snapshot("HEAD"))
    whole = project.cache_file.read_bytes()
    torn = whole[:4096] + os.urandom(len(whole) - 4096)
    project.cache_file.write_bytes(torn if damage is None else damage)
    for suffix in ("-wal", "-shm"):
        project.cache_file.with_name(project.cache_file.name + suffix).unlink(missing_ok=True)
    with project.index() as index:
        assert edges(index.snapshot("HEAD")) == before
        assert index.read_count == 4
        assert index.notice == ""
    with project.index() as index:
        assert edges(index.snapshot("HEAD")) == before
        assert index.read_count == 0


def test_a_cache_that_breaks_while_it_is_open_is_replaced(project):
    with project.index() as index:
        before = edges(index.snapshot("HEAD"))
    with project.index() as index:
        snapshot = index.snapshot("HEAD")
        index.cache.connection.execute("DROP TABLE edges")
        index.cache.connection.execute("UPDATE source SET facts = x'00'")
        assert [symbol.name for symbol in snapshot.facts("app/store.py").symbols] == ["Store", "Store.save", "check"]
        index.cache.connection.execute("DROP TABLE definition")
        assert snapshot.defining("save") == ("app/store.py::Store.save",)
        assert edges(snapshot) == before
        assert sorted(edges(index.snapshot("HEAD")), key=str) == sorted(before, key=str)


def test_another_format_of_the_cache_is_replaced(project):
    project.cache_file.parent.mkdir(exist_ok=True)
    other = sqlite3.connect(project.cache_file)
    other.executescript("CREATE TABLE source (x); PRAGMA user_version = 99;")
    other.close()
    with project.index() as index:
        assert list(index.snapshot("HEAD").paths) == PYTHON
        assert index.notice == ""


def test_where_nothing_can_be_kept_it_works_and_says_so(project):
    project.write(".git/bespeak", "in the way")
    with project.index() as index:
        assert list(index.snapshot("HEAD").paths) == PYTHON
        assert len(edges(index.snapshot("HEAD"))) > 5
        assert "cannot be kept" in index.notice
        assert index.read_count == 4


def test_contents_that_are_in_no_repository_are_read_and_kept_too(project):
    source = b"def fresh():\n    pass\n"
    with project.index() as index:
        assert [symbol.name for symbol in index.facts("x/y.py", source).symbols] == ["fresh"]
        assert index.read_count == 1
        assert index.facts("z.py", source) == index.facts("x/y.py", source)
        assert index.read_count == 1
        assert index.facts("words.txt", source) is None


def test_a_content_that_this_clone_does_not_have_is_said_to_be_missing(project):
    blob = project.git("rev-parse", "HEAD:app/store.py")
    (project.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with project.index() as index:
        snapshot = index.snapshot("HEAD")
        assert "app/store.py" not in snapshot.paths
        assert [part.path for part in snapshot.unread] == ["app/store.py"]
        assert snapshot.text("app/store.py") is None


CHILD = """
import sys
from bespeak.git import repository
from bespeak_symbols.call_graph import CallGraph
from bespeak.coord.symbol_index import open_index
with open_index(repository.find(sys.argv[1])) as index:
    graph = CallGraph(index.snapshot("HEAD"))
    found = [edge for path in graph.snapshot.paths for edge in graph.edges_of(path)]
    print(len(graph.snapshot.paths), len(found), index.notice, sep="|")
"""


def test_many_processes_fill_one_cache_at_once(project):
    for number in range(40):
        project.write(f"many/m{number}.py", f"def f{number}():\n    return f{number}()\n")
    project.commit()
    command = [sys.executable, "-c", CHILD, str(project.root)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    told = [process.communicate() for process in running]
    assert {err for _, err in told} == {""}
    assert len({out for out, _ in told}) == 1
    assert told[0][0].startswith("44|")
    with project.index() as index:
        index.snapshot("HEAD")
        assert index.read_count == 0


def test_many_files_are_read_by_workers_and_progress_is_told(empty, monkeypatch):
    for number in range(330):
        empty.write(f"p{number % 7}/m{number}.py", f"def f{number}():\n    return {number}\n")
    empty.write("p1/shadow.py", "")
    # A folder that is read must never be imported from.
    empty.write("json.py", "raise SystemExit('imported')\n")
    empty.commit()
    monkeypatch.chdir(empty.root)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    told = []
    with empty.index(progress=lambda done, total: told.append((done, total))) as index:
        snapshot = index.snapshot("HEAD")
        assert len(snapshot.paths) == 332
        assert snapshot.defining("f329") == ("p0/m329.py::f329",)
        assert index.read_count == 332
    assert told[-1] == (332, 332)
    assert [done for done, _ in told] == list(range(1, 333))


def test_files_are_read_where_nobody_tells_which_processors_may_be_used(empty, monkeypatch):
    for number in range(151):
        empty.write(f"m{number}.py", f"def f{number}():\n    return {number}\n")
    empty.commit()
    monkeypatch.delattr(os, "sched_getaffinity")
    with empty.index() as index:
        assert index.snapshot("HEAD").defining("f150") == ("m150.py::f150",)


def test_workers_that_die_cost_nothing_but_time(empty, monkeypatch):
    for number in range(320):
        empty.write(f"m{number}.py", f"def f{number}():\n    return {number}\n")
    empty.commit()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with empty.index() as index:
        assert len(index.snapshot("HEAD").paths) == 320
        assert index.read_count == 320


def test_the_cache_does_not_grow_for_ever(project, monkeypatch):
    from bespeak_symbols import cache, edge_cache

    monkeypatch.setattr(cache, "_SPARE", 4)
    with project.index() as index:
        for number in range(30):
            project.write("app/store.py", f"def check(item):\n    return {number}\n")
            project.commit()
            edges(index.snapshot("HEAD"))
        count = index.cache.connection.execute("SELECT count(*) FROM source").fetchone()[0]
        assert count <= 4 * 4 + 4
        snapshot = index.snapshot("HEAD")
        assert list(snapshot.paths) == PYTHON
        assert snapshot.facts("app/other.py") is not None
    with project.index() as index:
        index.snapshot("HEAD")
        assert index.read_count == 0
        worlds = index.cache.connection.execute("SELECT count(*) FROM world").fetchone()[0]
        assert worlds <= edge_cache._MOST_WORLDS
