"""The chapter of the demo about agents: two of them, in two work trees of one repository, want the same function."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo import Stage

HELD = 7
_FILE = "def total(items):\\n    return sum(items)\\n"
_SETUP = (
    "git init -q -b main repo && cd repo"
    f" && printf '{_FILE}' > billing.py && git add billing.py"
    " && git -c user.name=demo -c user.email=demo@example.org commit -qm start"
    " && git worktree add -q ../second -b second"
)


def play(stage: Stage, say: Callable[[str], None]) -> None:
    """Play the chapter: one claims a function, the other is told, before either has changed a line."""
    say("Two coding agents work on one repository, each in a work tree of its own.")
    stage.type(f'sh -c "{_SETUP}"')
    top = stage.lab
    first, second = top / "repo", top / "second"

    say("The first claims the function that it is about to change.")
    stage.lab = first
    stage.type("bespeak coord reserve billing.py::total --op modify --run-id agent-1", shows=("Reserved 1",))

    say("The second, on another branch in another work tree, wants to rename it, and is told.")
    stage.lab = second
    stage.type(
        "bespeak coord reserve billing.py --op rename --run-id agent-2", shows=("run-id 'agent-1'", "1 conflict")
    )
    stage.type("bespeak coord release --mine --run-id agent-2", shows=("Released 1",))

    say("It would rather be refused, and then be told the moment it is free.")
    refused = "bespeak coord reserve billing.py --run-id agent-2 --on-conflict fail"
    stage.type(refused, code=HELD, shows=("Not reserved",))
    watching = stage.start("bespeak coord watch --after 3 --count 1")
    stage.lab = first
    stage.type("bespeak coord release --mine --run-id agent-1", shows=("Released 1",))
    stage.finish(watching, shows=('"change": "released"', "agent-1"))
    stage.lab = second
    stage.type(refused, shows=("Reserved 1",))
    stage.type("bespeak coord list", shows=("agent-2",))
    stage.lab = top
