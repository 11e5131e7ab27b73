"""``job fleet``: how the jobs of each host of a lab are doing, asked over SSH, many hosts at the same time.

Each host is asked by its own ``job list --all-sites``, so what is shown is what its own book says. Nothing is changed
there, so no gate is asked. A host that does not answer, or not in a way that is understood, is named with the reason.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.clock import SECOND_US, iso
from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.host.base import using_lab
from bespeak.host.label_selector import matching
from bespeak.host.status import Status
from bespeak.jobs.commands import sites
from bespeak.jobs.contract_times import read_duration, read_number
from bespeak.lifecycle.selection import Selection, load_hosts, select
from bespeak.settings import load_settings

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.jobs.cli import CommandContext

_AT_ONCE = 16
_MOST_AT_ONCE = 1000
_PROGRAM = "bespeak job"
_LONGEST_REASON = 300
_COUNTS = ("ran", "failed", "not_started", "lost", "running", "waiting")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one host said.

    Attributes:
        host: its id.
        sites: its sites, as ``list --all-sites`` prints them.
        error: why there is no answer; None for an answer.
    """

    host: str
    sites: tuple[dict[str, Any], ...] = ()
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nobody has to look."""
        return self.error is None and all(each["ok"] for each in self.sites)

    def json(self) -> dict[str, object]:
        """Return it as it is printed."""
        return {"host": self.host, "ok": self.ok, "answered": self.error is None, "error": self.error,
                "sites": list(self.sites)}  # fmt: skip

    def lines(self) -> list[tuple[str, ...]]:
        """Return its lines of the table."""
        if self.error is not None:
            return [(self.host, "-", "no answer", "-", "-", "-", "-", self.error)]
        return [(self.host, *sites.cells(each)) for each in self.sites]


@command(
    "fleet",
    text="Asks the hosts over SSH, as the lab's data says; without names all that have an address. Each is asked by "
    "job list --all-sites of its own, so bespeak has to be there. Exits with 1 if a dispatcher is not healthy, "
    "something failed or was lost since, or a host did not answer. Nothing is changed.",
    examples=(
        ("fleet --lab edge --text", "each morning: every gateway, a line for each"),
        ("fleet --lab edge --failed --since -3d", "only those where somebody has to look"),
        ("fleet gw1 gw2 --lab edge --program 'sudo -u jobs /opt/bespeak/bin/bespeak job'", "as another account"),
    ),
    arguments=(Argument("HOST", many=True, required=False),),
    options=(
        Option(("--lab",), "The lab; several with commas between. [env: BESPEAK_LAB]", "NAME"),
        Option(("--label",), "Hosts whose labels match, such as 'gateway and not spare'.", "EXPR"),
        Option(("--since",), "Count what happened at or after; default a day ago.", "DATETIME"),
        Option(("--failed",), "Only hosts where somebody has to look."),
        Option(("--at-once",), "Ask at most so many at the same time; default 16.", "N"),
        Option(("--timeout",), "How long one host may take; default 30s.", "DURATION"),
        Option(("--program",), "How it is called there; default 'bespeak job'.", "COMMAND"),
    ),
)
def fleet(context: CommandContext) -> int:
    """Print how the jobs of each host are doing; 1 if somebody has to look."""
    since = sites.since_s(context)
    limit = read_duration(context.value("timeout") or "30s", "--timeout", smallest_us=SECOND_US) / SECOND_US
    at_once = read_number(context.value("at-once") or str(_AT_ONCE), "--at-once", 1, _MOST_AT_ONCE)
    line = f"{context.text('program') or _PROGRAM} list --all-sites --since={since}"
    selection = _selection(context)
    found = _ask(selection, line, at_once, limit)
    found += [_Answer(name, error=why) for name, why in selection.broken.items()]
    shown = [each for each in found if not (context.on("failed") and each.ok)]
    is_ok = all(each.ok for each in found)
    if context.as_text:
        sites.print_table(("HOST", *sites.HEADER), [line for each in shown for line in each.lines()])
    else:
        context.answer({"ok": is_ok, "since": iso(since * SECOND_US), "hosts": [each.json() for each in shown]})
    return 0 if is_ok else 1


def _selection(context: CommandContext) -> Selection:
    names, label = context.many("host"), context.text("label")
    said = context.text("lab") or os.environ.get("BESPEAK_LAB", "")
    labs = list(dict.fromkeys(name for part in said.split(",") if (name := part.strip())))
    lab = load_hosts(load_settings(), labs, names)
    if names:
        if label is not None:
            raise UsageError("name hosts, or give --label, not both")
        return select(lab, names)
    hosts = [host for host in lab.hosts.values() if host.ip is not None and host.can_be_reached]
    if label is not None:
        hosts = matching(label, hosts)
    if not hosts and not lab.broken:
        what = "has an address" if label is None else f"has an address and matches {short_repr(label)}"
        raise NotFoundError(f"no host of lab {escape_unprintable(lab.name)} {what}")
    return Selection(lab, tuple(hosts), {} if label is not None else dict(lab.broken))


def _ask(selection: Selection, line: str, at_once: int, limit_seconds: float) -> list[_Answer]:
    async def one(host: Host, turns: asyncio.Semaphore) -> _Answer:
        async with turns:
            return await _answer(host, line, limit_seconds)

    async def everything() -> list[_Answer]:
        turns = asyncio.Semaphore(at_once)
        try:
            return list(await asyncio.gather(*(one(host, turns) for host in selection.hosts)))
        finally:
            await selection.lab.close()

    with using_lab(selection.lab):
        return asyncio.run(everything())


async def _answer(host: Host, line: str, limit_seconds: float) -> _Answer:
    try:
        done = await host.oneshot(line, timeout=limit_seconds)
    except (ValueError, OSError) as error:
        return _Answer(host.id, error=_reason(str(error)))
    if done.status is Status.Error:
        return _Answer(host.id, error=_reason(done.output))
    found = _sites(done.output)
    if found is None:
        return _Answer(host.id, error=_reason(done.output) or f"said nothing (exit code {done.retcode})")
    return _Answer(host.id, found)


def _reason(text: str) -> str:
    """Return the last line of what was said: behind a greeting and a traceback it says what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:_LONGEST_REASON] if lines else ""


def _sites(text: str) -> tuple[dict[str, Any], ...] | None:
    """Return the sites in an answer, whatever a login shell printed around it; None if it is none."""
    begin = 0 if text.startswith("{") else text.find("\n{") + 1
    try:
        found, _ = json.JSONDecoder().raw_decode(text, begin)
        return tuple(_site(each) for each in found["sites"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _site(form: dict[str, Any]) -> dict[str, Any]:
    """Return one site with what is shown of it, each of its kind.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is not what ``list --all-sites`` prints.
    """
    upcoming, bad = form["next"], form["last_error"]
    return {
        "site": str(form["site"]),
        "ok": form["ok"] is True,
        "healthy": form["healthy"] is True,
        "why": [str(each) for each in form["why"]],
        "dispatcher": str(form["dispatcher"]),
        **{name: int(form[name]) for name in _COUNTS},
        "next": upcoming and {"run_key": str(upcoming["run_key"]), "at": upcoming["at"] and str(upcoming["at"])},
        "last_error": bad and {name: str(bad[name]) for name in ("run_key", "at", "error")},
    }
