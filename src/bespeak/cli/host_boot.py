"""``host boot``: say what hosts start from. ``host health``: tell how they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bespeak.argv.declarations import Option, command
from bespeak.base.clock import iso
from bespeak.base.display import short_repr
from bespeak.base.errors import ExitCode, UsageError
from bespeak.cli import output
from bespeak.cli.host_common import (
    CAREFUL,
    HOSTS,
    WHICH,
    Stopwatch,
    act,
    broken_outcomes,
    choose,
    gather,
    show_outcomes,
)
from bespeak.host.power.management import BootDevice, Health, Level, manager_name, read_health
from bespeak.host.status import Status
from bespeak.lifecycle.actions import boot_action
from bespeak.lifecycle.model import Outcome

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.host.base import Host


@command(
    "host boot",
    text="Sets it in the management controller (Redfish or IPMI) and reads back that it is set; nothing is "
    "restarted: that is `power cycle`. Firmware may still decide otherwise, for example where a password protects "
    "its set-up.",
    examples=(
        ("host boot node1 --device pxe --once", "the next start from the network, later ones as before"),
        ("host boot node1 --device default", "as the firmware is set"),
    ),
    arguments=HOSTS,
    options=(
        *WHICH,
        *CAREFUL,
        Option(
            ("--device",),
            "From what: pxe, disk, cd, bios (the set-up of the firmware), or default (overrides nothing).",
            "DEVICE",
            required=True,
            complete="boot_device",
        ),
        Option(("--once",), "For the next start only; otherwise for every start."),
    ),
)
def boot(context: Context, values: Values) -> int:
    """Say what hosts start from."""
    known = [device.value for device in BootDevice]
    if values["device"] not in known:
        raise UsageError(f"--device: one of {', '.join(known)}, not {short_repr(values['device'])}")
    device = BootDevice(values["device"])
    if device is BootDevice.DEFAULT and values["once"]:
        raise UsageError("--once: 'default' overrides nothing, so there is nothing that could end")
    return act(context, values, boot_action(device, once=values["once"]), show_outcomes)


@command(
    "host health",
    text="Asks the management controller (Redfish or IPMI) and changes nothing, so it needs no reservation. Health "
    "is what the controller judges now; entries of its event log are old news, and do not count. Exits 0 only if "
    "every host is ok.",
    examples=(
        ("host health node1", "and what is wrong, in a line"),
        ("host health node1 --sensors", "each reading, too"),
    ),
    arguments=HOSTS,
    options=(*WHICH, Option(("--sensors",), "Print each reading, too.")),
)
def health(context: Context, values: Values) -> int:
    """Print how hosts are: health, sensors, warnings."""
    selection = choose(context, values)
    found: dict[str, Health] = {}

    async def one(host: Host) -> Outcome:
        watch = Stopwatch()
        told, why = await read_health(host)
        if told is not None:
            found[host.id] = told
        status = Status.Error if told is None else (Status.Success if told.level is Level.OK else Status.Failed)
        text = why if told is None else "; ".join(told.warnings)
        return Outcome(
            host.id,
            "health",
            manager_name(host),
            status,
            text,
            started_us=watch.started_us,
            duration_us=watch.duration_us,
        )

    outcomes = gather(context, values, selection, one) + broken_outcomes("health", selection)
    if context.json:
        results = [_facts(one, found.get(one.host)) for one in outcomes]
        context.print_json({"ok": all(one.ok for one in outcomes), "results": results})
    else:
        _print(context, outcomes, found, sensors=values["sensors"])
    return 0 if all(one.ok for one in outcomes) else int(ExitCode.ERROR)


def _facts(outcome: Outcome, told: Health | None) -> dict[str, object]:
    """Return what is known of one host, for programs."""
    return {
        "host": outcome.host,
        "controller": outcome.controller,
        "ok": outcome.ok,
        "health": None if told is None or told.level is None else told.level.value,
        "power": None if told is None or told.power is None else told.power.value,
        "sensors": [] if told is None else [_sensor_facts(each) for each in told.sensors],
        "warnings": [] if told is None else list(told.warnings),
        "events": [] if told is None else list(told.events),
        "unread": [] if told is None else list(told.unread),
        "text": outcome.text,
        "started": iso(outcome.started_us) if outcome.started_us else None,
        "duration_us": outcome.duration_us,
    }


def _sensor_facts(sensor: Any) -> dict[str, object]:
    return {
        "name": sensor.name,
        "kind": sensor.kind,
        "value": sensor.value,
        "unit": sensor.unit,
        "health": None if sensor.level is None else sensor.level.value,
        "states": list(sensor.states),
    }


def _print(context: Context, outcomes: list[Outcome], found: dict[str, Health], *, sensors: bool) -> None:
    rows = []
    for one in outcomes:
        told = found.get(one.host)
        level = "unknown" if told is None or told.level is None else told.level.value
        power = "unknown" if told is None or told.power is None else told.power.value
        rows.append((one.host, level, power, str(len(told.sensors)) if told else "-", output.cell(one.text)))
    context.print(output.table(("HOST", "HEALTH", "POWER", "SENSORS", "SAID"), rows))
    if sensors:
        readings = [(host, *_reading(each)) for host, told in found.items() for each in told.sensors]
        context.print("")
        context.print(output.table(("HOST", "SENSOR", "KIND", "VALUE", "HEALTH", "STATES"), readings))
    for host, told in found.items():
        for line in told.events:
            context.warn(f"{host}: in its event log: {line}", "dim")
        for line in told.unread:
            context.warn(f"{host}: could not be read: {line}")


def _reading(sensor: Any) -> tuple[str, str, str, str, str]:
    value = "-" if sensor.value is None else f"{sensor.value:g} {sensor.unit}".rstrip()
    level = "-" if sensor.level is None else sensor.level.value
    return sensor.name, sensor.kind, value, level, " ".join(sensor.states) or "-"
