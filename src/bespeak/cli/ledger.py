"""``ledger``: the book itself, not what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import timeparse
from bespeak.base.clock import iso
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UnavailableError, UsageError
from bespeak.cli.output import table
from bespeak.ledger.policy import KEYS, parse_value, policy_key
from bespeak.ledger.policy_changes import accepted_clock
from bespeak.storage.steady_clock import STEADY_CLOCK

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.ledger.policy import Policy
    from bespeak.storage.interface import Transaction
    from bespeak.storage.sqlite import SqliteEngine

POLICY_TABLE = "ledger_policy"
LESS_THAN_WRITE = {
    "bespeak_migrations": "SELECT",
    "ledger_reservations": "SELECT, INSERT, UPDATE",
    "ledger_log": "SELECT, INSERT",
    POLICY_TABLE: "SELECT",
    **dict.fromkeys(("access_rules", "access_members", "access_mappings"), "SELECT"),
    **dict.fromkeys(("access_tokens", "access_sessions", "access_once"), "SELECT"),
}
"""Tables in which somebody who uses the book neither changes nor deletes what is there, or only changes it.

Rights and tokens are written by the owner of the schema alone, so that nobody gives themselves a role."""


@command(
    "ledger accept-clock",
    text="The time of the book can go back by it, so it is for who may change the book's policy; of a file in which "
    "no reservations stand, for its owner.",
    examples=(("ledger accept-clock", "the clock was wrong when the book was last written, and is right now"),),
)
def accept_clock(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Set the time of a file book to what the machine's clock says."""
    from bespeak.storage.sqlite import SqliteEngine

    engine = _named_book(context.ledger_flag) or context.book().engine
    if not isinstance(engine, SqliteEngine):
        raise UsageError(f"book {engine.name}: it takes its time from the server, and no clock has to be accepted")
    before_us, after_us = accepted_clock(engine, context.holder())
    before, after = iso(before_us), iso(after_us)
    context.answer(
        {"before": before, "before_us": before_us, "after": after, "after_us": after_us},
        f"the book was last written at {timeparse.show(before_us)}; its time is now {timeparse.show(after_us)}",
    )
    return 0


def _named_book(flag: str | None) -> SqliteEngine | None:
    """Return the file that ``--ledger`` names, whichever tables are in it: books of claims and of jobs have clocks too.

    Returns:
        None where none is named, or one that is no file.
    """
    from bespeak.base.paths import SHARED_PREFIXES, book_url
    from bespeak.storage import open_engine
    from bespeak.storage.sqlite import SqliteEngine

    url = "" if flag is None else book_url(flag, "--ledger", None)
    if not url or url.startswith(SHARED_PREFIXES):
        return None
    opened = open_engine(url, [STEADY_CLOCK], create=False)
    if not isinstance(opened, SqliteEngine):
        raise UnavailableError(f"book {opened.name}: this user may not write it")
    return opened


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
        Option(("--policy",), "Also the right to change the policy of the book."),
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
    if values["policy"] and values["read_only"]:
        raise UsageError("--policy and --read-only exclude each other")
    less = {name: rights for name, rights in LESS_THAN_WRITE.items() if name != POLICY_TABLE or not values["policy"]}

    def work(tx: Transaction) -> list[str]:
        found = statements(tx, schema, role, less, read_only=bool(values["read_only"]))
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


@command(
    "ledger policy",
    text="The policy is stored in the book and counts from every folder; settings count only for what it does not say. "
    "It is changed by the owner of the file or schema, and by who is named in admins; every change is in the log. "
    "What you type for a value is read as JSON if it begins with { or [.",
    examples=(
        ("ledger policy", "what the book says, and every key there is"),
        ("ledger policy set kickers alice,bob", "only these two take reservations away from others"),
        ("ledger policy set priority 'carol=10,*=2'", "carol may wait with --priority 10, all others with 2"),
        ("ledger policy unset kickers", "the book says nothing about it any more"),
    ),
    arguments=(
        Argument("ACTION", required=False, choices=("show", "set", "unset")),
        Argument("KEY", required=False, complete="policy"),
        Argument("VALUE", required=False),
    ),
)
def policy(context: Context, values: Values) -> int:
    """Show or change what the book itself decides."""
    action, name, text = values["action"] or "show", values["key"], values["value"]
    if (action == "set") != (text is not None) or (name is None and action != "show"):
        raise UsageError("ledger policy: write show [KEY], set KEY VALUE, or unset KEY")
    if action == "show":
        return _show_policy(context, context.book_to_look_at().policy(), name)
    if action == "set":
        value = parse_value(name, text)
        changed = context.book(create=True).policy_set(name, value, context.holder())
    else:
        changed = context.book().policy_unset(name, context.holder())
    context.done = "the policy of the book was changed"
    return _show_policy(context, changed, name)


def _show_policy(context: Context, found: Policy, name: str | None) -> int:
    keys = KEYS if name is None else (policy_key(name),)
    said = {key.name: found.stored.get(key.name) for key in keys}
    cells = [
        (key.name, key.kind.show(found.stored[key.name]) or "''" if found.says(key.name) else "-", key.text)
        for key in keys
    ]
    context.answer({"policy": said}, table(("KEY", "VALUE", "MEANING"), cells))
    return 0
