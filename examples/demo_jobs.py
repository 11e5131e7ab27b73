"""The chapter of the demo about jobs: a command that starts at its time, with nobody connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo_stage import say, styled

if TYPE_CHECKING:
    from demo_stage import Stage


def play(stage: Stage) -> None:
    """Play the chapter. Of each answer, only the lines that matter here are shown."""
    say("On the edge host, a dispatcher is kept running by the system. Here it runs in the background.")
    dispatcher = stage.start("bespeak job run")
    try:
        stage.show_until(dispatcher, "reserver_started", silent=True)
        say("A job is reserved for three seconds ahead, and whoever reserved it goes away.")
        stage.type(
            "bespeak job reserve --text --run-key nightly --not-before +3s -- echo all 12 channels pass",
            shows=("RESERVED",),
            only=r"run key|status|not before|dispatcher",
        )
        print(styled("  (the connection is closed)", "2"))

        say("Its time comes. Later somebody connects again, and collects the result.")
        stage.type(
            "bespeak job wait --text --run-key nightly --timeout 30s",
            shows=("SUCCEEDED",),
            only=r"^  (status|exit code|started at|finished at)",
        )
        stage.type(
            "bespeak job result --text --run-key nightly --logs", shows=("all 12 channels pass",), only=r"^stdout {2,}"
        )
    finally:
        dispatcher.terminate()
        dispatcher.communicate(timeout=30)
