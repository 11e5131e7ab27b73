"""Which file a module's name means, by paths, tsconfig.json and package.json; and the names of each file."""

from __future__ import annotations

import json
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, Any, TypeAlias

from bespeak_symbols.errors import GrammarsMissingError
from bespeak_symbols.native.javascript import scopes
from bespeak_symbols.native.javascript.scopes import LOCALS

if TYPE_CHECKING:
    from bespeak_symbols.model import Binding, Facts, Import, Reference, Symbol, World

    Paths: TypeAlias = tuple[str | None, dict[str, list[str]]]


LANGUAGES = frozenset({"javascript", "typescript"})
_SUFFIXES = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".d.ts")
_WRITTEN = {".js": (".ts", ".tsx", ".d.ts"), ".jsx": (".tsx",), ".mjs": (".mts", ".d.mts"), ".cjs": (".cts", ".d.cts")}
_ENTRIES = {
    "import": ("source", "module", "main", "types", "typings"),
    "require": ("source", "main", "module", "types", "typings"),
}
"""Fields of a package.json that name its beginning, by how it is taken."""
_OTHER = {"import": "require", "require": "import"}
_MOST_CONFIGS = 8
_LARGEST = 1 << 20
_LARGEST_JSON5 = 1 << 16
"""Bytes; the library takes up to 30 microseconds for each."""
_KEPT = "javascript"
VALUES = frozenset({"constant", "variable"})
"""Kinds of symbols that hold something else."""
_APART = frozenset({"class", "function", "constant"})


class Project:
    """What the project files of one snapshot say about modules.

    Args:
        world: the snapshot.
    """

    __slots__ = ("_configs", "_files", "_found", "_roots", "_taken", "_world")

    def __init__(self, world: World) -> None:
        self._world = world
        self._found: dict[tuple[str, str, str], str | None] = {}
        self._taken = "import"
        self._configs: dict[str, Paths | None] = {}
        self._files: dict[str, dict[str, Any] | None] = {}
        self._roots: dict[str, list[str]] = {}

    def find(self, path: str, module: str) -> str | None:
        """Return the file that a module's name means in a file; None if it is none of this snapshot's."""
        facts = self._world.facts(path)
        self._taken = "require" if facts is None or facts.exports is None else "import"
        key = (dirname(path), module, self._taken)
        if key not in self._found:
            self._found[key] = self._find(dirname(path), module)
        return self._found[key]

    def _find(self, folder: str, module: str) -> str | None:
        if not module or "\0" in module:
            return None
        if module in {".", ".."} or module.startswith(("./", "../")):
            return self._at(folder, module)
        if module.startswith("/"):
            return None
        if module.startswith("#"):
            return self._shortened(folder, module)
        return self._mapped(folder, module) or self._packaged(folder, module)

    def _shortened(self, folder: str, module: str) -> str | None:
        """Return the file that ``imports`` of the nearest package.json gives a short name."""
        root = next((above for above in self._above(folder) if self._package(above) is not None), "")
        names = _conditions((self._package(root) or {}).get("imports"), module, _OTHER[self._taken])
        return next((found for name in names if (found := self._built(root, name)) is not None), None)

    def _at(self, folder: str, module: str) -> str | None:
        """Return the file that a path means, with or without its suffix, or the index of a folder."""
        whole = normpath(join(folder, module))
        if whole.startswith("../") or whole == "..":
            return None
        stem = "" if whole == "." else whole
        if stem and not module.endswith(("/", "..", "/.")):
            found = self._file(stem)
            if found is not None:
                return found
        return self._folder(stem)

    def _file(self, stem: str) -> str | None:
        paths = self._world.paths
        if paths.get(stem) in LANGUAGES:
            return stem
        for suffix, written in _WRITTEN.items():
            if stem.endswith(suffix):
                for other in written:
                    if stem.removesuffix(suffix) + other in paths:
                        return stem.removesuffix(suffix) + other
        return next((stem + suffix for suffix in _SUFFIXES if stem + suffix in paths), None)

    def _folder(self, folder: str) -> str | None:
        found = self._index(folder)
        if found is not None:
            return found
        package = self._package(folder)
        return self._entry(folder, package) if package is not None else None

    def _index(self, folder: str) -> str | None:
        return next((one for suffix in _SUFFIXES if (one := join(folder, "index" + suffix)) in self._world.paths), None)

    def _package(self, folder: str) -> dict[str, Any] | None:
        return self._json(join(folder, "package.json"))

    def _json(self, path: str) -> dict[str, Any] | None:
        """Return what a project file says, read once."""
        if path not in self._files:
            self._files[path] = read_json(self._world.text(path))
        return self._files[path]

    def _entry(self, folder: str, package: dict[str, Any]) -> str | None:
        """Return the file that a package begins with; what is built from ``src`` is looked for there."""
        named = [package.get(word) for word in _ENTRIES[self._taken]]
        for name in [named[0], *_conditions(package.get("exports"), ".", _OTHER[self._taken]), *named[1:]]:
            if isinstance(name, str) and (found := self._built(folder, name)) is not None:
                return found
        return self._index(join(folder, "src")) or self._index(folder)

    def _built(self, folder: str, name: str) -> str | None:
        whole = normpath(join(folder, name))
        found = self._file(whole) or self._index(whole)
        if found is None:
            for built in ("dist/", "lib/", "build/", "out/"):
                head, middle, tail = name.removeprefix("./").partition(built)
                if middle and not head:
                    found = found or self._file(normpath(join(folder, "src", tail)))
        return found

    def _packaged(self, folder: str, module: str) -> str | None:
        """Return the file of a package of the same repository."""
        parts = module.split("/")
        count = 2 if module.startswith("@") else 1
        name, inside = "/".join(parts[:count]), "/".join(parts[count:])
        for root in self._above(folder):
            kept = join(root, "node_modules", name)
            held = self._package(kept)
            if held is not None:
                return self._inside(kept, held, inside)
            package = self._package(root)
            if package is None:
                continue
            if package.get("name") == name:
                return self._inside(root, package, inside)
            for member in self._members(root, package, parts[count - 1]):
                found = self._package(member)
                if found is not None and found.get("name") == name:
                    return self._inside(member, found, inside)
        return None

    def _members(self, root: str, package: dict[str, Any], last: str) -> list[str]:
        """Return the folders of a workspace in which a package of that name could be, by custom and by list."""
        listed = package.get("workspaces")
        globs = listed.get("packages") if isinstance(listed, dict) else listed
        if root not in self._roots:
            self._roots[root] = (
                [one.strip("/") for one in globs if isinstance(one, str)] if isinstance(globs, list) else []
            )
        found = []
        for glob in self._roots[root]:
            if "*" not in glob:
                found.append(join(root, glob))
            elif glob.endswith(("/*", "/**")) and "*" not in glob.rstrip("/*"):
                found.append(join(root, glob.rstrip("*").rstrip("/"), last))
        return [normpath(one) for one in found]

    def _inside(self, folder: str, package: dict[str, Any], inside: str) -> str | None:
        if not inside:
            return self._entry(folder, package)
        for name in _conditions(package.get("exports"), "./" + inside, _OTHER[self._taken]):
            found = self._built(folder, name)
            if found is not None:
                return found
        return self._at(folder, inside) or self._at(join(folder, "src"), inside)

    def _above(self, folder: str) -> list[str]:
        """Return a folder and all above it, the nearest first."""
        found = [folder]
        while folder:
            folder = dirname(folder)
            found.append(folder)
        return found

    def _mapped(self, folder: str, module: str) -> str | None:
        """Return the file that ``paths`` or ``baseUrl`` of the nearest tsconfig.json makes of a name."""
        config = self._config(folder)
        if config is None:
            return None
        base, paths = config
        for pattern in sorted(paths, key=lambda one: (-len(one.partition("*")[0]), one)):
            head, star, tail = pattern.partition("*")
            fits = module.startswith(head) and module.endswith(tail) if star else module == pattern
            if not fits or len(module) < len(head) + len(tail):
                continue
            middle = module[len(head) : len(module) - len(tail)] if star else ""
            for target in paths[pattern]:
                found = self._at("", target.replace("*", middle, 1))
                if found is not None:
                    return found
        return self._at("", join(base, module)) if base is not None else None

    def _config(self, folder: str) -> Paths | None:
        if folder not in self._configs:
            self._configs[folder] = None
            for above in self._above(folder):
                names = [join(above, name) for name in ("tsconfig.json", "jsconfig.json")]
                path = next((name for name in names if self._world.text(name) is not None), None)
                if path is not None:
                    self._configs[folder] = self._options(path)
                    break
        return self._configs[folder]

    def _options(self, path: str) -> Paths | None:
        """Return the base folder (None if none is said) and the paths of a tsconfig.json and those it extends."""
        base: str | None = None
        paths: dict[str, list[str]] | None = None
        for _ in range(_MOST_CONFIGS):
            config = self._json(path) or {}
            options = config.get("compilerOptions")
            options = options if isinstance(options, dict) else {}
            here = dirname(path)
            said = options.get("baseUrl")
            own = normpath(join(here, said)) if isinstance(said, str) else None
            base = base if base is not None else own
            listed = options.get("paths")
            if paths is None and isinstance(listed, dict):
                around = own if own is not None else base if base is not None else here
                paths = {
                    pattern: [normpath(join(around, target)) for target in targets if isinstance(target, str)]
                    for pattern, targets in listed.items()
                    if isinstance(targets, list)
                }
            above = config.get("extends")
            above = above[-1] if isinstance(above, list) and above else above
            if not isinstance(above, str) or not above.startswith("."):
                break
            path = normpath(join(here, above if above.endswith(".json") else above + ".json"))
        return (base, paths or {}) if base is not None or paths else None


def _conditions(exports: Any, wanted: str, last: str) -> list[str]:
    """Return the files that ``exports`` of a package.json names for a path; those taken in other ways come last."""
    if isinstance(exports, str):
        return [exports] if wanted == "." else []
    if not isinstance(exports, dict):
        return []
    found: list[str] = []
    waiting: list[Any] = []
    for key, target in exports.items():
        head, star, tail = key.partition("*")
        if key == wanted:
            waiting.insert(0, target)
        elif star and wanted.startswith(head) and wanted.endswith(tail) and len(wanted) >= len(head) + len(tail):
            middle = wanted[len(head) : len(wanted) - len(tail)]
            waiting.append(target.replace("*", middle) if isinstance(target, str) else target)
    if wanted == "." and not any(key.startswith(".") for key in exports):
        waiting.append(exports)
    while waiting and len(found) < _MOST_CONFIGS:
        target = waiting.pop(0)
        if isinstance(target, str):
            found.append(target)
        elif isinstance(target, dict):
            late = {last, "types", "browser"}
            waiting[:0] = [target[key] for key in sorted(target, key=lambda key: key in late)]
    return found


def read_json(text: bytes | None) -> dict[str, Any] | None:
    """Return what a project file says; None if it is not there, is too large or is no object.

    People write tsconfig.json with comments and trailing commas, which JSON5 allows.

    Raises:
        GrammarsMissingError: the library that reads JSON5 is not installed.
    """
    if text is None or len(text) > _LARGEST:
        return None
    said = text.decode("utf-8-sig", "replace")
    try:
        found = json.loads(said)
    except RecursionError:
        return None
    except ValueError:
        found = _read_json5(said) if len(text) <= _LARGEST_JSON5 else None
    return found if isinstance(found, dict) else None


def _read_json5(text: str) -> object:
    try:
        import json5
    except ImportError as missing:
        raise GrammarsMissingError(f"the reader of JSON5 is not installed: {missing}") from missing
    try:
        return json5.loads(text)
    except (ValueError, RecursionError):
        return None


class Table:
    """What one file says, by name."""

    __slots__ = (
        "bindings",
        "doubled",
        "exports",
        "holders",
        "imports",
        "inherits",
        "passed",
        "script",
        "stars",
        "symbols",
    )

    def __init__(self, facts: Facts) -> None:
        self.symbols: dict[str, Symbol] = {}
        self.holders: set[str] = set()
        """Names that have members."""
        self.doubled: set[str] = set()
        """Names that more than one class, function or object has, so that their members cannot be told apart."""
        for symbol in facts.symbols:
            known = self.symbols.get(symbol.name)
            if known is None or (known.kind in VALUES and symbol.kind not in VALUES):
                self.symbols[symbol.name] = symbol
            elif symbol.kind in _APART and known.kind in _APART:
                self.doubled.add(symbol.name)
            self._hold(symbol.name)
        self.bindings: dict[str, list[Binding]] = {}
        for binding in facts.bindings:
            self.bindings.setdefault(binding.name, []).append(binding)
            self._hold(binding.name)
        self.imports: dict[str, Import] = {}
        self.passed: dict[str, Import] = {}
        self.stars: list[Import] = []
        for one in facts.imports:
            if not one.exported:
                self.imports[scopes.join(one.within, one.local)] = one
            elif one.local == "*":
                self.stars.append(one)
            else:
                self.passed[one.local] = one
        self.inherits: dict[str, list[Reference]] = {}
        for reference in facts.references:
            if reference.kind == "inherit":
                self.inherits.setdefault(reference.within, []).append(reference)
        self.exports = frozenset(facts.exports or ())
        self.script = facts.exports is None and not facts.imports and "exports" not in self.holders

    def _hold(self, name: str) -> None:
        owner = name.rpartition(".")[0]
        while owner and owner not in self.holders and not owner.endswith(LOCALS):
            self.holders.add(owner)
            owner = owner.rpartition(".")[0]


class Tables:
    """The tables of all files of one snapshot, made when they are asked for.

    Args:
        world: the snapshot.
    """

    __slots__ = ("_tables", "project", "taken", "world")

    def __init__(self, world: World) -> None:
        self.world = world
        self.project = Project(world)
        self._tables: dict[str, Table | None] = {}
        self.taken: dict[tuple[str, str], object] = {}
        """What others can take from a file, once it was worked out; kept by what works it out."""

    def of(self, path: str) -> Table | None:
        """Return the table of a file; None if it is none of these languages."""
        if path not in self._tables:
            facts = self.world.facts(path) if self.world.paths.get(path) in LANGUAGES else None
            self._tables[path] = Table(facts) if facts is not None else None
        return self._tables[path]


def tables_of(world: World) -> Tables:
    """Return the tables of a snapshot, the same ones each time."""
    kept = world.memo.get(_KEPT)
    if not isinstance(kept, Tables) or kept.world is not world:
        kept = world.memo[_KEPT] = Tables(world)
    return kept
