"""The tables of the book, and how they came to be.

``ledger_reservations`` holds the facts. ``ledger_bookings`` is their index by resource and time, without those that
were given back: an overlap query seeks ``(resource, starts_us)`` no further back than the resource's longest booking,
so its cost does not grow with the book. Bookings of :data:`LONG_US` and more, open ends among them, have a small index
of their own, so that one booking of a year does not make every later query look back a year. ``ledger_queue`` is the
index of those who wait; their rows in ``ledger_reservations`` have no end, because a promise can move.
``ledger_requests`` remembers what a server was asked, so that what is asked again is not done again.

``ledger_resources`` holds what is declared about a resource; ``ledger_parts`` which resource is a part of which, and
``ledger_resources.related`` how many wholes and parts one has, so that one without any costs nothing. The one row of
``ledger_inventory`` counts the changes of such facts, and says when an inventory was last synced. ``ledger_closures``
holds windows in which a resource is not given out (maintenance, the rest of a cool-down);
``ledger_resources.closed_until_us`` is the last end of one, so that a resource without any costs nothing.

What awaits approval is entered in ``ledger_bookings``, so that it keeps its time, and is marked as waiting and not in
``ledger_queue``, so that whoever does not know of approvals takes it for no hold.
"""

from __future__ import annotations

from bespeak.base.clock import DAY_US
from bespeak.storage.migrations import Component, Migration, same_readers

LONG_US = 32 * DAY_US

_RESERVATIONS = """
CREATE TABLE ledger_reservations (
    seq {key},
    id TEXT{c} NOT NULL UNIQUE,
    tail TEXT{c} NOT NULL,
    number BIGINT UNIQUE,
    holder TEXT{c} NOT NULL,
    acting TEXT{c},
    resources TEXT{c} NOT NULL,
    mode TEXT{c} NOT NULL CHECK (mode IN ('exclusive', 'shared')),
    starts_us BIGINT NOT NULL,
    ends_us BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    ended_us BIGINT,
    ended_why TEXT{c} CHECK (ended_why IN ('released', 'cancelled', 'kicked', 'replaced', 'no_show', 'lapsed')),
    ended_note TEXT{c} NOT NULL DEFAULT '',
    purpose TEXT{c} NOT NULL DEFAULT '',
    tags TEXT{c} NOT NULL DEFAULT '[]',
    priority INTEGER NOT NULL DEFAULT 0,
    lease_us BIGINT,
    waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting IN (0, 1)),
    rank BIGINT NOT NULL DEFAULT 0,
    wanted_us BIGINT NOT NULL DEFAULT 0,
    not_before_us BIGINT NOT NULL DEFAULT 0,
    keepalive_us BIGINT,
    CHECK ((ended_us IS NULL) = (ended_why IS NULL)),
    CHECK (waiting = 1 OR ended_us IS NOT NULL OR (number IS NOT NULL AND starts_us < ends_us))
)
"""
_RESOURCES = """
CREATE TABLE ledger_resources (
    name TEXT{c} NOT NULL PRIMARY KEY,
    capacity INTEGER NOT NULL DEFAULT 1 CHECK (capacity >= 1),
    declared INTEGER NOT NULL DEFAULT 0 CHECK (declared IN (0, 1)),
    description TEXT{c} NOT NULL DEFAULT '',
    longest_us BIGINT NOT NULL DEFAULT 0
){rowless}
"""
_BOOKINGS = """
CREATE TABLE ledger_bookings (
    resource TEXT{c} NOT NULL,
    starts_us BIGINT NOT NULL,
    ends_us BIGINT NOT NULL,
    reservation BIGINT NOT NULL,
    PRIMARY KEY (resource, starts_us, reservation),
    CHECK (starts_us < ends_us)
){rowless}
"""
_QUEUE = """
CREATE TABLE ledger_line (
    resource TEXT{c} NOT NULL,
    rank BIGINT NOT NULL,
    reservation BIGINT NOT NULL,
    PRIMARY KEY (resource, rank, reservation)
){rowless}
"""
_LOG = """
CREATE TABLE ledger_log (
    seq {identity},
    at_us BIGINT NOT NULL,
    action TEXT{c} NOT NULL,
    reservation TEXT{c},
    resources TEXT{c} NOT NULL,
    who TEXT{c} NOT NULL,
    acting TEXT{c},
    before TEXT{c} NOT NULL,
    after TEXT{c} NOT NULL
)
"""
_POLICY = """
CREATE TABLE ledger_policy (
    name TEXT{c} NOT NULL PRIMARY KEY,
    value TEXT{c} NOT NULL
){rowless}
"""
_INDEXES = (
    "CREATE INDEX ledger_reservations_tail ON ledger_reservations (tail)",
    "CREATE INDEX ledger_reservations_holder ON ledger_reservations (holder, ends_us) WHERE ended_us IS NULL",
    "CREATE INDEX ledger_reservations_open ON ledger_reservations (ends_us) WHERE ended_us IS NULL",
    f"CREATE INDEX ledger_bookings_long ON ledger_bookings (resource, ends_us) WHERE ends_us - starts_us >= {LONG_US}",
    "CREATE INDEX ledger_log_reservation ON ledger_log (reservation)",
)
_PLAIN_NAMES = (
    "ALTER TABLE ledger_reservations RENAME COLUMN number TO fencing_token",
    "ALTER TABLE ledger_reservations RENAME COLUMN acting TO requested_by",
    "ALTER TABLE ledger_reservations RENAME COLUMN ended_why TO end_reason",
    "ALTER TABLE ledger_log RENAME COLUMN acting TO requested_by",
    "ALTER TABLE ledger_line RENAME TO ledger_queue",
)
_INVENTORY_COLUMNS = (
    "labels TEXT{c} NOT NULL DEFAULT '{{}}'",
    "owner TEXT{c} NOT NULL DEFAULT ''",
    "contact TEXT{c} NOT NULL DEFAULT ''",
    "link TEXT{c} NOT NULL DEFAULT ''",
    "location TEXT{c} NOT NULL DEFAULT ''",
    "seats TEXT{c} NOT NULL DEFAULT '[]'",
    "group_names TEXT{c} NOT NULL DEFAULT '[]'",
    "cooldown_us BIGINT NOT NULL DEFAULT 0",
    "hours TEXT{c} NOT NULL DEFAULT ''",
    "check_in_us BIGINT",
    "health TEXT{c} NOT NULL DEFAULT 'ok' CHECK (health IN ('ok', 'sick', 'offline'))",
    "health_note TEXT{c} NOT NULL DEFAULT ''",
    "related INTEGER NOT NULL DEFAULT 0",
)
_INVENTORY = (
    *(f"ALTER TABLE ledger_resources ADD COLUMN {column}" for column in _INVENTORY_COLUMNS),
    "CREATE TABLE ledger_parts (whole TEXT{c} NOT NULL, part TEXT{c} NOT NULL, PRIMARY KEY (whole, part)){rowless}",
    "CREATE INDEX ledger_parts_part ON ledger_parts (part)",
    """
CREATE TABLE ledger_inventory (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL,
    synced_us BIGINT,
    synced_by TEXT{c}
)""",
    "INSERT INTO ledger_inventory (id, revision) VALUES (1, 0)",
)
_REQUESTS = (
    """
CREATE TABLE ledger_requests (
    who TEXT{c} NOT NULL,
    key TEXT{c} NOT NULL,
    step INTEGER NOT NULL,
    digest TEXT{c} NOT NULL,
    answer TEXT{c},
    at_us BIGINT NOT NULL,
    PRIMARY KEY (who, key, step)
){rowless}""",
    "CREATE INDEX ledger_requests_at ON ledger_requests (at_us)",
)
_ORIGIN = (
    "ALTER TABLE ledger_reservations ADD COLUMN host TEXT{c} NOT NULL DEFAULT ''",
    "ALTER TABLE ledger_reservations ADD COLUMN process TEXT{c} NOT NULL DEFAULT ''",
    "ALTER TABLE ledger_reservations ADD COLUMN gate_seen_us BIGINT",
    "CREATE TABLE ledger_identity (id TEXT{c} NOT NULL)",
)
_LATER_TABLES = ("ledger_inventory", "ledger_parts", "ledger_policy")
_OPEN_ENDS = (
    "ALTER TABLE ledger_reservations ADD COLUMN open_end INTEGER NOT NULL DEFAULT 0 CHECK (open_end IN (0, 1))",
    "CREATE INDEX ledger_reservations_runs ON ledger_reservations (holder, resources, seq) WHERE open_end = 1",
)
_CLOSURES = (
    """
CREATE TABLE ledger_closures (
    id TEXT{c} NOT NULL,
    resource TEXT{c} NOT NULL,
    starts_us BIGINT NOT NULL,
    ends_us BIGINT NOT NULL,
    kind TEXT{c} NOT NULL CHECK (kind IN ('maintenance', 'cooldown')),
    reason TEXT{c} NOT NULL,
    made_by TEXT{c} NOT NULL,
    PRIMARY KEY (resource, id),
    CHECK (starts_us < ends_us)
){rowless}""",
    "CREATE INDEX ledger_closures_ends ON ledger_closures (resource, ends_us)",
    "ALTER TABLE ledger_resources ADD COLUMN closed_until_us BIGINT NOT NULL DEFAULT 0",
)
_UNHEARD = (
    "ALTER TABLE ledger_reservations ADD COLUMN unheard INTEGER NOT NULL DEFAULT 0 CHECK (unheard IN (0, 1))",
    "CREATE INDEX ledger_reservations_unheard ON ledger_reservations (holder) WHERE unheard = 1",
)
_SELECTIONS = (
    "ALTER TABLE ledger_reservations ADD COLUMN selection TEXT{c}",
    "CREATE INDEX ledger_reservations_needy ON ledger_reservations (rank) WHERE waiting = 1 AND selection IS NOT NULL",
)
_APPROVALS = (
    "ALTER TABLE ledger_resources ADD COLUMN approval TEXT{c} NOT NULL DEFAULT ''",
    "CREATE INDEX ledger_resources_approval ON ledger_resources (name) WHERE approval <> ''",
    """
ALTER TABLE ledger_reservations ADD COLUMN approval TEXT{c} NOT NULL DEFAULT ''
    CHECK (approval IN ('', 'asked', 'given', 'refused'))""",
    "CREATE INDEX ledger_reservations_asked ON ledger_reservations (seq) WHERE approval = 'asked' AND waiting = 1",
)
_TABLES = (_RESERVATIONS, _RESOURCES, _BOOKINGS, _QUEUE, _LOG)


_ON_SQLITE = {"key": "INTEGER PRIMARY KEY", "identity": "INTEGER PRIMARY KEY AUTOINCREMENT"}
_ON_SQLITE |= {"c": "", "rowless": " WITHOUT ROWID"}
_ON_POSTGRESQL = {"key": "BIGINT PRIMARY KEY", "identity": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"}
_ON_POSTGRESQL |= {"c": ' COLLATE "C"', "rowless": ""}


def _inventory(words: dict[str, str]) -> list[str]:
    return [text.format_map(words) for text in _INVENTORY]


def _requests(words: dict[str, str]) -> list[str]:
    return [text.format_map(words) for text in _REQUESTS]


def _closures(words: dict[str, str]) -> list[str]:
    return [text.format_map(words) for text in _CLOSURES]


def _selections(words: dict[str, str]) -> list[str]:
    return [text.format_map(words) for text in _SELECTIONS]


def _approvals(words: dict[str, str]) -> list[str]:
    return [text.format_map(words) for text in _APPROVALS]


def _statements(words: dict[str, str]) -> list[str]:
    return [text.format_map(words) for text in _TABLES] + list(_INDEXES)


LEDGER = Component(
    "ledger",
    [
        Migration(
            1,
            sqlite=[
                *_statements(_ON_SQLITE),
                "CREATE TABLE ledger_ticket (last BIGINT NOT NULL)",
                "INSERT INTO ledger_ticket (last) VALUES (0)",
            ],
            postgresql=[
                *_statements(_ON_POSTGRESQL),
                "CREATE SEQUENCE ledger_ticket",
            ],
        ),
        Migration(
            2,
            sqlite=[*_PLAIN_NAMES, "ALTER TABLE ledger_ticket RENAME TO ledger_counter"],
            postgresql=[*_PLAIN_NAMES, "ALTER SEQUENCE ledger_ticket RENAME TO ledger_counter"],
        ),
        Migration(3, sqlite=_inventory(_ON_SQLITE), postgresql=_inventory(_ON_POSTGRESQL)),
        Migration(
            4,
            sqlite=[_POLICY.format_map(_ON_SQLITE)],
            postgresql=[
                _POLICY.format_map(_ON_POSTGRESQL),
                *(same_readers(table, "ledger_reservations") for table in _LATER_TABLES),
            ],
        ),
        Migration(5, sqlite=_requests(_ON_SQLITE), postgresql=_requests(_ON_POSTGRESQL)),
        Migration(6, sqlite=[*_OPEN_ENDS], postgresql=[*_OPEN_ENDS]),
        Migration(
            7,
            sqlite=[
                *(text.format_map(_ON_SQLITE) for text in _ORIGIN),
                "INSERT INTO ledger_identity (id) VALUES (lower(hex(randomblob(16))))",
            ],
            postgresql=[
                *(text.format_map(_ON_POSTGRESQL) for text in _ORIGIN),
                "INSERT INTO ledger_identity (id) VALUES (replace(gen_random_uuid()::text, '-', ''))",
                *(same_readers(table, "ledger_reservations") for table in ("ledger_identity", "ledger_requests")),
            ],
        ),
        Migration(
            8,
            sqlite=_closures(_ON_SQLITE),
            postgresql=[*_closures(_ON_POSTGRESQL), same_readers("ledger_closures", "ledger_reservations")],
        ),
        Migration(9, sqlite=["ALTER TABLE ledger_reservations ADD COLUMN check_in_us BIGINT"]),
        Migration(10, sqlite=[*_UNHEARD], postgresql=[*_UNHEARD]),
        Migration(11, sqlite=["CREATE INDEX ledger_reservations_starts ON ledger_reservations (holder, starts_us)"]),
        Migration(12, sqlite=["CREATE INDEX ledger_resources_like ON ledger_resources (lower(name))"]),
        Migration(13, sqlite=_selections(_ON_SQLITE), postgresql=_selections(_ON_POSTGRESQL)),
        Migration(14, sqlite=_approvals(_ON_SQLITE), postgresql=_approvals(_ON_POSTGRESQL)),
    ],
    steady_time=True,
)
