"""A report as one HTML page: its table and a bar for each line, drawn in the page; nothing is loaded from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from bespeak.base.clock import duration_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.operations.report import Use

_WIDTH, _ROW, _LEFT, _RIGHT = 760, 24, 220, 110
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em}
table{border-collapse:collapse;width:100%}th,td{padding:.25em .6em;text-align:right;border-bottom:1px solid #ccc}
th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}text{font:13px system-ui,sans-serif}
rect{fill:#3b6ea5}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}text{fill:#ddd}rect{fill:#6ea3dc}}"""


def page(lines: Sequence[Use], title: str, headers: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Return the page.

    Args:
        lines: of the report.
        title: what it is about.
        headers: of the table.
        cells: the texts of the table.
    """
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in headers)
    rows = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in cells)
    used = [(line.name, line.used_us) for line in lines]
    waited = [(line.name, line.waited_us) for line in lines]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<h2>Use</h2>
{_bars(used, "Use")}
<h2>Waiting</h2>
{_bars(waited, "Waiting")}
<h2>Numbers</h2>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def _bars(values: Sequence[tuple[str, int]], what: str) -> str:
    """Return a bar for each value, µs, as an image."""
    most = max((value for _, value in values), default=0)
    if not most:
        return "<p>none</p>"
    room = _WIDTH - _LEFT - _RIGHT
    parts = []
    for number, (name, value) in enumerate(values):
        top, width = number * _ROW, value * room / most
        parts.append(
            f'<text x="{_LEFT - 8}" y="{top + 16}" text-anchor="end">{escape(name[:30])}</text>'
            f'<rect x="{_LEFT}" y="{top + 4}" width="{width:.1f}" height="{_ROW - 8}"/>'
            f'<text x="{_LEFT + width + 6:.1f}" y="{top + 16}">{duration_text(value) or "0s"}</text>'
        )
    size = f'viewBox="0 0 {_WIDTH} {len(values) * _ROW}" width="{_WIDTH}"'
    return f'<svg {size} role="img" aria-label="{escape(what)}">{"".join(parts)}</svg>'
