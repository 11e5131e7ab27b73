"""What really calls what inside a package, as Python itself reports it, and how much of that the graph knows.

Run as a program it traces one scenario: ``python traced.py SCENARIO FOLDER`` prints as JSON which symbol of the package
in ``FOLDER`` called which, and from which line. A frame of a comprehension or a lambda counts as the function around it.
"""

from __future__ import annotations

import inspect
import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass

SCENARIOS = ("packaging", "click", "jinja2", "bespeak")
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Tracer:
    """Collects calls between the functions of the package in ``folder``."""

    def __init__(self, folder):
        self.folder = os.path.realpath(folder) + os.sep
        self.calls = set()
        self._symbols = {}

    def __call__(self, frame, event, _):
        if event != "call" or frame.f_back is None:
            return
        code = frame.f_code
        callee = self.symbol(code)
        if callee is None or code.co_name[0] == "<" or not code.co_flags & inspect.CO_OPTIMIZED:
            return  # of another package, a comprehension or lambda, or the body of a module or class being defined
        generator = code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR)
        if generator and frame.f_lasti > 8:
            return  # it goes on: whoever takes the next value has not called it
        caller = self.symbol(frame.f_back.f_code)
        if caller is not None:
            self.calls.add((caller, callee, frame.f_back.f_lineno))

    def symbol(self, code):
        if code not in self._symbols:
            name = code.co_filename
            inside = name.startswith(self.folder)
            self._symbols[code] = address(name[len(self.folder) :], code.co_qualname) if inside else None
        return self._symbols[code]


def address(path, qualified):
    """Return the address of a code object."""
    parts = [part for part in qualified.split(".") if part != "<locals>"]
    while parts and parts[-1].startswith("<"):
        parts.pop()
    plain = [part for part in parts if not part.startswith("<")]
    return f"{path}::{'.'.join(plain)}" if plain else path


def trace(scenario, folder):
    """Return the calls that a scenario makes inside the package in ``folder``."""
    tracer = Tracer(folder)
    threading.setprofile(tracer)
    sys.setprofile(tracer)
    try:
        globals()["run_" + scenario]()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return sorted(tracer.calls)


def run_packaging():
    from packaging.markers import Marker
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.tags import sys_tags
    from packaging.utils import canonicalize_name, canonicalize_version, parse_sdist_filename, parse_wheel_filename
    from packaging.version import InvalidVersion, Version

    versions = [Version(text) for text in ("1.0", "1!2.0.dev1", "1.2rc1.post2+local.7", "2.0a3", "0.0.1")]
    sorted(versions)
    for version in versions:
        str(version), hash(version), version.public, version.is_prerelease, version.base_version, version.local
        for text in (">=1.0,<2", "~=1.0", "==1.2.*", "!=2.0a3", "===1.0"):
            assert (version in SpecifierSet(text)) in (True, False)
            list(SpecifierSet(text).filter(["1.0", "1.5", "2.0a3"]))
    str(SpecifierSet(">=1") & SpecifierSet("<2")), SpecifierSet(">=1") == SpecifierSet(">=1")
    requirement = Requirement(
        "name[extra,other]>=1.0,<2; python_version >= '3.8' and (os_name == 'posix' or extra == 'x')"
    )
    str(requirement), hash(requirement), requirement.marker.evaluate({"extra": "x"})
    Requirement("name @ https://example.org/x.zip ; sys_platform == 'linux'")
    Marker("implementation_name in 'cpython pypy'").evaluate()
    canonicalize_name("A.b_C"), canonicalize_version("1.0.0")
    parse_wheel_filename("name-1.0-py3-none-any.whl"), parse_sdist_filename("name-1.0.tar.gz")
    list(sys_tags())
    for wrong, kind in (("x", Version), ("a b", Requirement), ("os_name ==", Marker), ("=1", SpecifierSet)):
        try:
            kind(wrong)
        except (ValueError, InvalidVersion):
            continue


def run_click():
    import click
    from click.testing import CliRunner

    @click.group(chain=False, context_settings={"auto_envvar_prefix": "X"})
    @click.option("--verbose/--quiet", default=False, help="say more")
    @click.version_option("1.0")
    @click.pass_context
    def cli(context, verbose):
        context.obj = verbose

    @cli.command(short_help="copies")
    @click.argument("source", type=click.Path())
    @click.argument("many", nargs=-1, type=click.IntRange(0, 9))
    @click.option("--mode", type=click.Choice(["a", "b"]), default="a", show_default=True)
    @click.option("--when", type=click.DateTime(), multiple=True)
    @click.option("--number", "-n", type=float, prompt="Number", hide_input=False)
    @click.pass_obj
    def copy(verbose, source, many, mode, when, number):
        click.secho(f"{verbose} {source} {many} {mode}", fg="red")
        with click.progressbar([1, 2, 3], label="work") as items:
            list(items)
        click.echo_via_pager("text")
        if not click.confirm("go on"):
            raise click.UsageError("no")
        click.echo(click.style(str(number), bold=True), err=True)

    @cli.command()
    @click.option("--file", type=click.File("w"), default="-")
    def write(file):
        file.write("x")

    runner = CliRunner()
    with runner.isolated_filesystem():
        for words in (
            ["--help"],
            ["copy", "--help"],
            ["copy", "x", "1", "2", "--mode", "b", "--when", "2020-01-01"],
            ["copy", "x", "77"],
            ["copy", "--mode", "c", "x"],
            ["write"],
            ["--version"],
            ["wrong"],
            ["copy", "--nmber", "1"],
        ):
            runner.invoke(cli, words, input="5\ny\n")


def run_jinja2():
    from jinja2 import DictLoader, Environment, TemplateSyntaxError, select_autoescape

    sources = {
        "base.html": "<b>{% block body %}{% endblock %}</b>{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}",
        "page.html": "{% extends 'base.html' %}{% import 'base.html' as base %}{% block body %}"
        "{% for item in items if item is not none %}{{ loop.index }}{{ item|upper|default('x') }}{{ base.m(item) }}"
        "{% else %}none{% endfor %}{% set x = items|length + 1 %}{% if x > 2 and x is even %}{{ x ~ 'y' }}{% endif %}"
        "{{ items|join(', ')|safe }}{% filter lower %}ABC{% endfilter %}{{ super() }}{% endblock %}",
        "part.html": "{% include 'leaf.html' %}{% with a = 1 %}{{ a }}{% endwith %}{% call(x) f() %}{{ x }}{% endcall %}",
        "leaf.html": "{# note #}{{ value.attr }}{{ value['key'] }}{% raw %}{{ x }}{% endraw %}",
    }
    environment = Environment(loader=DictLoader(sources), autoescape=select_autoescape(), trim_blocks=True)
    environment.get_template("page.html").render(items=["a", "b<", None])
    environment.get_template("part.html").render(value={"key": 1}, f=lambda caller: caller(3))
    environment.from_string("{{ [1, 2, 3]|map('string')|list }}{{ {'a': 1}|dictsort }}").render()
    environment.list_templates()
    for wrong in ("{% for %}", "{{ x", "{% endif %}"):
        try:
            environment.from_string(wrong)
        except TemplateSyntaxError as error:
            str(error)


def run_bespeak():
    import pytest

    unit = os.path.join(TESTS, "unit")
    kept = (
        "coord/test_addresses.py",
        "coord/test_repository.py",
        "labs",
        "ledger",
        "settings",
        "base/test_frozen.py",
        "base/test_timeparse.py",
        "base/test_durations.py",
    )
    pytest.main([*(os.path.join(unit, name) for name in kept), "-q", "-pno:cacheprovider", "-pno:xdist"])


@dataclass(frozen=True)
class Result:
    """How much of what was observed the graph has.

    ``observed`` and ``found`` are pairs of addresses; ``judged`` has the calls at lines from which a function of that
    name was seen to be called, and whether it was that one.
    """

    observed: frozenset
    found: frozenset
    judged: frozenset

    @property
    def right(self):
        return {edge for edge, true in self.judged if true and edge.certain}

    @property
    def wrong(self):
        return {edge for edge, true in self.judged if not true and edge.certain}

    @property
    def share(self):
        return len(self.found) / len(self.observed)

    @property
    def precision(self):
        judged = len(self.right) + len(self.wrong)
        return len(self.right) / judged if judged else 1.0

    def told(self):
        missed = [f"missed: {' -> '.join(pair)}" for pair in sorted(self.observed - self.found)]
        return "\n".join([*(f"wrong:  {edge}" for edge in sorted(self.wrong, key=str)), *missed])


def compare(scenario, package_folder, folder):
    """Trace a scenario in a process of its own and compare it with the graph of the package.

    Args:
        scenario: one of ``SCENARIOS``.
        package_folder: where the package is installed.
        folder: a new folder for a copy of it, in a repository of its own.
    """
    from bespeak.coord.symbol_index import open_index
    from bespeak.git import repository
    from bespeak_symbols.call_graph import CallGraph
    from bespeak_symbols.model import CALL
    from support.repositories import git

    above = os.path.dirname(os.path.realpath(package_folder))
    done = subprocess.run(
        [sys.executable, os.path.abspath(__file__), scenario, above],
        capture_output=True,
        text=True,
        check=True,
        cwd=os.path.dirname(TESTS),
    )
    name = os.path.basename(package_folder)
    calls = [each for each in json.loads(done.stdout.splitlines()[-1]) if each[0].startswith(name + "/")]
    os.makedirs(folder)
    shutil.copytree(package_folder, os.path.join(folder, name), ignore=shutil.ignore_patterns("__pycache__"))
    git(folder, "init", "-q", "-b", "main")
    with open_index(repository.find(folder)) as index:
        graph = CallGraph(index.worktree())
        edges = [edge for path in graph.snapshot.paths for edge in graph.edges_of(path) if edge.kind == CALL]
    return judged([(one, other, line) for one, other, line in calls if other.startswith(name + "/")], edges)


def judged(calls, edges):
    """Return how observed calls and edges of the graph fit."""
    observed = frozenset((one, other) for one, other, _ in calls)
    known = {(edge.caller, edge.callee) for edge in edges}
    seen = {}
    for caller, callee, line in calls:
        seen.setdefault((caller, line, last(callee)), set()).add(callee)
    placed = ((edge, seen.get((edge.caller, edge.line, last(edge.callee)))) for edge in edges)
    return Result(observed, observed & known, frozenset((edge, edge.callee in at) for edge, at in placed if at))


def last(address):
    return address.rpartition("::")[2].rpartition(".")[2]


if __name__ == "__main__":
    sys.path[0] = TESTS
    found = trace(sys.argv[1], sys.argv[2])
    print("\n" + json.dumps(found))
