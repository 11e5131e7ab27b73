"""The gate as a tool: may this user touch this lab now?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from bespeak.base.errors import UsageError
from bespeak.mcp import ledger_schemas as shapes
from bespeak.mcp.arguments import Arguments, Texts
from bespeak.mcp.tool import Tool, in_thread
from bespeak.reservations.report import GateReport, missing_resources, report_json

if TYPE_CHECKING:
    from bespeak.ledger.model import Reservation
    from bespeak.mcp.tool import Call, Json


class GateCheck(Arguments):
    """Arguments of ``gate_check``."""

    labs: Annotated[Texts, Field(description="Names of labs. Default: those of the server, else BESPEAK_LAB.")] = []
    user: Annotated[str | None, Field(description="Whose reservations count. Default: you.")] = None


def gate_check(call: Call, asked: GateCheck) -> Json:
    """Ask the gate; it always really asks."""
    from pathlib import Path

    from bespeak.labs import lab_names, open_labs
    from bespeak.reservations.evaluation import evaluate
    from bespeak.reservations.factory import build_reservation_state
    from bespeak.settings import load_settings

    names = lab_names(asked.labs or call.setup.labs)
    if not names:
        raise UsageError("labs has to be given, or --lab or BESPEAK_LAB where the server is started")
    settings = load_settings(call.home)
    lab = open_labs(settings).load(names)
    state = build_reservation_state(
        list(settings.repos),
        as_user=asked.user or call.setup.as_user,
        skip_reservation_check=False,
        cwd_fallback=Path(call.home),
        ledger=call.setup.ledger,
        default_backend=settings.default_backend,
    )
    try:
        report = evaluate(state, lab)
        if asked.user is None and call.setup.as_user is None and call.process is not None:
            report = _without_others(report, state.backend, call.process)
        return _told(report) | {"free": _free(report, state.backend)}
    finally:
        close = getattr(state.backend, "close", None)
        if callable(close):
            close()


def _without_others(report: GateReport, backend: Any, process: str) -> GateReport:
    """Count as missing what the account holds for another agent, or for a command that runs: agents share accounts.

    Args:
        report: what the account holds.
        backend: who was asked; only bespeak's own book knows processes.
        process: how the book calls whoever calls.
    """
    url = getattr(backend, "url", None)
    if report.within is not None or not report.held or report.backend != "ledger" or url is None:
        return report
    usable = _usable(_own_holds(url, report), process)
    others = {
        name: [one for one in backend.holder_ends(name) if one[0] == report.username]
        for name in report.held
        if name not in usable
    }
    if not others:
        return report
    more = missing_resources(others, backend.next_free(list(others)), backend.users_of(list(others)))
    return GateReport(
        report.lab,
        report.username,
        report.required,
        held=tuple(name for name in report.held if name in usable),
        missing=tuple(sorted((*report.missing, *more), key=lambda each: each.resource)),
        backend=report.backend,
        decided_by=report.decided_by,
        book=report.book,
    )


def _own_holds(url: str, report: GateReport) -> list[Reservation]:
    """Return what the account of a report holds now of what it asked for."""
    from bespeak.ledger import open_ledger
    from bespeak.ledger.model import State

    with open_ledger(url, create=False) as book:
        return book.reservations(holder=report.username, resources=report.held, states=[State.ACTIVE])


def _usable(holds: list[Reservation], process: str) -> set[str]:
    """Return what is held by no process, or by this one: processes are compared as the book has them, whole."""
    return {name for hold in holds if hold.origin.process in ("", process) for name in hold.resources}


def _told(report: GateReport) -> Json:
    """Return the report without the last signs of life: the list of tools has no room for what it would say of them."""
    told = report_json(report)
    for missing in told["missing"]:
        for holder in missing["holders"]:
            del holder["seen"]
    return told


def _free(report: GateReport, backend: Any) -> list[Json]:
    """Return the first free windows of what is missing, where the book of bespeak is what the gate asks."""
    url = getattr(backend, "url", None)
    if not report.missing or report.backend != "ledger" or url is None:
        return []
    from bespeak.ledger import open_ledger
    from bespeak.ledger.serialize import free_json

    with open_ledger(url, create=False) as book:
        return [free_json(one) for one in book.free([each.resource for each in report.missing])]


TOOLS = (
    Tool(
        "gate_check",
        "May I use this lab",
        "Say whether you, and no other agent of yours, hold all a lab needs; if not, who does, until when, and "
        "when it is free. "
        "Call it before you touch a lab.",
        GateCheck,
        shapes.GateAnswer,
        in_thread(gate_check),
        read_only=True,
    ),
)
