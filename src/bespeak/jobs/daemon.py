"""Builds a dispatcher for ``run``, runs it in this process, and closes its parts."""

from __future__ import annotations

import os
import select

from bespeak.base import ids
from bespeak.base.clock import SECOND_US
from bespeak.base.errors import UnavailableError
from bespeak.base.frozen import frozen
from bespeak.base.paths import POSTGRES_PREFIXES
from bespeak.jobs.attempts import AttemptNotes, attempts_folder
from bespeak.jobs.book_changes import BookChanges
from bespeak.jobs.dispatcher import Dispatcher
from bespeak.jobs.dispatcher_parts import DispatcherParts
from bespeak.jobs.dispatcher_session import DispatcherSession
from bespeak.jobs.events import EventLog
from bespeak.jobs.liveness import DispatcherRecord, this_process
from bespeak.jobs.locations import open_store
from bespeak.jobs.metrics import Exporter, Metrics
from bespeak.jobs.resource_bookings import ResourceBookings, this_user
from bespeak.jobs.resource_scope import Scopes
from bespeak.jobs.runner_client.call_lock import CallLocks, calls_folder
from bespeak.jobs.runner_client.full_command import ATTEMPTS_VARIABLE, without_values
from bespeak.jobs.runner_client.helper import HelperStarter
from bespeak.jobs.runner_client.location import own_location
from bespeak.jobs.runner_client.process import ProgramStarter, Router
from bespeak.jobs.schema import TOPIC
from bespeak.jobs.sd_notify import ServiceManager, without_manager
from bespeak.jobs.signals import Signals
from bespeak.jobs.timerfd import WallTimer
from bespeak.storage.ownership import is_shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.jobs.dispatcher_parts import DispatcherOptions
    from bespeak.jobs.failure_calls import FailureCalls
    from bespeak.jobs.runner_client.location import Location, Runner
    from bespeak.storage.interface import Engine

_BUSY_SECONDS = 3.0
"""A dispatcher waits only so long for a locked book before it looks after its other duties."""


@frozen
class DaemonSettings:
    """What ``run`` was told about its surroundings.

    Args:
        url: the book.
        site: whose jobs to take.
        ledger: the book of resources, or None for each reservation's own.
        metrics: where to show metrics, or None.
        on_failure: a command line, or an address, that is told of what failed; None for nobody.
        accept_from: the other accounts whose jobs are started in a book that several share; None for anyone's.
    """

    url: str
    site: str
    ledger: str | None
    metrics: str | None
    on_failure: str | None = None
    accept_from: tuple[str, ...] | None = ()


def run_dispatcher(
    settings: DaemonSettings, runner: Runner, options: DispatcherOptions, environ: Mapping[str, str]
) -> int:
    """Run a dispatcher in this process until it is stopped; return its exit code."""
    signals = Signals()
    log = EventLog()
    engine = _open_book(settings.url, options, signals, log)
    if engine is None:
        signals.close()
        return 0
    own = own_location(runner, environ)
    session = DispatcherSession(engine, _record(settings, runner, own), _accounts(settings, engine), options.limits)
    parts = _parts(settings, runner, own, environ, session, signals, log)
    try:
        session.begin()
        _say_started(log, session, settings, runner, options)
        code = Dispatcher(parts, options).run()
        log.emit("reserver_stopped", {})
        return code
    finally:
        log.finish()
        if parts.exporter is not None:
            parts.exporter.refresh()
            parts.exporter.close()
        for part in (parts.router, parts.notifier, parts.timer, parts.bookings, engine, signals):
            part.close()


def _parts(
    settings: DaemonSettings,
    runner: Runner,
    own: Location,
    environ: Mapping[str, str],
    session: DispatcherSession,
    signals: Signals,
    log: EventLog,
) -> DispatcherParts:
    engine = session.engine
    attempts = attempts_folder(engine, environ)
    metrics = Metrics()
    call_locks = CallLocks(calls_folder(engine, environ))
    call_locks.sweep()
    return DispatcherParts(
        session=session,
        runner=runner,
        router=_router(runner, own, {**environ, ATTEMPTS_VARIABLE: attempts}),
        log=log,
        metrics=metrics,
        exporter=Exporter(settings.metrics, metrics) if settings.metrics else None,
        bookings=ResourceBookings(settings.ledger),
        signals=signals,
        manager=ServiceManager(environ),
        timer=WallTimer(),
        notifier=BookChanges(engine, (TOPIC,)),
        call_locks=call_locks,
        attempts=AttemptNotes(attempts),
        failure_calls=_failure_calls(settings, engine, log, environ),
        scopes=Scopes(without_manager(environ), is_asked=runner.embedded),
    )


def _failure_calls(
    settings: DaemonSettings, engine: Engine, log: EventLog, environ: Mapping[str, str]
) -> FailureCalls | None:
    if settings.on_failure is None:
        return None
    from bespeak.jobs.failure_calls import FailureCalls

    return FailureCalls(settings.on_failure, engine, settings.site, log, without_manager(environ))


def _router(runner: Runner, own: Location, environ: Mapping[str, str]) -> Router:
    inherited = without_manager(environ)
    starter = HelperStarter(runner.words, inherited) if runner.embedded else ProgramStarter(runner.words, inherited)
    return Router(own, starter, inherited)


def _open_book(url: str, options: DispatcherOptions, signals: Signals, log: EventLog) -> Engine | None:
    """Open the book; one on a server that is not there yet is waited for, None if we are stopped meanwhile.

    Raises:
        UnavailableError: it is a file, or only what is due now is to be started.
    """
    while True:
        try:
            return open_store(url, busy_seconds=_BUSY_SECONDS)
        except UnavailableError as error:
            if options.once or not url.startswith(POSTGRES_PREFIXES):
                signals.close()
                raise
            log.emit("dispatcher_error", {"error": str(error)})
            log.flush()
        select.select([signals.fileno()], [], [], options.error_seconds)
        signals.take()
        if signals.stopping:
            return None


def _record(settings: DaemonSettings, runner: Runner, location: Location) -> DispatcherRecord:
    """Return how the dispatcher is written down; its lease is filled in when it is."""
    import time

    started_us = time.time_ns() // 1000
    return DispatcherRecord(
        dispatcher_id=ids.new_id(),
        site=settings.site,
        host=location.host,
        process=this_process(),
        runner_home=location.identity,
        runner=runner.shown if location.embedded else location.program,
        pid=os.getpid(),
        started_us=started_us,
        beat_us=started_us,
        lease_until_us=started_us,
    )


def _accounts(settings: DaemonSettings, engine: Engine) -> tuple[str, ...] | None:
    """Return whose jobs are started: everybody's in a book that only this account may write, or if so told.

    A row without an account is from before accounts were written down, or of the documented program.
    """
    if settings.accept_from is None or not is_shared(engine):
        return None
    return ("", this_user(), *settings.accept_from)


def _say_started(
    log: EventLog,
    session: DispatcherSession,
    settings: DaemonSettings,
    runner: Runner,
    options: DispatcherOptions,
) -> None:
    log.emit(
        "reserver_started",
        {
            "db": session.engine.name,
            "orchesjob_bin": runner.shown,
            "orchesjob_start_options": without_values(options.start_options),
            "poll_interval": options.poll_seconds,
            "run_started_at": session.me.started_us // SECOND_US,
            "dispatcher_id": session.me.dispatcher_id,
            "site": settings.site,
            "runner": "embedded" if runner.embedded else "external",
            "max_starts": options.max_starts,
            "start_retries": options.retries,
            "max_jobs": options.limits.jobs,
            "max_per_tag": dict(options.limits.per_tag),
        },
    )
    log.flush()
