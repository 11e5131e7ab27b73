"""``doctor``: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import command
from bespeak.base.display import escape_unprintable

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values

_PROBLEM = 1


@command(
    "doctor",
    text="Looks at the settings, the book and its file system, the clock, the dispatcher and the hooks of this "
    "repository. Each line says ok, warning or problem, and what to do. Changes nothing. Exits 1 on a problem.",
    examples=(("doctor", "what is wrong here"), ("doctor --json", "for a monitor")),
)
def doctor(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Examine, and say what was found."""
    from bespeak.operations.doctor import Level, examine

    found = []
    for one in examine(context.ledger_flag):
        found.append(one)
        if not context.json:
            advice = f"; {one.advice}" if one.advice else ""
            context.print(escape_unprintable(f"{one.level.value:<8} {one.check:<12} {one.text}{advice}"))
    sick = any(one.level is Level.PROBLEM for one in found)
    if context.json:
        checks = [
            {"check": one.check, "level": one.level.value, "text": one.text, "advice": one.advice} for one in found
        ]
        context.print_json({"checks": checks, "healthy": not sick})
    return _PROBLEM if sick else 0
