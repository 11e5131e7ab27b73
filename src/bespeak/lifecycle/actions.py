"""The actions on hosts that commands offer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bespeak.host.power.base import CYCLE_DELAY_SECONDS
from bespeak.host.power.verification import NO_LIMIT_SECONDS, TIMEOUT_SECONDS
from bespeak.host.status import Status
from bespeak.lifecycle.model import HostAction

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.host.console.dialogue import Dialogue
    from bespeak.host.power.management import BootDevice

POWER = ("on", "off", "cycle", "toggle")
_GRACE_SECONDS = 15.0
_TIMES = {"on": 1, "off": 1, "cycle": 3, "toggle": 2}
"""How many of a controller's own time-outs an action can use up."""


def power_action(name: str) -> HostAction:
    """Return ``on``, ``off``, ``cycle`` or ``toggle``."""

    async def run(host: Host) -> tuple[Status, str]:
        if name == "cycle":
            return await host.require_power_control().cycle(host)
        return await host.power(None if name == "toggle" else name)

    def limit(host: Host) -> float:
        control: Any = host.power_control
        timeout: float | None = getattr(control, "timeout", TIMEOUT_SECONDS)
        seconds = (NO_LIMIT_SECONDS if timeout is None else timeout) * _TIMES[name]
        delay: float = getattr(control, "cycle_delay", CYCLE_DELAY_SECONDS) if name == "cycle" else 0.0
        return seconds + delay + _GRACE_SECONDS

    return HostAction(name, run, limit=limit, ends_on=name == "cycle", command=f"power {name}")


def reboot_action(*, hard: bool, wait: bool, timeout_seconds: float) -> HostAction:
    """Return a restart, of the system or (``hard``) by its power."""

    async def run(host: Host) -> tuple[Status, str]:
        return await host.reboot(hard=hard, wait=wait, timeout=timeout_seconds)

    command = "host reboot --hard" if hard else "host reboot"
    return HostAction("hard reboot" if hard else "reboot", run, switches=hard, ends_on=hard, command=command)


def shutdown_action() -> HostAction:
    """Return a shut-down from the host's own system."""

    async def run(host: Host) -> tuple[Status, str]:
        return await host.shutdown()

    return HostAction("shutdown", run, switches=False, command="host shutdown")


def exec_action(command: str, timeout_seconds: float | None) -> HostAction:
    """Return a command on the host; the text of the outcome is its output."""

    async def run(host: Host) -> tuple[Status, str]:
        result = await host.oneshot(command, timeout=timeout_seconds)
        said = result.output
        if result.status is Status.Failed and not said:
            said = f"exit code {result.retcode}"
        return result.status, said

    return HostAction("exec", run, switches=False)


def boot_action(device: BootDevice, *, once: bool) -> HostAction:
    """Return that a host starts from ``device``, the next time or every time."""

    async def run(host: Host) -> tuple[Status, str]:
        from bespeak.host.power.management import set_boot

        return await set_boot(host, device, once=once)

    how = f"boot {device.value}" + (" once" if once else "")
    return HostAction(how, run, switches=False, by_manager=True)


def console_action(dialogue: Dialogue, path: str, kind: str) -> HostAction:
    """Return a conversation with the console of a host.

    Args:
        dialogue: what is wanted of it; it says afterwards what came of it.
        path: the transcript.
        kind: how the console is reached.
    """

    async def run(host: Host) -> tuple[Status, str]:
        from bespeak.host.console.dialogue import converse

        return await converse(host, dialogue, path)

    return HostAction("console", run, switches=False, by=kind)
