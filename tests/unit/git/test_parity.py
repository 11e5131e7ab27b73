"""Ordinary repositories of every kind are read as git reads them, and nothing is left behind."""

import os
import subprocess

import pytest

from bespeak.coord.git_hooks import pushed, staged
from bespeak.coord.merge.plan import plan
from bespeak.git.errors import UnknownRevisionError
from bespeak.git.objects import Objects, reopen
from bespeak.git.process import Git
from bespeak.git.repository import Repository, find
from support.repositories import git
from support.traps import LONG


@pytest.fixture(autouse=True)
def passing(tmp_path, monkeypatch):
    """What git's private folders are made in; empty again when the test is over."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "passing"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    yield
    assert os.listdir(folder) == []


def tree_of(folder, revision):
    text = subprocess.check_output(["git", "ls-tree", "-r", "-z", revision], cwd=folder).decode()
    rows = [line.partition("\t") for line in text.split("\0")[:-1]]
    return {path: facts.split()[2] for facts, _, path in rows if facts.startswith("100")}


def same_as_git(folder, *revisions):
    """Compare what is read with what git says itself; return the listing of the work tree."""
    objects = Objects(find(str(folder), {}))
    try:
        for revision in revisions or ("HEAD",):
            listing = objects.revision(revision)
            assert listing.commit == git(folder, "rev-parse", revision)
            assert listing.blobs == tree_of(folder, revision)
            for path, content in objects.many(list(listing.blobs.values())[:3]):
                assert content == subprocess.check_output(["git", "cat-file", "blob", path], cwd=folder)
        return objects.worktree()
    finally:
        objects.close()


@pytest.fixture
def clone(tmp_path):
    root = tmp_path / "clone"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "a.py").write_text(LONG)
    (root / "sub").mkdir()
    (root / "sub" / "b.py").write_text("x = 1\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    git(root, "branch", "feature")
    (root / "a.py").write_text(LONG.replace("return 1", "return 10"))
    git(root, "commit", "-qam", "two")
    git(root, "checkout", "-q", "feature")
    (root / "sub" / "b.py").write_text("x = 2\n")
    git(root, "commit", "-qam", "three")
    git(root, "checkout", "-q", "main")
    return root


NAMES = ("HEAD", "main", "feature", "HEAD~1", "@{-1}", "HEAD@{1}", "main@{1}", "feature^{commit}")


def test_every_way_to_name_a_revision(clone):
    git(clone, "tag", "-a", "v1", "-m", "v1")
    git(clone, "pack-refs", "--all")
    git(clone, "update-ref", "ORIG_HEAD", "feature")
    same_as_git(clone, *NAMES, "ORIG_HEAD", "v1^{commit}")


def test_what_a_branch_follows(clone, tmp_path):
    git(tmp_path, "clone", "-q", str(clone), "copy")
    copy = tmp_path / "copy"
    git(copy, "commit", "-q", "--allow-empty", "-m", "mine")
    same_as_git(copy, "@{upstream}", "main@{u}", "origin/main", "HEAD")
    assert same_as_git(copy, "@{push}").commit == git(copy, "rev-parse", "HEAD")


def test_a_linked_work_tree_has_its_own_head_and_index(clone, tmp_path):
    linked = tmp_path / "linked"
    git(clone, "worktree", "add", "-q", str(linked), "feature")
    git(linked, "update-ref", "refs/worktree/mine", "HEAD~1")
    (linked / "new.py").write_text("y = 1\n")
    git(linked, "add", "new.py")
    listing = same_as_git(linked, "HEAD", "main", "refs/worktree/mine", "main-worktree/HEAD", "HEAD@{0}")
    assert "new.py" in listing.blobs
    assert staged(find(str(linked), {})) == ["new.py"]
    same_as_git(clone, "worktrees/linked/HEAD")


def test_ids_of_sha256(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256", "long")
    root = tmp_path / "long"
    (root / "a.py").write_text(LONG)
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    (root / "new.py").write_text("x = 1\n")
    listing = same_as_git(root)
    assert listing.blobs["new.py"] == git(root, "hash-object", "new.py")


@pytest.mark.parametrize(
    "text",
    [
        '[core]\n\trepositoryFormatVersion = 1 ; as it is\n[Extensions]\n\tobjectFormat = "sha256" # long\n',
        "[core] repositoryformatversion=1\n[extensions] objectformat=sha256\n",
        '[remote "]"]\nurl = x\n[core]\nrepositoryformatversion = 1\n[extensions]\nobjectformat=sha256\n[a "b"]\nc=1\n',
    ],
)
def test_the_format_is_read_however_it_is_written(tmp_path, text):
    git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256", "long")
    root = tmp_path / "long"
    (root / "a.py").write_text(LONG)
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    (root / ".git" / "config").write_text(text)
    same_as_git(root)


def test_objects_borrowed_from_another_store(clone, tmp_path):
    git(tmp_path, "clone", "-q", "--shared", str(clone), "borrowing")
    same_as_git(tmp_path / "borrowing", "HEAD", "origin/feature")


def test_a_store_with_a_colon_in_its_name(tmp_path):
    root = tmp_path / 'a:b"c'
    root.mkdir()
    git(root, "init", "-q")
    (root / "a.py").write_text("x = 1\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    same_as_git(root)


def test_a_submodule_and_a_git_folder_elsewhere(clone, tmp_path):
    git(tmp_path, "init", "-q", "--separate-git-dir", str(tmp_path / "elsewhere"), str(tmp_path / "around"))
    around = tmp_path / "around"
    git(around, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(clone), "inner")
    git(around, "commit", "-qm", "inner")
    assert same_as_git(around).unread == (("inner", "a submodule: another repository"),)
    (around / "inner" / "new.py").write_text("y = 1\n")
    assert set(same_as_git(around / "inner", "HEAD", "origin/feature").blobs) == {"a.py", "sub/b.py", "new.py"}


def test_a_shallow_clone(clone, tmp_path):
    git(tmp_path, "clone", "-q", "--depth", "1", "--no-single-branch", f"file://{clone}", "shallow")
    copy = tmp_path / "shallow"
    same_as_git(copy, "HEAD", "origin/feature")
    assert plan(find(str(copy), {}), "HEAD", "origin/feature").relation == "unrelated"


def test_a_split_index_and_one_without_the_whole_tree(clone):
    git(clone, "update-index", "--split-index")
    (clone / "new.py").write_text("y = 1\n")
    git(clone, "add", "new.py")
    assert set(same_as_git(clone).blobs) == {"a.py", "sub/b.py", "new.py"}
    assert staged(find(str(clone), {})) == ["new.py"]
    git(clone, "update-index", "--no-split-index")
    git(clone, "commit", "-qm", "new")
    git(clone, "sparse-checkout", "set", "--cone", "--sparse-index", "nothing")
    assert set(same_as_git(clone).blobs) == {"a.py", "sub/b.py", "new.py"}


def test_what_the_user_ignores_is_left_out(clone, tmp_path):
    rules = tmp_path / "rules"
    rules.write_text("*.of-me\n")
    git(clone, "config", "--global", "core.excludesFile", str(rules))
    (clone / ".gitignore").write_text("*.of-all\n")
    (clone / ".git" / "info" / "exclude").write_text("*.of-clone\n")
    for name in ("x.of-me", "x.of-all", "x.of-clone", "x.py"):
        (clone / name).write_text("")
    assert set(same_as_git(clone).loose.values()) <= {"x.py", ".gitignore"}
    assert set(same_as_git(clone).blobs) == {"a.py", "sub/b.py", "x.py", ".gitignore"}


def test_modes_that_do_not_count_are_no_change(clone):
    (clone / "a.py").chmod(0o755)
    assert list(same_as_git(clone).loose.values()) == ["a.py"]
    git(clone, "config", "core.fileMode", "false")
    assert same_as_git(clone).loose == {}


def test_how_a_merge_is_done_is_told_by_harmless_settings(clone):
    (clone / "sub" / "b.py").write_text(LONG.replace("f", "g"))
    git(clone, "commit", "-qam", "longer")
    git(clone, "checkout", "-q", "-b", "theirs")
    git(clone, "mv", "sub", "moved")
    git(clone, "commit", "-qm", "moved")
    git(clone, "checkout", "-q", "main")
    (clone / "sub" / "c.py").write_text("z = 1\n")
    git(clone, "add", ".")
    git(clone, "commit", "-qm", "new")
    where = find(str(clone), {})
    assert [one.path for one in plan(where, "main", "theirs").conflicts] == ["moved/c.py"]
    git(clone, "config", "merge.directoryRenames", "true")
    assert plan(where, "main", "theirs").conflicts == ()


def test_attributes_that_name_no_program_count(clone):
    (clone / ".gitattributes").write_text("a.py merge=union\n")
    git(clone, "add", ".")
    git(clone, "checkout", "-q", "-b", "other", "main~1")
    (clone / "a.py").write_text(LONG.replace("return 1", "return 11"))
    git(clone, "commit", "-qam", "other")
    assert plan(find(str(clone), {}), "main", "other").conflicts == ()


def test_objects_in_quarantine_are_seen(clone, tmp_path, monkeypatch):
    """As git has them for a hook that judges a push."""
    kept = tmp_path / "kept"
    kept.mkdir()
    there = {
        **os.environ,
        "GIT_OBJECT_DIRECTORY": str(kept),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{clone}/.git/objects",
    }
    made = git(clone, "commit-tree", "HEAD^{tree}", "-m", "new", env=there)
    for name in ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"):
        monkeypatch.setenv(name, there[name])
    with Git(find(str(clone), {})) as made_git:
        assert made_git.commit_of(made) == made


def test_a_commit_of_some_files_only(clone, tmp_path):
    """The hook of ``git commit FILE`` is given an index of its own."""
    (clone / "a.py").write_text("x = 1\n")
    (clone / "sub" / "b.py").write_text("x = 3\n")
    git(clone, "add", ".")
    hook = clone / ".git" / "hooks" / "pre-commit"
    hook.write_text('#!/bin/sh\nenv | grep "^GIT_" >"$PWD/../seen"\ncp "$GIT_INDEX_FILE" "$PWD/../index"\n')
    hook.chmod(0o755)
    git(clone, "commit", "-qm", "some", "sub/b.py")
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines())
    assert "GIT_INDEX_FILE" in seen
    git(clone, "reset", "-q", "--soft", "HEAD~1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
        assert staged(find(str(clone), {})) == ["sub/b.py"]
        patch.setenv("GIT_INDEX_FILE", "../index")
        assert staged(find(str(clone), {})) == ["sub/b.py"]


def test_before_the_first_commit(tmp_path):
    git(tmp_path, "init", "-q", "empty")
    root = tmp_path / "empty"
    (root / "a.py").write_text("x = 1\n")
    git(root, "add", ".")
    assert staged(find(str(root), {})) == ["a.py"]
    objects = Objects(find(str(root), {}))
    assert objects.worktree().commit == ""
    with pytest.raises(UnknownRevisionError):
        objects.revision("HEAD")
    objects.close()


def test_a_push_is_told_by_ids_only(clone):
    where = find(str(clone), {})
    main, feature, none = git(clone, "rev-parse", "main"), git(clone, "rev-parse", "feature"), "0" * 40
    assert pushed(where, [f"refs/heads/f {feature} refs/heads/f {main}"], "origin") == ["sub/b.py"]
    assert set(pushed(where, [f"refs/heads/f {feature} refs/heads/f {none}"], "")) == {"a.py", "sub/b.py"}
    assert pushed(where, [f"refs/heads/f {none} refs/heads/f {main}", f"x --output={clone}/x x {none}"], "") == []
    assert not (clone / "x").exists()


def test_a_head_that_is_a_link(clone):
    (clone / ".git" / "HEAD").unlink()
    (clone / ".git" / "HEAD").symlink_to("refs/heads/feature")
    objects = Objects(find(str(clone), {}))
    assert objects.revision("HEAD").commit == git(clone, "rev-parse", "feature")
    objects.close()


def test_a_format_that_git_does_not_know_is_refused_by_git(clone):
    git(clone, "config", "core.repositoryformatversion", "1")
    git(clone, "config", "extensions.ofTomorrow", "true")
    with Git(find(str(clone), {})) as made, pytest.raises(UnknownRevisionError) as told:
        made.commit_of("HEAD")
    assert "unknown repository extension" in told.value.reason or "oftomorrow" in told.value.reason


def test_another_process_opens_the_same(clone):
    where = find(str(clone), {})
    objects = Objects(where)
    module, function, words = objects.recipe()
    assert (module, function) == (reopen.__module__, reopen.__name__)
    other = reopen(*words)
    blob = git(clone, "rev-parse", "HEAD:a.py")
    assert other.get(blob) == (clone / "a.py").read_bytes()
    other.close()
    assert objects.get(blob) == (clone / "a.py").read_bytes()
    objects.close()


def test_a_folder_that_cannot_be_made_is_said(clone, monkeypatch):
    from bespeak.base.errors import UnavailableError

    monkeypatch.setenv("TMPDIR", str(clone / "a.py"))
    with Git(find(str(clone), {})) as made, pytest.raises(UnavailableError, match="no temporary folder can be made"):
        made.commit_of("HEAD")


def test_nothing_is_written_to_the_repository(clone):
    def state():
        found = {}
        for folder, _, names in os.walk(clone):
            for name in names:
                path = os.path.join(folder, name)
                found[path] = (os.stat(path).st_mtime_ns, os.stat(path).st_size)
        return found

    before = state()
    same_as_git(clone, "feature")
    with Git(Repository(str(clone), f"{clone}/.git", f"{clone}/.git")) as made:
        made.run("merge-tree", "--write-tree", "main", "feature")
    assert state() == before
