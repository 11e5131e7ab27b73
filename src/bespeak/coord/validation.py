"""What is checked before anything is read or written: limits, and how ids and operations are written."""

from __future__ import annotations

from bespeak.base.display import short_repr
from bespeak.base.errors import Field
from bespeak.coord import address_parser
from bespeak.coord.errors import ClaimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_RUN_ID = 256
MAX_SECONDS = 31_536_000
DEFAULT_SECONDS = 3600
MAX_NEEDS = 1000
_MOST_DIGITS = 15


def run_id(text: str, field: str = "run_id") -> str:
    """Return a run id that may be used.

    Raises:
        ClaimError: it is empty, too long, or no text.
    """
    if len(text) > MAX_RUN_ID:
        raise ClaimError(Field(field), f" is too long ({len(text)} chars; max {MAX_RUN_ID}).")
    if not text:
        raise ClaimError(field=field, reason="it is empty")
    return plain(text, Field(field))


def caller(given: str | None) -> str:
    """Return the run that asks: the one given, else the calling session's.

    Raises:
        ClaimError: it is no run id.
    """
    from bespeak.coord.run_id import default_run_id

    return run_id(default_run_id() if given is None else given)


def plain(text: str, name: str) -> str:
    """Return a text that a book can hold.

    Args:
        text: the text.
        name: what it is: a :class:`Field`, or a word.

    Raises:
        ClaimError: it cannot.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ClaimError("Invalid ", name, f": {short_repr(text)} is not UTF-8") from None
    if "\0" in text:
        raise ClaimError("Invalid ", name, f": {short_repr(text)} has a NUL character in it")
    return text


def seconds(given: str | int | None, name: str, default: int = DEFAULT_SECONDS) -> int:
    """Return a number of seconds from 1 to a year.

    Raises:
        ClaimError: it is none.
    """
    if given is None:
        return default
    digits = str(given)
    number = digits.removeprefix("-")
    if not (number.isascii() and number.isdigit()) or len(number) > _MOST_DIGITS:
        raise ClaimError(field=name, reason=f"{short_repr(given)} is not a number of seconds from 1 to {MAX_SECONDS}")
    value = int(digits)
    if not 1 <= value <= MAX_SECONDS:
        raise ClaimError(field=name, reason=f"{name} must be between 1 and {MAX_SECONDS}, got {value}")
    return value


def operation(text: str | None, known: Sequence[str]) -> str | None:
    """Return an operation that is known, or None.

    Raises:
        ClaimError: it is not known.
    """
    if text is not None and text not in known:
        raise ClaimError(field="op", reason=f"{short_repr(text)}; choose one of: {', '.join(sorted(known))}")
    return text


def needs(ids: Iterable[str], field: str = "depends_on") -> tuple[str, ...]:
    """Return ids of reservations, each once.

    Raises:
        ClaimError: one is not written as an id, or there are too many.
    """
    from bespeak.coord.queries import is_id

    once = tuple(dict.fromkeys(ids))
    for identifier in once:
        if not is_id(identifier):
            raise ClaimError(
                field=field, reason=f"{short_repr(identifier)} is not a reservation id (sha256: and 64 hex digits)"
            )
    if len(once) > MAX_NEEDS:
        raise ClaimError("Too many ", Field(field), f": {len(once)} (max {MAX_NEEDS}).")
    return once


def addresses(texts: Sequence[str]) -> None:
    """Refuse too many addresses, and what cannot be one.

    Raises:
        ClaimError: says which.
    """
    if len(texts) > address_parser.MAX_ADDRESSES:
        raise ClaimError(f"Too many addresses: {len(texts)} (max {address_parser.MAX_ADDRESSES}).")
    address_parser.check(texts)
