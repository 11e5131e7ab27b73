"""Opening a book for the gate: on a file, a server of PostgreSQL, or a server of its own."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.gate import Gate


def open_gate(url: str) -> Gate:
    """Open a book for the gate, which makes none.

    Raises:
        NoBookError: there is no book.
        UnavailableError: it cannot be opened.
    """
    from bespeak.base.paths import HTTP_PREFIXES

    if url.startswith(HTTP_PREFIXES):
        from bespeak.ledger.remote_gate import open_remote_gate

        return open_remote_gate(url)
    from bespeak.ledger.gate import Gate
    from bespeak.ledger.schema import LEDGER
    from bespeak.storage import open_engine

    return Gate(open_engine(url, [LEDGER], create=False))
