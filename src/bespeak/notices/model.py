"""The values of notices."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a notice is about."""

    YOUR_TURN = "your_turn"
    ENDS_SOON = "ends_soon"
    SOMEBODY_WAITS = "somebody_waits"
    TAKEN_AWAY = "taken_away"
    MOVED = "moved"
    FREE = "free"
    APPROVAL = "approval"


class Channel(Enum):
    """How a notice leaves the book; every notice is on its recipient's page too."""

    WEBHOOK = "webhook"
    MAIL = "mail"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice that a change of the book means for somebody.

    Attributes:
        recipient: the holder who is told.
        cause: what it follows from; together with the recipient and the kind it is unique, so that nobody is told
            twice.
    """

    recipient: str
    kind: Kind
    text: str
    cause: str
    resources: tuple[str, ...] = ()
    reservation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it is kept.

    Attributes:
        seq: grows with every notice.
        at_us: when it was made, µs UTC.
    """

    seq: int
    id: str
    at_us: int
    recipient: str
    kind: Kind
    text: str
    resources: tuple[str, ...]
    reservation_id: str | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where somebody wants to be told.

    Attributes:
        kinds: about what; empty means everything.
        target: an address: a URL of a webhook or of a chat, or an address of mail.
        secret: what a webhook is signed with (``whsec_...``); empty for other channels.
        ended_us: when it was removed or given up, µs UTC; None while it lasts.
        ended_note: why.
    """

    id: str
    user: str
    channel: Channel
    target: str
    kinds: tuple[Kind, ...]
    secret: str
    created_us: int
    ended_us: int | None = None
    ended_note: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice on its way to one subscription.

    Attributes:
        attempts: how often it was tried, this time included.
    """

    notice: Notice
    subscription: Subscription
    attempts: int
