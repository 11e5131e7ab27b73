"""The claims of one repository in the book of a server."""

from __future__ import annotations

from bespeak.base.errors import UsageError
from bespeak.client.requests import requests_to
from bespeak.client.wakeups import WakeUps
from bespeak.coord.claims_book import ClaimsBook
from bespeak.coord.operations import ONCE, READS, REPEATABLE, VALUES
from bespeak.ledger.remote_calls import Calls, ask_server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.client.requests import Requests
    from bespeak.coord.events import Polling
    from bespeak.storage.interface import Engine, Listener


class RemoteClaims(ClaimsBook):
    """The claims of one repository on a server; see :class:`~bespeak.coord.claims_book.ClaimsBook`.

    Args:
        requests: the way to the server.
        repo: the repository's name in the book.
    """

    def __init__(self, requests: Requests, repo: str) -> None:
        from urllib.parse import quote

        self.calls = Calls(requests, VALUES, query=f"?repo={quote(repo, safe='', errors='surrogatepass')}")
        self.repo = repo

    @property
    def engine(self) -> Engine:  # type: ignore[override]
        """No open database.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"book {self.calls.requests.address.name}: this is done on the machine of the book")

    def listen(self) -> Listener | Polling:
        """Start listening to changes."""
        from bespeak.coord.events import topic

        return WakeUps(self.calls.requests, [topic(self.repo)])

    def close(self) -> None:
        """Close the connections."""
        self.calls.requests.close()


ask_server(RemoteClaims, ClaimsBook, "claims", READS, REPEATABLE + ONCE)


def open_remote_claims(url: str, repo: str) -> RemoteClaims:
    """Return the claims of a repository in the book of a server.

    Raises:
        UsageError: ``url`` is no URL of a server.
    """
    return RemoteClaims(requests_to(url), repo)
