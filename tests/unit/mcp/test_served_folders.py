"""Which folders clients may name: what is served, and nothing that only seems to be in it."""

from __future__ import annotations

import os
import shutil

import pytest

from bespeak.mcp.served_folders import served
from support.repositories import git


@pytest.fixture
def places(tmp_path):
    """A served repository, and a private one beside it."""
    for name in ("served", "private"):
        folder = tmp_path / name
        (folder / "sub").mkdir(parents=True)
        git(folder, "init", "-q", "-b", "main")
        git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return tmp_path.resolve()


def test_what_is_in_a_served_folder_is_served(places):
    roots = (str(places / "served"),)
    for named in ("served", "served/sub", "served/nothing", "private/../served/sub"):
        assert served(str(places / named), roots) == os.path.realpath(places / named)
    for named in ("private", "private/sub", "", "served/..", "served-not", "served/../private", "nowhere", "a\0b"):
        assert served(f"{places}/{named}", roots) is None, named


def test_work_trees_of_a_served_repository_are_served(places):
    git(places / "served", "worktree", "add", "-q", str(places / "tree"))
    assert served(str(places / "tree"), (str(places / "served"),)) == str(places / "tree")
    assert served(str(places / "served"), (str(places / "tree"),)) == str(places / "served")
    assert served(str(places / "served"), (str(places / "served" / "sub"),)) == str(places / "served")
    assert served(str(places / "private"), (str(places / "tree"),)) is None


def test_a_link_is_what_it_leads_to(places):
    roots = (str(places / "served"),)
    (places / "served" / "out").symlink_to(places / "private")
    (places / "in").symlink_to(places / "served" / "sub")
    assert served(str(places / "served" / "out"), roots) is None
    assert served(str(places / "served" / "out" / "sub"), roots) is None
    assert served(str(places / "in"), roots) == str(places / "served" / "sub")
    assert served(str(places / "served"), (str(places / "in"),)) == str(places / "served")


@pytest.mark.parametrize("way", ["file", "link", "commondir"])
def test_a_folder_that_says_it_is_of_a_private_repository_is_not_served(places, way):
    planted = places / "served" / "planted"
    planted.mkdir()
    private = places / "private" / ".git"
    if way == "file":
        (planted / ".git").write_text(f"gitdir: {private}\n")
    elif way == "link":
        (planted / ".git").symlink_to(private)
    else:
        (planted / ".git").mkdir()
        (planted / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        (planted / ".git" / "commondir").write_text(f"{private}\n")
    assert served(str(planted), (str(places / "served"),)) is None


@pytest.mark.parametrize("way", ["file", "link", "registered elsewhere"])
def test_a_folder_that_only_says_it_is_a_work_tree_is_not_served(places, way):
    fake = places / "fake"
    fake.mkdir()
    git(places / "served", "worktree", "add", "-q", str(places / "tree"))
    if way == "file":
        (fake / ".git").write_text(f"gitdir: {places / 'served' / '.git'}\n")
    elif way == "link":
        (fake / ".git").symlink_to(places / "served" / ".git")
    else:
        shutil.copy(places / "tree" / ".git", fake / ".git")
    assert served(str(fake), (str(places / "served"),)) is None
