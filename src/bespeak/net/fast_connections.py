"""Connections whose requests are parsed by a library in C, several times as fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bespeak.net.connections import LimitedConnection

if TYPE_CHECKING:
    from bespeak.net.connections import Limits


class FastConnection(LimitedConnection, HttpToolsProtocol):  # type: ignore[misc] # one or the other of uvicorn's two
    """A connection, closed when it takes too long or too much."""


def protocol(given: Limits) -> type[FastConnection]:
    """Return the class of the connections of one server.

    Args:
        given: what they may take.
    """

    class Limited(FastConnection):
        limits = given

    return Limited
