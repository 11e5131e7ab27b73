"""Merges that git makes and that break, which plans once called clean: each with a harmless twin."""

import pytest

from bespeak.coord.merge.model import ItemKind, Verdict

GO = {"go.mod": "module m\n", "m.go": "package m\n\nfunc Load(name string) int {\n\treturn len(name)\n}\n"}
TWO = {"m.go": GO["m.go"].replace(") int {", ") (int, error) {").replace("(name)\n", "(name), nil\n")}
SHAPE = "package m\n\ntype Shape interface {\n\tArea() int\n}\n\nfunc Measure(s Shape) int {\n\treturn s.Area()\n}\n"
NAMED = SHAPE.replace("\tArea() int\n", "\tArea() int\n\tName() string\n")
SQUARE = "package m\n\ntype Square struct{}\n\nfunc (s Square) Area() int {\n\treturn 1\n}\n"
MEASURED = SQUARE + "\nfunc New() int {\n\treturn Measure(Square{})\n}\n"
WAIT = "def wait(event, timeout=30, *, loud=False):\n    return event, timeout, loud\n"
PAINT = "export default function paint(wall) {\n  return wall;\n}\n"
TAKES = 'import paint from "./paint.js";\n\nexport const wall = paint(1);\n'
PROJECT = '{\n  "name": "m",\n  "imports": {\n    "#tools/*": "./src/*.js"\n  }\n}\n'
TOOL = {"package.json": PROJECT, "src/saw.js": "export function cut(wood) {\n  return wood;\n}\n"}
SHORT = {"src/use.js": 'import { cut } from "#tools/saw";\n\nexport const cutter = () => cut(1);\n'}
C = {"a.c": "int one(void)\n{\n\treturn 1;\n}\n", "b.c": "int two(void)\n{\n\treturn 2;\n}\n"}
JS_WAIT = "export function wait(event, timeout = 30) {\n  return [event, timeout];\n}\n"

KIND = "export class Kind {\n  static NEAR = 1;\n  static FAR = 2;\n}\n"
GAP = "\n".join(f"// {number}" for number in range(8))
USES = f"""import {{ Kind }} from "./kind";

export function one() {{
  return Kind.NEAR;
}}
{GAP}
"""


def waits(call):
    return {"b.py": f"from a import wait\n\n\ndef new():\n    return {call}\n"}


def js_waits(call):
    return {"b.js": f'import {{ wait }} from "./a.js";\n\nexport const waits = () => {call};\n'}


BROKEN = {
    "go results": (GO, TWO, {"n.go": 'package m\n\nfunc New() int {\n\tn := Load("a")\n\treturn n\n}\n'}),
    "go interface": ({"go.mod": "module m\n", "m.go": SHAPE}, {"m.go": NAMED}, {"n.go": MEASURED}),
    "python default": ({"a.py": WAIT}, {"a.py": WAIT.replace("30", "5")}, waits("wait(1)")),
    "python default by name": ({"a.py": WAIT}, {"a.py": WAIT.replace("False", "True")}, waits("wait(1, 2)")),
    "javascript default": ({"a.js": JS_WAIT}, {"a.js": JS_WAIT.replace("30", "5")}, js_waits("wait(1)")),
    "named export": ({"paint.js": PAINT}, {"paint.js": PAINT.replace("default ", "")}, {"wall.js": TAKES}),
    "short name": (TOOL, {"package.json": PROJECT.replace("#tools", "#core")}, SHORT),
    "typescript static member": (
        {"kind.ts": KIND, "uses.ts": USES},
        {"kind.ts": KIND.replace("Kind", "Sort"), "uses.ts": USES.replace("Kind", "Sort")},
        {"uses.ts": USES + "\nexport function two() {\n  return Kind.FAR;\n}\n"},
    ),
    "c global": (C, {"a.c": C["a.c"] + "\nint total = 1;\n"}, {"b.c": C["b.c"] + "\nint total = 2;\n"}),
}
HARMLESS = {
    "go results": (GO, TWO, {"n.go": 'package m\n\nfunc New() {\n\tLoad("a")\n}\n'}),
    "go interface": ({"go.mod": "module m\n", "m.go": SHAPE}, {"m.go": NAMED}, {"n.go": SQUARE}),
    "python default": ({"a.py": WAIT}, {"a.py": WAIT.replace("30", "5")}, waits("wait(1, timeout=2)")),
    "python default by name": ({"a.py": WAIT}, {"a.py": WAIT.replace("False", "True")}, waits("wait(1, loud=1)")),
    "javascript default": ({"a.js": JS_WAIT}, {"a.js": JS_WAIT.replace("30", "5")}, js_waits("wait(1, 2)")),
    "named export": (
        {"paint.js": PAINT},
        {"paint.js": PAINT.replace("default ", "") + "\nexport default paint;\n"},
        {"wall.js": TAKES},
    ),
    "short name": (TOOL, {"package.json": PROJECT.replace("{\n    ", '{\n    "#core/*": "./src/*.js",\n    ')}, SHORT),
    "typescript static member": (
        {"kind.ts": KIND, "uses.ts": USES},
        {"kind.ts": KIND.replace("Kind", "Sort") + "\nexport { Sort as Kind };\n"},
        {"uses.ts": USES + "\nexport function two() {\n  return Kind.FAR;\n}\n"},
    ),
    "c global": (C, {"a.c": C["a.c"] + "\nstatic int total = 1;\n"}, {"b.c": C["b.c"] + "\nint total = 2;\n"}),
}


def fork(forked, case, *, turned):
    base, one, two = case
    forked.fork(base, *((two, one) if turned else (one, two)))
    assert forked.conflicted() == (set(), True)
    return forked.plan()


@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_is_told(forked, case):
    plan = fork(forked, BROKEN[case], turned=len(case) % 2)
    assert plan.verdict == Verdict.SEMANTIC, plan.items
    assert len(plan.items) == 1


@pytest.mark.parametrize("case", HARMLESS)
def test_what_breaks_nothing_is_clean(forked, case):
    plan = fork(forked, HARMLESS[case], turned=len(case) % 2 == 0)
    assert (plan.items, plan.verdict) == ((), Verdict.CLEAN)


@pytest.mark.parametrize("turned", [False, True])
def test_a_copy_that_git_takes_for_the_old_definition_leaves_the_old_use_behind(forked, turned):
    """git changes the line of the copy, which is as the base had it; the old definition keeps the old name."""
    head = '#include "a.h"\n\n'
    old = "int {}(int x)\n{{\n\tint a = {};\n\tint b = {};\n\tint c = a + b + x;\n\treturn c + TARGET;\n}}\n"
    base = {"a.h": "#define TARGET 1\n", "a.c": head + old.format("first", 1, 2)}
    copied = {"a.c": head + old.format("newly", 1, 2) + "\n" + old.format("first", 5, 6)}
    renamed = {name: text.replace("TARGET", "GOAL") for name, text in base.items()}
    forked.fork(base, *((renamed, copied) if turned else (copied, renamed)))
    assert forked.conflicted() == (set(), True)
    assert [(item.kind, item.address, item.user) for item in forked.plan().conflicting] == [
        (ItemKind.RENAME_EDIT, "a.h::TARGET", "a.c::first")
    ]
