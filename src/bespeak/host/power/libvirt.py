"""Virtual machines of libvirt, with its own Python binding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import needs_extra
from bespeak.host.power.device import Device, PowerFault, one_of, text_field
from bespeak.host.power.worker_thread import in_thread
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.host.base import Host
    from bespeak.host.power.permission import ThreadPermission

OFF_TYPES = ("force", "graceful")
_SAID_NO = tuple(
    f"VIR_ERR_{name}"
    for name in (
        *("NO_SUPPORT", "INVALID_ARG", "OPERATION_DENIED", "NO_DOMAIN", "OPERATION_INVALID"),
        *("CONFIG_UNSUPPORTED", "OPERATION_UNSUPPORTED", "ACCESS_DENIED"),
    )
)
"""Errors that answer an order with no; all others, such as a connection that breaks off, say nothing about it."""


@dataclass
class LibvirtPowerController(Device):
    """A domain of libvirt.

    Args:
        uri: the connection, such as ``qemu+ssh://hypervisor/system``.
        domain: the domain's name or UUID; None for the host's name.
        off_type: ``force`` pulls the plug; ``graceful`` asks the operating system.
    """

    type_name: ClassVar[str] = "libvirt"

    uri: str = "qemu:///system"
    domain: str | None = field(default=None, kw_only=True)
    off_type: str = field(default="force", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        text_field(self.uri, "uri")
        if self.domain is not None:
            text_field(self.domain, "domain")
        one_of(self.off_type, "off_type", OFF_TYPES)

    @property
    def place(self) -> str:
        """The connection."""
        return escape_unprintable(self.uri)

    async def switch(self, host: Host, state: PowerState) -> str:
        """Start the domain, or end it, unless it is in that state already."""

        def work(domain: Any, permission: ThreadPermission) -> str:
            if bool(domain.isActive()) is (state is PowerState.ON):
                return f"already {state.value}"
            if state is PowerState.ON:
                order = domain.create
            else:
                order = domain.destroy if self.off_type == "force" else domain.shutdown
            permission.act(order)
            return ""

        said: str = await self._with_domain(host, work)
        return said

    async def read(self, host: Host) -> PowerState | None:
        """Tell whether the domain is active."""

        def work(domain: Any, _: ThreadPermission) -> PowerState:
            return PowerState.ON if domain.isActive() else PowerState.OFF

        state: PowerState = await self._with_domain(host, work)
        return state

    async def _with_domain(self, host: Host, work: Callable[[Any, ThreadPermission], Any]) -> Any:
        name = self.domain or host.name
        return await in_thread(
            lambda permission: self._blocking(name, lambda domain: work(domain, permission)), f"libvirt {name}"
        )

    def _blocking(self, name: str, work: Callable[[Any], Any]) -> Any:
        try:
            import libvirt
        except ImportError as error:
            raise PowerFault(needs_extra("libvirt", "libvirt"), final=True) from error
        libvirt.registerErrorHandler(_quiet, None)
        try:
            connection = libvirt.open(self.uri)
        except libvirt.libvirtError as error:
            raise PowerFault(f"{self.place}: {escape_unprintable(str(error))}") from error
        try:
            return work(_domain(libvirt, connection, name))
        except libvirt.libvirtError as error:
            refused = error.get_error_code() in {getattr(libvirt, name, None) for name in _SAID_NO}
            ended = Status.Failed if refused else Status.Error
            raise PowerFault(f"{self.place}: {escape_unprintable(str(error))}", ended) from error
        finally:
            connection.close()


def _domain(libvirt: Any, connection: Any, name: str) -> Any:
    try:
        return connection.lookupByName(name)
    except libvirt.libvirtError:
        try:
            return connection.lookupByUUIDString(name)
        except libvirt.libvirtError:
            raise PowerFault(f"libvirt has no domain {name!r}", Status.Failed) from None


def _quiet(_context: Any, _error: Any) -> None:
    """Keep libvirt from printing its errors; they are raised as well."""
