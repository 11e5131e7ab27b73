"""Notices and subscriptions in the book."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from bespeak.base import ids
from bespeak.base.clock import DAY_US
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.base.json_text import compact_utf8
from bespeak.notices.model import Channel, Kind, Notice, Subscription
from bespeak.notices.schema import NOTICES
from bespeak.storage.optional_tables import ensure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.context import LedgerContext
    from bespeak.notices.model import Draft
    from bespeak.storage.interface import Row, Transaction

SECRET_PREFIX = "whsec_"  # noqa: S105 the beginning of each secret, as Standard Webhooks has it
SECRET_BYTES = 32
MOST_SUBSCRIPTIONS = 20
"""How many one user may have at the same time."""

NOTICE_COLUMNS = "m.seq, m.id, m.at_us, m.recipient, m.kind, m.text, m.resources, m.reservation"
SUBSCRIPTION_COLUMNS = "s.id, s.holder, s.channel, s.target, s.kinds, s.secret, s.created_us, s.ended_us, s.ended_note"
KEPT_US = 90 * DAY_US
"""For so long notices are kept, µs; the log of the book keeps what they follow from."""

_FORGOTTEN_AT_ONCE = 200
_KEY = "notices:subscriptions"


def new_secret(channel: Channel) -> str:
    """Return what deliveries to a new subscription are signed with: a random value for a webhook, else nothing."""
    if channel is not Channel.WEBHOOK:
        return ""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def notice_of(row: Row) -> Notice:
    """Make a notice of the columns of :data:`NOTICE_COLUMNS`."""
    seq, identifier, at_us, recipient, kind, text, resources, reservation = row
    return Notice(seq, identifier, at_us, recipient, Kind(kind), text, tuple(json.loads(resources)), reservation)


def subscription_of(row: Row) -> Subscription:
    """Make a subscription of the columns of :data:`SUBSCRIPTION_COLUMNS`."""
    identifier, user, channel, target, kinds, secret, created_us, ended_us, note = row
    every = tuple(Kind(kind) for kind in json.loads(kinds))
    return Subscription(identifier, user, Channel(channel), target, every, secret, created_us, ended_us, note)


def notices(book: LedgerContext, user: str, *, after_seq: int = 0, limit: int = 50) -> list[Notice]:
    """Return a user's notices, newest first.

    Args:
        book: the open book.
        user: whose.
        after_seq: only later ones.
        limit: at most so many.
    """
    ensure(book.engine, NOTICES)
    sql = (
        f"SELECT {NOTICE_COLUMNS} FROM notices_messages m WHERE m.recipient = :user AND m.seq > :after "
        "ORDER BY m.seq DESC LIMIT :limit"
    )
    params = {"user": user, "after": after_seq, "limit": limit}
    return book.engine.read(lambda tx: [notice_of(row) for row in tx.fetch_all(sql, params)])


def write(tx: Transaction, every: Iterable[Draft]) -> list[str]:
    """Write notices that are not there yet, with a delivery to each fitting subscription.

    Returns:
        The recipient of each that was written.
    """
    written = []
    for draft in every:
        row = tx.fetch_one(
            "INSERT INTO notices_messages (id, at_us, recipient, kind, text, cause, resources, reservation) "
            "VALUES (:id, :at, :recipient, :kind, :text, :cause, :resources, :reservation) "
            "ON CONFLICT (cause, recipient, kind) DO NOTHING RETURNING seq",
            {
                "id": ids.new_id(),
                "at": tx.now_us,
                "recipient": draft.recipient,
                "kind": draft.kind.value,
                "text": draft.text,
                "cause": draft.cause,
                "resources": compact_utf8(list(draft.resources)),
                "reservation": draft.reservation_id,
            },
        )
        if row is not None:
            written.append(draft.recipient)
            for one in _of_user(tx, draft.recipient):
                if not one.kinds or draft.kind in one.kinds:
                    _deliver(tx, int(row[0]), one.id)
    return written


def _deliver(tx: Transaction, message: int, subscription: str) -> None:
    tx.execute(
        "INSERT INTO notices_deliveries (message, subscription, next_us) VALUES (:message, :subscription, :now) "
        "ON CONFLICT (message, subscription) DO UPDATE SET next_us = :now, attempts = 0, delivered_us = NULL, "
        "error = ''",
        {"message": message, "subscription": subscription, "now": tx.now_us},
    )


def _of_user(tx: Transaction, user: str) -> list[Subscription]:
    sql = (
        f"SELECT {SUBSCRIPTION_COLUMNS} FROM notices_subscriptions s WHERE s.holder = :user AND s.ended_us IS NULL "
        "ORDER BY s.created_us, s.id"
    )
    return [subscription_of(row) for row in tx.fetch_all(sql, {"user": user})]


def subscriptions(book: LedgerContext, user: str) -> list[Subscription]:
    """Return where a user is told, oldest first."""
    ensure(book.engine, NOTICES)
    return book.engine.read(lambda tx: _of_user(tx, user))


def subscribe(
    book: LedgerContext,
    user: str,
    channel: Channel,
    target: str,
    kinds: Iterable[Kind] = (),
    *,
    secret: str | None = None,
) -> Subscription:
    """Tell a user's notices somewhere from now on.

    Args:
        book: the open book.
        user: whose notices.
        channel: how.
        target: where; checked by :func:`bespeak.notices.targets.checked`.
        kinds: about what; empty means everything.
        secret: what deliveries to a webhook are signed with; None makes one. Only then what comes back has it: who
            gives it knows it, and results of requests are written down.

    Raises:
        UsageError: the user has too many subscriptions, or this one already.
    """
    ensure(book.engine, NOTICES)
    signed_with = new_secret(channel) if secret is None else secret
    ordered = tuple(kind for kind in Kind if kind in set(kinds))

    def work(tx: Transaction) -> Subscription:
        present = _of_user(tx, user)
        if len(present) >= MOST_SUBSCRIPTIONS:
            raise UsageError(f"{user} has {len(present)} subscriptions, which is the most; remove one first")
        if any((one.channel, one.target) == (channel, target) for one in present):
            raise UsageError(f"{user} is told by {channel.value} to {target} already; remove that first")
        made = Subscription(ids.new_id(), user, channel, target, ordered, signed_with, tx.now_us)
        tx.execute(
            "INSERT INTO notices_subscriptions (id, holder, channel, target, kinds, secret, created_us) "
            "VALUES (:id, :holder, :channel, :target, :kinds, :secret, :created)",
            {
                "id": made.id,
                "holder": user,
                "channel": channel.value,
                "target": target,
                "kinds": compact_utf8([kind.value for kind in ordered]),
                "secret": signed_with,
                "created": tx.now_us,
            },
        )
        return made if secret is None else replace(made, secret="")

    return book.engine.transact([_KEY], work)


def unsubscribe(book: LedgerContext, user: str, identifier: str, note: str = "removed") -> Subscription:
    """End a subscription and what is still on its way to it.

    Raises:
        NotFoundError: the user has no such subscription.
    """
    ensure(book.engine, NOTICES)

    def work(tx: Transaction) -> Subscription:
        found = _one(tx, user, identifier)
        end(tx, found.id, note)
        return replace(found, secret="")

    return book.engine.transact([_KEY], work)


def end(tx: Transaction, identifier: str, note: str) -> None:
    """End a subscription inside a transaction."""
    tx.execute(
        "UPDATE notices_subscriptions SET ended_us = :now, ended_note = :note, secret = '' WHERE id = :id",
        {"now": tx.now_us, "note": note, "id": identifier},
    )
    tx.execute("UPDATE notices_deliveries SET next_us = NULL WHERE subscription = :id", {"id": identifier})


def replay(book: LedgerContext, user: str, identifier: str, since_us: int) -> int:
    """Deliver to a subscription again what was made since an instant; the ids stay the same.

    Args:
        book: the open book.
        user: whose subscription.
        identifier: its id, or how it begins.
        since_us: from this instant on, µs UTC.

    Returns:
        How many notices.

    Raises:
        NotFoundError: the user has no such subscription.
    """
    ensure(book.engine, NOTICES)

    def work(tx: Transaction) -> int:
        found = _one(tx, user, identifier)
        sql = f"SELECT {NOTICE_COLUMNS} FROM notices_messages m WHERE m.recipient = :user AND m.at_us >= :since"
        every = [notice_of(row) for row in tx.fetch_all(sql, {"user": user, "since": since_us})]
        again = [one for one in every if not found.kinds or one.kind in found.kinds]
        for one in again:
            _deliver(tx, one.seq, found.id)
        return len(again)

    return book.engine.transact([_KEY], work)


def _one(tx: Transaction, user: str, identifier: str) -> Subscription:
    found = [one for one in _of_user(tx, user) if identifier and one.id.startswith(identifier)]
    if len(found) != 1:
        raise NotFoundError(f"{user} has no subscription {identifier!a}")
    return found[0]


def forget_old(book: LedgerContext) -> int:
    """Remove some notices that are older than :data:`KEPT_US`, and subscriptions that ended so long ago.

    Returns:
        How many notices; there may be more.
    """
    ensure(book.engine, NOTICES)
    old = "SELECT seq FROM notices_messages WHERE at_us < :before ORDER BY at_us LIMIT :limit"

    def work(tx: Transaction) -> int:
        params = {"before": tx.now_us - KEPT_US, "limit": _FORGOTTEN_AT_ONCE}
        seqs = [row[0] for row in tx.fetch_all(old, params)]
        tx.execute_many("DELETE FROM notices_deliveries WHERE message = :seq", [{"seq": seq} for seq in seqs])
        tx.execute_many("DELETE FROM notices_messages WHERE seq = :seq", [{"seq": seq} for seq in seqs])
        ended = "DELETE FROM notices_subscriptions WHERE ended_us < :before"
        tx.execute(ended, {"before": params["before"]})
        return len(seqs)

    return book.engine.transact([_KEY], work)


def watch(book: LedgerContext, user: str, resource: str) -> None:
    """Tell a user once when a resource is free."""
    ensure(book.engine, NOTICES)
    sql = (
        "INSERT INTO notices_watches (holder, resource, created_us) VALUES (:user, :resource, :now) "
        "ON CONFLICT (holder, resource) DO NOTHING"
    )
    book.engine.transact([_KEY], lambda tx: tx.execute(sql, {"user": user, "resource": resource, "now": tx.now_us}))
