"""``reservation whoami|check``: what the gate thinks of the user. Exit codes are those of the documented contract."""

from __future__ import annotations

from bespeak.cli import gate
from bespeak.reservations.errors import ReservationBackendError
from bespeak.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values

_REFUSED = 1


def whoami(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print the user, where the name comes from, the backend and the lab."""
    from bespeak.reservations.prepare import load_state
    from bespeak.reservations.report import whoami as facts

    try:
        state = load_state(
            as_user=context.as_user, skip_reservation_check=context.skip_check, ledger=context.ledger_flag
        )
        found = facts(state, ",".join(context.labs) or None)
    except ReservationBackendError as error:
        return gate.unavailable(context, error, _REFUSED)
    lines = (f"{name + ':':<10}{'-' if value is None else safe(value)}" for name, value in found.items())
    context.answer(found, "\n".join(lines))
    return 0


def check(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print what the lab needs and whether the user holds it."""
    from bespeak.reservations.prepare import prepare_gate
    from bespeak.reservations.report import report_json

    try:
        prepared = prepare_gate(
            context.lab_option,
            as_user=context.as_user,
            skip_reservation_check=context.skip_check,
            ledger=context.ledger_flag,
        )
        report = prepared.report(even_if_skipped=True)
    except ReservationBackendError as error:
        return gate.unavailable(context, error, _REFUSED)
    if context.json and not report.allowed:
        return gate.refused(context, report, _REFUSED)
    needs = "".join(f"\n  - {safe(name)}" for name in report.required) or " nothing"
    decided = f" (decided by {safe(report.decided_by)})" if report.decided_by else ""
    facts = f"Lab {report.lab!a} requires:{needs}\nBackend: {safe(report.backend)}{decided}"
    if not report.allowed:
        context.print(facts)
        return gate.refused(context, report, _REFUSED)
    context.answer(report_json(report), f"{facts}\n{report.text}")
    return 0 if report.checked else _REFUSED
