"""What a host starts from, and how it is, over IPMI."""

from __future__ import annotations

from typing import Any, Protocol

from bespeak.base.display import escape_unprintable
from bespeak.host.power.device import PowerFault
from bespeak.host.power.management import BootDevice, Health, Level, Sensor, warning_of, worst
from bespeak.host.power.permission import before_change
from bespeak.host.status import PowerState, Status

_CHASSIS = 0
_SET_BOOT, _GET_BOOT = 8, 9
_FLAGS, _FLAGS_KEPT = 5, 3
_KEEP_WITHOUT_RESTART = 0x08
"""The flags are not forgotten when the restart comes later than 60 s after them."""
_VALID, _ALWAYS = 0x80, 0x40
_DEVICES = {
    BootDevice.DEFAULT: 0,
    BootDevice.PXE: 1,
    BootDevice.DISK: 2,
    BootDevice.CD: 5,
    BootDevice.BIOS: 6,
}
_DEVICE_AT = 2
_DEVICE_MASK = 0x0F
_FAULTS = (
    # byte of the chassis status, bit, what it says, how bad that is
    (0, 0x02, "power overload", Level.CRITICAL),
    (0, 0x08, "power fault", Level.CRITICAL),
    (0, 0x10, "power control fault", Level.CRITICAL),
    (2, 0x01, "chassis intrusion", Level.WARNING),
    (2, 0x04, "drive fault", Level.CRITICAL),
    (2, 0x08, "cooling fault", Level.CRITICAL),
)
_LEVELS = (Level.OK, Level.WARNING, Level.CRITICAL, Level.CRITICAL)


class Controller(Protocol):
    """A management controller that can be asked."""

    @property
    def place(self) -> str:
        """Where it is, for messages."""

    async def exchange(self, netfn: int, command: int, data: tuple[int, ...]) -> list[int]:
        """Send one command; return the data of the answer."""

    async def ask(self, operation: str) -> dict[str, Any]:
        """Have the process that speaks IPMI do something."""


async def set_boot(control: Controller, device: BootDevice, *, once: bool) -> str:
    """Set what a host starts from, and read back that it is set; return what people should know of it.

    Raises:
        PowerFault: it did not work.
    """
    await before_change()
    try:
        await control.exchange(_CHASSIS, _SET_BOOT, (_FLAGS_KEPT, _KEEP_WITHOUT_RESTART))
    except PowerFault as fault:
        if fault.status is not Status.Failed:
            raise  # one that says no to this keeps the flags in its own way
    number = _DEVICES[device]
    flags = 0 if device is BootDevice.DEFAULT else _VALID | (0 if once else _ALWAYS)
    await control.exchange(_CHASSIS, _SET_BOOT, (_FLAGS, flags, number << _DEVICE_AT, 0, 0, 0))
    found = await control.exchange(_CHASSIS, _GET_BOOT, (_FLAGS, 0, 0))
    return _read_back(control.place, found, flags, number)


def _read_back(place: str, found: list[int], flags: int, number: int) -> str:
    if len(found) < 4:  # noqa: PLR2004 - version, parameter, flags, device
        return "the controller does not say what is set"
    said, device = found[2], found[3] >> _DEVICE_AT & _DEVICE_MASK
    if flags and device != number:
        raise PowerFault(f"{place}: it was accepted, but the controller says device {device}", Status.Failed)
    if flags and not said & _VALID:
        return "the controller has taken it, and does not say that it is in force"
    if flags and (said & _ALWAYS) != (flags & _ALWAYS):
        starts = "the next start only" if flags & _ALWAYS else "every start"
        return f"the controller says that it is for {starts}"
    return ""


async def read_health(control: Controller) -> Health:
    """Read the chassis status, the sensors and the newest entries of the event log.

    Raises:
        PowerFault: not even the chassis status can be read.
    """
    answer = await control.ask("health")
    status = [int(each) for each in answer["data"]]
    if not status:
        raise PowerFault(f"{control.place}: the chassis status is empty", Status.Failed)
    faults = [(text, level) for at, bit, text, level in _FAULTS if len(status) > at and status[at] & bit]
    sensors = tuple(_sensor(each) for each in answer["sensors"])
    levels = [level for _, level in faults] + [each.level for each in sensors if each.level is not None]
    warnings = [f"chassis: {text}" for text, _ in faults]
    warnings += [text for each in sensors if (text := warning_of(each)) is not None]
    return Health(
        worst([*levels, Level.OK]),
        PowerState.ON if status[0] & 1 else PowerState.OFF,
        sensors,
        tuple(warnings),
        tuple(answer["events"]),
        tuple(f"{control.place}: {escape_unprintable(text)}" for text in answer["unread"]),
    )


def _sensor(found: dict[str, Any]) -> Sensor:
    bits = int(found["health"])
    level = _LEVELS[min(bits.bit_length(), len(_LEVELS) - 1)]
    states = tuple(str(each) for each in found["states"])
    return Sensor(str(found["name"]), str(found["kind"]).lower(), found["value"], str(found["unit"]), level, states)
