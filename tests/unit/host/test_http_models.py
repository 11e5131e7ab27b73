"""Every shipped model of the HTTP controller against a stand-in with that device's requests, and what ``custom`` can say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from bespeak.host import PowerOnlyHost, Status
from bespeak.host.power import PowerState, power_control_from_spec
from bespeak.host.power.http_models import MODELS
from bespeak.host.power.http_state import KeyPath

from .conftest import Plug, run

HOST = PowerOnlyHost("h1")
PASSWORD = "s3cret-" + "w0rd"
Told = tuple[bool | None, str]
"""The state that a request orders, None for one that asks, and the outlet."""


def make(plug: Plug, **settings: Any) -> Any:
    plug.reads_bodies = True
    return built(**{"url": plug.url, **settings})


def built(**settings: Any) -> Any:
    spec = {"type": "http", "model": "custom", "timeout": 30, "cycle_delay": 0.01, **settings}
    return power_control_from_spec(spec)


def shelly1(method: str, path: str, query: dict[str, str], body: str) -> Told:
    return {"on": True, "off": False, None: None}[query.get("turn")], path.removeprefix("/relay/")


def shelly2(method: str, path: str, query: dict[str, str], body: str) -> Told:
    return (query["on"] == "true" if path == "/rpc/Switch.Set" else None), query["id"]


def tasmota(method: str, path: str, query: dict[str, str], body: str) -> Told:
    found = re.fullmatch(r"Power(\d+)(?: (On|Off))?", query["cmnd"])
    assert found, "nothing else is sent: PulseTime stays as it is"
    return {"On": True, "Off": False, None: None}[found[2]], found[1]


def esphome(method: str, path: str, query: dict[str, str], body: str) -> Told:
    _, kind, name, *rest = path.split("/")
    assert (kind, method) == ("switch", "POST" if rest else "GET")
    return {"turn_on": True, "turn_off": False, "": None}["".join(rest)], unquote(name)


def gude(method: str, path: str, query: dict[str, str], body: str) -> Told:
    if path == "/statusjsn.js":
        return None, "2"
    assert (path, query["cmd"]) == ("/ov.html", "1")
    return query["s"] == "1", query["p"]


def netio(method: str, path: str, query: dict[str, str], body: str) -> Told:
    if method == "GET":
        return None, "2"
    [output] = json.loads(body)["Outputs"]
    return output["Action"] == 1, str(output["ID"])


def digital_loggers(method: str, path: str, query: dict[str, str], body: str) -> Told:
    outlet = str(int(path.split("/")[4]) + 1)
    return (None if method == "GET" else {"value=true": True, "value=false": False}[body]), outlet


def home_assistant(method: str, path: str, query: dict[str, str], body: str) -> Told:
    if method == "GET":
        return None, unquote(path).removeprefix("/api/states/")
    return path.endswith("/turn_on"), json.loads(body)["entity_id"]


def outputs(on: bool) -> list[dict[str, Any]]:
    return [{"ID": number, "State": int(on and number == 2), "state": int(on and number == 2)} for number in (1, 2, 3)]


DEVICES: dict[str, tuple[int | str, Callable[..., Told], Callable[[bool], Any]]] = {
    "shelly1": (2, shelly1, lambda on: {"ison": on, "has_timer": False}),
    "shelly2": (2, shelly2, lambda on: {"id": 2, "output": on}),
    "tasmota": (2, tasmota, lambda on: {"POWER2": "ON" if on else "OFF"}),
    "esphome": ("lab/relay 2", esphome, lambda on: {"id": "switch-x", "value": on, "state": "ON" if on else "OFF"}),
    "gude": (2, gude, lambda on: {"outputs": outputs(on)}),
    "netio": (2, netio, lambda on: {"Agent": {}, "Outputs": outputs(on)[::-1]}),
    "digital-loggers": (2, digital_loggers, lambda on: on),
    "home-assistant": ('switch.a"b', home_assistant, lambda on: {"state": "on" if on else "off", "attributes": {}}),
}


def test_every_shipped_model_is_here() -> None:
    assert DEVICES.keys() == MODELS.keys()
    page = (Path(__file__).parents[3] / "docs" / "reference" / "power.md").read_text()
    assert [model for model in MODELS if f"| `{model}` |" not in page] == []


@pytest.mark.parametrize("model", DEVICES)
def test_a_model_switches_and_tells_its_own_outlet(plug: Plug, model: str) -> None:
    channel, understands, tells = DEVICES[model]
    state = {"on": False}
    orders: list[Told] = []

    def answer(path: str, handler: Any) -> tuple[int, str]:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        told, outlet = understands(handler.command, parts.path, query, plug.orders[-1][2])
        assert outlet == str(channel)
        if told is not None:
            state["on"] = told
            orders.append((told, outlet))
        return 200, json.dumps(tells(state["on"]))

    plug.answer = answer
    control = make(plug, model=model, channel=channel)
    assert run(control.on(HOST)) == (Status.Success, "")
    assert run(control.cycle(HOST)) == (Status.Success, "")
    assert [told for told, _ in orders] == [True, False, True]
    assert run(control.off(HOST)) == (Status.Success, "")
    assert run(control.probe(HOST)) == (PowerState.OFF, "")


@pytest.mark.parametrize("state", ["unavailable", "unknown"])
def test_an_entity_of_home_assistant_that_is_away_is_unknown(plug: Plug, state: str) -> None:
    plug.answer = lambda path, handler: (200, json.dumps({"state": state}))
    found, why = run(make(plug, model="home-assistant", channel="switch.a").probe(HOST))
    assert found is None
    assert f"the state is '{state}', neither on nor off" in why


@pytest.mark.parametrize(
    ("settings", "scheme"),
    [
        ({"model": "esphome", "channel": "a", "password": "env:WORD"}, "Digest"),
        ({"model": "esphome", "channel": "a", "password": "env:WORD", "login": "basic"}, "Basic"),
        ({"model": "digital-loggers", "channel": 1, "password": "env:WORD"}, "Digest"),
        ({"model": "netio", "channel": 1, "password": "env:WORD"}, "Basic"),
        ({"model": "home-assistant", "channel": "a", "token": "env:WORD"}, "Bearer"),
    ],
)
def test_a_login_is_sent_as_the_device_wants_it_and_never_shown(
    plug: Plug, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], scheme: str
) -> None:
    monkeypatch.setenv("WORD", PASSWORD)

    def answer(path: str, handler: Any) -> Any:
        if "Authorization" in handler.headers:
            return 409, f"no {PASSWORD}"

        def challenge(handler: Any) -> None:
            handler.send_response(401)
            handler.send_header("WWW-Authenticate", 'Digest realm="x", nonce="1", qop="auth"')
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        return challenge

    plug.answer = answer
    control = make(plug, **settings)
    status, said = run(control.on(HOST))
    assert (status, said) == (Status.Failed, f"{plug.url[7:]}: HTTP 409: no ***")
    assert plug.headers_seen[-1]["Authorization"].startswith(f"{scheme} ")
    assert PASSWORD not in repr(control)


def test_a_custom_device_is_told_with_bodies_headers_and_any_method(
    plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORD", PASSWORD)
    plug.answer = lambda path, handler: (200, "Outlet 5: ON" if path == "/s/5" else "ok")
    control = make(
        plug, channel=5, method="PATCH", on_path="/o/{channel}", on_body='{"on": true, "n": {index}}',
        off_path="/o/{channel}", off_body="on=false", status_path="/s/{channel}", status_on="ON", status_off="OFF",
        headers={"X-API-Key": "env:WORD", "X-CSRF": "x"},
    )  # fmt: skip
    assert run(control.on(HOST)) == (Status.Success, "")
    assert plug.orders[0] == ("PATCH", "/o/5", '{"on": true, "n": 4}')
    assert plug.headers_seen[0]["Content-Type"] == "application/json"
    assert (plug.headers_seen[0]["X-API-Key"], plug.headers_seen[0]["X-CSRF"]) == (PASSWORD, "x")
    assert PASSWORD not in repr(control)
    plug.answer = lambda path, handler: (409, f"key {PASSWORD}")
    assert run(control.off(HOST)) == (Status.Failed, f"{plug.url[7:]}: HTTP 409: key ***")
    assert plug.orders[-1] == ("PATCH", "/o/5", "on=false")
    assert plug.headers_seen[-1]["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("said", "state"), [("relay on", PowerState.ON), ("relay off", PowerState.OFF), ("on off", None), ("", None)]
)
def test_a_state_in_plain_text_is_read_and_never_guessed(plug: Plug, said: str, state: PowerState | None) -> None:
    plug.answer = lambda path, handler: (200, said)
    control = make(plug, on_path="/1", off_path="/0", status_path="/s", status_on="on")
    assert run(control.status(HOST)) is state


def test_a_state_with_words_of_its_own(plug: Plug) -> None:
    plug.answer = lambda path, handler: (200, '{"relays": [{"st": "open"}]}')
    place = {"on_path": "/1", "off_path": "/0", "status_path": "/s", "status_key": "relays[0].st"}
    assert run(make(plug, **place, status_on="closed", status_off="open").status(HOST)) is PowerState.OFF
    assert run(make(plug, **place).status(HOST)) is None


@pytest.mark.parametrize("path", ["/go?to=http://10.0.0.1/x", "go?to=http://10.0.0.1/x", "/http://a/b"])
def test_an_address_inside_a_path_is_a_part_of_it(plug: Plug, path: str) -> None:
    plug.answer = lambda path, handler: (200, "")
    assert run(make(plug, on_path=path, off_path="/0").on(HOST)) == (Status.Success, "")
    assert plug.asked == [f"/{path.lstrip('/')}"]


def test_an_address_in_place_of_a_path_is_asked_as_it_is(plug: Plug) -> None:
    plug.answer = lambda path, handler: (200, "")
    control = make(plug, url="http://nobody.invalid", on_path=f"{plug.url}/x", off_path="/0")
    assert run(control.on(HOST)) == (Status.Success, "")
    assert plug.asked == ["/x"]


NESTED = {"a": {"b": [{"ID": 1, "on": 0}, {"ID": 2, "on": 1}]}, "n": {"0": "zero"}, "l": [[5, 6]]}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a.b[1].on", 1), ("a.b.1.on", 1), ("a.b[ID=2].on", 1), ("a.b[ID=1].on", 0), ("n.0", "zero"), ("l[0][1]", 6),
        ("", NESTED),
    ],
)  # fmt: skip
def test_a_key_finds(key: str, value: Any) -> None:
    assert KeyPath(key).find(NESTED) == value


@pytest.mark.parametrize("key", ["a.c", "a.b[2].on", "a.b[ID=3].on", "a[0]", "l.x", "l.-1", "a.b[x=1]", "n.0.x"])
def test_a_key_that_finds_nothing_says_so(key: str) -> None:
    with pytest.raises(LookupError):
        KeyPath(key).find(NESTED)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"model": "acme"}, "model must be one of shelly1, shelly2, tasmota, esphome, gude, netio, digital-loggers, "),
        ({"model": "gude"}, "channel must be a number from 1 to 999, not 0"),
        ({"model": "shelly1", "channel": "x"}, "channel must be a number from 0 to 999"),
        ({"model": "esphome"}, "channel must be the name of the outlet, not 0"),
        ({"model": "shelly1", "on_body": "x"}, "are for the model custom"),
        ({"on_path": "/1"}, "off_path must be a text"),
        ({"status_key": "a"}, "status_path and status_key belong together"),
        ({"status_path": "/s"}, "for plain text give status_on"),
        ({"status_path": "/s", "status_key": "a[x"}, "status_key 'a\\[x' cannot be read"),
        ({"status_path": "/s", "status_key": "a", "status_off": "b"}, "status_off needs status_on"),
        ({"method": "DELETE"}, "method must be one of GET, POST, PUT, PATCH"),
        ({"headers": {"Authorization": "Bearer x"}}, "headers: Authorization must say where the secret is"),
        ({"headers": {"a b": "x"}}, "headers: 'a b' is no name of a header"),
        ({"headers": {"X": "a\nb"}}, "headers: X must be a text of printable ASCII"),
        ({"headers": "x"}, "headers must be a table of texts"),
        ({"login": "magic"}, "login must be one of basic, digest, query, bearer"),
        ({"token": "abc"}, "token must say where the secret is"),
        ({"token": "env:A", "password": "env:B"}, "give password or token, not both"),
        ({"model": "home-assistant", "channel": "a", "password": "env:B"}, "a bearer login needs token, not password"),
    ],
)
def test_settings(settings: dict[str, Any], told: str) -> None:
    paths = {"on_path": "/1", "off_path": "/0"} if "model" not in settings and "on_path" not in settings else {}
    with pytest.raises(ValueError, match=told):
        built(url="http://plug.lab", **paths, **settings)
