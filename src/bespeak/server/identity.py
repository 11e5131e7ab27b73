"""Who calls: what a connection and a request say about it."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bespeak.access.model import Caller, Role
from bespeak.base.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping


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

    def authenticate(self, headers: Mapping[str, str], peer: Peer) -> Caller | None:
        """Return who calls, or None where nothing says it.

        Args:
            headers: those of the request, names in lower case.
            peer: the other end of the connection.

        Raises:
            NotSignedInError: a credential is wrong.
        """


class PeerAuthenticator:
    """Knows accounts of this machine by the Unix socket they connect to, and nobody else."""

    def authenticate(self, headers: Mapping[str, str], peer: Peer) -> Caller | None:
        """Return the account at the other end of a Unix socket."""
        del headers
        if peer.uid is None:
            return None
        try:
            name = pwd.getpwuid(peer.uid).pw_name
        except KeyError:
            raise NotSignedInError(f"account {peer.uid} has no name on this machine") from None
        own = peer.uid in (0, os.geteuid())
        return Caller(name, "user", "peer", unruled=Role.ADMIN if own else Role.BOOKER)
