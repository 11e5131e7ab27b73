"""A plug or a strip that speaks TP-Link's Smart Home Protocol, which is obscured by a running exclusive or, over TCP."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

_FIRST_KEY = 171
_TIMES = {
    "get_time": {"err_code": 0, "year": 2026, "month": 11, "mday": 22, "wday": 7, "hour": 14, "min": 0, "sec": 0},
    "get_timezone": {"err_code": 0, "index": 38},
}
_UNKNOWN = {"err_code": -1, "err_msg": "module not support"}


def encrypted(text: str) -> bytes:
    """Return a message as it goes over the wire: its length, and each byte combined with the one sent before it."""
    key, sent = _FIRST_KEY, bytearray()
    for byte in text.encode():
        key ^= byte
        sent.append(key)
    return struct.pack(">I", len(sent)) + bytes(sent)


def decrypted(body: bytes) -> str:
    """Return a message from its bytes after the length."""
    keys = bytes([_FIRST_KEY]) + body[:-1]
    return bytes(key ^ byte for key, byte in zip(keys, body, strict=True)).decode()


class KasaPlug:
    """A device with one relay, or with one for each name of an outlet."""

    def __init__(self, outlets: tuple[str, ...] = ()) -> None:
        self.relays: dict[str, int] = dict.fromkeys([f"ID{n}" for n in range(len(outlets))] or [""], 0)
        self.names = outlets
        self.asked: list[dict[str, Any]] = []
        self.port = 0
        self.is_odd = False
        """Whether it leaves out what the library reads besides the state."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[KasaPlug]:
        """Serve on a port of 127.0.0.1, :attr:`port`."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (length,) = struct.unpack(">I", await reader.readexactly(4))
                request = json.loads(decrypted(await reader.readexactly(length)))
                self.asked.append(request)
                writer.write(encrypted(json.dumps(self._answer(request))))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        chosen = request.get("context", {}).get("child_ids") or list(self.relays)
        answer: dict[str, Any] = {}
        for module, methods in request.items():
            if module != "context":
                answer[module] = {name: self._call(module, name, value, chosen) for name, value in methods.items()}
        return answer

    def _call(self, module: str, method: str, value: Any, chosen: list[str]) -> dict[str, Any]:
        if (module, method) == ("system", "get_sysinfo"):
            return self._facts()
        if (module, method) == ("system", "set_relay_state"):
            self.relays.update(dict.fromkeys(chosen, value["state"]))
            return {"err_code": 0}
        return _TIMES.get(method, _UNKNOWN) if module == "time" and not self.is_odd else _UNKNOWN

    def _facts(self) -> dict[str, Any]:
        model = "HS300(US)" if self.names else "HS100(EU)"
        facts: dict[str, Any] = {
            "err_code": 0, "sw_ver": "1.0.0", "hw_ver": "1.0", "model": model, "deviceId": "D", "hwId": "H", "oemId": "O",
            "alias": "bench", "mac": "00:11:22:33:44:55", "type": "IOT.SMARTPLUGSWITCH", "feature": "TIM", "rssi": -40,
            "led_off": 0, "updating": 0, "latitude_i": 0, "longitude_i": 0, "icon_hash": "", "dev_name": "plug",
            "active_mode": "none", "on_time": 0,
        }  # fmt: skip
        if not self.names:
            return facts | {"relay_state": self.relays[""]}
        children = [
            {
                "id": identifier,
                "alias": name,
                "state": self.relays[identifier],
                "on_time": 0,
                "next_action": {"type": -1},
            }
            for identifier, name in zip(self.relays, self.names, strict=True)
        ]
        return facts | {"children": children, "child_num": len(children)}
