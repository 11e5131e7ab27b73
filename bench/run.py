"""Measure bespeak and its peers in one run, and say of each bar whether it was reached.

python bench/run.py                  everything (about a quarter of an hour)
python bench/run.py --quick          smaller books, fewer samples (about a minute)
python bench/run.py --only gate,cli  some groups
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
    "gate": "the gate in process",
    "book": "reserve and release in process, durable",
    "clients": "sixteen processes at once, on both engines",
    "handover": "release until a waiter has it, on both engines",
    "forecast": "when is it free next",
    "json": "the JSON backend",
    "cli": "the command line, whole processes",
}
_MODULES = {"json": "jsonfile"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the groups asked for; exit code 1 if one of them could not be measured."""
    options = _options(argv)
    if options.list:
        for name, text in GROUPS.items():
            print(f"{name:10} {text}")
        return 0
    bench = Bench(quick=options.quick)
    facts = machine.facts(bench.folder)
    kind = "quick run: smaller books, fewer samples" if options.quick else "full run"
    print("\n".join([f"## Benchmarks ({kind})", "", *(f"- {text}" for text in (*machine.CAVEATS, *facts)), ""]))
    results: dict[str, list[Line]] = {}
    failed: dict[str, str] = {}
    try:
        for name in options.only:
            _group(bench, name, results, failed)
    finally:
        bench.close()
    _conclude(results, failed)
    if options.json:
        _write_json(options.json, kind, facts, results, failed)
    return 1 if failed else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure bespeak and its peers in one run.")
    parser.add_argument("--quick", action="store_true", help="smaller books, fewer samples")
    parser.add_argument("--list", action="store_true", help="list the groups and exit")
    parser.add_argument("--only", type=_groups, default=tuple(GROUPS), metavar="GROUP,...", help="only these groups")
    parser.add_argument("--json", metavar="FILE", help="write the results for programs too")
    return parser.parse_args(argv)


def _groups(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in GROUPS:
            raise argparse.ArgumentTypeError(f"there is no group {name!r}; known: {', '.join(GROUPS)}")
    return names


def _group(bench: Bench, name: str, results: dict[str, list[Line]], failed: dict[str, str]) -> None:
    started = time.monotonic()
    lines: list[Line] = []
    try:
        lines.extend(import_module(f"rows.{_MODULES.get(name, name)}").measure(bench))
    except Exception as error:  # noqa: BLE001 - one group that fails must not take the others with it
        failed[name] = f"{type(error).__name__}: {error}"
        traceback.print_exc()
    results[name] = lines
    took = f"{time.monotonic() - started:.0f} s, load average {os.getloadavg()[0]:.1f}"
    print(f"### {GROUPS[name]} ({took})\n\n{table(lines)}\n", flush=True)


def _conclude(results: dict[str, list[Line]], failed: dict[str, str]) -> None:
    lines = [line for group in results.values() for line in group]
    met = [line for line in lines if line.verdict is Verdict.MEETS]
    short = [line for line in lines if line.verdict in (Verdict.SHORT, Verdict.FAILED)]
    print(f"{len(met)} of {len(met) + len(short)} comparisons with a bar reach it.")
    for line in short:
        what, ours, against, ratio, bar, verdict = line.cells()
        print(f"- {verdict}: {what}: {ours}{f' ({ratio} than {against})' if ratio else ''}, bar {bar}")
    for name, reason in failed.items():
        print(f"- not measured: {name}: {reason}")


def _write_json(path: str, kind: str, facts: list[str], results: dict[str, list[Line]], failed: dict[str, str]) -> None:
    document = {
        "kind": kind,
        "caveats": list(machine.CAVEATS),
        "machine": facts,
        "groups": {name: [line.json() for line in lines] for name, lines in results.items()},
        "not_measured": failed,
    }
    with open(path, "w") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    raise SystemExit(main())
