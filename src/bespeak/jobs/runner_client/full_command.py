"""What the runner is asked to run: the reserved command, with variables, folder, retries, priority and limits in front.

For a foreign runner they are expressed with ``env`` and ``sh``, so any honours them and nothing of ours stays behind.
"""

from __future__ import annotations

from bespeak.jobs import resource_scope
from bespeak.jobs.model import HELD_EXTRA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.runner_client.location import Runner

ATTEMPTS_VARIABLE = "BESPEAK_JOB_ATTEMPTS"
"""Names the folder in which a command that is run again notes how each attempt ended; :mod:`bespeak.jobs.attempts`."""

_RETRY = (
    f'left=$1 delay=$2 id=$3 notes=${{{ATTEMPTS_VARIABLE}-}}; shift 3; unset {ATTEMPTS_VARIABLE}; while :; do "$@";'
    ' code=$?; [ -z "$notes" ] || { echo "$code $(date +%s)" >>"$notes/$id"; } 2>/dev/null;'
    ' [ "$code" -eq 0 ] && exit 0; [ "$left" -gt 0 ] || exit "$code"; left=$((left - 1)); sleep "$delay"; done'
)
_REFERENCES = (
    'fail() { echo "bespeak: --env $1: $2 $3" >&2; exit 78; }; while [ "$1" != -- ]; do case $2 in'
    ' env:*) eval "bespk_value=\\${${2#env:}-}"; [ -n "$bespk_value" ] || fail "$1" "$2" "is not set or empty" ;;'
    ' *) bespk_value=$(cat -- "${2#file:}") || fail "$1" "$2" "cannot be read";'
    ' [ -n "$bespk_value" ] || fail "$1" "$2" "is empty" ;; esac;'
    ' export "$1=$bespk_value"; shift 2; done; shift; unset bespk_value; exec "$@"'
)
"""Looks up what variables refer to, where and when the command starts; neither arguments nor books have the values."""

_HIDDEN = "..."


def full_command(job: JobReservation) -> list[str]:
    """Return the words that a foreign runner is given after ``--``."""
    extras = job.extras
    words = _inner_command(job)
    settings = _settings(extras)
    cwd = extras.get("cwd")
    if not settings and not cwd:
        return words
    if "=" in words[0]:
        words = ["/bin/sh", "-c", 'exec "$@"', "sh", *words]
    front = ["env", f"--chdir={cwd}"] if cwd else ["env"]
    return [*front, *settings, *words]


def _inner_command(job: JobReservation) -> list[str]:
    """Return the command with what is put in front of it for every runner."""
    extras = job.extras
    words = resource_scope.limited(job.command, extras)
    nice = extras.get("nice")
    if isinstance(nice, int) and nice:
        words = ["nice", "-n", str(nice), "--", *words]
    retry = extras.get("retry")
    if isinstance(retry, int) and retry > 0:
        delay = extras.get("retry_delay_seconds", 0)
        words = ["/bin/sh", "-c", _RETRY, "retry", str(retry), f"{delay:g}", job.reservation_id, *words]
    references = extras.get("env_from")
    if not isinstance(references, dict) or not references:
        return words
    pairs = [word for pair in references.items() for word in pair]
    return ["/bin/sh", "-c", _REFERENCES, "env", *pairs, "--", *words]


def _settings(extras: Mapping[str, object]) -> list[str]:
    """Return the variables of a job as NAME=VALUE: what it holds, and what was said for it, which goes before."""
    found: dict[str, str] = {}
    for key in (HELD_EXTRA, "env"):
        env = extras.get(key)
        found |= env if isinstance(env, dict) else {}
    return [f"{name}={value}" for name, value in found.items()]


def start_words(job: JobReservation, runner: Runner, options: Sequence[str]) -> list[str]:
    """Return the runner's arguments that start ``job``, without the runner itself.

    Args:
        job: what to start.
        runner: only the embedded one is told the idempotency key that belongs to this reservation, and takes variables
            and folder as options: they reach it through a pipe, while ``env`` shows them to everybody on the machine.
        options: of the dispatcher, before those of the reservation.
    """
    if not runner.embedded:
        return ["start", *_run_key(job), *options, *job.start_options, "--", *full_command(job)]
    extras = job.extras
    own = [f"--env={setting}" for setting in _settings(extras)]
    if extras.get("cwd"):
        own.append(f"--cwd={extras['cwd']}")
    key = ["--idempotency-key", job.reservation_id]
    return [
        "start",
        *_run_key(job),
        *key,
        *options,
        *job.start_options,
        *own,
        "--",
        *_inner_command(job),
    ]


def without_values(words: Sequence[str], job: JobReservation | None = None) -> list[str]:
    """Return words as they may be shown: the values of ``--env`` options and of the job's variables are left out."""
    secret = set(_settings(job.extras)) if job else set()
    shown: list[str] = []
    for word in words:
        option = "--env=" if word.startswith("--env=") else ""
        if option or word in secret or shown[-1:] == ["--env"]:
            name = word.removeprefix(option).partition("=")[0]
            shown.append(f"{option}{name}={_HIDDEN}")
        else:
            shown.append(word)
    return shown


def ask_words(job: JobReservation, runner: Runner) -> list[str]:
    """Return the runner's arguments that tell whether ``job`` was started."""
    if runner.embedded:
        return ["status", "--idempotency-key", job.reservation_id]
    return ["status", *_run_key(job)]


def _run_key(job: JobReservation) -> list[str]:
    """Return the run key as documented, in two words; one that begins like a flag goes in one."""
    return [f"--run-key={job.run_key}"] if job.run_key.startswith("-") else ["--run-key", job.run_key]
