"""Python: each rule by which a name is resolved, and that no program, however odd, breaks the resolver."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bespeak_symbols.model import CALL, IMPORT, INHERIT, USE
from bespeak_symbols.native.python.extract import extract
from support.sources import Sources


def calls(files, path="a.py", kind=CALL):
    """Return what a file calls: {(caller, callee): (how, certain)}, addresses in it by their names alone."""
    world = files if isinstance(files, Sources) else Sources({path: files} if isinstance(files, str) else files)
    return {
        (edge.caller.replace(f"{path}::", ""), edge.callee.replace(f"{path}::", "")): (edge.how, edge.certain)
        for edge in world.edges(path)
        if edge.kind == kind
    }


RULES = {
    "a function in sight": ("def f(): pass\ndef g(): f()\n", {("g", "f"): ("local", True)}),
    "the top level of a file": ("def f(): pass\nf()\n", {("a.py", "f"): ("local", True)}),
    "the body of a class": ("def f(): pass\nclass C:\n    x = f()\n", {("C", "f"): ("local", True)}),
    "a method of its own": (
        "class C:\n    def f(self): self.g()\n    def g(self): pass\n",
        {("C.f", "C.g"): ("self", True)},
    ),
    "the receiver by any name": (
        "class C:\n    def f(me): me.g()\n    def g(self): pass\n",
        {("C.f", "C.g"): ("self", True)},
    ),
    "not self of a static method": (
        "class C:\n    @staticmethod\n    def f(self): self.unusual()\n    def unusual(self): pass\n",
        {("C", "staticmethod"): None, ("C.f", "C.unusual"): ("name", False)},
    ),
    "a method that a derived class has too": (
        "class C:\n    def f(self): self.g()\n    def g(self): pass\nclass D(C):\n    def g(self): pass\n",
        {("C.f", "C.g"): ("self", False), ("C.f", "D.g"): ("override", False)},
    ),
    "a method of a base": (
        "class B:\n    def g(self): pass\nclass C(B):\n    def f(self): self.g()\n",
        {("C.f", "B.g"): ("inherited", True)},
    ),
    "a method of the next class": (
        "class B:\n    def f(self): pass\nclass C(B):\n    def f(self): super().f()\n",
        {("C.f", "B.f"): ("inherited", True)},
    ),
    "an unknown base may come first": (
        "import other\nclass B:\n    def g(self): pass\nclass C(other.X, B):\n    def f(self): self.g()\n",
        {("C.f", "B.g"): ("inherited", False)},
    ),
    "the order of Python's own rule": (
        "class A:\n    def g(self): pass\nclass B(A): pass\nclass C(A):\n    def g(self): pass\nclass D(B, C):\n    def f(self): self.g()\n",
        {("D.f", "C.g"): ("inherited", True)},
    ),
    "a class and its constructor": (
        "class C:\n    def __init__(self): pass\ndef f(): C()\n",
        {("f", "C"): ("local", True), ("f", "C.__init__"): ("constructor", True)},
    ),
    "an object made in sight": (
        "class C:\n    def g(self): pass\ndef f():\n    c = C()\n    c.g()\n",
        {("f", "C"): ("local", True), ("f", "C.g"): ("typed", True)},
    ),
    "one of two objects": (
        "class C:\n    def g(self): pass\nclass D:\n    def g(self): pass\ndef f(x):\n    c = C() if x else D()\n    c.g()\n",
        {
            ("f", "C"): ("local", True),
            ("f", "D"): ("local", True),
            ("f", "C.g"): ("typed", False),
            ("f", "D.g"): ("typed", False),
        },
    ),
    "a declared parameter": (
        "class C:\n    def g(self): pass\ndef f(c: 'C | None', *more: C, **named: C):\n    c.g()\n",
        {("f", "C.g"): ("typed", False)},
    ),
    "a declared result": (
        "class C:\n    def g(self): pass\ndef make() -> C: ...\ndef f(): make().g()\n",
        {("f", "make"): ("local", True), ("f", "C.g"): ("typed", False)},
    ),
    "items of a declared list": (
        "class C:\n    def g(self): pass\ndef f(cs: list[C]):\n    [c.g() for c in sorted(cs)]\n",
        {("f", "C.g"): ("typed", False)},
    ),
    "what was put into a list": (
        "class C:\n    def g(self): pass\ndef f():\n    cs = []\n    cs.append(C())\n    cs[0].g()\n",
        {("f", "C"): ("local", True), ("f", "C.g"): ("typed", False)},
    ),
    "a property is called by naming it": (
        "class C:\n    @property\n    def p(self): pass\n    def f(self): return self.p\n",
        {("C.f", "C.p"): ("self", True)},
    ),
    "a with statement enters and leaves": (
        "class C:\n    def __enter__(self): return self\n    def __exit__(self, *a): ...\n    def g(self): ...\ndef f():\n    with C() as c: c.g()\n",
        {
            ("f", "C"): ("local", True),
            ("f", "C.__enter__"): ("typed", True),
            ("f", "C.__exit__"): ("typed", True),
            ("f", "C.g"): ("typed", True),
        },
    ),
    "a variable that is another function": (
        "def f(): pass\nalso = f\ndef g(): also()\n",
        {("g", "f"): ("alias", True)},
    ),
    "a method that is set from outside": (
        "class C:\n    def g(self): pass\ndef h(self): pass\nC.g = h\ndef f(): C().g()\n",
        {("f", "C"): ("local", True), ("f", "C.g"): ("typed", False), ("f", "h"): ("typed", False)},
    ),
    "a table of functions": (
        "def f(): pass\nT = {'f': f}\ndef g(x): T[x]()\n",
        {("g", "f"): ("local", False)},
    ),
    "a nested function, not one outside": (
        "def f(): pass\ndef g():\n    def f(): pass\n    f()\n",
        {("g", "g.f"): ("local", True)},
    ),
    "names of a class are not seen in its methods": (
        "def f(): pass\nclass C:\n    def f(self): f()\n",
        {("C.f", "f"): ("local", True)},
    ),
    "a parameter hides a function": ("def f(): pass\ndef g(f): f()\n", {}),
    "a loop hides a function": ("def f(): pass\ndef g():\n    for f in ():\n        f()\n", {}),
    "a comprehension hides a function only inside": (
        "def f(): pass\ndef g():\n    [f() for f in ()]\n    f()\n",
        {("g", "f"): ("local", True)},
    ),
    "a lambda hides a function only inside": (
        "def f(): pass\ndef g(): return lambda f: f(), lambda: f()\n",
        {("g", "f"): ("local", True)},
    ),
    "a pattern hides a function": ("def f(): pass\ndef g(x):\n    match x:\n        case [f]:\n            f()\n", {}),
    "a global statement does not hide it": (
        "def f(): pass\ndef g():\n    global f\n    f()\n",
        {("g", "f"): ("local", True)},
    ),
    "a function that may be another is not certain": (
        "def f(): pass\ndef h(): pass\nif f: k = f\nelse: k = h\ndef g(): k()\n",
        {("g", "f"): ("alias", False), ("g", "h"): ("alias", False)},
    ),
    "builtins and other projects have no edges": (
        "import os\ndef g():\n    len([])\n    os.getcwd()\n    print()\n",
        {},
    ),
    "text is no call": ("def f(): pass\ndef g(): return 'f()'\n", {}),
    "an f-string is code": ("def f(): pass\ndef g(): return f'{f()}'\n", {("g", "f"): ("local", True)}),
}


@pytest.mark.parametrize("rule", RULES)
def test_rules(rule):
    source, expected = RULES[rule]
    assert calls(source) == {pair: how for pair, how in expected.items() if how is not None}


PACKAGE = {
    "src/p/__init__.py": "from .one import f as g\nfrom .two import *\n",
    "src/p/one.py": "def f(): pass\ndef _hidden(): pass\n",
    "src/p/two.py": "__all__ = ['listed']\ndef listed(): pass\ndef unlisted(): pass\n",
    "src/p/sub/three.py": "from .. import g\nfrom ..one import f\nfrom . import four\n",
    "src/p/sub/four.py": "def h(): pass\n",
    "src/p/late.py": "def __getattr__(name): pass\n",
    "tests/one.py": "def f(): pass\n",
}
IMPORTS = {
    "import p.one\np.one.f()\n": {"src/p/one.py::f": ("module", True)},
    "import p.one as o\no.f()\n": {"src/p/one.py::f": ("module", True)},
    "from p import one\none.f()\n": {"src/p/one.py::f": ("module", True)},
    "from p.one import f\nf()\n": {"src/p/one.py::f": ("import", True)},
    "from p.one import f as x\nx()\n": {"src/p/one.py::f": ("import", True)},
    "from p import g\ng()\n": {"src/p/one.py::f": ("re-export", True)},
    "import p\np.g()\n": {"src/p/one.py::f": ("module", True)},
    "from p import listed\nlisted()\n": {"src/p/two.py::listed": ("re-export", True)},
    "from p import *\nlisted()\n": {"src/p/two.py::listed": ("import", True)},
    "from p import unlisted\nunlisted()\n": {},
    "from p.one import *\n_hidden()\n": {},
    "from p.two import *\nunlisted()\n": {},
    "from p.sub.three import f\nf()\n": {"src/p/one.py::f": ("re-export", True)},
    "from p.sub import four\nfour.h()\n": {"src/p/sub/four.py::h": ("module", True)},
    "from p.late import anything\nanything()\n": {},
    "from p import nothing\nnothing()\n": {},
    "from q import f\nf()\n": {},
    "from one import f\nf()\n": {},
    "try:\n    from p.one import f\nexcept ImportError:\n    def f(): pass\nf()\n": {
        "src/p/one.py::f": ("import", False),
        "f": ("local", False),
    },
    "try:\n    import p.one as o\nexcept ImportError:\n    o = None\no.f()\n": {"src/p/one.py::f": ("module", True)},
    "from other import *\nf()\n": {},
}


@pytest.mark.parametrize("source", IMPORTS)
def test_imports(source):
    found = calls({**PACKAGE, "a.py": source})
    assert {callee: how for (_, callee), how in found.items()} == IMPORTS[source]


def test_the_nearest_module_of_a_name_is_meant_and_the_standard_library_is_not_hidden():
    world = Sources(
        {
            "x/src/util/__init__.py": "def f(): pass\n",
            "y/src/util/__init__.py": "def f(): pass\n",
            "y/src/app/__init__.py": "",
            "y/src/app/main.py": "import util\nimport json\nutil.f()\njson.loads()\n",
            "tools/json.py": "def loads(): pass\n",
        }
    )
    assert calls(world, "y/src/app/main.py") == {("y/src/app/main.py", "y/src/util/__init__.py::f"): ("module", True)}


def test_what_is_imported_derived_from_and_named_has_edges_of_its_own():
    files = {"b.py": "class B: pass\nX = 1\n", "a.py": "import b\nfrom b import X\nclass C(b.B):\n    y = X\n"}
    assert calls(files, kind=INHERIT) == {("C", "b.py::B"): ("module", True)}
    assert set(calls(files, kind=IMPORT)) == {("a.py", "b.py"), ("a.py", "b.py::X")}
    assert calls(files, kind=USE)[("C", "b.py::X")] == ("import", True)


def test_symbols_have_places_signatures_and_digests_that_tell_what_changed():
    def facts(source):
        return {symbol.name: symbol for symbol in extract(source.encode(), "a.py").symbols}

    first = facts(
        "@deco\ndef f(a, b: int = 1) -> str:\n    '''Doc.'''\n    def g():\n        return f\n    return g\n\nX: int = 1\n"
    )
    assert (first["f"].first_line, first["f"].last_line, first["f"].kind) == (1, 6, "function")
    assert first["f"].signature == "@deco def(a, b:int=1) -> str"
    assert (first["f.g"].first_line, first["f.g"].last_line) == (4, 5)
    assert (first["X"].kind, first["X"].signature) == ("constant", ": int")
    laid_out = facts(
        "@deco  # why\ndef f(a,\n      b: int=1)->str:\n    '''Doc.'''\n\n    def g(): return f\n    return g\nX: int = 1\n"
    )
    for name, symbol in first.items():
        assert (laid_out[name].signature, laid_out[name].body) == (symbol.signature, symbol.body) or name == "f"
    said = facts(
        "@deco\ndef f(a, b: int = 1) -> str:\n    '''Other.'''\n    def g():\n        return f\n    return g\n"
    )
    assert (said["f"].body, said["f"].own) == (first["f"].body, first["f"].own)
    assert said["f"].doc != first["f"].doc
    inner = facts("@deco\ndef f(a, b: int = 1) -> str:\n    '''Doc.'''\n    def g():\n        return 2\n    return g\n")
    assert inner["f"].body != first["f"].body
    assert inner["f"].own == first["f"].own
    renamed = facts(
        "@deco\ndef h(a, b: int = 1) -> str:\n    '''Doc.'''\n    def g():\n        return h\n    return g\n"
    )
    assert renamed["h"].own == first["f"].own
    assert renamed["h"].signature == first["f"].signature


NAMES = st.sampled_from(["a", "b", "c", "A", "B", "m", "n"])
EXPRESSIONS = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        st.builds("{}.{}".format, inner, NAMES),
        st.builds("{}()".format, inner),
        st.builds("{}({})".format, inner, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("[{1} for {0} in {1}]".format, NAMES, inner),
        st.builds("(lambda {}: {})".format, NAMES, inner),
        st.builds("super().{}".format, NAMES),
    ),
    max_leaves=6,
)
SIMPLE = st.one_of(
    st.builds("{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("self.{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("{}: {} = {}".format, NAMES, EXPRESSIONS, EXPRESSIONS),
    st.builds(
        "from {} import {}".format, st.sampled_from(["m", "n", ".", ".m", "m.n", "n.m"]), st.one_of(NAMES, st.just("*"))
    ),
    st.builds("import {} as {}".format, st.sampled_from(["m", "n", "m.n"]), NAMES),
    st.builds("global {}".format, NAMES),
    st.builds("{}.append({})".format, NAMES, EXPRESSIONS),
    st.builds("return {}".format, EXPRESSIONS),
    EXPRESSIONS,
)


def block(lines):
    return "\n".join("    " + line for part in lines or ["pass"] for line in part.split("\n"))


STATEMENTS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(
            lambda name, by, body: f"class {name}({by}):\n{block(body)}",
            NAMES,
            EXPRESSIONS,
            st.lists(inner, max_size=3),
        ),
        st.builds(lambda name, body: f"def {name}(self, a: A=b):\n{block(body)}", NAMES, st.lists(inner, max_size=3)),
        st.builds(lambda name, body: f"with {name} as {name}:\n{block(body)}", NAMES, st.lists(inner, max_size=2)),
        st.builds(lambda name, body: f"for {name} in {name}:\n{block(body)}", NAMES, st.lists(inner, max_size=2)),
    ),
    max_leaves=8,
)
FILES = st.dictionaries(
    st.sampled_from(["m.py", "n.py", "m/__init__.py", "m/n.py", "n/m.py", "x/m.py"]),
    st.lists(STATEMENTS, max_size=7).map("\n".join),
    min_size=1,
)


@settings(max_examples=250, deadline=None)
@given(files=FILES)
def test_any_program_is_resolved_to_symbols_that_exist_whatever_is_asked_first(files):
    world = Sources(files)
    forward = [set(world.edges(path)) for path in world.paths]
    again = Sources(files)
    backward = [set(again.edges(path)) for path in reversed(again.paths)]
    assert forward == backward[::-1]
    symbols = world.addresses()
    for edge in (edge for edges in forward for edge in edges):
        assert edge.caller in symbols
        assert edge.callee in symbols
        assert 0 < edge.confidence <= 1
        assert edge.kind in (CALL, USE, IMPORT, INHERIT)


CHAINS = {
    "modules that export each other's names": {f"m{n}.py": f"from m{n + 1} import *\n" for n in range(700)},
    "names that are names that are names": {"a.py": "\n".join(f"x{n} = x{n + 1}" for n in range(900)) + "\nx0()\n"},
    "classes derived from derived classes": {
        "a.py": "\n".join(f"class C{n}(C{n - 1}): pass" for n in range(900)) + "\nC899()\n"
    },
    "functions that return each other": {
        "a.py": "\n".join(f"def f{n}(): return f{n + 1}()" for n in range(900)) + "\nf0().x()\n"
    },
    "imports that go round": {f"m{n}.py": f"from m{(n + 1) % 50} import x\nx()\n" for n in range(50)},
    "a class derived from itself": {"a.py": "class C(D): pass\nclass D(C):\n    def f(self): self.g()\nC().f().g()\n"},
    "a long chain of attributes": {"a.py": "def f(): pass\nf()" + ".y" * 3000 + "()\n"},
}


@pytest.mark.parametrize("kind", CHAINS)
def test_long_and_circular_ways_end(kind):
    world = Sources(CHAINS[kind])
    for path in list(world.paths)[:3]:
        ends = {end for edge in world.edges(path) for end in (edge.caller, edge.callee)}
        assert ends
        assert ends <= world.addresses()
