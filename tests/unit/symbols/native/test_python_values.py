"""Python: what is passed, returned, kept in a table and assigned again is followed as far as one file tells."""

import pytest

from bespeak_symbols.model import CALL
from support.sources import Sources

TWO = "def f(): pass\ndef g(): pass\n"
MADE = "class C:\n    def g(self): pass\n"
MADE_ASYNC = "class C:\n    def __aiter__(self): return self\n    async def __anext__(self): pass\n"
WRAP = "def one(job):\n    def inner(): job()\n    return inner\n"
GIVEN, FOUND = ("given", True), ("typed", True)

PASSED = {
    "by position": (TWO + "def run(job): job()\nrun(f)\n", {("run", "f"): GIVEN}),
    "by name, and a default": (
        TWO + "def run(job=f, *, other): job(); other()\nrun(other=g)\n",
        {("run", "f"): GIVEN, ("run", "g"): GIVEN},
    ),
    "what stands behind a star is given by name alone": (
        TWO + "def run(job, *rest, other=None): other()\nrun(f, g, g)\n",
        {},
    ),
    "nothing behind an argument that is spread": (TWO + "def run(a, job): job()\nrun(*f, g)\n", {}),
    "one call makes another no less certain": (
        TWO + "def run(job): job()\nrun(f)\nrun(g)\n",
        {("run", "f"): GIVEN, ("run", "g"): GIVEN},
    ),
    "on to the next": (
        TWO + "def inner(job): job()\ndef run(job): inner(job)\nrun(f)\n",
        {("inner", "f"): GIVEN},
    ),
    "to what was passed": (
        TWO + "def take(job): job()\ndef run(taker): taker(f)\nrun(take)\n",
        {("take", "f"): GIVEN, ("run", "take"): GIVEN},
    ),
    "by another name of the function": (TWO + "def run(job): job()\nalso = run\nalso(f)\n", {("run", "f"): GIVEN}),
    "to a method of an object made in sight": (
        TWO + "class R:\n    def run(self, job): job()\nr = R()\nr.run(f)\n",
        {("R.run", "f"): GIVEN},
    ),
    "to a method by its class": (
        TWO + "class R:\n    def run(self, job): job()\nR.run(None, f)\n",
        {("R.run", "f"): GIVEN},
    ),
    "to a static and to a class method": (
        TWO
        + "class R:\n    @staticmethod\n    def one(job): job()\n    @classmethod\n    def two(cls, job): job()\n"
        + "R.one(f)\nR.two(g)\n",
        {("R.one", "f"): GIVEN, ("R.two", "g"): GIVEN},
    ),
    "to a constructor, which keeps it": (
        TWO + "class R:\n    def __init__(self, job): self.job = job\n    def run(self): self.job()\nR(f)\n",
        {("R.run", "f"): ("self", True)},
    ),
    "to a constructor of a base": (
        TWO + "class B:\n    def __init__(self, job): job()\nclass R(B): pass\nR(f)\n",
        {("B.__init__", "f"): GIVEN},
    ),
    "to a decorator": (
        "def deco(job):\n    def inner(): job()\n    return inner\n@deco\ndef f(): pass\n",
        {("deco.inner", "f"): GIVEN},
    ),
    "from one decorator to the next": (
        WRAP + "def two(job):\n    def inner(): job()\n    return inner\n@one\n@two\ndef f(): pass\n",
        {("two.inner", "f"): GIVEN, ("one.inner", "two.inner"): GIVEN},
    ),
    "an object": (MADE + "def run(c): c.g()\nrun(C())\n", {("run", "C.g"): GIVEN}),
    "an object whose method a derived class has too": (
        MADE + "class D(C):\n    def g(self): pass\ndef make() -> C: ...\ndef run(c): c.g()\nrun(make())\n",
        {("run", "C.g"): ("given", False), ("run", "D.g"): ("override", False)},
    ),
    "not what its annotation contradicts": (
        MADE + "class D:\n    def g(self): pass\ndef run(c: D): c.g()\nrun(C())\n",
        {("run", "D.g"): ("typed", False)},
    ),
    "another thing where it is assigned": (
        TWO + "def run(job):\n    job = g\n    job()\nrun(f)\n",
        {("run", "f"): None},
    ),
    "to itself, for ever": (TWO + "def run(job):\n    run(job)\n    job()\nrun(f)\n", {("run", "f"): GIVEN}),
}

RETURNED = {
    "a function": (TWO + "def make(): return f\nmake()()\n", {("a.py", "f"): FOUND}),
    "one of two": (
        TWO + "def make(x):\n    if x: return f\n    return g\nmake(1)()\n",
        {("a.py", "f"): ("typed", False), ("a.py", "g"): ("typed", False)},
    ),
    "what a decorator may have changed": (
        "import other\n" + TWO + "@other.wrap\ndef make(): return f\nmake()()\n",
        {("a.py", "f"): ("typed", False)},
    ),
    "by a method that a derived class has too": (
        TWO
        + "class B:\n    def make(self): return f\nclass D(B):\n    def make(self): return g\ndef h(b: B): b.make()()\n",
        {("h", "f"): ("typed", False)},
    ),
    "the object itself": (
        "class C:\n    def a(self): return self\n    def b(self): pass\nC().a().b()\n",
        {("a.py", "C.b"): FOUND},
    ),
    "by what a call returned": (
        "def outer():\n    def deco(f): return f\n    return deco\n@outer()\ndef h(): pass\n",
        {
            ("a.py", "outer.deco"): FOUND,
        },
    ),
    "yielded": (TWO + "def each():\n    yield f\nfor one in each(): one()\n", {("a.py", "f"): ("alias", True)}),
    "yielded by another": (
        TWO + "def each():\n    yield f\ndef more():\n    yield from each()\nfor one in more(): one()\n",
        {("a.py", "f"): None},
    ),
}

KEPT = {
    "at a key": (TWO + "T = {'a': f, 'b': g}\nT['b']()\n", {("a.py", "g"): ("local", True), ("a.py", "f"): None}),
    "at a number": (TWO + "T = [f, g]\nT[1]()\n", {("a.py", "g"): ("local", True), ("a.py", "f"): None}),
    "at a key nobody knows": (
        TWO + "T = {'a': f, 'b': g}\ndef h(key): T[key]()\n",
        {("h", "f"): ("local", False), ("h", "g"): ("local", False)},
    ),
    "at a key that is not there": (TWO + "T = {'a': f}\nT['b']()\n", {("a.py", "f"): None}),
    "at a key that was set later": (TWO + "T = {}\nT['a'] = f\nT['a']()\n", {("a.py", "f"): ("local", True)}),
    "at a key that was set again": (
        TWO + "T = {'a': f}\nT.update({'a': g})\nT['a']()\n",
        {("a.py", "f"): ("local", False), ("a.py", "g"): ("local", False)},
    ),
    "at a key that may have been set again": (
        TWO + "def h(more):\n    T = {'a': f}\n    T.update(more)\n    T['a']()\n",
        {("h", "f"): ("local", False)},
    ),
    "inside another": (TWO + "T = {'a': [f, {'b': g}]}\nT['a'][1]['b']()\n", {("a.py", "g"): ("local", True)}),
    "behind what was appended": (
        TWO + "T = [f]\nT.append(g)\nT[0]()\n",
        {("a.py", "f"): ("local", True), ("a.py", "g"): None},
    ),
    "in a part of a list": (TWO + "T = [f, g]\nfor one in T[1:]: one()\n", {("a.py", "g"): ("alias", False)}),
    "in what a function returns": (
        TWO + "def make(): return f, g\nmake()[0]()\n",
        {("a.py", "f"): ("local", True), ("a.py", "g"): None},
    ),
    "in an attribute that is set once": (
        TWO + "class C:\n    def __init__(self): self.job = f\n    def run(self): self.job()\n",
        {("C.run", "f"): ("self", True)},
    ),
    "in an attribute that is set twice": (
        TWO
        + "class C:\n    def __init__(self): self.job = f\n    def set(self): self.job = g\n    def run(self): self.job()\n",
        {("C.run", "f"): ("self", False), ("C.run", "g"): ("self", False)},
    ),
}

ASSIGNED = {
    "the last one": (TWO + "x = f\nx()\nx = g\nx()\n", {("a.py", "f", 4): True, ("a.py", "g", 6): True}),
    "in a function": (
        TWO + "def h():\n    x = f\n    x()\n    x = g\n    if x:\n        x()\n",
        {("h", "f", 5): True, ("h", "g", 8): True},
    ),
    "either where one is in a condition": (
        TWO + "x = f\nif g:\n    x = g\nx()\n",
        {("a.py", "f", 6): False, ("a.py", "g", 6): False},
    ),
    "either in a function inside, which is called later": (
        TWO + "x = f\ndef h(): x()\nx = g\n",
        {("h", "f", 4): False, ("h", "g", 4): False},
    ),
    "either in a lambda": (
        TWO + "x = f\ny = lambda: x()\nx = g\n",
        {("a.py", "f", 4): False, ("a.py", "g", 4): False},
    ),
    "either in a loop": (
        TWO + "def h():\n    x = f\n    for _ in (1, 2):\n        x()\n        x = g\n",
        {("h", "f", 6): False, ("h", "g", 6): False},
    ),
    "by its own name in its own value": (TWO + "x = f\nx = x()\n", {("a.py", "f", 4): True}),
    "one of several at once": (
        TWO + "a, (b, *c) = f, (g, f, g)\na()\nb()\nc[1]()\n",
        {("a.py", "f", 4): True, ("a.py", "g", 5): True, ("a.py", "g", 6): True},
    ),
}

LOOPED = {
    "over an object": (
        "class C:\n    def __iter__(self): return self\n    def __next__(self): pass\ndef h():\n    for x in C(): pass\n",
        {("h", "C.__iter__"): FOUND, ("h", "C.__next__"): FOUND},
    ),
    "over an object, asynchronously": (
        MADE_ASYNC + "async def h():\n    async for x in C(): pass\n",
        {("h", "C.__aiter__"): FOUND, ("h", "C.__anext__"): FOUND},
    ),
    "in a comprehension": (
        "class C:\n    def __iter__(self): return iter(())\ndef h(): return [x for x in C()]\n",
        {("h", "C.__iter__"): FOUND},
    ),
    "what is raised is made": (
        "class E(Exception):\n    def __init__(self): pass\ndef h(): raise E\n",
        {("h", "E.__init__"): ("class", True)},
    ),
    "what was caught is not made again": (
        "class E(Exception):\n    def __init__(self): pass\ndef h():\n    try: ...\n    except E as error: raise error\n",
        {("h", "E.__init__"): None},
    ),
}


def calls(source):
    """Return the calls of a file with their places: {(caller, callee, line): (how, certain)}."""
    edges = Sources({"a.py": source}).edges("a.py")
    return {
        (edge.caller.replace("a.py::", ""), edge.callee.replace("a.py::", ""), edge.line): (edge.how, edge.certain)
        for edge in edges
        if edge.kind == CALL
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [pytest.param(*case, id=name) for rules in (PASSED, RETURNED, KEPT, LOOPED) for name, case in rules.items()],
)
def test_a_value_is_followed(source, expected):
    found = {(caller, callee): how for (caller, callee, _), how in calls(source).items()}
    assert {pair: found.get(pair) for pair in expected} == expected


@pytest.mark.parametrize("rule", ASSIGNED)
def test_a_use_sees_the_assignment_before_it(rule):
    source, expected = ASSIGNED[rule]
    found = {place: certain for place, (_, certain) in calls(source).items() if place[1] in {"f", "g"}}
    assert found == expected


def test_a_parameter_that_calls_of_other_files_may_give_more_keeps_its_guesses():
    files = {
        "a.py": MADE + "def run(c): c.unusual()\nclass D:\n    def unusual(self): pass\nrun(D())\n",
        "b.py": "class E:\n    def unusual(self): pass\n",
    }
    edges = [edge for edge in Sources(files).edges("a.py") if edge.caller == "a.py::run"]
    assert {(edge.callee, edge.how, edge.certain) for edge in edges} >= {
        ("a.py::D.unusual", "given", True),
        ("b.py::E.unusual", "name", False),
    }
