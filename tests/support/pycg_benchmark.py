"""PyCG's micro-benchmark: small programs with the calls in them, from the source release of its package.

Its nodes are dotted names: the module, or a function in it. Calls of what no file of the program defines (built-in, or
of another package) are left out, and so are calls of a class itself: PyCG has an edge to ``__init__`` where there is one.
"""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

from bespeak.coord.symbol_index import open_index
from bespeak.git import repository
from bespeak_symbols.call_graph import CallGraph
from bespeak_symbols.model import CALL, CERTAIN
from support.corpus import Score
from support.peervenv import UnobtainableError
from support.repositories import git

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASE = "pycg==0.0.8"
_TRUTH = "callgraph.json"


def programs(folder: str, into: str) -> list[str]:
    """Return the folders of the programs.

    Args:
        folder: where the release is kept, got from the package index if it is not there yet.
        into: where it is unpacked.

    Raises:
        UnobtainableError: the package index does not give the release.
    """
    words = [
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "-q",
        "download",
        "--no-deps",
        "--no-binary",
        ":all:",
    ]
    if not glob.glob(os.path.join(folder, "*.tar.gz")):
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(
            [sys.executable, *words, "-d", folder, RELEASE], check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise UnobtainableError(f"{RELEASE} cannot be got: {done.stderr.strip().splitlines()[-1:]}")
    (release,) = glob.glob(os.path.join(folder, "*.tar.gz"))
    with tarfile.open(release) as packed:
        packed.extractall(into, filter="data")
    return sorted(
        os.path.dirname(path)
        for path in glob.glob(os.path.join(into, f"*/micro-benchmark/**/{_TRUTH}"), recursive=True)
    )


def score(folders: list[str]) -> Score:
    """Return how well the graph finds the calls of the programs."""
    true: set[tuple[str, str, str]] = set()
    found: dict[tuple[str, str, str], float] = {}
    for folder in folders:
        name = "/".join(folder.split(os.sep)[-2:])
        git(folder, "init", "-q")
        with open_index(repository.find(folder)) as index:
            graph = CallGraph(index.worktree())
            modules = {_module(path) for path in graph.snapshot.paths}
            true.update((name, *edge) for edge in _by_hand(folder, modules))
            for caller, callee, confidence in _calls(graph):
                key = name, caller, callee
                found[key] = max(found.get(key, 0.0), confidence)
    certain = {key for key, confidence in found.items() if confidence >= CERTAIN}
    return Score(frozenset(true), found, frozenset(certain))


def _module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def _by_hand(folder: str, modules: set[str]) -> Iterator[tuple[str, str]]:
    with open(os.path.join(folder, _TRUTH), encoding="utf-8") as file:
        truth = json.load(file)
    for caller, callees in truth.items():
        for callee in callees:
            if any(callee == module or callee.startswith(f"{module}.") for module in modules):
                yield caller, callee


def _calls(graph: CallGraph) -> Iterator[tuple[str, str, float]]:
    for path in graph.snapshot.paths:
        for edge in graph.edges_of(path):
            if edge.kind == CALL and not _is_class(graph, edge.callee):
                yield _node(edge.caller), _node(edge.callee), edge.confidence


def _is_class(graph: CallGraph, address: str) -> bool:
    path, _, name = address.partition("::")
    facts = graph.snapshot.facts(path)
    return facts is not None and any(one.name == name and one.kind == "class" for one in facts.symbols)


def _node(address: str) -> str:
    path, _, name = address.partition("::")
    return f"{_module(path)}.{name}" if name else _module(path)
