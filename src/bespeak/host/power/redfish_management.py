"""What a host starts from, and how it is, over Redfish.

Services differ in what they have: each part is read where it is linked, and one that cannot be read is named and hides
no other. Only GET is sent to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bespeak.base.display import escape_unprintable
from bespeak.host.power.device import PowerFault
from bespeak.host.power.management import BootDevice, Health, Level, Sensor, warning_of, worst
from bespeak.host.power.permission import before_change
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from bespeak.host.power.redfish_client import RedfishClient

_TARGETS = {
    BootDevice.PXE: "Pxe",
    BootDevice.DISK: "Hdd",
    BootDevice.CD: "Cd",
    BootDevice.BIOS: "BiosSetup",
    BootDevice.DEFAULT: "None",
}
_LEVELS = {"OK": Level.OK, "WARNING": Level.WARNING, "CRITICAL": Level.CRITICAL}
_READINGS = (
    # list in Thermal or Power, kind, key of the value, unit
    ("Temperatures", "temperature", "ReadingCelsius", "°C"),
    ("Fans", "fan", "Reading", "RPM"),
    ("Voltages", "voltage", "ReadingVolts", "V"),
    ("PowerControl", "power", "PowerConsumedWatts", "W"),
    ("PowerSupplies", "supply", "LastPowerOutputWatts", "W"),
)
_MOST_SENSORS = 200
_MOST_PARTS = 16
_MOST_EVENTS = 5
_LONGEST_EVENT = 200


async def set_boot(service: RedfishClient, path: str, system: dict[str, Any], device: BootDevice, *, once: bool) -> str:
    """Set what a system starts from, and read back that it is set; return what people should know of it.

    Raises:
        PowerFault: it did not work.
    """
    target = _TARGETS[device]
    boot = system.get("Boot")
    offered = boot.get("BootSourceOverrideTarget@Redfish.AllowableValues") if isinstance(boot, dict) else None
    if isinstance(offered, list) and device is not BootDevice.DEFAULT and target not in offered:
        names = ", ".join(escape_unprintable(str(each)) for each in offered) or "nothing"
        raise PowerFault(f"{service.place}: the system cannot start from {target}; it offers {names}", Status.Failed)
    kept = "Disabled" if device is BootDevice.DEFAULT else ("Once" if once else "Continuous")
    path = _link(system) or path  # what a system was found by may be another name, where changes are not taken
    await service.get(path)  # a change says which version it changes
    await before_change()
    wanted = {"BootSourceOverrideTarget": target, "BootSourceOverrideEnabled": kept}
    if device is BootDevice.DEFAULT:
        del wanted["BootSourceOverrideTarget"]
    await service.send("PATCH", path, {"Boot": wanted})
    found = (await service.get(path)).get("Boot")
    found = found if isinstance(found, dict) else {}
    return _read_back(service, wanted, found)


def _read_back(service: RedfishClient, wanted: dict[str, str], found: dict[str, Any]) -> str:
    now = found.get("BootSourceOverrideTarget")
    target = wanted.get("BootSourceOverrideTarget")
    if target is not None and now != target:
        said = escape_unprintable(str(now))
        raise PowerFault(f"{service.place}: {target} was accepted, but the system says {said}", Status.Failed)
    kept = found.get("BootSourceOverrideEnabled")
    if kept != wanted["BootSourceOverrideEnabled"]:
        said = escape_unprintable(str(kept))
        return f"the system was asked for {wanted['BootSourceOverrideEnabled']} and says {said}"
    return ""


async def read_health(service: RedfishClient, system: dict[str, Any]) -> Health:
    """Read how a system is: its own judgement, the readings of its chassis, the newest entries of its logs."""
    reader = _Reader(service)
    power = system.get("PowerState")
    levels = [level for level in (_level(system),) if level is not None]
    warnings = [] if worst(levels) in {None, Level.OK} else [f"system: {levels[0].value}"]
    for path in _links(_part(system, "Links").get("Chassis"))[:_MOST_PARTS]:
        await reader.read_chassis(path)
    await reader.read_logs(system)
    levels += [sensor.level for sensor in reader.sensors if sensor.level is not None]
    warnings += [text for sensor in reader.sensors if (text := warning_of(sensor)) is not None]
    state = str(power).lower()
    return Health(
        worst(levels),
        PowerState(state) if state in {"on", "off"} else None,
        tuple(reader.sensors[:_MOST_SENSORS]),
        tuple(warnings),
        tuple(reader.events[:_MOST_EVENTS]),
        tuple(reader.unread),
    )


class _Reader:
    """Collects what the parts of a service say."""

    def __init__(self, service: RedfishClient) -> None:
        self._service = service
        self.sensors: list[Sensor] = []
        self.events: list[str] = []
        self.unread: list[str] = []

    async def read_chassis(self, path: str) -> None:
        chassis = await self._get(path)
        if (level := _level(chassis)) is not None:
            self.sensors.append(Sensor(_name(chassis, "chassis"), "chassis", level=level))
        for part in ("Thermal", "Power"):
            found = await self._get(_link(chassis.get(part)))
            for key, kind, value, unit in _READINGS:
                self.sensors += [_sensor(each, kind, value, unit) for each in _entries(found.get(key))]
        if not any(chassis.get(part) for part in ("Thermal", "Power")):  # services that follow the newer model only
            await self._read_sensors(_link(chassis.get("Sensors")))

    async def _read_sensors(self, collection: str | None) -> None:
        members = (await self._get(collection)).get("Members")
        for each in _entries(members)[:_MOST_SENSORS]:
            found = each if "Reading" in each else await self._get(_link(each))
            if found:
                kind = str(found.get("ReadingType") or "sensor").lower()
                self.sensors.append(_sensor(found, kind, "Reading", str(found.get("ReadingUnits") or "")))

    async def read_logs(self, system: dict[str, Any]) -> None:
        """Read the first page of each log; services give the newest entries there, or have few."""
        services = await self._get(_link(system.get("LogServices")))
        found: list[tuple[str, str]] = []
        for path in _links(services.get("Members"))[:_MOST_PARTS]:
            entries = await self._get(_link((await self._get(path)).get("Entries")))
            found += [_event(each) for each in _entries(entries.get("Members")) if _is_bad(each)]
        self.events = [f"{when} {text}".strip() for when, text in sorted(found, reverse=True)]

    async def _get(self, path: str | None) -> dict[str, Any]:
        """Return a part; an empty one where there is none, or it cannot be read, which is noted."""
        if path is None:
            return {}
        try:
            return await self._service.get(path)
        except PowerFault as fault:
            if fault.final and fault.status is Status.Error:
                raise
            self.unread.append(f"{escape_unprintable(path)}: {fault}")
            return {}


def _sensor(entry: dict[str, Any], kind: str, key: str, unit: str) -> Sensor:
    value = entry.get(key)
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    given = entry.get("ReadingUnits")
    if kind == "fan" and isinstance(given, str):
        unit = "%" if given == "Percent" else given
    state = _part(entry, "Status").get("State")
    shown = (state,) if isinstance(state, str) and state != "Enabled" else ()
    return Sensor(_name(entry, kind), kind, number, unit if number is not None else "", _level(entry), shown)


def _level(entry: dict[str, Any]) -> Level | None:
    status = _part(entry, "Status")
    if status.get("State") == "Absent":
        return None
    return _LEVELS.get(str(status.get("HealthRollup") or status.get("Health")).upper())


def _is_bad(entry: dict[str, Any]) -> bool:
    return _LEVELS.get(str(entry.get("Severity")).upper()) in {Level.WARNING, Level.CRITICAL}


def _event(entry: dict[str, Any]) -> tuple[str, str]:
    when, text = entry.get("Created"), entry.get("Message")
    level = str(entry.get("Severity")).lower()
    said = str(text) if text is not None else _name(entry, "event")
    return str(when or ""), f"{level}: {' '.join(said.split())[:_LONGEST_EVENT]}"


def _name(entry: dict[str, Any], otherwise: str) -> str:
    return str(entry.get("Name") or entry.get("MemberId") or entry.get("Id") or otherwise)


def _part(entry: dict[str, Any], key: str) -> dict[str, Any]:
    found = entry.get(key)
    return found if isinstance(found, dict) else {}


def _entries(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _link(value: Any) -> str | None:
    """Return the path in a link; one that leaves the service is none."""
    path = value.get("@odata.id") if isinstance(value, dict) else None
    good = isinstance(path, str) and path.startswith("/") and not path.startswith("//") and path.isprintable()
    return path if good else None


def _links(value: Any) -> list[str]:
    return [path for each in _entries(value) if (path := _link(each)) is not None]
