"""The chapter of the demo about agents: two of them, each in a work tree of one small project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo_stage import say

if TYPE_CHECKING:
    from demo_stage import Stage

BUSY = 7
_LIMITS = """
def within(value, low, high):
    return low <= value <= high
"""
_REPORT = """
from limits import within

def verdict(volts):
    return "pass" if within(volts, 4.75, 5.25) else "fail"

def lines(channels):
    for number, volts in enumerate(channels, 1):
        yield f"channel {number}: {verdict(volts)}"

def text(channels):
    return ", ".join(lines(channels))
"""
_NEW = """
def cold(volts):
    return within(volts, 4.5, 5.25)
"""
_TRY = "python3 -B -c \"import report; print('cold:', report.cold(4.6))\""


def play(stage: Stage) -> None:
    """Play the chapter: a claim, a warning, a forecast that comes true, and the merge that was planned for it."""
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    stage.environment |= {name: "demo@example.org" if name.endswith("EMAIL") else "demo" for name in names}
    top = stage.lab
    first, second = top / "first", top / "second"
    first.mkdir()
    stage.lab = first

    say("Two coding agents work on one small project, each in a work tree and on a branch of its own.")
    stage.write("limits.py", _LIMITS)
    stage.write("report.py", _REPORT)
    stage.type("sh -c 'git init -q -b main && git add . && git commit -qm start'")
    stage.type("git switch -q -c rename")
    stage.type("git worktree add -q ../second -b caller")

    say("The first claims the function that it will rename. The second wants the whole file, and is told.")
    stage.type("bespeak coord reserve limits.py::within --op rename --run-id agent-1", shows=("Reserved 1",))
    stage.lab = second
    refused = "bespeak coord reserve limits.py --op modify --run-id agent-2 --on-conflict fail"
    stage.type(refused, code=BUSY, shows=("run-id 'agent-1'", "Not reserved"))

    say("So it takes other work, in another file. The claims do not overlap; still the forecast sees who will break:")
    stage.type("bespeak coord reserve report.py --op modify --run-id agent-2", shows=("Reserved 1",))
    stage.type("bespeak coord forecast", shows=("report.py::verdict calls limits.py::within",))

    _work(stage)
    stage.lab = first
    _merge(stage)


def _work(stage: Stage) -> None:
    say("Both go on. The second adds a new caller; the first renames the function and the callers that it knows.")
    stage.write("report.py", _NEW)
    stage.type("git commit -qam 'A wider limit for cold starts'")
    stage.type("bespeak coord release --mine --run-id agent-2", shows=("Released 1",))
    stage.lab = stage.lab.parent / "first"
    stage.type(r"sed -i 's/\bwithin\b/in_range/' limits.py report.py")
    stage.type("git commit -qam 'within is called in_range'")
    stage.type("bespeak coord release --mine --run-id agent-1", shows=("Released 1",))


def _merge(stage: Stage) -> None:
    say("Git would merge this without a word. The plan says what git does not see, and what to do.")
    stage.type("bespeak coord plan-merge rename caller", shows=("rename_edit", "report.py::cold", "in_range"))

    say("Merged as git does it, the new caller calls what is gone ...")
    stage.type("git merge -q --no-edit caller")
    stage.type(_TRY, code=1, shows=("NameError",), only="NameError")
    say("... and with the step that the plan named, it works.")
    stage.type("sed -i 's/return within(/return in_range(/' report.py")
    stage.type(_TRY, shows=("cold: True",))
