"""The gate's questions to the book of a server."""

from __future__ import annotations

from bespeak.client.requests import requests_to
from bespeak.client.wakeups import WakeUps
from bespeak.ledger.gate import Gate
from bespeak.ledger.operations import GATE, GATE_VALUES
from bespeak.ledger.remote_calls import Calls, ask_server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.client.requests import Requests
    from bespeak.storage.interface import Listener


class RemoteGate(Gate):
    """The gate's questions to a book on a server; see :class:`~bespeak.ledger.gate.Gate`.

    Args:
        requests: the way to the server.
    """

    def __init__(self, requests: Requests) -> None:
        self.calls = Calls(requests, GATE_VALUES)

    @property
    def user(self) -> str | None:
        """Who the server says we are."""
        return self.calls.welcome().user

    def listen(self, topics: Iterable[str]) -> Listener:
        """Start listening; changes committed after this call wake the listener."""
        return WakeUps(self.calls.requests, topics)

    def close(self) -> None:
        """Close the connections."""
        self.calls.requests.close()


ask_server(RemoteGate, Gate, "gate", GATE)
ask_server(RemoteGate, Gate, "", writes=("sign_of_life",))


def open_remote_gate(url: str) -> RemoteGate:
    """Return the gate's questions to the book of a server.

    Raises:
        UsageError: ``url`` is no URL of a server.
    """
    return RemoteGate(requests_to(url))
