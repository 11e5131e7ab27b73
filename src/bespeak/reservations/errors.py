"""The two ways a check can fail, which call for two different reactions.

Who is refused should talk to the holder, so that message never mentions the bypass. Who cannot be answered has no
other way on, so there, and only there, the bypass is offered.
"""

from __future__ import annotations

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError, GateRefusedError, UnavailableError

SKIP_HINT = "Pass --skip-reservation-check / -R to proceed without the check."


class ReservationBackendError(UnavailableError):
    """The question who holds what cannot be answered: network, database, credentials, a malformed file."""


class MissingReservationError(GateRefusedError):
    """The user does not hold everything the lab requires; the message lists what is missing and who holds it."""


def backend_failure_lines(error: BaseException) -> list[str]:
    """Return what a user is told when the backend could not be asked: the reason in one line, and the hint."""
    reason = " ".join(escape_unprintable(line.strip()) for line in str(error).splitlines() if line.strip())
    return [f"Reservation backend unavailable: {reason}", SKIP_HINT]


def as_backend_error(error: BaseException, doing: str) -> ReservationBackendError:
    """Turn whatever came out of a backend into the one error that callers know.

    A stray exception may carry anything in its text, credentials included, so only its kind is told; the exception
    itself stays attached for ``--debug``.

    Args:
        error: what was raised.
        doing: what failed, as the start of a sentence.
    """
    if isinstance(error, ReservationBackendError):
        return error
    name = type(error).__name__
    if isinstance(error, BespeakError) or name == ReservationBackendError.__name__:
        return ReservationBackendError(str(error))
    if isinstance(error, OSError) and error.strerror:
        return ReservationBackendError(f"{doing}: {name}: {error.strerror}")
    return ReservationBackendError(f"{doing}: {name} (details with --debug)")
