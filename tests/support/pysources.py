"""Real Python packages as something that scripts can edit: where each function is, and edits whose effect is known.

Nothing here uses the symbol index: what an edit does is known from the standard library's own parser.
"""

import ast
import os
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec


@dataclass(frozen=True)
class Function:
    """A function or method: lines from 1, decorators included; ``inside`` is its class, or empty."""

    path: str
    name: str
    inside: str
    first: int
    body: int
    last: int
    plain: bool

    @property
    def address(self):
        return f"{self.path}::{self.inside + '.' if self.inside else ''}{self.name}"


def package_files(name):
    """Return the modules of an installed package: text by path."""
    spec = find_spec(name)
    root = os.path.dirname(spec.origin)
    found = {}
    for folder, _, names in sorted(os.walk(root)):
        for file in sorted(names):
            full = os.path.join(folder, file)
            if file.endswith(".py") and os.path.getsize(full) < 120_000:
                with open(full, encoding="utf-8") as source:
                    found[f"src/{name}/{os.path.relpath(full, root)}"] = source.read()
    return found


def functions(path, text):
    """Return the functions and methods of a module whose body is on lines of its own."""
    found = []

    def enter(node, inside):
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        docs = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
        inner = node.body[1:] if docs else node.body
        if inner and inner[0].lineno > node.lineno:
            found.append(
                Function(path, node.name, inside, first, inner[0].lineno, node.end_lineno, not node.decorator_list)
            )

    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            enter(node, "")
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    enter(inner, node.name)
    return found


class Sources:
    """The files of a package, and what is known of them."""

    def __init__(self, name):
        self.name = name
        self.files = package_files(name)
        self.functions = [one for path, text in self.files.items() for one in functions(path, text)]
        self.words = Counter()
        self.where = {}
        for path, text in self.files.items():
            for word in re.findall(r"\w+", text):
                self.words[word] += 1
                self.where.setdefault(word, set()).add(path)
        every = "\n".join(self.files.values())
        names = Counter(re.findall(r"\b(?:def|class) +(\w+)", every))
        alone = [one for one in self.functions if names[one.name] == 1 and len(one.name) > 4 and one.plain]
        self.top = [one for one in alone if not one.inside and self.words[one.name] < 12]
        self.classes = [
            (path, name)
            for path, text in self.files.items()
            for name in re.findall(r"^class (\w+)", text, re.MULTILINE)
            if names[name] == 1 and len(self.where[name]) < 5
        ]
        self.methods = [one for one in alone if one.inside and self.words[one.name] < 12]

    def module(self, path):
        """Return the dotted name of a module."""
        return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cache  # noqa: B019 -- one for each package, as long as the process
    def always_called(self, function):
        """Tell whether a function's name is never written but to define, import or call it."""
        for path in self.where[function.name]:
            for line in self.files[path].splitlines():
                for match in re.finditer(rf"\b{function.name}\b", line):
                    if not line[match.end() :].startswith("(") and "import" not in line:
                        return False
        return True


class Edit:
    """One side of a merge: what it makes of each file (None: deleted)."""

    def __init__(self, sources):
        self.sources = sources
        self.changed = {}

    def text(self, path):
        return self.changed.get(path, self.sources.files.get(path, ""))

    def lines(self, path):
        return self.text(path).split("\n")

    def put(self, path, lines):
        self.changed[path] = "\n".join(lines)

    def rename(self, old, new, among=None):
        """Give a word another spelling wherever it stands, or in some files."""
        for path in sorted(self.sources.where[old] if among is None else among):
            self.changed[path] = re.sub(rf"\b{old}\b", new, self.text(path))

    def cut(self, function):
        """Take a function out; return its lines."""
        lines = self.lines(function.path)
        taken = lines[function.first - 1 : function.last]
        del lines[function.first - 1 : function.last]
        self.put(function.path, lines)
        return taken

    def append(self, path, lines):
        self.changed[path] = self.text(path).rstrip("\n") + "\n\n\n" + "\n".join(lines) + "\n"

    def insert(self, path, line, lines):
        """Put lines before a line, counted from 1 in the text as it is now."""
        now = self.lines(path)
        now[line - 1 : line - 1] = lines
        self.put(path, now)

    def require_more(self, function):
        """Let a function take one more argument, in front, and give it wherever it is called."""
        for path in sorted(self.sources.where[function.name]):
            text = re.sub(rf"\bdef {function.name}\(", f"def {function.name}(needed_now, ", self.text(path))
            self.changed[path] = re.sub(rf"(?<!def )\b{function.name}\(", f"{function.name}(None, ", text)


def top_line(text):
    """Return the line after the imports at the head of a module, from 1."""
    last = 0
    for node in ast.parse(text).body:
        docs = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, ast.Import | ast.ImportFrom) and not docs:
            break
        last = node.end_lineno
    return last + 1
