"""Looking at somebody else's repository runs nothing that it names: every trap, over every door that reads git."""

import contextlib
import io
import os
import subprocess

import pytest

from bespeak.base.errors import BespeakError
from bespeak.cli.main import main
from bespeak.mcp import analysis_tools, coord_tools
from bespeak.mcp.tool import Call, Setup
from support import traps

LOOKING = (
    "reserve a.py::f1 --op modify --run-id other",
    "reserve c.txt --run-id me",
    "check a.py",
    "list",
    "dag",
    "symbols a.py::f1 --callers --callees",
    "symbols a.py::f1 --worktree --callers",
    "symbols a.py --rev feature",
    "symbols a.py --rev @{upstream}",
    "forecast",
    "forecast --worktree",
    "forecast --rev feature",
    "plan-merge main feature",
    "plan-merge feature main",
    "merge main feature --dry-run",
    "merge main feature --into made --with-conflicts",
    "reconcile --onto main feature",
    "reconcile",
    "guard commit",
    "guard install",
    "guard remove",
)
DOCUMENTED = set(range(11))


def through_the_tools(root):
    """Call the tools that agents have."""
    call = Call(Setup(str(root)), str(root), "me", None, None)
    for tool, asked in (
        (coord_tools.reserve, coord_tools.Reserve(addresses=["a.py"])),
        (coord_tools.check, coord_tools.Check(addresses=["a.py"])),
        (analysis_tools.symbols, analysis_tools.Symbols(addresses=["a.py"], callers=True)),
        (analysis_tools.symbols, analysis_tools.Symbols(addresses=["a.py"], worktree=True)),
        (analysis_tools.forecast, analysis_tools.Forecast(worktree=True)),
        (analysis_tools.forecast, analysis_tools.Forecast()),
        (analysis_tools.plan_merge, analysis_tools.PlanMerge(ours="main", theirs="feature")),
        (analysis_tools.reconcile, analysis_tools.Reconcile(branches=["feature"], onto="main")),
    ):
        with contextlib.suppress(BespeakError):  # some have no objects to look at
            tool(call, asked)


def through_the_commands(root, monkeypatch):
    for line in LOOKING:
        assert main(["coord", *line.split()]) in DOCUMENTED, line
    commits = [subprocess.check_output(["git", "rev-parse", name], text=True).strip() for name in ("main", "feature")]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"refs/heads/main {commits[0]} refs/heads/main {commits[1]}\n"))
    assert main(["coord", "guard", "push", "--remote", "origin"]) in DOCUMENTED


@pytest.mark.parametrize("trap", traps.TRAPS, ids=lambda trap: trap.__name__)
def test_a_trap_is_not_sprung(trapped, trap, monkeypatch, capfd):
    bait = trap(trapped)
    trapped.sprung()
    through_the_commands(trapped.root, monkeypatch)
    assert not trapped.sprung(), trapped.marker
    through_the_tools(trapped.root)
    assert not trapped.sprung()
    said = capfd.readouterr().err
    assert "Traceback" not in said
    if trap not in traps.BY_TERMINAL:
        trapped.plain(*bait)
        assert trapped.sprung(), "this trap would not have run under git itself: it proves nothing"


@pytest.mark.parametrize(
    "name", ["GIT_EXTERNAL_DIFF", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_PAGER", "GIT_EDITOR", "GIT_PROXY_COMMAND"]
)
def test_nor_is_one_in_the_environment(trapped, name, monkeypatch):
    monkeypatch.setenv(name, str(trapped.program))
    trapped.changed()
    through_the_commands(trapped.root, monkeypatch)
    assert not trapped.sprung()


def test_no_program_called_git_is_taken_from_the_repository(trapped, monkeypatch):
    (trapped.root / "git").symlink_to(trapped.program)
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", f".::{path}")
    for line in LOOKING:
        assert main(["coord", *line.split()]) in DOCUMENTED, line
    assert not trapped.sprung()


def test_a_work_tree_elsewhere_is_not_read(trapped, tmp_path, capfd):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret.py").write_text("def secret():\n    pass\n")
    trapped.config("core.worktree", str(elsewhere))
    assert main(["coord", "symbols", "secret.py", "--worktree"]) == 4
    assert main(["coord", "symbols", "a.py::f1", "--worktree"]) == 0


def test_a_file_behind_a_link_is_not_read(trapped, tmp_path):
    (trapped.root / "sub").mkdir()
    trapped.commit({"sub/x.py": "def x():\n    pass\n"})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.py").write_text("def secret():\n    pass\n")
    (trapped.root / "sub" / "x.py").unlink()
    (trapped.root / "sub").rmdir()
    (trapped.root / "sub").symlink_to(outside)
    from bespeak.git.objects import Objects
    from bespeak.git.repository import find

    objects = Objects(find(str(trapped.root)))
    try:
        listing = objects.worktree()
    finally:
        objects.close()
    assert "sub/x.py" not in listing.blobs
    assert listing.loose == {}
