"""Claims brought together by address: whatever is said of an address is said of all claims on it at once."""

from __future__ import annotations

from bespeak.coord import address as addresses
from bespeak.coord.forecast.pair_count import Tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.coord.address import Address
    from bespeak.coord.forecast.model import ClaimedAddress
    from bespeak.coord.forecast.pair_count import Asked


class Group:
    """All claims on one address. What is derived from them is worked out when somebody asks.

    Args:
        first: one of them.
        asked: which claims were asked for; None for all.
    """

    __slots__ = ("_address", "_asked", "_held", "_operations", "_stakes", "claims", "glob", "key", "text")

    def __init__(self, first: ClaimedAddress, asked: Asked | None) -> None:
        self.key, self.text, self.glob = first.key, first.address, first.glob
        self.claims: list[ClaimedAddress] = []
        self._asked = asked
        self._address: Address | None = None
        self._held: Tally | None = None
        self._stakes: Tally | None = None
        self._operations: dict[str | None, Tally] | None = None

    @property
    def address(self) -> Address:
        """The address."""
        if self._address is None:
            self._address = addresses.stored(self.text, self.glob)
        return self._address

    @property
    def path(self) -> str:
        """The path of the file; of a folder without its slash."""
        return self.address.path

    @property
    def wanted(self) -> bool:
        """One of its claims was asked for."""
        return self._asked is None or any(map(self._asked, self.claims))

    @property
    def held(self) -> Tally:
        """Those of reservations."""
        if self._held is None:
            own = [claim for claim in self.claims if claim.intent_id is None]
            self._held = Tally(own, self._asked)
        return self._held

    @property
    def stakes(self) -> Tally:
        """Those of reservations, and of intents that no reservation stands for."""
        if self._stakes is None:
            own = [claim for claim in self.claims if claim.intent_id is None or claim.reservation_id is None]
            self._stakes = self.held if len(own) == self.held.count else Tally(own, self._asked)
        return self._stakes

    @property
    def operations(self) -> dict[str | None, Tally]:
        """All of them, by what their makers said they would do."""
        if self._operations is None:
            found: dict[str | None, list[ClaimedAddress]] = {}
            for claim in self.claims:
                found.setdefault(claim.operation, []).append(claim)
            alike = len(found) == 1 and self.held.count == len(self.claims)
            self._operations = {
                name: self.held if alike else Tally(claims, self._asked) for name, claims in found.items()
            }
        return self._operations


def gather(claims: Iterable[ClaimedAddress], asked: Asked | None) -> list[Group]:
    """Return the claims by address, in the order of keys."""
    found: dict[tuple[str, bool], Group] = {}
    for claim in claims:
        name = (claim.address, claim.glob)
        group = found.get(name)
        if group is None:
            group = found[name] = Group(claim, asked)
        group.claims.append(claim)
    return sorted(found.values(), key=lambda group: (group.key, group.text, group.glob))
