"""The notices of whoever asks, in an open book or in the book of a server: what commands and buttons call."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import TYPE_CHECKING

from bespeak.base.errors import UsageError
from bespeak.ledger import rights
from bespeak.ledger.remote import RemoteLedger
from bespeak.ledger.remote_calls import Calls, ask_server
from bespeak.notices import store, targets
from bespeak.notices.model import Channel
from bespeak.notices.schema import NOTICES

if TYPE_CHECKING:
    from bespeak.client.requests import Requests
    from bespeak.ledger.model import Holder
    from bespeak.ledger.service import Ledger
    from bespeak.notices.model import Kind, Notice, Subscription

GROUP = "notices"
COMPONENT = NOTICES
READS = ("listed", "subscriptions")
REPEATABLE = ("replay",)
ONCE = ("subscribe", "unsubscribe")
_MODEL = "bespeak.notices.model"
VALUES = {
    "Holder": "bespeak.ledger.model",
    **dict.fromkeys(("Channel", "Kind", "Notice", "Subscription"), _MODEL),
}
"""The classes of the values that travel, by name, with the module of each (see :class:`bespeak.base.codec.Codec`)."""

_MOST = 1_000


class Notices:
    """The notices in an open book; each method is for ``by``, and checks that whoever calls may ask in that name.

    Args:
        book: the open book.
    """

    def __init__(self, book: Ledger) -> None:
        self._book = book

    def listed(self, by: Holder, limit: int = 50) -> list[Notice]:
        """Return what somebody was told, newest first.

        Raises:
            NotAllowedError: whoever calls may not ask in that name.
            UsageError: the number cannot be.
        """
        user = rights.name_to_use(self._book, by, "read")
        if not 1 <= limit <= _MOST:
            raise UsageError(f"notices: 1 to {_MOST} at a time")
        return store.notices(self._book, user, limit=limit)

    def subscriptions(self, by: Holder) -> list[Subscription]:
        """Return where somebody is told, oldest first, without what deliveries are signed with.

        Raises:
            NotAllowedError: whoever calls may not ask in that name.
        """
        user = rights.name_to_use(self._book, by, "read")
        return [replace(one, secret="") for one in store.subscriptions(self._book, user)]

    def subscribe(
        self, by: Holder, channel: Channel, target: str, kinds: tuple[Kind, ...] = (), secret: str = ""
    ) -> Subscription:
        """Tell somebody's notices somewhere from now on.

        Args:
            by: whose notices, and who asks.
            channel: how.
            target: where.
            kinds: about what; empty means everything.
            secret: of :func:`~bespeak.notices.store.new_secret`; what comes back has none.

        Raises:
            NotAllowedError: whoever calls may not ask in that name.
            UsageError: a value cannot be, or there are too many.
        """
        user = rights.name_to_use(self._book, by, "book")
        target = targets.checked(channel, target)
        _check_secret(channel, secret)
        return store.subscribe(self._book, user, channel, target, kinds, secret=secret)

    def unsubscribe(self, by: Holder, identifier: str) -> Subscription:
        """End a subscription and what is still on its way to it.

        Raises:
            NotAllowedError: whoever calls may not ask in that name.
            NotFoundError: there is no such subscription.
        """
        user = rights.name_to_use(self._book, by, "book")
        return store.unsubscribe(self._book, user, identifier)

    def replay(self, by: Holder, identifier: str, length_us: int) -> int:
        """Deliver again what was made in so long, µs; return how many notices.

        Raises:
            NotAllowedError: whoever calls may not ask in that name.
            NotFoundError: there is no such subscription.
        """
        user = rights.name_to_use(self._book, by, "book")
        return store.replay(self._book, user, identifier, max(self._book.now_us() - length_us, 0))


def _check_secret(channel: Channel, secret: str) -> None:
    given = secret.removeprefix(store.SECRET_PREFIX)
    try:
        length = len(base64.b64decode(given, validate=True))
    except (binascii.Error, ValueError):
        length = -1
    if channel is Channel.WEBHOOK and (given == secret or length != store.SECRET_BYTES):
        raise UsageError(f"secret: {store.SECRET_PREFIX} with {store.SECRET_BYTES} bytes in base64")
    if channel is not Channel.WEBHOOK and secret:
        raise UsageError("secret: only what goes to a webhook is signed")


class RemoteNotices(Notices):
    """The same in the book of a server.

    Args:
        requests: the way to the server.
    """

    def __init__(self, requests: Requests) -> None:
        self.calls = Calls(requests, VALUES)


ask_server(RemoteNotices, Notices, GROUP, READS, REPEATABLE + ONCE)


def notices_in(book: Ledger) -> Notices:
    """Return the notices in a book, wherever it is."""
    return RemoteNotices(book.calls.requests) if isinstance(book, RemoteLedger) else Notices(book)


SERVICE = Notices
