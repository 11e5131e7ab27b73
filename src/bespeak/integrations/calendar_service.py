"""The calendar links of whoever asks, in an open book or in the book of a server: what commands and buttons call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import iso
from bespeak.base.errors import NotAllowedError
from bespeak.integrations import calendar_links
from bespeak.integrations.calendar_links import CALENDARS
from bespeak.ledger import rights
from bespeak.ledger.remote import RemoteLedger
from bespeak.ledger.remote_calls import Calls, ask_server

if TYPE_CHECKING:
    from bespeak.client.requests import Requests
    from bespeak.integrations.calendar_links import CalendarLink, Shows
    from bespeak.ledger.model import Holder
    from bespeak.ledger.service import Ledger

GROUP = "calendars"
COMPONENT = CALENDARS
READS = ("links",)
REPEATABLE: tuple[str, ...] = ()
ONCE = ("make", "revoke")
_LINKS = "bespeak.integrations.calendar_links"
VALUES = {"Holder": "bespeak.ledger.model", "CalendarLink": _LINKS, "Shows": _LINKS}
"""The classes of the values that travel, by name, with the module of each (see :class:`bespeak.base.codec.Codec`)."""


class CalendarLinks:
    """The links in an open book; each method is for ``by``, and checks that whoever calls may ask in that name.

    Args:
        book: the open book.
    """

    def __init__(self, book: Ledger) -> None:
        self._book = book

    def make(self, by: Holder, digest: str, shows: Shows, target: str = "", names_hidden: bool = False) -> CalendarLink:
        """Make a link that whoever has a certain secret may read.

        Args:
            by: whose rights it has, and who asks.
            digest: what :func:`~bespeak.integrations.calendar_links.hashed` makes of the secret.
            shows: what kind of calendar.
            target: the resource or the group.
            names_hidden: show neither holders nor purposes.

        Raises:
            NotAllowedError: whoever calls may not ask in that name, or uses a token that is for some resources only.
            UsageError: a value cannot be, or there are too many.
        """
        owner = rights.name_to_use(self._book, by, "book")
        caller = self._book.caller
        if caller is not None and caller.selectors:
            raise NotAllowedError("a token for some resources makes no calendar link, which would show more than they")
        return calendar_links.make(self._book, owner, digest, shows, target, names_hidden=names_hidden)

    def links(self, by: Holder) -> list[CalendarLink]:
        """Return somebody's links that are good, oldest first.

        Raises:
            NotAllowedError: whoever calls may not ask in that name.
        """
        return calendar_links.links(self._book, rights.name_to_use(self._book, by, "read"))

    def revoke(self, by: Holder, identifier: str) -> CalendarLink:
        """End a link at once.

        Raises:
            NotAllowedError: whoever calls may not ask in that name.
            NotFoundError: there is no such link.
        """
        return calendar_links.revoke(self._book, rights.name_to_use(self._book, by, "book"), identifier)


class RemoteCalendarLinks(CalendarLinks):
    """The same in the book of a server.

    Args:
        requests: the way to the server.
    """

    def __init__(self, requests: Requests) -> None:
        self.calls = Calls(requests, VALUES)


ask_server(RemoteCalendarLinks, CalendarLinks, GROUP, READS, REPEATABLE + ONCE)


def calendar_links_in(book: Ledger) -> CalendarLinks:
    """Return the calendar links in a book, wherever it is."""
    return RemoteCalendarLinks(book.calls.requests) if isinstance(book, RemoteLedger) else CalendarLinks(book)


def link_json(of: CalendarLink) -> dict[str, object]:
    """Return a link for programs, without the secret."""
    return {
        "id": of.id,
        "owner": of.owner,
        "shows": of.shows.value,
        "target": of.target,
        "names_hidden": of.names_hidden,
        "created": iso(of.created_us),
        "created_us": of.created_us,
    }


SERVICE = CalendarLinks
