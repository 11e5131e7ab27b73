"""What management controllers can do besides switching: say what a host starts from, and tell how it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError
from bespeak.host.device_limit import time_limit
from bespeak.host.power.device import PowerFault
from bespeak.host.power.permission import OrderForbiddenError
from bespeak.host.power.verification import NO_LIMIT_SECONDS, TIMEOUT_SECONDS
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.host.power.base import PowerController


class BootDevice(Enum):
    """What a host starts from."""

    PXE = "pxe"
    """The network."""
    DISK = "disk"
    CD = "cd"
    """A CD or DVD drive, which may be a virtual one."""
    BIOS = "bios"
    """The set-up of its firmware, instead of a system."""
    DEFAULT = "default"
    """What its firmware is set to: nothing is overridden."""


class Level(Enum):
    """How a host or a part of it is."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


_WORST_FIRST = (Level.CRITICAL, Level.WARNING, Level.OK)


@dataclass(frozen=True, slots=True)
class Sensor:
    """One reading.

    Attributes:
        name: the sensor's name.
        kind: what it measures: ``temperature``, ``fan``, ``power``, ``voltage``, or the device's own word.
        value: what it reads; None for one that has states only, or reads nothing now.
        unit: of the value, as the device says it: ``°C``, ``RPM``.
        level: how the device judges it; None where it does not.
        states: what else it says, for people.
    """

    name: str
    kind: str
    value: float | None = None
    unit: str = ""
    level: Level | None = None
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """How a host is.

    Attributes:
        level: the worst of what the controller judges; None where it judges nothing.
        power: whether it is on; None where that is not told.
        sensors: every reading.
        warnings: what is not as it should be now, one line each.
        events: the newest entries of the event log that tell of something worse than "ok", newest first.
        unread: what could not be read, and why; nothing is concluded from it.
    """

    level: Level | None
    power: PowerState | None = None
    sensors: tuple[Sensor, ...] = ()
    warnings: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@runtime_checkable
class SupportsBoot(Protocol):
    """A controller that can say what a host starts from."""

    async def set_boot(self, host: Host, device: BootDevice, *, once: bool) -> str:
        """Set it; return what people should know of it.

        Raises:
            PowerFault: it did not work.
        """


@runtime_checkable
class SupportsHealth(Protocol):
    """A controller that can tell how a host is."""

    async def health(self, host: Host) -> Health:
        """Read it; nothing is changed.

        Raises:
            PowerFault: it could not be read.
        """


def worst(levels: list[Level]) -> Level | None:
    """Return the worst of ``levels``; None if there is none."""
    return next((level for level in _WORST_FIRST if level in levels), None)


def warning_of(sensor: Sensor) -> str | None:
    """Return in one line what is wrong with what a sensor reads; None if nothing is."""
    if sensor.level in {Level.OK, None}:
        return None
    value = "" if sensor.value is None else f" {sensor.value:g} {sensor.unit}".rstrip()
    return f"{sensor.name}:{value} {' '.join(sensor.states) or sensor.level.value}".replace(":  ", ": ")


def management_from_spec(value: Any) -> PowerController | None:
    """Make what manages a host beside what switches it, from lab data as for ``power_control``; None for nothing.

    Raises:
        ValueError: it cannot be used, or can neither say what a host starts from nor tell how it is.
    """
    from bespeak.host.power.registry import power_control_from_spec

    control = power_control_from_spec(value)
    if control is None or isinstance(control, (SupportsBoot, SupportsHealth)):
        return control
    raise ValueError(f"{control.type_name} neither says what a host starts from nor has sensors; redfish and ipmi do")


def managing_controllers(host: Host) -> tuple[Any, ...]:
    """Return what may manage ``host``, in the order in which it is asked: its ``management_control`` comes first."""
    power: Any = host.power_control
    found = (host.management, *getattr(power, "controllers", (power,)))
    return tuple(each for each in found if each is not None)


def manager_name(host: Host) -> str | None:
    """Return the type of what manages ``host``, or else of what switches it; None where nothing does."""
    for control in managing_controllers(host):
        if isinstance(control, (SupportsBoot, SupportsHealth)):
            return str(getattr(control, "type_name", type(control).__name__))
    power: Any = host.power_control
    return None if power is None else str(getattr(power, "described", power.type_name))


def boot_controller(host: Host) -> SupportsBoot:
    """Return what sets what ``host`` starts from.

    Raises:
        ValueError: nothing does.
    """
    found: SupportsBoot = _first(SupportsBoot, host, "cannot say what it starts from; redfish and ipmi can")
    return found


def health_controller(host: Host) -> SupportsHealth:
    """Return what tells how ``host`` is.

    Raises:
        ValueError: nothing does.
    """
    found: SupportsHealth = _first(SupportsHealth, host, "has no sensors; redfish and ipmi have")
    return found


def _first(wanted: Any, host: Host, lacks: str) -> Any:
    for control in managing_controllers(host):
        if isinstance(control, wanted):
            return control
    raise ValueError(f"{_described(host)} {lacks}")


def _seconds(control: object) -> float:
    """Return how long one request to ``control`` may take, seconds."""
    timeout: float | None = getattr(control, "timeout", TIMEOUT_SECONDS)
    return NO_LIMIT_SECONDS if timeout is None else timeout


async def set_boot(host: Host, device: BootDevice, *, once: bool) -> tuple[Status, str]:
    """Set what ``host`` starts from; return how that ended and what is to be known of it."""
    try:
        control = boot_controller(host)
    except ValueError as error:
        return Status.Error, str(error)
    seconds = _seconds(control)
    try:
        async with time_limit(seconds):
            return Status.Success, await control.set_boot(host, device, once=once)
    except TimeoutError:
        return Status.Error, f"no answer within {seconds:g} s"
    except PowerFault as fault:
        return fault.status, str(fault)
    except OrderForbiddenError:
        raise
    except (BespeakError, ValueError) as error:
        return Status.Error, str(error)


async def read_health(host: Host) -> tuple[Health | None, str]:
    """Return how ``host`` is; None and the reason where that cannot be told."""
    try:
        control = health_controller(host)
    except ValueError as error:
        return None, str(error)
    seconds = _seconds(control)
    try:
        async with time_limit(seconds):
            return await control.health(host), ""
    except TimeoutError:
        return None, f"no answer within {seconds:g} s"
    except (PowerFault, BespeakError, ValueError) as error:
        return None, str(error)


def _described(host: Host) -> str:
    control: Any = host.power_control
    if control is None:
        return f"host {host.id!r} has no power_control and no management_control, so it"
    kind = escape_unprintable(str(getattr(control, "described", control.type_name)))
    return f"the power_control of host {host.id!r} ({kind})"
