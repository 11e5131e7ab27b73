"""Merges generated from real code: two branches of scripted edits, with conflicts planted that git does not see.

Every case says what was planted. What git makes of it is asked of git, by whoever uses the cases.
"""

import os
import random
import subprocess
from dataclasses import dataclass, field

from support.pysources import Edit, Sources, functions, top_line

OTHERS = {
    "README.md": b"".join(b"line %d\n" % n for n in range(60)),
    "data.bin": bytes(range(256)) * 4,
    "docs/guide.txt": b"".join(b"step %d\n" % n for n in range(80)),
    "docs/old.txt": b"".join(b"old %d\n" % n for n in range(40)),
    "tools/run.sh": b"#!/bin/sh\nexit 0\n",
    "conf.json": b'{\n "a": 1,\n "b": 2\n}\n',
}
LINK = "latest"
FEW = 3


@dataclass
class Case:
    """Two branches, and what was planted: the kinds an item may have, and the address it must name."""

    number: int
    label: str
    ours: dict
    theirs: dict
    kinds: tuple = ()
    address: str = ""
    also: set = field(default_factory=set)

    @property
    def names(self):
        return f"o{self.number}", f"t{self.number}"


class Histories:
    """Cases from one package; the same seed gives the same cases."""

    def __init__(self, package, seed=0):
        self.sources = Sources(package)
        self.random = random.Random(f"{package} {seed}")
        self.number = 0

    def cases(self, count):
        for _ in range(count):
            yield self.case()

    def case(self):
        self.number += 1
        makers = (*PLANTED, *DECOYS, *[_nothing] * 7)
        ours, theirs = Edit(self.sources), Edit(self.sources)
        maker = self.random.choice(makers)
        found = maker(self, ours, theirs)
        kinds, address = found or ((), "")
        label = maker.__name__.lstrip("_")
        busy = set(ours.changed) | set(theirs.changed)
        if maker is _nothing and self.random.random() < 0.5:
            meet = self.random.choice(NOISE)  # the same kind of edit on both sides: they often meet
            for side in (ours, theirs):
                meet(self, side, busy)
        elif maker is _nothing or self.random.random() < 0.5:
            for side in (ours, theirs):
                for _ in range(self.random.randint(1, FEW)):
                    self.noise(side, busy)
        if self.random.random() < 0.5:
            ours, theirs = theirs, ours
        return Case(self.number, label, _bytes(ours), _bytes(theirs), kinds, address)

    def noise(self, side, busy):
        """Make an edit that has nothing to do with what was planted."""
        self.random.choice(NOISE)(self, side, busy)

    def some_path(self, but=()):
        paths = [path for path in self.sources.files if path not in but and len(self.sources.files[path]) > 400]
        return self.random.choice(paths)

    def some(self, pool, fits=lambda _: True):
        found = [one for one in pool if fits(one)]
        return self.random.choice(found) if found else None

    def name(self, word):
        return f"{word}_{self.number}_{self.random.randrange(1000)}"


def _bytes(edit):
    return {
        path: None if text is None else text if isinstance(text, tuple) else _encoded(text)
        for path, text in edit.changed.items()
    }


def _encoded(text):
    return text if isinstance(text, bytes) else text.encode()


def _use(of, function):
    """Return lines that newly call ``function`` with as many arguments as it wants at least, in one of several ways."""
    module = of.sources.module(function.path)
    given = ", ".join(["None"] * functions_arguments(of.sources.files[function.path], function))
    name, alias = of.name("newly"), of.name("as")
    imported, call = of.random.choice(
        [
            (f"from {module} import {function.name}", function.name),
            (f"from {module} import {function.name} as {alias}", alias),
            (f"import {module} as {alias}", f"{alias}.{function.name}"),
        ]
    )
    if of.random.random() < 0.5:
        return [f"def {name}():", f"    {imported}", "", f"    return {call}({given})"]
    return [imported, "", "", f"def {name}():", f"    return {call}({given})"]


def functions_arguments(text, function):
    """Return how many arguments a function cannot do without, its receiver not counted."""
    import ast

    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == function.name:
            every = [*node.args.posonlyargs, *node.args.args]
            return max(0, len(every) - len(node.args.defaults) - bool(function.inside))
    return 0


def _place_use(of, side, function, other):
    """Put a new use somewhere the other side leaves alone."""
    lines = _use(of, function)
    busy = set(other.changed)
    if of.random.random() < 0.4:
        side.changed[f"src/{of.sources.name}/{of.name('added')}.py"] = "\n".join([*lines, ""])
        return
    path = of.some_path(busy)
    side.append(path, lines)


def _no_keywords(of):
    def fits(function):
        text = of.sources.files[function.path].split("\n")
        head = "\n".join(text[function.first - 1 : function.body])
        return "*, " not in head.partition(":\n")[0] and "*," not in head.partition(":\n")[0]

    return fits


def _renamed_use(of, ours, theirs):
    function = of.some(of.sources.top)
    ours.rename(function.name, of.name("given_another_name"))
    _place_use(of, theirs, function, ours)
    return ("rename_edit",), function.address


def _deleted_use(of, ours, theirs):
    function = of.some(of.sources.top)
    ours.cut(function)
    ours.rename(function.name, "print")
    _place_use(of, theirs, function, ours)
    return ("delete_use",), function.address


def _signature_use(of, ours, theirs):
    function = of.some(of.sources.top, lambda one: of.sources.always_called(one) and _no_keywords(of)(one))
    if function is None:
        return None
    ours.require_more(function)
    _place_use(of, theirs, function, ours)
    return ("dependency_conflict",), function.address


def _moved_use(of, ours, theirs):
    function = of.some(of.sources.top, lambda one: of.sources.where[one.name] == {one.path})
    if function is None:
        return None
    to = of.some_path({function.path})
    taken = ours.cut(function)
    name = of.name("elsewhere")
    ours.rename(function.name, f"{name}.{function.name}", {function.path})
    ours.insert(function.path, top_line(ours.text(function.path)), [f"import {of.sources.module(to)} as {name}"])
    ours.append(to, taken)
    _place_use(of, theirs, function, ours)
    return ("move_edit",), function.address


def _method_use(of, ours, theirs):
    """A method gets another name; a new method of the same class, elsewhere in the file, calls the old one."""
    function = of.some(of.sources.methods, lambda one: of.sources.where[one.name] == {one.path})
    if function is None:
        return None
    siblings = [
        one
        for one in functions(function.path, of.sources.files[function.path])
        if one.inside == function.inside and abs(one.last - function.first) > 12 and one.first > function.last + 6
    ]
    mentioned = [
        number for number, line in enumerate(of.sources.files[function.path].split("\n"), 1) if function.name in line
    ]
    siblings = [one for one in siblings if all(abs(one.last - number) > 6 for number in mentioned)]
    if not siblings:
        return None
    after = of.random.choice(siblings)
    ours.rename(function.name, of.name("given_another_name"))
    needed = functions_arguments(of.sources.files[function.path], function)
    call = f"self.{function.name}({', '.join(['None'] * needed)})"
    theirs.insert(after.path, after.last + 1, ["", f"    def {of.name('newly')}(self):", f"        return {call}"])
    return ("rename_edit",), function.address


def _class_base(of, ours, theirs):
    """A class gets another name; elsewhere a class is newly derived from the old one."""
    found = of.some(of.sources.classes)
    if found is None:
        return None
    path, name = found
    ours.rename(name, of.name("GivenAnotherName"))
    lines = [f"from {of.sources.module(path)} import {name}", "", "", f"class {of.name('Newly')}({name}):", "    pass"]
    theirs.append(of.some_path(set(ours.changed)), lines)
    return ("rename_edit",), f"{path}::{name}"


def _both_add(of, ours, theirs):
    """Both sides add a function of one name, in places that git keeps apart."""
    path = of.some_path()
    name = of.name("added_by_both")
    ours.append(path, [f"def {name}(one):", "    return one + 1"])
    theirs.insert(
        path, top_line(of.sources.files[path]), ["", "", f"def {name}(other, second):", "    return other * second"]
    )
    return ("add_add",), f"{path}::{name}"


def _renamed_with_alias(of, ours, theirs):
    """The old name goes on to mean the same: no conflict."""
    function = of.some(of.sources.top)
    new = of.name("given_another_name")
    ours.rename(function.name, new)
    ours.append(function.path, [f"{function.name} = {new}"])
    _place_use(of, theirs, function, ours)


def _moved_with_reexport(of, ours, theirs):
    """The old module still offers it: no conflict."""
    function = of.some(of.sources.top)
    to = of.some_path(of.sources.where[function.name])
    ours.append(to, ours.cut(function))
    line = top_line(ours.text(function.path))
    ours.insert(function.path, line, [f"from {of.sources.module(to)} import {function.name}  # noqa"])
    _place_use(of, theirs, function, ours)


def _optional_argument(of, ours, theirs):
    """The new call goes on to fit: no conflict."""
    function = of.some(of.sources.top)
    lines = ours.lines(function.path)
    ours.put(function.path, lines)
    number = next(n for n in range(function.first - 1, function.body) if f"def {function.name}(" in lines[n])
    lines[number] = lines[number].replace(f"def {function.name}()", f"def {function.name}(added=None)")
    ours.put(function.path, lines)
    _place_use(of, theirs, function, ours)


def _body_and_use(of, ours, theirs):
    """What is newly used was changed inside only: no conflict."""
    function = of.some(of.sources.top)
    _note(of, ours, function)
    _place_use(of, theirs, function, ours)


def _same_change(of, ours, theirs):
    """Both sides do the same: no conflict."""
    function = of.some(of.sources.top)
    new = of.name("given_another_name")
    for side in (ours, theirs):
        side.rename(function.name, new)


def _nothing(of, ours, theirs):
    """Only noise."""


def _note(of, side, function):
    text = side.lines(function.path)
    indent = text[function.body - 1][: len(text[function.body - 1]) - len(text[function.body - 1].lstrip())]
    side.insert(function.path, function.body, [f"{indent}{of.name('note')} = {of.number}"])


def _noise_body(of, side, busy):
    path = of.some_path(busy)
    if path in side.changed:
        return
    found = functions(path, of.sources.files[path])
    if found:
        _note(of, side, of.random.choice(found))


def _noise_hot(of, side, busy):
    """Edit one of very few places, so that both sides often meet."""
    pool = [one for one in of.sources.top[:FEW] if one.path not in busy and one.path not in side.changed]
    if pool:
        _note(of, side, of.random.choice(pool))


def _noise_append(of, side, busy):
    path = of.random.choice(sorted(of.sources.files)[-FEW:])
    if path not in busy:
        side.append(path, [f"def {of.name('extra')}():", f"    return {of.number}"])


def _noise_touch(of, side, busy):
    path = of.some_path(busy)
    if path in side.changed:
        return
    lines = side.lines(path)
    numbers = [n for n, line in enumerate(lines) if line.rstrip().endswith(")") and "#" not in line and '"' not in line]
    if numbers:
        number = of.random.choice(numbers)
        lines[number] += "  # looked at"
        try:
            compile("\n".join(lines), path, "exec")
        except SyntaxError:
            return
        side.put(path, lines)


def _noise_delete(of, side, busy):
    path = of.random.choice(["docs/old.txt", "tools/run.sh"])
    side.changed[path] = None


def _noise_text(of, side, busy):
    path = of.random.choice(["README.md", "docs/guide.txt", "docs/old.txt", "conf.json"])
    lines = OTHERS[path].split(b"\n")
    lines[of.random.randrange(len(lines) - 1)] += b" " + of.name("word").encode()
    side.changed[path] = b"\n".join(lines)


def _noise_binary(of, side, busy):
    side.changed["data.bin"] = OTHERS["data.bin"] + of.name("x").encode()


def _noise_mode(of, side, busy):
    side.changed["tools/run.sh"] = ("100755", OTHERS["tools/run.sh"])


def _noise_link(of, side, busy):
    side.changed[LINK] = ("120000", of.name("to").encode())


def _noise_move_text(of, side, busy):
    to = of.random.choice(["docs/guide.txt.moved", "guide.txt"])
    side.changed["docs/guide.txt"] = None
    side.changed[to] = OTHERS["docs/guide.txt"]


def _noise_folder(of, side, busy):
    """A folder becomes a file, or gets another file."""
    if of.random.random() < 0.5:
        side.changed["tools/run.sh"] = None
        side.changed["tools"] = b"now a file\n"
    else:
        side.changed[f"tools/{of.name('tool')}"] = b"x\n"


PLANTED = (_renamed_use, _deleted_use, _signature_use, _moved_use, _method_use, _class_base, _both_add)
DECOYS = (_renamed_with_alias, _moved_with_reexport, _optional_argument, _body_and_use, _same_change)
NOISE = (
    *(_noise_body, _noise_body, _noise_hot, _noise_hot, _noise_append, _noise_touch, _noise_delete, _noise_text),
    *(_noise_binary, _noise_mode, _noise_link, _noise_move_text, _noise_folder),
)


def write(folder, sources, cases):
    """Make a repository at ``folder`` with a base and two branches for each case; return the cases as a list."""
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    who = b"committer t <t@example.org> 1700000000 +0000\n"
    parts = [b"commit refs/heads/main\nmark :1\n", who, b"data 4\nbase\n"]
    base = {path: text.encode() for path, text in sources.files.items()} | OTHERS | {LINK: ("120000", b"README.md")}
    for path, content in sorted(base.items()):
        parts += _file(path, content)
    made = list(cases)
    for case in made:
        for name, changed in zip(case.names, (case.ours, case.theirs), strict=True):
            parts += [f"commit refs/heads/{name}\n".encode(), who, b"data 4\nside\nfrom :1\n"]
            for path, content in sorted(changed.items(), key=lambda one: one[1] is not None):
                parts += _file(path, content)
            parts.append(b"\n")
    done = subprocess.run(
        ["git", "-C", folder, "fast-import", "--quiet"], input=b"".join(parts), capture_output=True, check=False
    )
    assert not done.returncode, done.stderr.decode()
    subprocess.run(["git", "-C", folder, "reset", "-q", "--hard"], check=True)
    return made


def _file(path, content):
    if content is None:
        return [f"D {path}\n".encode()]
    mode, data = content if isinstance(content, tuple) else ("100644", content)
    return [f"M {mode} inline {path}\ndata {len(data)}\n".encode(), data, b"\n"]
