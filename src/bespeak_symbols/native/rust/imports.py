"""Crates, modules and ``use``: which file holds a module, which crate a name means, what each file has by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import Import

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from bespeak_symbols.model import Binding, Facts, Symbol, World
    from bespeak_symbols.native.scope_walker import ScopeWalker

_NAMES = frozenset({"identifier", "self", "super", "crate", "scoped_identifier", "metavariable"})
_STAND_FOR_FOLDER = frozenset({"mod", "lib", "main", "build"})
_ROOT_FOLDERS = frozenset({"bin", "tests", "examples", "benches"})
_MOST_FILES = 3000
_MOST_UP = 64
TYPES = frozenset({"struct", "enum", "trait", "type"})
_KINDS = {
    "type": TYPES | {"module"},
    "value": frozenset({"function", "constant", "variable", "struct"}),
    "macro": frozenset({"macro"}),
}


def used_names(walker: ScopeWalker, node: Node) -> list[Import]:
    """Return what a ``use`` takes from where."""
    public = any(child.type == "visibility_modifier" for child in node.named_children)
    line = syntax.first_line(node)
    found: list[Import] = []
    waiting: list[tuple[Node | None, str]] = [(node.child_by_field_name("argument"), "")]
    while waiting:
        one, before = waiting.pop()
        if one is None:
            continue
        kind = one.type
        if kind == "use_list":
            waiting.extend((child, before) for child in reversed(one.named_children))
        elif kind == "scoped_use_list":
            path = one.child_by_field_name("path")
            waiting.append((one.child_by_field_name("list"), _join(before, _path(walker, path))))
        elif kind == "use_wildcard":
            inner = one.named_children[0] if one.named_children else None
            found.append(Import("*", _join(before, _path(walker, inner)), "", line, walker.within, public))
        elif kind == "use_as_clause":
            whole = _join(before, _path(walker, one.child_by_field_name("path")))
            local = walker.text(one.child_by_field_name("alias"))
            found.append(_named(whole, local, line, walker.within, public))
        elif kind in _NAMES:
            found.append(_named(_join(before, _path(walker, one)), "", line, walker.within, public))
    return found


def _path(walker: ScopeWalker, node: Node | None) -> str:
    return "" if node is None else "".join(walker.text(node).split())


def _join(before: str, path: str) -> str:
    return f"{before}::{path}" if before and path else before or path


def _named(whole: str, local: str, line: int, within: str, public: bool) -> Import:
    whole = whole.removeprefix("::").removesuffix("::self")
    module, _, name = whole.rpartition("::")
    if not module:
        return Import(local or whole, whole, "", line, within, public)
    return Import(local or name, module, name, line, within, public)


def used_crate(walker: ScopeWalker, node: Node) -> Import:
    """Return what ``extern crate`` takes."""
    name = walker.text(node.child_by_field_name("name"))
    local = walker.text(node.child_by_field_name("alias")) or name
    return Import(local, name, "", syntax.first_line(node), walker.within)


@dataclass(frozen=True, slots=True)
class Module:
    """A module: a file, or an inline one in it by its qualified name."""

    path: str
    prefix: str = ""

    @property
    def address(self) -> str:
        """Its address."""
        return f"{self.path}::{self.prefix}" if self.prefix else self.path


@dataclass(frozen=True, slots=True)
class Package:
    """What a ``Cargo.toml`` says."""

    folder: str
    name: str
    library: str
    crates: tuple[tuple[str, str], ...]
    """Names of crates in other folders, and the folders."""


class Modules:
    """Answers where the modules of one snapshot are."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._tables: dict[str, Table | None] = {}
        self._parents: dict[str, Module | None] = {}
        self._packages: dict[str, Package | None] = {}
        self._declared: dict[str, dict[str, Module]] = {}
        self._manifests: dict[str, dict[str, object] | None] = {}

    def table(self, path: str) -> Table | None:
        """Return the facts of a Rust file by name; None if it is none."""
        if path not in self._tables:
            facts = self.world.facts(path)
            self._tables[path] = Table(path, facts) if facts is not None and facts.language == "rust" else None
        return self._tables[path]

    # Down and up.

    def child(self, module: Module, name: str) -> Module | None:
        """Return a module in a module."""
        table = self.table(module.path)
        if table is None:
            return None
        full = f"{module.prefix}.{name}" if module.prefix else name
        if table.has(full, "module"):
            return Module(module.path, full)
        said = table.modules.get((module.prefix, name))
        return self._file(module, name, said) if said is not None else None

    def _file(self, module: Module, name: str, said: str) -> Module | None:
        folder, _, file = module.path.rpartition("/")
        stem = file.removesuffix(".rs")
        inner = module.prefix.replace(".", "/")
        if said != name:
            return self._first(_joined(folder, inner, said))
        beside = _joined(folder, "" if self._is_root(folder, stem) else stem, inner)
        other = _joined(folder, stem if self._is_root(folder, stem) else "", inner)
        places = (_joined(place, end) for place in (beside, other) for end in (f"{name}.rs", f"{name}/mod.rs"))
        return self._first(*places)

    @staticmethod
    def _is_root(folder: str, stem: str) -> bool:
        return stem in _STAND_FOR_FOLDER or folder.rpartition("/")[2] in _ROOT_FOLDERS

    def _first(self, *paths: str) -> Module | None:
        return next((Module(path) for path in paths if self.table(path) is not None), None)

    def parent(self, module: Module) -> Module | None:
        """Return the module around a module; None for the root of a crate."""
        if module.prefix:
            table = self.table(module.path)
            around = module.prefix.rpartition(".")[0]
            while around and table is not None and not table.has(around, "module"):
                around = around.rpartition(".")[0]
            return Module(module.path, around)
        if module.path not in self._parents:
            self._parents[module.path] = None
            self._parents[module.path] = self._natural(module.path) or self._walked(module.path)
        return self._parents[module.path]

    def _natural(self, path: str) -> Module | None:
        folder, _, file = path.rpartition("/")
        stem = file.removesuffix(".rs")
        if stem in {"lib", "main"}:
            return None
        if stem == "mod":
            folder, _, stem = folder.rpartition("/")
        for candidate in (*(_joined(folder, f"{name}.rs") for name in ("lib", "main", "mod")), f"{folder}.rs"):
            table = self.table(candidate) if candidate != path else None
            if table is not None and table.modules.get(("", stem)) == stem:
                return Module(candidate)
        return None

    def _walked(self, path: str) -> Module | None:
        """Look for who declares a file that is not where one would look for it: ``#[path]``, or in an inline module."""
        package = self.package(path)
        if package is None:
            return None
        if package.folder not in self._declared:
            declared: dict[str, Module] = {}
            self._declared[package.folder] = declared
            roots = (package.library, _joined(package.folder, "src/main.rs"))
            waiting = [Module(root) for root in roots if self.table(root) is not None]
            while waiting and len(declared) < _MOST_FILES:
                module = waiting.pop()
                table = self.table(module.path)
                for prefix, name in table.modules if table is not None else ():
                    child = self.child(Module(module.path, prefix), name)
                    if child is not None and child.path not in declared:
                        declared[child.path] = Module(module.path, prefix)
                        waiting.append(child)
        return self._declared[package.folder].get(path)

    def root(self, module: Module) -> Module:
        """Return the root of the crate that a module is in."""
        for _ in range(_MOST_UP):
            above = self.parent(module)
            if above is None:
                break
            module = above
        return module

    # Crates.

    def crate(self, name: str, path: str) -> Module | None:
        """Return the root of the crate that a name means in a file; None if it is outside the snapshot."""
        package = self.package(path)
        if package is None:
            return None
        if name == package.name:
            return self._first(package.library)
        for known, folder in package.crates:
            if known == name:
                other = self._package(folder)
                return self._first(other.library) if other is not None else None
        return None

    def package(self, path: str) -> Package | None:
        """Return the package that a file belongs to."""
        folder = path.rpartition("/")[0]
        for _ in range(_MOST_UP):
            package = self._package(folder)
            if package is not None or not folder:
                return package
            folder = folder.rpartition("/")[0]
        return None

    def _package(self, folder: str) -> Package | None:
        if folder not in self._packages:
            self._packages[folder] = self._read_package(folder)
        return self._packages[folder]

    def _read_package(self, folder: str) -> Package | None:
        manifest = self._manifest(folder)
        about = _section(manifest, "package")
        name = about.get("name")
        if manifest is None or not isinstance(name, str):
            return None
        library = _section(manifest, "lib")
        path = library.get("path", "src/lib.rs")
        called = library.get("name", name)
        crates = tuple(
            (key.replace("-", "_"), where)
            for kind in ("dependencies", "dev-dependencies", "build-dependencies")
            for key, said in _section(manifest, kind).items()
            if (where := self._where(key, said, folder)) is not None
        )
        return Package(folder, str(called).replace("-", "_"), _joined(folder, str(path)), crates)

    def _where(self, key: str, said: object, folder: str) -> str | None:
        if not isinstance(said, dict):
            return None
        if isinstance(said.get("path"), str):
            return _joined(folder, said["path"])
        if said.get("workspace") is not True:
            return None
        for _ in range(_MOST_UP):
            shared = _section(_section(self._manifest(folder), "workspace"), "dependencies").get(key)
            if isinstance(shared, dict) and isinstance(shared.get("path"), str):
                return _joined(folder, shared["path"])
            if not folder:
                return None
            folder = folder.rpartition("/")[0]
        return None

    def _manifest(self, folder: str) -> dict[str, object] | None:
        if folder not in self._manifests:
            from tomllib import TOMLDecodeError, loads

            text = self.world.text(_joined(folder, "Cargo.toml"))
            try:
                self._manifests[folder] = loads(text.decode("utf-8", "replace")) if text is not None else None
            except (TOMLDecodeError, RecursionError):
                self._manifests[folder] = None
        return self._manifests[folder]


def _section(manifest: dict[str, object] | None, name: str) -> dict[str, object]:
    found = manifest.get(name) if manifest is not None else None
    return found if isinstance(found, dict) else {}


def _joined(*parts: str) -> str:
    """Return a path of these parts, without ``.`` and ``..``."""
    found: list[str] = []
    for part in "/".join(part for part in parts if part).split("/"):
        if part == ".." and found:
            found.pop()
        elif part not in {"", ".", ".."}:
            found.append(part)
    return "/".join(found)


class Table:
    """The facts of one file, by name."""

    __slots__ = ("bindings", "facts", "globs", "impls", "imports", "modules", "path", "symbols")

    def __init__(self, path: str, facts: Facts) -> None:
        self.path = path
        self.facts = facts
        self.symbols: dict[str, list[Symbol]] = {}
        self.bindings: dict[str, list[Binding]] = {}
        self.imports: dict[tuple[str, str], list[Import]] = {}
        self.globs: dict[str, list[Import]] = {}
        self.modules: dict[tuple[str, str], str] = {}
        self.impls: list[Binding] = []
        for symbol in facts.symbols:
            self.symbols.setdefault(symbol.name, []).append(symbol)
        for binding in facts.bindings:
            if binding.how == "impl":
                self.impls.append(binding)
            else:
                self.bindings.setdefault(binding.name, []).append(binding)
        for one in facts.imports:
            if one.module.startswith("mod "):
                self.modules.setdefault((one.within, one.local), one.module.removeprefix("mod "))
            elif one.local == "*":
                self.globs.setdefault(one.within, []).append(one)
            else:
                self.imports.setdefault((one.within, one.local), []).append(one)

    def bound(self, name: str, how: str) -> list[str]:
        """Return what a name is bound to in one way, in the order of the source."""
        return [binding.target for binding in self.bindings.get(name, ()) if binding.how == how]

    def has(self, name: str, kind: str) -> bool:
        """Return whether there is a symbol of a name and a kind."""
        return any(symbol.kind == kind for symbol in self.symbols.get(name, ()))

    def named(self, name: str, space: str) -> Symbol | None:
        """Return the symbol of a name in a name space: ``type``, ``value`` or ``macro``."""
        kinds = _KINDS[space]
        return next((symbol for symbol in self.symbols.get(name, ()) if symbol.kind in kinds), None)

    def module_of(self, within: str) -> str:
        """Return the inline module in which something stands; empty for the file's own."""
        return next((around for around in outward(within) if self.has(around, "module")), "")


def outward(within: str) -> Iterator[str]:
    """Yield a qualified name and all around it, innermost first."""
    while within:
        yield within
        within = within.rpartition(".")[0]
