"""What a reservation backend must answer, and what it may answer in addition.

The contract is small on purpose: three questions, none of which changes anything. The scheduler behind a backend
stays the authority. Whatever keeps a backend from answering must be raised as
:class:`~bespeak.reservations.check.ReservationBackendError`; the gate then stays shut and says how to go on.

Capabilities are found by structure: a backend that has the method has the capability. Nothing is inherited.

A backend of one's own is registered by an init module and selected by its bare name::

    [reservations]
    backend = "team-calendar"
    url = "https://calendar.example.com"

    [reservations.team-calendar]
    api_key_env = "CALENDAR_KEY"

``url``, where it is set, and the sub-table reach the constructor as keyword arguments.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable


@runtime_checkable
class ReservationBackend(Protocol):
    """A read-only view of who holds what."""

    def get_reserved_resources(self, username: str) -> set[str]:
        """Return the resources that ``username`` holds now; an empty set if none.

        Args:
            username: passed through unchanged; case and spelling are the backend's business.

        Returns:
            Names that equal those of the lab byte for byte; any normalisation is the backend's business.

        Raises:
            ReservationBackendError: there is no definite answer.
        """

    def who_reserved(self, resource: str) -> list[str]:
        """Return who holds ``resource`` now: each once, in an order that does not change; empty if nobody.

        Raises:
            ReservationBackendError: there is no definite answer.
        """

    def backend_name(self) -> str:
        """Return a short name for messages, the same in every run."""


@runtime_checkable
class SupportsUsernameCompletion(Protocol):
    """The backend can list its users, so that a shell can complete ``--as-user``."""

    def list_usernames(self) -> list[str]:
        """Return every user the backend knows."""


@dataclass(frozen=True, slots=True)
class ReservationWindow:
    """One resource held from ``start`` until just before ``end``.

    Attributes:
        resource: what is held.
        start: when it begins, with a zone; None if the backend does not know.
        end: when it ends, with a zone; None for an open end.
    """

    resource: str
    start: datetime | None
    end: datetime | None


@runtime_checkable
class SupportsReservationWindows(Protocol):
    """The backend knows from when until when."""

    def get_reservation_windows(self, username: str) -> list[ReservationWindow]:
        """Return what ``username`` holds now or later, in order of start; instants carry a zone."""


@runtime_checkable
class SupportsHeldAmong(Protocol):
    """The backend can answer for some resources without listing all that a user holds."""

    def held_among(self, username: str, resources: Collection[str]) -> set[str]:
        """Return those of ``resources`` that ``username`` holds now."""


@runtime_checkable
class SupportsHolderEnds(Protocol):
    """The backend knows until when a holder holds."""

    def holder_ends(self, resource: str) -> list[tuple[str, int | None]]:
        """Return who holds ``resource`` now, as :meth:`ReservationBackend.who_reserved` does, and until when.

        Instants are µs since 1970 UTC, ``clock.FOREVER_US`` for an open end, None if unknown.
        """


@runtime_checkable
class SupportsNextFree(Protocol):
    """The backend knows from when on a resource is free."""

    def next_free(self, resources: Collection[str]) -> dict[str, int]:
        """Return from when on each of ``resources`` is free, µs since 1970 UTC; only what is taken now and known."""


@runtime_checkable
class SupportsUsers(Protocol):
    """The backend knows what uses a resource, and where."""

    def users_of(self, resources: Collection[str]) -> dict[str, list[tuple[str, str, int]]]:
        """Return for each of ``resources`` that is held: by whom, what uses it where, the last sign of life.

        What uses it is a text for people, empty if unknown; the sign of life is in µs since 1970 UTC, 0 if unknown.
        """


@runtime_checkable
class SupportsHoldings(Protocol):
    """The backend answers the gate's whole question in one look, so that the answer belongs to one moment."""

    def holdings(
        self, username: str, resources: Collection[str]
    ) -> tuple[set[str], dict[str, list[tuple[str, int | None]]]]:
        """Return those of ``resources`` that ``username`` holds now, and for each other one who holds it until when.

        Holders and instants are as :meth:`SupportsHolderEnds.holder_ends` gives them.
        """
