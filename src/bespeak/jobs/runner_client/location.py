"""Which runner starts jobs, and where a job is: which runner was asked to start it, with which home, on which machine.

It is written into the book with the claim, before anything is started, because nobody else can tell later. Whoever
asks about the job (a command, the next dispatcher) asks there, whatever its own runner and home are.
"""

from __future__ import annotations

import os
import sys

from bespeak.base import runner_alias
from bespeak.base.frozen import frozen
from bespeak.jobs.liveness import machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bespeak.jobs.liveness import DispatcherRecord
    from bespeak.jobs.model import JobReservation

COLUMNS = ("runner", "runner_home", "runner_host", "runner_version")
"""The columns of a reservation that carry a location."""

EMBEDDED = "embedded"
"""The value of ``--orchesjob-bin`` that asks for bespeak's own runner even where an ``orchesjob`` is installed."""

SHOWN_EMBEDDED = "bespeak runner"
"""How bespeak's own runner is called in events and in the list of dispatchers."""

HOME_VARIABLE = "ORCHESJOB_HOME"


@frozen
class Runner:
    """The program that starts jobs.

    Args:
        words: how it is called, before its command's name.
        shown: how it is named in events.
        embedded: it is bespeak's own, which knows idempotency keys.
    """

    words: tuple[str, ...]
    shown: str
    embedded: bool


def find_runner(flag: str | None, environ: Mapping[str, str]) -> Runner:
    """Return the runner: ``--orchesjob-bin``, ``ORCHESJOB_BIN``, an ``orchesjob`` on PATH, else the embedded one.

    An alias of the embedded one, whatever it is called, is the embedded one.
    """
    named = flag or environ.get("ORCHESJOB_BIN") or ""
    if not named and _on_path(runner_alias.NAME, environ):
        named = runner_alias.NAME
    if named and named != EMBEDDED and not runner_alias.is_alias(absolute_program(named, environ)):
        return Runner((named,), named, embedded=False)
    return embedded_runner()


def embedded_runner() -> Runner:
    """Return bespeak's own runner."""
    return Runner((sys.executable, "-P", "-m", "bespeak.runner"), SHOWN_EMBEDDED, embedded=True)


def _on_path(name: str, environ: Mapping[str, str]) -> bool:
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return True
    return False


@frozen
class Location:
    """One runner with its home.

    Args:
        program: its path, or :data:`EMBEDDED`.
        machine: what the machine is identified by.
        home: its folder of jobs; empty for the runner's own default.
        host: how the machine is called, for people.
        version: of the runner, where it is known.
    """

    program: str
    machine: str
    home: str
    host: str
    version: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Location) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, str, str]:
        return self.program, self.machine, self.home

    def __str__(self) -> str:
        home = f" with home {self.home}" if self.home else ""
        return f"{self.program} on host {self.host}{home}"

    @property
    def identity(self) -> str:
        """The machine and the home, as they are written down."""
        return f"{self.machine}:{self.home}"

    @property
    def embedded(self) -> bool:
        """Whether it is bespeak's own runner."""
        return self.program == EMBEDDED

    @property
    def runner(self) -> Runner:
        """The program to call."""
        return embedded_runner() if self.embedded else Runner((self.program,), self.program, embedded=False)

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        return self.machine == machine()

    @property
    def may_be_used(self) -> bool:
        """Whether this user may read and write its home; one that does not exist yet is as good."""
        return not self.home or not os.path.exists(self.home) or os.access(self.home, os.R_OK | os.W_OK | os.X_OK)

    def is_replaced_by(self, other: Location) -> bool:
        """Tell whether its program is gone and ``other`` is another one of its kind with the same home."""
        if self.embedded or other.embedded or self.identity != other.identity:
            return False
        return os.path.isabs(self.program) and not os.path.exists(self.program)

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment in which the runner finds its home."""
        found = {name: value for name, value in environ.items() if name != HOME_VARIABLE}
        return found | {HOME_VARIABLE: self.home} if self.home else found

    def columns(self) -> dict[str, Any]:
        """Return the values of :data:`COLUMNS`."""
        return dict(zip(COLUMNS, (self.program, self.identity, self.host, self.version), strict=True))


def location_of(job: JobReservation) -> Location | None:
    """Return where a reservation was or is being started; None if it never was, or by a version that did not say."""
    if not job.runner or job.runner_home is None:
        return None
    machine_id, _, home = job.runner_home.partition(":")
    return Location(job.runner, machine_id, home, job.runner_host or machine_id, job.runner_version)


def may_be_called(job: JobReservation, own_home: str) -> bool:
    """Tell whether this process can call the runner of a job: it is written down and is here, or is surely our own.

    Args:
        job: what was started.
        own_home: the home of this process's own runner, with its machine.
    """
    location = location_of(job)
    return job.runner_home == own_home if location is None else location.may_be_used


def location_of_dispatcher(dispatcher: DispatcherRecord) -> Location:
    """Return where a dispatcher starts jobs."""
    embedded = dispatcher.runner == SHOWN_EMBEDDED
    machine_id, _, home = dispatcher.runner_home.partition(":")
    program = EMBEDDED if embedded else dispatcher.runner
    return Location(program, machine_id, home, dispatcher.host, _own_version() if embedded else None)


def _own_version() -> str:
    from bespeak import __version__

    return __version__


def own_location(runner: Runner, environ: Mapping[str, str]) -> Location:
    """Return the location of a runner that this process would call."""
    from bespeak.base.paths import jobs_folder

    home = environ.get(HOME_VARIABLE) or (jobs_folder(environ) if runner.embedded else "")
    version = _own_version() if runner.embedded else None
    program = EMBEDDED if runner.embedded else absolute_program(runner.words[0], environ)
    return Location(program, machine(), os.path.realpath(home) if home else "", os.uname().nodename, version)


def absolute_program(name: str, environ: Mapping[str, str]) -> str:
    """Return the path of a program, so that it is the same one from another folder and with another PATH."""
    if os.sep in name:
        return os.path.abspath(name)
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return os.path.abspath(path)
    return name
