"""Outlets behind PDUDaemon, the service that speaks to power distribution units of many makers.

PDUDaemon accepts an order and answers before it is carried out, and it cannot be asked for a state; a ``status_cmd``
(that asks the unit itself, or the host) makes the state known and read back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from bespeak.base.display import escape_unprintable
from bespeak.host.power.command import StateCommand, values_of
from bespeak.host.power.device import Device, text_field, whole_number
from bespeak.host.power.http_client import base_url, fetch, verify_option

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.host.status import PowerState


@dataclass
class PduDaemonPowerController(Device):
    """One outlet of a unit that PDUDaemon knows.

    Args:
        url: where PDUDaemon listens, ``http://pdus.lab:16421``.
        pdu: the unit, as PDUDaemon's configuration calls it.
        outlet: the outlet: a number, or a name where the unit has names.
        verify: how a certificate is checked: true, false, or a file of certificates.
        status_cmd: a command of this machine that prints the state.
        status_on: what it prints when the host is on.
        status_off: what it prints when the host is off.
        status_on_regex: a regular expression in place of ``status_on``.
    """

    type_name: ClassVar[str] = "pdudaemon"

    url: str
    pdu: str
    outlet: int | str
    verify: bool | str = field(default=True, kw_only=True)
    status_cmd: str | None = field(default=None, kw_only=True)
    status_on: str = field(default="", kw_only=True)
    status_off: str | None = field(default=None, kw_only=True)
    status_on_regex: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.url = base_url(self.url)
        text_field(self.pdu, "pdu")
        if isinstance(self.outlet, str):
            text_field(self.outlet, "outlet")
        else:
            whole_number(self.outlet, "outlet", 0, 100_000)
        verify_option(self.verify)
        _ = self._state

    @property
    def place(self) -> str:
        """The address of the device."""
        return escape_unprintable(urlsplit(self.url).netloc)

    @property
    def _state(self) -> StateCommand | None:
        return StateCommand.of(self.status_cmd, self.status_on, self.status_on_regex, self.status_off)

    @property
    def reports(self) -> bool:
        """Whether there is a ``status_cmd``."""
        return self._state is not None

    def check(self, host: Any) -> None:
        """Fill the template of ``status_cmd`` for ``host``.

        Raises:
            ValueError: a value is missing, or not safe where it would stand.
        """
        if self._state is not None:
            self._state.template.filled(values_of(host))

    async def switch(self, host: Host, state: PowerState) -> str:  # noqa: ARG002 - the device's shape
        """Hand the order to PDUDaemon."""
        params = {"hostname": self.pdu, "port": str(self.outlet)}
        answer = await fetch(
            f"{self.url}/power/control/{state.value}", params, verify=self.verify, timeout=self.request_seconds
        )
        return answer.strip()

    async def read(self, host: Host) -> PowerState | None:
        """Run ``status_cmd``."""
        if self._state is None:
            return None
        from bespeak.host.local import LocalHost

        command = self._state.template.filled(values_of(host))
        return self._state.read(await LocalHost(folder=host.folder).oneshot(command, timeout=self.timeout))
