"""The tables of jobs, and how a database of the original program becomes ours without losing a row.

Step 1 is the documented table, created only where it is missing; everything of ours is added by later steps with
defaults, so a file that another program wrote is upgraded in place. A trigger keeps rows complete that the other
program still inserts while both are installed. ``dispatch_log`` numbers every change; on both engines the one write
lock :data:`LOCK` makes its numbers appear in order, so a reader that remembers the last one misses nothing.
"""

from __future__ import annotations

from bespeak.storage.migrations import Component, Migration

LOCK = "bespeak:dispatch"
"""The key that every write transaction of jobs holds: claims, cancels and the log are decided one at a time."""

TOPIC = "dispatch"
"""What listeners of job changes listen to."""

_COLUMNS = """
    reservation_id TEXT PRIMARY KEY,
    run_key TEXT NOT NULL UNIQUE,
    command_json TEXT NOT NULL,
    reservation_status TEXT NOT NULL,
    job_id TEXT,
    not_before BIGINT,
    expires_at BIGINT,
    metadata_json TEXT,
    orchesjob_start_options_json TEXT NOT NULL DEFAULT '[]',
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    dispatched_at BIGINT,
    last_error TEXT
"""
_DOCUMENTED = (
    f"CREATE TABLE IF NOT EXISTS reservations ({_COLUMNS})",
    "CREATE INDEX IF NOT EXISTS idx_reservations_status_not_before ON reservations (reservation_status, not_before)",
    "CREATE INDEX IF NOT EXISTS idx_reservations_job_id ON reservations (job_id)",
    "CREATE INDEX IF NOT EXISTS idx_reservations_updated_at ON reservations (updated_at)",
)
_ADDED = (
    "ALTER TABLE reservations ADD COLUMN seq BIGINT",
    "ALTER TABLE reservations ADD COLUMN site TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE reservations ADD COLUMN next_us BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE reservations ADD COLUMN owner TEXT",
    "ALTER TABLE reservations ADD COLUMN claim_no BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE reservations ADD COLUMN claimed_us BIGINT",
    "ALTER TABLE reservations ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE reservations ADD COLUMN extras_json TEXT",
    "ALTER TABLE reservations ADD COLUMN booking_id TEXT",
)
_LOG_COLUMNS = """
    at_us BIGINT NOT NULL,
    reservation_id TEXT NOT NULL,
    run_key TEXT NOT NULL,
    site TEXT NOT NULL DEFAULT '',
    change TEXT NOT NULL,
    reservation_status TEXT NOT NULL,
    job_id TEXT,
    detail TEXT
"""
_INDEXES = (
    "CREATE INDEX reservations_due ON reservations (site, next_us, seq) WHERE reservation_status = 'RESERVED'",
    """CREATE INDEX reservations_expiry ON reservations (site, expires_at)
    WHERE reservation_status = 'RESERVED' AND expires_at IS NOT NULL""",
    "CREATE INDEX reservations_status_seq ON reservations (reservation_status, seq)",
    "CREATE INDEX reservations_seq ON reservations (seq)",
)
_DISPATCHERS = """
CREATE TABLE dispatch_dispatchers (
    dispatcher_id TEXT PRIMARY KEY,
    site TEXT NOT NULL,
    host TEXT NOT NULL,
    process TEXT NOT NULL,
    runner_home TEXT NOT NULL,
    runner TEXT NOT NULL,
    pid BIGINT NOT NULL,
    started_us BIGINT NOT NULL,
    beat_us BIGINT NOT NULL,
    lease_until_us BIGINT NOT NULL
)
"""
_BOOKINGS = (
    "ALTER TABLE reservations ADD COLUMN runner_home TEXT",
    "ALTER TABLE reservations ADD COLUMN returned_us BIGINT",
    "CREATE INDEX reservations_booked ON reservations (site, seq) WHERE booking_id IS NOT NULL AND returned_us IS NULL",
)
_FIRST_CLAIMS = (
    "ALTER TABLE reservations ADD COLUMN first_claimed_us BIGINT",
    # Which of the earlier attempts called a start was not written down; none did before the reservation was made.
    """UPDATE reservations SET first_claimed_us = created_at * 1000000
    WHERE job_id IS NULL AND (attempts > 0 OR reservation_status = 'DISPATCHING')""",
)
_OWNER = "FROM dispatch_dispatchers WHERE dispatcher_id = reservations.owner"
_LOCATIONS = (
    "ALTER TABLE reservations ADD COLUMN runner TEXT",
    "ALTER TABLE reservations ADD COLUMN runner_host TEXT",
    "ALTER TABLE reservations ADD COLUMN runner_version TEXT",
    # A claim that was made by bespeak's own runner can be asked about where it was made, by whoever takes it over.
    f"""UPDATE reservations SET runner = 'embedded', runner_home = (SELECT runner_home {_OWNER}),
        runner_host = (SELECT host {_OWNER})
    WHERE reservation_status = 'DISPATCHING' AND (SELECT runner {_OWNER}) = 'bespeak runner'""",
)
_OUTCOMES = (
    "ALTER TABLE reservations ADD COLUMN outcome TEXT",
    "ALTER TABLE reservations ADD COLUMN exit_code BIGINT",
    "ALTER TABLE reservations ADD COLUMN ended_us BIGINT",
    "ALTER TABLE reservations ADD COLUMN told_us BIGINT",
    # Nobody asks about the jobs of years, and nobody is told of their failures.
    "UPDATE reservations SET told_us = 0, outcome = CASE WHEN reservation_status = 'DISPATCHED' THEN '' END",
    """CREATE INDEX reservations_unended ON reservations (site, seq)
    WHERE reservation_status = 'DISPATCHED' AND outcome IS NULL""",
    "CREATE INDEX reservations_ended ON reservations (ended_us) WHERE ended_us IS NOT NULL",
)
_LIMITS = (
    "ALTER TABLE reservations ADD COLUMN tags TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE reservations ADD COLUMN run_until_us BIGINT",
    "ALTER TABLE reservations ADD COLUMN stopped_us BIGINT",
    """CREATE INDEX reservations_limited ON reservations (site, run_until_us)
    WHERE run_until_us IS NOT NULL AND outcome IS NULL""",
)
_SCHEDULES = """
CREATE TABLE dispatch_schedules (
    name TEXT PRIMARY KEY,
    cron TEXT NOT NULL,
    zone TEXT NOT NULL,
    overlap TEXT NOT NULL,
    catch_up TEXT NOT NULL,
    jitter_us BIGINT NOT NULL,
    command_json TEXT NOT NULL,
    options_json TEXT NOT NULL,
    site TEXT NOT NULL,
    extras_json TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    next_us BIGINT NOT NULL,
    last_us BIGINT,
    paused INTEGER NOT NULL
)
"""
_TRIGGER = """
CREATE TRIGGER reservations_from_elsewhere AFTER INSERT ON reservations WHEN NEW.seq IS NULL
BEGIN
    INSERT INTO dispatch_log (at_us, reservation_id, run_key, change, reservation_status)
        VALUES (NEW.created_at * 1000000, NEW.reservation_id, NEW.run_key, 'reserved', NEW.reservation_status);
    UPDATE reservations SET seq = (SELECT MAX(seq) FROM dispatch_log),
        next_us = MAX(COALESCE(NEW.not_before, 0), 0) * 1000000 WHERE reservation_id = NEW.reservation_id;
END
"""
_FILL_SQLITE = (
    "UPDATE reservations SET seq = rowid, next_us = MAX(COALESCE(not_before, 0), 0) * 1000000",
    """INSERT INTO dispatch_log (seq, at_us, reservation_id, run_key, change, reservation_status)
    SELECT COALESCE(MAX(rowid), 0) + 1, 0, '', '', 'opened', '' FROM reservations""",
)

COMPONENT = Component(
    "dispatch",
    (
        Migration(1, _DOCUMENTED),
        Migration(
            2,
            (
                *_ADDED,
                f"CREATE TABLE dispatch_log (seq INTEGER PRIMARY KEY AUTOINCREMENT, {_LOG_COLUMNS})",
                *_FILL_SQLITE,
                *_INDEXES,
                _DISPATCHERS,
                _TRIGGER,
            ),
            (
                *_ADDED,
                f"CREATE TABLE dispatch_log (seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {_LOG_COLUMNS})",
                *_INDEXES,
                _DISPATCHERS,
            ),
        ),
        Migration(3, _BOOKINGS),
        Migration(4, _FIRST_CLAIMS),
        Migration(5, _LOCATIONS),
        Migration(6, _OUTCOMES),
        Migration(7, (_SCHEDULES,)),
        Migration(
            8,
            (
                "ALTER TABLE reservations ADD COLUMN account TEXT NOT NULL DEFAULT ''",
                "ALTER TABLE dispatch_schedules ADD COLUMN account TEXT NOT NULL DEFAULT ''",
            ),
        ),
        Migration(9, _LIMITS),
        # Without the state, so that no engine takes the index of states and reads the jobs of years.
        Migration(
            10,
            ("CREATE INDEX reservations_running ON reservations (seq) WHERE job_id IS NOT NULL AND outcome IS NULL",),
        ),
    ),
)
