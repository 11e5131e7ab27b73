"""Following the states of hosts: each device is asked in rounds, and left alone in between.

In a round every host behind the device is asked once, as many at a time as the device serves. The next round begins no
sooner than a given time after the end of the last one, however many hosts there are and whatever the device answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bespeak.base.clock import iso, now
from bespeak.host.power.device import Device
from bespeak.host.power.verification import probe

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.host.status import PowerState


@dataclass(frozen=True, slots=True)
class PowerChange:
    """A state of a host that differs from the one before.

    Attributes:
        host: the host's id.
        before: the state before; None for an unknown one, and at the first reading.
        after: the state now; None for an unknown one.
        text: why it is unknown.
        at_us: when it was read, µs UTC.
        first: it is the first reading of this host.
    """

    host: str
    before: PowerState | None
    after: PowerState | None
    text: str
    at_us: int
    first: bool


def change_json(change: PowerChange) -> dict[str, Any]:
    """Return a change for programs."""
    return {
        "at": iso(change.at_us),
        "host": change.host,
        "before": None if change.first else word(change.before),
        "after": word(change.after),
        "text": change.text,
    }


def word(state: PowerState | None) -> str:
    """Return ``on``, ``off`` or ``unknown``."""
    return "unknown" if state is None else state.value


async def follow(hosts: Sequence[Host], every_seconds: float, changed: Callable[[PowerChange], None]) -> None:
    """Read the states of ``hosts`` until this is cancelled.

    Args:
        hosts: those to follow; each has a power controller.
        every_seconds: how long a device is left alone between two rounds.
        changed: called with the first state of each host, and with each that differs from the one before.
    """
    seen: dict[str, PowerState | None] = {}

    async def read(host: Host) -> None:
        state, why = await probe(host.require_power_control(), host)
        first = host.id not in seen
        if first or seen[host.id] is not state:
            before = seen.get(host.id)
            seen[host.id] = state
            changed(PowerChange(host.id, before, state, why if state is None else "", now(), first))

    async def rounds(group: Sequence[Host]) -> None:
        while True:
            await asyncio.gather(*(read(host) for host in group))
            await asyncio.sleep(every_seconds)

    await asyncio.gather(*(rounds(group) for group in by_device(hosts)))


def by_device(hosts: Sequence[Host]) -> list[list[Host]]:
    """Return the hosts in groups that share no device; a host with two supplies joins the groups of both devices."""
    groups: list[tuple[set[Hashable], list[Host]]] = []
    for host in hosts:
        devices, members = _devices(host), [host]
        apart = []
        for others, group in groups:
            if devices & others:
                devices |= others
                members = [*group, *members]
            else:
                apart.append((others, group))
        groups = [*apart, (devices, members)]
    return [group for _, group in groups]


def _devices(host: Host) -> set[Hashable]:
    control: Any = host.power_control
    found: set[Hashable] = set()
    for number, each in enumerate(getattr(control, "controllers", (control,))):
        own: Hashable = ("host", host.id, number)
        try:
            found.add(each.turn(host)[0] if isinstance(each, Device) else own)
        except ValueError:  # the host that runs its commands is not there; asking will say so
            found.add(own)
    return found
