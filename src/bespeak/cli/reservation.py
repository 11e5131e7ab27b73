"""``reservation whoami|check``: what the gate thinks of the user. Exit codes are those of otto's `reservations`."""

from __future__ import annotations

from bespeak.argv.declarations import command
from bespeak.base.display import escape_unprintable
from bespeak.cli import gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.reservations.report import GateReport

_REFUSED = 1


@command(
    "reservation whoami",
    examples=(("reservation whoami", "needs no lab"),),
)
def whoami(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print the user, where the name comes from, the backend, the lab and the book."""
    from bespeak.reservations.errors import ReservationBackendError
    from bespeak.reservations.evaluation import whoami as facts
    from bespeak.reservations.prepare import load_state

    try:
        state = load_state(
            as_user=context.as_user, skip_reservation_check=context.skip_check, ledger=context.ledger_flag
        )
        found = facts(state, ",".join(context.labs) or None) | _book(context)
    except ReservationBackendError as error:
        return gate.unavailable(context, error, _REFUSED)
    lines = (
        f"{name.replace('_', ' ') + ':':<15}{'-' if value is None else escape_unprintable(value)}"
        for name, value in found.items()
    )
    ignored = _ignored_settings(context)
    context.answer({**found, "ignored_settings": ignored}, "\n".join(lines))
    for one in () if context.json else ignored:
        context.warn(
            f"{one['source']}: [ledger] {one['key']} = {one['value']!a} does not count; the policy of the book says"
            f" {one['policy']!a}"
        )
    return 0


def _ignored_settings(context: Context) -> list[dict[str, object]]:
    """Return what the settings say of a book that says otherwise itself; nothing where the book cannot be asked."""
    from bespeak.base.errors import BespeakError
    from bespeak.ledger.policy import checked_value
    from bespeak.settings import load_settings

    settings = load_settings()
    said = {key: settings.ledger_value(key) for key in ("default_for", "kickers", "strict")}
    if all(value is None for value, _ in said.values()):
        return []
    try:
        stored = context.book().policy().stored
    except BespeakError:
        return []
    return [
        {"key": key, "value": value, "source": source, "policy": stored[key]}
        for key, (value, source) in said.items()
        if value is not None and key in stored and checked_value(key, value) != stored[key]
    ]


def _book(context: Context) -> dict[str, str | None]:
    """Return where the book is, and who says so; nothing where it cannot be said, which other commands tell."""
    from bespeak.base.errors import BespeakError
    from bespeak.settings import ledger_place

    try:
        place = ledger_place(context.ledger_flag)
    except BespeakError:
        return {"book": None, "book_named_by": None}
    return {"book": place.shown, "book_named_by": place.source}


@command(
    "reservation check",
    text="Really checks, even with -R. Exits 0 if allowed; 1 if refused, if the backend cannot be asked, "
    "or if none is configured.",
    examples=(("-l demo reservation check", "the verdict, and exit code 0 or 1"),),
)
def check(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print what the lab needs and whether the user holds it."""
    from bespeak.reservations.errors import ReservationBackendError

    try:
        answer = _answer(context)
    except ReservationBackendError as error:
        return gate.unavailable(context, error, _REFUSED)
    if context.json:
        return _as_json(context, answer)
    needs = "".join(f"\n  - {escape_unprintable(name)}" for name in answer.required) or " nothing"
    decided = f" (decided by {escape_unprintable(answer.decided_by)})" if answer.decided_by else ""
    context.print(f"Lab {answer.lab!a} requires:{needs}\nBackend: {escape_unprintable(answer.backend)}{decided}")
    if not answer.allowed:
        return gate.refused(context, answer, _REFUSED)
    context.print(answer.text)
    return 0 if answer.checked else _REFUSED


def _answer(context: Context) -> GateReport:
    """Ask the gate, by the quick road where there is one; really ask, even under ``-R``."""
    from bespeak.reservations.fast_gate import try_fast_gate

    answer = try_fast_gate(context.lab_option, as_user=context.as_user, ledger=context.ledger_flag)
    if answer is not None:
        return answer
    from bespeak.reservations.prepare import prepare_gate

    prepared = prepare_gate(
        context.lab_option,
        as_user=context.as_user,
        skip_reservation_check=context.skip_check,
        ledger=context.ledger_flag,
    )
    return prepared.report(even_if_skipped=True)


def _as_json(context: Context, answer: GateReport) -> int:
    if not answer.allowed:
        return gate.refused(context, answer, _REFUSED)
    from bespeak.reservations.report import report_json

    context.print_json(report_json(answer))
    return 0 if answer.checked else _REFUSED
