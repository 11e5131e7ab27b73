"""``power``: switch hosts, and tell which are on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bespeak.argv.declarations import command
from bespeak.cli import output
from bespeak.cli.host_common import (
    CAREFUL,
    HOSTS,
    WHICH,
    Stopwatch,
    act,
    broken_outcomes,
    choose,
    exit_code,
    gather,
    print_json,
    show_outcomes,
    unended,
)
from bespeak.host.status import Status
from bespeak.lifecycle.actions import power_action
from bespeak.lifecycle.model import Outcome

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.host.base import Host


_TEXT = (
    "First asks the gate for what the hosts need: if one is not yours, none is touched (exit code 8). Then each is "
    "switched by what its power_control says, and its state is read back. Exits 0 only if every host did."
)


@command(
    "power on",
    text=_TEXT,
    examples=(("power on router1 router2", "both at the same time"),),
    arguments=HOSTS,
    options=(*WHICH, *CAREFUL),
)
def on(context: Context, values: Values) -> int:
    """Switch hosts on."""
    return act(context, values, power_action("on"), show_outcomes)


@command(
    "power off",
    text=_TEXT,
    examples=(("-l bench power off --all --stagger 2s", "one every two seconds"),),
    arguments=HOSTS,
    options=(*WHICH, *CAREFUL),
)
def off(context: Context, values: Values) -> int:
    """Switch hosts off."""
    return act(context, values, power_action("off"), show_outcomes)


@command(
    "power cycle",
    text=_TEXT,
    examples=(("power cycle router1", "off, seen to be off, on"),),
    arguments=HOSTS,
    options=(*WHICH, *CAREFUL),
)
def cycle(context: Context, values: Values) -> int:
    """Switch hosts off and on."""
    return act(context, values, power_action("cycle"), show_outcomes)


@command(
    "power toggle",
    text=_TEXT,
    examples=(("power toggle plug7", "on if off"),),
    arguments=HOSTS,
    options=(*WHICH, *CAREFUL),
)
def toggle(context: Context, values: Values) -> int:
    """Switch hosts to the other state."""
    return act(context, values, power_action("toggle"), show_outcomes)


@command(
    "power status",
    text="Exits 0 if the state of every host is known, 1 if not. Says which switching began and has not ended.",
    examples=(("-l bench power status --all", "the whole bench"),),
    arguments=HOSTS,
    options=WHICH,
)
def status(context: Context, values: Values) -> int:
    """Print which hosts are on."""
    selection = choose(context, values)
    begun = unended(context, selection.hosts)
    found = gather(context, values, selection, _status) + broken_outcomes("status", selection)
    outcomes = [
        replace(one, text=f"{one.text}\n{begun[one.host]}".lstrip()) if one.host in begun else one for one in found
    ]
    if context.json:
        print_json(context, outcomes)
    else:
        rows = [(one.host, one.after or "unknown", one.controller or "-", output.cell(one.text)) for one in outcomes]
        context.print(output.table(("HOST", "POWER", "CONTROLLER", "SAID"), rows))
    return exit_code(outcomes)


async def _status(host: Host) -> Outcome:
    from bespeak.host.power.verification import probe

    control = host.power_control
    if control is None:
        return Outcome(host.id, "status", None, Status.Error, f"host {host.id!r} has no power_control")
    watch = Stopwatch()
    state, why = await probe(control, host)
    return Outcome(
        host.id,
        "status",
        str(getattr(control, "described", control.type_name)),
        Status.Success if state is not None else Status.Error,
        why,
        after=None if state is None else state.value,
        started_us=watch.started_us,
        duration_us=watch.duration_us,
    )
