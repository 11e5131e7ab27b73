"""Reading and changing the policy of a book; each change is in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.errors import BusyError, UsageError
from bespeak.base.json_text import compact_utf8
from bespeak.ledger import policy, rights, validation, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.context import LedgerContext
from bespeak.ledger.policy import Policy, PolicyDefaults
from bespeak.ledger.rights import asker
from bespeak.storage.ownership import owns

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.ledger.model import Holder
    from bespeak.storage.interface import Transaction
    from bespeak.storage.sqlite import SqliteEngine

_TOPIC = "policy"
"""Locks the policy against other changes, and announces one."""


def change(book: LedgerContext, name: str, value: object, by: Holder, *, is_owner: bool | None = None) -> Policy:
    """Let the book decide something, or decide it otherwise.

    Args:
        book: the open book.
        name: a key (see :data:`bespeak.ledger.policy.KEYS`).
        value: as JSON has it; see there.
        by: who asks.
        is_owner: who asks owns the book; None finds out whether this process does.

    Raises:
        UsageError: there is no such key, the value cannot be, or nobody could change it back.
        BusyError: who asks may not change the policy.
    """
    checked = policy.checked_value(name, value)

    def write(tx: Transaction) -> None:
        sql = "INSERT INTO ledger_policy (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value ="
        tx.execute(f"{sql} excluded.value", {"name": name, "value": compact_utf8(checked)})

    return _change(book, name, by, is_owner, write)


def unset(book: LedgerContext, name: str, by: Holder, *, is_owner: bool | None = None) -> Policy:
    """Let the book say nothing about something; as :func:`change`."""
    policy.policy_key(name)

    def write(tx: Transaction) -> None:
        tx.execute("DELETE FROM ledger_policy WHERE name = :name", {"name": name})

    return _change(book, name, by, is_owner, write)


def _change(
    book: LedgerContext, name: str, by: Holder, is_owner: bool | None, write: Callable[[Transaction], None]
) -> Policy:
    for who in (by.name, asker(by)):
        validation.check_name("user", who)

    def work(tx: Transaction) -> Policy:
        before = book.policy_in(tx)
        ruled = rights.asked(book, tx)
        require_administrator(book, tx, by, is_owner=is_owner)
        write(tx)
        after = book.policy_in(tx)
        if after.stored == before.stored:
            return after
        if not ruled and tx.dialect != "sqlite" and after.admins and asker(by) not in after.admins:
            raise UsageError(f"policy admins: {asker(by)} must be among them, or could not change it back")
        write_operations.log(
            tx,
            Action.POLICY_CHANGED,
            by.name,
            by.requested_by,
            None,
            (),
            {key: value for key, value in before.stored.items() if key == name},
            {key: value for key, value in after.stored.items() if key == name},
        )
        tx.notify(_TOPIC)
        return after

    return book.engine.transact([_TOPIC], work)


def require_administrator(
    book: LedgerContext,
    tx: Transaction,
    by: Holder,
    *,
    is_owner: bool | None = None,
    doing: str = "change the policy of the book",
) -> None:
    """Refuse to administer the book: by its rules where it has any, or a server calls; else by its policy.

    Args:
        book: the open book.
        tx: the transaction in which it is to be done.
        by: who asks.
        is_owner: who asks owns the book; None finds out whether this process does.
        doing: what, for messages.

    Raises:
        NotAllowedError: no rule gives whoever asks that right.
        BusyError: the book has no rules, and who asks neither owns it nor is named in ``admins``.
    """
    if rights.asked(book, tx):
        rights.require(book, tx, by, "administer")
        return
    owner = owns(book.engine, tx) if is_owner is None else is_owner
    check_may_administer(book.policy_in(tx), asker(by), is_owner=owner, is_file=tx.dialect == "sqlite", doing=doing)


def check_may_administer(
    found: Policy, asks: str, *, is_owner: bool, is_file: bool, doing: str = "change the policy of the book"
) -> None:
    """Refuse a change of the policy by somebody whose affair it is not.

    The owner of a file may, whatever it says. On a server one role often serves a whole team, so who owns the schema
    may only as long as nobody is named.

    Raises:
        BusyError: who asks neither owns the book nor is named in ``admins``.
    """
    if asks in found.admins or (is_owner and (is_file or not found.admins)):
        return
    others = ", ".join(sorted(found.admins)[:10])
    owner = "the owner of the file" if is_file else "the owner of the schema"
    may = others if others and not is_file else f"{owner}{f' and {others}' if others else ''}"
    raise BusyError(f"{asks} may not {doing}; {may} may (policy of the book: admins)")


def accepted_clock(engine: SqliteEngine, by: Holder, *, is_owner: bool | None = None) -> tuple[int, int]:
    """Take this machine's clock for right, whatever the file says: holds can come back by it, and others become free.

    Args:
        engine: the open file, whatever tables are in it.
        by: who asks.
        is_owner: as for :func:`require_administrator`.

    Returns:
        The instant at which the book was last written, and the clock's, µs UTC.

    Raises:
        NotAllowedError: no rule gives whoever asks the right to administer.
        BusyError: the book has no rules, and who asks neither owns the file nor is named in ``admins``.
    """
    doing = "say that the clock is right"

    def check(tx: Transaction) -> None:
        if tx.fetch_one("SELECT 1 FROM sqlite_schema WHERE name = 'access_rules'") is not None:
            require_administrator(LedgerContext(engine), tx, by, is_owner=is_owner, doing=doing)
            return
        owner = owns(engine, tx) if is_owner is None else is_owner
        check_may_administer(Policy({}, PolicyDefaults()), asker(by), is_owner=owner, is_file=True, doing=doing)

    return engine.accept_clock(check)
