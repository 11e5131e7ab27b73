"""A repository of many made-up Python files that import, derive from and call each other, as a real project's do."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator

PER_PACKAGE = 40
_WORDS = (
    "account",
    "batch",
    "cache",
    "channel",
    "config",
    "cursor",
    "device",
    "driver",
    "event",
    "field",
    "filter",
    "frame",
    "group",
    "handle",
    "index",
    "item",
    "job",
    "key",
    "label",
    "layer",
    "limit",
    "line",
    "link",
    "list",
    "lock",
    "map",
    "message",
    "meter",
    "model",
    "node",
    "note",
    "order",
    "page",
    "part",
    "path",
    "plan",
    "point",
    "pool",
    "port",
    "queue",
    "range",
    "record",
    "report",
    "request",
    "result",
    "role",
    "route",
    "rule",
    "scan",
    "scope",
    "score",
    "session",
    "shape",
    "share",
    "slot",
    "source",
    "stage",
    "state",
    "step",
    "store",
    "stream",
    "table",
    "tag",
    "target",
    "task",
    "team",
    "term",
    "test",
    "text",
    "token",
    "trace",
    "track",
    "unit",
    "user",
    "value",
    "view",
    "window",
)
_IMPORTS = 4


def write(folder: str, files: int, seed: int = 1) -> int:
    """Write and commit a repository of ``files`` files; return how many bytes they have in all."""
    rng = random.Random(seed)
    size = 0
    os.makedirs(folder)
    git(folder, "init", "-q", "-b", "main")
    for number in range(files):
        path = os.path.join(folder, path_of(number))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        source = "".join(_source(number, files, rng))
        size += len(source)
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
    for package in range(-(-files // PER_PACKAGE)):
        with open(os.path.join(folder, "src", f"p{package:03}", "__init__.py"), "w", encoding="utf-8"):
            pass
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "made up")
    return size


def git(folder: str, *words: str) -> None:
    who = ("-c", "user.name=b", "-c", "user.email=b@example.org", "-c", "gc.auto=0")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def path_of(number: int) -> str:
    """Return the path of a file."""
    return f"src/p{number // PER_PACKAGE:03}/{_WORDS[number % len(_WORDS)]}_{number}.py"


def module_of(number: int) -> str:
    """Return the dotted name of a file."""
    return path_of(number).removeprefix("src/").removesuffix(".py").replace("/", ".")


def class_of(number: int) -> str:
    """Return the name of the class in a file."""
    return f"{_WORDS[number % len(_WORDS)].title()}{number}"


def _source(number: int, files: int, rng: random.Random) -> Iterator[str]:
    near = [max(0, number - rng.randint(1, 60)) for _ in range(_IMPORTS - 1)]
    others = sorted({*near, rng.randrange(files)} - {number})
    yield f'"""What is to be known of {_WORDS[number % len(_WORDS)]}s."""\n\n'
    yield "from __future__ import annotations\n\nimport os\n\n"
    for other in others:
        yield f"from {module_of(other)} import {class_of(other)}, measure_{other}\n"
    base = class_of(others[0]) if others and rng.random() < 0.4 else "object"
    own = class_of(number)
    yield f"\nLIMIT = {number}\n\n\nclass {own}({base}):\n"
    yield f'    """One of many."""\n\n    def __init__(self, name: str, size: int = {number}) -> None:\n'
    yield "        self.name = name\n        self.size = size\n        self.parts = []\n"
    for other in others:
        yield f"        self.at_{other} = {class_of(other)}(name, size + {other})\n" if base != class_of(other) else ""
    for verb in rng.sample(("load", "check", "merge", "render", "collect", "settle", "replay"), 4):
        yield f"\n    def {verb}_{rng.randint(0, 400)}(self, given: list[{own}], *, deep: bool = False) -> int:\n"
        yield f'        """{verb.title()} what was given."""\n        total = 0\n        for each in given:\n'
        yield "            if each is not self and (deep or each.size > LIMIT):\n"
        yield f"                total += measure_{number}(each) + len(os.path.basename(each.name))\n"
        for other in others[:2]:
            yield f"        total += measure_{other}(self.parts[-1]) if self.parts else {rng.randint(0, 99)}\n"
        yield "        self.parts.append(total)\n        return total\n"
    yield f"\n\ndef measure_{number}(of: {own}) -> int:\n    values = [part for part in of.parts if part]\n"
    for other in others[:1]:
        yield f"    values.append(measure_{other}({class_of(other)}('x')))\n"
    yield "    return sum(values, start=of.size)\n"
