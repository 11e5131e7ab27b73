"""A row of the book as the JSON that is printed of it, without a reservation in between: lists have millions.

What is written here is what ``one_line(reservation_json(...))`` writes, byte for byte; a property test holds both
against each other. What is rare (who waits, a lease, a selection, an approval, tags) takes the long way.
"""

from __future__ import annotations

from functools import lru_cache

from bespeak.base.clock import DAY_US, FOREVER_US, MINUTE_US, SECOND_US, as_datetime
from bespeak.base.ids import short_id
from bespeak.base.json_text import loads, one_line, quote
from bespeak.ledger import row_mapping
from bespeak.ledger.holders import holder_kind
from bespeak.ledger.model import EndReason, Mode
from bespeak.ledger.serialize import reservation_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.storage.interface import Row

_MODES = {mode.value for mode in Mode}
_REASONS = {None, *(reason.value for reason in EndReason)}
_BEGUN = ("active", "null", "null", "null")
_TO_COME = ("pending", "null", "null", "null")
_KEPT = 16_384
"""So many texts of holders and of resources are kept: the same come again in every portion of a list."""


def reservation_texts(rows: Iterable[Row], now_us: int) -> list[str]:
    """Return rows of :data:`~bespeak.ledger.row_mapping.COLUMNS` as lines of JSON, as they stand at ``now_us``, µs UTC.

    Raises:
        DamagedRowError: bespeak cannot have written one of them.
    """
    shape = row_mapping.RESERVATION
    rows = shape.check_all(list(rows))
    try:
        return [_text(row, now_us) for row in rows]
    except (ValueError, TypeError, RecursionError):
        return [shape.read(row, lambda found: _text(found, now_us)) for row in rows]  # says which one is damaged


def _text(row: Row, now_us: int) -> str:
    (
        _, identifier, token, holder, requested_by, resources, mode, starts_us, ends_us, created_us, ended_us, reason,
        note, purpose, tags, priority, lease_us, waiting, _, wanted_us, _, _, open_end, host, process, gate_us, _,
        selected, approval,
    ) = row  # fmt: skip
    if (
        waiting
        or token is None
        or lease_us is not None
        or selected is not None
        or approval
        or tags != "[]"
        or mode not in _MODES
        or reason not in _REASONS
        or (ended_us is None) is not (reason is None)
        or not (identifier.isascii() and identifier.replace("-", "").isalnum())
        or not (0 <= starts_us <= FOREVER_US >= ends_us >= 0 <= wanted_us <= FOREVER_US > created_us >= 0)
        or max(ended_us or 0, gate_us or 0) >= FOREVER_US
    ):
        return one_line(reservation_json(row_mapping.reservation(row), now_us))
    end = _known_iso(ends_us)
    state, why, ended, end_us = _BEGUN if now_us >= starts_us else _TO_COME
    if ended_us is not None:
        state, why, ended, end_us = "ended", f'"{reason}"', _iso(ended_us), ended_us
    elif now_us >= ends_us:
        state, why, ended, end_us = "ended", '"expired"', end, ends_us
    created = _iso(created_us)
    seen_us = created_us if gate_us is None or gate_us < created_us else gate_us
    return (
        f'{{"id": "{identifier}", "short_id": "{short_id(identifier)}", "number": {token}, "state": "{state}", '
        f'{_holder(holder)}, "acting": {quote(requested_by) if requested_by is not None else "null"}, '
        f'"host": {quote(host) if host else "null"}, "process": {quote(process) if process else "null"}, '
        f'"seen": {created if seen_us == created_us else _iso(seen_us)}, "seen_us": {seen_us}, '
        f'"resources": {_names(resources)}, "mode": "{mode}", '
        f'"starts": {_known_iso(starts_us)}, "starts_us": {starts_us if starts_us < FOREVER_US else "null"}, '
        f'"ends": {end}, "ends_us": {ends_us if ends_us < FOREVER_US else "null"}, '
        f'"created": {created}, "created_us": {created_us}, "ended_at": {ended}, "ended_at_us": {end_us}, '
        f'"ended_why": {why}, "ended_note": {quote(note)}, "purpose": {quote(purpose)}, "tags": {{}}, '
        f'"priority": {priority}, "open_end": {"true" if open_end else "false"}, "approval": null, "needs": []}}'
    )


def _iso(instant_us: int) -> str:
    if instant_us >= FOREVER_US:
        return "null"
    day, rest_us = divmod(instant_us, DAY_US)
    minute, rest_us = divmod(rest_us, MINUTE_US)
    second, fraction_us = divmod(rest_us, SECOND_US)
    fraction = f".{fraction_us:06}" if fraction_us else ""
    return f'"{_day(day)}T{_minute(minute)}:{second:02}{fraction}+00:00"'


_known_iso = lru_cache(maxsize=1024)(_iso)


@lru_cache(maxsize=1024)
def _day(number: int) -> str:
    return as_datetime(number * DAY_US).date().isoformat()


@lru_cache(maxsize=24 * 60)
def _minute(of_day: int) -> str:
    return f"{of_day // 60:02}:{of_day % 60:02}"


@lru_cache(maxsize=_KEPT)
def _holder(name: str) -> str:
    return f'"holder": {quote(name)}, "holder_kind": "{holder_kind(name).value}"'


@lru_cache(maxsize=_KEPT)
def _names(text: str) -> str:
    return one_line(list(loads(text)))
