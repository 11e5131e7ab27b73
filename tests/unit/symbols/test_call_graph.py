"""The graph: who depends on whom, how far, and the same answer whatever was asked before."""

import os
import subprocess
import sys

import pytest

from bespeak_symbols.call_graph import CallGraph, Reached
from bespeak_symbols.model import CALL, IMPORT, INHERIT, USE
from support import corpus


@pytest.fixture
def graph(project):
    with project.index() as index:
        yield CallGraph(index.snapshot("HEAD"))


def named(edges):
    return [(edge.caller, edge.callee, edge.kind, edge.how) for edge in edges]


def test_edges_say_how_a_name_was_resolved_and_where(graph):
    assert named(graph.out_of("app/main.py::run")) == [
        ("app/main.py::run", "app/store.py::Store", CALL, "import"),
        ("app/main.py::run", "app/store.py::Store.save", CALL, "typed"),
        ("app/main.py::run", "app/store.py::check", CALL, "import"),
    ]
    assert [edge.line for edge in graph.out_of("app/main.py::run")] == [5, 6, 7]
    assert all(edge.certain for edge in graph.out_of("app/main.py::run"))
    assert named(graph.into("app/main.py::run")) == [("app/other.py::twice", "app/main.py::run", CALL, "module")]
    assert named(graph.into("app/main.py")) == [("app/other.py", "app/main.py", IMPORT, "import")]
    assert graph.out_of("nowhere.py::x") == graph.into("nowhere.py::x") == graph.edges_of("README.md") == ()


def test_asking_who_calls_resolves_only_files_that_mention_it(graph):
    graph.into("app/other.py::twice")
    assert graph.resolved == {"app/other.py"}
    graph.into("app/store.py::Store.save")
    assert graph.resolved == {"app/other.py", "app/store.py", "app/main.py"}


def test_reaching_callers_gives_distance_confidence_and_the_way(graph):
    reached = graph.reach(["app/store.py::check"], 3)
    assert list(reached) == [
        "app/store.py::check",
        "app/main.py::run",
        "app/store.py::Store.save",
        "app/other.py::twice",
    ]
    assert reached["app/store.py::check"] == Reached(0, 1.0, ())
    assert [reached[name].distance for name in reached] == [0, 1, 1, 2]
    far = reached["app/other.py::twice"]
    assert [edge.caller for edge in far.path] == ["app/main.py::run", "app/other.py::twice"]
    assert far.confidence == pytest.approx(far.path[0].confidence * far.path[1].confidence)
    assert set(graph.reach(["app/store.py::check"], 1)) == set(reached) - {"app/other.py::twice"}
    assert set(graph.reach(["app/store.py::check"], 0)) == {"app/store.py::check"}
    assert "app/main.py" in graph.reach(["app/store.py::check"], 1, kinds=frozenset({IMPORT}))
    down = graph.reach(["app/other.py::twice"], 5, callers=False)
    assert set(down) == {*reached, "app/store.py::Store"}


def test_an_address_holds_its_symbols(graph):
    inside = ("app/store.py", "app/store.py::Store", "app/store.py::Store.save", "app/store.py::check")
    assert graph.symbols_in("app/store.py") == inside
    assert graph.symbols_in("app/store.py::Store") == inside[1:3]
    assert graph.symbols_in("app/store.py::Store::save") == inside[2:3]
    assert set(inside) < set(graph.symbols_in("app/")) == set(graph.symbols_in("./"))
    assert (
        graph.symbols_in("app/store.py::Nothing") == graph.symbols_in("nowhere/") == graph.symbols_in("README.md") == ()
    )


def test_a_class_is_found_by_every_name_it_was_given(project):
    project.write("lib/__init__.py", "from .deep import Thing as Other\n")
    project.write(
        "lib/deep.py", "class Base:\n    def __init__(self):\n        pass\n\n\nclass Thing(Base):\n    pass\n"
    )
    project.write("lib/more.py", "import lib\n\nYetAnother = lib.Other\n")
    project.write("use.py", "from lib.more import YetAnother\n\n\ndef make():\n    return YetAnother()\n")
    project.commit()
    with project.index() as index:
        graph = CallGraph(index.snapshot("HEAD"))
        assert ("use.py::make", "lib/deep.py::Thing", CALL, "alias") in named(graph.into("lib/deep.py::Thing"))
        # Its constructor is that of its base, which the file mentions by no name at all.
        assert ("use.py::make", "lib/deep.py::Base.__init__", CALL, "constructor") in named(
            graph.into("lib/deep.py::Base.__init__")
        )
        assert named(graph.into("lib/deep.py::Base")) == [("lib/deep.py::Thing", "lib/deep.py::Base", INHERIT, "local")]


def test_what_is_unknown_is_never_certain_and_names_that_everything_has_are_no_guess(project):
    project.write("a.py", "class A:\n    def unusual(self):\n        pass\n\n    def get(self):\n        pass\n")
    project.write(
        "b.py", "def f(x, y):\n    x.unusual()\n    x.get()\n    y[0].unusual().other()\n    len(x).unusual()\n"
    )
    project.commit()
    with project.index() as index:
        graph = CallGraph(index.snapshot("HEAD"))
        found = graph.out_of("b.py::f")
        assert {(edge.callee, edge.how, edge.line) for edge in found} == {
            ("a.py::A.unusual", "name", 2),
            ("a.py::A.unusual", "name", 4),
        }
        assert all(edge.confidence <= 0.5 for edge in found)


def test_a_function_that_is_passed_on_is_a_use(project):
    project.write("a.py", "def f():\n    pass\n\n\ndef g(x=f):\n    map(f, [])\n    return {1: f}, x\n")
    project.commit()
    with project.index() as index:
        graph = CallGraph(index.snapshot("HEAD"))
        assert [(edge.caller, edge.kind, edge.line) for edge in graph.into("a.py::f")] == [
            ("a.py", USE, 5),
            ("a.py::g", USE, 6),
            ("a.py::g", USE, 7),
        ]


def test_a_language_that_fails_on_one_file_is_said_and_the_others_are_resolved(project, monkeypatch):
    from bespeak_symbols.native import python

    real = python.resolve

    def fails(path, world):
        if path == "app/main.py":
            raise KeyError(path)
        return real(path, world)

    monkeypatch.setattr(python, "resolve", fails)
    with project.index() as index:
        graph = CallGraph(index.snapshot("HEAD"))
        assert graph.edges_of("app/main.py") == ()
        assert graph.edges_of("app/store.py") != ()
        assert [(part.path, part.why) for part in graph.unread] == [
            ("app/main.py", "its names could not be resolved: KeyError")
        ]


CHILD = """
import random, sys
from bespeak.git import repository
from bespeak_symbols.call_graph import CallGraph
from bespeak.coord.symbol_index import open_index
with open_index(repository.find(sys.argv[1])) as index:
    graph = CallGraph(index.worktree())
    paths = list(graph.snapshot.paths)
    random.Random(int(sys.argv[2])).shuffle(paths)
    for path in paths:
        for symbol in graph.symbols_in(path)[:int(sys.argv[2])]:
            graph.into(symbol)
    print(*(edge for path in graph.snapshot.paths for edge in graph.edges_of(path)), sep="\\n")
"""


@pytest.mark.parametrize("language", corpus.languages())
def test_edges_do_not_depend_on_hash_seeds_nor_on_what_was_asked_before(language, tmp_path):
    for number, program in enumerate(corpus.programs(language)):
        with corpus.graph(language, program, str(tmp_path)):
            pass
        cache = tmp_path / f"{language}-{program}" / ".git" / "bespeak"
        if number > 1:
            break
        told = set()
        for seed in ("0", "1", "77"):
            for kept in cache.iterdir():
                kept.unlink()
            command = [sys.executable, "-c", CHILD, str(cache.parent.parent), seed]
            env = {**os.environ, "PYTHONHASHSEED": seed}
            told.add(subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout)
        assert len(told) == 1
        assert "Edge(" in told.pop()
