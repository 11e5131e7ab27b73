"""What ``power`` and ``host`` have in common: choose hosts, go through the interlock, show progress, print outcomes."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from signal import Signals
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option
from bespeak.base.clock import SECOND_US, now
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import ExitCode, UsageError
from bespeak.cli import converters, output
from bespeak.cli.signals import SignalsOfLoop
from bespeak.host.base import using_lab
from bespeak.host.status import Status
from bespeak.lifecycle.audit import AuditLog
from bespeak.lifecycle.executor import AT_ONCE, Executor
from bespeak.lifecycle.interlock import Fence, Interlock
from bespeak.lifecycle.model import Outcome, outcome_json, spent_text
from bespeak.lifecycle.selection import Selection, load_hosts, select
from bespeak.reservations.errors import MissingReservationError, ReservationBackendError
from bespeak.reservations.prepare import load_state
from bespeak.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bespeak.cli.context import Context, Values
    from bespeak.host.base import Host
    from bespeak.lifecycle.model import HostAction

_MOST_AT_ONCE = 10_000
_NAMED = 3


HOSTS = (Argument("HOST", many=True, required=False, complete="host"),)
WHICH = (
    Option(("--all",), "Every host of the lab that can be switched."),
    Option(("--label",), "Hosts whose labels match, such as 'arm64 and not usb2'.", "EXPR"),
    Option(("--at-once",), "Work on at most so many hosts at the same time (default 64).", "NUMBER", kind="int"),
)
CAREFUL = (
    Option(("--stagger",), "Wait so long between two hosts (default: not at all).", "DURATION"),
    Option(
        ("--number",),
        "The fencing number you were given; refused if it is stale. [env: BESPEAK_NUMBER, as `bespeak run` sets it]",
        "NUMBER",
        kind="int",
    ),
    Option(("--dry-run",), "Ask the gate and say what would be done; do nothing."),
)


def choose(context: Context, values: Values) -> Selection:
    """Return the hosts that were typed."""
    hosts = values.get("host", ())
    lab = load_hosts(load_settings(), context.labs, hosts)
    return select(lab, hosts, every=bool(values.get("all")), label=values.get("label"))


def at_once(values: Values) -> int:
    """Return how many hosts to work on at the same time."""
    number: int | None = values.get("at_once")
    if number is None:
        return AT_ONCE
    if not 1 <= number <= _MOST_AT_ONCE:
        raise UsageError(f"--at-once: from 1 to {_MOST_AT_ONCE}")
    return number


def seconds(flag: str, text: str | None, default: float) -> float:
    """Read an option as seconds."""
    found = converters.duration(flag, text)
    return default if found is None else found / SECOND_US


def interlock(context: Context, selection: Selection, number: int | None) -> Interlock:
    """Return the gate in front of the hosts."""
    state = load_state(as_user=context.as_user, skip_reservation_check=context.skip_check, ledger=context.ledger_flag)
    return Interlock(state, selection.lab.name, _fence(number))


def _fence(number: int | None) -> Fence | None:
    """Return the number typed; else that of the `bespeak run` around this process, for what that one holds."""
    if number is not None:
        return Fence(number)
    given, held = os.environ.get("BESPEAK_NUMBER", ""), os.environ.get("BESPEAK_RESOURCES", "")
    if given.isascii() and given.isdigit() and held:
        return Fence(int(given), frozenset(held.split("\n")))
    return None


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """When something was begun that asks a host and is no action of the log."""

    started_us: int = field(default_factory=now)
    began: float = field(default_factory=time.monotonic)

    @property
    def duration_us(self) -> int:
        """How long it has taken until now, microseconds."""
        return int((time.monotonic() - self.began) * SECOND_US)


def act(context: Context, values: Values, action: HostAction, show: Callable[[Context, list[Outcome]], None]) -> int:
    """Do ``action`` to the chosen hosts; print the outcomes; return the exit code."""
    selection = choose(context, values)
    try:
        lock = interlock(context, selection, values.get("number"))
        if values.get("dry_run"):
            return dry_run(context, lock, selection, action)
        for line in unended(context, selection.hosts).values() if action.switches and not lock.skipped else ():
            context.warn(line)
        outcomes, signals = _execute(context, values, lock, selection, action)
    except MissingReservationError as error:
        return refused_by_gate(context, error)
    except ReservationBackendError as error:
        from bespeak.cli.gate import unavailable

        return unavailable(context, error, int(ExitCode.UNAVAILABLE))
    outcomes += [_broken(action.name, identifier, why) for identifier, why in selection.broken.items()]
    if signals.first is not None:
        output.to_stderr(f"bespeak: interrupted by {Signals(signals.first).name}")
    _say_what_is_open(context, lock, selection)
    _say_how_to_go_on(context, action, outcomes)
    _warn_unlogged(context, outcomes)
    show(context, outcomes)
    return exit_code(outcomes) if signals.exit_code is None else signals.exit_code


def refused_by_gate(context: Context, error: MissingReservationError) -> int:
    """Say what is not held; return the exit code."""
    from bespeak.base.json_text import one_line

    code = int(ExitCode.GATE_REFUSED)
    told = one_line({"error": str(error), "exit_code": code, **error.details}) if context.json else str(error)
    output.to_stderr(told)
    return code


def _say_what_is_open(context: Context, lock: Interlock, selection: Selection) -> None:
    said = lock.open_to_all(selection.hosts)
    if said is not None:
        context.warn(said)


def _say_how_to_go_on(context: Context, action: HostAction, outcomes: list[Outcome]) -> None:
    """Name the hosts that were left off, and those that were not begun, each with the command that goes on."""
    lab = "".join(f"-l {shlex.quote(name)} " for name in context.labs)
    left = [one for one in outcomes if one.left_off]
    if left:
        first = "reserve what it needs again, then " if any(one.refused for one in left) else ""
        context.warn(f"left off: {_named(left)}; to go on: {first}bespeak {lab}power on {_typed(left)}")
    waiting = [one for one in outcomes if one.interrupted and not one.begun]
    if waiting and action.command:
        context.warn(f"not begun: {_named(waiting)}; to go on: bespeak {lab}{action.command} {_typed(waiting)}")


def _named(outcomes: list[Outcome]) -> str:
    return ", ".join(escape_unprintable(one.host) for one in outcomes)


def _typed(outcomes: list[Outcome]) -> str:
    return " ".join(shlex.quote(one.host) for one in outcomes)


def _execute(
    context: Context, values: Values, lock: Interlock, selection: Selection, action: HostAction
) -> tuple[list[Outcome], SignalsOfLoop]:
    """Do ``action`` to the hosts; return the outcomes, and the signals that interrupted it."""
    progress = Progress(context, [host.id for host in selection.hosts])
    audit = AuditLog(partial(context.book, create=True), context.holder(), skipped=context.skip_check)

    async def work() -> tuple[list[Outcome], SignalsOfLoop]:
        executor = Executor(
            lock,
            audit,
            at_once=at_once(values),
            stagger_seconds=seconds("--stagger", values.get("stagger"), 0.0),
            on_done=progress.done,
        )
        task = asyncio.create_task(executor.execute(action, selection.hosts))
        try:
            with SignalsOfLoop(asyncio.get_running_loop(), executor.interrupt, task.cancel) as signals:
                return await task, signals
        finally:
            await selection.lab.close()

    with using_lab(selection.lab):
        try:
            return asyncio.run(work())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            progress.clear()


def gather(
    context: Context, values: Values, selection: Selection, work: Callable[[Host], Awaitable[Outcome]]
) -> list[Outcome]:
    """Ask every host something, at most so many at the same time; nothing is changed, so no gate is asked."""
    progress = Progress(context, [host.id for host in selection.hosts])

    async def one(host: Host, turns: asyncio.Semaphore) -> Outcome:
        async with turns:
            outcome = await work(host)
        progress.done(outcome)
        return outcome

    async def everything() -> list[Outcome]:
        turns = asyncio.Semaphore(at_once(values))
        try:
            return list(await asyncio.gather(*(one(host, turns) for host in selection.hosts)))
        finally:
            await selection.lab.close()

    with using_lab(selection.lab):
        try:
            return asyncio.run(everything())
        finally:
            progress.clear()


def _broken(action: str, identifier: str, why: str) -> Outcome:
    return Outcome(identifier, action, None, Status.Error, why, logged=False)


def broken_outcomes(action: str, selection: Selection) -> list[Outcome]:
    """Return an outcome for each chosen host whose lab data cannot be used."""
    return [_broken(action, identifier, why) for identifier, why in selection.broken.items()]


def unended(context: Context, hosts: Sequence[Host]) -> dict[str, str]:
    """Return, by host id, in one line what began on ``hosts`` and has not ended; where there is no book, nothing."""
    from bespeak.base.errors import BespeakError, NoContextError
    from bespeak.lifecycle.unended import unended_lines
    from bespeak.settings.trust import UntrustedError

    try:
        return unended_lines(context.book(), hosts)
    except (NoContextError, UntrustedError):
        return {}
    except BespeakError as error:
        context.warn(f"the log cannot be asked for switching that has not ended: {error}")
        return {}


def exit_code(outcomes: list[Outcome]) -> int:
    """Return 0 if every host did, 8 if one was refused, else 1."""
    if any(outcome.refused for outcome in outcomes):
        return int(ExitCode.GATE_REFUSED)
    return 0 if all(outcome.ok for outcome in outcomes) else int(ExitCode.ERROR)


def _warn_unlogged(context: Context, outcomes: list[Outcome]) -> None:
    missing = [outcome.host for outcome in outcomes if not outcome.logged and outcome.duration_us]
    if missing:
        context.warn(f"done, but the log could not be written: {', '.join(missing)}")


def _planned_controller(action: HostAction, host: Host) -> str | None:
    if action.by_manager:
        from bespeak.host.power.management import manager_name

        return manager_name(host)
    return None if host.power_control is None else host.power_control.type_name


def dry_run(context: Context, lock: Interlock, selection: Selection, action: HostAction) -> int:
    """Say what would be done, if the gate lets it through; return the exit code."""
    admitted = lock.admit(selection.hosts)
    _say_what_is_open(context, lock, selection)
    plans = [
        {
            "host": host.id,
            "action": action.name,
            "controller": _planned_controller(action, host),
            "reservations": sorted({(hold.reservation_id, hold.fencing_token) for hold in admitted[host.id]}),
        }
        for host in selection.hosts
    ]
    if context.json:
        context.print_json({"dry_run": True, "action": action.name, "results": plans, "broken": selection.broken})
    else:
        for plan in plans:
            by = f" by {plan['controller']}" if action.switches else ""
            context.print(f"would {action.name} {escape_unprintable(str(plan['host']))}{by}")
        for why in selection.broken.values():
            context.warn(why)
    lacking = [plan for plan in plans if action.switches and plan["controller"] is None]
    return int(ExitCode.ERROR) if selection.broken or lacking else 0


def show_outcomes(context: Context, outcomes: list[Outcome]) -> None:
    """Print what came of it: a table for people, one document for programs."""
    if context.json:
        print_json(context, outcomes)
        return
    rows = [
        (
            one.host,
            one.action,
            one.after or "?",
            "refused" if one.refused else one.status.name.lower(),
            spent_text(one.duration_us) if one.duration_us else "-",
            output.cell(one.text),
        )
        for one in outcomes
    ]
    context.print(output.table(("HOST", "ACTION", "POWER", "RESULT", "TIME", "SAID"), rows))


def print_json(context: Context, outcomes: list[Outcome]) -> None:
    """Print outcomes as one document."""
    context.print_json(
        {
            "ok": all(one.ok for one in outcomes),
            "action": outcomes[0].action if outcomes else None,
            "results": [outcome_json(one) for one in outcomes],
        }
    )


class Progress:
    """A line on the terminal that says how many hosts are done, and which are not.

    Args:
        context: whether colours, and so a terminal, are wanted at all.
        waiting: the ids of the hosts.
    """

    def __init__(self, context: Context, waiting: list[str]) -> None:
        self._shown = sys.stderr.isatty() and not context.json and os.environ.get("TERM") != "dumb"
        self._total = len(waiting)
        self._waiting = dict.fromkeys(waiting)
        self._failed = 0
        self._draw()

    def done(self, outcome: Outcome) -> None:
        """Note that a host is done."""
        self._waiting.pop(outcome.host, None)
        self._failed += not outcome.ok
        self._draw()

    def _draw(self) -> None:
        if not self._shown or not self._waiting:
            return
        names = ", ".join(escape_unprintable(name) for name in list(self._waiting)[:_NAMED])
        more = f" and {len(self._waiting) - _NAMED} more" if len(self._waiting) > _NAMED else ""
        failed = f", {self._failed} failed" if self._failed else ""
        line = f"{self._total - len(self._waiting)}/{self._total} done{failed}, waiting for {names}{more}"
        self._write(f"\r\x1b[2K{line[: self._width()]}")

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write("\r\x1b[2K")

    @staticmethod
    def _width() -> int:
        try:
            return (os.get_terminal_size(sys.stderr.fileno()).columns or 80) - 1
        except (OSError, ValueError):
            return 79

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
