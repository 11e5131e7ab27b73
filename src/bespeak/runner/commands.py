"""The runner's commands: their options, and the help that is printed of them."""

from __future__ import annotations

from bespeak.runner.arguments import Command

_KEY = ("--run-key", "KEY", "the job, by its run key (the last attempt)")
_ID = ("--job-id", "ID", "the job, by its id")
_IDEMPOTENCY = ("--idempotency-key", "KEY", "the job, by the caller's own key")
_ONE = "(--run-key KEY | --job-id ID)"
_TIMEOUT = (
    "--start-timeout",
    "SECS",
    "wait at most this long until the command runs (default: 10); 0 returns at once",
)
_GRACE = ("--grace-seconds", "SECS", "time between SIGTERM and SIGKILL (default: 5)")

START = Command(
    "start",
    "Start a command under a run key, or return the job that makes it unnecessary",
    "--run-key KEY [OPTIONS] [--] COMMAND [ARGS...]",
    (
        ("--run-key", "KEY", "jobs of one key never run at the same time (required)"),
        ("--sync", None, "return when the job has ended"),
        ("--strict", None, "run once per key, ever: an ended job is returned too, unless unlocked"),
        _TIMEOUT,
        ("--idempotency-key", "KEY", "the caller's own key: executed at most once under it, whatever happens"),
        ("--env", "K=V...", "set a variable for the command (repeatable)"),
        ("--cwd", "DIR", "run in this folder"),
    ),
    examples=(
        "start --run-key nightly -- /usr/local/bin/backup.sh",
        "start --run-key import-2026-05-02 --strict --sync -- ./import.sh --date 2026-05-02",
    ),
    required=("--run-key",),
    takes_command=True,
)
STATUS = Command(
    "status",
    "Say where a job is",
    "(--run-key KEY [--all] | --job-id ID | --idempotency-key KEY | --running)",
    (
        _KEY,
        _ID,
        _IDEMPOTENCY,
        ("--running", None, "every job that is starting or running"),
        ("--all", None, "every attempt of the run key, the last first"),
    ),
    examples=("status --run-key nightly", "status --run-key nightly --all", "status --running"),
    one_of=("--run-key", "--job-id", "--idempotency-key", "--running"),
)
RESULT = Command(
    "result",
    "Show a job with its exit code and, if asked, its output",
    f"{_ONE} [--logs]",
    (_KEY, _ID, ("--logs", None, "add what the job wrote, as stdout and stderr")),
    examples=("result --run-key nightly --logs",),
    one_of=("--run-key", "--job-id"),
)
LOGS = Command(
    "logs",
    "Print what a job wrote",
    f"{_ONE} [--stream stdout|stderr] [--follow]",
    (
        _KEY,
        _ID,
        ("--stream", "STREAM", "stdout (default) or stderr"),
        ("--follow", None, "go on until the job has ended"),
    ),
    examples=("logs --run-key nightly", "logs --run-key nightly --stream stderr --follow"),
    one_of=("--run-key", "--job-id"),
)
ABORT = Command(
    "abort",
    "Stop a running job: SIGTERM to its process group, a grace period, SIGKILL",
    f"{_ONE} [--reason TEXT] [--grace-seconds SECS]",
    (_KEY, _ID, ("--reason", "TEXT", "stored with the job"), _GRACE),
    examples=('abort --run-key nightly --reason "wrong disk"',),
    one_of=("--run-key", "--job-id"),
)
CANCEL = Command(
    "cancel",
    "Stop a job like abort does; it reads CANCELLED",
    f"{_ONE} [--reason TEXT] [--grace-seconds SECS]",
    (_KEY, _ID, ("--reason", "TEXT", "stored with the job"), _GRACE),
    examples=("cancel --run-key nightly",),
    one_of=("--run-key", "--job-id"),
)
RERUN = Command(
    "rerun",
    "Run the command of an ended job again",
    f"{_ONE} [--sync] [--reason TEXT] [--start-timeout SECS]",
    (
        _KEY,
        _ID,
        ("--sync", None, "return when the job has ended"),
        ("--reason", "TEXT", "stored with the job"),
        _TIMEOUT,
    ),
    examples=('rerun --run-key nightly --sync --reason "disk replaced"',),
    one_of=("--run-key", "--job-id"),
)
UNLOCK = Command(
    "unlock",
    "Allow one more strict execution of a run key",
    "--run-key KEY [--reason TEXT] [--ttl DURATION]",
    (
        ("--run-key", "KEY", "the key, whose last job has ended (required)"),
        ("--reason", "TEXT", "stored with the execution that uses it"),
        ("--ttl", "DURATION", "forget it after this time: seconds, or 30m, 2h, 1d"),
    ),
    examples=("unlock --run-key import-2026-05-02 --ttl 30m",),
    required=("--run-key",),
)
CLEAN = Command(
    "clean",
    "Delete ended jobs with their output; running ones stay",
    "(--before TIME | --after TIME | --all | --job-id ID) [--run-key KEY] [--dry-run]",
    (
        ("--before", "TIME", "those that ended before this time (ISO 8601; no offset: local time)"),
        ("--after", "TIME", "those that ended at or after this time"),
        ("--all", None, "all of them"),
        ("--job-id", "ID", "one of them"),
        ("--run-key", "KEY", "only those of this key (with --before, --after or --all)"),
        ("--dry-run", None, "say what would be deleted, and delete nothing"),
    ),
    examples=("clean --before 2026-06-01 --dry-run", "clean --run-key nightly --all"),
)

COMMANDS = (START, STATUS, RESULT, LOGS, ABORT, CANCEL, RERUN, UNLOCK, CLEAN)
