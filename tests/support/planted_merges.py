"""One merge in each language, with every kind of step planted in it, and a harmless twin: no step is to be taken."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """How a language writes what is planted.

    Args:
        suffix: of its files.
        function: a function, with a name and a number that makes it like no other.
        head: what a file begins with.
        tail: what a file ends with.
        folder: where its files are.
        user: a file that newly uses a function of the library.
        library_head: what the file begins with that defines ``oldname``.
        declare: the header of that file.
        imports: two lines that import, what follows them, and what uses the first.
    """

    suffix: str
    function: str
    head: str = ""
    tail: str = ""
    folder: str = ""
    user: str = ""
    library_head: str = ""
    declare: str = ""
    imports: tuple[str, str, str, str] = ("", "", "", "")

    def fn(self, name, number=7):
        return self.function.replace("NAME", name).replace("9", str(number))

    def file(self, *functions):
        return self.head + "\n\n".join(functions) + self.tail

    def path(self, name):
        return f"{self.folder}{name}{self.suffix}"


LANGUAGES = {
    "python": Language(
        ".py",
        "def NAME(a):\n    one = a + 9\n    two = one * 9\n    return two - 9\n",
        user="from library import {0}\n\n\ndef user(a):\n    return {0}(a)\n",
        imports=("import os\n", "import sys\n", "\n\ndef place(a):\n    return a\n", "os.sep"),
    ),
    "javascript": Language(
        ".js",
        "export function NAME(a) {\n  const one = a + 9;\n  const two = one * 9;\n  return two - 9;\n}\n",
        user='import {{ {0} }} from "./library.js";\n\nexport function user(a) {{\n  return {0}(a);\n}}\n',
        imports=(
            'import { sep } from "path";\n',
            'import { cwd } from "process";\n',
            "\n\nexport function place(a) {\n  return a;\n}\n",
            "sep",
        ),
    ),
    "typescript": Language(
        ".ts",
        "export function NAME(a: number): number {\n  const one = a + 9;\n  const two = one * 9;\n  return two - 9;\n}\n",
        user='import {{ {0} }} from "./library";\n\nexport function user(a: number) {{\n  return {0}(a);\n}}\n',
        imports=(
            'import { sep } from "path";\n',
            'import { cwd } from "process";\n',
            "\n\nexport function place(a: string) {\n  return a;\n}\n",
            "sep",
        ),
    ),
    "go": Language(
        ".go",
        "func NAME(a int) int {\n\tone := a + 9\n\ttwo := one * 9\n\treturn two - 9\n}\n",
        head="package p\n\n",
        user="package p\n\nfunc user(a int) int {{\n\treturn {0}(a)\n}}\n",
        imports=('\t"os"\n', '\t"sort"\n', ")\n\n\nfunc place(a string) string {\n\treturn a\n}\n", "os.Getenv(a)"),
    ),
    "rust": Language(
        ".rs",
        "pub fn NAME(a: i32) -> i32 {\n    let one = a + 9;\n    let two = one * 9;\n    two - 9\n}\n",
        folder="src/",
        user="use crate::library::{0};\n\npub fn user(a: i32) -> i32 {{\n    {0}(a)\n}}\n",
        imports=(
            "use std::env;\n",
            "use std::fs;\n",
            "\n\npub fn place(a: String) -> String {\n    a\n}\n",
            "env::var(a)",
        ),
    ),
    "java": Language(
        ".java",
        "    static int NAME(int a) {\n        int one = a + 9;\n        int two = one * 9;\n        return two - 9;\n    }\n",
        head="package p;\n\nclass CLASS {\n",
        tail="}\n",
        folder="p/",
        user="package p;\n\nclass user {{\n    static int user(int a) {{\n        return library.{0}(a);\n    }}\n}}\n",
        imports=(
            "import java.util.List;\n",
            "import java.util.Map;\n",
            "\n\nclass imports {\n    static Object place(Object a) {\n        return a;\n    }\n}\n",
            "List.of(a)",
        ),
    ),
    "c": Language(
        ".c",
        "int NAME(int a) {\n    int one = a + 9;\n    int two = one * 9;\n    return two - 9;\n}\n",
        user='#include "library.h"\n\nint user(int a) {{\n    return {0}(a);\n}}\n',
        library_head='#include "library.h"\n\n',
        declare="int {0}(int a);\nint f1(int a);\n",
        imports=(
            '#include "library.h"\n',
            '#include "other.h"\n',
            "\n\nint place(int a) {\n    return a;\n}\n",
            "f1(a)",
        ),
    ),
    "cpp": Language(
        ".cpp",
        "int NAME(int a) {\n    int one = a + 9;\n    int two = one * 9;\n    return two - 9;\n}\n",
        user='#include "library.h"\n\nint user(int a) {{\n    return {0}(a);\n}}\n',
        library_head='#include "library.h"\n\n',
        declare="int {0}(int a);\nint f1(int a);\n",
        imports=(
            '#include "library.h"\n',
            '#include "other.h"\n',
            "\n\nint place(int a) {\n    return a;\n}\n",
            "f1(a)",
        ),
    ),
}
KINDS = {"rename_followed", "kept_once", "both_kept", "edit_carried", "import_added"}


def contested(name):
    """Return the files of a merge of which nothing is certain: one name for two things, the same lines edited."""
    of = LANGUAGES[name]
    functions = [of.fn(f"f{number}", number) for number in range(1, 6)]
    versions = {}

    def put(file, *texts):
        versions[of.path(file)] = [text.replace("CLASS", file) for text in texts]

    put(
        "twice",
        of.file(*functions),
        of.file(functions[0], of.fn("added", 57), *functions[1:]),
        of.file(*functions, of.fn("added", 58)),
    )
    put(
        "both",
        of.file(*functions),
        of.file(*functions, of.fn("same", 61)),
        of.file(*functions, of.fn("same", 62)),
    )
    edited = [of.fn("f1", 1).replace("* 1", f"* {number}") for number in (1000, 2000)]
    put("moved", of.file(*functions), of.file(*functions[1:], edited[0]), of.file(edited[1], *functions[1:]))
    return tuple({path: texts[number] for path, texts in versions.items()} for number in range(3))


def planted(name, *, harmless):
    """Return the files of the base, of ours and of theirs."""
    of = LANGUAGES[name]
    functions = [of.fn(f"f{number}", number) for number in range(1, 6)]
    base, ours, theirs = {}, {}, {}

    def put(file, *versions):
        path = of.path(file)
        for files, text in zip((base, ours, theirs), versions, strict=True):
            if text is not None:
                files[path] = text.replace("CLASS", file)

    def library(called):
        head, declared = of.library_head, of.declare.format(called)
        if declared:
            for files in (ours,) if called != "oldname" else (base,):
                files["library.h"] = declared
        return head + of.file(of.fn(called, 31), functions[0])

    if of.declare:
        base["other.h"] = "int other(int a);\n"
    if name == "rust":
        base["src/lib.rs"] = "pub mod library;\npub mod user;\n"
        base["src/user.rs"] = "pub fn nothing() {}\n"
    put("library", library("oldname"), library("newname"), None)
    put("user", None, None, of.user.format("f1" if harmless else "oldname"))
    added = of.fn("added", 57)
    put(
        "twice",
        of.file(*functions),
        of.file(functions[0], added, *functions[1:]),
        of.file(*functions, of.fn("another", 58) if harmless else added),
    )
    put(
        "both",
        of.file(*functions),
        of.file(*functions, of.fn("mine", 61)),
        of.file(*functions[:2], of.fn("yours", 62), *functions[2:])
        if harmless
        else of.file(*functions, of.fn("yours", 62)),
    )
    edited = of.fn("f1", 1).replace("* 1", "* 1000")
    put(
        "moved",
        of.file(*functions),
        of.file(*functions[1:], functions[0]),
        None if harmless else of.file(edited, *functions[1:]),
    )
    one, two, text, use = of.imports
    start = of.head.partition("class")[0] + ("import (\n" if name == "go" else "")
    using = text.replace("return a", f"return {use}") if "return a" in text else text.replace("    a\n", f"    {use}\n")
    filler = "" if name == "java" else "\n\n" + of.fn("filler", 77)
    was = text.replace("place", "before").replace("class imports", "class earlier")
    was = was.replace("return a", f"return {use}") if "return a" in was else was.replace("    a\n", f"    {use}\n")
    was = was.replace(")\n\n\n", "\n\n")
    was_not = was.replace(use, "a")
    tail = filler + was
    put(
        "imports",
        start + one + two + text + tail,
        start + two + text + filler + was_not,
        None if harmless else f"{start}{one}{two}{using}" + tail,
    )
    return base, ours, theirs
