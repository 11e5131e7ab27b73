"""Each attempt of a command that is run again (``--retry``): noted by the job itself, copied into its reservation.

The loop around the command runs on without any dispatcher, so it writes a line for each attempt that has ended to a
file of the machine. A dispatcher reads the files of the jobs that run, and stores what is new; the file goes when the
end of the job is stored. Where the loop cannot write there (behind ``sudo``, in a container) nothing is told.
"""

from __future__ import annotations

import os
from contextlib import suppress

from bespeak.base.fileio import open_regular
from bespeak.base.json_text import compact
from bespeak.jobs import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.jobs.model import JobReservation
    from bespeak.storage.interface import Engine, Transaction

_LIMIT_BYTES = 1 << 20
_FIELDS = 2
_SET = "UPDATE reservations SET extras_json = :extras WHERE reservation_id = :id"


def attempts_folder(engine: Engine, environ: Mapping[str, str]) -> str:
    """Return where the jobs of a store note their attempts on this machine."""
    if engine.dialect == "sqlite":
        return os.path.realpath(engine.name) + "-attempts"
    from bespeak.base.paths import user_folder

    return os.path.join(user_folder(environ, "state"), "attempts")


class AttemptNotes:
    """The files of one machine's jobs.

    Args:
        folder: where they are; made when first needed.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def prepare(self, job: JobReservation) -> None:
        """Have the folder there before a job starts that notes its attempts; without one the job runs all the same."""
        if job.extras.get("retry"):
            with suppress(OSError):
                os.makedirs(self._folder, mode=0o700, exist_ok=True)

    def read(self, job: JobReservation) -> list[dict[str, int]]:
        """Return how each attempt that has ended did, the first one first; a line that is not whole counts as none."""
        if not job.extras.get("retry"):
            return []
        try:
            with open(open_regular(self._path(job), follow=False), "rb") as file:
                lines = file.read(_LIMIT_BYTES).split(b"\n")[:-1]
        except OSError:
            return []
        words = [line.split() for line in lines]
        return [
            {"exit_code": int(code), "ended_at": int(at)}
            for code, at in (pair for pair in words if len(pair) == _FIELDS)
            if code.isdigit() and at.isdigit()
        ]

    def discard(self, job: JobReservation) -> None:
        """Remove the file of a job whose end is stored."""
        if job.extras.get("retry"):
            with suppress(OSError):
                os.unlink(self._path(job))

    def _path(self, job: JobReservation) -> str:
        return os.path.join(self._folder, os.path.basename(job.reservation_id))


def store(tx: Transaction, job: JobReservation, tries: list[dict[str, int]]) -> list[tuple[int, int]]:
    """Store the attempts of a job, log those that failed and are new, and return their numbers and exit codes."""
    now = rows.find(tx, reservation_id=job.reservation_id)
    known = now.tries if now is not None else []
    if now is None or len(tries) <= len(known):
        return []
    tx.execute(_SET, {"extras": compact(now.extras | {"tries": tries}), "id": job.reservation_id})
    most = int(str(now.extras.get("retry", 0))) + 1
    numbered = list(enumerate(tries, start=1))[len(known) :]
    failed = [(number, each["exit_code"]) for number, each in numbered if each["exit_code"]]
    texts = [f"attempt {number} of {most}: exit code {code}" for number, code in failed]
    rows.log(tx, [rows.Change(now, "attempt_failed", now.reservation_status, now.job_id, text) for text in texts])
    return failed
