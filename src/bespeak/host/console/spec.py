"""What lab data says of a console: ``console = { type = "telnet", address = "ser1", port = 7004 }``."""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.host.base import active_lab
from bespeak.host.console.lines import ConsoleError, Line, open_ssh, open_tcp, open_telnet
from bespeak.host.power.device import port_number, text_field, whole_number
from bespeak.host.power.registry import power_control_from_spec
from bespeak.host.ssh import UnixHost

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.host.power.ipmi import IpmiPowerController

_FASTEST_BAUD = 10_000_000


class Console(ABC):
    """How the console of a host is reached."""

    type_name: ClassVar[str]

    @abstractmethod
    async def open(self, host: Host) -> Line:
        """Open it.

        Raises:
            ConsoleError: it cannot be opened.
        """


@dataclass(frozen=True, slots=True)
class NetworkConsole(Console):
    """A port of a console server: plain TCP."""

    type_name: ClassVar[str] = "tcp"

    address: str
    port: int

    def __post_init__(self) -> None:
        text_field(self.address, "address")
        port_number(self.port)

    async def open(self, host: Host) -> Line:  # noqa: ARG002 - the shape of all
        """Connect."""
        return await open_tcp(self.address, self.port)


@dataclass(frozen=True, slots=True)
class TelnetConsole(NetworkConsole):
    """The same with telnet."""

    type_name: ClassVar[str] = "telnet"

    async def open(self, host: Host) -> Line:  # noqa: ARG002 - the shape of all
        """Connect."""
        return await open_telnet(self.address, self.port)


@dataclass(frozen=True, slots=True)
class SerialConsole(NetworkConsole):
    """The same with RFC 2217, which sets the speed of the port."""

    type_name: ClassVar[str] = "rfc2217"

    baudrate: int = 115200

    def __post_init__(self) -> None:
        NetworkConsole.__post_init__(self)
        whole_number(self.baudrate, "baudrate", 1, _FASTEST_BAUD)

    async def open(self, host: Host) -> Line:  # noqa: ARG002 - the shape of all
        """Connect, and set the port."""
        from bespeak.host.console.serial_port import open_serial

        return await open_serial(self.address, self.port, self.baudrate)


@dataclass(frozen=True, slots=True)
class SshConsole(Console):
    """A command, or the menu that logging in shows, on a host behind SSH.

    Attributes:
        command: what to run there; None for what logging in starts.
        controller: the id of the lab host where; None for the host itself.
        line: what stands behind the colon of ``console``: the last word of the command.
    """

    type_name: ClassVar[str] = "ssh"

    command: str | None = None
    controller: str | None = None
    line: str | None = None

    def __post_init__(self) -> None:
        for name in ("command", "controller", "line"):
            if getattr(self, name) is not None:
                text_field(getattr(self, name), name)
        if self.line is not None and self.command is None:
            raise ValueError("what stands behind the colon is the last word of command, and command is missing")

    async def open(self, host: Host) -> Line:
        """Log in, and run it."""
        found: Any = host
        if self.controller is not None:
            lab = host._lab or active_lab()  # noqa: SLF001 - the contract's name for the way back
            found = None if lab is None else lab.hosts.get(self.controller)
        if not isinstance(found, UnixHost):
            named = self.controller or host.id
            raise ConsoleError(f"console: {escape_unprintable(named)} is not a host of the lab with SSH")
        command = self.command if self.line is None else f"{self.command} {shlex.quote(self.line)}"
        return await open_ssh(found, command)


@dataclass(frozen=True, slots=True)
class LanConsole(Console):
    """Serial over LAN.

    Attributes:
        control: the controller; None for the host's own ``management_control`` or ``power_control``.
    """

    type_name: ClassVar[str] = "ipmi"

    control: IpmiPowerController | None = None

    async def open(self, host: Host) -> Line:
        """Log in to the controller, and open its console."""
        from bespeak.host.console.serial_over_lan import open_serial_over_lan

        return await open_serial_over_lan(self._controller(host))

    def _controller(self, host: Host) -> IpmiPowerController:
        from bespeak.host.power.ipmi import IpmiPowerController
        from bespeak.host.power.management import managing_controllers

        for each in (self.control, *managing_controllers(host)):
            if isinstance(each, IpmiPowerController):
                return each
        raise ConsoleError(
            f"console: host {host.id!r} has no power_control or management_control of type ipmi; name the controller in"
            " console itself"
        )


_KINDS: dict[str, tuple[type[Console], tuple[str, ...], tuple[str, ...]]] = {
    # type: class, settings that must be there, settings that may
    "tcp": (NetworkConsole, ("address", "port"), ()),
    "telnet": (TelnetConsole, ("address", "port"), ()),
    "rfc2217": (SerialConsole, ("address", "port"), ("baudrate",)),
    "ssh": (SshConsole, (), ("command", "controller", "line")),
}


def console_from_spec(value: Any) -> Console | None:
    """Make a console from what lab data says: None, a type that needs no settings, or a table with ``type``.

    Raises:
        ValueError: it is something else, or a setting cannot be used; the message names it.
    """
    if value is None:
        return None
    table = {"type": value} if isinstance(value, str) else value
    if not isinstance(table, dict):
        raise ValueError(  # noqa: TRY004 - bad data
            f"must be a type, a table or a device such as 'ser1:7004', not {short_repr(value)}"
        )
    settings = dict(table)
    kind = settings.pop("type", None)
    known = (*_KINDS, "ipmi")
    if kind not in known:
        raise ValueError(f"type must be one of {', '.join(known)}, not {short_repr(kind)}")
    if kind == "ipmi":
        return LanConsole(_controller(settings) if settings else None)
    return _checked(kind, settings)


def _controller(settings: dict[str, Any]) -> IpmiPowerController:
    found: Any = power_control_from_spec({"type": "ipmi", **settings})
    control: IpmiPowerController = found
    return control


def _checked(kind: str, settings: dict[str, Any]) -> Console:
    cls, needed, possible = _KINDS[kind]
    for key in settings:
        if key not in (*needed, *possible):
            near = suggest(str(key), (*needed, *possible), 1)
            hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join((*needed, *possible))}"
            raise ValueError(f"{kind}: there is no setting {short_repr(key)}{hint}")
    for key in needed:
        if key not in settings:
            raise ValueError(f"{kind}: {key} is missing")
    try:
        return cls(**settings)
    except ValueError as error:
        raise ValueError(f"{kind}: {error}") from error
