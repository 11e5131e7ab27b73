"""The chapter of the demo about the book: a reservation that tools obey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo_stage import say, styled

if TYPE_CHECKING:
    from demo_stage import Stage

BUSY, REFUSED = 7, 8
_TEST = "python3 -m unittest -q test_loopback"


def play(stage: Stage) -> None:
    """Play the chapter."""
    _reserve(stage)
    _gate(stage)
    _wait(stage)
    _look(stage)


def _reserve(stage: Stage) -> None:
    say("alice reserves the rack and the analyser for two hours.")
    stage.type(
        "bespeak --as-user alice reserve rack1 analyser --for 2h --purpose 'thermal run'", shows=("rack1", "analyser")
    )
    say("bob wants the rack too. He is told who has it, until when, what for, and when it is free.")
    stage.type("bespeak --as-user bob reserve rack1 --for 1h", code=BUSY, shows=("alice", "thermal run"))


def _gate(stage: Stage) -> None:
    say("A tool behind the gate obeys the book: bob is refused, alice's test runs.")
    stage.type(f"bespeak --as-user bob gate -l bench -- {_TEST}", code=REFUSED, shows=("held by alice",))
    stage.type(f"bespeak --as-user alice gate -l bench -- {_TEST}", shows=("OK",), only="Ran|OK")


def _wait(stage: Stage) -> None:
    say("bob waits in the queue. As soon as alice gives the rack back, it is his.")
    waiting = stage.start("bespeak --as-user bob reserve rack1 --for 1h --wait 1m")
    stage.show_until(waiting, "promised")
    stage.type("bespeak --as-user alice release rack1 analyser")
    print(styled("... and in bob's terminal:", "2"))
    stage.finish(waiting)
    stage.type("bespeak who rack1", shows=("bob",))


def _look(stage: Stage) -> None:
    say("Tomorrow morning is booked ahead; and a command can hold a resource exactly as long as it runs.")
    stage.type("bespeak --as-user carol reserve rack1 analyser --at 'tomorrow 9:00' --for 90m", shows=("carol",))
    command = "sh -c 'echo holding $BESPEAK_RESOURCES'"
    stage.type(f"bespeak --as-user alice run analyser -- {command}", shows=("holding analyser",))

    say("What is free, who has what, and how it came to be so.")
    stage.type("bespeak free")
    stage.type("bespeak list", shows=("bob", "carol"))
    stage.type("bespeak log --limit 4", shows=("alice", "carol"))
