"""``resource check``: find out whether resources are well, by commands of the settings, and mark them."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.display import escape_unprintable, suggest
from bespeak.base.errors import NotFoundError, UnavailableError, UsageError
from bespeak.cli.host_common import seconds
from bespeak.cli.signals import SignalsOfLoop
from bespeak.ledger.model import Health
from bespeak.lifecycle.check_memory import memory_of
from bespeak.lifecycle.resource_checks import Checker, Found, finding_json, follow
from bespeak.settings import ledger_place, load_settings
from bespeak.settings.health_checks import health_checks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bespeak.cli.context import Context, Values
    from bespeak.lifecycle.check_memory import CheckMemory
    from bespeak.lifecycle.resource_checks import Finding
    from bespeak.settings.health_checks import HealthCheck

    Round = Callable[[], Awaitable[list[Finding]]]


@command(
    "resource check",
    text=(
        "Runs the commands of [health.NAME] in the settings of a trusted repository, else in your own, else in the "
        "machine's; never one that a book names. What fails is marked and given to nobody; what is well again is "
        "given out. What a person has marked stays so. Exits with 1 if a command could not tell. That something is "
        "sick is an answer, and 0 without --exit-code."
    ),
    examples=(
        ("resource check", "one round of all checks: for a timer, cron or `bespeak job schedule`"),
        ("resource check ping --dry-run", "one of them, and mark nothing"),
        ("resource check --exit-code", "for a script: 0 only if all is well"),
        ("resource check --watch --for 8h", "each as often as its settings say"),
    ),
    arguments=(Argument("CHECK", many=True, required=False),),
    options=(
        Option(("--watch",), "Go on until interrupted: each check as often as its `every` says."),
        Option(("--for",), "With --watch: end after so long.", "DURATION"),
        Option(("--dry-run",), "Run the commands, and mark nothing."),
        Option(("--exit-code",), "Exit with 1 also if something is sick or offline, or a command says that it is."),
    ),
)
def check(context: Context, values: Values) -> int:
    """Check resources once, or again and again."""
    limit = None if values["for"] is None else seconds("--for", values["for"], 0.0)
    if limit is not None and not values["watch"]:
        raise UsageError("--for goes with --watch")
    if values["exit_code"] and values["watch"]:
        raise UsageError("--exit-code is about one round; it excludes --watch")
    settings = load_settings()
    checks = _chosen(*health_checks(settings, os.environ), values["check"])
    url = ledger_place(context.ledger_flag, settings).url
    with memory_of(url, os.environ) as memory:
        rounds = {one.name: _round(context, one, memory, dry_run=values["dry_run"]) for one in checks}
        if values["watch"]:
            return _watch(context, checks, rounds, limit)
        return _once(context, rounds, tells_health=values["exit_code"])


def _chosen(found: list[HealthCheck], path: str, names: tuple[str, ...]) -> list[HealthCheck]:
    if not found:
        raise NotFoundError("no settings name a check; see [health.NAME] in the reference of settings")
    known = [one.name for one in found]
    for name in names:
        if name not in known:
            near = suggest(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f": {', '.join(known)}"
            raise NotFoundError(f"{escape_unprintable(path)} names no check {name!a}{hint}")
    return [one for one in found if not names or one.name in names]


def _round(context: Context, check: HealthCheck, memory: CheckMemory, *, dry_run: bool) -> Round:
    checker = Checker(context.book(), context.holder(), check, memory.of(check.name), dry_run=dry_run)

    async def work() -> list[Finding]:
        findings = await checker.round()
        if any(one.changed for one in findings):
            memory.save()
        return findings

    return work


def _once(context: Context, rounds: dict[str, Round], *, tells_health: bool) -> int:
    found: list[Finding] = []

    async def work() -> None:
        for begin in rounds.values():
            found.extend(await begin())

    code = _run(work())
    lines = [_line(one) for one in found]
    context.answer({"findings": [finding_json(one) for one in found]}, "\n".join(lines) or "no resource to check")
    is_ill = tells_health and any(one.health != Health.OK.value or one.found is Found.FAILED for one in found)
    return code or int(is_ill or any(one.found is Found.UNKNOWN for one in found))


def _watch(context: Context, checks: list[HealthCheck], rounds: dict[str, Round], limit: float | None) -> int:
    said: dict[tuple[str, str], tuple[str, str]] = {}

    def told(findings: list[Finding]) -> None:
        for one in findings:
            new = (one.found.value, one.health)
            if said.get((one.check, one.resource)) != new:
                said[one.check, one.resource] = new
                context.answer(finding_json(one), _line(one))
        sys.stdout.flush()

    async def work() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                every = {one.name: one.every_us for one in checks}
                await follow({name: _surviving(context, begin) for name, begin in rounds.items()}, every, told)

    return _run(work())


def _surviving(context: Context, begin: Round) -> Round:
    """Return rounds that go on when the book cannot be reached for a while."""

    async def work() -> list[Finding]:
        try:
            return await begin()
        except UnavailableError as error:
            context.warn(f"{error}; the next round tries again")
            return []

    return work


def _run(work: Awaitable[None]) -> int:
    async def until_told() -> int:
        task = asyncio.ensure_future(work)
        with SignalsOfLoop(asyncio.get_running_loop(), lambda _: task.cancel(), task.cancel) as signals:
            await asyncio.wait({task})
        if not task.cancelled():
            task.result()
        return signals.exit_code or 0

    try:
        return asyncio.run(until_told())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _line(of: Finding) -> str:
    note = of.note or of.text
    why = f" ({note})" if note and (of.found is not Found.WELL or of.health != "ok") else ""
    what = of.health if of.found in (Found.WELL, Found.FAILED) else f"{of.found.value}, {of.health} as before"
    if of.found is Found.FAILED and of.health == "ok":
        what = "failed; nothing was marked"
    return escape_unprintable(f"{of.check}  {of.resource}: {what}{why}")
