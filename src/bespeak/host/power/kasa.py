"""Plugs and strips of TP-Link: Kasa, and what else python-kasa speaks to."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import needs_extra
from bespeak.host.power.device import Device, PowerFault, port_number, text_field, whole_number
from bespeak.host.secrets import optional_secret, told_of
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bespeak.host.base import Host

_PORT = 9999


@dataclass
class KasaPowerController(Device):
    """A plug, or an outlet of a strip.

    Args:
        address: where it is.
        outlet: the outlet of a strip: its number from 1, or its name; None for a plug.
        user: the account of the maker, for devices that want one.
        password: by reference.
        port: the port of devices without an account.
    """

    type_name: ClassVar[str] = "kasa"
    usual_connections: ClassVar[int] = 1

    address: str
    outlet: int | str | None = field(default=None, kw_only=True)
    user: str | None = field(default=None, kw_only=True)
    password: Any = field(default=None, kw_only=True, repr=False)
    port: int = field(default=_PORT, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        text_field(self.address, "address")
        if isinstance(self.outlet, str):
            text_field(self.outlet, "outlet")
        elif self.outlet is not None:
            whole_number(self.outlet, "outlet", 1, 100)
        if self.user is not None:
            text_field(self.user, "user")
        self.password = optional_secret(self.password)
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        port_number(self.port)

    @property
    def place(self) -> str:
        """The address of the device; one with an account says itself on which port it is spoken to."""
        address = escape_unprintable(self.address)
        return address if self.user is not None else f"{address}:{self.port}"

    async def switch(self, host: Host, state: PowerState) -> str:  # noqa: ARG002 - the device's shape
        """Switch the outlet."""
        async with self._connected() as device:
            outlet = self._outlet_of(device)
            await (outlet.turn_on() if state is PowerState.ON else outlet.turn_off())
        return ""

    async def read(self, host: Host) -> PowerState | None:  # noqa: ARG002 - the device's shape
        """Read the state of the outlet."""
        async with self._connected() as device:
            return PowerState.ON if self._outlet_of(device).is_on else PowerState.OFF

    def _outlet_of(self, device: Any) -> Any:
        """Return what is switched; a strip is never switched as a whole by accident."""
        outlets = list(device.children)
        if self.outlet is None:
            if outlets:
                names = ", ".join(short_repr(each.alias) for each in outlets)
                raise PowerFault(f"{self.place}: outlet must say which of these it is: {names}", Status.Failed)
            return device
        if isinstance(self.outlet, int):
            found = outlets[self.outlet - 1 : self.outlet]
        else:
            found = [each for each in outlets if each.alias == self.outlet]
        if len(found) != 1:
            raise PowerFault(f"{self.place}: the device has no outlet {short_repr(self.outlet)}", Status.Failed)
        return found[0]

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        """Connect, and read what the device is; faults of the library become faults of the device."""
        try:
            import kasa
        except ImportError as error:
            raise PowerFault(needs_extra("kasa", "kasa"), final=True) from error
        secret = None if self.password is None else self.password.reveal()
        device = None
        try:
            device = await self._connect(kasa, secret)
            yield device
        except PowerFault:
            raise
        except kasa.AuthenticationError as error:
            raise PowerFault(f"{self.place}: login refused", final=True) from error
        except (kasa.KasaException, OSError) as error:
            said = told_of(error, secret)
            raise PowerFault(said if self.place in said else f"{self.place}: {said}") from error
        except Exception as error:  # the library trips over answers that it does not expect
            raise PowerFault(f"{self.place}: python-kasa cannot read the answer: {type(error).__name__}") from error
        finally:
            if device is not None:
                await device.disconnect()

    async def _connect(self, kasa: Any, secret: str | None) -> Any:
        seconds = max(math.floor(self.request_seconds), 1)
        if secret is None:
            config = kasa.DeviceConfig(host=self.address, port_override=self.port, timeout=seconds)
            return await kasa.Device.connect(config=config)
        login = kasa.Credentials(self.user, secret)
        device = await kasa.Discover.discover_single(self.address, credentials=login, discovery_timeout=seconds)
        if device is None:
            raise PowerFault(f"{self.place}: no answer")
        try:
            await device.update()
        except BaseException:
            await device.disconnect()
            raise
        return device
