"""Who looks at a page, and what the page may show and offer to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bespeak.access.model import Right

if TYPE_CHECKING:
    from collections.abc import Collection


class ViewerRights(Protocol):
    """Answers whether a user may do something."""

    def allows(self, user: str | None, right: Right, resource: str | None) -> bool:
        """Tell whether ``user`` (None: nobody is signed in) has a right to a resource (None: to the whole book)."""

    def allowed(self, user: str | None, right: Right, resources: Collection[str]) -> Collection[str]:
        """Return those of ``resources`` to which ``user`` has a right."""


class OpenRights:
    """The rights of a book without rules: whoever is signed in may book.

    Args:
        kickers: who may take reservations away from others; None for everybody who is signed in.
        admins: who may change the resources and the policy of the book.
        public: whether pages show resources to those who are not signed in.
    """

    def __init__(
        self, *, kickers: frozenset[str] | None = None, admins: frozenset[str] = frozenset(), public: bool = False
    ) -> None:
        self._kickers = kickers
        self._admins = admins
        self._public = public

    def allows(self, user: str | None, right: Right, resource: str | None) -> bool:
        """Tell whether ``user`` has a right; all resources are alike."""
        del resource
        if user is None:
            return self._public and right is Right.LOOK
        if right is Right.KICK:
            return self._kickers is None or user in self._kickers
        return right in (Right.LOOK, Right.RESERVE) or user in self._admins

    def allowed(self, user: str | None, right: Right, resources: Collection[str]) -> Collection[str]:
        """Return those of ``resources`` to which ``user`` has a right: all or none."""
        return frozenset(resources) if self.allows(user, right, None) else frozenset()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks.

    Args:
        user: the holder that they act as; None where nobody is signed in.
        rights: what they may do.
        csrf: the token that each form carries; empty where nobody is signed in.
        names_hidden: show who holds a resource as ``somebody``, without a purpose.
    """

    user: str | None
    rights: ViewerRights = field(default_factory=OpenRights)
    csrf: str = ""
    names_hidden: bool = False

    def may(self, right: Right, resource: str | None = None) -> bool:
        """Tell whether the viewer has a right to a resource, or to the whole book."""
        return self.rights.allows(self.user, right, resource)

    def allowed(self, right: Right, resources: Collection[str]) -> Collection[str]:
        """Return those of ``resources`` to which the viewer has a right."""
        return self.rights.allowed(self.user, right, resources)

    def ask_at_once(self, resources: Collection[str]) -> None:
        """Find out what the viewer may do to all of ``resources``, so that asking for each costs nothing more."""
        for right in (Right.LOOK, Right.RESERVE, Right.KICK):
            self.allowed(right, resources)

    def holder_name(self, holder: str) -> str:
        """Return how a holder is shown to this viewer."""
        return "somebody" if self.names_hidden and holder != self.user else holder

    def purpose(self, holder: str, purpose: str) -> str:
        """Return the purpose as this viewer may read it."""
        return "" if self.names_hidden and holder != self.user else purpose
