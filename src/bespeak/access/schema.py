"""The tables of rights, tokens and sessions.

No secret is stored: of a token, a session and a one-time value the book keeps the SHA-256 alone.
"""

from __future__ import annotations

from bespeak.storage.migrations import Component, Migration, same_readers

ANY_RULE = "SELECT 1 FROM access_rules LIMIT 1"
"""Whether the book has rules at all."""

_TABLES = (
    """CREATE TABLE access_rules (
    id TEXT{c} NOT NULL PRIMARY KEY,
    principal TEXT{c} NOT NULL,
    role TEXT{c} NOT NULL CHECK (role IN ('viewer', 'booker', 'manager', 'admin')),
    selector TEXT{c} NOT NULL,
    created_us BIGINT NOT NULL,
    created_by TEXT{c} NOT NULL,
    UNIQUE (principal, role, selector)
)""",
    """CREATE TABLE access_members (
    group_name TEXT{c} NOT NULL,
    member TEXT{c} NOT NULL,
    PRIMARY KEY (group_name, member)
)""",
    """CREATE TABLE access_mappings (
    id TEXT{c} NOT NULL PRIMARY KEY,
    issuer TEXT{c} NOT NULL,
    audience TEXT{c} NOT NULL,
    claims TEXT{c} NOT NULL,
    holder TEXT{c} NOT NULL,
    role TEXT{c} NOT NULL CHECK (role IN ('viewer', 'booker', 'manager', 'admin')),
    selector TEXT{c} NOT NULL,
    once INTEGER NOT NULL DEFAULT 0 CHECK (once IN (0, 1)),
    created_us BIGINT NOT NULL,
    created_by TEXT{c} NOT NULL
)""",
    """CREATE TABLE access_tokens (
    id TEXT{c} NOT NULL PRIMARY KEY,
    hash TEXT{c} NOT NULL UNIQUE,
    holder TEXT{c} NOT NULL,
    name TEXT{c} NOT NULL,
    scopes TEXT{c} NOT NULL,
    selectors TEXT{c} NOT NULL,
    created_us BIGINT NOT NULL,
    created_by TEXT{c} NOT NULL,
    expires_us BIGINT NOT NULL,
    used_us BIGINT,
    revoked_us BIGINT
)""",
    """CREATE TABLE access_sessions (
    hash TEXT{c} NOT NULL PRIMARY KEY,
    holder TEXT{c} NOT NULL,
    groups TEXT{c} NOT NULL,
    csrf TEXT{c} NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL
)""",
    """CREATE TABLE access_once (
    hash TEXT{c} NOT NULL PRIMARY KEY,
    value TEXT{c} NOT NULL,
    expires_us BIGINT NOT NULL
)""",
    "CREATE INDEX access_sessions_expires ON access_sessions (expires_us)",
    "CREATE INDEX access_once_expires ON access_once (expires_us)",
)

_SESSIONS_OF_TOKENS = "ALTER TABLE access_sessions ADD COLUMN token TEXT{c} NOT NULL DEFAULT ''"
_NAMES = ("rules", "members", "mappings", "tokens", "sessions", "once")

ACCESS = Component(
    "access",
    [
        Migration(
            1,
            sqlite=[text.format(c="") for text in _TABLES],
            postgresql=[
                *(text.format(c=' COLLATE "C"') for text in _TABLES),
                *(same_readers(f"access_{name}", "ledger_reservations") for name in _NAMES),
            ],
        ),
        Migration(
            2,
            sqlite=[_SESSIONS_OF_TOKENS.format(c="")],
            postgresql=[_SESSIONS_OF_TOKENS.format(c=' COLLATE "C"')],
        ),
    ],
)
