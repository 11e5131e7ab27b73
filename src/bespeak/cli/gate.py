"""``gate``: run a command only for who holds what the lab needs.

A hook asks the gate at every turn, so the question alone takes the quick road of
:mod:`bespeak.reservations.fast_gate`; what supervises a command is loaded only when there is one.
"""

from __future__ import annotations

from bespeak.argv.declarations import Option, command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.cli.context import Context, Values
    from bespeak.reservations.errors import ReservationBackendError
    from bespeak.reservations.report import GateReport

REFUSED = 8
UNAVAILABLE = 9


@command(
    "gate",
    text="Asks again while the command runs: a reservation that is about to end is announced, and the command and all "
    "it has started are stopped before it ends (exit code 11), unless --keep-going. Else exits with the command's own "
    "code; 8 when refused, 9 when the backend cannot be asked. Without a command it only checks.",
    examples=(
        ("gate -l demo -- pytest tests/hw", "run the tests if you hold the lab"),
        ("gate -l demo", "only check"),
        ("gate -l demo --keep-going -- make soak", "only say when the reservation ends"),
    ),
    options=(
        Option(("--keep-going",), "When the reservation ends, say so and let the command run on."),
        Option(("--strict",), "Stop the command when the reservation ends. That is the default now."),
        Option(("--warn",), "Announce an end so long ahead (default 5m).", "DURATION"),
        Option(("--every",), "Ask again so often (default 30s).", "DURATION"),
    ),
    tail="COMMAND",
)
def gate(context: Context, values: Values) -> int:
    """Ask the gate; run the command if there is one and the answer is yes."""
    words = values["tail"]
    if values["strict"] and values["keep_going"]:
        from bespeak.base.errors import UsageError

        raise UsageError("--strict and --keep-going exclude each other")
    timing = _timing(values) if words or values["warn"] or values["every"] else None
    answer: GateReport | None = None
    if not context.skip_check:
        from bespeak.reservations.fast_gate import try_fast_gate

        try:
            answer = try_fast_gate(context.lab_option, as_user=context.as_user, ledger=context.ledger_flag)
        except Exception as error:  # noqa: BLE001 sorted out there; naming the class here would import it for every hook
            return _unavailable(context, error)
    if answer is None:
        result = _long_way(context)
        if isinstance(result, int):
            return result
        answer = result
    if not answer.allowed:
        return refused(context, answer, REFUSED)
    if not words:
        if context.json:
            from bespeak.reservations.report import report_json

            context.print_json(report_json(answer))
        elif not answer.skipped:
            context.print(answer.text)
        return 0
    return _guarded(context, words, answer, timing or (0, 0), stops=not values["keep_going"])


def _timing(values: Values) -> tuple[int, int]:
    """Return how long ahead to warn and how often to ask again, µs."""
    from bespeak.base.errors import UsageError
    from bespeak.cli import converters
    from bespeak.cli.gate_monitor import EVERY_US, WARN_US

    warn_us, every_us = converters.duration("--warn", values["warn"]), converters.duration("--every", values["every"])
    if every_us is not None and every_us <= 0:
        raise UsageError("--every: must be greater than zero")
    return WARN_US if warn_us is None else warn_us, EVERY_US if every_us is None else every_us


def _long_way(context: Context) -> GateReport | int:
    """Work the answer out from settings and lab data; under ``-R`` say loudly that nothing was asked."""
    from bespeak.reservations.prepare import prepare_gate

    try:
        prepared = prepare_gate(
            context.lab_option,
            as_user=context.as_user,
            skip_reservation_check=context.skip_check,
            ledger=context.ledger_flag,
        )
        report = prepared.report()
    except Exception as error:  # noqa: BLE001 sorted out there; naming the class here would import it for every hook
        return _unavailable(context, error)
    if report.skipped:
        from bespeak.reservations.check import announce_skip

        announce_skip(report)
    return report


def _unavailable(context: Context, error: Exception) -> int:
    """Say that the backend could not be asked, and the way around it; other errors go their own way."""
    from bespeak.reservations.errors import ReservationBackendError

    if not isinstance(error, ReservationBackendError):
        raise error
    return unavailable(context, error, UNAVAILABLE)


def unavailable(context: Context, error: ReservationBackendError, exit_code: int) -> int:
    """Print the two lines of a backend that could not be asked; return ``exit_code``."""
    from bespeak.cli import errors
    from bespeak.reservations.errors import backend_failure_lines

    if context.debug:
        raise error
    reason, hint = backend_failure_lines(error)
    return errors.say(reason, exit_code, {"hint": hint}, as_json=context.json)


def refused(context: Context, answer: GateReport, exit_code: int) -> int:
    """Print who holds what is missing; return ``exit_code``."""
    from bespeak.base.json_text import one_line
    from bespeak.cli.output import to_stderr

    if context.json:
        from bespeak.reservations.report import report_json

        to_stderr(one_line({"error": answer.text, "exit_code": exit_code, **report_json(answer)}))
    else:
        from bespeak.reservations.report import until_when

        to_stderr("\n".join([answer.text, *until_when(answer)]))
    return exit_code


def _guarded(
    context: Context,
    words: Sequence[str],
    answer: GateReport,
    timing: tuple[int, int],
    *,
    stops: bool,
) -> int:
    from bespeak.cli import errors
    from bespeak.cli.gate_monitor import GateMonitor
    from bespeak.cli.supervise import HOLD_LOST, Child, left_behind_text, start_failure

    if not answer.checked and not answer.skipped:
        context.warn(answer.text)
    try:
        child = Child(words, dict(_environment(context)))
    except (OSError, ValueError) as error:
        message, code = start_failure(words, error)
        return errors.say(message, code, {}, as_json=context.json)
    guarded = GateMonitor(context, child, warn_us=timing[0], every_us=timing[1], stops=stops)
    try:
        code = child.wait(guarded.sleep if answer.skipped else guarded.tick)
    finally:
        guarded.close()
    if child.left_behind:
        context.warn(left_behind_text(child.left_behind))
    return HOLD_LOST if guarded.stopped else code


def _environment(context: Context) -> dict[str, str]:
    """Let the command's own calls of bespeak ask for the same labs and the same book."""
    import os

    more = {"BESPEAK_LAB": ",".join(context.labs)}
    if context.ledger_flag is not None:
        from bespeak.settings import ledger_url

        more["BESPEAK_LEDGER"] = ledger_url(context.ledger_flag)
    return {**os.environ, **more}
