"""``host console``: the console of a host, for people and for programs."""

from __future__ import annotations

import asyncio
import os
import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.clock import SECOND_US, iso
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import ExitCode, UsageError
from bespeak.base.paths import user_folder
from bespeak.cli import converters, output
from bespeak.cli.console_terminal import Keys, Screen, Terminal
from bespeak.cli.host_common import CAREFUL, choose, dry_run, interlock, refused_by_gate
from bespeak.cli.signals import SignalsOfLoop
from bespeak.host.base import using_lab
from bespeak.host.console.dialogue import Dialogue, End, Step
from bespeak.lifecycle.actions import console_action
from bespeak.lifecycle.audit import AuditLog
from bespeak.lifecycle.executor import Executor
from bespeak.reservations.errors import MissingReservationError, ReservationBackendError

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.host.base import Host
    from bespeak.lifecycle.interlock import Interlock
    from bespeak.lifecycle.model import HostAction, Outcome
    from bespeak.lifecycle.selection import Selection

_ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "e": b"\x1b", "\\": b"\\"}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)


@command(
    "host console",
    text="For who holds the host. On a terminal every key goes to the console, until Ctrl-] and a full stop; Ctrl-] b "
    "sends a break. Otherwise standard input goes there, and what comes is printed as it is. All that comes is also in "
    "a transcript. The console ends when the hold does (exit code 11), within a second of it being taken away. With "
    "--send and --expect nothing is typed: each --send is a line that is sent, each --expect a text that is then "
    "waited for, in turn; with one --expect more, it begins with that one. Exits 0 if all came, 10 if not in time.",
    examples=(
        ("host console router1", "on a terminal: a session"),
        ("host console router1 --timeout 30s", "what it says in half a minute"),
        ("host console router1 --send root --expect login: --timeout 2m", "a line, and wait for a text"),
    ),
    arguments=(Argument("HOST", complete="host"),),
    options=(
        Option(
            ("--send",),
            r"Send this and Return; \r, \n, \t, \e, \\ and \xNN are known.",
            "TEXT",
            many=True,
            any_value=True,
        ),
        Option(("--expect",), "Wait until this text comes.", "TEXT", many=True, any_value=True),
        Option(("--timeout",), "End after so long (default: never).", "DURATION"),
        Option(("--log",), "The transcript; it is added to (default: a new file in the user's state folder).", "FILE"),
        *CAREFUL[1:],
    ),
)
def console(context: Context, values: Values) -> int:
    """Use the console of a host."""
    steps = _steps(values["send"], values["expect"])
    limit_us = converters.duration("--timeout", values["timeout"])
    timeout = None if limit_us is None else limit_us / SECOND_US
    selection = choose(context, {**values, "host": (values["host"],)})
    for why in selection.broken.values():
        raise UsageError(why)
    (host,) = selection.hosts
    if host.console is None:
        raise UsageError(f"host {host.id!r} has no console in the lab data")
    try:
        lock = interlock(context, selection, values["number"])
        path = values["log"] or _new_path(host)
        dialogue = Dialogue(steps=steps, timeout_seconds=timeout)
        action = console_action(dialogue, path, host.console.type_name)
        if values["dry_run"]:
            return dry_run(context, lock, selection, action)
        said = lock.open_to_all(selection.hosts) if lock.admit(selection.hosts, announce=False) else None
        if said is not None:
            context.warn(said)
        outcome, signals = _converse(context, lock, selection, action, dialogue)
    except MissingReservationError as error:
        return refused_by_gate(context, error)
    except ReservationBackendError as error:
        from bespeak.cli.gate import unavailable

        return unavailable(context, error, int(ExitCode.UNAVAILABLE))
    code = _exit_code(outcome, dialogue) if signals.exit_code is None else signals.exit_code
    _tell(context, outcome, dialogue, path, code)
    return code


def _steps(sends: tuple[str, ...], expects: tuple[str, ...]) -> tuple[Step, ...]:
    """Return the script: sending and waiting in turn."""
    if sends and expects and not len(sends) - 1 <= len(expects) <= len(sends) + 1:
        raise UsageError("--send and --expect come in turn: give as many of both, or one more of either")
    if not all(expects):
        raise UsageError("--expect: an empty text comes at once")
    sending = [Step(send=_bytes(text) + b"\r") for text in sends]
    waiting = [Step(expect=_bytes(text)) for text in expects]
    first, second = (waiting, sending) if len(waiting) > len(sending) else (sending, waiting)
    steps: list[Step] = []
    for number in range(len(first)):
        steps += [first[number], *second[number : number + 1]]
    return tuple(steps)


def _bytes(text: str) -> bytes:
    """Return what a text with escapes stands for."""
    found = bytearray()
    for number, part in enumerate(_ESCAPE.split(text)):
        if number % 2 == 0:
            found += part.encode("utf-8", "surrogateescape")
        elif len(part) > 1:
            found.append(int(part[1:], 16))
        elif part in _ESCAPES:
            found += _ESCAPES[part]
        else:
            raise UsageError(rf"\{part} is not known; known: \r, \n, \t, \e, \\ and \xNN")
    return bytes(found)


def _new_path(host: Host) -> str:
    """Return a file of this conversation alone."""
    name = re.sub(r"[^\w.-]", "_", host.id)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    return os.path.join(user_folder(os.environ, "state"), "console", f"{name}-{stamp}-{os.getpid()}.log")


def _converse(
    context: Context, lock: Interlock, selection: Selection, action: HostAction, dialogue: Dialogue
) -> tuple[Outcome, SignalsOfLoop]:
    """Carry the conversation; the terminal is as it was afterwards."""
    audit = AuditLog(partial(context.book, create=True), context.holder(), skipped=context.skip_check)
    terminal = Terminal(quiet=context.json or bool(dialogue.steps))
    screen = Screen(raw=terminal.interactive, shown=not context.json)

    async def work() -> tuple[list[Outcome], SignalsOfLoop]:
        dialogue.show = screen.show
        if not dialogue.steps:
            dialogue.keyboard = Keys(escapes=terminal.interactive)
        executor = Executor(lock, audit)
        task = asyncio.create_task(executor.execute(action, selection.hosts))
        try:
            with SignalsOfLoop(asyncio.get_running_loop(), executor.interrupt, task.cancel) as signals:
                return await task, signals
        finally:
            await selection.lab.close()

    if terminal.interactive:
        context.warn("Ctrl-] . ends the console, Ctrl-] b sends a break, Ctrl-] Ctrl-] sends Ctrl-]", "dim")
    with using_lab(selection.lab), terminal:
        try:
            outcomes, signals = asyncio.run(work())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            screen.finish()
    return outcomes[0], signals


def _exit_code(outcome: Outcome, dialogue: Dialogue) -> int:
    if dialogue.end is End.LOST:
        return int(ExitCode.HOLD_LOST)
    if outcome.refused:
        return int(ExitCode.GATE_REFUSED)
    if dialogue.end is End.TIMEOUT and not outcome.ok:
        return int(ExitCode.WAIT_TIMED_OUT)
    return 0 if outcome.ok else int(ExitCode.ERROR)


def _tell(context: Context, outcome: Outcome, dialogue: Dialogue, path: str, code: int) -> None:
    """Say why it ended, and where the transcript is."""
    begun = dialogue.end is not None
    if not outcome.logged and outcome.begun:
        context.warn("the log could not be written")
    if context.json:
        context.print_json(
            {
                "ok": code == 0,
                "host": outcome.host,
                "console": outcome.controller,
                "ended": dialogue.end.value if dialogue.end is not None else None,
                "text": outcome.text,
                "matched": dialogue.matched,
                "output": dialogue.output.decode("utf-8", "replace"),
                "transcript": path if begun else None,
                "started": iso(outcome.started_us) if outcome.started_us else None,
                "duration_us": outcome.duration_us,
                "reservations": sorted({(hold.reservation_id, hold.fencing_token) for hold in outcome.holds}),
                "logged": outcome.logged,
            }
        )
        return
    kept = f"; transcript: {escape_unprintable(path)}" if begun else ""
    lost = "the hold is lost: " if dialogue.end is End.LOST else ""
    context.warn(
        f"console of {outcome.host} ended: {lost}{output.cell(outcome.text)}{kept}",
        "dim" if code == 0 else "yellow",
    )
