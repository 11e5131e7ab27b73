"""Planted conflicts that real code seldom offers, as small files that stand among real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Files = dict[str, bytes]
_GO = (
    b"package planted\n\ntype Shape interface {\n\tArea() int\n}\n\nfunc Measure(s Shape) int {\n\treturn s.Area()\n}\n"
)
_GO_NEW = (
    b"package planted\n\ntype Square struct{}\n\nfunc (s Square) Area() int {\n\treturn 1\n}\n\n"
    b"func MeasureSquare() int {\n\treturn Measure(Square{})\n}\n"
)
_GO_ARITY = b"package planted\n\nfunc Load(name string) int {\n\treturn len(name)\n}\n"
_GO_CALL = b'package planted\n\nfunc Twice() int {\n\tn := Load("a")\n\treturn n + n\n}\n'
_JAVA = b"package planted;\n\npublic interface Shape {\n    int area();\n}\n"
_JAVA_NEW = (
    b"package planted;\n\npublic class Square implements Shape {\n"
    b"    public int area() {\n        return 1;\n    }\n}\n"
)
_TS = b"export interface Shape {\n  area(): number;\n}\n"
_TS_NEW = (
    b'import { Shape } from "./shape";\n\nexport class Square implements Shape {\n'
    b"  area(): number {\n    return 1;\n  }\n}\n"
)
_RUST = b"pub trait Shape {\n    fn area(&self) -> u8;\n}\n"
_CRATE = {
    "planted/Cargo.toml": b'[package]\nname = "planted"\n',
    "planted/src/lib.rs": b"pub mod planted_shape;\npub mod planted_square;\n",
}
_RUST_NEW = (
    b"use crate::planted_shape::Shape;\n\npub struct Square;\n\n"
    b"impl Shape for Square {\n    fn area(&self) -> u8 {\n        1\n    }\n}\n"
)
_CPP = b"class Shape {\n public:\n  virtual int area() = 0;\n};\n"
_CPP_NEW = (
    b'#include "planted_shape.hpp"\n\nclass Square : public Shape {\n'
    b" public:\n  int area() override { return 1; }\n};\n"
)
_PY_SHAPE = (
    b"from abc import ABC, abstractmethod\n\n\nclass Shape(ABC):\n"
    b"    @abstractmethod\n    def area(self):\n        raise NotImplementedError\n"
)
_PY_SQUARE = b"from planted_shape import Shape\n\n\nclass Square(Shape):\n    def area(self):\n        return 1\n"
_PY_BASE = (
    b"class Tools:\n    def sharpen_all(self):\n        return 1\n\n\nclass Plain:\n    pass\n\n\n"
    b"class Shed(Tools):\n    def open(self):\n        return 2\n"
)
_PY_USE = b"from planted_shed import Shed\n\n\ndef newly():\n    return Shed().sharpen_all()\n"
_JAVA_BASE = {
    "planted/Tools.java": b"package planted;\n\nclass Tools {\n    int sharpenAll() { return 1; }\n}\n",
    "planted/Shed.java": b"package planted;\n\nclass Shed extends Tools {\n    int open() { return 2; }\n}\n",
}
_JAVA_USE = b"package planted;\n\nclass Yard {\n    int newly() { return new Shed().sharpenAll(); }\n}\n"
_TS_BASE = (
    b"export class Tools {\n  sharpenAll() {\n    return 1;\n  }\n}\n\nexport class Shed extends Tools {\n"
    b"  open() {\n    return 2;\n  }\n}\n"
)
_TS_USE = b'import { Shed } from "./planted_shed";\n\nexport function newly() {\n  return new Shed().sharpenAll();\n}\n'
_DEFAULT = b"export default function paint(wall) {\n  return wall;\n}\n"
_IMPORTING = b'import paint from "./planted_paint.js";\n\nexport function newly() {\n  return paint(1);\n}\n'
_PACKAGE = b'{\n  "name": "planted",\n  "imports": {\n    "#tools/*": "./src/*.js"\n  }\n}\n'
_TOOL = b"export function sharpen(blade) {\n  return blade;\n}\n"
_BY_ALIAS = b'import { sharpen } from "#tools/sharpen";\n\nexport function newly() {\n  return sharpen(1);\n}\n'
_C_HEAD = b"#include <stddef.h>\n\nint planted_%s(void)\n{\n\treturn %d;\n}\n"


def cases(language: str) -> Iterator[tuple[str, tuple[Files, ...]]]:
    """Yield the kind of a case, with its base, changer, user, harmless changer, and harmless user if that differs."""
    for kind, (base, *sides) in _MADE.get(language, ()):
        yield kind, (base | _CRATE if language == "rust" else base, *sides)
    if language in _DEFAULTS:
        yield "changed default", _default(language)


def _default(language: str) -> tuple[Files, ...]:
    """A default is another now, and the new call relies on it; the twin's call gives the value."""
    path, definition, user, relying, giving = _DEFAULTS[language]
    base = definition.replace(b"@", b"30")
    changed = definition.replace(b"@", b"5")
    used, given = (user.replace(b"@", call) for call in (relying, giving))
    return {path[0]: base}, {path[0]: changed}, {path[1]: used}, {path[0]: changed}, {path[1]: given}


_DEFAULTS: dict[str, tuple[tuple[str, str], bytes, bytes, bytes, bytes]] = {
    "python": (
        ("planted_wait.py", "planted_use.py"),
        b"def wait_for(event, timeout=@):\n    return event, timeout\n",
        b"from planted_wait import wait_for\n\n\ndef newly():\n    return @\n",
        b"wait_for(1)",
        b"wait_for(1, 2)",
    ),
    "javascript": (
        ("planted_wait.js", "planted_use.js"),
        b"export function waitFor(event, timeout = @) {\n  return [event, timeout];\n}\n",
        b'import { waitFor } from "./planted_wait.js";\n\nexport function newly() {\n  return @;\n}\n',
        b"waitFor(1)",
        b"waitFor(1, 2)",
    ),
    "typescript": (
        ("planted_wait.ts", "planted_use.ts"),
        b"export function waitFor(event: number, timeout = @) {\n  return event + timeout;\n}\n",
        b'import { waitFor } from "./planted_wait";\n\nexport function newly() {\n  return @;\n}\n',
        b"waitFor(1)",
        b"waitFor(1, 2)",
    ),
    "cpp": (
        ("planted_wait.hpp", "planted_use.cpp"),
        b"int wait_for(int event, int timeout = @);\n",
        b'#include "planted_wait.hpp"\n\nint newly() {\n  return @;\n}\n',
        b"wait_for(1)",
        b"wait_for(1, 2)",
    ),
}


def _shape(
    path: str, text: bytes, after: bytes, added: bytes, optional: bytes, new: str, heir: bytes
) -> tuple[Files, ...]:
    """An interface gains a method, and the other side implements it without."""
    return (
        {path: text},
        {path: text.replace(after, after + added)},
        {new: heir},
        {path: text.replace(after, after + optional)},
    )


def _base(files: Files, path: str, old: bytes, new: bytes, user: Files) -> tuple[Files, ...]:
    """A class is derived from its base no more, and the other side newly calls what came from there."""
    return files, {path: files[path].replace(old, new)}, user, {path: files[path].replace(b"2", b"3")}


_GAINS = "interface gains a method"
_LOSES = "base class removed"
_JS_MADE: tuple[tuple[str, tuple[Files, ...]], ...] = (
    (
        "default to named export",
        (
            {"planted_paint.js": _DEFAULT},
            {"planted_paint.js": _DEFAULT.replace(b"default ", b"")},
            {"planted_wall.js": _IMPORTING},
            {"planted_paint.js": _DEFAULT.replace(b"wall", b"fence")},
        ),
    ),
    (
        "package.json imports",
        (
            {"package.json": _PACKAGE, "src/sharpen.js": _TOOL},
            {"package.json": _PACKAGE.replace(b"#tools", b"#core")},
            {"src/planted_use.js": _BY_ALIAS},
            {"package.json": _PACKAGE.replace(b'"imports": {', b'"imports": {\n    "#core/*": "./src/*.js",')},
        ),
    ),
)
_MADE: dict[str, tuple[tuple[str, tuple[Files, ...]], ...]] = {
    "go": (
        (
            _GAINS,
            _shape(
                "planted/shape.go",
                _GO,
                b"\tArea() int\n",
                b"\tName() string\n",
                b"\t// Area is in metres.\n",
                "planted/square.go",
                _GO_NEW,
            ),
        ),
        (
            "return arity",
            (
                {"planted/load.go": _GO_ARITY},
                {
                    "planted/load.go": _GO_ARITY.replace(b") int {", b") (int, error) {").replace(
                        b"(name)\n", b"(name), nil\n"
                    )
                },
                {"planted/twice.go": _GO_CALL},
                {"planted/load.go": _GO_ARITY.replace(b") int {", b") (n int) {")},
            ),
        ),
    ),
    "java": (
        (
            _GAINS,
            _shape(
                "planted/Shape.java",
                _JAVA,
                b"    int area();\n",
                b"    String name();\n",
                b'    default String name() { return ""; }\n',
                "planted/Square.java",
                _JAVA_NEW,
            ),
        ),
        (
            _LOSES,
            _base(_JAVA_BASE, "planted/Shed.java", b" extends Tools", b"", {"planted/Yard.java": _JAVA_USE}),
        ),
    ),
    "typescript": (
        (
            _GAINS,
            _shape(
                "planted/shape.ts",
                _TS,
                b"  area(): number;\n",
                b"  label(): string;\n",
                b"  label?(): string;\n",
                "planted/square.ts",
                _TS_NEW,
            ),
        ),
        (
            _LOSES,
            _base(
                {"planted_shed.ts": _TS_BASE}, "planted_shed.ts", b" extends Tools", b"", {"planted_yard.ts": _TS_USE}
            ),
        ),
        (
            "default to named export",
            (
                {"planted_paint.ts": _DEFAULT},
                {"planted_paint.ts": _DEFAULT.replace(b"default ", b"")},
                {"planted_wall.ts": _IMPORTING.replace(b".js", b"")},
                {"planted_paint.ts": _DEFAULT.replace(b"wall", b"fence")},
            ),
        ),
    ),
    "javascript": _JS_MADE,
    "rust": (
        (
            _GAINS,
            _shape(
                "planted/src/planted_shape.rs",
                _RUST,
                b"    fn area(&self) -> u8;\n",
                b"    fn label(&self) -> u8;\n",
                b"    fn label(&self) -> u8 {\n        0\n    }\n",
                "planted/src/planted_square.rs",
                _RUST_NEW,
            ),
        ),
    ),
    "cpp": (
        (
            _GAINS,
            _shape(
                "planted_shape.hpp",
                _CPP,
                b"  virtual int area() = 0;\n",
                b"  virtual int label() = 0;\n",
                b"  virtual int label() { return 0; }\n",
                "planted_square.cpp",
                _CPP_NEW,
            ),
        ),
    ),
    "python": (
        (
            _GAINS,
            _shape(
                "planted_shape.py",
                _PY_SHAPE,
                b"        raise NotImplementedError\n",
                b"\n    @abstractmethod\n    def label(self):\n        raise NotImplementedError\n",
                b"\n    def label(self):\n        return 0\n",
                "planted_square.py",
                _PY_SQUARE,
            ),
        ),
        (
            _LOSES,
            _base(
                {"planted_shed.py": _PY_BASE},
                "planted_shed.py",
                b"Shed(Tools)",
                b"Shed(Plain)",
                {"planted_yard.py": _PY_USE},
            ),
        ),
    ),
    "c": (
        (
            "global defined in two files",
            (
                {"planted_a.c": _C_HEAD % (b"a", 1), "planted_b.c": _C_HEAD % (b"b", 2)},
                {"planted_a.c": _C_HEAD % (b"a", 1) + b"\nint planted_total = 1;\n"},
                {"planted_b.c": _C_HEAD % (b"b", 2) + b"\nint planted_total = 2;\n"},
                {"planted_a.c": _C_HEAD % (b"a", 1) + b"\nstatic int planted_total = 1;\n"},
            ),
        ),
    ),
}
