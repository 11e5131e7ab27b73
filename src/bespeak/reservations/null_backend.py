"""The backend of those who have none: the check does nothing, and the report says so."""

from __future__ import annotations


class NullReservationBackend:
    """Knows of no reservations; selected by ``backend = "none"`` or by saying nothing."""

    def get_reserved_resources(self, username: str) -> set[str]:  # noqa: ARG002 - the protocol's signature
        """Return the empty set."""
        return set()

    def who_reserved(self, resource: str) -> list[str]:  # noqa: ARG002 - the protocol's signature
        """Return nobody."""
        return []

    def backend_name(self) -> str:
        """Return ``none``."""
        return "none"
