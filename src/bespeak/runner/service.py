"""The runner as Python calls it: start a command once under a key, ask, wait, stop, run again, clean.

One rule carries all of it: a job is stored durably before anything runs, and of everybody who then tries to run it
one wins its record. So a start may be repeated after any failure, by anybody, and the command runs once.
"""

from __future__ import annotations

import os
import time
from _thread import allocate_lock  # the lock that `threading` offers, without its import
from contextlib import suppress
from functools import partial

from bespeak.base import clock, failpoints, process_identity
from bespeak.base.errors import NotFoundError, UnavailableError, WrongStateError
from bespeak.base.fileio import open_regular
from bespeak.base.frozen import replace
from bespeak.runner import acceptance, exit_record, launch, status, store, validation
from bespeak.runner.model import Job, JobStatus, Override, Started
from bespeak.storage import open_engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from bespeak.storage.interface import Engine, Transaction

    T = TypeVar("T")

START_TIMEOUT_SECONDS = 10.0
CANNOT_RUN = -1
"""The exit code of a command that could not be started."""
_PAUSE_FIRST_SECONDS = 0.001
_PAUSE_LAST_SECONDS = 0.05
_PAGE = 200


def default_home() -> str:
    """Return the runner's home: ``ORCHESJOB_HOME``, else ``/var/lib/orchesjob``, else a folder of the user's own."""
    from bespeak.base.paths import jobs_folder

    return os.environ.get("ORCHESJOB_HOME") or jobs_folder(os.environ)


class Runner:
    """Jobs of one home folder. It may be used by many threads, and by many processes at once.

    Args:
        home: the folder; by default :func:`default_home`. It is made by the first ``start``, for its owner only.
        durable: an accepted job survives power loss.
        now: the clock, µs UTC.
    """

    def __init__(self, home: str | None = None, *, durable: bool = True, now: clock.Clock = clock.now) -> None:
        self.paths = exit_record.Paths(os.path.abspath(home or default_home()))
        self._durable = durable
        self.now = now
        self.inherited: Mapping[bytes, bytes] | None = None
        """The environment that jobs add to; None for what this process has when it starts one."""
        self._engine: Engine | None = None
        self._children: set[int] = set()
        self._opening = allocate_lock()

    def start(
        self,
        run_key: str,
        command: Sequence[str | bytes],
        *,
        strict: bool = False,
        idempotency_key: str | None = None,
        environment: Mapping[str | bytes, str | bytes] | None = None,
        cwd: str | bytes | None = None,
        start_timeout_seconds: float = START_TIMEOUT_SECONDS,
    ) -> Started:
        """Start a command, or return the job that makes it unnecessary.

        Calling again with the same keys after any failure is safe, and is how a start is recovered.

        Args:
            run_key: jobs of one key never run at the same time.
            command: program and arguments, kept byte for byte.
            strict: also return an ended job of the key, unless an ``unlock`` allows one more.
            idempotency_key: the caller's own name for this start: it is executed at most once whatever becomes of
                the job, and the answer is always the job that was started under it.
            environment: variables to set beyond those of this process.
            cwd: the folder to run in; by default the present one.
            start_timeout_seconds: how long to wait until the command runs; 0 returns at once.

        Raises:
            UsageError: the request makes no sense; nothing was stored.
            UnavailableError: it cannot be stored or started now; the same call may be made again.
        """
        fresh = validation.new_job(
            run_key,
            command,
            now_us=self.now(),
            environment=environment or {},
            cwd=cwd,
            strict=strict,
            idempotency_key=idempotency_key,
        )
        started = self.accept([fresh])[0]
        if isinstance(started, BaseException):
            raise started
        return self._run(started, start_timeout_seconds)

    def rerun(
        self,
        *,
        run_key: str | None = None,
        job_id: str | None = None,
        reason: str | None = None,
        start_timeout_seconds: float = START_TIMEOUT_SECONDS,
    ) -> Started:
        """Start the command of an ended job again, whatever its key's rule.

        Raises:
            NotFoundError: there is no such job.
            WrongStateError: the job, or another of its run key, is still active.
        """
        source = self.find(run_key=run_key, job_id=job_id)

        def work(tx: Transaction) -> Started:
            last = acceptance.settle(tx, self.paths, store.last_of(tx, source.run_key))
            if acceptance.is_occupied(self.paths, last):
                raise WrongStateError(f"run key {source.run_key!r}: job {last.job_id} is {last.status.value}")
            job = validation.again(source, attempt_no=last.attempt_no + 1, reason=reason, now_us=tx.now_us)
            store.insert(tx, job)
            return Started(job, existing=False)

        self._make_folders()
        started = self._open().transact([f"runner:run:{source.run_key}"], work)
        return self._run(started, start_timeout_seconds)

    def find(self, *, run_key: str | None = None, job_id: str | None = None, idempotency_key: str | None = None) -> Job:
        """Return a job as it is now, by one of its names; of a run key, the last attempt.

        Raises:
            NotFoundError: there is no such job.
        """

        def work(tx: Transaction) -> Job | None:
            if job_id is not None:
                return store.by_id(tx, job_id)
            if idempotency_key is not None:
                return store.by_idempotency_key(tx, idempotency_key)
            return store.latest(tx, run_key or "")

        job = self._read(work)
        if job is None:
            names = (("job", job_id), ("idempotency key", idempotency_key), ("run key", run_key))
            kind, name = next(pair for pair in names if pair[1] is not None)
            raise NotFoundError(f"{kind} {name!r} not found")
        return self._settled(job)

    def history(self, run_key: str) -> list[Job]:
        """Return every attempt of a run key, the last first.

        Raises:
            NotFoundError: the key has none.
        """
        jobs = self._read(lambda tx: store.history(tx, run_key))
        if not jobs:
            raise NotFoundError(f"run key {run_key!r} not found")
        return [self._settled(job) for job in jobs]

    def running(self) -> list[Job]:
        """Return every active job, and every lost one whose command lives, in the order of their acceptance.

        How the others ended is stored.
        """
        active = [job for page in self._active_pages() for job in page if job.status.active]
        lost = self._read(lambda tx: store.lost(tx, process_identity.boot_id()))
        found = active + [job for job in lost if status.target_alive(self.paths, job)]
        return sorted(found, key=lambda job: job.number)

    def override(self, run_key: str) -> Override | None:
        """Return the permission for one more strict execution that a run key still has."""
        return self._read(lambda tx: store.override(tx, run_key))

    def unlock(self, run_key: str, *, reason: str | None = None, ttl_seconds: int | None = None) -> Override:
        """Allow one more strict execution of a run key whose last job has ended.

        Raises:
            NotFoundError: the key has no job.
            WrongStateError: its job is active.
        """
        job = self.find(run_key=run_key)
        if job.status.active:
            raise WrongStateError(f"run key {run_key!r}: cannot unlock an active job, status {job.status.value}")

        def work(tx: Transaction) -> Override:
            expires_us = None if ttl_seconds is None else tx.now_us + ttl_seconds * clock.SECOND_US
            permission = Override(run_key, reason, tx.now_us, expires_us)
            store.allow(tx, permission)
            return permission

        return self._open().transact([f"runner:run:{run_key}"], work)

    def wait(self, job_id: str, timeout_seconds: float | None = None) -> Job:
        """Return the job once it has ended, or as it is when the time is over.

        Without a time-out it sleeps on the job's lock and costs nothing.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        pause = _PAUSE_FIRST_SECONDS
        job = self.find(job_id=job_id)
        while job.status.active and (deadline is None or time.monotonic() < deadline):
            if deadline is not None or not exit_record.looked_after(self.paths.log(job_id, "stderr"), wait=True):
                time.sleep(pause)
                pause = min(2 * pause, _PAUSE_LAST_SECONDS)
            job = self.find(job_id=job_id)
        self.reap()
        return job

    def reap(self) -> None:
        """Take notice of supervisors of this process that are gone, so that they do not stay as zombies."""
        for pid in tuple(self._children):
            try:
                gone = os.waitpid(pid, os.WNOHANG)[0] != 0
            except ChildProcessError:
                gone = True
            if gone:
                self._children.discard(pid)

    def close(self) -> None:
        """Close the book. Jobs go on."""
        self.reap()
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def finish(self, job: Job) -> None:
        """Store how a job ended."""
        self._open().transact([f"runner:run:{job.run_key}"], lambda tx: store.finish(tx, job))

    def transact(self, run_key: str, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one transaction that decides over a run key."""
        return self._open().transact([f"runner:run:{run_key}"], work)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` on one state of the book."""
        return self._read(work)

    def settle_all(self) -> None:
        """Store how every job ended that nobody has asked about yet."""
        for _ in self._active_pages():
            pass

    def accept(self, fresh: Sequence[Job]) -> list[Started | BaseException]:
        """Store new jobs durably in one commit, unless others make them unnecessary; nothing runs before this is done.

        Returns:
            What became of each, or what it raised; a STARTING job is still to be started.

        Raises:
            UnavailableError: the book cannot be written; nothing was stored.
        """
        self._make_folders()
        engine = self._open()
        calls = [partial(self._store_new, engine, job) for job in fresh]
        together = getattr(engine, "together", None) if len(fresh) > 1 else None  # what only reads has none
        outcomes: list[Started | BaseException] = together(calls) if together else [_outcome(call) for call in calls]
        failpoints.reach("runner.stored")
        return outcomes

    def _store_new(self, engine: Engine, fresh: Job) -> Started:
        keys = [f"runner:run:{fresh.run_key}"]
        if fresh.idempotency_key:
            keys.append(f"runner:idem:{fresh.idempotency_key}")
        return engine.transact(keys, lambda tx: acceptance.decide(tx, fresh, self.paths))

    def _run(self, started: Started, start_timeout_seconds: float) -> Started:
        is_new = not started.existing
        return replace(started, job=self.ensure_started(started.job, start_timeout_seconds, is_new=is_new))

    def ensure_started(self, job: Job, start_timeout_seconds: float, *, is_new: bool = False) -> Job:
        """Start a stored job that never ran, whoever stored it, and return it as it then is.

        Args:
            job: as it is stored.
            start_timeout_seconds: how long to wait until the command runs.
            is_new: nobody but the caller knows it yet.

        Raises:
            UnavailableError: it cannot be started now; the same call may be made again.
        """
        self.reap()
        known = is_new
        deadline = time.monotonic() + max(0.0, start_timeout_seconds)
        pause = _PAUSE_FIRST_SECONDS
        worker = None
        while True:
            job = job if known else status.settled(self.paths, job, self.now())
            known = False
            if job.status is not JobStatus.STARTING:
                return job
            if worker is None:
                job, worker = self._launch(job, deadline - time.monotonic())
            elif not exit_record.looked_after(self.paths.log(job.job_id, "stderr")):
                worker = None
                if exit_record.read(self.paths.record(job.job_id)) is None and time.monotonic() >= deadline:
                    raise UnavailableError(f"job {job.job_id}: its supervisor died before the command ran; start again")
            if not job.status.active:
                return job
            if time.monotonic() >= deadline:
                job = status.settled(self.paths, job, self.now())
                return job.replace(worker_pid=job.worker_pid or worker)
            if exit_record.read(self.paths.record(job.job_id)) is None:
                time.sleep(pause)
                pause = min(2 * pause, _PAUSE_LAST_SECONDS)

    def _launch(self, job: Job, start_timeout_seconds: float) -> tuple[Job, int | None]:
        if self._read(lambda tx: store.by_id(tx, job.job_id)) is None:
            raise NotFoundError(f"job {job.job_id!r} not found")
        try:
            pid = launch.launch(self.paths, job, start_timeout_seconds, self.inherited)
        except launch.CannotRunError as error:
            return self.cannot_run(job, str(error)), None
        except OSError as error:
            raise UnavailableError(f"job {job.job_id}: it cannot be started now: {error.strerror}") from error
        if pid is not None:
            self._children.add(pid)
        return job, pid

    def cannot_run(self, job: Job, message: str) -> Job:
        """End a job that can never run; why is in its error output."""
        path = self.paths.log(job.job_id, "stderr")
        if exit_record.forbid(self.paths.record(job.job_id)):
            append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            with open(open_regular(path, append, follow=False), "ab") as file:
                file.write(message.encode("utf-8", "backslashreplace") + b"\n")
            os.close(open_regular(self.paths.log(job.job_id, "stdout"), append, follow=False))
        now_us = max(job.started_us, self.now())
        job = job.replace(status=JobStatus.FAILED, exit_code=CANNOT_RUN, finished_us=now_us, updated_us=now_us)
        self.finish(job)
        return job

    def _settled(self, job: Job) -> Job:
        if not job.status.active:
            return job
        now = status.settled(self.paths, job, self.now())
        if now.status.active:
            return status.shown(now, self.now())
        try:
            return self.transact(
                job.run_key, lambda tx: acceptance.settle(tx, self.paths, store.by_id(tx, job.job_id) or now)
            )
        except UnavailableError:
            return now  # told all the same where it cannot be stored, as on a read-only medium

    def _active_pages(self) -> Iterator[list[Job]]:
        number = 0
        while page := self._page(number):
            yield [status.shown(job, self.now()) for job in page]
            number = page[-1].number

    def _page(self, number: int) -> list[Job]:
        page = self._read(lambda tx: store.active_after(tx, number, _PAGE))
        now_us = self.now()
        seen = [status.settled(self.paths, job, now_us) for job in page]
        ended = [job for job in seen if not job.status.active]
        if ended:
            with suppress(UnavailableError):  # as above
                self._open().transact(
                    [f"runner:run:{job.run_key}" for job in ended], lambda tx: store.finish_all(tx, ended)
                )
        return seen

    def _read(self, work: Callable[[Transaction], T]) -> T:
        if self._engine is None and not os.path.exists(self.paths.database):
            raise NotFoundError("not found: no job was ever started here", home=self.paths.home)
        return self._open().read(work)

    def _open(self) -> Engine:
        with self._opening:  # of two connections one would wait for the other in a commit that they share
            if self._engine is None:
                self._engine = open_engine(self.paths.database, [store.COMPONENT], durable=self._durable, now=self.now)
            return self._engine

    def _make_folders(self) -> None:
        try:
            for folder in (self.paths.home, self.paths.logs, self.paths.records):
                os.makedirs(folder, mode=0o700, exist_ok=True)
        except OSError as error:
            raise UnavailableError(
                f"home {self.paths.home}: {error.strerror}; set ORCHESJOB_HOME to a folder you may write"
            ) from error


def _outcome(call: Callable[[], Started]) -> Started | BaseException:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 -- told to whose call it was
        return error
