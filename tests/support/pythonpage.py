"""The reference page of the Python API, written from the code: ``python tests/support/pythonpage.py``."""

import inspect
import os
import re
import sys
from enum import Enum
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))

import bespeak

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "python.md"
HEAD = """# The Python API

```python
from bespeak import Holder, RefusedError, Request, duration, open_book

alice = Holder("alice")
with open_book("book.sqlite3") as book:  # open_book() takes the book of the settings
    held = book.reserve(Request(("rack1",), alice, duration_us=duration("2h"), purpose="thermal run"))
    try:
        book.reserve(Request(("rack1",), Holder("bob"), duration_us=duration("1h")))
    except RefusedError as refused:
        assert refused.refusal.conflicts[0].holder == "alice"
    book.extend(held.id, alice, duration_us=duration("30m"))
    assert [each.holder for each in book.who("rack1")] == ["alice"]
    book.release(held.id, alice)
```

This page is written from the code. `import bespeak` loads nothing; each name below is loaded when it is used first. Names that are neither
here nor in a guide are private and may change with any version. Instants are whole microseconds since 1970 in UTC, durations whole
microseconds; `FOREVER_US` is the end of what has no end.
"""
ROLE = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")
OBJECT = "book: the open book."
"""What the docstring of a method says of the object itself."""
SECTIONS = ("Args", "Returns", "Raises", "Yields")


def prose(text):
    """Return a docstring as Markdown: its sections become lists."""
    parts = []
    for block in ROLE.sub(r"`\1`", text.replace("``", "`")).split("\n\n"):
        title, _, rest = block.partition(":\n")
        if title.strip() not in SECTIONS:
            parts.append(" ".join(block.split()))
            continue
        names = title.strip() in ("Args", "Raises")
        items = re.split(r"\n(?=\S)", inspect.cleandoc(rest))
        lines = [" ".join(item.split()) for item in items]
        lines = [re.sub(r"^(\w+): ", r"`\1`: ", line) if names else line for line in lines if line != OBJECT]
        if lines:
            parts.append("\n".join([f"{title.strip()}:", "", *(f"- {line}" for line in lines)]))
    return "\n\n".join(part for part in parts if part)


def call(name, of, *, method=False):
    """Return how a function is called; the first parameter of a method is the object."""
    signature = inspect.signature(of)
    parameters = list(signature.parameters.values())[1 if method else 0 :]
    text = f"{name}{signature.replace(parameters=parameters)}"
    return text.replace("''", '""').replace("'", "")


def fields(of):
    """Return the declaration of a value class."""
    defaults = getattr(of, "_defaults_", {})
    lines = (
        f"    {name}: {kind}" + (f" = {shown(defaults[name])}" if name in defaults else "")
        for name, kind in of.__annotations__.items()
    )
    return "\n".join([f"class {of.__name__}:", *lines])


def shown(value):
    """Return a default as it is written; that of a field which is made anew for each value is its factory's result."""
    if isinstance(value, Enum):
        return str(value)
    return repr(value.make() if hasattr(value, "make") else value)


def methods(of):
    """Return the public methods of a class, in the order in which they are written, its bases' last."""
    seen = {}
    for kind in of.__mro__[:-1]:
        for name in list(vars(kind)):
            member = getattr(kind, name)  # what is loaded later is loaded by that
            if not name.startswith("_") and inspect.isfunction(member):
                seen.setdefault(name, member)
    return seen


def section(name):
    of = getattr(bespeak, name)
    parts = [f"## {name}"]
    if isinstance(of, int):
        return f"{parts[0]}\n\nThe end of an open-ended window: `2**62`, later than any date."
    if inspect.isfunction(of):
        return "\n\n".join([*parts, code(call(name, of)), prose(inspect.getdoc(of))])
    if issubclass(of, Enum):
        lines = "\n".join(f"- `{member.name}` = `{member.value}`" for member in of)
        return "\n\n".join([*parts, prose(inspect.getdoc(of)), lines])
    if issubclass(of, Exception):
        base = of.__bases__[0].__name__
        return "\n\n".join([*parts, f"A `{base}`, exit code {int(of.exit_code)}.", prose(inspect.getdoc(of))])
    if hasattr(of, "_defaults_"):
        parts.append(code(fields(of)))
    parts.append(prose(inspect.getdoc(of)))
    for method, member in methods(of).items():
        if member.__doc__ and "LedgerContext" not in member.__qualname__:
            parts += [f"### {name}.{method}", code(call(method, member, method=True)), prose(inspect.getdoc(member))]
    return "\n\n".join(parts)


def code(text):
    return f"```text\n{text}\n```"


def page():
    return "\n\n".join([HEAD.rstrip(), *(section(name) for name in bespeak.__all__)]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
