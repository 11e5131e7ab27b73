"""The chapter of the demo about the server: two people and a pipeline share a book, each from its own machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from demo_stage import say, styled

if TYPE_CHECKING:
    from demo_stage import Stage


def play(stage: Stage) -> None:
    """Play the chapter. Everybody is on this machine; with TLS it would be the same on others."""
    say("One process serves the book: commands, pages for browsers, an API for pipelines, tools for agents.")
    server = stage.start("bespeak serve --port 0")
    try:
        address = stage.show_until(server, "serving").split()[1]
        say("Each gets a token, which is shown once. Nobody gets an account here, or the password of a database.")
        tokens = {user: token(stage, user) for user in ("alice", "bob", "ci:nightly")}
        stage.environment["BESPEAK_LEDGER"] = address

        say(f"On their machines BESPEAK_LEDGER is {address}, and BESPEAK_TOKEN says who they are.")
        on_machine_of(stage, "alice", tokens)
        stage.type("bespeak reserve rack3 --for 2h --purpose 'thermal run'", shows=("reserved",))
        on_machine_of(stage, "bob", tokens)
        stage.type("bespeak reserve rack3 --for 1h", code=7, shows=("alice", "thermal run"))
        on_machine_of(stage, "ci:nightly", tokens)
        stage.type("bespeak run rack4 -- echo flashed and tested", shows=("flashed and tested",))
        stage.type("bespeak list", shows=("alice",))

        say("The same on a page, which changes in the moment of each booking (here to be seen while the server runs):")
        print(f"  {styled(f'{address}/now', '36')}", flush=True)
    finally:
        server.terminate()
        server.communicate(timeout=30)


def token(stage: Stage, user: str) -> str:
    """Make a token for somebody."""
    return str(json.loads(stage.ask(f"bespeak token create --user {user} --json"))["token"])


def on_machine_of(stage: Stage, user: str, tokens: dict[str, str]) -> None:
    """From here on, commands are typed where ``user`` works."""
    stage.environment["BESPEAK_TOKEN"] = tokens[user]
    print(styled(f"  -- {user} --", "2"), flush=True)
