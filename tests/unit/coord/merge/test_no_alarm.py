"""Changes that look like conflicts and break nothing, each with the twin that does: both orders."""

import pytest

from bespeak.coord.merge.model import Verdict

GAP = "\n".join(f"// {number}" for number in range(8)) + "\n"
C = "int f(int x)\n{\n\tx += 1;\n\treturn x;\n}\n"
CALLED = "int g(int x)\n{\n\treturn f(x);\n}\n"
IDLE = "int g(int x)\n{\n\treturn 1;\n}\n"
JAVA = "package p;\n\nclass A {\n    int f(int a) {\n        int x = a;\n        return x;\n    }\n}\n"
STATIC = JAVA.replace("int f", "static int f")
GO = "package m\n\nfunc Two(a interface{}) int {\n\tx := 1\n\treturn x\n}\n"
CALLBACK = "foo(function cb(x) {\n  return x;\n});\n"
PYTHON = "from typing import List, Optional\n\n\ndef f(a: Optional[int]) -> List[int]:\n    c = a\n    return c\n"

HARMLESS = {
    "c static, called in its file": (
        {"a.c": C + GAP + IDLE},
        {"a.c": "static " + C + GAP + IDLE},
        {"a.c": C + GAP + CALLED},
    ),
    "c static in a header": (
        {"a.h": C},
        {"a.h": "static " + C},
        {"b.c": '#include "a.h"\n' + CALLED},
    ),
    "java method that needs no object": (
        {"p/A.java": JAVA},
        {"p/A.java": STATIC},
        {"p/B.java": "package p;\n\nclass B {\n    int g() { return new A().f(1); }\n}\n"},
    ),
    "java final": (
        {"p/A.java": JAVA.replace("(int a)", "(final int a)")},
        {"p/A.java": JAVA},
        {"p/B.java": "package p;\n\nclass B {\n    int g() { return new A().f(1); }\n}\n"},
    ),
    "go any": (
        {"go.mod": "module m\n", "m.go": GO},
        {"m.go": GO.replace("interface{}", "any")},
        {"u.go": "package m\n\nfunc U() int {\n\treturn Two(1)\n}\n"},
    ),
    "python types in another notation": (
        {"a.py": PYTHON},
        {"a.py": PYTHON.replace("Optional[int]", "int | None").replace("List[int]:", "list[int]:")},
        {"b.py": "from a import f\n\nf(1)\n"},
    ),
    "javascript named callbacks": (
        {"a.js": "const q = 1;\n" + GAP + "const r = 1;\n"},
        {"a.js": "const q = 1;\n" + CALLBACK + GAP + "const r = 1;\n"},
        {"a.js": "const q = 1;\n" + GAP + "const r = 1;\n" + CALLBACK.replace("return x", "return x + 1")},
    ),
    "go files for two systems": (
        {"go.mod": "module m\n", "m.go": "package m\n"},
        {"a_linux.go": GO},
        {"a_windows.go": GO.replace("x := 1", "x := 2")},
    ),
}
PACKED = "function it(n) {\n  var t = n;\n  return t + 1;\n}\n"
USES_PACKED = "run(function () {\n  it(1);\n});\n"
HARMLESS["javascript name in a packed file"] = (
    {"dist/a.min.js": PACKED.replace("\n", " ") + "t(n)," * 300 + "\n"},
    {"dist/a.min.js": PACKED.replace("\n", " ").replace("it", "ot") + "t(n)," * 300 + "\n"},
    {"test/b.js": USES_PACKED},
)

BROKEN = {
    "javascript name of a script": (
        {"dist/a.js": PACKED},
        {"dist/a.js": PACKED.replace("it", "ot")},
        {"test/b.js": USES_PACKED},
    ),
    "c static, called elsewhere": ({"a.c": C}, {"a.c": "static " + C}, {"b.c": "int f(int x);\n" + CALLED}),
    "java method that needs an object": (
        {"p/A.java": STATIC},
        {"p/A.java": JAVA},
        {"p/B.java": "package p;\n\nclass B {\n    int g() { return A.f(1); }\n}\n"},
    ),
    "javascript functions": (
        {"a.js": "const q = 1;\n" + GAP + "const r = 1;\n"},
        {"a.js": "const q = 1;\nfunction cb(x) {\n  return x;\n}\n" + GAP + "const r = 1;\n"},
        {"a.js": "const q = 1;\n" + GAP + "const r = 1;\nfunction cb(x) {\n  return x + 1;\n}\n"},
    ),
    "go files for every system": (
        {"go.mod": "module m\n", "m.go": "package m\n"},
        {"a.go": GO},
        {"b.go": GO.replace("x := 1", "x := 2")},
    ),
}


def fork(forked, base, one, two, *, turned):
    forked.fork(base, *((two, one) if turned else (one, two)))
    assert forked.conflicted() == (set(), True)
    return forked.plan()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("case", HARMLESS)
def test_what_breaks_nothing_is_clean(forked, case, turned):
    plan = fork(forked, *HARMLESS[case], turned=turned)
    assert (plan.items, plan.verdict) == ((), Verdict.CLEAN)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_is_told(forked, case, turned):
    plan = fork(forked, *BROKEN[case], turned=turned)
    assert plan.verdict == Verdict.SEMANTIC, plan.items
