"""Redfish management controllers, with sushy.

A service answers a reset at once and with the old state; the state is read back until it is the new one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import needs_extra
from bespeak.host.power.device import Device, PowerFault, one_of, text_field
from bespeak.host.power.http_client import base_url, verify_option
from bespeak.host.power.permission import OrderForbiddenError, ThreadPermission
from bespeak.host.power.worker_thread import in_thread
from bespeak.host.secrets import optional_secret, scrubbed
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.host.base import Host

OFF_TYPES = ("force", "graceful")
_SIGNS = (
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted (see verify)"),
    ("Connection refused", "connection refused"),
    ("timed out", "no answer in time"),
    ("Connection aborted", "the connection broke off"),
    ("WRONG_VERSION_NUMBER", "it does not speak TLS"),
)
"""What requests says over several layers, and what that means."""


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
    """

    type_name: ClassVar[str] = "redfish"
    usual_connections: ClassVar[int] = 4

    url: str
    system: str | None = field(default=None, kw_only=True)
    user: str | None = field(default=None, kw_only=True)
    password: Any = field(default=None, kw_only=True, repr=False)
    verify: bool | str = field(default=True, kw_only=True)
    off_type: str = field(default="force", kw_only=True)

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

    @property
    def place(self) -> str:
        """The address of the service."""
        return escape_unprintable(self.url)

    async def switch(self, host: Host, state: PowerState) -> str:  # noqa: ARG002 - the device's shape
        """Send a reset, unless the system is in that state already."""

        def work(system: Any, permission: ThreadPermission) -> str:
            if _state_of(system) is state:
                return f"already {state.value}"
            permission.act(lambda: system.reset_system(self._reset_type(state)))
            return ""

        said: str = await self._with_system(work)
        return said

    async def read(self, host: Host) -> PowerState | None:  # noqa: ARG002 - the device's shape
        """Read the system's power state; while it changes, there is none."""
        state: PowerState | None = await self._with_system(lambda system, _: _state_of(system))
        return state

    def _reset_type(self, state: PowerState) -> Any:
        import sushy

        if state is PowerState.ON:
            return sushy.RESET_ON
        return sushy.RESET_FORCE_OFF if self.off_type == "force" else sushy.RESET_GRACEFUL_SHUTDOWN

    async def _with_system(self, work: Callable[[Any, ThreadPermission], Any]) -> Any:
        secret = self.password.reveal() if self.password is not None else None
        return await in_thread(
            lambda permission: self._blocking(lambda system: work(system, permission), secret), f"redfish {self.url}"
        )

    def _blocking(self, work: Callable[[Any], Any], secret: str | None) -> Any:
        try:
            import sushy
        except ImportError as error:
            raise PowerFault(needs_extra("redfish", "redfish"), final=True) from error
        logging.getLogger("sushy").setLevel(logging.CRITICAL)  # it would print each retry over the user's screen
        try:
            return work(self._find(self._connect(sushy, secret)))
        except sushy.exceptions.AccessError as error:
            raise PowerFault(f"{self.place}: login refused (HTTP {error.status_code})", final=True) from error
        except sushy.exceptions.HTTPError as error:
            status = Status.Error if error.status_code >= 500 else Status.Failed  # noqa: PLR2004 - HTTP
            raise PowerFault(f"{self.place}: {self._line(error, secret)}", status) from error
        except (PowerFault, OrderForbiddenError):
            raise
        except Exception as error:  # nonsense answers come out of sushy as any exception there is
            raise PowerFault(f"{self.place}: {self._line(error, secret)}") from error

    def _connect(self, sushy: Any, secret: str | None) -> Any:
        seconds = self.request_seconds
        return sushy.Sushy(
            self.url,
            verify=self.verify,
            auth=sushy.auth.BasicAuth(self.user, secret) if secret is not None else _nobody(sushy),
            server_side_retries=1,
            server_side_retries_delay=0,
            read_timeout=seconds,
            connect_timeout=seconds,
        )

    def _find(self, service: Any) -> Any:
        if self.system is not None and self.system.startswith("/"):
            return service.get_system(self.system)
        systems = service.get_system_collection().get_members()
        if self.system is None:
            if len(systems) != 1:
                names = ", ".join(escape_unprintable(str(each.identity)) for each in systems) or "none"
                raise PowerFault(f"{self.place}: system must say which of these it is: {names}", Status.Failed)
            return systems[0]
        for each in systems:
            if self.system in {each.identity, each.name, each.uuid}:
                return each
        raise PowerFault(f"{self.place}: there is no system {self.system!r}", Status.Failed)

    @staticmethod
    def _line(error: BaseException, secret: str | None) -> str:
        text = " ".join(escape_unprintable(line.strip()) for line in str(error).splitlines() if line.strip())
        for sign, said in _SIGNS:
            if sign in text:
                return said
        return scrubbed(text or type(error).__name__, secret)[:300]


def _nobody(sushy: Any) -> Any:
    """Return a login that logs nobody in: a service without accounts, such as an emulator."""

    class Nobody(sushy.auth.BasicAuth):  # type: ignore[misc]
        def authenticate(self) -> None:
            """Send no credentials."""

    return Nobody()


def _state_of(system: Any) -> PowerState | None:
    state = getattr(system.power_state, "value", system.power_state)
    if not isinstance(state, str) or state.lower() not in {"on", "off"}:
        return None
    return PowerState(state.lower())
