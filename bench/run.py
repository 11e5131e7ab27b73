"""Measure bespeak and its peers in one run, and say of each bar whether it was reached.

python bench/run.py                  everything (about a quarter of an hour)
python bench/run.py --quick          smaller books, fewer samples (about three minutes)
python bench/run.py --only gate,cli  some groups
python bench/run.py --only plans --repos DIR   conflicts planted in the clones in DIR, and their merges replayed
python bench/run.py --list           the groups
python bench/run.py --json FILE      the results for programs as well
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from importlib import import_module
from typing import TYPE_CHECKING

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import machine
from harness.bench import Bench
from harness.lines import Line, Verdict, table

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUPS = {
    "gate": ("rows.gate", "the gate in process"),
    "book": ("rows.book", "reserve and release in process, durable"),
    "clients": ("rows.clients", "sixteen processes at once, on both engines"),
    "crowd": ("rows.crowd", "a line in which thousands wait, and when each of a thousand resources is free"),
    "server": ("rows.server", "reservations over HTTP, on both engines, and the page now"),
    "handover": ("rows.handover", "release until a waiter has it, on both engines"),
    "forecast": ("rows.forecast", "when is it free next"),
    "json": ("rows.jsonfile", "the JSON backend"),
    "cli": ("rows.cli", "the command line, whole processes"),
    "symbols": ("rows.symbols", "the symbol index and the call graph"),
    "merge": ("rows.merge", "plans of merges against what git does"),
    "plans": ("rows.plans", "plans of merges: conflicts planted in real code, and real histories (--repos)"),
    "runner": ("rows.runner", "the embedded runner"),
    "power": ("rows.power", "two hundred hosts at once"),
    "coord": ("rows.coord", "claims, among a hundred thousand others"),
    "jobs": ("jobs", "dispatching jobs"),
}
"""Each group's module, which has ``measure(bench)``, and what it measures."""

START, END = "<!-- results: bench/run.py writes from here -->", "<!-- to here -->"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the groups asked for; exit code 1 if one of them could not be measured."""
    options = _options(argv)
    if options.list:
        for name, (_, text) in GROUPS.items():
            print(f"{name:10} {text}")
        return 0
    bench = Bench(quick=options.quick, repos=options.repos, merges=options.merges)
    run = Run("quick run: smaller books, fewer samples" if options.quick else "full run", machine.facts(bench.folder))
    print(run.head())
    try:
        for name in options.only:
            print(run.measure(bench, name), flush=True)
    finally:
        bench.close()
    print(run.conclusion())
    if options.json:
        with open(options.json, "w") as file:
            json.dump(run.json(), file, indent=1)
            file.write("\n")
    if options.docs:
        _write_into(options.docs, run)
    return 1 if run.failed else 0


class Run:
    """The results of one run, and how they are told.

    Args:
        kind: how thorough it was.
        facts: what the machine is.
    """

    def __init__(self, kind: str, facts: list[str]) -> None:
        self.kind = kind
        self.facts = facts
        self.lines: dict[str, list[Line]] = {}
        self.failed: dict[str, str] = {}
        self._sections: list[str] = []

    def head(self) -> str:
        """What a reader has to know before the figures."""
        caveats = [f"- {text}" for text in machine.CAVEATS]
        facts = [f"- {fact}" for fact in self.facts]
        parts = ["Before the figures:", "", *caveats, "", f"The machine, and this {self.kind}:", "", *facts, ""]
        return "\n".join(parts)

    def measure(self, bench: Bench, name: str) -> str:
        """Measure one group and return its section."""
        module, text = GROUPS[name]
        others = machine.OtherWork()
        started = time.monotonic()
        lines: list[Line] = []
        try:
            lines.extend(import_module(module).measure(bench))
        except Exception as error:  # noqa: BLE001 - one group that fails must not take the others with it
            self.failed[name] = f"{type(error).__name__}: {error}"
            traceback.print_exc()
        self.lines[name] = lines
        took = (
            f"Took {time.monotonic() - started:.0f} s; other work used {others.share():.0%} of the machine meanwhile."
        )
        self._sections.append(f"### {text[0].upper()}{text[1:]}\n\n{took}\n\n{table(lines)}\n")
        return self._sections[-1]

    def conclusion(self) -> str:
        """Which bars were not reached."""
        lines = [line for group in self.lines.values() for line in group]
        met = [line for line in lines if line.verdict is Verdict.MEETS]
        short = [line for line in lines if line.verdict in {Verdict.SHORT, Verdict.FAILED}]
        text = [f"{len(met)} of {len(met) + len(short)} comparisons with a bar reach it."]
        for line in short:
            what, ours, against, ratio, bar, verdict = line.cells()
            text.append(f"- {verdict}: {what}: {ours}{f', {ratio} than {against}' if ratio else ''}; the bar is {bar}")
        text += [f"- not measured: {name}: {reason}" for name, reason in self.failed.items()]
        if len(text) > 1:
            text.insert(1, "")
        return "\n".join(text)

    def page(self) -> str:
        """All of it as Markdown."""
        return "\n".join([self.head(), self.conclusion(), "", *self._sections])

    def json(self) -> dict[str, object]:
        """All of it for programs."""
        return {
            "kind": self.kind,
            "caveats": list(machine.CAVEATS),
            "machine": self.facts,
            "groups": {name: [line.json() for line in lines] for name, lines in self.lines.items()},
            "not_measured": self.failed,
        }


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure bespeak and its peers in one run.")
    parser.add_argument("--quick", action="store_true", help="smaller books, fewer samples")
    parser.add_argument("--list", action="store_true", help="list the groups and exit")
    parser.add_argument("--only", type=_groups, default=tuple(GROUPS), metavar="GROUP,...", help="only these groups")
    parser.add_argument("--repos", metavar="DIR", default="", help="group plans: replay the merges of the clones in it")
    parser.add_argument("--merges", metavar="N", type=int, default=40, help="of each clone, at most (default 40)")
    parser.add_argument("--json", metavar="FILE", help="write the results for programs too")
    parser.add_argument("--docs", metavar="FILE", help="write the results into this document, between its marks")
    return parser.parse_args(argv)


def _groups(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in GROUPS:
            raise argparse.ArgumentTypeError(f"there is no group {name!r}; known: {', '.join(GROUPS)}")
    return names


def _write_into(path: str, run: Run) -> None:
    """Put the results between the two marks of a document."""
    with open(path) as file:
        before, _, rest = file.read().partition(START)
    with open(path, "w") as file:
        file.write(f"{before}{START}\n\n{run.page()}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    raise SystemExit(main())
