"""The chapter of the demo about agents: two of them, in two work trees of this project, meet in one function.

They work in a clone of the repository that this file belongs to; what was unpacked without its history becomes one.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo import Stage

HELD = 7
_PROJECT = Path(__file__).resolve().parent.parent
_NEW_CALLER = r"\n\ndef likely(name, known):\n    return nearest(name, known, 1)\n"
_TRY = "python -c \"from bespeak.labs.store import likely; print(likely('rack', ['rack1', 'scope']))\""


def play(stage: Stage, say: Callable[[str], None]) -> None:
    """Play the chapter: a claim, a warning, a forecast that comes true, and the merge that was planned for it."""
    top = stage.lab
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    stage.environment |= {name: "demo@example.org" if name.endswith("EMAIL") else "demo" for name in names}
    # What is tried out is what the agents made of the project, not what is installed.
    stage.environment["PYTHONPATH"] = "src"

    say("Two coding agents work on this very project, each in a work tree of its own.")
    _clone(stage)
    first, second = top / "project", top / "second"
    stage.lab = first
    stage.type("git switch -q -C main")
    stage.type("git switch -q -c rename")
    stage.type("git worktree add -q ../second -b caller")

    _claims(stage, say, first, second)
    _work(stage, say, first, second)
    _merge(stage, say, first)
    stage.lab = top
    del stage.environment["PYTHONPATH"]


def _clone(stage: Stage) -> None:
    known = subprocess.run(["git", "-C", _PROJECT, "rev-parse", "HEAD"], check=False, capture_output=True)
    if known.returncode == 0:
        stage.type(f"git clone -q '{_PROJECT}' project")
        return
    shutil.copytree(_PROJECT / "src", stage.lab / "project" / "src")
    stage.type("sh -c 'cd project && git init -q -b main && git add . && git commit -qm start'")


def _claims(stage: Stage, say: Callable[[str], None], first: Path, second: Path) -> None:
    say("The first claims the function that it is about to rename. The second wants that file too, and is told.")
    stage.lab = first
    claimed = "bespeak coord reserve src/bespeak/base/display.py::nearest --op rename --run-id agent-1"
    stage.type(claimed, shows=("Reserved 1",))
    stage.lab = second
    refused = "bespeak coord reserve src/bespeak/base/display.py --op modify --run-id agent-2 --on-conflict fail"
    stage.type(refused, code=HELD, shows=("run-id 'agent-1'", "Not reserved"))

    say("So it takes other work, in another file. Nothing overlaps, and still the forecast sees who will break:")
    stage.type("bespeak coord reserve src/bespeak/labs/store.py --op modify --run-id agent-2", shows=("Reserved 1",))
    stage.type("bespeak coord forecast", shows=("src/bespeak/labs/store.py::LabStore._unknown", "blast_radius_overlap"))


def _work(stage: Stage, say: Callable[[str], None], first: Path, second: Path) -> None:
    say("Both go on: one renames the function and all its callers, the other adds a new caller. Both are done.")
    stage.lab = first
    stage.type("sh -c \"git grep -lw nearest src | xargs sed -i 's/\\bnearest\\b/closest/g'\"")
    stage.type("git commit -qam 'nearest is called closest'")
    stage.type("bespeak coord release --mine --run-id agent-1", shows=("Released 1",))
    stage.lab = second
    stage.type(f"sh -c \"printf '{_NEW_CALLER}' >> src/bespeak/labs/store.py\"")
    stage.type("git commit -qam 'What was meant'")
    stage.type("bespeak coord release --mine --run-id agent-2", shows=("Released 1",))


def _merge(stage: Stage, say: Callable[[str], None], first: Path) -> None:
    say("Git would merge this without a word. The plan says what git does not see.")
    stage.lab = first
    stage.type(
        "bespeak coord plan-merge rename caller", shows=("rename_edit", "src/bespeak/labs/store.py::likely", "closest")
    )
    stage.type("bespeak coord reconcile rename caller --onto main", shows=("rename", "caller"))

    say("Merged as git does it, the new caller calls what is gone ...")
    stage.type("git merge -q --no-edit caller")
    stage.type(_TRY, code=1, shows=("NameError",), only="NameError")
    say("... and with the step that the plan named.")
    stage.type("sed -i 's/return nearest(/return closest(/' src/bespeak/labs/store.py")
    stage.type(_TRY, shows=("rack1",))
    stage.type("git commit -qam 'The new caller uses the new name'")
