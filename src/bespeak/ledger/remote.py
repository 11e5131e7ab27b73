"""The book of a server: the same facade as on a file, every method a request.

Methods that are made of others (waiting in the queue, following the log) run here, and ask the server for each step.
"""

from __future__ import annotations

from bespeak.base.codec import fields_of
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.client.requests import requests_to
from bespeak.client.wakeups import WakeUps
from bespeak.ledger.operations import ONCE, READS, REPEATABLE, VALUES
from bespeak.ledger.remote_calls import Calls, ask_server
from bespeak.ledger.service import Ledger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bespeak.client.requests import Requests
    from bespeak.ledger.listing_filter import ListingFilter
    from bespeak.ledger.model import Reservation
    from bespeak.storage.interface import Engine, Listener


class RemoteLedger(Ledger):
    """An open book on a server.

    Args:
        requests: the way to the server.
    """

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self.calls = Calls(requests, VALUES)

    @property
    def engine(self) -> Engine:  # type: ignore[override]
        """No open database.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"book {self.name}: this is done on the machine of the book, with its own path or URL")

    @property
    def user(self) -> str | None:
        """Who the server says we are."""
        return self.calls.welcome().user

    @property
    def name(self) -> str:
        """Where the book is, for messages."""
        return self._requests.address.name

    @property
    def made(self) -> bool:
        """A book on a server is made there."""
        return False

    @property
    def moved_to(self) -> str | None:
        """The server knows where its book is."""
        return None

    @property
    def clock_is_ours(self) -> bool:
        """The book takes its time from its own machine."""
        return False

    def listen(self, topics: Iterable[str]) -> Listener:
        """Start listening; changes committed after this call wake the listener."""
        return WakeUps(self._requests, topics)

    def listing_pages(self, wanted: ListingFilter) -> Iterator[list[Reservation]]:
        """Yield what ``listing`` returns, in portions; a short list, or a server of an earlier version, has one."""
        from array import array

        from bespeak.ledger import listing_pages

        try:
            is_short = wanted.limit is not None and wanted.limit <= listing_pages.PAGE
            numbers = None if is_short else array("q", self.listing_numbers(wanted))
        except NotFoundError:
            numbers = None
        if numbers is None:
            yield self.listing(**{name: getattr(wanted, name) for name in fields_of(type(wanted)) or ()})
            return
        for portion in listing_pages.portions(numbers):
            yield self.listing_page(portion, wanted)

    def listing_texts(self, wanted: ListingFilter) -> Iterator[list[str]]:
        """Yield what :meth:`listing_pages` yields, each reservation as one line of JSON."""
        from bespeak.base.json_text import one_line
        from bespeak.ledger.serialize import reservation_json

        for page in self.listing_pages(wanted):
            now_us = self.now_us()
            yield [one_line(reservation_json(one, now_us)) for one in page]

    def close(self) -> None:
        """Close the connections."""
        self._requests.close()


ask_server(RemoteLedger, Ledger, "", READS, REPEATABLE + ONCE)


def open_remote(url: str) -> RemoteLedger:
    """Return the book of a server; nothing is asked before it is needed.

    Raises:
        UsageError: ``url`` is no URL of a server.
    """
    return RemoteLedger(requests_to(url))
