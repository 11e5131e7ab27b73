"""Which file a dotted module name means, from where it is imported.

Where modules are looked for at run time is nowhere written down. A folder counts as a place to look in if it holds a
package and is none itself (``src``, the root, a project of a larger repository), or if it is above the importing file
and no package; the nearest above wins. Modules of the standard library mean those, not a file that happens to be
called so.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bespeak_symbols.model import World


SURE, LIKELY = 0.97, 0.8
_INIT = "/__init__"
_USUAL = ("", "src", "lib", "python")


@dataclass(frozen=True, slots=True)
class Found:
    """A module: its file, or the folder of a package without one (with a slash at its end); and how surely."""

    path: str
    confidence: float


class Modules:
    """The modules of a snapshot."""

    def __init__(self, world: World) -> None:
        self.files: dict[str, str] = {}
        self._by_last: dict[str, list[str]] = {}
        self._packages: set[str] = set()
        folders: set[str] = set()
        for path, language in world.paths.items():
            if language == "python":
                self._enter(path)
                folders.add(path.rpartition("/")[0])
        for innermost in sorted(folders):
            folder = innermost
            while folder and folder not in self.files:
                self.files[folder] = folder + "/"
                self._by_last.setdefault(folder.rpartition("/")[2], []).append(folder)
                folder = folder.rpartition("/")[0]
        tops = {package.rpartition("/")[0] for package in self._packages}
        self._roots = {*_USUAL, *(top for top in tops if top not in self._packages)}

    def _enter(self, path: str) -> None:
        plain = path.rpartition(".")[0]
        if path == "__init__.py":
            return
        if plain.endswith(_INIT):
            plain = plain.removesuffix(_INIT)
            self._packages.add(plain)
        known = self.files.get(plain)
        if known is None:
            self._by_last.setdefault(plain.rpartition("/")[2], []).append(plain)
        if (
            known is None
            or (path.endswith("/__init__.py") and not known.endswith("/__init__.py"))
            or known.endswith(".pyi")
        ):
            self.files[plain] = path

    def find(self, module: str, importer: str) -> Found | None:
        """Return the module that a file means by a dotted name, which may begin with dots; None: of another project."""
        if module.startswith("."):
            return self._relative(module, importer)
        tail = module.replace(".", "/")
        top = tail.partition("/")[0]
        if top in sys.stdlib_module_names and f"/{top}/" not in f"/{importer}":
            return None
        near = [
            (self._nearness(plain.removesuffix(tail).rstrip("/"), importer), plain)
            for plain in self._by_last.get(tail.rpartition("/")[2], ())
            if plain == tail or plain.endswith("/" + tail)
        ]
        ranked = sorted((rank, plain) for rank, plain in near if rank is not None)
        if not ranked:
            return None
        rank, plain = ranked[0]
        return Found(self.files[plain], SURE if rank[0] == 0 or len(ranked) == 1 else LIKELY)

    def _nearness(self, root: str, importer: str) -> tuple[int, int, int] | None:
        """Return how near a folder to look in is to a file, smaller is nearer; None if it is none to look in."""
        if root in self._packages:
            return None
        if not root or importer.startswith(root + "/"):
            return 0, -len(root), 0
        if root not in self._roots:
            return None
        common = len(_common(root, importer))
        return 1, -common, len(root)

    def _relative(self, module: str, importer: str) -> Found | None:
        tail = module.lstrip(".")
        folder = importer.rpartition("/")[0]
        for _ in range(len(module) - len(tail) - 1):
            if not folder:
                return None
            folder = folder.rpartition("/")[0]
        plain = "/".join(part for part in (folder, tail.replace(".", "/")) if part)
        path = self.files.get(plain)
        return None if path is None else Found(path, SURE)

    def inside(self, path: str, name: str) -> str | None:
        """Return the module ``name`` of a package, given by its file or folder; None if it has no such module."""
        if path.endswith("/"):
            return self.files.get(path + name)
        plain = path.rpartition(".")[0]
        return self.files.get(plain.removesuffix("__init__") + name) if plain.endswith(_INIT) else None


def _common(one: str, two: str) -> list[str]:
    found = []
    for mine, other in zip(one.split("/"), two.split("/"), strict=False):
        if mine != other:
            break
        found.append(mine)
    return found


def modules(world: World) -> Modules:
    """Return the modules of a snapshot, worked out once."""
    found: Modules | None = world.memo.get("python modules")
    if found is None:
        found = world.memo["python modules"] = Modules(world)
    return found
