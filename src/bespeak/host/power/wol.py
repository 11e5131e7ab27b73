"""Wake-on-LAN: switches on, and nothing else; the network card answers nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import needs_extra
from bespeak.host.power.device import Device, PowerFault, number, port_number, text_field
from bespeak.host.power.worker_thread import in_thread
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from bespeak.host.base import Host

_MAC = re.compile(r"[0-9a-fA-F]{2}([:-]?)(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}")


@dataclass
class WakeOnLanPowerController(Device):
    """Sends a magic packet.

    Args:
        mac: the address of the network card.
        broadcast: where the packet is sent: the broadcast address of the host's network.
        port: the UDP port.
        interface: the address of the own network card to send from.
        wait_up: seconds to wait until the host answers; 0 for not waiting.
    """

    type_name: ClassVar[str] = "wol"
    usual_connections: ClassVar[int] = 1_000

    mac: str
    broadcast: str = field(default="255.255.255.255", kw_only=True)
    port: int = field(default=9, kw_only=True)
    interface: str | None = field(default=None, kw_only=True)
    wait_up: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _MAC.fullmatch(text_field(self.mac, "mac")):
            raise ValueError(f"mac must be like 00:11:22:33:44:55, not {short_repr(self.mac)}")
        text_field(self.broadcast, "broadcast")
        port_number(self.port)
        number(self.wait_up, "wait_up")

    @property
    def place(self) -> str:
        """Where packets are sent."""
        return f"wol {escape_unprintable(self.broadcast)}:{self.port}"

    @property
    def reports(self) -> bool:
        """Whether the state can be told: never."""
        return False

    async def switch(self, host: Host, state: PowerState) -> str:
        """Send the packet; "off" cannot be done."""
        if state is PowerState.OFF:
            raise PowerFault("wake-on-LAN cannot switch off", Status.Failed)
        try:
            import wakeonlan
        except ImportError as error:
            raise PowerFault(needs_extra("wol", "wol"), final=True) from error
        try:
            await in_thread(
                lambda permission: permission.act(
                    lambda: wakeonlan.wake(self.mac, host=self.broadcast, port=self.port, interface=self.interface)
                )
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PowerFault(f"{self.place}: {escape_unprintable(str(reason))}") from error
        said = f"magic packet for {self.mac} sent to {escape_unprintable(self.broadcast)}:{self.port}"
        if self.wait_up and not await host.wait_until_up(self.wait_up):
            raise PowerFault(f"{said}, but the host did not answer within {self.wait_up:g} s", Status.Failed)
        return said

    async def read(self, host: Host) -> PowerState | None:  # noqa: ARG002 - the device's shape
        """Return None."""
        return None
