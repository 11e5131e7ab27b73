"""Whoever copies a book knows every component of it."""

import ast
from pathlib import Path

import bespeak
from bespeak.operations.components import components_of, known

SOURCES = Path(bespeak.__file__).resolve().parent
OF_ENGINES = {
    "bespeak.storage.steady_clock:STEADY_CLOCK",
    "bespeak.storage.postgres.commit_status:COMMITS",
    "bespeak.runner.store:COMPONENT",
}
"""The clock and the markers are not copied; the runner's store is a file of its own."""


def test_every_component_is_known_to_who_copies_a_book():
    declared = set()
    for path in SOURCES.rglob("*.py"):
        module = ".".join(("bespeak", *path.relative_to(SOURCES).with_suffix("").parts))
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            made = node.value if isinstance(node, ast.Assign) else None
            if isinstance(made, ast.Call) and getattr(made.func, "id", "") == "Component":
                declared.add(f"{module}:{node.targets[0].id}")
    assert declared - known() - OF_ENGINES == set(), "name it in src/bespeak/operations/components.py"


def test_components_are_found_by_name():
    assert [one.name for one in components_of(["coord", "clock", "commits"], "a book")] == ["coord", "ledger"]
