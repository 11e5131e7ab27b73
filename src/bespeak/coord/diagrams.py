"""Diagrams of claims, forecasts, merges and symbols, as text for Graphviz (DOT) or Mermaid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.base.display import escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Mapping

DOT, MERMAID = "dot", "mermaid"


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line from one box to another.

    Args:
        start: the key of the box it starts from.
        end: the key of the box it leads to.
        label: what is written beside it; empty for nothing.
        dashed: it is not certain.
    """

    start: str
    end: str
    label: str = ""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes and the arrows between them, in the order in which they are written.

    Args:
        name: of the graph, one word.
        boxes: the label of each box, by key; a key that is an identifier is written as the name of the box.
        arrows: between the boxes.
        dashed: the keys of boxes that stand for something unknown.
    """

    name: str
    boxes: Mapping[str, str]
    arrows: tuple[Arrow, ...]
    dashed: frozenset[str] = frozenset()


def render(diagram: Diagram, language: str) -> str:
    """Return a diagram in ``dot`` or ``mermaid``."""
    return _dot(diagram) if language == DOT else _mermaid(diagram)


def _dot(diagram: Diagram) -> str:
    names = {key: key if key.isidentifier() else f'"{_dot_text(key)}"' for key in diagram.boxes}
    lines = [f"digraph {diagram.name} {{", "  rankdir=LR;", "  node [shape=box];"]
    for key, label in diagram.boxes.items():
        style = ", style=dashed" if key in diagram.dashed else ""
        lines.append(f'  {names[key]} [label="{_dot_text(label)}"{style}];')
    for arrow in diagram.arrows:
        facts = [f'label="{_dot_text(arrow.label)}"'] if arrow.label else []
        facts += ["style=dashed"] if arrow.dashed else []
        attributes = f" [{', '.join(facts)}]" if facts else ""
        lines.append(f"  {names[arrow.start]} -> {names[arrow.end]}{attributes};")
    return "\n".join([*lines, "}"])


def _mermaid(diagram: Diagram) -> str:
    names = {key: key if key.isidentifier() else f"n{number}" for number, key in enumerate(diagram.boxes)}
    lines = ["graph LR"]
    lines += [f'  {names[key]}["{_mermaid_text(label)}"]' for key, label in diagram.boxes.items()]
    for arrow in diagram.arrows:
        line = "-.->" if arrow.dashed else "-->"
        label = f'|"{_mermaid_text(arrow.label)}"|' if arrow.label else ""
        lines.append(f"  {names[arrow.start]} {line}{label} {names[arrow.end]}")
    return "\n".join(lines)


def _dot_text(text: str) -> str:
    return escape_unprintable(text).replace("\\", "\\\\").replace('"', '\\"')


def _mermaid_text(text: str) -> str:
    escaped = escape_unprintable(text).replace("#", "#35;").replace('"', "#quot;")
    return escaped.replace("<", "#lt;").replace(">", "#gt;").replace("`", "#96;")
