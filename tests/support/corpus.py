"""Small programs with the calls between their own symbols written by hand, and how well the graph finds these.

A program is a folder of ``tests/corpus/<language>`` with its sources and ``edges.txt``: lines ``caller -> callee``,
each an address (the path alone is the top level of a file), and ``#`` for comments.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass

from bespeak.coord.symbol_index import open_index
from bespeak.git import repository
from bespeak_symbols.call_graph import CallGraph
from bespeak_symbols.model import CALL, CERTAIN
from bespeak_symbols.native import registry
from support.repositories import git

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "corpus")
EDGES = "edges.txt"


@dataclass(frozen=True)
class Score:
    """How well the graph finds the calls of some programs.

    ``true`` and ``certain`` are sets of (program, caller, callee), ``levels`` has the confidence of each that was found.
    """

    true: frozenset
    levels: dict
    certain: frozenset

    @property
    def found(self) -> frozenset:
        return frozenset(self.levels)

    @property
    def precision(self) -> float:
        """The share of the calls called certain that are calls; 1 if none is called certain."""
        return len(self.certain & self.true) / len(self.certain) if self.certain else 1.0

    @property
    def recall(self) -> float:
        """The share of the calls that the graph has, however sure it is."""
        return len(self.found & self.true) / len(self.true) if self.true else 1.0

    @property
    def certain_recall(self) -> float:
        """The share of the calls that the graph has and calls certain."""
        return len(self.certain & self.true) / len(self.true) if self.true else 1.0

    def told(self) -> str:
        """What is wrong, a line each."""
        wrong = [f"wrong:  {' -> '.join(edge[1:])}  ({edge[0]})" for edge in sorted(self.certain - self.true)]
        missed = [f"missed: {' -> '.join(edge[1:])}  ({edge[0]})" for edge in sorted(self.true - self.found)]
        return "\n".join([*wrong, *missed])


def languages() -> list[str]:
    """Return the languages that there are programs in."""
    return sorted(name for name in os.listdir(FOLDER) if programs(name))


def programs(language: str) -> list[str]:
    """Return the programs of a language."""
    folder = os.path.join(FOLDER, language)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [name for name in names if os.path.isfile(os.path.join(folder, name, EDGES))]


def sources(language: str) -> dict[str, bytes]:
    """Return all sources of a language's programs, by path from its folder."""
    found = {}
    for program in programs(language):
        for folder, _, files in os.walk(os.path.join(FOLDER, language, program)):
            for name in files:
                full = os.path.join(folder, name)
                if registry.language_of(full) is not None:
                    with open(full, "rb") as file:
                        found[os.path.relpath(full, FOLDER)] = file.read()
    return found


def stated_recall(language: str) -> float:
    """Return the share of the calls that the language's README promises to find."""
    with open(os.path.join(FOLDER, language, "README.md"), encoding="utf-8") as file:
        found = re.search(r"^recall: (0\.\d+|1\.0+)$", file.read(), re.MULTILINE)
    if found is None:
        raise AssertionError(f"tests/corpus/{language}/README.md states no recall")
    return float(found[1])


def calls_by_hand(language: str, program: str) -> set[tuple[str, str]]:
    """Return the calls of a program as they were written down."""
    found = set()
    with open(os.path.join(FOLDER, language, program, EDGES), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            text = re.split(r"(?:^|\s)#(?:\s|$)", line)[0].strip()
            if not text:
                continue
            caller, arrow, callee = text.partition(" -> ")
            if not arrow:
                raise AssertionError(f"{language}/{program}/{EDGES}:{number}: no arrow in {line!r}")
            found.add((caller.strip(), callee.strip()))
    return found


@contextmanager
def graph(language: str, program: str, folder: str):
    """Give the graph of a program, in a repository of its own below ``folder``."""
    root = os.path.join(folder, f"{language}-{program}")
    shutil.copytree(os.path.join(FOLDER, language, program), root)
    git(root, "init", "-q", "-b", "main")
    with open_index(repository.find(root)) as index:
        yield CallGraph(index.worktree())


def score(language: str, folder: str) -> Score:
    """Return how well the graph finds the calls of all programs of a language."""
    true: set = set()
    found: dict = {}
    for program in programs(language):
        true.update((program, *edge) for edge in calls_by_hand(language, program))
        with graph(language, program, folder) as calls:
            for path in calls.snapshot.paths:
                for edge in calls.edges_of(path):
                    if edge.kind == CALL:
                        key = program, edge.caller, edge.callee
                        found[key] = max(found.get(key, 0.0), edge.confidence)
    certain = {key for key, confidence in found.items() if confidence >= CERTAIN}
    return Score(frozenset(true), found, frozenset(certain))


def unknown_addresses(language: str, program: str, folder: str) -> list[str]:
    """Return addresses written down by hand that name no symbol of the program."""
    with graph(language, program, folder) as calls:
        known = {symbol for path in calls.snapshot.paths for symbol in calls.symbols_in(path)}
    named = {address for edge in calls_by_hand(language, program) for address in edge}
    return sorted(named - known)
