"""What a browser sends when a button is pressed, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from bespeak.base import timeparse
from bespeak.base.clock import DAY_US, HOUR_US, of_datetime
from bespeak.base.errors import UsageError
from bespeak.ledger.model import Holder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from bespeak.web.viewer import Viewer

_MOST_DIGITS = 18
LONGEST_FOR_US = 366 * DAY_US


@dataclass(frozen=True, slots=True)
class Offer:
    """A button that helps on after a refusal."""

    action: str
    label: str


@dataclass(frozen=True, slots=True)
class Message:
    """What a page says after an action.

    Args:
        kind: ``done``, ``refused`` or ``error``; also its class in the style sheet.
        fields: what the offered buttons send with them.
        back: the local address of the page on which it was done.
        status: the HTTP status.
    """

    kind: str
    title: str
    text: str = ""
    lines: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    back: str = "/now"
    status: int = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Form:
    """What a browser sent.

    Args:
        fields: its fields; each once.
        viewer: who pressed.
        zone: the zone in which times of the form are meant.
        base: the address of the server as the browser knows it.
    """

    fields: Mapping[str, str]
    viewer: Viewer
    zone: tzinfo
    base: str = ""

    @property
    def by(self) -> Holder:
        """Return who asks.

        Raises:
            UsageError: nobody is signed in.
        """
        if self.viewer.user is None:
            raise UsageError("sign in first")
        return Holder(self.viewer.user)

    def text(self, name: str) -> str:
        """Return a field without surrounding blanks; empty where it is missing."""
        return self.fields.get(name, "").strip()

    def duration_us(self, default_us: int = HOUR_US) -> int:
        """Return how long, µs.

        Raises:
            UsageError: it cannot be read, or is more than a year.
        """
        text = self.text("for")
        length_us = timeparse.duration(text) if text else default_us
        if length_us > LONGEST_FOR_US:
            raise UsageError(f"{text}: at most a year can be booked on a page")
        return length_us

    def instant_us(self, name: str) -> int | None:
        """Return an instant, µs UTC, from ``name_us`` or, on the viewer's wall clock, from ``name``.

        Raises:
            UsageError: it cannot be read.
        """
        exact = self.text(f"{name}_us")
        if exact:
            number = whole_number(exact)
            if number is None:
                raise UsageError(f"{exact!a} is not an instant")
            return number
        text = self.text(name)
        if not text:
            return None
        try:
            wall = datetime.fromisoformat(text)
            return of_datetime(wall if wall.tzinfo else wall.replace(tzinfo=self.zone))
        except (ValueError, OverflowError):
            raise UsageError(f"{text!a} is not a date and time") from None


def whole_number(text: str) -> int | None:
    """Return a number that a page sent, or None where it is none that the book could hold."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def local_path(text: str) -> str:
    """Return ``text`` if it is the address of a page here, and the first page otherwise."""
    safe = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if safe else "/now"
