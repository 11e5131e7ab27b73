"""The tables of notices.

``notices_cursor`` is how far the log has become messages; ``notices_handled`` names the rows above it that have, too:
on PostgreSQL a row of the log can become visible after one with a greater number.
"""

from __future__ import annotations

from bespeak.storage.migrations import Component, Migration

_TABLES = (
    "CREATE TABLE notices_cursor (id INTEGER PRIMARY KEY CHECK (id = 1), low BIGINT NOT NULL)",
    "CREATE TABLE notices_handled (seq BIGINT PRIMARY KEY)",
    """
CREATE TABLE notices_messages (
    seq {identity},
    id TEXT{c} NOT NULL UNIQUE,
    at_us BIGINT NOT NULL,
    recipient TEXT{c} NOT NULL,
    kind TEXT{c} NOT NULL,
    text TEXT{c} NOT NULL,
    cause TEXT{c} NOT NULL,
    resources TEXT{c} NOT NULL,
    reservation TEXT{c},
    UNIQUE (cause, recipient, kind)
)
""",
    """
CREATE TABLE notices_subscriptions (
    id TEXT{c} NOT NULL PRIMARY KEY,
    holder TEXT{c} NOT NULL,
    channel TEXT{c} NOT NULL CHECK (channel IN ('webhook', 'mail', 'chat')),
    target TEXT{c} NOT NULL,
    kinds TEXT{c} NOT NULL,
    secret TEXT{c} NOT NULL,
    created_us BIGINT NOT NULL,
    ended_us BIGINT,
    ended_note TEXT{c} NOT NULL DEFAULT ''
)
""",
    """
CREATE TABLE notices_deliveries (
    message BIGINT NOT NULL,
    subscription TEXT{c} NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_us BIGINT,
    delivered_us BIGINT,
    error TEXT{c} NOT NULL DEFAULT '',
    PRIMARY KEY (message, subscription)
)
""",
    """
CREATE TABLE notices_watches (
    holder TEXT{c} NOT NULL,
    resource TEXT{c} NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (holder, resource)
)
""",
    "CREATE INDEX notices_messages_recipient ON notices_messages (recipient, seq)",
    "CREATE INDEX notices_deliveries_due ON notices_deliveries (next_us) WHERE next_us IS NOT NULL",
)


def _statements(identity: str, collation: str) -> list[str]:
    return [text.format_map({"identity": identity, "c": collation}) for text in _TABLES]


NOTICES = Component(
    "notices",
    [
        Migration(
            1,
            sqlite=_statements("INTEGER PRIMARY KEY AUTOINCREMENT", ""),
            postgresql=_statements("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", ' COLLATE "C"'),
        ),
        Migration(2, ["CREATE INDEX notices_messages_at ON notices_messages (at_us)"]),
    ],
)
