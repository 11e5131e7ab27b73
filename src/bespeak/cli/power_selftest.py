"""``power selftest``: try out what switches a host, and write down what works."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.clock import iso, now
from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import UsageError
from bespeak.base.fileio import write_atomically
from bespeak.cli import output
from bespeak.cli.host_common import CAREFUL, act, show_outcomes
from bespeak.host.status import PowerState
from bespeak.lifecycle.model import spent_text
from bespeak.lifecycle.selection import load_hosts, select
from bespeak.lifecycle.selftest import REFUSED_LOGIN, Operation, SelfTest
from bespeak.lifecycle.selftest_report import report_json, report_markdown
from bespeak.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.cli.context import Context, Values
    from bespeak.host.base import Host
    from bespeak.lifecycle.model import Outcome

_MODE = 0o644


@command(
    "power selftest",
    text=(
        "Switches the host off and on several times, so it has to be yours, and asks first. Tries status, off, read "
        "back, on, cycle and reset once each; never a wrong password, for controllers lock accounts. Leaves the host "
        "as it was, also after a signal (the third one ends at once); if the hold is lost, says in which state it is. "
        "Writes a report without secrets, as JSON and as Markdown. Exits 0 if all that is offered works, 1 if not."
    ),
    examples=(
        ("power selftest router1 --yes", "without a question; the report is in the working folder"),
        ("power selftest plug7 --yes --leave on --report plug7", "where the state cannot be read"),
    ),
    arguments=(Argument("HOST", complete="host"),),
    options=(
        Option(("--yes",), "Do not ask."),
        Option(
            ("--report",), "Write PATH.json and PATH.md (default: selftest-HOST-TIME in the working folder).", "PATH"
        ),
        Option(("--leave",), "Leave the host on or off, instead of as it was.", "STATE"),
        *CAREFUL[1:],
    ),
)
def selftest(context: Context, values: Values) -> int:
    """Try out what switches a host."""
    host = _host(context, values["host"])
    base = _report_base(host, values["report"])
    leave: str | None = values["leave"]
    if leave not in {None, "on", "off"}:
        raise UsageError(f"--leave: on or off, not {short_repr(leave)}")
    if not values["dry_run"]:
        _confirm(host, yes=values["yes"])
    trial = SelfTest(None if leave is None else PowerState(leave), on_operation=_teller(context))

    def show(context: Context, outcomes: list[Outcome]) -> None:
        _show(context, outcomes, trial, host, base)

    return act(context, {**values, "host": (host.id,)}, trial.action(), show)


def _host(context: Context, identifier: str) -> Host:
    """Return the host, or say what is wrong with its data."""
    lab = load_hosts(load_settings(), context.labs, (identifier,))
    selection = select(lab, (identifier,))
    if selection.broken:
        raise UsageError(selection.broken[identifier])
    host = selection.hosts[0]
    if host.power_control is None:
        raise UsageError(f"host {short_repr(host.id)} has no power_control")
    return host


def _report_base(host: Host, given: str | None) -> str:
    """Return where the report goes, after seeing that it can be written there.

    Raises:
        UsageError: it cannot.
    """
    stamp = (iso(now()) or "")[:19].replace("-", "").replace(":", "")
    safe = "".join(char if char.isascii() and (char.isalnum() or char in "-.") else "_" for char in host.id)
    base = os.path.abspath(given or f"selftest-{safe}-{stamp}Z")
    folder = os.path.dirname(base)
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise UsageError(f"--report: {short_repr(folder)} is no folder that can be written to")
    for path in (f"{base}.json", f"{base}.md"):
        if os.path.isdir(path):
            raise UsageError(f"--report: {short_repr(path)} is a folder")
    return base


def _confirm(host: Host, *, yes: bool) -> None:
    """Ask before the power is cut.

    Raises:
        UsageError: the answer is not yes, or there is nobody to ask.
    """
    if yes:
        return
    name = escape_unprintable(host.id)
    if not sys.stdin.isatty():
        raise UsageError(f"this cuts the power of {name} several times; nothing was done. Add --yes to do it")
    sys.stderr.write(f"cut the power of {name} several times? What runs on it is lost. [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was done")


def _teller(context: Context) -> Callable[[Operation], None]:
    """Return what tells of each operation as it ends, where somebody waits for that."""
    shown = not context.json and sys.stderr.isatty()

    def tell(one: Operation) -> None:
        if shown:
            sys.stderr.write(f"\r\x1b[2K{one.name}: {one.result.value}, {spent_text(one.duration_us)}\n")
            sys.stderr.flush()

    return tell


def _show(context: Context, outcomes: list[Outcome], trial: SelfTest, host: Host, base: str) -> None:
    """Write the report where anything was done, and print it."""
    (outcome,) = outcomes
    if not trial.operations:
        show_outcomes(context, outcomes)
        return
    report = report_json(trial, outcome, host)
    written = _write(context, base, report)
    if context.json:
        context.print_json({**report, "files": written})
        return
    rows = [
        (
            one.name,
            one.result.value,
            one.state or "?",
            spent_text(one.duration_us) if one.duration_us else "-",
            one.text,
        )
        for one in trial.operations
    ]
    rows.append(("wrong password", "never tried", "-", "-", REFUSED_LOGIN.partition(": ")[2]))
    context.print(output.table(("OPERATION", "RESULT", "POWER", "TIME", "SAID"), rows))
    before = trial.found.value if trial.found is not None else "unknown"
    said = output.cell(outcome.text)
    after = outcome.after or "unknown"
    context.print(escape_unprintable(f"{host.id}: {said}; before {before}, after {after}"))
    if trial.leave is None and trial.found is None:
        context.warn("give --leave on or --leave off to switch a host whose state cannot be read")
    for path in written:
        context.print(f"written: {escape_unprintable(path)}")


def _write(context: Context, base: str, report: dict[str, object]) -> list[str]:
    written = []
    for path, text in (
        (f"{base}.json", json.dumps(report, indent=2) + "\n"),
        (f"{base}.md", report_markdown(report)),
    ):
        try:
            write_atomically(path, text.encode(), _MODE)
        except OSError as error:
            context.warn(f"the report cannot be written to {path}: {error.strerror or error}")
        else:
            written.append(path)
    return written
