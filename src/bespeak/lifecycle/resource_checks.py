"""Checking whether resources are well, by the commands that the settings name, and marking them in the book.

A verdict is one only if several attempts in a row agree. A check takes back its own word alone: what a person has
marked stays. What falls too often within a time stays out until a person marks it ok.
"""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from bespeak.base.clock import SECOND_US
from bespeak.base.errors import NotFoundError
from bespeak.host.local import run_program
from bespeak.ledger.inventory.name_patterns import matching
from bespeak.ledger.model import Health, State
from bespeak.settings.health_checks import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bespeak.ledger.inventory.model import Entry
    from bespeak.ledger.model import Holder
    from bespeak.ledger.service import Ledger
    from bespeak.settings.health_checks import HealthCheck

    Falls = dict[str, list[int]]
    """When each resource was taken out, µs UTC."""

AT_ONCE = 16
"""Commands of one check that run at the same time."""

COULD_NOT_TELL = 75
"""The exit code (EX_TEMPFAIL) with which a command says that it could not find out."""

_SAFE = re.compile(r"[A-Za-z0-9_./:@+,][A-Za-z0-9_./:@+,-]*")
"""What may stand in for a placeholder: names and labels come from the book, and must not become options or code."""

_SHOWN = 200


class Found(Enum):
    """What one look at a resource found."""

    WELL = "well"
    FAILED = "failed"
    UNSTEADY = "unsteady"
    """Attempts did not agree; the resource stays as it is."""
    UNKNOWN = "unknown"
    """The command could not tell, or could not be run; the resource stays as it is."""
    HELD = "held"
    """Somebody holds it, and may have switched it off; it was not looked at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says of one resource.

    Attributes:
        check: the check's name.
        resource: which one.
        found: what was found.
        health: what the book says of it then: ``ok``, ``sick`` or ``offline``.
        note: why, as the book has it.
        text: what the command said, in one line.
        changed: the book was changed.
    """

    check: str
    resource: str
    found: Found
    health: str
    note: str
    text: str
    changed: bool


def finding_json(of: Finding) -> dict[str, Any]:
    """Return a finding for programs."""
    return {
        "check": of.check,
        "resource": of.resource,
        "found": of.found.value,
        "health": of.health,
        "health_note": of.note,
        "text": of.text,
        "changed": of.changed,
    }


def filled(words: Sequence[str], entry: Entry) -> list[str]:
    """Return a command with its placeholders filled in for a resource.

    Raises:
        NotFoundError: the resource has no such label, or its value is not safe to hand to a command.
    """
    labels = dict(entry.properties.labels)

    def value(match: re.Match[str]) -> str:
        key = match[1].removeprefix("label.")
        if match[1] != "resource" and key not in labels:
            raise NotFoundError(f"it has no label {key!a}")
        text = entry.name if match[1] == "resource" else str(labels[key])
        if not _SAFE.fullmatch(text):
            raise NotFoundError(f"{text!a} is not handed to a command: letters, digits and _ . / : @ + , - only")
        return text

    return [PLACEHOLDER.sub(value, word) for word in words]


class Checker:
    """Carries out one check.

    Args:
        book: the open book.
        by: who marks.
        check: what to do.
        falls: when each resource was taken out before; kept up to date.
        dry_run: mark nothing.
    """

    def __init__(self, book: Ledger, by: Holder, check: HealthCheck, falls: Falls, *, dry_run: bool = False) -> None:
        self._book = book
        self._by = by
        self._check = check
        self._falls = falls
        self._dry_run = dry_run
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def round(self) -> list[Finding]:
        """Look at each resource once; return what was found, in their order.

        Raises:
            NotFoundError: the settings name a resource that the book does not know.
            NotAllowedError: whoever asks may not mark one.
        """
        entries = self._entries()
        held = set() if self._check.while_held or not entries else self._held([entry.name for entry in entries])
        free = [entry for entry in entries if entry.name not in held]
        looked = dict(zip(free, await asyncio.gather(*map(self._look, free)), strict=True))
        return [self._finding(entry, *looked.get(entry, (Found.HELD, ""))) for entry in entries]

    def _entries(self) -> list[Entry]:
        from bespeak.base.label_expression import parse

        known = matching(self._book.inventory(), self._check.resources)
        matches = parse(self._check.label) if self._check.label else None
        return [entry for entry in known if matches is None or matches(entry.facts)]

    def _held(self, names: Sequence[str]) -> set[str]:
        held = self._book.reservations(resources=names, states=[State.ACTIVE])
        return {name for one in held for name in one.resources}

    async def _look(self, entry: Entry) -> tuple[Found, str]:
        """Look until as many attempts agree as a change needs."""
        async with self._turns:
            found, text = await self._attempt(entry)
            is_well = entry.resource.health is Health.OK
            change = (Found.FAILED, self._check.fall) if is_well else (Found.WELL, self._check.rise)
            if found is not change[0]:
                return found, text
            for _ in range(change[1] - 1):
                await asyncio.sleep(self._check.pause_us / SECOND_US)
                found, text = await self._attempt(entry)
                if found is not change[0]:
                    return (found if found is Found.UNKNOWN else Found.UNSTEADY), text
            return found, text

    async def _attempt(self, entry: Entry) -> tuple[Found, str]:
        check = self._check
        try:
            words = filled(check.command, entry)
            status = await run_program(words, check.timeout_us / SECOND_US, check.folder, _environ(entry))
        except (OSError, NotFoundError) as error:
            return Found.UNKNOWN, _last_line(f"{check.command[0]}: {getattr(error, 'strerror', None) or error}")
        said = _last_line(status.output)
        if status.retcode == 0:
            return Found.WELL, said
        if status.retcode == COULD_NOT_TELL:
            return Found.UNKNOWN, said or "the command could not tell"
        if status.retcode == -1:
            return Found.FAILED, said
        ended = f"exit {status.retcode}" if status.retcode > 0 else f"signal {-status.retcode}"
        return Found.FAILED, f"{ended}: {said}" if said else ended

    def _finding(self, entry: Entry, found: Found, text: str) -> Finding:
        after = entry
        if found is Found.FAILED and entry.resource.health is Health.OK:
            after = self._take_out(entry, text)
        elif found is Found.WELL and entry.resource.health is not Health.OK:
            after = self._mark(entry, Health.OK.value)
        health, note = after.resource.health.value, after.properties.health_note
        changed = (health, note) != (entry.resource.health.value, entry.properties.health_note)
        return Finding(self._check.name, entry.name, found, health, note, text, changed)

    def _take_out(self, entry: Entry, text: str) -> Entry:
        check, now_us = self._check, self._book.now_us()
        before = [at_us for at_us in self._falls.get(entry.name, []) if at_us > now_us - check.within_us]
        if check.flaps and len(before) >= check.flaps:
            before = []  # a person has given it back since
        falls = [*before, now_us]
        stays = bool(check.flaps) and len(falls) >= check.flaps
        reason = f"{text} (taken out {len(falls)} times in a short time)" if stays and len(falls) > 1 else text
        marked = self._mark(entry, check.mark, reason, stays=stays)
        if not self._dry_run and marked.resource.health is not Health.OK:
            self._falls[entry.name] = falls
        return marked

    def _mark(self, entry: Entry, health: str, reason: str = "", *, stays: bool = False) -> Entry:
        if self._dry_run:
            return entry
        (marked,) = self._book.resource_mark(
            [entry.name], self._by, health=health, reason=reason, check=self._check.name, stays=stays
        )
        return marked


async def follow(
    rounds: Mapping[str, Callable[[], Any]], every_us: Mapping[str, int], told: Callable[[list[Finding]], None]
) -> None:
    """Carry out checks again and again until this is cancelled.

    Args:
        rounds: begins a round of a check, by its name.
        every_us: how long a check leaves its resources alone between two rounds, µs.
        told: called with the findings of each round.
    """

    async def repeat(name: str) -> None:
        while True:
            told(await rounds[name]())
            await asyncio.sleep(every_us[name] / SECOND_US)

    async with asyncio.TaskGroup() as tasks:
        for name in rounds:
            tasks.create_task(repeat(name))


def _environ(entry: Entry) -> dict[str, str]:
    found = {key: value for key, value in os.environ.items() if key != "BESPEAK_TOKEN"}
    return {**found, "BESPEAK_RESOURCE": entry.name}


def _last_line(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    last = "".join(char if char.isprintable() else "?" for char in lines[-1]) if lines else ""
    return last if len(last) <= _SHOWN else last[: _SHOWN - 3] + "..."
