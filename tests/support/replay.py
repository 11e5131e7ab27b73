"""Rebuilding the book from its log alone, and looking for broken promises straight in its tables.

Nothing of the book's own code decides here, so a mistake in it cannot hide itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

FOREVER = 2**62
YEAR_10000 = 253_402_300_800_000_000
FACTS = (
    *("number", "holder", "acting", "mode", "starts_us", "ends_us", "created_us", "purpose", "tags", "priority"),
    *("waiting", "rank", "wanted_us", "not_before_us", "keepalive_us", "open_end"),
    *("host", "process", "check_in_us", "selection", "approval"),
)
ALWAYS = ("capacity", "declared", "description")
RESOURCE_FACTS = (
    *ALWAYS,
    *("labels", "owner", "contact", "link", "location", "seats", "group_names", "cooldown_us", "hours"),
    *("check_in_us", "health", "health_note", "approval"),
)
LATER_FACTS = {"host": "", "process": "", "check_in_us": None, "approval": ""}
"""Facts that logs of early versions do not have, and what they were then."""

COLUMN_OF_FACT = {"number": "fencing_token", "acting": "requested_by", "ended_why": "end_reason"}
"""Facts that the log has always called otherwise than the table does."""

GRANTS = ("reserved", "granted", "approval_asked")
ENDS = ("released", "cancelled", "kicked", "lapsed", "no_show", "refused", "unanswered")
STORED_AS = {("cancelled", "refused"): "refused", ("no_show", "asked"): "unanswered"}
"""Reasons that the first tables did not know: how one is stored, and what is said of the approval."""


@dataclass
class Rebuilt:
    """What the log says the book must be."""

    reservations: dict[str, dict[str, Any]] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    closed: list[tuple[str, int, int, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What cannot have happened in this order."""

    def apply(
        self,
        seq: int,
        action: str,
        identifier: str | None,
        names: list[str],
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> None:
        """Apply one row of the log."""
        if action in {"resource_set", "resource_removed", "closed", "opened"}:
            self._apply_to_resource(action, names[0], before, after)
        elif action == "policy_changed":
            self.policy.update(after)
            self.policy = {name: value for name, value in self.policy.items() if name in after or name not in before}
        elif action in {"pruned", "restored", "relocated"}:
            pass  # of the book as a whole
        elif identifier is None and not names:
            pass  # a sign-in, a token, a right
        elif action in {"reserved", "queued", "approval_asked"}:
            if identifier in self.reservations:
                self.wrong.append(f"log {seq}: {identifier} is made twice")
            ended = {"ended_us": None, "ended_why": None, "ended_note": ""}
            self.reservations[str(identifier)] = {
                "open_end": False,
                "selection": None,
                "resources": names,
                **after,
                **ended,
            }
        else:
            self._change(seq, action, str(identifier), after)
        if action in GRANTS or (action == "moved" and "resources" in after):
            for name in names:
                self.resources.setdefault(name, {"capacity": 1, "declared": False, "description": ""})

    def _apply_to_resource(self, action: str, name: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        if action == "resource_set":
            self.resources[name] = dict(after)
        elif action == "resource_removed":
            self.resources.pop(name, None)
        elif action == "closed":
            self.closed.append((name, after["starts_us"], after["ends_us"], after["reason"]))
        else:
            self.closed.remove((name, before["starts_us"], before["ends_us"], before["reason"]))

    def _change(self, seq: int, action: str, identifier: str, after: dict[str, Any]) -> None:
        found = self.reservations.get(identifier)
        if found is None:
            self.wrong.append(f"log {seq}: {action} of {identifier}, which was never made")
            return
        if found["ended_us"] is not None:
            self.wrong.append(f"log {seq}: {action} of {identifier}, which had ended")
        found |= {name: fact for name, fact in after.items() if name != "reason"}
        if action in ENDS:
            found["waiting"] = False


def rebuild(rows: list[tuple[Any, ...]]) -> Rebuilt:
    """Return the book that the rows (seq, action, reservation, resources, before, after) of the log lead to."""
    book = Rebuilt()
    for seq, action, identifier, names, before, after in rows:
        book.apply(seq, action, identifier, json.loads(names), json.loads(before), json.loads(after))
    return book


def compare(tx: Any) -> list[str]:
    """Return where the book differs from what its log says; empty when the log explains all of it.

    Only the next sign of life (``lease_us``) is not in the log.
    """
    book = rebuild(
        tx.fetch_all("SELECT seq, action, reservation, resources, before, after FROM ledger_log ORDER BY seq")
    )
    wrong = list(book.wrong)
    present = {row["id"]: row for row in reservations(tx)}
    wrong += [f"{identifier} is in one of table and log" for identifier in present.keys() ^ book.reservations.keys()]
    for identifier in present.keys() & book.reservations.keys():
        said, is_ = book.reservations[identifier], present[identifier]
        wrong += [
            f"{identifier}: {name} is {is_[name]!r}, the log says {said[name]!r}"
            for name in (*FACTS, "resources", "ended_us", "ended_why", "ended_note")
            if said.get(name, LATER_FACTS.get(name)) != is_[name]
        ]
    known = resources(tx)
    sql = "SELECT resource, starts_us, ends_us, reason FROM ledger_closures WHERE kind = 'maintenance'"
    closed = tx.fetch_all(sql)
    if sorted(map(tuple, closed)) != sorted(book.closed):
        wrong.append(f"closed are {closed}, the log says {book.closed}")
    policy = {name: json.loads(value) for name, value in tx.fetch_all("SELECT name, value FROM ledger_policy")}
    if policy != book.policy:
        wrong.append(f"the policy is {policy}, the log says {book.policy}")
    if known != book.resources:
        wrong.append(f"resources are {known}, the log says {book.resources}")
    return wrong


def resources(tx: Any) -> dict[str, dict[str, Any]]:
    """Return what is declared about each resource: seats, whether it is declared, and what is not as usual."""
    found = {}
    for name, *values in tx.fetch_all(f"SELECT name, {', '.join(RESOURCE_FACTS)} FROM ledger_resources"):
        row = dict(zip(RESOURCE_FACTS, values, strict=True))
        row |= {key: json.loads(row[key]) for key in ("labels", "seats", "group_names")}
        row["approval"] = row["approval"] and (json.loads(row["approval"]) or True)
        row["declared"] = bool(row["declared"])
        row["parts"] = [
            part
            for (part,) in tx.fetch_all(
                "SELECT part FROM ledger_parts WHERE whole = :name ORDER BY part", {"name": name}
            )
        ]
        found[name] = {key: value for key, value in row.items() if key in ALWAYS or (value and value != "ok")}
    return found


def reservations(tx: Any) -> list[dict[str, Any]]:
    """Return every row of the table of reservations, by column; the window of a waiter is the promised one."""
    columns = ("seq", "id", *FACTS, "resources", "ended_us", "ended_why", "ended_note", "lease_us")
    stored = ", ".join(COLUMN_OF_FACT.get(name, name) for name in columns)
    found = []
    for values in tx.fetch_all(f"SELECT {stored} FROM ledger_reservations ORDER BY seq"):
        row = dict(zip(columns, values, strict=True))
        row |= {"resources": json.loads(row["resources"]), "tags": json.loads(row["tags"])}
        row["selection"] = None if row["selection"] is None else json.loads(row["selection"])
        row["waiting"], row["open_end"] = bool(row["waiting"]), bool(row["open_end"])
        row["ended_why"] = STORED_AS.get((row["ended_why"], row["approval"]), row["ended_why"])
        if row["number"] is None:
            ends_us = row["starts_us"] + row["wanted_us"]
            row["ends_us"] = ends_us if ends_us < YEAR_10000 else FOREVER
        found.append(row)
    return found


def broken(tx: Any) -> list[str]:
    """Return which of the book's promises its tables break; empty when none."""
    every = reservations(tx)
    taken = tx.fetch_all("SELECT resource, starts_us, ends_us, reservation FROM ledger_bookings")
    line = tx.fetch_all("SELECT resource, rank, reservation FROM ledger_queue")
    return [*_parts(every, taken, line), *_overfull(tx, every, taken), *_numbers(tx)]


def _parts(every: list[dict[str, Any]], taken: list[tuple[Any, ...]], line: list[tuple[Any, ...]]) -> list[str]:
    """All or none: what lives has each of its bookings, what waits each of its places, and nothing else has any."""
    want_taken, want_line = set(), set()
    for row in every:
        if row["ended_us"] is not None:
            continue
        for name in row["resources"]:
            if row["waiting"] and row["approval"] != "asked":
                want_line.add((name, row["rank"], row["seq"]))
            else:
                want_taken.add((name, row["starts_us"], row["ends_us"], row["seq"]))
    wrong = [f"booking {entry}" for entry in want_taken.symmetric_difference(taken)]
    return wrong + [f"queue position {entry}" for entry in want_line.symmetric_difference(line)]


def _overfull(tx: Any, every: list[dict[str, Any]], taken: list[tuple[Any, ...]]) -> list[str]:
    """Seats: at no moment from now on more exclusive holders than seats, or an exclusive one and a sharer."""
    mode = {row["seq"]: row["mode"] for row in every}
    capacity = dict(tx.fetch_all("SELECT name, capacity FROM ledger_resources"))
    wrong = []
    by_resource = defaultdict(list)
    for name, starts_us, ends_us, seq in taken:
        if ends_us > tx.now_us:
            by_resource[name].append((max(starts_us, tx.now_us), ends_us, mode[seq]))
    for name, windows in by_resource.items():
        for moment in {starts_us for starts_us, _, _ in windows}:
            there = [kind for starts_us, ends_us, kind in windows if starts_us <= moment < ends_us]
            alone = there.count("exclusive")
            if alone > capacity[name] or (alone and alone < len(there)):
                wrong.append(f"{name} at {moment}: {there}, {capacity[name]} seats")
    return wrong


def _numbers(tx: Any) -> list[str]:
    """Fencing: of two grants of a resource, the later has the greater number."""
    last: dict[str, int] = {}
    wrong = []
    rows = tx.fetch_all("SELECT resources, after FROM ledger_log WHERE action IN ('reserved', 'granted') ORDER BY seq")
    for names, after in rows:
        number = json.loads(after)["number"]
        for name in json.loads(names):
            if number <= last.get(name, 0):
                wrong.append(f"{name}: number {number} after {last[name]}")
            last[name] = number
    return wrong
