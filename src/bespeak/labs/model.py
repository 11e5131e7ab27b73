"""The values: a host as the lab files describe it, and a lab.

``hosts`` is a mapping by id and ``resources`` are sets, as code written for otto's labs expects. What other wings
know how to read (credentials, power) stays in the raw table, which is never part of a repr: a message about a host
must not carry its passwords.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_ACTING = (
    *("address", "ip", "hop", "user", "creds", "ssh"),
    *("power_control", "management_control", "reboot_cmd", "shutdown_cmd", "snmp", "console"),
)


@dataclass(frozen=True, slots=True)
class HostSpec:
    """One host.

    Attributes:
        id: its name in the lab.
        labs: the labs it belongs to, in the order of the file.
        resources: what one must hold to use it.
        address: where it is, when the file says so.
        source: the file, and the place in it.
        raw: the whole table of the file.
        file: the file.
    """

    id: str
    labs: tuple[str, ...] = ()
    resources: set[str] = field(default_factory=set)
    address: str | None = None
    source: str = ""
    raw: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    file: str = field(default="", compare=False)

    @property
    def power_control(self) -> Any:
        """How the host is switched, exactly as the file has it; None when it does not say."""
        return self.raw.get("power_control")

    @property
    def management_control(self) -> Any:
        """What manages the host beside that, exactly as the file has it; None when it does not say."""
        return self.raw.get("management_control")

    @property
    def acts(self) -> list[str]:
        """The fields that say where to connect, as whom, with which secret, or what to run; using them needs trust."""
        return [name for name in _ACTING if self.raw.get(name)]


@dataclass(frozen=True, slots=True)
class Lab:
    """A named set of hosts and resources.

    Attributes:
        name: the name, or the names joined with ``_`` for several labs used as one.
        resources: what the lab needs beyond what its hosts need.
        hosts: the hosts by id, sorted.
        description: a line for people.
        names: the labs this is made of.
    """

    name: str
    resources: set[str] = field(default_factory=set)
    hosts: dict[str, HostSpec] = field(default_factory=dict)
    description: str = ""
    names: tuple[str, ...] = ()


def required_resources(lab: Any) -> set[str]:
    """Return every resource one must hold to use ``lab``: its own and those of each of its hosts.

    Args:
        lab: anything with ``resources`` and ``hosts``; hosts may be a mapping or a plain collection.
    """
    needed: set[str] = set(lab.resources)
    hosts = lab.hosts
    for host in hosts.values() if hasattr(hosts, "values") else hosts:
        needed.update(host.resources)
    return needed
