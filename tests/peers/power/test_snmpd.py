"""SNMP against net-snmp's own agent, with accounts for the ways to sign and encrypt that labs have."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from bespeak.host import PowerOnlyHost, Status
from bespeak.host.power import power_control_from_spec
from bespeak.testing import assert_power_controller_conforms
from support import debs, peervenv
from support.programs import Start, free_port, run, until

HOST = PowerOnlyHost("h1")
PACKAGES = ["snmpd", "libsnmp40", "libsnmp-base", "libwrap0", "libpci3", "libsensors5", "libnsl2"]
OUTLET = ".1.3.6.1.4.1.318.1.1.4.4.2.1.3.1"
WAYS = (
    ("MD5", "DES", "md5", "des"),
    ("SHA", "AES", "sha", "aes"),
    ("SHA-224", "AES", "sha224", "aes"),
    ("SHA-256", "AES", "sha256", "aes"),
    ("SHA-384", "AES-192", "sha384", "aes192"),
    ("SHA-512", "AES-256", "sha512", "aes256"),
    ("SHA", "AES-256", "sha", "aes256"),
    ("SHA", "AES-192", "sha", "aes192"),
)
"""Ways to sign and to encrypt: as net-snmp calls them, and as lab data does."""
RELAY = """\
#!/bin/sh
# -g OID | -n OID | -s OID TYPE VALUE
case "$1" in
-s) echo "$4" > {folder}/outlet ;;
-g) echo "$2"; echo integer; cat {folder}/outlet ;;
esac
"""


def test_snmpd_with_accounts_of_every_kind(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        *(("COMMUNITY", "bench"), ("OTHER", "public")),
        *(("SIGN", "password-SIGN"), ("SEAL", "password-SEAL"), ("WRONG", "password-WRONG")),
    ):
        monkeypatch.setenv(name, value)
    try:
        packages = debs.unpacked(PACKAGES)
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)
    (tmp_path / "relay").write_text(RELAY.format(folder=tmp_path))
    (tmp_path / "relay").chmod(0o755)
    (tmp_path / "outlet").write_text("2\n")
    port = free_port(socket.SOCK_DGRAM)
    users = "".join(
        f'createUser u{number} {sign} "password-SIGN" {seal} "password-SEAL"\nrwuser u{number}\n'
        for number, (sign, seal, _, _) in enumerate(WAYS)
    )
    (tmp_path / "snmpd.conf").write_text(
        f"agentAddress udp:127.0.0.1:{port}\nrwcommunity bench 127.0.0.1\npass {OUTLET} {tmp_path}/relay\n{users}"
    )
    program = start(
        f"{packages.root}/usr/sbin/snmpd", "-f", "-Lo", "-C", "-c", str(tmp_path / "snmpd.conf"), "-I", "-smux",
        "-M", "", "-m", "", env={"LD_LIBRARY_PATH": packages.libraries, "SNMP_PERSISTENT_DIR": str(tmp_path / "kept")},
    )  # fmt: skip
    place = {"address": "127.0.0.1", "port": port, "model": "apc", "outlet": 1, "timeout": 20, "cycle_delay": 0.1}
    plain = {"type": "snmp", **place, "community": "env:COMMUNITY"}
    control = power_control_from_spec(plain)
    until(lambda: run(control.status(HOST)) is not None, program, tmp_path)
    assert_power_controller_conforms(control)
    assert (tmp_path / "outlet").read_text() == "1\n"
    assert "no answer" in run(power_control_from_spec({**plain, "community": "env:OTHER", "timeout": 1}).probe(HOST))[1]

    def account(number: int, **more: object) -> Any:
        _, _, sign, seal = WAYS[number]
        login = {"version": "3", "user": f"u{number}", "auth_password": "env:SIGN", "priv_password": "env:SEAL"}
        settings = {"type": "snmp", **place, **login, "auth_protocol": sign, "priv_protocol": seal, **more}
        controller = power_control_from_spec(settings)
        return run(controller.probe(HOST)) if more else run(controller.off(HOST))

    for number in range(len(WAYS)):
        (tmp_path / "outlet").write_text("1\n")
        assert account(number) == (Status.Success, ""), WAYS[number]
        assert (tmp_path / "outlet").read_text() == "2\n"
    for wrong, why in (
        ({"user": "nobody"}, "the user is not known there"),
        ({"auth_password": "env:WRONG"}, "auth_password is wrong, or auth_protocol"),
    ):
        assert account(1, **wrong) == (None, f"127.0.0.1:{port}: login refused: {why}")
