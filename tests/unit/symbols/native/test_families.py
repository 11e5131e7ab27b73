"""The language families have one layout, and the package has no import circles."""

import ast
import os
from graphlib import TopologicalSorter

import grimp
import pytest

import bespeak_symbols
from bespeak_symbols.native import registry

ROLES = {"extract", "declarations", "expressions", "imports", "members", "evaluate", "resolve"}
READS_ONE_FILE = {"extract", "declarations", "expressions"}
NATIVE = os.path.join(os.path.dirname(bespeak_symbols.__file__), "native")
FAMILIES = sorted({reader.module for reader in registry.READERS if not reader.by_name})
BY_NAME = {reader.module for reader in registry.READERS if reader.by_name}


def modules(family):
    return {name.removesuffix(".py") for name in os.listdir(os.path.join(NATIVE, family)) if name.endswith(".py")}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_the_seven_modules_and_explains_its_others(family):
    others = modules(family) - ROLES - {"__init__"}
    assert modules(family) >= ROLES
    with open(os.path.join(NATIVE, family, "__init__.py"), encoding="utf-8") as file:
        said = ast.get_docstring(ast.parse(file.read()))
    assert [name for name in sorted(others) if f"``{name}``" not in said] == []


def test_every_family_is_read_by_somebody():
    packages = {name for name in os.listdir(NATIVE) if os.path.isfile(os.path.join(NATIVE, name, "__init__.py"))}
    assert packages == {*FAMILIES, *BY_NAME}


def test_no_module_imports_itself_over_others_not_even_for_types_or_in_a_function():
    graph = grimp.build_graph("bespeak_symbols", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(tuple(TopologicalSorter(imports).static_order())) == len(graph.modules)


@pytest.mark.parametrize("family", FAMILIES)
def test_who_reads_one_file_does_not_ask_what_names_mean(family):
    graph = grimp.build_graph("bespeak_symbols", cache_dir=None)
    package = f"bespeak_symbols.native.{family}"
    resolving = {f"{package}.{name}" for name in ("members", "evaluate", "resolve")}
    for name in READS_ONE_FILE:
        assert not graph.find_upstream_modules(f"{package}.{name}") & resolving
    for module in resolving:
        assert f"{package}.extract" not in graph.find_upstream_modules(module)
        assert "bespeak_symbols.syntax" not in graph.find_modules_directly_imported_by(module)
