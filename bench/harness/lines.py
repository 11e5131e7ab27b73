"""Results: one line a comparison, with a verdict where a bar was set, as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class Verdict(Enum):
    """Whether the bar was reached."""

    MEETS = "meets"
    SHORT = "falls short"
    NO_BAR = ""
    FAILED = "not measured"


@dataclass(frozen=True, slots=True)
class Bar:
    """What is asked for.

    Args:
        limit: the number.
        at_least: more is better; otherwise less is.
        of_ratio: the ratio to the peer is judged, otherwise bespeak's own value.
        unit: of the limit, for people.
    """

    limit: float
    at_least: bool = False
    of_ratio: bool = False
    unit: str = ""

    @property
    def text(self) -> str:
        """The bar for people."""
        return f"{'>=' if self.at_least else '<='} {number(self.limit)}{'x' if self.of_ratio else ' ' + self.unit}"

    def reached(self, value: float) -> bool:
        """Tell whether ``value`` reaches it."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison.

    Args:
        what: what was done.
        ours: what bespeak took or reached; None where it could not be measured.
        unit: of both values.
        against: who or what it is compared with; empty for nothing.
        theirs: what that took or reached.
        times: how the ratio reads: ``faster`` and ``less`` are theirs over ours (a peer), ``slower`` and ``more`` ours
            over theirs (a floor, or a peer where more is better).
        bar: what is asked for.
        note: what a reader must know.
        detail: further figures, for the JSON.
    """

    what: str
    ours: float | None
    unit: str
    against: str = ""
    theirs: float | None = None
    times: str = "faster"
    bar: Bar | None = None
    note: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times."""
        if not self.ours or not self.theirs:
            return None
        return self.theirs / self.ours if self.times in ("faster", "less") else self.ours / self.theirs

    @property
    def verdict(self) -> Verdict:
        """Whether the bar was reached."""
        if self.bar is None:
            return Verdict.NO_BAR
        value = self.ratio if self.bar.of_ratio else self.ours
        if value is None:
            return Verdict.FAILED
        return Verdict.MEETS if self.bar.reached(value) else Verdict.SHORT

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """The line for a table."""
        against = self.against
        if self.theirs is not None:
            against = f"{self.against} {number(self.theirs)} {self.unit}"
        ratio = "" if self.ratio is None else f"{number(self.ratio)}x {self.times}"
        what = f"{self.what} ({self.note})" if self.note else self.what
        ours = "-" if self.ours is None else f"{number(self.ours)} {self.unit}"
        return what, ours, against, ratio, self.bar.text if self.bar else "", self.verdict.value

    def json(self) -> dict[str, Any]:
        """The line for programs."""
        return asdict(self) | {
            "ratio": self.ratio,
            "bar": self.bar.text if self.bar else None,
            "verdict": self.verdict.value or None,
        }


HEADINGS = ("what", "bespeak", "compared with", "ratio", "bar", "verdict")


def number(value: float) -> str:
    """Return a number with about three digits that mean something."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:.{digits}f}"


def table(lines: Sequence[Line]) -> str:
    """Return the lines as a Markdown table whose columns line up in a terminal too."""
    rows = [HEADINGS, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    text.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(text)
