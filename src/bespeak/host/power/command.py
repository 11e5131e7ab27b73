"""Switching by commands: on the hypervisor, on a jump host with ``ipmitool``, or on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, cast

from bespeak.host.base import Host, active_lab
from bespeak.host.power.device import Device, PowerFault, text_field
from bespeak.host.power.state_matcher import StateMatcher
from bespeak.host.power.templates import Template
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

    from bespeak.host.status import CommandStatus

_LOCAL_AT_ONCE = 64


@dataclass
class CommandPowerController(Device):
    """Runs commands, with the target's ``{name}``, ``{ip}`` and ``{id}`` filled in and quoted.

    Args:
        on_cmd: switches the host on; exit code 0 means done.
        off_cmd: switches it off.
        status_cmd: prints its state; without it nothing is read back, and the state is unknown.
        status_on: what ``status_cmd`` prints when the host is on: a whole line or whole words.
        controller: the id of the lab host that runs the commands; None for this machine.
        status_off: what it prints when the host is off; output with neither is then unknown.
        status_on_regex: a regular expression in place of ``status_on``.
        timeout: seconds for one action, reading back included.
        cycle_delay: seconds between off and on.

    Raises:
        ValueError: a template or a marker cannot be used; the message begins with its name.
    """

    type_name: ClassVar[str] = "command"

    on_cmd: str
    off_cmd: str
    status_cmd: str | None = None
    status_on: str = ""
    controller: str | None = None
    status_off: str | None = field(default=None, kw_only=True)
    status_on_regex: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._templates()
        if self.controller is not None:
            text_field(self.controller, "controller")

    def _templates(self) -> tuple[Template, Template]:
        """Return the commands for on and off as the attributes are now; code may set them at any time."""
        _ = self._state
        return Template(self.on_cmd, "on_cmd"), Template(self.off_cmd, "off_cmd")

    @property
    def _state(self) -> StateCommand | None:
        return StateCommand.of(self.status_cmd, self.status_on, self.status_on_regex, self.status_off)

    @property
    def reports(self) -> bool:
        """Whether there is a ``status_cmd``."""
        return self._state is not None

    @property
    def idempotent(self) -> bool:
        """Not known of a command: it may press a button. It is repeated only when the state says it did nothing."""
        return False

    def turn(self, host: Host) -> tuple[Hashable, int]:
        """Return the host that runs the commands, and how many it runs at once."""
        runner = self._runner(host)
        usual = (self.place, _LOCAL_AT_ONCE)
        place, at_once = getattr(runner, "session_limit", usual) if isinstance(runner, Host) else usual
        return ("command", place), self.connections or at_once

    def check(self, host: Any) -> None:
        """Fill every template for ``host``, so that a name which cannot be used is found when the lab is loaded.

        Raises:
            ValueError: a value is missing, or not safe where it would stand.
        """
        values = values_of(host)
        state = self._state
        for template in (*self._templates(), *([state.template] if state else ())):
            template.filled(values)

    async def switch(self, host: Host, state: PowerState) -> str:
        """Run ``on_cmd`` or ``off_cmd``."""
        on, off = self._templates()
        template = on if state is PowerState.ON else off
        result = await self._run(template, host)
        if result.status is not Status.Success:
            said = result.output or f"{template.where} exited with {result.retcode}"
            raise PowerFault(said, result.status)
        return result.output

    async def read(self, host: Host) -> PowerState | None:
        """Run ``status_cmd``; one that fails says nothing."""
        state = self._state
        return None if state is None else state.read(await self._run(state.template, host))

    async def _run(self, template: Template, host: Host) -> CommandStatus:
        runner = self._runner(host)
        try:
            command = template.filled(values_of(host))
        except ValueError as error:
            raise PowerFault(str(error)) from error
        if not isinstance(runner, Host):  # the contract says no more of one than that it has oneshot(command)
            return cast("CommandStatus", await runner.oneshot(command))
        return await runner.oneshot(command, timeout=self.timeout)

    def _runner(self, host: Host) -> Any:
        if self.controller is None:
            from bespeak.host.local import LocalHost

            return LocalHost(folder=getattr(host, "folder", None))
        lab = getattr(host, "_lab", None) or active_lab()
        hosts = {} if lab is None else lab.hosts
        if self.controller not in hosts:
            raise ValueError(
                f"power controller for {host.name!r}: controller host {self.controller!r} not found in the lab"
            )
        return hosts[self.controller]


class StateCommand:
    """A command that prints a state, and how to read it."""

    def __init__(self, template: Template, marker: StateMatcher) -> None:
        self.template = template
        self._marker = marker

    @classmethod
    def of(cls, command: object, on: object, on_regex: object, off: object) -> StateCommand | None:
        """Return the command of lab data; None without one.

        Raises:
            ValueError: it, or its markers, cannot be used.
        """
        if command is None:
            if on or on_regex is not None or off is not None:
                raise ValueError("status_on, status_on_regex and status_off need a status_cmd")
            return None
        return cls(Template(command, "status_cmd"), StateMatcher(on, on_regex, off))

    def read(self, result: CommandStatus) -> PowerState | None:
        """Return what the command said.

        Raises:
            PowerFault: it failed, so it said nothing.
        """
        if result.status is not Status.Success:
            raise PowerFault(f"status_cmd failed: {result.output or f'exit code {result.retcode}'}", result.status)
        return self._marker.read(result.output)


def values_of(host: Any) -> dict[str, str | None]:
    """Return what templates may name of a host."""
    return {"name": host.name, "ip": getattr(host, "ip", None), "id": host.id}
