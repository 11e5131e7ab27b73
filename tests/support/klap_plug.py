"""Plugs of TP-Link that want an account: found by a datagram, then spoken to in KLAP over HTTP, in both versions.

Kasa with newer firmware speaks the first version with the old messages inside, Tapo the second one with its own. The
sums are as the protocol was written down by Wilkinson and Weeldon; nothing of python-kasa is used here.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from support.kasa_plug import KasaPlug

_HEADER_BYTES = 16
_SIGNATURE_BYTES = 32


def _sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class KlapPlug:
    """One plug.

    Args:
        tapo: a Tapo; else a Kasa with newer firmware.
        user: the account.
        password: its password.
    """

    def __init__(self, user: str, password: str, *, tapo: bool) -> None:
        name, word = user.encode(), password.encode()
        if tapo:
            self.account = _sha256(hashlib.sha1(name).digest(), hashlib.sha1(word).digest())
        else:
            self.account = hashlib.md5(hashlib.md5(name).digest() + hashlib.md5(word).digest()).digest()
        self.tapo = tapo
        self.relay = KasaPlug()
        self.logins = 0
        """How many clients began to log in."""
        self.port = 0
        """Where it is found, UDP."""
        self._web_port = 0
        self._seeds = (b"", b"")
        self._proven = False

    @property
    def is_on(self) -> bool:
        """Whether it is on."""
        return bool(self.relay.relays[""])

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[KlapPlug]:
        """Serve on 127.0.0.1: HTTP, and datagrams on :attr:`port`."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._web_port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        finder, _ = await loop.create_datagram_endpoint(lambda: _Finder(self._found), local_addr=("127.0.0.1", 0))
        self.port = finder.get_extra_info("sockname")[1]
        try:
            yield self
        finally:
            finder.close()
            server.close()

    def _found(self) -> bytes:
        family = "SMART.TAPOPLUG" if self.tapo else "IOT.SMARTPLUGSWITCH"
        scheme = {"is_support_https": False, "encrypt_type": "KLAP", "http_port": self._web_port, "lv": 1 + self.tapo}
        result = {
            "device_type": family, "device_model": "P100(EU)" if self.tapo else "HS100(UK)", "device_id": "D",
            "ip": "127.0.0.1", "mac": "00-11-22-33-44-55", "mgt_encrypt_schm": scheme, "owner": "O",
        }  # fmt: skip
        return bytes(_HEADER_BYTES) + json.dumps({"result": result, "error_code": 0}).encode()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"content-length: *(\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                code, answer, more = self._answer(head.split()[1], body)
                lines = f"HTTP/1.1 {code} x\r\nContent-Length: {len(answer)}\r\n{more}\r\n"
                writer.write(lines.encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, path: str, body: bytes) -> tuple[int, bytes, str]:
        if path == "/app/handshake1":
            self.logins += 1
            self._seeds, self._proven = (body, os.urandom(16)), False
            return 200, self._seeds[1] + self._proof(*self._seeds), "Set-Cookie: TP_SESSIONID=S;TIMEOUT=86400\r\n"
        if path == "/app/handshake2":
            self._proven = body == self._proof(*reversed(self._seeds))
            return (200 if self._proven else 403), b"", ""
        sequence = re.fullmatch(r"/app/request\?seq=(-?\d+)", path)
        if sequence is None or not self._proven:
            return 403, b"", ""
        return 200, self._request(int(sequence[1]), body), ""

    def _proof(self, first: bytes, second: bytes) -> bytes:
        return _sha256(first, second, self.account) if self.tapo else _sha256(first, self.account)

    def _request(self, sequence: int, body: bytes) -> bytes:
        number = struct.pack(">l", sequence)
        secrets = (*self._seeds, self.account)
        signature, sealed = body[:_SIGNATURE_BYTES], body[_SIGNATURE_BYTES:]
        key = _sha256(b"ldk", *secrets)[:28] + number
        assert signature == _sha256(key, sealed)
        cipher = Cipher(AES(_sha256(b"lsk", *secrets)[:16]), CBC(_sha256(b"iv", *secrets)[:12] + number))
        opened = cipher.decryptor().update(sealed)
        told = json.dumps(self._obey(json.loads(opened[: -opened[-1]]))).encode()
        missing = 16 - len(told) % 16
        answer = cipher.encryptor().update(told + bytes([missing]) * missing)
        return _sha256(key, answer) + answer

    def _obey(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.tapo:
            return self.relay._answer(request)
        if request["method"] != "multipleRequest":
            return self._called(request)
        answers = [{"method": each["method"], **self._called(each)} for each in request["params"]["requests"]]
        return {"error_code": 0, "result": {"responses": answers}}

    def _called(self, request: dict[str, Any]) -> dict[str, Any]:
        known = {
            "component_nego": {"component_list": [{"id": "device", "ver_code": 2}]},
            "get_device_info": {
                "device_id": "D", "model": "P100", "type": "SMART.TAPOPLUG", "nickname": "YmVuY2g=", "fw_ver": "1.0.0",
                "hw_ver": "1.0", "mac": "00-11-22-33-44-55", "device_on": self.is_on, "region": "UTC", "time_diff": 0,
            },
            "get_connect_cloud_state": {"status": 0},
        }  # fmt: skip
        if request["method"] == "set_device_info":
            self.relay.relays[""] = int(request["params"]["device_on"])
            return {"error_code": 0, "result": {}}
        if request["method"] in known:
            return {"error_code": 0, "result": known[request["method"]]}
        return {"error_code": -10008}


class _Finder(asyncio.DatagramProtocol):
    """Answers who looks for plugs."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._transport.sendto(self._answer(), addr)
