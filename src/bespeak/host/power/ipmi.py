"""IPMI management controllers (version 2.0, over the network), with pyghmi."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import needs_extra
from bespeak.host.device_limit import time_limit, turn_at
from bespeak.host.power.device import Device, PowerFault, one_of, port_number, text_field
from bespeak.host.power.permission import before_order
from bespeak.host.secrets import optional_secret, told_of
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.host.power.management import BootDevice, Health

OFF_TYPES = ("force", "graceful")
_CHASSIS = 0
_GET_STATUS = 1
_CONTROL = 2
_ORDERS = {"on": 1, "force": 0, "graceful": 5}
_HARD_RESET = 3
_POWER_BIT = 1
CIPHER_SUITES = (3, 17)
PRIVILEGES = {"user": 2, "operator": 3, "administrator": 4}
_LONGEST_KG_BYTES = 20


@dataclass
class IpmiPowerController(Device):
    """A chassis behind a management controller.

    Args:
        address: where the controller is.
        user: the account.
        password: by reference.
        port: the UDP port.
        off_type: ``force`` cuts the power; ``graceful`` asks the operating system.
        kg: the key of the controller (K_g), by reference: a text, or ``0x`` and hexadecimal digits; None for none.
        cipher_suite: 17 (SHA-256) or 3 (SHA-1), and no other one; None for 17, else 3.
        privilege: ``user``, ``operator`` or ``administrator``; None for administrator, else operator.
    """

    type_name: ClassVar[str] = "ipmi"
    usual_connections: ClassVar[int] = 4

    address: str
    user: str
    password: Any = field(repr=False)
    port: int = field(default=623, kw_only=True)
    off_type: str = field(default="force", kw_only=True)
    kg: Any = field(default=None, kw_only=True, repr=False)
    cipher_suite: int | None = field(default=None, kw_only=True)
    privilege: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        text_field(self.address, "address")
        text_field(self.user, "user")
        port_number(self.port)
        one_of(self.off_type, "off_type", OFF_TYPES)
        self.password = optional_secret(self.password)
        if self.password is None:
            raise ValueError(f"password must say where the secret is, not {short_repr(None)}")
        self.kg = optional_secret(self.kg, "kg")
        if self.cipher_suite is not None and self.cipher_suite not in CIPHER_SUITES:
            raise ValueError(f"cipher_suite must be 3 or 17, not {short_repr(self.cipher_suite)}")
        if self.privilege is not None:
            one_of(self.privilege, "privilege", tuple(PRIVILEGES))

    async def switch(self, host: Host, state: PowerState) -> str:  # noqa: ARG002 - the device's shape
        """Send a chassis control command."""
        order = _ORDERS["on" if state is PowerState.ON else self.off_type]
        await self.exchange(_CHASSIS, _CONTROL, (order,))
        return ""

    async def read(self, host: Host) -> PowerState | None:  # noqa: ARG002 - the device's shape
        """Get the chassis status."""
        data = await self.exchange(_CHASSIS, _GET_STATUS, ())
        if not data:
            raise PowerFault(f"{self.place}: the chassis status is empty", Status.Failed)
        return PowerState.ON if data[0] & _POWER_BIT else PowerState.OFF

    async def reset(self, host: Host) -> tuple[Status, str]:
        """Send a hard reset, once: the host restarts without being off in between."""
        try:
            async with time_limit(self.timeout) as limit:
                async with turn_at(*self.turn(host)):
                    await before_order(PowerState.OFF)
                    await before_order(PowerState.ON)
                    await self.exchange(_CHASSIS, _CONTROL, (_HARD_RESET,))
                left = limit.left_seconds
        except PowerFault as fault:
            return fault.status, str(fault)
        except TimeoutError:
            return Status.Error, f"{self.place}: no answer within {self.timeout:g} s"
        return await self._see(host, PowerState.ON, "", left or 0.0)

    @property
    def place(self) -> str:
        """The address of the controller."""
        return f"{escape_unprintable(self.address)}:{self.port}"

    async def set_boot(self, host: Host, device: BootDevice, *, once: bool) -> str:
        """Set what the host starts from; see :mod:`bespeak.host.power.ipmi_management`."""
        from bespeak.host.power import ipmi_management

        async with turn_at(*self.turn(host)):
            return await ipmi_management.set_boot(self, device, once=once)

    async def health(self, host: Host) -> Health:
        """Read how the host is; see :mod:`bespeak.host.power.ipmi_management`."""
        from bespeak.host.power import ipmi_management

        async with turn_at(*self.turn(host)):
            return await ipmi_management.read_health(self)

    def login(self) -> dict[str, Any]:
        """Return what :func:`bespeak.host.power.ipmi_child.login_arguments` needs; the password is in it.

        Raises:
            PowerFault: the library is not installed.
            SecretError: the password cannot be had.
        """
        if importlib.util.find_spec("pyghmi") is None:
            raise PowerFault(needs_extra("ipmi", "ipmi"), final=True)
        secret: str = self.password.reveal()
        key = None if self.kg is None else self.kg.reveal()
        return {
            "address": self.address,
            "user": self.user,
            "password": secret,
            "port": self.port,
            "kg": None if key is None else _key_bytes(key).hex(),
            "cipher_suite": self.cipher_suite,
            "privilege": None if self.privilege is None else PRIVILEGES[self.privilege],
        }

    def secrets(self) -> tuple[str, ...]:
        """Return what neither the environment of a helper process nor a message may have.

        Raises:
            SecretError: one cannot be had.
        """
        return tuple(each.reveal() for each in (self.password, self.kg) if each is not None)

    async def exchange(self, netfn: int, command: int, data: tuple[int, ...]) -> list[int]:
        """Send one command; return the data of the answer.

        Raises:
            PowerFault: the controller could not be asked (Error), or said no (Failed).
        """
        answer = await self.ask("raw", netfn=netfn, command=command, data=data)
        return list(answer["data"])

    async def ask(self, operation: str, **details: Any) -> dict[str, Any]:
        """Have a process of its own (see :mod:`bespeak.host.power.ipmi_child`) ask the controller.

        Args:
            operation: its name in the child's ``OPERATIONS``.
            details: what that needs.

        Raises:
            PowerFault: the controller could not be asked (Error), or said no (Failed).
        """
        secrets = self.secrets()
        request = {**self.login(), "operation": operation, **details}
        answer = await _ask_child(json.dumps(request).encode(), secrets)
        if "data" in answer:
            return answer
        said = answer.get("refused") or answer.get("fault") or "the answer makes no sense"
        line = told_of(said, *secrets)
        status = Status.Failed if "refused" in answer else Status.Error
        raise PowerFault(f"{self.place}: {line}", status, final="login_refused" in answer)


def _key_bytes(key: str) -> bytes:
    """Return the key of a controller as it is sent: from hexadecimal digits after ``0x``, else from the text."""
    try:
        found = bytes.fromhex(key[2:]) if key.lower().startswith("0x") else key.encode()
    except ValueError:
        raise PowerFault("kg: after 0x, the secret must be hexadecimal digits", final=True) from None
    if not 0 < len(found) <= _LONGEST_KG_BYTES:
        raise PowerFault(f"kg: the secret must have 1 to {_LONGEST_KG_BYTES} bytes, not {len(found)}", final=True)
    return found


def environment_without(*secrets: str) -> dict[str, str]:
    """Return the environment of a helper process, without the variables in which one of the secrets stands."""
    return {name: value for name, value in os.environ.items() if not any(each in value for each in secrets if each)}


async def start_child(module: str, secrets: tuple[str, ...], **options: Any) -> asyncio.subprocess.Process:
    """Start a module as a process of its own, which imports nothing from the working directory and is given no secret.

    Args:
        module: its name; what it is asked goes to its standard input.
        secrets: what its environment may not have.
        options: as for ``asyncio.create_subprocess_exec``.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment_without(*secrets),
        **options,
    )


async def _ask_child(request: bytes, secrets: tuple[str, ...]) -> dict[str, Any]:
    process = await start_child("bespeak.host.power.ipmi_child", secrets)
    try:
        answer, _ = await process.communicate(request)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        found = json.loads(answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
