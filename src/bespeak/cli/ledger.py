"""``ledger``: the book itself, not what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.clock import iso
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.storage.interface import Transaction

LESS_THAN_WRITE = {
    "bespeak_migrations": "SELECT",
    "ledger_reservations": "SELECT, INSERT, UPDATE",
    "ledger_log": "SELECT, INSERT",
}
"""Tables in which somebody who uses the book neither changes nor deletes what is there, or only changes it."""


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


@command(
    "ledger grant",
    examples=(
        ("ledger grant bob", "bob may reserve; run by the owner of the schema"),
        ("ledger grant wall --read-only", "this role may look"),
        ("ledger grant bob --print", "for an administrator to read and run"),
    ),
    arguments=(Argument("ROLE"),),
    options=(
        Option(("--read-only",), "Only the right to look."),
        Option(("--print",), "Print the statements, and run none."),
    ),
)
def grant(context: Context, values: Values) -> int:
    """Give a role of the PostgreSQL server the least rights with which it can use the book."""
    from bespeak.storage.postgres.grants import statements

    engine = context.book().engine
    schema = getattr(engine, "schema", None)
    if schema is None:
        raise UsageError(f"book {engine.name}: a file; its rights are those of the file system")
    role, apply = values["role"], not values["print"]

    def work(tx: Transaction) -> list[str]:
        found = statements(tx, schema, role, LESS_THAN_WRITE, read_only=bool(values["read_only"]))
        for statement in found if apply else ():
            tx.execute(statement)
        return found

    found = engine.transact([], work) if apply else engine.read(work)
    text = "".join(f"{escape_unprintable(statement)};\n" for statement in found)
    context.answer(
        {"role": role, "granted": apply, "statements": found},
        text + (f"granted to {escape_unprintable(role)}" if apply else "-- nothing was granted"),
    )
    return 0
