"""Services speak of fields; each door spells them as its users write them."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

import bespeak
from bespeak.argv.option_names import in_options
from bespeak.base.errors import Field, UsageError
from bespeak.coord import validation
from bespeak.coord.errors import ClaimError, ClaimRefusedError

ROOM = Path(bespeak.__file__).parent
SERVICES = (
    "access",
    "coord",
    "git",
    "jobs",
    "ledger",
    "lifecycle",
    "notices",
    "operations",
    "recurrence",
    "reservations",
    "settings",
    "storage",
)
DOORS = ("jobs/commands/", "jobs/cli.py")
"""Parts of these rooms that read a command line themselves."""
OPTION = re.compile(r"(?<![\w-])--[a-z]")
NO_FIELDS = ("--write-tree", "bespeak --ledger ", "details with --debug")
"""An option of git, in a message about git; a whole command to type on the machine of the book; no field of a request."""


def raised(tree):
    """Yield the texts in what is raised, and where."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            for inner in ast.walk(node.exc):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    yield inner.value, inner.lineno


def test_no_service_raises_an_error_that_names_an_option():
    found = [
        f"{path.relative_to(ROOM)}:{line}: {text}"
        for service in SERVICES
        for path in sorted((ROOM / service).rglob("*.py"))
        for text, line in raised(ast.parse(path.read_text(encoding="utf-8")))
        if not str(path.relative_to(ROOM)).startswith(DOORS)
        if OPTION.search(text) and not any(prose in text for prose in NO_FIELDS)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("error", "service", "command_line"),
    [
        (
            ClaimError(field="run_id", reason="it is empty"),
            "Invalid run_id: it is empty",
            "Invalid --run-id: it is empty",
        ),
        (ClaimError("Too many ", Field("depends_on"), ": 2"), "Too many depends_on: 2", "Too many --depends-on: 2"),
        (UsageError("say it with ", Field("duration")), "say it with duration", "say it with --for"),
        (
            ClaimError("run_id and --run-id are as typed"),
            "run_id and --run-id are as typed",
            "run_id and --run-id are as typed",
        ),
        (
            ClaimRefusedError([], "me", ()),
            "not reserved: 0 conflict(s), and on_conflict fail was given",
            "not reserved: 0 conflict(s), and --on-conflict fail was given",
        ),
    ],
)
def test_each_door_spells_fields_its_own_way(error, service, command_line):
    assert str(error) == service
    assert in_options(error) == command_line


def test_what_was_typed_is_never_spelled_anew():
    with pytest.raises(ClaimError) as caught:
        validation.needs(["run_id --run-id"])
    assert in_options(caught.value).startswith("Invalid --depends-on: 'run_id --run-id' is not")
    assert str(caught.value).startswith("Invalid depends_on: 'run_id --run-id' is not")


def test_a_program_is_told_the_field(run):
    done = run("reserve", "a", "--run-id", "", "--json")
    assert json.loads(done.err) == {"error": "Invalid --run-id: it is empty", "exit_code": 1, "field": "run_id"}
