"""The check itself, in the shape of otto's `reservations`.

:func:`check_reservations` answers for a lab, a user and a backend. :func:`gate` is what a command calls: it reads
the invocation's state from ``ctx.meta``, honours ``-R`` loudly, and otherwise checks. Both say what
:func:`~bespeak.reservations.evaluation.evaluate` finds.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from bespeak.labs.model import required_resources
from bespeak.reservations.errors import MissingReservationError, ReservationBackendError
from bespeak.reservations.evaluation import ReservationState, evaluate, examine
from bespeak.reservations.null_backend import NullReservationBackend
from bespeak.reservations.report import report_json

if TYPE_CHECKING:
    from bespeak.reservations.protocol import ReservationBackend
    from bespeak.reservations.report import GateReport

__all__ = [
    "MissingReservationError",
    "ReservationBackendError",
    "ReservationState",
    "announce_skip",
    "check_reservations",
    "gate",
    "required_resources",
]

META_KEY = "otto_reservation"
"""Under which the state of an invocation travels in ``ctx.meta``."""


def check_reservations(lab: Any, username: str, backend: ReservationBackend) -> None:
    """Return if ``username`` holds everything that ``lab`` requires.

    Nothing is asked for the null backend or for a lab that requires nothing. Otherwise what the user holds is asked
    once, and then, for each missing resource in sorted order, who holds it.

    Args:
        lab: anything with ``name``, ``resources`` and ``hosts``.
        username: whose reservations count.
        backend: who answers.

    Raises:
        MissingReservationError: something is not held.
        ReservationBackendError: the backend cannot answer, or broke.
    """
    _raise_if_refused(examine(lab, username, backend))


def gate(ctx: Any) -> None:
    """Let the command go on, or raise.

    Without state in ``ctx.meta``, and without a backend, nothing happens. The active lab is fetched only when it is
    needed.

    Args:
        ctx: anything with a ``meta`` mapping: the context of Click, of Typer, or one's own.

    Raises:
        MissingReservationError: the user does not hold what the lab requires.
        ReservationBackendError: the backend cannot answer.
    """
    state: ReservationState | None = ctx.meta.get(META_KEY)
    if state is None:
        return
    if not state.skip_check and (state.backend is None or isinstance(state.backend, NullReservationBackend)):
        return
    from bespeak.configmodule import get_lab

    report = evaluate(state, get_lab())
    if report.skipped:
        announce_skip(report)
    _raise_if_refused(report)


def announce_skip(report: GateReport) -> None:
    """Say loudly that the check was skipped: one line on standard error, and a warning in the log."""
    import logging

    line = report.text
    if sys.stderr.isatty() and not _no_color():
        line = f"\x1b[1;31m{line}\x1b[0m"
    print(line, file=sys.stderr)
    logger = logging.getLogger(__name__)
    if not logger.handlers:  # without any handler, logging would print the same line a second time
        logger.addHandler(logging.NullHandler())
    logger.warning(
        "Reservation check skipped for user %r on lab %r. Required: %r",
        report.username or "<unknown>",
        report.lab,
        list(report.required),
    )


def _no_color() -> bool:
    import os

    return bool(os.environ.get("NO_COLOR"))


def _raise_if_refused(report: GateReport) -> None:
    if report.missing:
        raise MissingReservationError(report.text, **report_json(report))
