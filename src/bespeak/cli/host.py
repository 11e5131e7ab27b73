"""``host``: look at hosts, run commands on them, restart them, wait for them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Option, command
from bespeak.base.clock import SECOND_US, duration_text
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import ExitCode, UsageError
from bespeak.cli import output
from bespeak.cli.host_common import (
    CAREFUL,
    HOSTS,
    WHICH,
    Stopwatch,
    act,
    broken_outcomes,
    choose,
    gather,
    print_json,
    seconds,
    show_outcomes,
)
from bespeak.host.label_selector import matching
from bespeak.host.status import Status
from bespeak.lifecycle.actions import exec_action, reboot_action, shutdown_action
from bespeak.lifecycle.model import Outcome
from bespeak.lifecycle.selection import load_hosts
from bespeak.settings import load_settings

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.host.base import Host

_WAIT_SECONDS = 600.0


@command(
    "host list",
    examples=(("-l bench host list", "every host, and what is wrong with its data"),),
    options=WHICH[1:2],
)
def list_(context: Context, values: Values) -> int:
    """Print the hosts of the lab."""
    if not context.labs:
        raise UsageError("name a lab with --lab / -l (env var: BESPEAK_LAB)")
    lab = load_hosts(load_settings(), context.labs, acting=False)
    hosts = list(lab.hosts.values())
    if values["label"] is not None:
        hosts = matching(values["label"], hosts)
    if context.json:
        context.print_json({"lab": lab.name, "hosts": [_facts(host) for host in hosts], "broken": lab.broken})
    else:
        rows = [
            (
                host.id,
                host.kind,
                host.ip or "-",
                _controller(host) or "-",
                " ".join(sorted(host.labels)) or "-",
                " ".join(sorted(host.required)) or "-",
            )
            for host in hosts
        ]
        context.print(output.table(("HOST", "KIND", "ADDRESS", "POWER", "LABELS", "RESOURCES"), rows))
    for why in lab.broken.values():
        context.warn(why)
    return int(ExitCode.ERROR) if lab.broken else 0


def _facts(host: Host) -> dict[str, object]:
    return {
        "id": host.id,
        "name": host.name,
        "kind": host.kind,
        "address": host.ip,
        "power_control": _controller(host),
        "management_control": None if host.management is None else host.management.type_name,
        "labels": sorted(host.labels),
        "resources": sorted(host.resources),
        "required": sorted(host.required),
    }


def _controller(host: Host) -> str | None:
    control = host.power_control
    return None if control is None else str(getattr(control, "described", control.type_name))


@command(
    "host exec",
    text="Exits 0 only if the command did everywhere. The words after -- are one line for the shell there.",
    examples=(("host exec router1 router2 -- uptime", "on both at the same time"),),
    arguments=HOSTS,
    options=(*WHICH, Option(("--timeout",), "End it after so long (default 10m).", "DURATION")),
    tail="COMMAND",
)
def exec_(context: Context, values: Values) -> int:
    """Run a command on hosts."""
    if not values["tail"]:
        raise UsageError("give the command after --")
    words = values["tail"]
    command = words[0] if len(words) == 1 else shlex.join(words)
    action = exec_action(command, seconds("--timeout", values["timeout"], _WAIT_SECONDS))
    return act(context, values, action, _show_output)


def _show_output(context: Context, outcomes: list[Outcome]) -> None:
    """Print what the command said on each host, each line behind the host's name when there are several."""
    if context.json:
        print_json(context, outcomes)
        return
    for one in outcomes:
        begin = f"{escape_unprintable(one.host)}: " if len(outcomes) > 1 else ""
        lines = [escape_unprintable(line) for line in one.text.splitlines()]
        if one.ok:
            for line in lines:
                context.print(begin + line)
        else:
            context.warn(f"{one.host}: {one.status.name.lower()}: {' / '.join(lines)}")


@command(
    "host reboot",
    examples=(
        ("host reboot router1 --wait", "until it can be reached again"),
        ("host reboot router1 --hard", "by cutting its power"),
    ),
    arguments=HOSTS,
    options=(
        *WHICH,
        *CAREFUL,
        Option(("--hard",), "Cut the power instead of asking the system."),
        Option(("--wait",), "Return when they can be reached again."),
        Option(("--timeout",), "How long to wait for that (default 10m).", "DURATION"),
    ),
)
def reboot(context: Context, values: Values) -> int:
    """Restart hosts."""
    action = reboot_action(
        hard=values["hard"],
        wait=values["wait"],
        timeout_seconds=seconds("--timeout", values["timeout"], _WAIT_SECONDS),
    )
    return act(context, values, action, show_outcomes)


@command(
    "host shutdown",
    examples=(("host shutdown router1", "the power stays as it is"),),
    arguments=HOSTS,
    options=(*WHICH, *CAREFUL),
)
def shutdown(context: Context, values: Values) -> int:
    """Shut hosts down."""
    return act(context, values, shutdown_action(), show_outcomes)


@command(
    "host wait",
    text="Exits 10 if one did not in time.",
    examples=(("host wait router1 --timeout 5m", "or --down, until it cannot be reached"),),
    arguments=HOSTS,
    options=(
        *WHICH,
        Option(("--down",), "Until they cannot be reached."),
        Option(("--timeout",), "How long (default 10m).", "DURATION"),
    ),
)
def wait(context: Context, values: Values) -> int:
    """Wait until hosts can be reached, or cannot."""
    selection = choose(context, values)
    limit = seconds("--timeout", values["timeout"], _WAIT_SECONDS)
    down: bool = values["down"]

    async def one(host: Host) -> Outcome:
        return await _wait(host, down, limit)

    outcomes = gather(context, values, selection, one) + broken_outcomes("wait", selection)
    show_outcomes(context, outcomes)
    if all(one.ok for one in outcomes):
        return 0
    late = any(one.status is Status.Failed for one in outcomes)
    return int(ExitCode.WAIT_TIMED_OUT if late else ExitCode.ERROR)


async def _wait(host: Host, down: bool, limit: float) -> Outcome:
    watch = Stopwatch()
    wanted = "unreachable" if down else "reachable"
    try:
        came = await (host.wait_until_down(limit) if down else host.wait_until_up(limit))
        status = Status.Success if came else Status.Failed
        text = wanted if came else f"not {wanted} within {duration_text(int(limit * SECOND_US))}"
    except ValueError as error:
        status, text = Status.Error, str(error)
    return Outcome(host.id, "wait", host.kind, status, text, started_us=watch.started_us, duration_us=watch.duration_us)
