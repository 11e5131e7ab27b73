"""``lab list|show|check``: the labs that can be named here. Credentials of hosts are never printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, command
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import ExitCode, UsageError
from bespeak.cli.output import table
from bespeak.labs import open_labs, required_resources
from bespeak.settings import load_settings

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.labs.model import Lab
    from bespeak.settings import Settings


@command(
    "lab list",
    examples=(("lab list", "names and what they need"),),
)
def list_(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print all labs; one whose data has mistakes is named and said to be broken."""
    store = open_labs(load_settings())
    found: list[dict[str, object]] = []
    for name in store.names():
        broken = next((problem.text for problem in store.problems if problem.concerns([name])), None)
        found.append(_facts(store.load([name])) if broken is None else {"name": name, "error": broken})
    if context.json:
        context.print_json({"labs": found})
    elif found:
        cells = [_row(lab) for lab in found]
        context.print(table(("LAB", "HOSTS", "REQUIRES", "DESCRIPTION"), cells))
    else:
        context.print(f"no labs in {', '.join(escape_unprintable(path) for path in store.search)}")
    if store.problems:
        context.warn("there are mistakes in the lab data; 'bespeak lab check' names them")
    return 0


def _row(lab: dict[str, object]) -> tuple[str, str, str, str]:
    if "error" in lab:
        return str(lab["name"]), "-", "-", f"broken: {lab['error']}"
    hosts, required = lab["hosts"], lab["required"]
    if not isinstance(hosts, list) or not isinstance(required, list):
        raise TypeError("a lab's facts are lists")
    return str(lab["name"]), str(len(hosts)), ", ".join(required) or "nothing", str(lab["description"])


@command(
    "lab show",
    examples=(("lab show demo", "hosts and resources"),),
    arguments=(Argument("LAB", required=False, complete="lab"),),
)
def show(context: Context, values: Values) -> int:
    """Print what one lab (or several as one) is made of."""
    names = (values["lab"],) if values["lab"] else context.labs
    if not names:
        raise UsageError("lab show: name a lab, or say --lab")
    lab = open_labs(load_settings()).load(names)
    if context.json:
        context.print_json(_facts(lab))
        return 0
    context.print(
        f"lab {escape_unprintable(lab.name)}" + (f": {escape_unprintable(lab.description)}" if lab.description else "")
    )
    context.print("requires: " + (escape_unprintable(", ".join(sorted(required_resources(lab)))) or "nothing"))
    cells = [(host.id, host.address or "-", ", ".join(sorted(host.resources)) or "-") for host in lab.hosts.values()]
    context.print(table(("HOST", "ADDRESS", "RESOURCES"), cells) if cells else "no hosts")
    return 0


@command(
    "lab check",
    examples=(("lab check", "every file, every field"),),
    arguments=(Argument("LAB", required=False, complete="lab"),),
)
def check(context: Context, values: Values) -> int:
    """Name every mistake in the lab data."""
    settings = load_settings()
    store = open_labs(settings)
    name = values["lab"]
    if name is not None and not store.problems:
        store.load([name])
    problems = [problem.text for problem in store.problems if name is None or problem.concerns([name])]
    readable = [
        each for each in (store.names() if name is None else [name])
        if not any(problem.concerns([each]) for problem in store.problems)
    ]  # fmt: skip
    broken, opened = _about_hosts(settings, readable)
    problems += broken
    facts = {"files": store.files, "labs": store.names(), "problems": problems, "open": opened}
    counted = f"{len(store.files)} file(s), {len(store.names())} lab(s), {len(problems)} mistake(s)"
    context.answer(facts, "\n".join([*problems, *opened, counted]))
    return int(ExitCode.ERROR) if problems else 0


def _about_hosts(settings: Settings, labs: list[str]) -> tuple[list[str], list[str]]:
    """Return what is wrong with how hosts are reached and switched, and which of them anybody may switch."""
    from bespeak.lifecycle.interlock import open_hosts
    from bespeak.lifecycle.selection import load_hosts

    broken: dict[str, None] = {}
    opened: list[str] = []
    switchable = False
    for name in labs:
        lab = load_hosts(settings, [name], acting=False)
        broken.update(dict.fromkeys(lab.broken.values()))
        said = open_hosts(lab.hosts.values())
        if said is not None:
            opened.append(f"lab {escape_unprintable(name)}: {said}")
        switchable = switchable or any(host.power_control is not None for host in lab.hosts.values())
    if switchable and not _is_gated(settings):
        opened.append("the settings name no reservation backend: anybody may switch every host")
    return list(broken), opened


def _is_gated(settings: Settings) -> bool:
    """Tell whether the settings name a backend that is asked before hosts are switched."""
    from bespeak.reservations.evaluation import whoami
    from bespeak.reservations.prepare import load_state

    state = load_state(as_user=None, skip_reservation_check=True, settings=settings)
    return whoami(state)["backend"] != "none"


def _facts(lab: Lab) -> dict[str, object]:
    hosts = [
        {"id": host.id, "address": host.address, "labs": list(host.labs), "resources": sorted(host.resources)}
        for host in lab.hosts.values()
    ]
    return {
        "name": lab.name,
        "description": lab.description,
        "resources": sorted(lab.resources),
        "required": sorted(required_resources(lab)),
        "hosts": hosts,
    }
