"""Plugs, relays and units with an HTTP interface: shipped models, or anything whose requests can be written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import needs_extra
from bespeak.host.power.device import Device, PowerFault, one_of, text_field, whole_number
from bespeak.host.power.http_client import base_url, fetch, parsed, verify_option
from bespeak.host.power.http_models import MODELS as SHIPPED
from bespeak.host.power.http_models import HttpModel, HttpRequest
from bespeak.host.power.http_state import KeyPath, text_of
from bespeak.host.power.state_matcher import StateMatcher
from bespeak.host.secrets import Secret, optional_secret
from bespeak.host.status import PowerState

if TYPE_CHECKING:
    from bespeak.host.base import Host

CUSTOM = "custom"
MODELS = (*SHIPPED, CUSTOM)
METHODS = ("GET", "POST", "PUT", "PATCH")
LOGINS = ("basic", "digest", "query", "bearer")
_ON_WORDS = ("on", "true", "1")
_OFF_WORDS = ("off", "false", "0")
_REFERENCES = ("env:", "file:", "keyring:")
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
_OF_CUSTOM = ("on_path", "off_path", "status_path", "status_key", "status_on", "status_off", "on_body", "off_body")


@dataclass
class HttpPowerController(Device):
    """An outlet behind an HTTP interface.

    Args:
        url: where the device is, ``http://plug.lab``.
        model: a key of :data:`bespeak.host.power.http_models.MODELS`, or ``custom``.
        channel: the outlet, as the model counts or names it; for Tasmota, 0 is taken as 1.
        user: where the device wants a login; ``admin`` when there is only a password.
        password: by reference.
        token: what is sent as ``Authorization: Bearer``, by reference.
        login: how user and password are sent: ``basic``, ``digest`` or ``query``; None for what the model wants.
        headers: more headers for every request; values may be references, and those of secrets must be.
        verify: how a certificate is checked: true, false, or a file of certificates.
        on_path: for ``custom``: what is asked to switch on; ``{channel}`` and ``{index}`` stand for the outlet.
        off_path: the same for off.
        on_body: what is sent with it.
        off_body: the same for off.
        status_path: what is asked for the state.
        status_key: where the state is in an answer in JSON (see :mod:`bespeak.host.power.http_state`).
        status_on: what says "on" there, or in an answer of plain text.
        status_off: what says "off".
        method: for ``custom``: GET, POST, PUT or PATCH.
    """

    type_name: ClassVar[str] = "http"
    usual_connections: ClassVar[int] = 1
    """Small: units with a small web server serve one connection at a time."""

    url: str
    model: str
    channel: int | str = field(default=0, kw_only=True)
    user: str | None = field(default=None, kw_only=True)
    password: Any = field(default=None, kw_only=True, repr=False)
    token: Any = field(default=None, kw_only=True, repr=False)
    login: str | None = field(default=None, kw_only=True)
    headers: dict[str, Any] = field(default_factory=dict, kw_only=True, repr=False)
    verify: bool | str = field(default=True, kw_only=True)
    on_path: str | None = field(default=None, kw_only=True)
    off_path: str | None = field(default=None, kw_only=True)
    on_body: str | None = field(default=None, kw_only=True)
    off_body: str | None = field(default=None, kw_only=True)
    status_path: str | None = field(default=None, kw_only=True)
    status_key: str | None = field(default=None, kw_only=True)
    status_on: str = field(default="", kw_only=True)
    status_off: str | None = field(default=None, kw_only=True)
    method: str = field(default="GET", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.url = base_url(self.url)
        one_of(self.model, "model", MODELS)
        verify_option(self.verify)
        one_of(self.method, "method", METHODS)
        self._check_login()
        self.headers = _headers(self.headers)
        if self.model == CUSTOM:
            self._check_custom()
        elif any(getattr(self, name) not in {None, ""} for name in _OF_CUSTOM):
            raise ValueError(f"{', '.join(_OF_CUSTOM)} are for the model custom")
        else:
            self.channel = _channel(self.channel, SHIPPED[self.model])

    def _check_login(self) -> None:
        self.password = optional_secret(self.password)
        self.token = optional_secret(self.token, "token")
        if self.login is not None:
            one_of(self.login, "login", LOGINS)
        if self.password is not None and self.token is not None:
            raise ValueError("give password or token, not both")
        if self.password is not None and (self.login or self._device.login) == "bearer":
            raise ValueError("a bearer login needs token, not password")
        if self.password is not None and self.user is None:
            self.user = "admin"

    def _check_custom(self) -> None:
        if not isinstance(self.channel, str):
            whole_number(self.channel, "channel", 0, 999)
        for name in ("on_path", "off_path"):
            text_field(getattr(self, name), name)
        if self.status_path is None and (self.status_key is not None or self.status_on or self.status_off is not None):
            raise ValueError("status_path and status_key belong together")
        if self.status_path is not None and self.status_key is None and not self.status_on:
            raise ValueError("status_path and status_key belong together; for plain text give status_on")
        for key in self._device.keys:
            KeyPath(_key(key, self.channel))
        _ = self._matcher

    @property
    def _device(self) -> HttpModel:
        """How the device is spoken to; of ``custom`` as the attributes are now, for code may set them at any time."""
        if self.model != CUSTOM:
            return SHIPPED[self.model]
        keys = () if self.status_key is None else (str(self.status_key),)
        return HttpModel(
            HttpRequest(str(self.on_path), self.method, body=self.on_body),
            HttpRequest(str(self.off_path), self.method, body=self.off_body),
            HttpRequest(str(self.status_path)),
            keys,
        )

    @property
    def _matcher(self) -> StateMatcher | None:
        if not self.status_on and self.status_off is not None:
            raise ValueError("status_off needs status_on")
        return StateMatcher(self.status_on, None, self.status_off) if self.status_on else None

    @property
    def place(self) -> str:
        """The address of the device."""
        return escape_unprintable(urlsplit(self.url).netloc)

    @property
    def reports(self) -> bool:
        """Whether the device can be asked for its state."""
        return self.model != CUSTOM or self.status_path is not None

    async def switch(self, host: Host, state: PowerState) -> str:  # noqa: ARG002 - the device's shape
        """Ask the device to switch."""
        await self._ask(self._device.on if state is PowerState.ON else self._device.off)
        return ""

    async def read(self, host: Host) -> PowerState | None:  # noqa: ARG002 - the device's shape
        """Ask the device for the state."""
        return self._state(await self._ask(self._device.status))

    async def _ask(self, request: HttpRequest) -> str:
        request = request.of(self.channel)
        secret = self.password.reveal() if self.password is not None else None
        token = self.token.reveal() if self.token is not None else None
        own = {name: value.reveal() if isinstance(value, Secret) else value for name, value in self.headers.items()}
        hidden = [own[name] for name, value in self.headers.items() if isinstance(value, Secret)]
        bearer = {"Authorization": f"Bearer {token}"} if token is not None else {}
        params, auth = dict(request.params), None
        login = self.login or self._device.login
        if secret is not None and login == "query":
            params = {"user": str(self.user), "password": secret, **params}
        elif secret is not None:
            auth = await _login(login, str(self.user), secret)
        return await fetch(
            _address(self.url, request.path),
            params or None,
            method=request.method,
            headers={**request.headers, **own, **bearer},
            content=request.body,
            auth=auth,
            verify=self.verify,
            timeout=self.request_seconds,
            secrets=(secret, token, *hidden),
        )

    def _state(self, answer: str) -> PowerState | None:
        matcher = self._matcher
        if self.model == CUSTOM and self.status_key is None and matcher is not None:
            return matcher.read(answer)
        value = self._found(answer)
        if matcher is not None:
            return matcher.read(text_of(value))
        word = str(value).lower()
        if word in _ON_WORDS:
            return PowerState.ON
        if word in _OFF_WORDS:
            return PowerState.OFF
        raise PowerFault(f"{self.url}: the state is {short_repr(value)}, neither on nor off")

    def _found(self, answer: str) -> Any:
        found = parsed(answer, self.url)
        keys = [_key(key, self.channel) for key in self._device.keys]
        if self.model == "tasmota" and self.channel != 1:
            keys = keys[:1]  # POWER alone is the state of the first relay
        for key in keys:
            try:
                return KeyPath(key).find(found)
            except LookupError:
                continue
        raise PowerFault(f"{self.url}: the answer has no {keys[0]}: {short_repr(answer[:80])}")


def _channel(value: object, model: HttpModel) -> int | str:
    """Check an outlet.

    Raises:
        ValueError: the model has none such.
    """
    if model.first is None:
        if not isinstance(value, str) or not value:
            raise ValueError(f"channel must be the name of the outlet, not {short_repr(value)}")
        return value
    if model.zero_is_one and value == 0:
        value = 1
    return whole_number(value, "channel", model.first, 999)


def _key(text: str, channel: int | str) -> str:
    return text.replace("{channel}", str(channel)).replace(
        "{index}", str(channel - 1) if isinstance(channel, int) else "{index}"
    )


def _address(base: str, path: str) -> str:
    """Return the address of a path; an address in it, as in ``/go?to=http://x``, is a part of the path."""
    return path if path.startswith(("http://", "https://")) else f"{base}/{path.lstrip('/')}"


def _headers(given: object) -> dict[str, Any]:
    """Check headers from lab data; what is a reference becomes a :class:`Secret`.

    Raises:
        ValueError: one cannot be sent, or is a secret that is written down.
    """
    if not isinstance(given, dict):
        raise ValueError(f"headers must be a table of texts, not {short_repr(given)}")  # noqa: TRY004 - bad data
    return {name: _header(name, value) for name, value in given.items()}


def _header(name: object, value: object) -> str | Secret:
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise ValueError(f"headers: {short_repr(name)} is no name of a header")
    if isinstance(value, Secret):
        return value
    if name.lower() in _SECRET_HEADERS or (isinstance(value, str) and value.startswith(_REFERENCES)):
        return Secret(value, f"headers: {name}")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ValueError(f"headers: {name} must be a text of printable ASCII")
    return value


async def _login(kind: str, user: str, secret: str) -> Any:
    try:
        import httpx
    except ImportError as error:
        raise PowerFault(needs_extra("http", "http"), final=True) from error
    return httpx.DigestAuth(user, secret) if kind == "digest" else httpx.BasicAuth(user, secret)
