"""The interlock: nobody acts on a host that somebody else holds.

First the gate is asked once for all hosts together, so that a refusal costs nothing. Then, right before each host is
touched, the grants are compared with those the gate saw: a reservation that was released or taken away in between has
another number or none, and the host is left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import GateRefusedError
from bespeak.lifecycle.model import HostGrant
from bespeak.reservations.check import announce_skip
from bespeak.reservations.errors import MissingReservationError
from bespeak.reservations.evaluation import ask, evaluate, name_of
from bespeak.reservations.report import report_json, until_when

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.reservations.evaluation import ReservationState
    from bespeak.reservations.report import GateReport


@runtime_checkable
class SupportsFences(Protocol):
    """What a reservation backend may be able to do in addition: tell the growing number of each grant."""

    def fences(self, username: str, resources: Collection[str]) -> list[tuple[str, str, int]]:
        """Return what ``username`` holds now among ``resources``: resource, reservation id, fencing number."""


class StaleHoldError(GateRefusedError):
    """A grant that was in force when the gate was asked is so no longer."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A fencing number that whoever acts was given beforehand.

    Attributes:
        fencing_token: the token.
        resources: what it was given for; None for whatever the host needs.
    """

    fencing_token: int
    resources: frozenset[str] | None = None


def open_hosts(hosts: Iterable[Host]) -> str | None:
    """Return in one line which of ``hosts`` can be switched and need nothing to be held; None if there is none."""
    open_ones = [host for host in hosts if not host.required and (host.power_control or host.management)]
    names = [escape_unprintable(host.id) for host in open_ones]
    if not names:
        return None
    return f"open to everybody, because neither the host nor its lab names resources: {', '.join(names)}"


@dataclass(frozen=True, slots=True)
class _Selected:
    """The chosen hosts in the shape that the gate asks for."""

    name: str
    hosts: dict[str, Any]
    resources: set[str] = field(default_factory=set)


class Interlock:
    """The gate in front of hosts.

    Attributes:
        checked: whether somebody was asked; False where the settings name no backend, None before :meth:`admit`.

    Args:
        state: backend and identity of this invocation.
        lab: the name of the lab, for messages.
        fence: the number that was given beforehand; the gate's own finding counts without one.
    """

    def __init__(self, state: ReservationState, lab: str, fence: Fence | None = None) -> None:
        self.state = state
        self.lab = lab
        self.fence = fence
        self.checked: bool | None = None

    @property
    def skipped(self) -> bool:
        """Whether ``-R`` was given."""
        return self.state.skip_check

    def admit(self, hosts: Iterable[Host], *, announce: bool = True) -> dict[str, tuple[HostGrant, ...]]:
        """Ask the gate for everything that ``hosts`` need; return the grants of each by host id.

        Raises:
            MissingReservationError: something is not held.
            StaleHoldError: the number that was given beforehand is not that of the grant in force.
            ReservationBackendError: the backend cannot be asked.
        """
        chosen = {host.id: host for host in hosts}
        report = self._report(chosen)
        self.checked = report.checked
        if report.skipped:
            if announce:
                announce_skip(report)
            return dict.fromkeys(chosen, ())
        if report.missing:
            raise MissingReservationError("\n".join([report.text, *until_when(report)]), **report_json(report))
        found = self._holds({name for host in chosen.values() for name in host.required})
        return {
            identifier: self._fenced(host, [hold for hold in found if hold.resource in host.required])
            for identifier, host in chosen.items()
        }

    def confirm(self, host: Host, holds: tuple[HostGrant, ...]) -> None:
        """See, right before ``host`` is touched, that what let it through is still in force.

        Raises:
            StaleHoldError: it is not.
            ReservationBackendError: the backend cannot be asked.
        """
        if self.skipped:
            return
        if not holds:  # a backend without numbers: the question itself is asked again
            report = self._report({host.id: host})
            if report.missing:
                raise StaleHoldError(" ".join(report.text.split("\n")))
            return
        in_force = set(self._holds(host.required))
        for hold in holds:
            if hold not in in_force:
                raise StaleHoldError(
                    f"{escape_unprintable(hold.resource)} is no longer held under reservation {hold.reservation_id} "
                    f"(number {hold.fencing_token}); the host was left alone"
                )

    def open_to_all(self, hosts: Iterable[Host]) -> str | None:
        """Return in one line which of ``hosts`` nothing keeps anybody from using, after :meth:`admit`; None if none."""
        if self.skipped:
            return None
        if self.checked is False:
            return "no reservations are checked here: the settings name no backend, so anybody may do this"
        return open_hosts(hosts)

    @property
    def _numbered(self) -> bool:
        backend: Any = self.state.backend
        return isinstance(backend, SupportsFences)

    def _report(self, hosts: dict[str, Host]) -> GateReport:
        of_labs = {name for host in hosts.values() for name in host.required}
        return evaluate(self.state, _Selected(self.lab, dict(hosts), of_labs))

    def _holds(self, resources: set[str]) -> list[HostGrant]:
        backend: Any = self.state.backend
        identity = self.state.identity
        if identity is None or not resources or not self._numbered:
            return []
        found = ask(backend, name_of(backend), "fences", identity.username, resources)
        return [HostGrant(*each) for each in found]

    def _fenced(self, host: Host, holds: list[HostGrant]) -> tuple[HostGrant, ...]:
        """Return one grant for each resource: that of the number given beforehand, else the newest."""
        if not self._numbered:
            return ()
        newest = {hold.resource: hold for hold in sorted(holds, key=lambda hold: hold.fencing_token)}
        for name in sorted(host.required - newest.keys()):  # released since the gate was asked
            raise StaleHoldError(f"{escape_unprintable(name)} is no longer held; nothing was touched")
        fence = self.fence
        if fence is None:
            return tuple(newest.values())
        for name in sorted(host.required if fence.resources is None else host.required & fence.resources):
            match = [hold for hold in holds if hold.resource == name and hold.fencing_token == fence.fencing_token]
            if not match:
                raise StaleHoldError(
                    f"number {fence.fencing_token} is stale for {escape_unprintable(name)}: "
                    f"the reservation in force has number {newest[name].fencing_token}"
                )
            newest[name] = match[0]
        return tuple(newest.values())
