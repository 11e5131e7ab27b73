"""``power watch``: follow which hosts are on."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Option, command
from bespeak.base import timeparse
from bespeak.base.clock import SECOND_US, duration_text, now
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.cli import output
from bespeak.cli.host_common import HOSTS, WHICH, seconds
from bespeak.cli.signals import SignalsOfLoop
from bespeak.host.base import using_lab
from bespeak.lifecycle.power_watch import PowerChange, change_json, follow, word
from bespeak.lifecycle.selection import Selection, load_hosts, select
from bespeak.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bespeak.cli.context import Context, Values

_EVERY_SECONDS = 10.0
_DRAW_SECONDS = 1.0
_COLOURS = {"on": "bold", "off": "dim", "unknown": "red"}


@command(
    "power watch",
    text=(
        "Without hosts: all of the lab that can be switched. Only reads, so it needs no reservation. A device is asked "
        "about each of its hosts once, then left alone for --every. On a terminal one table that stays up to date; "
        "elsewhere a line for each change, with --json a document. Runs until it is interrupted, or --for is over."
    ),
    examples=(
        ("-l bench power watch", "the whole bench, on a terminal"),
        ("power watch router1 --every 2s --for 5m --json", "one line of JSON for each change, for five minutes"),
    ),
    arguments=HOSTS,
    options=(
        WHICH[1],
        Option(
            ("--every",), "Leave a device alone for so long between two rounds (default 10s, at least 1s).", "DURATION"
        ),
        Option(("--for",), "End after so long (default: run on).", "DURATION"),
    ),
)
def watch(context: Context, values: Values) -> int:
    """Follow which hosts are on."""
    every = seconds("--every", values["every"], _EVERY_SECONDS)
    limit = None if values["for"] is None else seconds("--for", values["for"], 0.0)
    selection = _chosen(context, values)
    for why in selection.broken.values():
        context.warn(why)
    return _follow(context, selection, every, limit)


def _chosen(context: Context, values: Values) -> Selection:
    hosts, label = values["host"], values["label"]
    lab = load_hosts(load_settings(), context.labs, hosts)
    selection = select(lab, hosts, every=not hosts and label is None, label=label)
    dark = [host.id for host in selection.hosts if host.power_control is None]
    if dark:
        raise UsageError(f"nothing switches {', '.join(map(escape_unprintable, dark))}: no power_control")
    if not selection.hosts:
        raise NotFoundError(f"no host of lab {escape_unprintable(lab.name)} can be switched")
    return selection


def _follow(context: Context, selection: Selection, every: float, limit: float | None) -> int:
    screen = _Screen([host.id for host in selection.hosts], every) if _is_live(context) else None

    def changed(change: PowerChange) -> None:
        if screen is not None:
            screen.take(change)
        elif context.json:
            context.print_json(change_json(change))
        else:
            context.print(_line(change))
        sys.stdout.flush()

    async def work() -> int | None:
        task = asyncio.create_task(_until(follow(selection.hosts, every, changed), limit))
        drawing = None if screen is None else asyncio.create_task(screen.keep_drawn())
        loop = asyncio.get_running_loop()
        try:
            with SignalsOfLoop(loop, lambda _: task.cancel(), task.cancel) as signals:
                await asyncio.wait({task})
            if not task.cancelled():
                task.result()
            return signals.exit_code
        finally:
            if drawing is not None:
                drawing.cancel()
            await selection.lab.close()

    with using_lab(selection.lab):
        return asyncio.run(work()) or 0


async def _until(work: Awaitable[None], limit: float | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(limit):
            await work


def _is_live(context: Context) -> bool:
    return sys.stdout.isatty() and not context.json and os.environ.get("TERM") != "dumb"


def _line(change: PowerChange) -> str:
    was = "" if change.first else f"{word(change.before)} -> "
    why = f" ({output.cell(change.text)})" if change.text else ""
    return escape_unprintable(f"{timeparse.show(change.at_us)}  {change.host}  {was}{word(change.after)}{why}")


class _Screen:
    """A table on a terminal that is drawn again in its own place.

    Args:
        hosts: the ids of the hosts, in the order of the rows.
        every: how long a device is left alone, in seconds.
    """

    def __init__(self, hosts: list[str], every: float) -> None:
        self._found: dict[str, PowerChange | None] = dict.fromkeys(hosts)
        self._every = every
        self._drawn = 0
        self._coloured = output.colours(sys.stdout, True)

    def take(self, change: PowerChange) -> None:
        """Show a new state."""
        self._found[change.host] = change
        self._draw()

    async def keep_drawn(self) -> None:
        """Draw at once, and again every second, for how long each state has lasted."""
        while True:
            self._draw()
            sys.stdout.flush()
            await asyncio.sleep(_DRAW_SECONDS)

    def _draw(self) -> None:
        size = shutil.get_terminal_size()
        lines = self._lines(size.columns - 1)
        if len(lines) > size.lines - 1:
            hidden = len(lines) - (size.lines - 2)
            lines = [*lines[: size.lines - 2], f"... {hidden} more hosts: the terminal is too low"]
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        sys.stdout.write(f"{up}\r\x1b[J" + "\n".join(lines) + "\n")
        self._drawn = len(lines)

    def _lines(self, columns: int) -> list[str]:
        states = [None if one is None else word(one.after) for one in self._found.values()]
        counts = ", ".join(f"{states.count(name)} {name}" for name in ("on", "off", "unknown") if name in states)
        waiting = f"{states.count(None)} not read yet" if None in states else ""
        head = f"{', '.join(filter(None, (counts, waiting)))}; each device every {self._every:g} s; Ctrl-C ends"
        rows = [self._row(identifier, one) for identifier, one in self._found.items()]
        drawn = output.table(("HOST", "POWER", "FOR", "SAID"), rows, columns, ("SAID", "HOST")).split("\n")
        shown = [drawn[0], *(self._styled(line, state) for line, state in zip(drawn[1:], states, strict=True))]
        return [head[:columns], *shown]

    def _styled(self, line: str, state: str | None) -> str:
        return line if state is None else output.styled(line, _COLOURS[state], self._coloured)

    @staticmethod
    def _row(identifier: str, one: PowerChange | None) -> tuple[str, str, str, str]:
        if one is None:
            return identifier, "...", "-", ""
        lasted = duration_text(max(now() - one.at_us, 0) // SECOND_US * SECOND_US, units=1)
        return identifier, word(one.after), lasted, output.cell(one.text)
