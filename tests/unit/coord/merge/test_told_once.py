"""Names that git imports twice, names of two languages in one folder, and many uses of one undecided file."""

import pytest

from bespeak.coord.merge.model import ItemKind, Verdict

LANGUAGES = {
    "python": ("a.py", "from x import one as load\n", "from y import one as load\n", "# {}", "load()\n"),
    "javascript": (
        "a.mjs",
        "import { load } from './x.mjs';\n",
        "import { load } from './y.mjs';\n",
        "// {}",
        "load();\n",
    ),
    "typescript": ("a.ts", "import { load } from './x';\n", "import { load } from './y';\n", "// {}", "load();\n"),
    "rust": ("a.rs", "use x::load;\n", "use y::load;\n", "// {}", "fn f() { load(); }\n"),
    "java": ("p/A.java", "import x.Load;\n", "import y.Load;\n", "// {}", "class A { Load it; }\n"),
    "go": ("a.go", 'import load "m/x"\n', 'import load "m/y"\n', "// {}", "func f() { load.It() }\n"),
}
SAME_REFUSED = ("javascript", "typescript", "rust", "go")


def versions(language, first, second):
    """Return the base, a side that imports near the top and one that imports further down."""
    path, _, _, comment, use = LANGUAGES[language]
    head = {"go": "package m\n", "java": "package p;\n"}.get(language, "")
    gap = "".join(comment.format(number) + "\n" for number in range(12))
    base = head + gap + use
    one, two = (
        base.replace(comment.format(1) + "\n", comment.format(1) + "\n" + first),
        base.replace(comment.format(9) + "\n", comment.format(9) + "\n" + second),
    )
    return {path: base}, {path: one}, {path: two}


def twice(forked, language, first, second):
    forked.fork(*versions(language, first, second))
    assert forked.conflicted() == (set(), True), "git merges it"
    return [item for item in forked.plan().items if item.kind == ItemKind.ADD_ADD]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_one_name_imported_from_two_modules_is_told(forked, language):
    path, first, second, *_ = LANGUAGES[language]
    (item,) = twice(forked, language, first, second)
    assert item.address.startswith(f"{path}::")
    assert item.likely
    assert "rename one" in item.recommendation


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_same_import_twice_is_told_where_the_language_refuses_it(forked, language):
    first = LANGUAGES[language][1]
    found = twice(forked, language, first, first)
    assert [item.recommendation.rpartition(": ")[2] for item in found] == (
        ["keep it once."] if language in SAME_REFUSED else []
    )
    assert forked.plan().verdict == (Verdict.SEMANTIC if found else Verdict.CLEAN)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_two_names_imported_at_two_places_are_fine(forked, language):
    _, first, second, *_ = LANGUAGES[language]
    assert twice(forked, language, first, second.replace("load", "other").replace("Load", "Other")) == []


def test_a_var_of_commonjs_may_be_there_twice(forked):
    line = "var load = require('./x');\n"
    assert twice(forked, "javascript", line, line) == []


def test_a_constant_of_commonjs_must_not_be_there_twice(forked):
    line = "const load = require('./x');\n"
    (item,) = twice(forked, "javascript", line, line)
    assert item.address == "a.mjs::load"


@pytest.mark.parametrize("turned", [False, True])
def test_a_name_of_go_and_of_c_in_one_folder_are_two(forked, turned):
    go, c = "package m\n", "#include <stdio.h>\n"
    sides = [
        {"m/a.go": go + "\nfunc added() int { return 1 }\n", "m/a.c": c + "\nint added(void)\n{\n\treturn 1;\n}\n"},
        {"m/b.go": go + "\nfunc added() int { return 2 }\n", "m/b.c": c + "\nint added(void)\n{\n\treturn 2;\n}\n"},
    ]
    forked.fork({"go.mod": "module m\n", "m/x.go": go}, *(reversed(sides) if turned else sides))
    told = sorted(item.address.rpartition(".")[2] for item in forked.plan().items if item.kind == ItemKind.ADD_ADD)
    assert told == ["c::added", "go::added"]


MODULE = "def load(x):\n    a = x\n    b = a\n    return b\n\n\ndef save(x):\n    c = x\n    return c\n"


def test_uses_of_a_file_that_git_leaves_undecided_are_one_item(forked):
    users = {f"u{number}.py": f"from store import load, save\n\nsave(load({number}))\n" for number in range(5)}
    forked.fork({"store.py": MODULE, "z.py": "1\n"}, {"store.py": MODULE + "# more\n", **users}, {"store.py": None})
    plan = forked.plan()
    used = [item for item in plan.items if item.user]
    assert plan.verdict == Verdict.TEXTUAL
    assert len(used) == 1
    assert "more places of what is in store.py. Decide first whether the file stays." in used[0].recommendation


def test_uses_of_a_file_that_the_merge_deletes_are_told_each(forked):
    users = {f"u{number}.py": f"from store import load\n\nload({number})\n" for number in range(5)}
    forked.fork({"store.py": MODULE, "z.py": "1\n"}, users, {"store.py": None})
    assert {item.path for item in forked.plan().items if item.user} == set(users)


def test_a_constant_of_a_block_may_be_there_twice(forked):
    line = "if (x) {\n  const load = require('./x');\n}\n"
    assert twice(forked, "javascript", line, line) == []
