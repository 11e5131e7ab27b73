"""The tables of coord.

``coord_reservations`` holds the facts. ``coord_claims`` is their index by address: one row for each address of each
reservation that is not known to be over, under the key of :mod:`bespeak.coord.address`. What was released leaves it at
once, what has expired leaves it with the next writes, so its size is that of the present and not of the past; ``live``
says whether a reservation still has its rows there. ``repo`` keeps the repositories apart that share one book.
"""

from __future__ import annotations

from bespeak.storage.migrations import Component, Migration

_REPOSITORIES = """
CREATE TABLE coord_repositories (
    repo TEXT{c} NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL
)
"""
_RESERVATIONS = """
CREATE TABLE coord_reservations (
    repo TEXT{c} NOT NULL,
    epoch BIGINT NOT NULL,
    id TEXT{c} NOT NULL,
    run_id TEXT{c} NOT NULL,
    branch TEXT{c} NOT NULL,
    addresses TEXT{c} NOT NULL,
    operation TEXT{c},
    shared INTEGER NOT NULL CHECK (shared IN (0, 1)),
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    released_us BIGINT,
    beat_us BIGINT NOT NULL,
    retry_key TEXT{c},
    live INTEGER NOT NULL CHECK (live IN (0, 1)),
    PRIMARY KEY (repo, epoch),
    UNIQUE (repo, id),
    CHECK (created_us < expires_us),
    CHECK (live = 0 OR released_us IS NULL)
)
"""
_CLAIMS = """
CREATE TABLE coord_claims (
    repo TEXT{c} NOT NULL,
    key TEXT{c} NOT NULL,
    epoch BIGINT NOT NULL,
    part INTEGER NOT NULL,
    address TEXT{c} NOT NULL,
    glob INTEGER NOT NULL CHECK (glob IN (0, 1)),
    PRIMARY KEY (repo, key, epoch, part)
){rowless}
"""
_EDGES = """
CREATE TABLE coord_edges (
    repo TEXT{c} NOT NULL,
    id TEXT{c} NOT NULL,
    needs TEXT{c} NOT NULL,
    PRIMARY KEY (repo, id, needs),
    CHECK (id <> needs)
){rowless}
"""
_INTENTS = """
CREATE TABLE coord_intents (
    repo TEXT{c} NOT NULL,
    id TEXT{c} NOT NULL,
    run_id TEXT{c} NOT NULL,
    branch TEXT{c} NOT NULL,
    addresses TEXT{c} NOT NULL,
    operation TEXT{c} NOT NULL,
    detail TEXT{c} NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    reservation TEXT{c},
    PRIMARY KEY (repo, id)
){rowless}
"""
_LOG = """
CREATE TABLE coord_log (
    seq {identity},
    repo TEXT{c} NOT NULL,
    at_us BIGINT NOT NULL,
    change TEXT{c} NOT NULL,
    reservation TEXT{c},
    run_id TEXT{c} NOT NULL,
    facts TEXT{c} NOT NULL
)
"""
_INDEXES = (
    "CREATE INDEX coord_reservations_live ON coord_reservations (repo, expires_us) WHERE live = 1",
    "CREATE INDEX coord_reservations_expires ON coord_reservations (repo, expires_us)",
    "CREATE INDEX coord_reservations_run ON coord_reservations (repo, run_id) WHERE live = 1",
    "CREATE INDEX coord_claims_epoch ON coord_claims (repo, epoch)",
    "CREATE INDEX coord_edges_needs ON coord_edges (repo, needs)",
    "CREATE INDEX coord_intents_expires ON coord_intents (repo, expires_us)",
    "CREATE INDEX coord_log_repo ON coord_log (repo, seq)",
)
_TABLES = (_REPOSITORIES, _RESERVATIONS, _CLAIMS, _EDGES, _INTENTS, _LOG)


def _statements(identity: str, collation: str, rowless: str) -> list[str]:
    words = {"identity": identity, "c": collation, "rowless": rowless}
    return [text.format_map(words) for text in _TABLES] + list(_INDEXES)


COORD = Component(
    "coord",
    [
        Migration(
            1,
            sqlite=_statements("INTEGER PRIMARY KEY AUTOINCREMENT", "", " WITHOUT ROWID"),
            postgresql=_statements("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", ' COLLATE "C"', ""),
        )
    ],
    steady_time=True,
)
