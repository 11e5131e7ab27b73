"""The description of the API is frozen: what clients were told stays true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx

from bespeak.cli.index import PROGRAM
from support.openapipage import PLACE, page
from support.server import SECONDS

_REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def test_the_description_is_the_committed_one():
    message = "src/bespeak/server/openapi.json is out of date: python tests/support/openapipage.py; additions only"
    assert PLACE.read_text(encoding="utf-8") == page(), message


def test_it_is_served_and_says_what_the_server_does(server):
    found = httpx.get(f"{server.url}/openapi.json", timeout=SECONDS).json()
    assert found == json.loads(page())
    assert found["openapi"].startswith("3.1")
    assert found["components"]["securitySchemes"]


def test_every_operation_says_how_it_fails_and_has_a_name_of_its_own():
    names = []
    for path, methods in json.loads(page())["paths"].items():
        assert path.startswith("/api/v1/")
        for operation in methods.values():
            names.append(operation["operationId"])
            assert operation["summary"]
            assert "application/problem+json" in operation["responses"]["4XX"]["content"]
    assert len(names) == len(set(names))


def test_every_command_of_the_book_has_a_path_or_a_reason_why_not():
    text = (_REFERENCE / "api.md").read_text(encoding="utf-8").partition("## Commands and paths")[2]
    with_paths, without = (part.partition("\n## ")[0] for part in text.split("These commands have no path", 1))
    commands, named = [], set()
    for row in re.findall(r"^\| (`.*?) \| (.*) \|$", with_paths, re.MULTILINE):
        commands += re.findall("`([^`]+)`", row[0])
        paths = re.findall("`([A-Z]+) (/[^`]*)`", row[1])
        assert paths, row
        named |= {(method.lower(), f"/api/v1{path}") for method, path in paths}
    commands += [
        one
        for row in re.findall(r"^\| (`.*?) \| .* \|$", without, re.MULTILINE)
        for one in re.findall("`([^`]+)`", row)
    ]
    described = {(method, path) for path, methods in json.loads(page())["paths"].items() for method in methods}
    assert named <= described
    spelled = set(_spelled(PROGRAM.entries))
    groups = tuple(one.removesuffix("...") for one in commands if one.endswith("..."))
    assert {one for one in spelled if not one.startswith(groups)} == {
        one for one in commands if not one.endswith("...")
    }
    assert len(commands) == len(set(commands))


def _spelled(entries, before=""):
    """Return the full names of the commands of a program."""
    for entry in entries:
        name = f"{before}{entry.name}"
        if entry.entries:
            yield from _spelled(entry.entries, f"{name} ")
        else:
            yield name
