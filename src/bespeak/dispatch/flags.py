"""The commands and their flags, as one table: the reader, the help pages and the documentation's test all use it."""

from __future__ import annotations

from bespeak.dispatch.arguments import ANY, MANY, ONE, SWITCH, WORDS, Flag

_BOOK = (
    Flag("--db", ONE, "PATH|URL", "the reservations: an SQLite file, or postgresql://..."),
    Flag("--orchesjob-bin", ONE, "PATH", "the runner; 'embedded' for bespeak's own"),
    Flag("--orchesjob-start-option", ANY, "OPTION", "passed to the runner's start before '--'; repeatable"),
    Flag("--ledger", ONE, "PLACE", "bespeak's book of resources"),
)
_ONE = "(--run-key KEY | --reservation-id ID)"
_WHICH = (
    Flag("--run-key", ONE, "KEY", "look up by run key"),
    Flag("--reservation-id", ONE, "ID", "look up by reservation id"),
)


def _table(*flags: Flag) -> dict[str, Flag]:
    return {flag.name: flag for flag in (*flags, *_BOOK)}


COMMANDS: dict[str, tuple[str, str, dict[str, Flag]]] = {
    "reserve": (
        "--run-key KEY [OPTIONS] [--] COMMAND [ARGS...]",
        "Reserve a command to be started later, exactly once.",
        _table(
            Flag("--run-key", ONE, "KEY", "idempotency key; a known one returns its reservation"),
            Flag("--not-before", ONE, "DATETIME", "epoch seconds, ISO 8601, or a delay such as +5m"),
            Flag("--expires-at", ONE, "DATETIME", "never start it after this"),
            Flag("--metadata-json", ONE, "JSON", "an object that is stored with it"),
            Flag("--needs", WORDS, "RESOURCE...", "book these too; start only while they are held"),
            Flag("--for", ONE, "DURATION", "how long --needs are booked"),
            Flag("--as-user", ONE, "NAME", "for whom --needs are booked"),
            Flag("--keep-needs", SWITCH, "", "keep what is booked until --for is over, though the job has ended"),
            Flag("--retry", ONE, "N", "run the command again up to N times when it fails"),
            Flag("--retry-delay", ONE, "DURATION", "pause between these; default 1s"),
            Flag("--env", MANY, "NAME=VALUE", "set for the command; repeatable"),
            Flag("--cwd", ONE, "FOLDER", "where the command runs"),
            Flag("--site", ONE, "NAME", "which dispatchers may take it"),
        ),
    ),
    "run": (
        "[OPTIONS]",
        "Run the dispatcher in the foreground, under a process manager.",
        _table(
            Flag("--poll-interval", ONE, "SECONDS", "look again at least so often; default 2.0"),
            Flag("--error-sleep", ONE, "SECONDS", "pause after an unexpected error; default 5.0"),
            Flag("--max-starts", ONE, "N", "start calls at once; default 32, 8 for an external runner"),
            Flag("--start-timeout", ONE, "DURATION", "how long one start call may take; default 30s"),
            Flag("--start-retries", ONE, "N", "try a failed start again; default 8, 0 as orchesjob-reserver"),
            Flag("--site", ONE, "NAME", "take only the jobs of this site"),
            Flag("--once", SWITCH, "", "start what is due, then leave"),
            Flag("--metrics", ONE, "PORT|FILE", "Prometheus metrics"),
        ),
    ),
    "status": (
        _ONE + " [--include-job]",
        "Show a reservation.",
        _table(*_WHICH, Flag("--include-job", SWITCH, "", "also ask the runner about its job")),
    ),
    "result": (
        _ONE + " [--logs]",
        "Print what the runner says about the job's result.",
        _table(*_WHICH, Flag("--logs", SWITCH, "", "with the job's output (embedded runner)")),
    ),
    "cancel": (
        _ONE,
        "Cancel a reservation, or the job that it became.",
        _table(*_WHICH),
    ),
    "list": (
        "[--status STATUS] [--limit N] [FILTERS]",
        "List reservations, newest first.",
        _table(
            Flag("--status", ONE, "STATUS", "only this state"),
            Flag("--limit", ONE, "N", "at most so many; default 50, negative for all"),
            Flag("--after", ONE, "ID", "the page after this reservation"),
            Flag("--since", ONE, "DATETIME", "created at or after"),
            Flag("--until", ONE, "DATETIME", "created before"),
            Flag("--key-prefix", ONE, "TEXT", "run keys that begin so"),
            Flag("--metadata", MANY, "NAME=VALUE", "metadata that says so; repeatable"),
        ),
    ),
    "clean": (
        "(--before DATETIME | --after DATETIME | --all | --job-id ID | --reservation-id ID) [OPTIONS]",
        "Delete reservations that are over. RESERVED and DISPATCHING ones always stay.",
        _table(
            Flag("--before", ONE, "DATETIME", "updated before"),
            Flag("--after", ONE, "DATETIME", "updated at or after"),
            Flag("--all", SWITCH, "", "all that are over"),
            Flag("--job-id", ONE, "ID", "one, by the runner's job id"),
            Flag("--reservation-id", ONE, "ID", "one, by its id"),
            Flag("--run-key", ONE, "KEY", "only this run key"),
            Flag("--dry-run", SWITCH, "", "show, delete nothing"),
            Flag("--summary", SWITCH, "", "print counts only"),
        ),
    ),
    "requeue": (
        _ONE + " [--not-before DATETIME] [--expires-at DATETIME] [--force]",
        "Make a failed, expired or cancelled reservation, or one whose start is unknown, wait for its start again.",
        _table(
            *_WHICH,
            Flag("--not-before", ONE, "DATETIME", "not before this; default at once"),
            Flag("--expires-at", ONE, "DATETIME", "never after this; default no end"),
            Flag("--force", SWITCH, "", "also one whose dispatcher died; start without asking the runner first"),
        ),
    ),
    "wait": (
        _ONE + " [--timeout DURATION] [--dispatched]",
        "Wait until the job has ended; the exit code says how.",
        _table(
            *_WHICH,
            Flag("--timeout", ONE, "DURATION", "give up after this (exit 10)"),
            Flag("--dispatched", SWITCH, "", "wait only until it was started"),
        ),
    ),
    "watch": (
        "[--run-key KEY] [--after-seq N] [--timeout DURATION]",
        "Print one JSON line for each change as it happens.",
        _table(
            Flag("--run-key", ONE, "KEY", "only this one"),
            Flag("--after-seq", ONE, "N", "begin after this change; 0 for all that are known"),
            Flag("--timeout", ONE, "DURATION", "end after this"),
        ),
    ),
    "health": (
        "[--site NAME]",
        "Tell whether a dispatcher is alive and nothing is left lying (exit 1 if not).",
        _table(Flag("--site", ONE, "NAME", "of this site")),
    ),
    "install": (
        "[--kind systemd|supervisor] [--user] [--output FILE] [--print] [--force] [-- RUN OPTIONS]",
        "Write the systemd unit or supervisor section that keeps a dispatcher running.",
        _table(
            Flag("--kind", ONE, "KIND", "systemd (default) or supervisor"),
            Flag("--user", SWITCH, "", "for your own systemd, not the system's"),
            Flag("--output", ONE, "FILE", "where to"),
            Flag("--print", SWITCH, "", "print it instead"),
            Flag("--force", SWITCH, "", "replace a file with other contents"),
        ),
    ),
}
TAKES_COMMAND = frozenset({"reserve", "install"})
