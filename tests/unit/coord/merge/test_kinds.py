"""Each kind of conflict in real repositories, in several languages: what is found, and what must not be."""

import pytest

F = "def f(a):\n    first = a\n    second = first + 1\n    return second\n"
G = "def g(b):\n    left = b\n    right = left * 2\n    return right\n"
GAP = "\n\n" + "\n".join(f"# line {number}" for number in range(12)) + "\n\n\n"


def only(forked):
    """Return the one item of the plan."""
    found = forked.plan()
    assert len(found.items) == 1, found.items
    return found, found.items[0]


def test_a_renamed_function_with_a_new_caller(forked):
    forked.fork(
        {"a.py": F}, {"a.py": F.replace("f(", "ff(")}, {"b.py": "from a import f\n\n\ndef new():\n    return f(1)\n"}
    )
    plan, item = only(forked)
    assert (plan.verdict, plan.conflicts, item.textual) == ("semantic", (), False)
    assert (item.kind, item.address, item.ours_name) == ("rename_edit", "a.py::f", "a.py::ff")
    assert (item.ours_change, item.theirs_change, item.user, item.line) == (("renamed",), ("used",), "b.py::new", 5)
    assert (
        item.recommendation
        == "main renamed a.py::f to a.py::ff: after the merge, let b.py::new (feature) use it there."
    )
    assert item.confidence >= 0.9


def test_a_deleted_function_with_a_new_use(forked):
    forked.fork({"a.py": F + GAP + G}, {"a.py": G}, {"b.py": "import a\n\n\ndef new():\n    return a.f(1)\n"})
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.address, item.user) == ("semantic", "delete_use", "a.py::f", "b.py::new")


def test_a_moved_function_with_a_new_import(forked):
    forked.fork(
        {"a.py": F + GAP + G, "b.py": "x = 1\n"},
        {"a.py": G, "b.py": "x = 1\n\n\n" + F},
        {"c.py": "from a import f\n"},
    )
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.ours_name, item.theirs_change) == (
        "semantic",
        "move_edit",
        "b.py::f",
        ("used",),
    )
    assert "b.py::f" in item.recommendation


def test_a_changed_signature_with_a_new_call_that_does_not_fit(forked):
    forked.fork({"a.py": F}, {"a.py": F.replace("f(a)", "f(a, needed)")}, {"b.py": "from a import f\n\nf(1)\n"})
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.ours_change) == ("semantic", "dependency_conflict", ("signature",))


def test_one_name_defined_by_both_in_places_that_git_keeps_apart(forked):
    top, end = "def new(a):\n    return a\n\n\n", "\n\ndef new(b, c):\n    return b * c\n"
    forked.fork({"a.py": F + GAP + G}, {"a.py": top + F + GAP + G}, {"a.py": F + GAP + G + end})
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.address, item.textual) == ("semantic", "add_add", "a.py::new", False)


def test_both_edit_one_function_in_lines_that_git_keeps_apart(forked):
    long = "def f(a):\n" + "".join(f"    a{n} = {n}\n" for n in range(20)) + "    return a\n"
    forked.fork(
        {"a.py": long}, {"a.py": long.replace("a1 = 1", "a1 = 10")}, {"a.py": long.replace("a18 = 18", "a18 = 0")}
    )
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.textual) == ("review", "symbol_edit_overlap", False)
    assert item.ours_change == item.theirs_change == ("body",)


def test_both_edit_one_line(forked):
    forked.fork({"a.py": F}, {"a.py": F.replace("+ 1", "+ 2")}, {"a.py": F.replace("+ 1", "+ 3")})
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.textual, item.confidence) == ("textual", "symbol_edit_overlap", True, 0.95)
    assert [(one.path, one.type) for one in plan.conflicts] == [("a.py", "contents")]


def test_one_deletes_what_the_other_edits(forked):
    forked.fork({"a.py": F + GAP + G}, {"a.py": G}, {"a.py": F.replace("+ 1", "+ 2") + GAP + G})
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.textual) == ("textual", "delete_use", True)
    assert (item.ours_change, item.theirs_change) == (("deleted",), ("body",))


def test_one_renames_what_the_other_edits(forked):
    long = F.replace("    return", "".join(f"    a{n} = {n}\n" for n in range(9)) + "    return")
    forked.fork({"a.py": long}, {"a.py": long.replace("f(", "ff(")}, {"a.py": long.replace("a8 = 8", "a8 = 0")})
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.textual) == ("review", "rename_edit", False)


def test_one_moves_what_the_other_edits(forked):
    forked.fork(
        {"a.py": F + GAP + G, "b.py": "x = 1\n"},
        {"a.py": G, "b.py": "x = 1\n\n\n" + F},
        {"a.py": F.replace("+ 1", "+ 2") + GAP + G},
    )
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.textual, item.ours_name) == ("textual", "move_edit", True, "b.py::f")
    assert "b.py::f" in item.recommendation


def test_both_move_one_function_to_two_places(forked):
    forked.fork(
        {"a.py": F + GAP + G, "b.py": "x = 1\n", "c.py": "y = 1\n"},
        {"a.py": G, "b.py": "x = 1\n\n\n" + F},
        {"a.py": G, "c.py": "y = 1\n\n\n" + F},
    )
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.ours_name, item.theirs_name) == (
        "semantic",
        "move_edit",
        "b.py::f",
        "c.py::f",
    )


def test_a_renamed_method_with_a_new_call_through_self(forked):
    klass = "class C:\n    def m(self):\n        return 1\n\n" + "".join(
        f"    def n{n}(self):\n        return {n}\n\n" for n in range(9)
    )
    forked.fork(
        {"a.py": klass},
        {"a.py": klass.replace("m(self)", "mm(self)")},
        {"a.py": klass + "    def new(self):\n        return self.m()\n"},
    )
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.address, item.user) == ("semantic", "rename_edit", "a.py::C.m", "a.py::C.new")


def test_a_deleted_module_with_a_new_import(forked):
    forked.fork({"a.py": F, "b.py": G}, {"a.py": None}, {"c.py": "import a\n"})
    plan, item = only(forked)
    assert (plan.verdict, item.kind, item.address, item.user) == ("semantic", "delete_use", "a.py", "c.py")


OTHERS = {
    "javascript": (
        "a.js",
        "export function f(a) {\n  const x = a;\n  return x + 1;\n}\n",
        "export function ff(a) {\n  const x = a;\n  return x + 1;\n}\n",
        "export function f(needed, a) {\n  const x = a;\n  return x + 1;\n}\n",
        {"b.js": 'import { f } from "./a.js";\nexport function user() {\n  return f(1);\n}\n'},
    ),
    "typescript": (
        "a.ts",
        "export function f(a: number): number {\n  const x = a;\n  return x + 1;\n}\n",
        "export function ff(a: number): number {\n  const x = a;\n  return x + 1;\n}\n",
        "export function f(needed: string, a: number): number {\n  const x = a;\n  return x + 1;\n}\n",
        {"b.ts": 'import { f } from "./a";\nexport function user(): number {\n  return f(1);\n}\n'},
    ),
    "go": (
        "a.go",
        "package p\n\nfunc f(a int) int {\n\tx := a\n\treturn x + 1\n}\n",
        "package p\n\nfunc ff(a int) int {\n\tx := a\n\treturn x + 1\n}\n",
        "package p\n\nfunc f(needed string, a int) int {\n\tx := a\n\treturn x + 1\n}\n",
        {"b.go": "package p\n\nfunc user() int {\n\treturn f(1)\n}\n"},
    ),
    "rust": (
        "src/a.rs",
        "pub fn f(a: u32) -> u32 {\n    let x = a;\n    x + 1\n}\n",
        "pub fn ff(a: u32) -> u32 {\n    let x = a;\n    x + 1\n}\n",
        "pub fn f(needed: &str, a: u32) -> u32 {\n    let x = a;\n    x + 1\n}\n",
        {"src/b.rs": "use crate::a::f;\n\npub fn user() -> u32 {\n    f(1)\n}\n"},
    ),
    "java": (
        "p/A.java",
        "package p;\n\npublic class A {\n    public static int f(int a) {\n        int x = a;\n        return x + 1;\n    }\n}\n",
        "package p;\n\npublic class A {\n    public static int ff(int a) {\n        int x = a;\n        return x + 1;\n    }\n}\n",
        "package p;\n\npublic class A {\n    public static int f(String needed, int a) {\n        int x = a;\n        return x + 1;\n    }\n}\n",
        {"p/B.java": "package p;\n\npublic class B {\n    int user() {\n        return A.f(1);\n    }\n}\n"},
    ),
    "c": (
        "a.c",
        '#include "a.h"\n\nint f(int a)\n{\n\tint x = a;\n\treturn x + 1;\n}\n',
        '#include "a.h"\n\nint ff(int a)\n{\n\tint x = a;\n\treturn x + 1;\n}\n',
        '#include "a.h"\n\nint f(int needed, int a)\n{\n\tint x = a;\n\treturn x + 1;\n}\n',
        {"b.c": '#include "a.h"\n\nint user(void)\n{\n\treturn f(1);\n}\n'},
    ),
}
ALWAYS = {
    "rust": {
        "src/lib.rs": "pub mod a;\npub mod b;\n",
        "src/b.rs": "// nothing yet\n",
        "Cargo.toml": '[package]\nname = "p"\n',
    },
    "go": {"go.mod": "module p\n"},
    "c": {"a.h": "int f(int a);\n"},
}
HEADERS = {
    "renamed": {"a.h": "int ff(int a);\n"},
    "signature": {"a.h": "int f(int needed, int a);\n"},
    "deleted": {"a.h": "\n"},
}


@pytest.mark.parametrize("change", ["renamed", "signature", "deleted"])
@pytest.mark.parametrize("language", OTHERS)
def test_a_new_use_of_what_has_gone_or_changed_in_other_languages(forked, language, change):
    path, before, renamed, signed, use = OTHERS[language]
    gap = "\n".join(["", *("// line" for _ in range(9)), ""])
    keep = {"java": ""}.get(language, gap)
    after = {
        "renamed": renamed,
        "signature": signed,
        "deleted": before[: before.index("f(")].rpartition("\n")[0] + "\n",
    }[change]
    if language == "java" and change == "deleted":
        after = "package p;\n\npublic class A {\n    int other;\n}\n"
    headers = HEADERS[change] if language == "c" else {}
    forked.fork({path: before + keep} | ALWAYS.get(language, {}), {path: after + keep} | headers, use)
    found = forked.plan()
    kind = {"renamed": "rename_edit", "signature": "dependency_conflict", "deleted": "delete_use"}[change]
    mine = [one for one in found.items if one.kind == kind and one.address.endswith("f") and one.likely]
    assert mine, (found.verdict, found.items)
    assert mine[0].user.endswith("user")
    assert found.verdict == "semantic"


@pytest.mark.parametrize("language", ["javascript", "typescript", "go", "java"])
def test_two_edits_of_one_line_are_mapped_to_their_symbol_in_other_languages(forked, language):
    path, before, *_ = OTHERS[language]
    forked.fork({path: before}, {path: before.replace("+ 1", "+ 2")}, {path: before.replace("+ 1", "+ 3")})
    found = forked.plan()
    assert [(one.kind, one.textual) for one in found.items] == [("symbol_edit_overlap", True)]
    assert found.items[0].address.endswith("f")


class TestNoConflict:
    """What looks like a conflict and is none."""

    def clean(self, forked, *sides):
        forked.fork(*sides)
        found = forked.plan()
        assert (found.verdict, [one for one in found.items if one.likely]) == ("clean", [])
        return found

    def test_a_rename_that_leaves_an_alias(self, forked):
        self.clean(
            forked,
            {"a.py": F},
            {"a.py": F.replace("f(", "ff(") + "\n\nf = ff\n"},
            {"b.py": "from a import f\n\nf(1)\n"},
        )

    def test_a_move_that_leaves_an_import(self, forked):
        self.clean(
            forked,
            {"a.py": F + GAP + G, "b.py": "x = 1\n"},
            {"a.py": "from b import f\n" + GAP + G, "b.py": "x = 1\n\n\n" + F},
            {"c.py": "from a import f\n\nf(1)\n"},
        )

    def test_an_argument_that_may_be_left_out(self, forked):
        self.clean(forked, {"a.py": F}, {"a.py": F.replace("f(a)", "f(a, b=1)")}, {"b.py": "from a import f\n\nf(1)\n"})

    def test_a_changed_body_with_a_new_call(self, forked):
        self.clean(forked, {"a.py": F}, {"a.py": F.replace("+ 1", "+ 2")}, {"b.py": "from a import f\n\nf(1)\n"})

    def test_the_same_change_on_both_sides(self, forked):
        same = {"a.py": F.replace("f(", "ff("), "b.py": G}
        found = self.clean(forked, {"a.py": F}, same, same)
        assert found.files == (2, 2, 2)

    def test_a_renamed_file_that_the_other_side_edits(self, forked):
        long = F + GAP + G
        self.clean(forked, {"a.py": long}, {"a.py": None, "b.py": long}, {"a.py": long.replace("* 2", "* 3")})

    def test_another_function_of_the_same_name(self, forked):
        self.clean(
            forked,
            {"a.py": F, "b.py": F},
            {"a.py": F.replace("f(", "ff(")},
            {"c.py": "from b import f\n\nf(1)\n"},
        )

    def test_a_line_with_an_old_use_that_was_only_touched(self, forked):
        """Theirs deletes f and every use but a guarded one, ours only writes that line anew."""
        use = "try:\n    from a import f\nexcept ImportError:\n    f = None\n"
        self.clean(
            forked,
            {"a.py": F + GAP + G, "b.py": use},
            {"a.py": G},
            {"b.py": use.replace("import f", "import f  # if it is there")},
        )

    def test_an_old_call_in_a_function_that_was_moved(self, forked):
        """The moved call is none that this side has made."""
        caller = "def c():\n    one = f(1)\n    two = one + 1\n    return two\n"
        forked.fork(
            {"a.py": F, "b.py": "from a import f\n\n\n" + caller, "c.py": "from a import f\n\n\ny = f\n"},
            {"b.py": "x = 1\n", "c.py": "from a import f\n\n\ny = f\n\n\n" + caller},
            {"a.py": F.replace("+ 1", "+ 2")},
        )
        assert forked.plan().verdict == "clean"

    def test_overloads_of_one_name(self, forked):
        head, end = "class A {\n    int x;\n", "\n\n\n\n\n\n    int y;\n}\n"
        self.clean(
            forked,
            {"A.java": head + end},
            {"A.java": head + "    int f(int a) { return a; }\n" + end},
            {"A.java": head + end.replace("int y;", "int y;\n    int f(String a) { return 1; }")},
        )


def test_what_only_one_side_changed_is_shown_when_asked_for(forked):
    forked.fork(
        {"a.py": F + GAP + G}, {"a.py": F.replace("+ 1", "+ 2") + GAP + G}, {"a.py": F + GAP + G.replace("* 2", "* 3")}
    )
    assert forked.items() == []
    assert forked.items(everything=True) == [
        ("no_conflict", "a.py::f", ("body",), ()),
        ("no_conflict", "a.py::g", (), ("body",)),
    ]
    assert forked.plan().changed == 2


def test_a_new_use_of_a_changed_body_is_a_faint_suspicion(forked):
    forked.fork({"a.py": F}, {"a.py": F.replace("+ 1", "+ 2")}, {"b.py": "from a import f\n\nf(1)\n"})
    found = forked.plan(everything=True)
    assert [(one.kind, one.likely) for one in found.items if one.user] == [("dependency_conflict", False)]
    assert found.verdict == "clean"


def test_a_conflict_in_a_method_is_not_one_of_its_class(forked):
    def klass(said, returned):
        return f'class C:\n    """{said}"""\n\n    def m(self):\n        return {returned}\n'

    forked.fork({"a.py": klass("one", 1)}, {"a.py": klass("two", 2)}, {"a.py": klass("one", 3)})
    assert [(one.kind, one.address, one.textual) for one in forked.plan().items] == [
        ("symbol_edit_overlap", "a.py::C.m", True)
    ]


def test_what_both_did_alike_to_a_symbol_is_no_part_of_the_conflict(forked):
    long = "def f(a):\n" + "".join(f"    a{n} = {n}\n" for n in range(20)) + "    return a\n"
    both = long.replace("f(a)", "f(a, b=1)")
    forked.fork({"a.py": long}, {"a.py": both}, {"a.py": both.replace("a18 = 18", "a18 = 0")})
    assert forked.plan().verdict == "clean"


def test_parameters_added_by_both_and_types_changed_by_both(forked):
    long = "def f(\n    a,\n    b,\n    c,\n    d,\n):\n    return a\n"
    forked.fork(
        {"a.py": long},
        {"a.py": long.replace("    a,", "    new,\n    a,")},
        {"a.py": long.replace("    d,", "    d,\n    e,")},
    )
    assert forked.plan().verdict == "semantic"
    forked.git("checkout", "-q", "-b", "typed", "main~1")
    forked.commit({"a.py": long.replace("    a,", "    a: int,")})
    forked.git("checkout", "-q", "-b", "typed-too", "main~1")
    forked.commit({"a.py": long.replace("    d,", "    d: int,")})
    found = forked.plan("typed", "typed-too")
    assert (found.verdict, [one.confidence for one in found.items]) == ("review", [0.4])


def test_a_default_that_only_the_header_has_counts(forked):
    header, code = "int total(int n);\n", '#include "a.hpp"\nint total(int n) {\n  return n;\n}\n'
    use = '#include "a.hpp"\nint main() {\n  return total(1);\n}\n'
    base = {"a.hpp": header, "a.cpp": code, "use.cpp": '#include "a.hpp"\nint main() {\n  return 0;\n}\n'}
    ours = {"a.hpp": header.replace("int n", "int n, int k = 1"), "a.cpp": code.replace("int n", "int n, int k")}
    assert forked.fork(base, ours, {"use.cpp": use}).plan().verdict == "clean"


def test_a_parameter_that_is_given_by_name_and_has_another_name_now(forked):
    base = {"a.py": "def f(a):\n    return a\n", "b.py": "x = 1\n"}
    forked.fork(base, {"a.py": "def f(b):\n    return b\n"}, {"b.py": "from a import f\n\nx = f(a=1)\n"})
    [item] = forked.plan().items
    assert (item.kind, item.likely) == ("dependency_conflict", True)
