"""No module imports, by whatever way round, a module that imports it; imports in functions and for types count too."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "src"


def _modules() -> dict[str, Path]:
    found = {}
    for path in SOURCES.rglob("*.py"):
        parts = path.relative_to(SOURCES).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _imported(path: Path, known: dict[str, Path]) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.add(inner if inner in known else node.module)
    return names & known.keys()


def _circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return one circle of each knot: found, cut at one import, and looked for again."""
    found = []
    while True:
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            circle = error.args[1]
            found.append(circle)
            graph[circle[1]].discard(circle[0])
        else:
            return found


def test_there_are_none():
    known = _modules()
    graph = {name: _imported(path, known) - {name} for name, path in known.items()}
    assert len(graph) > 300
    assert _circles(graph) == []


def test_one_is_found():
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) != []
