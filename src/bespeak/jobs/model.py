"""The states of a job reservation and the row that carries them: written once, used by SQL, JSON and documentation.

No dataclass on purpose: importing :mod:`dataclasses` costs more than the whole ``status`` command may.
"""

from __future__ import annotations

from enum import StrEnum

from bespeak.base.frozen import frozen
from bespeak.storage.row_shape import DamagedRowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Status(StrEnum):
    """What has become of a reservation."""

    RESERVED = "RESERVED"
    DISPATCHING = "DISPATCHING"
    DISPATCHED = "DISPATCHED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    DISPATCH_FAILED = "DISPATCH_FAILED"
    START_UNKNOWN = "START_UNKNOWN"
    """It may have been started, and the runner cannot tell: nothing is repeated until a person says so."""


TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.RESERVED: frozenset({Status.DISPATCHING, Status.CANCELLED, Status.EXPIRED}),
    Status.DISPATCHING: frozenset({Status.DISPATCHED, Status.DISPATCH_FAILED, Status.START_UNKNOWN, Status.RESERVED}),
    Status.DISPATCHED: frozenset(),
    Status.CANCELLED: frozenset({Status.RESERVED}),
    Status.EXPIRED: frozenset({Status.RESERVED, Status.CANCELLED}),
    Status.DISPATCH_FAILED: frozenset({Status.RESERVED, Status.CANCELLED}),
    Status.START_UNKNOWN: frozenset({Status.RESERVED}),
}
"""From a state, the states that may follow. Only ``requeue`` leads back to RESERVED from a terminal one."""

TERMINAL = (Status.DISPATCHED, Status.CANCELLED, Status.EXPIRED, Status.DISPATCH_FAILED)
"""The states that ``clean`` may delete."""

TIMED_OUT_OUTCOME = "TIMED_OUT"
"""The end of a job that ran longer than it may, so that a dispatcher had its runner abort it."""

HOLD_LOST_OUTCOME = "HOLD_LOST"
"""The end of a job that did not hold any more what it needs, so that a dispatcher had its runner abort it."""

HOLD_LOST_EXTRA = "hold_lost"
"""The key of ``extras`` that says why a job was ended whose booking was lost."""

HELD_EXTRA = "held_env"
"""The key of ``extras`` for the variables that tell a command what is held for it, as they were at its start."""

PAUSED_EXTRA = "paused_at"
"""The key of ``extras`` that says since when a reservation is kept from being started, seconds since 1970."""

BAD_OUTCOMES = ("FAILED", "LOST", "ABORTED", TIMED_OUT_OUTCOME, HOLD_LOST_OUTCOME)
"""The ends of a job that somebody has to look at: the runner's words, and ours."""

UNKNOWN_OUTCOME = "UNKNOWN"
"""The end of a job that its runner has forgotten."""

LAST_ERROR_LIMIT = 4000
"""How many characters of an error are stored with a reservation."""

EXPIRED_TEXT = "expired before dispatch"


@frozen
class JobReservation:
    """One row of ``reservations``.

    The attributes are its columns. Instants ending in ``_at`` and ``not_before`` are seconds since 1970 as
    orchesjob-reserver 0.1 has them; those ending in ``_us`` are microseconds. ``first_claimed_us`` is None as long
    as no start was called; ``may_be_started``, which is no column, is set by a claim: an earlier claim may have led to
    a start. ``outcome`` is None as long as the job is not known to have ended, and empty where nobody asks. ``tags``
    stand between commas, ``,a,b,``. ``run_until_us`` is when a started job is to be ended, and ``stopped_us`` when that
    was decided.
    """

    reservation_id: str
    run_key: str
    command_json: str
    reservation_status: str
    job_id: str | None
    not_before: int | None
    expires_at: int | None
    metadata_json: str | None
    orchesjob_start_options_json: str
    created_at: int
    updated_at: int
    dispatched_at: int | None
    last_error: str | None
    seq: int
    site: str
    next_us: int
    owner: str | None
    claim_no: int
    claimed_us: int | None
    attempts: int
    extras_json: str | None
    booking_id: str | None
    first_claimed_us: int | None
    runner: str | None
    runner_home: str | None
    runner_host: str | None
    runner_version: str | None
    outcome: str | None
    exit_code: int | None
    ended_us: int | None
    tags: str
    run_until_us: int | None
    stopped_us: int | None
    may_be_started: bool = False

    @property
    def command(self) -> list[str]:
        """The words of the command; bytes that are no UTF-8 are lone surrogates (``surrogateescape``)."""
        return _words(self.command_json)

    @property
    def start_options(self) -> list[str]:
        """What is passed to the runner's ``start`` before ``--``."""
        return _words(self.orchesjob_start_options_json)

    @property
    def tag_names(self) -> list[str]:
        """The tags that limits are counted by."""
        return [tag for tag in self.tags.split(",") if tag]

    @property
    def extras(self) -> dict[str, object]:
        """What goes beyond orchesjob-reserver 0.1: ``env``, ``cwd``, ``needs``, ``retry`` ..."""
        found = self._json("extras_json")
        return found if isinstance(found, dict) else {}

    @property
    def tries(self) -> list[dict[str, int]]:
        """How each attempt of a command that is run again ended, as far as is known: ``exit_code``, ``ended_at``."""
        found = self.extras.get("tries")
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    @property
    def metadata(self) -> object:
        """What the caller stored with it; None where there is nothing."""
        return self._json("metadata_json")

    def _json(self, column: str) -> object:
        import json

        text = getattr(self, column)
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise DamagedRowError(
                f"the book is damaged: job reservation {self.reservation_id!a:.60}: column {column} is no JSON"
            ) from None


COLUMNS = tuple(name for name in JobReservation.__annotations__ if name != "may_be_started")
"""The columns of ``reservations``, in the order of :class:`JobReservation`, which a row of :data:`SELECT` makes."""

SELECT = "SELECT " + ", ".join(COLUMNS) + " FROM reservations"


def _words(text: str) -> list[str]:
    if text == "[]":
        return []
    import json

    try:
        found = json.loads(text)
    except ValueError:
        return []
    return [str(word) for word in found] if isinstance(found, list) else []
