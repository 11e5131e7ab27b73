"""One service behind two doors: what a tool returns has the keys that the command prints with ``--json``."""

from __future__ import annotations

import json
import shlex

from bespeak.cli.main import main
from support.agents import ask, over_stdio, run

COORD = [
    ("reserve", {"addresses": ["src/a.py::f"], "op": "modify"}, "coord reserve src/a.py::f --op modify"),
    ("reserve", {"addresses": ["src/a.py"], "on_conflict": "fail"}, "coord reserve src/a.py --on-conflict fail"),
    ("check", {"addresses": ["src/a.py"]}, "coord check src/a.py"),
    ("intent", {"addresses": ["src/a.py"], "op": "move"}, "coord intent src/a.py --op move"),
    ("list", {"all": True}, "coord list --all"),
    ("dag", {}, "coord dag"),
    ("forecast", {}, "coord forecast"),
    ("heartbeat", {"reservation_id": "ffffff"}, "coord heartbeat ffffff"),
    ("release", {"reservation_id": "ffffff"}, "coord release ffffff"),
    ("release", {"mine": True}, "coord release --mine"),
    ("symbols", {"addresses": ["src/a.py"], "callers": True}, "coord symbols src/a.py --callers"),
    ("plan_merge", {"ours": "HEAD", "theirs": "HEAD"}, "coord plan-merge HEAD HEAD"),
    ("reconcile", {"branches": ["main"]}, "coord reconcile main"),
]
BOOK = [
    ("book_who", {"resource": "rack1"}, "who rack1"),
    ("book_list", {}, "list"),
    ("book_free", {"resources": ["rack1"]}, "free rack1"),
    ("book_reserve", {"resources": ["x"], "duration": "1h"}, "reserve y --for 1h"),
    ("book_release", {"resources": ["x"]}, "release y"),
    ("gate_check", {"labs": ["demo"]}, "gate -l demo"),
]
ADDED = {"book_reserve": {"status", "conflicts", "next_free", "next_free_us"}, "gate_check": {"free"}}


def keys(found):
    """Return the names in a document, and those in the first of each list; tags and counts are data."""
    if isinstance(found, dict):
        return {name: keys(value) for name, value in found.items() if name != "tags"}
    return [keys(found[0])] if isinstance(found, list) and found else None


def test_a_tool_answers_as_the_command_does(project, capfd):
    main(["coord", "reserve", "src/a.py::g", "src/a.py::f", "--run-id", "other"])
    main(["reserve", "rack1", "--for", "1h"])

    def printed(line):
        capfd.readouterr()
        main([*shlex.split(line), "--json"])
        out, err = capfd.readouterr()
        return json.loads(out or err.splitlines()[-1])

    async def scenario():
        async with over_stdio() as client:
            for tool, arguments, line in (*COORD, *BOOK):
                answered = await ask(client, tool, **arguments)
                command = printed(line)
                own = {name: value for name, value in answered.items() if name not in ADDED.get(tool, ())}
                assert keys(own) == keys(command), (tool, line)
                assert ADDED.get(tool, set()) <= set(answered)
                assert answered.get("exit_code") == command.get("exit_code"), line

    run(scenario)
