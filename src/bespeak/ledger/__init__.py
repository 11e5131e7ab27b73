"""The book: who holds what, when."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.base.clock import Clock
    from bespeak.ledger.service import Ledger


def open_ledger(
    url: str,
    *,
    strict: bool = False,
    default_for_us: int | None = None,
    kickers: frozenset[str] | None = None,
    durable: bool = True,
    now: Clock | None = None,
    create: bool = True,
    when_made: Callable[[str], None] | None = None,
) -> Ledger:
    """Open the book at ``url`` (see :func:`bespeak.storage.open_engine`), making it where there is none.

    Args:
        url: where the book is; the rules of a book on a server are the server's, and nothing else here counts.
        strict: refuse resources that nobody declared. Like the next two, it counts where the policy says nothing.
        default_for_us: how long a hold lasts that names no end, µs; None means four hours.
        kickers: who may take holds away from others; None for everybody who can write the book.
        durable: committed work survives power loss.
        now: a clock for tests.
        create: make the book where there is none; False where it is only to be looked at.
        when_made: have the book made by the first write that is not refused, and call this with its name then.

    Raises:
        NoBookError: there is no book, and none is to be made.
        UsageError: ``url`` is of no known kind.
        UnavailableError: the book cannot be opened.
    """
    from bespeak.base.paths import HTTP_PREFIXES

    if url.startswith(HTTP_PREFIXES):
        from bespeak.ledger.remote import open_remote

        return open_remote(url)
    from bespeak.access.schema import ACCESS
    from bespeak.ledger.policy import DEFAULT_FOR_US, PolicyDefaults
    from bespeak.ledger.schema import LEDGER
    from bespeak.ledger.service import Ledger
    from bespeak.storage import open_engine

    engine = open_engine(url, [LEDGER, ACCESS], durable=durable, now=now, create=create, when_made=when_made)
    length_us = DEFAULT_FOR_US if default_for_us is None else default_for_us
    return Ledger(engine, PolicyDefaults(strict=strict, default_for_us=length_us, kickers=kickers))
