"""The report of a self-test: what a lab can keep, or send to somebody. It has no secrets and no names of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bespeak import __version__
from bespeak.base.clock import SECOND_US, iso
from bespeak.base.display import escape_unprintable
from bespeak.lifecycle.model import spent_text
from bespeak.lifecycle.selftest import REFUSED_LOGIN, SelfTest

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.lifecycle.model import Outcome

_KEPT = ("model", "version", "cipher_suite", "privilege", "off_type", "cycle_type", "timeout", "cycle_delay")
"""Settings that say how a device was spoken to, and none of which is a secret."""


def report_json(test: SelfTest, outcome: Outcome, host: Host) -> dict[str, Any]:
    """Return the report for programs.

    Args:
        test: the trial.
        outcome: how it ended.
        host: what was tried.
    """
    return {
        "bespeak": __version__,
        "host": host.id,
        "ok": outcome.ok,
        "text": outcome.text,
        "started": iso(outcome.started_us) if outcome.started_us else None,
        "duration_us": outcome.duration_us,
        "devices": _devices(host),
        "operations": [
            {
                "operation": one.name,
                "result": one.result.value,
                "state": one.state,
                "duration_us": one.duration_us,
                "text": one.text,
            }
            for one in test.operations
        ],
        "wrong_password": REFUSED_LOGIN,
        "before": None if test.found is None else test.found.value,
        "after": outcome.after,
        "refused": outcome.refused,
        "interrupted": outcome.interrupted,
        "left_off": outcome.left_off,
    }


def report_markdown(report: dict[str, Any]) -> str:
    """Return the report for people, in Markdown."""
    ends = f"Before: {report['before'] or 'unknown'}. After: {report['after'] or 'unknown'}."
    lines = [
        f"# Power of {_cell(report['host'])}",
        "",
        f"{report['started'] or 'not begun'}, bespeak {report['bespeak']}, {spent_text(report['duration_us'])}. {ends}",
        "",
        f"**{'Everything that is offered works.' if report['ok'] else _cell('; '.join(report['text'].splitlines()))}**",
        "",
        "| operation | result | state | time | said |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in report["operations"]:
        spent = f"{one['duration_us'] / SECOND_US:.2f} s" if one["duration_us"] else "-"
        cells = (one["operation"], one["result"], one["state"] or "?", spent, _cell(one["text"]))
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"| a wrong password | {report['wrong_password']} | | | |", ""]
    for device in report["devices"]:
        lines.append("- " + ", ".join(f"{name}: {_cell(str(value))}" for name, value in device.items()))
    return "\n".join(lines) + "\n"


def _devices(host: Host) -> list[dict[str, Any]]:
    control: Any = host.power_control
    found = []
    for each in getattr(control, "controllers", (control,)):
        if each is not None:
            kept = {name: getattr(each, name) for name in _KEPT if getattr(each, name, None) is not None}
            found.append({"type": each.type_name, "place": str(getattr(each, "place", each.type_name)), **kept})
    return found


def _cell(text: str) -> str:
    """Return ``text`` for a cell of a table."""
    shown = escape_unprintable(" ".join(text.split()))
    for sign in "\\`*_|<>[]":
        shown = shown.replace(sign, "\\" + sign)
    return shown
