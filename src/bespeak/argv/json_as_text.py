"""Answers that are JSON by contract, as text for people: aligned fields, and a table for several of one kind."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from bespeak.base.display import escape_unprintable

_COLUMNS = (
    "reservation_id",
    "job_id",
    "run_key",
    "reservation_status",
    "status",
    "exit_code",
    "not_before_iso",
    "started_at_iso",
    "finished_at_iso",
    "created_at_iso",
)
"""What a table shows of each row, where it has it."""

_MOST_COLUMNS = 8
"""How many fields a table shows of rows that have none of these."""


def render(answer: object, indent: str = "") -> str:
    """Return an answer as lines of text; what has no value is left out.

    Args:
        answer: what would be printed as JSON.
        indent: put before every line.
    """
    if isinstance(answer, Mapping):
        return _fields(answer, indent)
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        return _table([row for row in answer if isinstance(row, Mapping)], indent)
    return indent + _cell(answer)


def _fields(answer: Mapping[str, object], indent: str) -> str:
    shown = {name: value for name, value in answer.items() if value is not None and f"{name}_iso" not in answer}
    width = max((len(_label(name)) for name in shown), default=0)
    lines = []
    for name, value in shown.items():
        if value and (isinstance(value, Mapping) or _is_rows(value)):
            lines += [f"{indent}{_label(name)}:", render(value, indent + "  ")]
        else:
            lines.append(f"{indent}{_label(name):<{width}}  {'none' if value in ({}, []) else _cell(value)}".rstrip())
    return "\n".join(lines)


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and (not value or isinstance(value[0], Mapping))


def _table(rows: Sequence[Mapping[str, object]], indent: str) -> str:
    if not rows:
        return f"{indent}none"
    names = [name for name in _COLUMNS if any(row.get(name) is not None for row in rows)]
    names = names or [name for name in rows[0] if f"{name}_iso" not in rows[0]][:_MOST_COLUMNS]
    cells = [[_label(name).upper() for name in names], *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    return "\n".join(
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _label(name: str) -> str:
    return escape_unprintable(name.removesuffix("_iso").replace("_", " "))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return escape_unprintable(shlex.join(map(str, value)))
    return escape_unprintable(str(value))
