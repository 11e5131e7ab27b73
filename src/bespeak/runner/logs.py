"""Read back what a job wrote, byte for byte, at the end or while it still writes."""

from __future__ import annotations

import os
import time

from bespeak.base.errors import NotFoundError
from bespeak.base.fileio import open_regular, read_regular
from bespeak.runner import status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.runner.service import Runner

_CHUNK = 1 << 16
_POLL_SECONDS = 0.1


def copy(runner: Runner, job_id: str, stream: str, out: int, *, follow: bool) -> None:
    """Copy a stream of a job to a descriptor.

    Args:
        runner: whose job it is.
        job_id: the job.
        stream: ``stdout`` or ``stderr``.
        out: where to.
        follow: go on until the job has ended; one that is being stopped writes until its command is gone.

    Raises:
        NotFoundError: the file is gone.
    """
    path = runner.paths.log(job_id, stream)
    try:
        source = open_regular(path, follow=False)
    except FileNotFoundError:
        raise NotFoundError(f"job {job_id}: its {stream} is not there: {path}") from None
    try:
        ended = not follow
        while True:
            _drain(source, out)
            if ended:
                return
            # One more look after the end: what was written last came before it.
            ended = _has_ended(runner, job_id)
            if not ended:
                time.sleep(_POLL_SECONDS)
    finally:
        os.close(source)


def _has_ended(runner: Runner, job_id: str) -> bool:
    job = runner.find(job_id=job_id)
    return not job.status.active and not status.target_alive(runner.paths, job)


def _drain(source: int, out: int) -> None:
    while chunk := os.read(source, _CHUNK):
        while chunk:
            chunk = chunk[os.write(out, chunk) :]


def text(runner: Runner, job_id: str, stream: str) -> str | None:
    """Return all that a job wrote to a stream, undecodable bytes as lone surrogates; None when the file is gone."""
    try:
        return read_regular(runner.paths.log(job_id, stream), limit=None, follow=False)[0].decode(
            "utf-8", "surrogateescape"
        )
    except FileNotFoundError:
        return None
