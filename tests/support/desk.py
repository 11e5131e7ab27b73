"""A book on a clock of its own and viewers, for the tests of pages, calendars and notices."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from bespeak.base.clock import HOUR_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request, Reservation
from bespeak.ledger.service import Ledger
from bespeak.web.actions import act
from bespeak.web.form import Form, Message
from bespeak.web.pages import Asked
from bespeak.web.queue_keeper import KEPT
from bespeak.web.viewer import OpenRights, Viewer

START_US = 1_796_040_000_000_000  # Mon 30 Nov 2026 12:00 UTC


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now_us = START_US

    def __call__(self) -> int:
        return self.now_us


class Desk:
    """A book on a clock of its own, and short ways to use it."""

    def __init__(self, path: str) -> None:
        self.clock = Clock()
        self.book: Ledger = open_ledger(path, now=self.clock, durable=False)

    def reserve(
        self, name: str, user: str = "alice", *, hours: float = 2, start_hours: float = 0, **more: Any
    ) -> Reservation:
        starts_us = self.clock.now_us + round(start_hours * HOUR_US) if start_hours else None
        request = Request((name,), Holder(user), starts_us=starts_us, duration_us=round(hours * HOUR_US), **more)
        return self.book.reserve(request)

    def press(self, user: str | None, do: str, **fields: str) -> Message:
        return act(self.book, Form({"do": do, **fields}, viewer(user), UTC))

    def later(self, hours: float) -> None:
        self.clock.now_us += round(hours * HOUR_US)


def viewer(user: str | None, **more: Any) -> Viewer:
    """A viewer in a book without rules; the public may look."""
    return Viewer(
        user,
        OpenRights(kickers=frozenset({"boss"}), admins=frozenset({"boss"}), public=True),
        csrf="token" if user else "",
        **more,
    )


def asked(
    user: str | None = "alice", *, fragment: bool = False, hidden: bool = False, **query: str | list[str]
) -> Asked:
    """What a browser of ``user`` asks for."""
    values = {name: value if isinstance(value, list) else [value] for name, value in query.items()}
    return Asked(viewer(user, names_hidden=hidden), UTC, values, fragment=fragment)


def waiting(resources: tuple[str, ...], holder: Holder, **more: Any) -> Request:
    """What a page asks for whose place in the queue the server keeps."""
    return Request(resources, holder, tags=(KEPT,), **more)
