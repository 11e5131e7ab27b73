"""A forecast as a picture: addresses, who claims them, and what stands between them."""

from __future__ import annotations

from itertools import pairwise

from bespeak.coord.drawing import dot_text, mermaid_text
from bespeak.coord.forecast.model import BLAST, OPERATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.coord.forecast.model import Forecast, Predicted

_RUNS_SHOWN = 3


class _Drawing:
    """The boxes and lines of a picture, in order."""

    def __init__(self, forecast: Forecast) -> None:
        self.runs: dict[str, dict[str, None]] = {}
        self.lines: list[tuple[str, str, str]] = []
        for conflict in forecast.conflicts:
            for claim in conflict.claims:
                self._box(claim.address)[claim.run_id] = None
            self._connect(conflict)

    def _box(self, address: str) -> dict[str, None]:
        return self.runs.setdefault(address, {})

    def _connect(self, of: Predicted) -> None:
        self._box(of.address)
        self._box(of.other_address)
        label = f"{of.kind} {of.confidence:.2f}"
        if of.kind == OPERATION and of.operations is not None:
            label += ": " + ", ".join(operation or "claim" for operation in of.operations)
        if of.kind != BLAST:
            self.lines.append((of.address, of.other_address, label))
            return
        # From what is changed to who feels it, through every caller between them.
        stops = [of.address, *(edge.caller for edge in reversed(of.chain[1:])), of.other_address]
        for start, end in pairwise(stops):
            self._box(end)
            self.lines.append((start, end, label if end == of.other_address else "called by"))

    @property
    def boxes(self) -> dict[str, str]:
        """The label of each address."""
        found = {}
        for address, runs in self.runs.items():
            named = ", ".join(list(runs)[:_RUNS_SHOWN]) + (", ..." if len(runs) > _RUNS_SHOWN else "")
            found[address] = f"{address} ({named})" if runs else address
        return found


def dot(forecast: Forecast, readable: Callable[[str], str]) -> str:
    """Return the forecast in the language of Graphviz.

    Args:
        forecast: the forecast.
        readable: makes a text safe to print.
    """
    drawing = _Drawing(forecast)
    names = {address: f"n{number}" for number, address in enumerate(drawing.boxes)}
    lines = ["digraph forecast {", "  rankdir=LR;"]
    lines += [f'  {names[address]} [label="{dot_text(readable(label))}"];' for address, label in drawing.boxes.items()]
    lines += [
        f'  {names[start]} -> {names[end]} [label="{dot_text(label)}"];'
        for start, end, label in dict.fromkeys(drawing.lines)
    ]
    return "\n".join([*lines, "}"])


def mermaid(forecast: Forecast, readable: Callable[[str], str]) -> str:
    """Return the forecast in the language of Mermaid.

    Args:
        forecast: the forecast.
        readable: makes a text safe to print.
    """
    drawing = _Drawing(forecast)
    names = {address: f"n{number}" for number, address in enumerate(drawing.boxes)}
    lines = ["graph LR"]
    lines += [f'  {names[address]}["{mermaid_text(readable(label))}"]' for address, label in drawing.boxes.items()]
    lines += [
        f'  {names[start]} -->|"{mermaid_text(label)}"| {names[end]}'
        for start, end, label in dict.fromkeys(drawing.lines)
    ]
    return "\n".join(lines)
