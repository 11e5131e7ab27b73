"""Puts a dispatcher together for ``run`` and takes it apart again."""

from __future__ import annotations

import os

from bespeak.base import ids
from bespeak.base.clock import SECOND_US
from bespeak.jobs.dispatcher import Dispatcher
from bespeak.jobs.dispatcher_session import DispatcherSession
from bespeak.jobs.events import EventLog
from bespeak.jobs.liveness import Dispatcher as Line
from bespeak.jobs.liveness import this_process
from bespeak.jobs.locations import open_store
from bespeak.jobs.metrics import Exporter, Metrics
from bespeak.jobs.notifier import Wakes
from bespeak.jobs.parts import Parts
from bespeak.jobs.resource_bookings import Holds
from bespeak.jobs.runner_client.helper import HelperStarter
from bespeak.jobs.runner_client.location import own_location
from bespeak.jobs.runner_client.process import ProgramStarter
from bespeak.jobs.runner_client.router import Router
from bespeak.jobs.schema import TOPIC
from bespeak.jobs.sd_notify import Supervisor
from bespeak.jobs.signals import Signals
from bespeak.jobs.timerfd import WallTimer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.jobs.locations import Runner
    from bespeak.jobs.parts import Options
    from bespeak.jobs.runner_client.location import Location
    from bespeak.storage.interface import Engine

_BUSY_SECONDS = 3.0
"""A dispatcher waits only so long for a locked book before it looks after its other duties."""


class Setup:
    """What ``run`` was told about its surroundings.

    Args:
        url: the book.
        site: whose jobs to take.
        ledger: the book of resources, or None for each reservation's own.
        metrics: where to show metrics, or None.
    """

    __slots__ = ("ledger", "metrics", "site", "url")

    def __init__(self, url: str, *, site: str, ledger: str | None, metrics: str | None) -> None:
        self.url = url
        self.site = site
        self.ledger = ledger
        self.metrics = metrics


def serve(setup: Setup, runner: Runner, options: Options, environ: Mapping[str, str]) -> int:
    """Run a dispatcher in this process until it is stopped; return its exit code."""
    signals = Signals()
    engine = open_store(setup.url, busy_seconds=_BUSY_SECONDS)
    own = own_location(runner, environ)
    starter = HelperStarter(runner.words, environ) if runner.embedded else ProgramStarter(runner.words, environ)
    router = Router(own, starter, environ)
    log = EventLog()
    metrics = Metrics()
    exporter = Exporter(setup.metrics, metrics) if setup.metrics else None
    holds = Holds(setup.ledger)
    wakes = Wakes(engine, (TOPIC,))
    timer = WallTimer()
    try:
        desk = DispatcherSession(engine, _line(setup, runner, own))
        desk.begin()
        _say_started(log, engine, desk, setup, runner, options)
        parts = Parts(
            desk=desk,
            runner=runner,
            router=router,
            log=log,
            metrics=metrics,
            exporter=exporter,
            holds=holds,
            signals=signals,
            supervisor=Supervisor(environ),
            timer=timer,
            wakes=wakes,
        )
        code = Dispatcher(parts, options).run()
        log.emit("reserver_stopped", {})
        return code
    finally:
        log.finish()
        if exporter is not None:
            exporter.refresh()
            exporter.close()
        for part in (router, wakes, timer, holds, engine, signals):
            part.close()


def _line(setup: Setup, runner: Runner, location: Location) -> Line:
    """Return how the dispatcher is written down; its lease is filled in when it is."""
    import time

    started_us = time.time_ns() // 1000
    return Line(
        (
            ids.new_id(),
            setup.site,
            location.host,
            this_process(),
            location.identity,
            runner.shown if location.embedded else location.program,
            os.getpid(),
            started_us,
            started_us,
            started_us,
        )
    )


def _say_started(
    log: EventLog, engine: Engine, desk: DispatcherSession, setup: Setup, runner: Runner, options: Options
) -> None:
    log.emit(
        "reserver_started",
        {
            "db": engine.name,
            "orchesjob_bin": runner.shown,
            "orchesjob_start_options": list(options.start_options),
            "poll_interval": options.poll_seconds,
            "run_started_at": desk.me.started_us // SECOND_US,
            "dispatcher_id": desk.me.dispatcher_id,
            "site": setup.site,
            "runner": "embedded" if runner.embedded else "external",
            "max_starts": options.max_starts,
            "start_retries": options.retries,
        },
    )
    log.flush()
