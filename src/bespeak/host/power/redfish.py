"""Redfish management controllers.

A service answers a reset at once and with the old state; the state is read back until it is the new one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError, needs_extra
from bespeak.host.device_limit import time_limit, turn_at
from bespeak.host.power.device import Device, PowerFault, one_of, text_field
from bespeak.host.power.http_client import base_url, verify_option
from bespeak.host.power.permission import OrderForbiddenError, before_order
from bespeak.host.secrets import optional_secret
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.host.power.management import BootDevice, Health
    from bespeak.host.power.redfish_client import RedfishClient

OFF_TYPES = ("force", "graceful")
OFF_AND_ON = "off-on"
CYCLE_TYPES = (OFF_AND_ON, "ForceRestart", "GracefulRestart", "PowerCycle")
_RESET = "ForceRestart"
_RESETS = {"on": ("On", "ForceOn"), "force": ("ForceOff",), "graceful": ("GracefulShutdown",)}
"""What to ask a system for, the first of these that it offers."""


@dataclass
class RedfishPowerController(Device):
    """A system of a Redfish service.

    Args:
        url: where the service is, ``https://bmc.lab``.
        system: the system: its path (``/redfish/v1/Systems/1``), its id or its name; None for the only one.
        user: the account.
        password: by reference.
        verify: how the certificate is checked: true, false, or a file of certificates.
        off_type: ``force`` cuts the power; ``graceful`` asks the operating system.
        cycle_type: ``off-on`` switches off, waits and switches on; ``ForceRestart``, ``GracefulRestart`` or
            ``PowerCycle`` leave that to the system where it offers this and is on.
    """

    type_name: ClassVar[str] = "redfish"
    usual_connections: ClassVar[int] = 4

    url: str
    system: str | None = field(default=None, kw_only=True)
    user: str | None = field(default=None, kw_only=True)
    password: Any = field(default=None, kw_only=True, repr=False)
    verify: bool | str = field(default=True, kw_only=True)
    off_type: str = field(default="force", kw_only=True)
    cycle_type: str = field(default=OFF_AND_ON, kw_only=True)
    _found: tuple[str, str | None, str] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.url = base_url(self.url)
        if self.system is not None:
            text_field(self.system, "system")
        if self.user is not None:
            text_field(self.user, "user")
        self.password = optional_secret(self.password)
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        verify_option(self.verify)
        one_of(self.off_type, "off_type", OFF_TYPES)
        one_of(self.cycle_type, "cycle_type", CYCLE_TYPES)

    @property
    def place(self) -> str:
        """The address of the service."""
        return escape_unprintable(self.url)

    def conversation(self) -> RedfishClient:
        """Return the way to the service, to be used in ``async with``.

        Raises:
            PowerFault: the library for it is not installed.
        """
        try:
            import httpx  # noqa: F401 - only whether it is there
        except ImportError as error:
            raise PowerFault(needs_extra("redfish", "redfish"), final=True) from error
        from bespeak.host.power.redfish_client import RedfishClient

        secret = self.password.reveal() if self.password is not None else None
        return RedfishClient(self.url, user=self.user, secret=secret, verify=self.verify, timeout=self.request_seconds)

    async def find(self, service: RedfishClient) -> tuple[str, dict[str, Any]]:
        """Return the path of the system and what it says."""
        known = self._found
        if known is not None and known[:2] == (self.url, self.system):
            return known[2], await service.get(known[2])
        path, found = await service.system(self.system)
        self._found = (self.url, self.system, path)
        return path, found

    async def set_boot(self, host: Host, device: BootDevice, *, once: bool) -> str:
        """Set what the system starts from; see :mod:`bespeak.host.power.redfish_management`."""
        from bespeak.host.power import redfish_management

        async with turn_at(*self.turn(host)), self.conversation() as service:
            path, system = await self.find(service)
            return await redfish_management.set_boot(service, path, system, device, once=once)

    async def health(self, host: Host) -> Health:
        """Read how the system is; see :mod:`bespeak.host.power.redfish_management`."""
        from bespeak.host.power import redfish_management

        async with turn_at(*self.turn(host)), self.conversation() as service:
            _, system = await self.find(service)
            return await redfish_management.read_health(service, system)

    async def switch(self, host: Host, state: PowerState) -> str:  # noqa: ARG002 - the device's shape
        """Send a reset, unless the system is in that state already."""
        async with self.conversation() as service:
            path, system = await self.find(service)
            if _state_of(system) is state:
                return f"already {state.value}"
            wanted = _RESETS["on" if state is PowerState.ON else self.off_type]
            reset = await _reset_of(service, path, system)
            kind = next((kind for kind in wanted if kind in reset.offered), None) if reset.offered else wanted[0]
            if kind is None:
                offered = ", ".join(map(escape_unprintable, reset.offered))
                raise PowerFault(f"{self.place}: the system offers no {wanted[0]}, only {offered}", Status.Failed)
            await service.send("POST", reset.target, {"ResetType": kind})
        return ""

    async def read(self, host: Host) -> PowerState | None:  # noqa: ARG002 - the device's shape
        """Read the system's power state; while it changes, there is none."""
        async with self.conversation() as service:
            return _state_of((await self.find(service))[1])

    async def cycle(self, host: Host) -> tuple[Status, str]:
        """Power off and on again, or let the system restart itself where it can and ``cycle_type`` says so."""
        ended = None if self.cycle_type == OFF_AND_ON else await self._restart_itself(host, self.cycle_type)
        return await super().cycle(host) if ended is None else ended

    async def reset(self, host: Host) -> tuple[Status, str]:
        """Have the system restart itself at once; Skipped where it is off or does not offer that."""
        ended = await self._restart_itself(host, _RESET)
        return (Status.Skipped, f"the system is off, or offers no {_RESET}") if ended is None else ended

    async def _restart_itself(self, host: Host, kind: str) -> tuple[Status, str] | None:
        """Have the system restart itself by a reset of ``kind``; None when nothing was sent: it is off or cannot."""
        sent = asyncio.Event()
        try:
            async with time_limit(self.timeout) as limit, turn_at(*self.turn(host)):
                await self._restart(sent, kind)
                left = limit.left_seconds
        except (PowerFault, BespeakError, TimeoutError) as fault:
            if isinstance(fault, OrderForbiddenError):
                raise
            final = isinstance(fault, BespeakError) or (isinstance(fault, PowerFault) and fault.final)
            text = str(fault) or f"{self.place}: no answer within {self.timeout:g} s"
            if not sent.is_set() or final:
                return getattr(fault, "status", Status.Error), text
            ended, said = await self._on_again(host)
            now = "it is on" if ended.is_ok else said
            return Status.Error, f"{text}; nobody can tell whether it restarted; {now}"
        return await self._see(host, PowerState.ON, "", left or 0.0) if sent.is_set() else None

    async def _restart(self, sent: asyncio.Event, kind: str) -> None:
        """Ask a system that is on for a reset of ``kind``; send nothing when it is off or offers none."""
        async with self.conversation() as service:
            path, system = await self.find(service)
            reset = await _reset_of(service, path, system)
            if _state_of(system) is not PowerState.ON or kind not in reset.offered:
                return
            await before_order(PowerState.OFF)
            await before_order(PowerState.ON)
            sent.set()
            await service.send("POST", reset.target, {"ResetType": kind})


@dataclass(frozen=True, slots=True)
class _Reset:
    """How a system is reset.

    Attributes:
        target: the path that takes the reset.
        offered: what it can be asked for; empty when the system does not say.
    """

    target: str
    offered: tuple[str, ...]


async def _reset_of(service: RedfishClient, path: str, system: dict[str, Any]) -> _Reset:
    actions = system.get("Actions")
    action = actions.get("#ComputerSystem.Reset") if isinstance(actions, dict) else None
    action = action if isinstance(action, dict) else {}
    target = action.get("target")
    if not isinstance(target, str) or not target.startswith("/") or target.startswith("//"):
        target = f"{path.rstrip('/')}/Actions/ComputerSystem.Reset"
    offered = action.get("ResetType@Redfish.AllowableValues")
    described = action.get("@Redfish.ActionInfo")
    if not isinstance(offered, list) and isinstance(described, str) and described.startswith("/"):
        offered = _allowed((await service.get(described)).get("Parameters"))
    return _Reset(target, tuple(each for each in offered or () if isinstance(each, str)))


def _allowed(parameters: Any) -> list[Any]:
    """Return the reset types in the description of an action."""
    for each in parameters if isinstance(parameters, list) else []:
        if isinstance(each, dict) and each.get("Name") == "ResetType":
            values = each.get("AllowableValues")
            return values if isinstance(values, list) else []
    return []


def _state_of(system: dict[str, Any]) -> PowerState | None:
    state = system.get("PowerState")
    if not isinstance(state, str) or state.lower() not in {"on", "off"}:
        return None
    return PowerState(state.lower())
