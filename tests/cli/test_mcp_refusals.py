"""Hostile and mistaken input: one clear line each, and nothing done."""

from __future__ import annotations

import os

from support.agents import (
    ask,
    fail,
    over_stdio,
    run,
)
from support.repositories import git

HOSTILE = [
    ("reserve", {"addresses": ["a"] * 1001}, "ERROR: Too many addresses: 1001 (max 1000)."),
    ("reserve", {"addresses": []}, "USAGE: addresses: name at least one"),
    ("reserve", {}, "USAGE: addresses has to be given"),
    ("reserve", {"addresses": [1]}, "USAGE: addresses.0: 1 is not a text"),
    ("reserve", {"addresses": {"a": 1}}, "USAGE: addresses: {'a': 1} is not a list"),
    ("reserve", {"adresses": ["a"]}, "USAGE: reserve has no argument 'adresses'; did you mean addresses?"),
    ("reserve", {"addresses": ["a"], "ttl": True}, "USAGE: ttl: True is not a whole number"),
    ("reserve", {"addresses": ["a"], "ttl": "soon"}, "USAGE: ttl: 'soon' is not a whole number"),
    ("reserve", {"addresses": ["a"], "ttl": 0}, "ERROR: Invalid ttl: ttl must be between 1 and 31536000, got 0"),
    ("reserve", {"addresses": ["a"], "ttl": 10**30}, "Invalid ttl"),
    ("reserve", {"addresses": ["a"], "on_conflict": "maybe"}, "on_conflict: 'maybe' is not 'warn' or 'fail'"),
    ("reserve", {"addresses": ["a\0"]}, "ERROR: Invalid address 'a\\x00': has a NUL character in it"),
    ("reserve", {"addresses": ["../../etc/passwd"]}, "is outside the repository"),
    ("reserve", {"addresses": ["a"], "run_id": "x" * 257}, "ERROR: run_id is too long (257 chars; max 256)."),
    ("reserve", {"addresses": ["a"], "depends_on": ["\x1b[31m"]}, "Invalid depends_on: '\\x1b[31m' is not a"),
    ("release", {}, "USAGE: give a reservation_id, or mine"),
    ("depend", {"reservation_id": "sha256:" + "0" * 64, "on": ["sha256:" + "1" * 64]}, "There is no reservation"),
    ("book_reserve", {"resources": ["a\x07"]}, "USAGE: resource 'a\\x07': has a character that does not print"),
    ("book_reserve", {"resources": ["a"], "duration": "\x1b[2J"}, "USAGE: duration: "),
    ("book_reserve", {"resources": ["a"], "duration": "1h", "until": "+2h"}, "say the same thing"),
    ("book_wait", {"resources": ["a"], "priority": 10**9}, "USAGE: priority 1000000000"),
    ("book_wait", {"resources": ["a"], "timeout": "never"}, "USAGE: timeout: "),
    ("book_release", {"mine": True, "resources": ["a"]}, "only one of them"),
    ("book_extend", {"reservation_id": "ffffffff", "duration": "1h"}, "NOT_FOUND: no reservation has an id"),
    ("book_list", {"states": ["dead"]}, "states.0: 'dead' is not"),
    ("plan_merge", {"ours": "--output=x", "theirs": "HEAD"}, "ERROR: "),
    ("plan_merge", {"ours": "HEAD", "theirs": "no\0such"}, "ERROR: "),
    ("reconcile", {"branches": ["-x"]}, "ERROR: "),
    ("reconcile", {"onto": "no\nsuch", "branches": ["main"]}, "ERROR: "),
    ("forecast", {"depth": 99}, "ERROR: "),
    ("forecast", {"min_confidence": "much"}, "USAGE: min_confidence: 'much' is not a number"),
    ("forecast", {"rev": "--all"}, "ERROR: "),
    ("symbols", {"addresses": ["src/"], "rev": "HEAD", "worktree": True}, "USAGE: worktree and rev exclude each other"),
    ("symbols", {"addresses": ["src/"], "depth": 0}, "ERROR: Invalid depth: 0"),
    ("symbols", {"addresses": ["nowhere.py"]}, "NOT_FOUND: "),
    ("wait", {"addresses": ["a\0"]}, "ERROR: Invalid address"),
    ("wait", {"addresses": ["a"], "timeout": "x"}, "USAGE: timeout: "),
    ("gate_check", {"labs": ["nowhere"]}, "NO_CONTEXT: "),
    ("gate_check", {"labs": [""]}, "USAGE: labs has to be given"),
    ("no\nsuch", {}, "USAGE: no tool is called 'no\\nsuch'; known: reserve, "),
]


def test_whatever_is_wrong_is_one_line_and_harms_nothing(project):
    async def scenario():
        async with over_stdio() as client:
            for tool, arguments, said in HOSTILE:
                text = await fail(client, tool, **arguments)
                assert said in text, (tool, text)
                assert text.isprintable(), text
            assert (await ask(client, "list", all=True))["count"] == 0
            strange = await ask(client, "reserve", addresses=["a"], run_id="\x1b[31mred\n")
            assert strange["run_id"] == "\x1b[31mred\n"

    run(scenario)


def test_what_can_only_mean_one_thing_is_taken_so(project):
    async def scenario():
        async with over_stdio() as client:
            made = await ask(client, "reserve", addresses='["src/a.py", "src/b.py"]', ttl="60", op=None, key=None)
            assert made["addresses"] == ["src/a.py", "src/b.py"]
            assert (await ask(client, "check", addresses="src/a.py"))["addresses"] == ["src/a.py"]

    run(scenario)


def test_a_book_that_cannot_be_reached_is_said_without_its_password(project):
    async def scenario():
        book = "postgresql://me:hush@127.0.0.1:9/x?connect_timeout=2"
        async with over_stdio("--ledger", book) as client:
            for tool, arguments in (("book_list", {}), ("list", {}), ("gate_check", {"labs": ["demo"]})):
                said = await fail(client, tool, **arguments)
                assert said.startswith("UNAVAILABLE: "), said
                assert "hush" not in said

    run(scenario)


def test_a_refusal_names_the_code_that_the_command_exits_with(project):
    async def scenario():
        async with over_stdio("--as-user", "alice") as alice, over_stdio("--as-user", "bob") as bob:
            held = await ask(alice, "book_reserve", resources=["rack1"], duration="1h")
            assert (held["holder"], held["acting"] is not None) == ("alice", True)
            assert (await fail(bob, "book_release", reservation_ids=[held["id"]])).startswith("BUSY: ")
            assert (await ask(bob, "gate_check", labs=["demo"]))["missing"][0]["holders"][0]["username"] == "alice"
            await ask(alice, "book_release", reservation_ids=[held["id"]])
            assert (await fail(alice, "book_extend", reservation_id=held["id"], duration="1h")).startswith(
                "WRONG_STATE: "
            )

    run(scenario)


def test_read_only_offers_what_changes_nothing(project):
    async def scenario():
        async with over_stdio("--read-only") as client:
            tools = (await client.list_tools()).tools
            assert all(tool.annotations.read_only_hint for tool in tools)
            assert {"check", "list", "dag", "book_who", "gate_check"} <= {tool.name for tool in tools}
            assert "no tool is called" in await fail(client, "reserve", addresses=["a"])

    run(scenario)


def test_names_that_are_no_text_do_not_end_the_connection(project):
    named = os.fsencode(project) + b"/caf\xe9.py"

    def commit(branch, number):
        git(project, "checkout", "-q", *(["-b", branch] if branch != "main" else [branch]))
        with open(named, "w") as file:
            file.write(f"def f():\n    return {number}\n")
        git(project, "add", "-A")
        git(project, "commit", "-q", "-m", branch)

    git(project, "checkout", "-q", "-B", "main")
    for number, branch in enumerate(("one", "main", "two")):
        commit(branch, number)

    async def scenario():
        async with over_stdio() as client:
            plan = await ask(client, "plan_merge", ours="one", theirs="two")
            assert [item["address"] for item in plan["items"]] == ["caf\ufffd.py::f"]
            order = await ask(client, "reconcile", branches=["one", "two"], onto="main")
            assert {branch["branch"] for branch in order["branches"]} == {"one", "two"}

    run(scenario)
