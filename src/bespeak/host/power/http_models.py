"""What switches and tells the outlets of devices with an HTTP interface: the requests of each model, as data.

``{channel}`` in a path, a parameter or a body stands for the outlet; ``{index}`` for its number counted from 0.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request to a device.

    Attributes:
        path: where; an address with ``http://`` in front is taken as it is.
        method: GET, POST, PUT or PATCH.
        params: the query.
        headers: more headers.
        body: what is sent; None for nothing.
    """

    path: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None

    def of(self, channel: int | str) -> HttpRequest:
        """Return the request for one outlet; a name is quoted as its place wants it."""
        params = {name: _filled(value, str(channel), channel) for name, value in self.params.items()}
        body = None if self.body is None else _filled(self.body, json.dumps(str(channel))[1:-1], channel)
        headers = dict(self.headers)
        if body is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = JSON if _is_json(body) else FORM
        return HttpRequest(
            _filled(self.path, quote(str(channel), safe=""), channel), self.method, params, headers, body
        )


def _filled(text: str, channel_text: str, channel: int | str) -> str:
    text = text.replace("{channel}", channel_text)
    return text.replace("{index}", str(channel - 1)) if isinstance(channel, int) else text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class HttpModel:
    """How devices of one kind are spoken to.

    Attributes:
        on: what switches an outlet on.
        off: what switches it off.
        status: what asks for its state; it must change nothing.
        keys: where the state is in the answer, the first that is there (see :mod:`bespeak.host.power.http_state`).
        login: how a login is sent: ``basic``, ``digest``, ``query`` or ``bearer``.
        first: the number of the first outlet; None where outlets have names.
        zero_is_one: an outlet 0 is taken as 1.
    """

    on: HttpRequest
    off: HttpRequest
    status: HttpRequest
    keys: tuple[str, ...]
    login: str = "basic"
    first: int | None = 0
    zero_is_one: bool = False


def _shelly2(on: str) -> HttpRequest:
    return HttpRequest("/rpc/Switch.Set", params={"id": "{channel}", "on": on})


def _tasmota(order: str = "") -> HttpRequest:
    return HttpRequest("/cm", params={"cmnd": f"Power{{channel}} {order}".rstrip()})


def _gude(state: str) -> HttpRequest:
    return HttpRequest("/ov.html", params={"cmd": "1", "p": "{channel}", "s": state})


def _netio(action: int) -> HttpRequest:
    body = f'{{"Outputs": [{{"ID": {{channel}}, "Action": {action}}}]}}'
    return HttpRequest("/netio.json", "POST", body=body)


def _digital_loggers(value: str) -> HttpRequest:
    path = "/restapi/relay/outlets/{index}/state/"
    return HttpRequest(path, "PUT", headers={"X-CSRF": "x"}, body=f"value={value}")


def _home_assistant(service: str) -> HttpRequest:
    return HttpRequest(f"/api/services/homeassistant/{service}", "POST", body='{"entity_id": "{channel}"}')


MODELS: Mapping[str, HttpModel] = {
    "shelly1": HttpModel(
        HttpRequest("/relay/{channel}", params={"turn": "on"}),
        HttpRequest("/relay/{channel}", params={"turn": "off"}),
        HttpRequest("/relay/{channel}"),
        ("ison",),
    ),
    "shelly2": HttpModel(
        _shelly2("true"),
        _shelly2("false"),
        HttpRequest("/rpc/Switch.GetStatus", params={"id": "{channel}"}),
        ("output",),
        login="digest",
    ),
    "tasmota": HttpModel(
        _tasmota("On"), _tasmota("Off"), _tasmota(), ("POWER{channel}", "POWER"), "query", 1, zero_is_one=True
    ),
    "esphome": HttpModel(
        HttpRequest("/switch/{channel}/turn_on", "POST"),
        HttpRequest("/switch/{channel}/turn_off", "POST"),
        HttpRequest("/switch/{channel}"),
        ("state", "value"),
        login="digest",
        first=None,
    ),
    "gude": HttpModel(
        _gude("1"),
        _gude("0"),
        HttpRequest("/statusjsn.js", params={"components": "1"}),
        ("outputs[{index}].state",),
        first=1,
    ),
    "netio": HttpModel(_netio(1), _netio(0), HttpRequest("/netio.json"), ("Outputs[ID={channel}].State",), first=1),
    "digital-loggers": HttpModel(
        _digital_loggers("true"),
        _digital_loggers("false"),
        HttpRequest("/restapi/relay/outlets/{index}/state/", headers={"Accept": JSON}),
        ("",),
        login="digest",
        first=1,
    ),
    "home-assistant": HttpModel(
        _home_assistant("turn_on"),
        _home_assistant("turn_off"),
        HttpRequest("/api/states/{channel}"),
        ("state",),
        login="bearer",
        first=None,
    ),
}
