"""Forget ended jobs with their files, in pages, so that a million of them need no more memory than a few."""

from __future__ import annotations

import os

from bespeak.base.errors import NotFoundError
from bespeak.base.frozen import frozen
from bespeak.runner import exit_record, status, store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.runner.model import Job
    from bespeak.runner.service import Runner

_PAGE = 500
_BEGINNING = -1


@frozen
class JobSelection:
    """Which ended jobs are meant.

    Args:
        after_us: only those that ended at or after this instant, µs UTC.
        before_us: only those that ended before it.
        run_key: only those of this key.
        job_id: only this one.
    """

    after_us: int | None = None
    before_us: int | None = None
    run_key: str | None = None
    job_id: str | None = None


def clean(runner: Runner, selection: JobSelection, *, dry_run: bool) -> Iterator[tuple[Job, bool]]:
    """Delete the ended jobs of a selection; yield each with whether it could be deleted.

    A job whose command outlived its supervisor is not ended, whatever it reads.
    """
    for page in _pages(runner, selection):
        gone = []
        for job in page:
            if status.target_alive(runner.paths, job):
                continue
            done = dry_run or _delete_files(runner, job)
            if done:
                gone.append(job.job_id)
            yield job, done
        if gone and not dry_run:
            runner.transact(page[0].run_key, lambda tx, ids=gone: store.delete(tx, ids))  # type: ignore[misc]


def _pages(runner: Runner, selection: JobSelection) -> Iterator[list[Job]]:
    if not os.path.exists(runner.paths.database):
        return
    if selection.job_id is not None:
        try:
            job = runner.find(job_id=selection.job_id)
        except NotFoundError:
            return
        if not job.status.active and job.finished_us is not None:
            yield [job]
        return
    runner.settle_all()
    after = (selection.after_us if selection.after_us is not None else _BEGINNING, _BEGINNING)
    while True:
        page = runner.read(
            lambda tx, after=after: store.finished(  # type: ignore[misc]
                tx, after=after, before_us=selection.before_us, run_key=selection.run_key, limit=_PAGE
            )
        )
        if not page:
            return
        after = (page[-1].finished_us or 0, page[-1].number)
        yield page


def _delete_files(runner: Runner, job: Job) -> bool:
    paths = runner.paths
    record = exit_record.read(paths.record(job.job_id))
    ended = record is not None and record.exit_code is not None
    if not ended and exit_record.looked_after(paths.log(job.job_id, "stderr")):
        return False
    try:
        for path in (paths.log(job.job_id, "stdout"), paths.log(job.job_id, "stderr"), paths.record(job.job_id)):
            if os.path.exists(path):
                os.unlink(path)
    except OSError:
        return False
    return True
