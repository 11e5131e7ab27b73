"""Values as they are typed, made into values of the book; every complaint names the option."""

from __future__ import annotations

from bespeak.argv.declarations import Argument, Option
from bespeak.base import clock, time_windows, timeparse
from bespeak.base.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.ledger.service import Ledger


FOR = Option(("--for",), "How long: 90s, 15m, 2h, 1d, 1h30m, or forever.", "DURATION")
UNTIL = Option(("--until",), "Until when, instead of --for: a time, or forever.", "TIME")
SHARED_USE = Option(("--shared",), "Share it with others who share it.")
PURPOSE = Option(("--purpose",), "What for; whoever is refused reads it.", "TEXT")
TAG = Option(("--tag",), "A note for programs; may be repeated.", "KEY=VALUE", many=True)
PRIORITY = Option(
    ("--priority",), "Points in the queue: each counts as one hour of having waited (default 0).", "NUMBER", kind="int"
)
SKIP_CONFLICTS = Option(
    ("--skip-conflicts",), "Leave out what somebody is in the way of; else nothing is written then."
)
CLOCK_CHANGE = Option(
    ("--clock-change",), "A time that the clocks skip or show twice: skip it, or take its early or late reading.", "HOW"
)
RESERVATION = Argument("ID", complete="reservation")
"""An id; :func:`bespeak.cli.modify.named` takes the name of a resource that is held now for one."""


def duration(flag: str, text: str | None) -> int | None:
    """Read the value of an option as a duration in µs; None if it was not given."""
    return timeparse.optional(flag, text, timeparse.duration)


def start(flag: str, text: str | None) -> int | None:
    """Read the value of an option as µs UTC; None if it was not given or is ``now``."""
    return time_windows.start(flag, text, clock.now())


def ending(values: dict[str, object]) -> tuple[int | None, int | None]:
    """Read ``--for`` and ``--until``: (duration in µs, end in µs UTC), at most one of them not None.

    Raises:
        UsageError: both were given, or one cannot be read.
    """
    return time_windows.ending(
        _text(values["for"]), _text(values.get("until")), ("--for", "--until"), clock.now(), _text(values.get("at"))
    )


def start_by_the_book(book: Ledger, values: dict[str, object]) -> int | None:
    """Return what ``--at`` says, µs UTC, by the clock of the book."""
    text = _text(values.get("at"))
    return time_windows.by_the_book(book, text, start("--at", text))


def end_by_the_book(book: Ledger, values: dict[str, object], ends_us: int | None) -> int | None:
    """Return what ``--until`` says, µs UTC, by the clock of the book.

    Args:
        book: whose clock may be another machine's.
        values: what was typed.
        ends_us: what :func:`ending` made of it.
    """
    return time_windows.by_the_book(book, _text(values.get("until")), ends_us, _text(values.get("at")))


def span(values: dict[str, object]) -> tuple[int | None, int | None]:
    """Read ``--day``, or ``--from`` and ``--to``, as instants in µs UTC; None where nothing was given.

    Raises:
        UsageError: they contradict each other, or one cannot be read.
    """
    text, begins, ends = _text(values["day"]), _text(values.get("from")), _text(values.get("to"))
    now_us = clock.now()
    if text is not None:
        if begins is not None or ends is not None:
            raise UsageError("--day excludes --from and --to")
        from bespeak.base.calendar_days import day

        return day("--day", text, now_us)
    from_us = timeparse.optional("--from", begins, lambda given: timeparse.instant(given, now_us=now_us))
    to_us = timeparse.optional("--to", ends, lambda given: timeparse.instant(given, now_us=now_us))
    if from_us is not None and to_us is not None and to_us <= from_us:
        raise UsageError("--to is not after --from")
    return from_us, to_us


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def tags(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Read the values of ``--tag``.

    Raises:
        UsageError: one is not of the form KEY=VALUE.
    """
    pairs = []
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"--tag: {text!a} is not of the form KEY=VALUE")
        pairs.append((key, value))
    return tuple(pairs)
