"""Which hosts are meant: by name, all of a lab, or by label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.base.errors import Field, NotFoundError, UsageError
from bespeak.host.factory import HostLab, build_hosts
from bespeak.host.label_selector import matching
from bespeak.host.power.registry import known_controllers
from bespeak.labs import Lab, open_labs

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.labs import HostSpec, LabStore
    from bespeak.settings import Settings


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen hosts.

    Attributes:
        lab: the lab they were chosen from.
        hosts: those that can be used, in the order asked for.
        broken: why others cannot, by id.
    """

    lab: HostLab
    hosts: tuple[Host, ...]
    broken: dict[str, str] = field(default_factory=dict)


def load_hosts(settings: Settings, labs: Sequence[str], wanted: Sequence[str] = (), *, acting: bool = True) -> HostLab:
    """Return the lab with usable hosts.

    Args:
        settings: where lab data is, and which init modules register controllers.
        labs: the labs, used as one; without any, the lab of the hosts ``wanted``.
        wanted: ids of hosts.
        acting: hosts may be connected to and switched, so the folders that describe them must be trusted.

    Raises:
        UntrustedError: a folder says how hosts are reached or switched and is not trusted.
        UsageError: neither a lab nor hosts are named, or a host of that name is in labs that differ.
        NotFoundError: there is no such host.
    """
    store = open_labs(settings)
    lab = store.load(labs) if labs else _lab_of(store, wanted)
    if acting:
        store.require_trust(lab)
    _load_plugins(settings, lab)
    return build_hosts(lab)


def _lab_of(store: LabStore, wanted: Sequence[str]) -> Lab:
    if not wanted:
        raise UsageError("name hosts, or a lab with ", Field("lab"), " (or BESPEAK_LAB)")
    labs: list[str] = []
    for identifier in wanted:
        found = [host for host in store.hosts if host.id == identifier]
        if not found:
            _raise_problem(store, identifier)
            raise _unknown(identifier, [host.id for host in store.hosts], "any lab")
        if len(found) > 1:
            places = ", ".join(escape_unprintable(lab) for host in found for lab in host.labs)
            raise UsageError(
                f"there are several hosts {short_repr(identifier)}, in {places}; say which with ", Field("lab")
            )
        labs.extend(found[0].labs)
    if not labs:
        raise UsageError(f"host {short_repr(wanted[0])} belongs to no lab")
    return store.load(dict.fromkeys(labs))


def _raise_problem(store: LabStore, identifier: str) -> None:
    for problem in store.problems:
        if problem.host == identifier:
            raise UsageError(problem.text)


def _load_plugins(settings: Settings, lab: Lab) -> None:
    """Import init modules, but only when lab data names a controller that nobody knows yet."""
    names = {name for spec in lab.hosts.values() for name in _types(spec)}
    if names.difference(known_controllers()):
        from bespeak.reservations.factory import load_init_modules

        load_init_modules(list(settings.repos))


def _types(spec: HostSpec) -> set[str]:
    value = spec.power_control
    tables = [*(value if isinstance(value, list) else [value]), spec.management_control]
    found = (each.get("type") if isinstance(each, dict) else each for each in tables)
    return {each for each in found if isinstance(each, str)}


def select(lab: HostLab, ids: Sequence[str] = (), *, every: bool = False, label: str | None = None) -> Selection:
    """Choose hosts of ``lab``.

    Args:
        lab: the lab.
        ids: hosts by name; each counts once.
        every: all that have a power controller.
        label: those of them whose labels match.

    Raises:
        UsageError: nothing was chosen, or in two ways at once.
        NotFoundError: there is no such host.
    """
    if bool(ids) + every + (label is not None) != 1:
        raise UsageError("name hosts, or give ", Field("all"), ", or ", Field("label"), ": exactly one of the three")
    if ids:
        chosen = list(dict.fromkeys(ids))
        for identifier in chosen:
            if identifier not in lab.hosts and identifier not in lab.broken:
                raise _unknown(identifier, [*lab.hosts, *lab.broken], f"lab {lab.name}")
        hosts = [lab.hosts[each] for each in chosen if each in lab.hosts]
        return Selection(lab, tuple(hosts), {each: lab.broken[each] for each in chosen if each in lab.broken})
    switchable = [host for host in lab.hosts.values() if host.power_control is not None]
    if label is None:
        return Selection(lab, tuple(switchable), dict(lab.broken))
    found = matching(label, switchable)
    if not found:
        raise NotFoundError(
            f"no host of lab {escape_unprintable(lab.name)} that can be switched matches {short_repr(label)}"
        )
    return Selection(lab, tuple(found))


def _unknown(identifier: str, known: Sequence[str], where: str) -> NotFoundError:
    near = suggest(identifier, known)
    hint = f"; did you mean {', '.join(map(escape_unprintable, near))}?" if near else ""
    return NotFoundError(f"there is no host {short_repr(identifier)} in {escape_unprintable(where)}{hint}")
