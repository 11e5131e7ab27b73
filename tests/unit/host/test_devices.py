"""Controllers against devices behind real sockets, and against everything that can go wrong on a wire."""

from __future__ import annotations

import asyncio
import http.server
import json
import logging
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bespeak.host import PowerOnlyHost, Status
from bespeak.host.power import PowerState, power_control_from_spec
from bespeak.host.power.device import PowerFault
from bespeak.host.power.snmp_models import MODELS

from .conftest import Plug, run

HOST = PowerOnlyHost("h1")
PASSWORD = "s3cret-" + "w0rd"


def make(kind: str, **settings: object):
    return power_control_from_spec({"type": kind, "timeout": 3, "cycle_delay": 0.01, **settings})


# --- http


def test_shelly_of_the_first_generation_is_read_back(plug: Plug) -> None:
    state = plug.relay(delay=0.4)
    control = make("http", url=plug.url, model="shelly1")
    assert run(control.on(HOST)) == (Status.Success, "")
    assert state["on"]
    assert run(control.cycle(HOST))[0] is Status.Success
    assert run(control.status(HOST)) is PowerState.ON
    assert plug.asked[0] == "/relay/0?turn=on"


def test_shelly_of_the_second_generation(plug: Plug) -> None:
    state = {"output": False}

    def answer(path, handler):
        if "Switch.Set?" in path:
            was, state["output"] = state["output"], path.endswith("on=true")
            return 200, json.dumps({"was_on": was})
        return 200, json.dumps({"id": 1, **state})

    plug.answer = answer
    control = make("http", url=plug.url, model="shelly2", channel=1)
    assert run(control.on(HOST))[0] is Status.Success
    assert plug.asked[0] == "/rpc/Switch.Set?id=1&on=true"
    assert run(control.off(HOST))[0] is Status.Success
    assert run(control.status(HOST)) is PowerState.OFF


def test_tasmota_sends_the_password_and_never_shows_it(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUG_PASSWORD", PASSWORD)
    plug.answer = lambda path, handler: (200, '{"POWER":"ON"}' if PASSWORD in path else '{"WARNING":"Need password"}')
    control = make("http", url=plug.url, model="tasmota", password="env:PLUG_PASSWORD")
    assert run(control.on(HOST))[0] is Status.Success
    assert PASSWORD in plug.asked[0]
    assert "cmnd=Power1+On" in plug.asked[0].replace("%20", "+")
    plug.answer = lambda path, handler: (409, f"no: {path}")
    status, said = run(control.on(HOST))
    assert status is Status.Failed
    assert PASSWORD not in said + repr(control)
    assert "***" in said


def test_no_library_logs_an_address_with_a_password(
    plug: Plug, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PLUG_PASSWORD", PASSWORD)
    plug.answer = lambda path, handler: (200, '{"POWER":"ON"}')
    with caplog.at_level(logging.DEBUG):
        assert run(make("http", url=plug.url, model="tasmota", password="env:PLUG_PASSWORD").on(HOST))[0].is_ok
        logging.getLogger("httpx").info("a request of somebody else's")
    assert PASSWORD in plug.asked[0]
    assert PASSWORD not in caplog.text
    assert "a request of somebody else's" in caplog.text


def test_anything_with_two_addresses(plug: Plug) -> None:
    state = {"value": "off"}

    def answer(path, handler):
        if path in {"/up", "/down"}:
            state["value"] = "on" if path == "/up" else "off"
            return 200, "ok"
        return 200, json.dumps({"outlets": {"a": state["value"]}})

    plug.answer = answer
    control = make(
        "http", url=plug.url, model="custom", on_path="/up", off_path="/down", status_path="/s", status_key="outlets.a"
    )
    assert run(control.cycle(HOST))[0] is Status.Success
    blind = make("http", url=plug.url, model="custom", on_path="/up", off_path="/down")
    assert run(blind.on(HOST)) == (Status.Success, "")
    assert run(blind.probe(HOST)) == (None, "http reports no state")


def test_a_login_that_is_refused(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUG_PASSWORD", PASSWORD)
    plug.answer = lambda path, handler: (401, "")
    control = make("http", url=plug.url, model="shelly1", user="me", password="env:PLUG_PASSWORD")
    status, said = run(control.on(HOST))
    assert (status, said) == (Status.Error, f"{plug.url[7:]}: login refused (HTTP 401)")
    assert plug.headers_seen[0]["Authorization"].startswith("Basic ")


def test_a_state_that_never_changes(plug: Plug) -> None:
    plug.relay(obey=False)
    assert run(make("http", url=plug.url, model="shelly1", timeout=0.5).on(HOST))[0] is Status.Failed


def test_a_state_that_flaps(plug: Plug) -> None:
    turn = iter(range(10_000))
    plug.answer = lambda path, handler: (200, json.dumps({"ison": next(turn) % 2 == 0}))
    assert run(make("http", url=plug.url, model="shelly1", timeout=3).on(HOST))[0] is Status.Unstable


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("<html>hello</html>", "the answer is no JSON"),
        ("{}", "has no ison"),
        ("[]", "has no ison"),
        ('{"ison": "perhaps"}', "neither on nor off"),
        ('{"ison": null}', "neither on nor off"),
        ("[" * 100_000, "no JSON"),
        ("x" * 300_000, "longer than"),
        ("\x1b[2Jboo", "the answer is no JSON"),
    ],
)
def test_nonsense_answers(plug: Plug, answer: str, told: str) -> None:
    plug.answer = lambda path, handler: (200, answer)
    state, why = run(make("http", url=plug.url, model="shelly1").probe(HOST))
    assert state is None
    assert told in why
    assert why.isprintable()


def test_an_answer_that_breaks_off(plug: Plug) -> None:
    def half(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)

    plug.answer = lambda path, handler: half
    assert run(make("http", url=plug.url, model="shelly1").on(HOST)) == (
        Status.Error,
        f"{plug.url[7:]}: the answer broke off or is no HTTP",
    )


def test_a_slow_answer_ends_in_time(plug: Plug) -> None:
    def slow(handler: http.server.BaseHTTPRequestHandler) -> None:
        plug.released.wait(20)

    plug.answer = lambda path, handler: slow
    status, said = run(make("http", url=plug.url, model="shelly1", timeout=0.4).on(HOST))
    assert status is Status.Error
    assert "in time" in said or "within 0.4 s" in said


# --- what can go wrong with every TCP device

TCP = [
    ("http", {"model": "shelly1"}),
    ("redfish", {}),
    ("pdudaemon", {"pdu": "p", "outlet": 1}),
]


@pytest.mark.parametrize(("kind", "settings"), TCP, ids=[kind for kind, _ in TCP])
def test_refused(kind: str, settings: dict[str, object], closed_port: int) -> None:
    control = make(kind, url=f"http://127.0.0.1:{closed_port}", timeout=600, **settings)
    with pytest.raises(PowerFault) as told:
        run(control.switch(HOST, PowerState.ON))
    said = str(told.value)
    assert told.value.status is Status.Error
    assert f"127.0.0.1:{closed_port}" in said
    assert "refused" in said or "failed" in said
    assert "\n" not in said


@pytest.mark.parametrize(("kind", "settings"), TCP, ids=[kind for kind, _ in TCP])
def test_an_action_that_runs_out_of_time_names_the_address(
    kind: str, settings: dict[str, object], closed_port: int
) -> None:
    control = make(kind, url=f"http://127.0.0.1:{closed_port}", timeout=0.001, **settings)
    status, said = run(control.on(HOST))
    assert status is Status.Error
    assert f"127.0.0.1:{closed_port}" in said


@pytest.mark.parametrize(("kind", "settings"), TCP, ids=[kind for kind, _ in TCP])
def test_black_hole(kind: str, settings: dict[str, object], black_hole: tuple[str, int]) -> None:
    control = make(kind, url=f"http://{black_hole[0]}:{black_hole[1]}", timeout=0.6, **settings)
    status, said = run(control.on(HOST))
    assert status is Status.Error
    assert "in time" in said or "within" in said


@pytest.mark.parametrize(("kind", "settings"), TCP, ids=[kind for kind, _ in TCP])
def test_wrong_tls(kind: str, settings: dict[str, object], plug: Plug, tmp_path: Path) -> None:
    certificate = tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=bmc.lab", "-batch",
         "-addext", "subjectAltName=DNS:bmc.lab", "-keyout", str(certificate) + ".key", "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, str(certificate) + ".key")
    plug.socket = context.wrap_socket(plug.socket, server_side=True, do_handshake_on_connect=False)
    url = f"https://127.0.0.1:{plug.server_port}"
    status, said = run(make(kind, url=url, **settings).on(HOST))
    assert status is Status.Error
    assert "certificate" in said.lower()
    assert plug.asked == []
    mistaken = make(kind, url=url, verify=str(certificate), **settings)
    assert run(mistaken.on(HOST))[0] is Status.Error, "the name in the certificate is another"
    assert plug.asked == []


@pytest.mark.parametrize("kind", ["http", "redfish", "pdudaemon"])
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://x", "must be http"),
        ("plug", "must be http"),
        (5, "must be http"),
        ("http://", "must be http"),
        (f"http://admin:{PASSWORD}@plug", "must not carry a user or a password"),
        ("http://x:99999999", "cannot be read"),
        ("http://[", "cannot be read"),
        ("http://a\x1bb", "must be http"),
    ],
)
def test_addresses_are_checked_and_passwords_in_them_never_shown(kind: str, url: object, told: str) -> None:
    settings = dict(TCP)[kind]
    with pytest.raises(ValueError, match=told) as error:
        make(kind, url=url, **settings)
    assert PASSWORD not in str(error.value)
    assert str(error.value).isprintable()


# --- redfish: what a real service does is in tests/peers; here is what none should do


def redfish_answers(plug: Plug, power: str = "Off", **more: object) -> None:
    def answer(path, handler):
        if handler.command == "POST":
            return 204, ""
        if path.rstrip("/") == "/redfish/v1":
            return 200, json.dumps({"Id": "r", "Name": "r", "RedfishVersion": "1.0.2", "UUID": "u",
                                    "Systems": {"@odata.id": "/redfish/v1/Systems"}, "Links": {"Sessions": {"@odata.id": "/s"}}})  # fmt: skip
        if path.rstrip("/") == "/redfish/v1/Systems":
            return 200, json.dumps({"Name": "s", "Members": [{"@odata.id": "/redfish/v1/Systems/1"}]})
        reset = {
            "target": "/redfish/v1/Systems/1/Actions/Reset",
            "ResetType@Redfish.AllowableValues": ["On", "ForceOff"],
        }
        system = {"Id": "1", "Name": "n", "PowerState": power, "Actions": {"#ComputerSystem.Reset": reset}, **more}
        return 200, json.dumps(system)

    plug.answer = answer


def test_a_redfish_service_that_says_yes_and_does_nothing(plug: Plug) -> None:
    redfish_answers(plug)
    status, said = run(make("redfish", url=plug.url, timeout=2).on(HOST))
    assert (status, "it is still off" in said) == (Status.Failed, True), said


def test_a_redfish_service_in_between_states(plug: Plug) -> None:
    redfish_answers(plug, power="PoweringOn")
    assert run(make("redfish", url=plug.url, timeout=2).on(HOST))[0] is Status.Error
    assert run(make("redfish", url=plug.url).probe(HOST)) == (None, "the device reports neither on nor off")


def test_a_redfish_system_that_is_in_that_state_already(plug: Plug) -> None:
    redfish_answers(plug, power="On")
    assert run(make("redfish", url=plug.url).on(HOST)) == (Status.Success, "already on")
    assert run(make("redfish", url=plug.url, system="9").probe(HOST))[1].endswith("there is no system '9'")


@pytest.mark.parametrize("answer", ["", "[]", "null", '{"Systems": 5}', "\x00\xff", '{"Members": "x"}'])
def test_a_redfish_service_that_talks_nonsense(plug: Plug, answer: str) -> None:
    plug.answer = lambda path, handler: (200, answer)
    state, why = run(make("redfish", url=plug.url).probe(HOST))
    assert state is None
    assert why.startswith(plug.url)
    assert why.isprintable()


def test_a_redfish_login_that_is_refused(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMC_PASSWORD", PASSWORD)
    plug.answer = lambda path, handler: (401, "no")
    control = make("redfish", url=plug.url, user="root", password="env:BMC_PASSWORD")
    assert run(control.off(HOST)) == (Status.Error, f"{plug.url}: login refused (HTTP 401)")
    assert PASSWORD not in repr(control)


# --- wake-on-LAN


def test_the_magic_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        port = listener.getsockname()[1]
        control = make("wol", mac="00:1a:2B:3c:4d:5e", broadcast="127.0.0.1", port=port)
        assert run(control.on(HOST)) == (Status.Success, f"magic packet for 00:1a:2B:3c:4d:5e sent to 127.0.0.1:{port}")
        assert listener.recv(1024) == b"\xff" * 6 + bytes.fromhex("001a2b3c4d5e") * 16
    assert run(control.off(HOST)) == (Status.Failed, "wake-on-LAN cannot switch off")
    assert run(control.cycle(HOST)) == (Status.Failed, "wake-on-LAN cannot switch off")
    assert run(control.status(HOST)) is None


def test_wake_on_lan_can_wait_for_the_host() -> None:
    class Up(PowerOnlyHost):
        async def is_reachable(self, timeout=10.0):
            return self.id == "up"

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        control = make("wol", mac="001a2b3c4d5e", broadcast="127.0.0.1", port=port, wait_up=0.3)
        assert run(control.on(Up("up")))[0] is Status.Success
        status, said = run(control.on(Up("down")))
    assert status is Status.Failed
    assert said.endswith("but the host did not answer within 0.3 s")


@pytest.mark.parametrize("mac", ["", "00:11:22:33:44", "00:11:22:33:44:5g", "00:11-22:33:44:55", 5, None])
def test_a_mac_is_checked(mac: object) -> None:
    with pytest.raises(ValueError, match="mac must be"):
        make("wol", mac=mac)


# --- UDP: SNMP and IPMI


def test_snmp_nobody_answers(black_hole: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMUNITY", PASSWORD)
    control = make(
        "snmp", address=black_hole[0], port=black_hole[1], outlet=1, model="apc", community="env:COMMUNITY", timeout=0.5
    )
    status, said = run(control.on(HOST))
    assert status is Status.Error
    assert "no answer" in said
    assert PASSWORD not in said + repr(control)


def test_snmp_nonsense_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMUNITY", "public")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unit:
        unit.bind(("127.0.0.1", 0))

        def babble() -> None:
            while True:
                data, sender = unit.recvfrom(2048)
                if data == b"end":
                    return
                unit.sendto(b"\x30\x82not asn.1", sender)

        thread = threading.Thread(target=babble, daemon=True)
        thread.start()
        port = unit.getsockname()[1]
        control = make(
            "snmp", address="127.0.0.1", port=port, outlet=1, model="eaton", community="env:COMMUNITY", timeout=0.5
        )
        state, why = run(control.probe(HOST))
        assert state is None
        assert why
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"end", ("127.0.0.1", port))
        thread.join(10)


class Unit:
    """An SNMP unit with one outlet of the model ``apc`` (1 on, 2 off), which answers each order with an error."""

    def __init__(self, error: int, *, obeys: bool) -> None:
        self.error = error
        self.obeys = obeys
        self.state = 1
        self.orders: list[int] = []

    def answer(self, data: bytes) -> bytes:
        from pyasn1.codec.ber import decoder, encoder
        from pysnmp.proto import api

        version = api.PROTOCOL_MODULES[api.decodeMessageVersion(data)]
        asked, _ = decoder.decode(data, asn1Spec=version.Message())
        said = version.apiMessage.get_response(asked)
        request, response = version.apiMessage.get_pdu(asked), version.apiMessage.get_pdu(said)
        [(name, value)] = version.apiPDU.get_varbinds(request)
        if request.isSameTypeWith(version.SetRequestPDU()):
            self.orders.append(int(value))
            self.state = int(value) if self.obeys else self.state
            version.apiPDU.set_error_status(response, self.error)
        version.apiPDU.set_varbinds(response, [(name, version.Integer(self.state))])
        return bytes(encoder.encode(said))

    def serve(self, port: socket.socket) -> None:
        while (got := port.recvfrom(2048))[0] != b"end":
            port.sendto(self.answer(got[0]), got[1])


@pytest.fixture
def unit(monkeypatch: pytest.MonkeyPatch):
    """Runs a unit; gives its controller."""
    monkeypatch.setenv("COMMUNITY", "private")
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port.bind(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def start(unit: Unit):
        threads.append(threading.Thread(target=unit.serve, args=(port,), daemon=True))
        threads[0].start()
        address, number = port.getsockname()
        place = {"address": address, "port": number, "outlet": 1, "model": "apc", "community": "env:COMMUNITY"}
        return make("snmp", **place, timeout=60)

    yield start
    port.sendto(b"end", port.getsockname())
    threads[0].join(10)
    port.close()


@pytest.mark.parametrize("error", [5, 13, 14, 15])
def test_a_unit_that_obeys_and_answers_with_an_error_of_its_own(unit, error: int) -> None:
    status, said = run(unit(Unit(error, obeys=True)).off(HOST))
    assert status is Status.Success
    assert said.endswith("; but it is off")


@pytest.mark.parametrize("error", [6, 16, 17])
def test_a_unit_that_says_no_is_asked_once(unit, error: int) -> None:
    stubborn = Unit(error, obeys=False)
    assert run(unit(stubborn).off(HOST))[0] is Status.Failed
    assert stubborn.orders == [2]


NO_OUTLET = {"on_oid": "1.3.6.1", "on": 1, "off_oid": "1.3.6.1.*", "off": 2, "state_oid": "1.3.6.1.*"}
NO_OUTLET |= {"is_on": 1, "is_off": 2}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"model": "acme"}, "model must be one of apc, "),
        ({"outlet": "x"}, "outlet must be a number"),
        ({"outlet": True}, "outlet must be a number"),
        ({"community": "public"}, "community must say where the secret is"),
        ({"community": None}, "community is missing"),
        ({"version": "4"}, "version must be one of"),
        ({"version": "3"}, "version 3 needs a user"),
        ({"port": 0}, "port must be a number from 1 to 65535"),
        ({"model": "custom"}, "oids must be a table"),
        ({"oids": {}}, "oids are for the model custom"),
        ({"model": "custom", "oids": NO_OUTLET}, "on_oid '1.3.6.1' has no \\* for the outlet"),
        ({"outlet": "2.5"}, "outlet 2.5: this model counts outlets with one number"),
        ({"model": "eaton", "outlet": "1.2.5"}, "this model counts outlets with at most 2 numbers"),
        ({"auth_protocol": "sha1"}, "auth_protocol must be one of md5, sha, "),
        ({"priv_protocol": "rot13"}, "priv_protocol must be one of des, "),
        ({"address": ""}, "address must be a text"),
    ],
)
def test_snmp_settings(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make("snmp", **{"address": "pdu", "outlet": 1, "model": "apc", "community": "env:C", **settings})


BMC = """
import sys
from pyghmi.ipmi.bmc import Bmc

class Chassis(Bmc):
    state = "off"
    def get_power_state(self): return self.state
    def power_on(self): self.state = "on"; return 0
    def power_off(self): self.state = "off"; return int(sys.argv[3])
    def power_shutdown(self): return 0xd5
    def power_reset(self): return 0xd5 if self.state == "off" else 0

bmc = Chassis({"admin": sys.argv[2]}, port=int(sys.argv[1]), address="127.0.0.1")
print("ready", flush=True)
bmc.listen()
"""


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_real_bmc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMC_PASSWORD", PASSWORD)
    monkeypatch.setenv("WRONG", "not-the-word")
    port = free_udp_port()
    with subprocess.Popen(
        [sys.executable, "-c", BMC, str(port), PASSWORD, "0"], stdout=subprocess.PIPE, text=True
    ) as bmc:
        try:
            assert bmc.stdout is not None
            assert bmc.stdout.readline() == "ready\n"
            settings = {"address": "127.0.0.1", "port": port, "user": "admin", "timeout": 20}
            control = make("ipmi", password="env:BMC_PASSWORD", **settings)
            assert run(control.status(HOST)) is PowerState.OFF
            assert run(control.on(HOST)) == (Status.Success, "")
            assert run(control.cycle(HOST)) == (Status.Success, "")
            assert run(control.reset(HOST)) == (Status.Success, "")
            assert run(control.status(HOST)) is PowerState.ON
            stubborn = make("ipmi", password="env:BMC_PASSWORD", off_type="graceful", **settings)
            status, said = run(stubborn.off(HOST))
            assert status is Status.Failed
            assert f"127.0.0.1:{port}: " in said
            wrong = make("ipmi", password="env:WRONG", **{**settings, "timeout": 600})  # asked once: no second login
            status, said = run(wrong.off(HOST))
            assert status is Status.Error
            assert "ncorrect password" in said
            assert "not-the-word" not in said
            assert run(control.status(HOST)) is PowerState.ON
            stranger = make("ipmi", password="env:BMC_PASSWORD", **{**settings, "user": "nobody", "timeout": 1})
            assert run(stranger.off(HOST))[0] is Status.Error
        finally:
            bmc.kill()


@pytest.mark.parametrize("code", [0xC3, 0xFF])
def test_a_bmc_that_obeys_and_says_that_it_was_too_busy(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setenv("BMC_PASSWORD", PASSWORD)
    port = free_udp_port()
    words = [sys.executable, "-c", BMC, str(port), PASSWORD, str(code)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as bmc:
        try:
            assert bmc.stdout is not None
            assert bmc.stdout.readline() == "ready\n"
            settings = {"address": "127.0.0.1", "port": port, "user": "admin", "timeout": 60}
            control = make("ipmi", password="env:BMC_PASSWORD", **settings)
            assert run(control.on(HOST)) == (Status.Success, "")
            status, said = run(control.off(HOST))
            assert status is Status.Success
            assert said.endswith("; but it is off")
        finally:
            bmc.kill()


STRICT_BMC = (
    "import sys\nfrom pyghmi.ipmi.private import serversession\n"
    "class Telling(serversession.ServerSession):\n"
    "    def create_open_session_response(self, request):\n"
    "        print('open', bytes(request).hex(), flush=True)\n"
    "        return super().create_open_session_response(request)\n"
    "    def _got_rakp1(self, data):\n"
    "        print('role', data[24], flush=True)\n"
    "        super()._got_rakp1(data)\n"
    "serversession.ServerSession = Telling\n"
) + BMC.replace("print(", "bmc.kg = bytes.fromhex(sys.argv[4])\nprint(")
"""A controller with a key, which says what it is sent: the proposal of algorithms, and the role."""
PROPOSED = {3: ("01", "01", "01"), 17: ("03", "04", "01")}
"""Login, integrity and encryption of cipher suites (IPMI 2.0, table 22-20)."""


def test_a_bmc_with_a_key_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "a-key-of-20-bytes-00"
    for name, value in (
        ("BMC_PASSWORD", PASSWORD),
        ("KG", key),
        ("KG_HEX", f"0x{key.encode().hex()}"),
        ("LONG", "k" * 21),
    ):
        monkeypatch.setenv(name, value)
    port = free_udp_port()
    words = [sys.executable, "-c", STRICT_BMC, str(port), PASSWORD, "0", key.encode().hex()]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as bmc:
        assert bmc.stdout is not None
        lines = iter(bmc.stdout.readline, "")
        try:
            assert next(lines) == "ready\n"

            def probe(**more: object) -> tuple[PowerState | None, str]:
                login = {"address": "127.0.0.1", "port": port, "user": "admin", "password": "env:BMC_PASSWORD"}
                return run(make("ipmi", **login, **{"timeout": 60, **more}).probe(HOST))

            def proposed() -> tuple[str, ...]:
                sent = next(line.split()[1] for line in lines if line.startswith("open"))
                return tuple(sent[16 + 16 * place + 8 :][:2] for place in range(3))

            assert probe(kg="env:KG", cipher_suite=3, privilege="operator") == (PowerState.OFF, "")
            assert (proposed(), next(lines)) == (PROPOSED[3], "role 19\n")
            assert probe(kg="env:KG_HEX") == (PowerState.OFF, "")
            assert (proposed(), next(lines)) == (PROPOSED[17], "role 20\n"), "the stronger suite is proposed first"
            state, why = probe(kg="env:KG", cipher_suite=17)
            assert (state, why) == (None, f"127.0.0.1:{port}: the controller does not take cipher suite 17")
            assert proposed() == PROPOSED[17]
            state, why = probe()
            assert (state, "wrong Kg" in why) == (None, True)
            assert probe(kg="env:LONG")[1] == "kg: the secret must have 1 to 20 bytes, not 21"
            assert key not in repr(make("ipmi", address="a", user="u", password="env:BMC_PASSWORD", kg="env:KG"))
        finally:
            bmc.kill()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"kg": "plain text"}, "kg must say where the secret is"),
        ({"cipher_suite": 0}, "cipher_suite must be 3 or 17, not 0"),
        ({"privilege": "root"}, "privilege must be one of user, operator, administrator, not 'root'"),
    ],
)
def test_ipmi_settings(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make("ipmi", address="a", user="u", password="env:BMC_PASSWORD", **settings)


def test_the_process_that_speaks_ipmi_does_not_get_the_password_by_its_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BMC_PASSWORD", PASSWORD)
    program = tmp_path / "python"
    program.write_text(
        f"#!/bin/sh\nenv > {tmp_path}/env\nprintf '%s ' \"$@\" > {tmp_path}/args\nprintf '{{\"data\": [1]}}'\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv("KG", "controllers-key")
    control = make("ipmi", password="env:BMC_PASSWORD", kg="env:KG", address="127.0.0.1", user="admin", timeout=60)
    assert run(control.status(HOST)) is PowerState.ON
    seen = (tmp_path / "env").read_text() + (tmp_path / "args").read_text()
    assert PASSWORD not in seen
    assert "controllers-key" not in seen
    assert "PATH=" in (tmp_path / "env").read_text()
    assert (tmp_path / "args").read_text().startswith("-P ")


def test_a_bmc_that_does_not_answer_leaves_no_process_behind(
    black_hole: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BMC_PASSWORD", PASSWORD)
    control = make(
        "ipmi", address=black_hole[0], port=black_hole[1], user="admin", password="env:BMC_PASSWORD", timeout=0.5
    )
    assert run(control.on(HOST)) == (Status.Error, f"{control.place}: no answer within 0.5 s")
    assert PASSWORD not in repr(control)


# --- secrets that are not there


@pytest.mark.parametrize(
    ("model", "outlet", "index"),
    [
        ("apc", 5, "5"),
        ("eaton", 5, "0.5"),
        ("eaton", "2.5", "2.5"),
        ("raritan", "2.5", "2.5"),
        ("servertech", 5, "1.1.5"),
        ("servertech", "2.5", "1.2.5"),
        ("servertech-pro", "2.1.5", "2.1.5"),
        ("poe", 24, "1.24"),
    ],
)
def test_snmp_outlets_are_counted_as_the_model_does(model: str, outlet: object, index: str) -> None:
    assert MODELS[model].index(outlet) == index  # type: ignore[arg-type]


def test_snmp_addresses_that_nobody_knows_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMUNITY", "c")
    control = make("snmp", address="pdu.invalid", outlet=1, model="apc", community="env:COMMUNITY", timeout=60)
    state, why = run(control.probe(HOST))
    assert state is None
    assert why.startswith("pdu.invalid:161: the name is not known")


@pytest.mark.parametrize("kind", ["http", "redfish", "ipmi", "snmp"])
def test_a_secret_that_is_not_there_is_an_error_in_one_line(kind: str) -> None:
    settings: dict[str, dict[str, object]] = {
        "http": {"url": "http://127.0.0.1:1", "model": "shelly1", "password": "env:MISSING"},
        "redfish": {"url": "http://127.0.0.1:1", "user": "u", "password": "env:MISSING"},
        "ipmi": {"address": "127.0.0.1", "user": "u", "password": "env:MISSING"},
        "snmp": {"address": "127.0.0.1", "outlet": 1, "model": "apc", "community": "env:MISSING"},
    }
    status, said = run(make(kind, **settings[kind]).on(HOST))
    assert (status, said) == (Status.Error, "the secret env:MISSING is not there or empty")


def test_pdudaemon_is_read_back_by_a_command(plug: Plug, tmp_path: Path) -> None:
    def answer(path, handler):
        (tmp_path / "outlet").write_text("on" if "/on?" in path else "off")
        return 200, "OK - accepted request\n"

    plug.answer = answer
    control = make(
        "pdudaemon", url=plug.url, pdu="pdu 1", outlet=7, status_cmd=f"cat {tmp_path}/outlet", status_on="on"
    )
    assert run(control.cycle(HOST)) == (Status.Success, "OK - accepted request")
    asked = [path.replace("%20", "+") for path in plug.asked]
    assert asked == [f"/power/control/{state}?hostname=pdu+1&port=7" for state in ("off", "on")]
    assert run(make("pdudaemon", url=plug.url, pdu="p", outlet="a").probe(HOST)) == (None, "pdudaemon reports no state")


def test_many_at_once_take_as_long_as_the_slowest(plug: Plug) -> None:
    """One dead device among fifty: all others are done while it is still waited for."""
    plug.relay()
    done: list[int] = []

    async def one(number: int) -> None:
        assert (await make("http", url=plug.url, model="shelly1", timeout=20).on(HOST))[0] is Status.Success
        done.append(number)

    async def everything() -> None:
        hole = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{hole.getsockname()[1]}"
        dead = asyncio.create_task(make("http", url=url, model="shelly1", timeout=60).on(HOST))
        await asyncio.gather(*(one(number) for number in range(20)))
        assert len(done) == 20
        assert not dead.done()
        dead.cancel()
        hole.close()

    run(everything())
