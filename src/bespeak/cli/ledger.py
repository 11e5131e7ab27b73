"""``ledger``: the book itself, not what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import command
from bespeak.base.clock import iso
from bespeak.base.errors import UsageError

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values


@command(
    "ledger accept-clock",
    examples=(("ledger accept-clock", "the clock was wrong when the book was last written, and is right now"),),
)
def accept_clock(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Set the time of a file book to what the machine's clock says."""
    from bespeak.storage.sqlite import SqliteEngine

    engine = context.book().engine
    if not isinstance(engine, SqliteEngine):
        raise UsageError(f"book {engine.name}: it takes its time from the server, and no clock has to be accepted")
    before_us, after_us = engine.accept_clock()
    before, after = iso(before_us), iso(after_us)
    context.answer(
        {"before": before, "before_us": before_us, "after": after, "after_us": after_us},
        f"the book was last written at {before}; its time is now {after}",
    )
    return 0
