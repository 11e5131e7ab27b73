"""Opening the book as the settings have it, for every door."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypedDict

    from bespeak.ledger.service import Ledger
    from bespeak.settings.files import Settings

    class _Said(TypedDict):
        strict: bool
        default_for_us: int | None
        kickers: frozenset[str] | None


def open_book(
    url: str | None = None,
    *,
    cwd: str | None = None,
    own: bool = False,
    create: bool = True,
    settings: Settings | None = None,
    when_made: Callable[[str], None] | None = None,
) -> Ledger:
    """Open a book as the command line would.

    Close it after use, or use it as a context manager.

    Args:
        url: a path, ``sqlite:///PATH``, ``postgresql://...``, or ``https://...`` for a book on a server; by default
            the book that ``BESPEAK_LEDGER`` or the settings name, else the user's own.
        cwd: the folder whose settings count; by default the working directory.
        own: open the user's own book, whatever a repository names.
        create: make the book where there is none; False where it is only to be looked at.
        settings: the settings that count; by default those of ``cwd``, read here.
        when_made: have the book made by the first write that is not refused, and call this with its name then.

    Raises:
        UsageError: a setting, or the place named, makes no sense.
        UnavailableError: the book cannot be opened.
        NoBookError: there is no book, and none is to be made.
        UntrustedError: a repository names the book, and is not trusted to.
    """
    from bespeak.ledger import open_ledger
    from bespeak.settings import ledger_place, load_settings

    settings = load_settings(cwd) if settings is None else settings
    place = ledger_place(url, settings, cwd=cwd, own=own)
    return open_ledger(place.url, **said_by_settings(settings), create=create, when_made=when_made)


def said_by_settings(settings: Settings) -> _Said:
    """Return what settings say of the book's policy: it counts where the book itself says nothing.

    Raises:
        UsageError: ``default_for`` is no duration.
    """
    strict, _ = settings.ledger_value("strict")
    length, source = settings.ledger_value("default_for")
    kickers, _ = settings.ledger_value("kickers")
    return {
        "strict": bool(strict),
        "default_for_us": None if length is None else _length_us(length, source),
        "kickers": None if kickers is None else frozenset(kickers),
    }


def _length_us(text: str, source: str) -> int:
    from bespeak.base import timeparse
    from bespeak.base.clock import FOREVER_US
    from bespeak.base.errors import Field, UsageError

    try:
        length_us = timeparse.duration(text)
    except UsageError as error:
        raise UsageError(f"{source}: [ledger] default_for: {error}") from error
    if length_us >= FOREVER_US:
        said = f"{source}: [ledger] default_for: 'forever' has to be said each time, with "
        raise UsageError(said, Field("duration"))
    return length_us
