"""Who calls: what a connection and a request say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bespeak.base.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.access.model import Caller


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""What changes nothing, whoever has a browser send it."""

METHOD, PATH, SCHEME = ":method", ":path", ":scheme"
"""Under these names the method, the path and the scheme of a request stand among its headers."""


class NotSignedInError(UnavailableError):
    """There is no credential, or a bad one, so nothing is answered."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection.

    Attributes:
        uid: the account of its process, where the kernel tells (a Unix socket).
        address: its address on the network, where it has one.
    """

    uid: int | None = None
    address: str | None = None


class Authenticator(Protocol):
    """Says who calls; asked in a worker thread."""

    def authenticate(self, headers: Mapping[str, str], peer: Peer, *, again: bool = False) -> Caller | None:
        """Return who calls, or None where nothing says it.

        Args:
            headers: those of the request, names in lower case; ``:method`` is the method.
            peer: the other end of the connection.
            again: the request was let in before, and is looked at while it goes on: nothing is used up or written down.

        Raises:
            NotSignedInError: a credential is wrong.
        """
