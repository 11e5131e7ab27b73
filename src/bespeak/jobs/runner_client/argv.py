"""What the runner is asked to run: the reserved command, with ``env``, ``cwd`` and ``retry`` put in front of it.

They are expressed with ``env`` and ``sh``, so any runner honours them and nothing of ours stays behind to watch.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.runner_client.location import Runner

_RETRY = (
    'left=$1 delay=$2; shift 2; while :; do "$@"; code=$?; [ "$code" -eq 0 ] && exit 0;'
    ' [ "$left" -gt 0 ] || exit "$code"; left=$((left - 1)); sleep "$delay"; done'
)


def full_command(job: JobReservation) -> list[str]:
    """Return the words that the runner is given after ``--``."""
    extras = job.extras
    words = job.command
    retry = extras.get("retry")
    if isinstance(retry, int) and retry > 0:
        delay = extras.get("retry_delay_seconds", 0)
        words = ["/bin/sh", "-c", _RETRY, "retry", str(retry), f"{delay:g}", *words]
    env = extras.get("env")
    cwd = extras.get("cwd")
    if not env and not cwd:
        return words
    if "=" in words[0]:
        words = ["/bin/sh", "-c", 'exec "$@"', "sh", *words]
    front = ["env", f"--chdir={cwd}"] if cwd else ["env"]
    settings = [f"{name}={value}" for name, value in env.items()] if isinstance(env, dict) else []
    return [*front, *settings, *words]


def start_words(job: JobReservation, runner: Runner, options: Sequence[str]) -> list[str]:
    """Return the runner's arguments that start ``job``, without the runner itself.

    Args:
        job: what to start.
        runner: only the embedded one is told the idempotency key that belongs to this reservation.
        options: of the dispatcher, before those of the reservation.
    """
    key = ["--idempotency-key", job.reservation_id] if runner.embedded else []
    return ["start", *_run_key(job), *key, *options, *job.start_options, "--", *full_command(job)]


def ask_words(job: JobReservation, runner: Runner) -> list[str]:
    """Return the runner's arguments that tell whether ``job`` was started."""
    if runner.embedded:
        return ["status", "--idempotency-key", job.reservation_id]
    return ["status", *_run_key(job)]


def _run_key(job: JobReservation) -> list[str]:
    """Return the run key as documented, in two words; one that begins like a flag goes in one."""
    return [f"--run-key={job.run_key}"] if job.run_key.startswith("-") else ["--run-key", job.run_key]
