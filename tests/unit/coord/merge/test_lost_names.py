"""Names that one side took out of a file and the other newly uses in it: git merges, and the name means nothing.

Each language has its own kinds of bindings. Every case is tried with either side as ours, and has a twin in which the
same text is harmless, because something else gives the name.
"""

import pytest

from bespeak.coord.merge.model import ItemKind, Verdict


def source(head, first, last, *, comment="//"):
    """Return a file with two definitions so far from each other and from its head that git keeps them apart."""
    gap = "\n".join(f"{comment} {number}" for number in range(8))
    return f"{head}\n{gap}\n{first}\n{gap}\n{last}\n"


def python(head, one, two="    return 1"):
    return {"m.py": source(head, f"def one(a):\n{one}\n", f"def two(b):\n{two}\n", comment="#")}


def script(head, one, two="  return 1;", suffix="js"):
    return {f"m.{suffix}": source(head, f"function one(a) {{\n{one}\n}}", f"export function two(b) {{\n{two}\n}}")}


def go(head, one, two="\treturn 1"):
    return {
        "m.go": source(f"package m\n\n{head}", f"func one(a T) int {{\n{one}\n}}", f"func two(b T) int {{\n{two}\n}}")
    }


def java(head, one, two="        return 1;"):
    body = source("class M {", f"    int one(T a) {{\n{one}\n    }}", f"    int two(T b) {{\n{two}\n    }}\n}}")
    return {"p/M.java": f"package p;\n\n{head}\n{body}"}


def rust(head, one, two="    1"):
    return {"src/lib.rs": source(head, f"fn one(a: u8) -> u8 {{\n{one}\n}}", f"fn two(b: u8) -> u8 {{\n{two}\n}}")}


def cpp(head, one, two="  return 1;"):
    return {"m.cpp": source(head, f"int one(int a) {{\n{one}\n}}", f"int two(int b) {{\n{two}\n}}")}


LOST = {
    "python import": (
        python("import os", "    return os.getcwd()"),
        python("", "    return 1"),
        python("import os", "    return os.getcwd()", "    return os.sep.join(b)"),
    ),
    "python from": (
        python("from lib import tool as t", "    return t(a)"),
        python("", "    return 1"),
        python("from lib import tool as t", "    return t(a)", "    return t(b)"),
    ),
    "python import made local": (
        python("import os", "    return os.getcwd()"),
        python("", "    import os\n    return os.getcwd()"),
        python("import os", "    return os.getcwd()", "    return os.sep.join(b)"),
    ),
    "python parameter": (
        {"m.py": "def one(\n    old,\n    b,\n):\n    # 1\n    # 2\n    # 3\n    # 4\n    return b\n"},
        {"m.py": "def one(\n    new,\n    b,\n):\n    # 1\n    # 2\n    # 3\n    # 4\n    return b\n"},
        {"m.py": "def one(\n    old,\n    b,\n):\n    # 1\n    # 2\n    # 3\n    # 4\n    return b.x(old.size)\n"},
    ),
    "python local": (
        {"m.py": "def one(b):\n    held = b.held\n    # 1\n    # 2\n    # 3\n    # 4\n    return b\n"},
        {"m.py": "def one(b):\n    # 1\n    # 2\n    # 3\n    # 4\n    return b\n"},
        {"m.py": "def one(b):\n    held = b.held\n    # 1\n    # 2\n    # 3\n    # 4\n    return held.size\n"},
    ),
    "javascript import": (
        script('import { t } from "t";', "  return t(a);"),
        script("", "  return 1;"),
        script('import { t } from "t";', "  return t(a);", "  return t(b);"),
    ),
    "javascript require": (
        script('const t = require("t");', "  return t.x(a);"),
        script("", "  return 1;"),
        script('const t = require("t");', "  return t.x(a);", "  return t.x(b);"),
    ),
    "javascript local": (
        script("", "  const kept = a.kept;\n  // 1\n  // 2\n  // 3\n  // 4\n  return 1;"),
        script("", "  // 1\n  // 2\n  // 3\n  // 4\n  return 1;"),
        script("", "  const kept = a.kept;\n  // 1\n  // 2\n  // 3\n  // 4\n  return kept.size();"),
    ),
    "typescript type": (
        script('import type { T } from "t";', "  return a as T;", suffix="ts"),
        script("", "  return 1;", suffix="ts"),
        script('import type { T } from "t";', "  return a as T;", "  return b as T;", suffix="ts"),
    ),
    "go import": (
        go('import "fmt"', "\treturn fmt.Sprint(a)"),
        go("", "\treturn 1"),
        go('import "fmt"', "\treturn fmt.Sprint(a)", "\treturn fmt.Sprint(b)"),
    ),
    "go import with another name": (
        go('import "gopkg.in/yaml.v3"', "\treturn yaml.Marshal(a)"),
        go("", "\treturn 1"),
        go('import "gopkg.in/yaml.v3"', "\treturn yaml.Marshal(a)", "\treturn yaml.Marshal(b)"),
    ),
    "java import": (
        java("import q.Tool;", "        return Tool.x(a);"),
        java("", "        return 1;"),
        java("import q.Tool;", "        return Tool.x(a);", "        return Tool.x(b);"),
    ),
    "java made": (
        java("import q.Tool;", "        return new Tool(a).size();"),
        java("", "        return 1;"),
        java("import q.Tool;", "        return new Tool(a).size();", "        return new Tool(b).size();"),
    ),
    "java static import": (
        java("import static q.Tool.x;", "        return x(a);"),
        java("", "        return 1;"),
        java("import static q.Tool.x;", "        return x(a);", "        return x(b);"),
    ),
    "rust use": (
        rust("use q::Tool;", "    Tool::x(a)"),
        rust("", "    1"),
        rust("use q::Tool;", "    Tool::x(a)", "    Tool::x(b)"),
    ),
    "rust use of a macro": (
        rust("use log::info;", '    info!("a");\n    a'),
        rust("", "    1"),
        rust("use log::info;", '    info!("a");\n    a', '    info!("b");\n    b'),
    ),
    "c++ using": (
        cpp("using q::tool;", "  return tool(a);"),
        cpp("", "  return 1;"),
        cpp("using q::tool;", "  return tool(a);", "  return tool(b);"),
    ),
}


FIELDS = {
    "python": (
        "m.py",
        (
            "class Store:\n    def __init__(self, given):\n        self.items = given\n        self.other = 1\n\n{gap}\n"
            "    def new(self):\n        return {read}\n"
        ),
        "self.items.pop()",
        "#",
    ),
    "javascript": (
        "m.js",
        (
            "export class Store {{\n  constructor(given) {{\n    this.items = given;\n    this.other = 1;\n  }}\n\n{gap}\n"
            "  fresh() {{\n    return {read};\n  }}\n}}\n"
        ),
        "this.items.pop()",
        "//",
    ),
    "typescript": (
        "m.ts",
        (
            "export class Store {{\n  private items: Item[] = [];\n  other = 1;\n\n{gap}\n"
            "  fresh(): number {{\n    return {read};\n  }}\n}}\n"
        ),
        "this.items.size()",
        "//",
    ),
    "java": (
        "p/M.java",
        (
            "package p;\n\nclass M {{\n    Item items;\n    int other;\n\n{gap}\n"
            "    int fresh() {{\n        return {read};\n    }}\n}}\n"
        ),
        "this.items.size()",
        "//",
    ),
}


def fields(language):
    """Return a file as it is in the base, with its field renamed, and with a new read of that."""
    path, text, read, comment = FIELDS[language]
    gap = "\n".join(f"    {comment} {number}" for number in range(8))
    base = text.format(gap=gap, read="1")
    return path, base, base.replace("items", "entries"), text.format(gap=gap, read=read)


def fork(forked, base, one, two, *, turned):
    sides = (two, one) if turned else (one, two)
    forked.fork(base, *sides)
    assert forked.conflicted() == (set(), True)
    return forked.plan()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("case", LOST)
def test_a_name_that_one_side_took_out_and_the_other_newly_uses(forked, case, turned):
    plan = fork(forked, *LOST[case], turned=turned)
    lost = [item for item in plan.items if item.likely]
    assert [(item.kind, item.confidence) for item in lost] == [(ItemKind.DELETE_USE, 0.9)], plan.items
    taker, user = ("theirs_change", "ours_change") if turned else ("ours_change", "theirs_change")
    assert (getattr(lost[0], taker), getattr(lost[0], user)) == (("deleted",), ("used",))
    assert plan.verdict == Verdict.SEMANTIC


def test_what_the_item_says(forked):
    [item] = fork(forked, *LOST["python import"], turned=False).items
    assert (item.address, item.user, item.how) == ("m.py::os", "m.py::two", "import os is gone from the merged file")
    assert (forked.root / "m.py").read_text().splitlines()[item.line - 2] == "def two(b):"
    assert item.recommendation == (
        "main took the import of os out of m.py, where m.py::two on feature newly uses it: "
        "import it again, or do without."
    )


def test_what_the_item_says_of_a_variable(forked):
    [item] = [one for one in fork(forked, *LOST["python local"], turned=False).items if one.likely]
    assert (item.address, item.how) == ("m.py::one.held", "name held is gone from the merged file")


HARMLESS = {
    "python other way to import": (
        python("import os", "    return os.getcwd()"),
        python("import os, sys", "    return sys.path"),
        python("import os", "    return os.getcwd()", "    return os.sep.join(b)"),
    ),
    "python built in": (
        python("from builtins import str", "    return str(a)"),
        python("", "    return 1"),
        python("from builtins import str", "    return str(a)", "    return str(b)"),
    ),
    "python everything of the module": (
        python("from lib import tool", "    return tool(a)"),
        python("from lib import *", "    return other(a)"),
        python("from lib import tool", "    return tool(a)", "    return tool(b)"),
    ),
    "python a variable instead": (
        python("from lib import tool", "    return tool(a)"),
        python("tool = len", "    return 1"),
        python("from lib import tool", "    return tool(a)", "    return tool(b)"),
    ),
    "javascript global": (
        script('const { URL } = require("url");', "  return new URL(a);"),
        script("", "  return 1;"),
        script('const { URL } = require("url");', "  return new URL(a);", "  return new URL(b);"),
    ),
    "go a function of the package": (
        {**go("func helper(a T) int {\n\treturn 1\n}", "\treturn helper(a)")},
        {**go("", "\treturn 1"), "n.go": "package m\n\nfunc helper(a T) int {\n\treturn 1\n}\n"},
        {**go("func helper(a T) int {\n\treturn 1\n}", "\treturn helper(a)", "\treturn helper(b)")},
    ),
    "java all of a package": (
        java("import q.Tool;", "        return Tool.x(a);"),
        java("import q.*;", "        return Other.x(a);"),
        java("import q.Tool;", "        return Tool.x(a);", "        return Tool.x(b);"),
    ),
    "java made of the same file": (
        java("import q.Tool;", "        return new Tool(a).size();"),
        java("class Tool {\n}", "        return 1;"),
        java("import q.Tool;", "        return new Tool(a).size();", "        return new Tool(b).size();"),
    ),
    "java the same package": (
        {**java("import q.Tool;", "        return Tool.x(a);"), "q/Tool.java": "package q;\n\nclass Tool {\n}\n"},
        {
            **java("", "        return 1;"),
            "q/Tool.java": None,
            "p/Tool.java": "package p;\n\nclass Tool {\n    static int x(T a) {\n        return 1;\n    }\n}\n",
        },
        java("import q.Tool;", "        return Tool.x(a);", "        return Tool.x(b);"),
    ),
    "rust prelude": (
        rust("use std::convert::TryFrom;", "    u8::try_from(a) + TryFrom::x(a)"),
        rust("", "    1"),
        rust("use std::convert::TryFrom;", "    u8::try_from(a) + TryFrom::x(a)", "    TryFrom::x(b)"),
    ),
    "rust everything of the module": (
        rust("use q::Tool;", "    Tool::x(a)"),
        rust("use q::*;", "    Other::x(a)"),
        rust("use q::Tool;", "    Tool::x(a)", "    Tool::x(b)"),
    ),
    "c++ using namespace": (
        cpp("using q::tool;", "  return tool(a);"),
        cpp("using namespace q;", "  return 1;"),
        cpp("using q::tool;", "  return tool(a);", "  return tool(b);"),
    ),
}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("case", HARMLESS)
def test_a_name_that_something_else_gives_is_not_lost(forked, case, turned):
    plan = fork(forked, *HARMLESS[case], turned=turned)
    assert [item for item in plan.items if item.how.endswith("gone from the merged file")] == []


LIBRARY = {
    "c": {"lib.h": "int tool(int a);\n", "lib.c": '#include "lib.h"\nint tool(int a)\n{\n\treturn a;\n}\n'},
    "python": {"lib.py": "def tool(a):\n    b = a\n    return b\n"},
    "java": {"q/Tool.java": "package q;\n\npublic class Tool {\n    public static int x(T a) { return 1; }\n}\n"},
    "rust": {"src/q.rs": "pub fn tool(a: u8) -> u8 {\n    a\n}\n", "Cargo.toml": '[package]\nname = "p"\n'},
}


def c(head, one, two="\treturn 1;"):
    return {"m.c": source(head, f"int one(int a)\n{{\n{one}\n}}", f"int two(int b)\n{{\n{two}\n}}")}


EVERYTHING = {
    "c": (c, '#include "lib.h"', "\treturn tool(a);", "\treturn 1;", "\treturn tool(b);"),
    "python": (python, "from lib import *", "    return tool(a)", "    return 1", "    return tool(b)"),
    "java": (java, "import q.*;", "        return Tool.x(a);", "        return 1;", "        return Tool.x(b);"),
    "rust": (rust, "mod q;\nuse q::*;", "    tool(a)", "    1", "    tool(b)"),
}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("language", EVERYTHING)
def test_what_came_with_everything_of_a_file(forked, language, turned):
    files, head, old, none, new = EVERYTHING[language]
    kept = head.splitlines()[0] if language == "rust" else ""
    base = {**LIBRARY[language], **files(head, old)}
    plan = fork(forked, base, files(kept, none), files(head, old, new), turned=turned)
    assert [(item.kind, item.user.rpartition(".")[2][-3:]) for item in plan.items] == [(ItemKind.DELETE_USE, "two")]
    assert plan.verdict == Verdict.SEMANTIC


@pytest.mark.parametrize("turned", [False, True])
def test_an_include_that_another_one_brings_may_go(forked, turned):
    files, head, old, none, new = EVERYTHING["c"]
    base = {**LIBRARY["c"], "all.h": head + "\n", **files(f'#include "all.h"\n{head}', old)}
    two = files(f'#include "all.h"\n{head}', old, new)
    plan = fork(forked, base, files('#include "all.h"', none), two, turned=turned)
    assert (plan.items, plan.verdict) == ((), Verdict.CLEAN)


def test_an_include_of_the_system_says_nothing_of_the_names_of_the_repository(forked):
    """Which names it gives is not known; where the repository's own come from another include, they stay."""
    files, head, old, none, new = EVERYTHING["c"]
    both = f"#include <errno.h>\n{head}"
    plan = fork(forked, {**LIBRARY["c"], **files(both, old)}, files(head, none), files(both, old, new), turned=False)
    assert plan.items == ()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("language", FIELDS)
def test_a_field_that_one_side_renamed_and_the_other_newly_reads(forked, language, turned):
    path, base, renamed, read = fields(language)
    plan = fork(forked, {path: base}, {path: renamed}, {path: read}, turned=turned)
    assert [(item.address.rpartition(".")[2], item.likely) for item in plan.items if item.user] == [("items", True)]
    assert plan.verdict == Verdict.SEMANTIC


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("language", FIELDS)
def test_a_field_that_one_side_added_to_and_the_other_newly_reads(forked, language, turned):
    path, base, _, read = fields(language)
    added = base.replace("other", "another")
    plan = fork(forked, {path: base}, {path: added}, {path: read}, turned=turned)
    assert [item for item in plan.items if item.user] == []


@pytest.mark.parametrize("turned", [False, True])
def test_a_field_that_moved_to_a_base_class_of_the_file(forked, turned):
    path, base, _, read = fields("python")
    start, end = base.index("class Store:"), base.index("        self.other")
    moved = (
        "class Held:\n    def __init__(self, given):\n        self.items = given\n\n\nclass Store(Held):\n"
        "    def __init__(self, given):\n        super().__init__(given)\n"
    )
    plan = fork(forked, {path: base}, {path: base[:start] + moved + base[end:]}, {path: read}, turned=turned)
    assert [item for item in plan.items if item.user] == []


def test_an_unused_import_may_go(forked):
    base, one, _ = LOST["python import"]
    plan = fork(forked, base, one, python("import os", "    return os.getcwd()", "    return b.sep"), turned=False)
    assert (plan.items, plan.verdict) == ((), Verdict.CLEAN)


def test_a_name_that_may_come_with_everything_of_another_module_is_worth_a_look(forked):
    base, one, two = ({"m.py": f"from far import *\n{files['m.py']}"} for files in LOST["python from"])
    plan = fork(forked, base, one, two, turned=False)
    assert (plan.verdict, [item.confidence for item in plan.items]) == (Verdict.REVIEW, [0.4])


def test_a_file_that_the_other_side_moved(forked):
    base, one, two = LOST["python import"]
    plan = fork(forked, base, {"m.py": None, "n.py": one["m.py"]}, two, turned=False)
    assert [(item.address, item.path) for item in plan.items if item.likely] == [("m.py::os", "m.py")]
