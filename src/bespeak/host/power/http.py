"""Smart plugs and relays with an HTTP interface: Shelly (both generations), Tasmota, or anything with two URLs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urljoin, urlsplit

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import needs_extra
from bespeak.host.power.device import Device, PowerFault, one_of, text_field, whole_number
from bespeak.host.power.http_client import base_url, fetch, parsed, verify_option
from bespeak.host.secrets import optional_secret
from bespeak.host.status import PowerState

if TYPE_CHECKING:
    from bespeak.host.base import Host

MODELS = ("shelly1", "shelly2", "tasmota", "custom")
_ON_WORDS = ("on", "true", "1")
_OFF_WORDS = ("off", "false", "0")


@dataclass
class HttpPowerController(Device):
    """A plug behind an HTTP interface.

    Args:
        url: where the plug is, ``http://plug.lab``.
        model: ``shelly1`` (first generation), ``shelly2`` (second and later), ``tasmota`` or ``custom``.
        channel: the relay: from 0 for Shelly, from 1 for Tasmota (0 is taken as 1).
        user: where the plug wants a login.
        password: by reference.
        verify: how a certificate is checked: true, false, or a file of certificates.
        on_path: for ``custom``: what is asked to switch on.
        off_path: the same for off.
        status_path: the same for the state, which must be answered as JSON.
        status_key: where the state is in that JSON: names joined by dots.
        method: for ``custom``: GET, POST or PUT.
    """

    type_name: ClassVar[str] = "http"
    usual_connections: ClassVar[int] = 1
    """Small: units with a small web server serve one connection at a time."""

    url: str
    model: str
    channel: int = field(default=0, kw_only=True)
    user: str | None = field(default=None, kw_only=True)
    password: Any = field(default=None, kw_only=True, repr=False)
    verify: bool | str = field(default=True, kw_only=True)
    on_path: str | None = field(default=None, kw_only=True)
    off_path: str | None = field(default=None, kw_only=True)
    status_path: str | None = field(default=None, kw_only=True)
    status_key: str | None = field(default=None, kw_only=True)
    method: str = field(default="GET", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.url = base_url(self.url)
        one_of(self.model, "model", MODELS)
        whole_number(self.channel, "channel", 0, 999)
        verify_option(self.verify)
        one_of(self.method, "method", ("GET", "POST", "PUT"))
        self.password = optional_secret(self.password)
        if self.password is not None and self.user is None:
            self.user = "admin"
        custom = (self.on_path, self.off_path, self.status_path, self.status_key)
        if self.model != "custom":
            if any(value is not None for value in custom):
                raise ValueError("on_path, off_path, status_path and status_key are for the model custom")
            return
        for name in ("on_path", "off_path"):
            text_field(getattr(self, name), name)
        if (self.status_path is None) != (self.status_key is None):
            raise ValueError("status_path and status_key belong together")

    @property
    def place(self) -> str:
        """The address of the device."""
        return escape_unprintable(urlsplit(self.url).netloc)

    @property
    def reports(self) -> bool:
        """Whether the plug can be asked for its state."""
        return self.model != "custom" or self.status_path is not None

    async def switch(self, host: Host, state: PowerState) -> str:  # noqa: ARG002 - the device's shape
        """Ask the plug to switch."""
        on = state is PowerState.ON
        if self.model == "shelly1":
            await self._ask(f"/relay/{self.channel}", {"turn": state.value})
        elif self.model == "shelly2":
            await self._ask("/rpc/Switch.Set", {"id": str(self.channel), "on": "true" if on else "false"})
        elif self.model == "tasmota":
            await self._ask("/cm", {"cmnd": f"Power{self.channel or 1} {'On' if on else 'Off'}"})
        else:
            await self._ask(str(self.on_path if on else self.off_path), None, method=self.method)
        return ""

    async def read(self, host: Host) -> PowerState | None:  # noqa: ARG002 - the device's shape
        """Ask the plug for its state."""
        if self.model == "shelly1":
            return self._state(await self._ask(f"/relay/{self.channel}", None), ("ison",))
        if self.model == "shelly2":
            answer = await self._ask("/rpc/Switch.GetStatus", {"id": str(self.channel)})
            return self._state(answer, ("output",))
        if self.model == "tasmota":
            number = self.channel or 1
            answer = await self._ask("/cm", {"cmnd": f"Power{number}"})
            key = f"POWER{number}"
            found = parsed(answer, self.url)
            if isinstance(found, dict) and number == 1 and key not in found:
                key = "POWER"
            return self._state(answer, (key,))
        return self._state(await self._ask(str(self.status_path), None), tuple(str(self.status_key).split(".")))

    async def _ask(self, path: str, params: dict[str, str] | None, method: str = "GET") -> str:
        secret = self.password.reveal() if self.password is not None else None
        auth: Any = None
        if secret is not None and self.model == "tasmota":
            params = {"user": str(self.user), "password": secret, **(params or {})}
        elif secret is not None:
            auth = await _login(self.model, str(self.user), secret)
        url = urljoin(self.url + "/", path.lstrip("/")) if "://" not in path else path
        return await fetch(
            url, params, method=method, auth=auth, verify=self.verify, timeout=self.request_seconds, secrets=(secret,)
        )

    def _state(self, answer: str, keys: tuple[str, ...]) -> PowerState:
        value: Any = parsed(answer, self.url)
        for key in keys:
            if not isinstance(value, dict) or key not in value:
                raise PowerFault(f"{self.url}: the answer has no {'.'.join(keys)}: {short_repr(answer[:80])}")
            value = value[key]
        word = str(value).lower()
        if word in _ON_WORDS:
            return PowerState.ON
        if word in _OFF_WORDS:
            return PowerState.OFF
        raise PowerFault(f"{self.url}: the state is {short_repr(value)}, neither on nor off")


async def _login(model: str, user: str, secret: str) -> Any:
    try:
        import httpx
    except ImportError as error:
        raise PowerFault(needs_extra("http", "http"), final=True) from error
    return httpx.DigestAuth(user, secret) if model == "shelly2" else httpx.BasicAuth(user, secret)
