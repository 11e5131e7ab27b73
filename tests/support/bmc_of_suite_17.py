"""A controller that agrees on cipher suite 17 (SHA-256) alone: ``PORT PASSWORD [KEY]``; pyghmi's own knows suite 3 only.

ipmitool logs in to it with ``-C 17`` and no other suite, so it is no mirror of the library that asks it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import sys
from typing import Any

from pyghmi.ipmi.bmc import Bmc
from pyghmi.ipmi.private import constants, serversession

_PAYLOADS = constants.payload_types
_SUITE_17 = (3, 4, 1)
"""Login, integrity and encryption (IPMI 2.0, table 22-20)."""
_PROPOSALS_AT = (12, 20, 28)
_NO_SUCH_SUITE = 0x11
_SIGNATURE_BYTES = 16


def _code(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


class Session(serversession.ServerSession):  # type: ignore[misc]
    """A session whose digest is SHA-256."""

    def create_open_session_response(self, request: Any) -> Any:
        """Agree on suite 17, or on nothing."""
        answer = super().create_open_session_response(request)
        if tuple(request[at] for at in _PROPOSALS_AT) != _SUITE_17:
            return bytearray([request[0], _NO_SUCH_SUITE, 0, 0]) + request[4:8]
        answer[16], answer[24] = _SUITE_17[:2]
        self.currhashlib, self.currhashlen = hashlib.sha256, _SIGNATURE_BYTES
        return answer

    def _got_rakp1(self, data: Any) -> None:
        name = bytes(data[28:])
        self.kuid = self.authdata[name.decode()].encode()
        self.kg = self.kg or self.kuid
        self.Rm, self.Rc = bytes(data[8:24]), os.urandom(16)
        self.maxpriv = data[24] & 7
        self.who = bytes([data[24], len(name)]) + name
        sessions = bytes(self.clientsessionid) + bytes(self.managedsessionid)
        proof = _code(self.kuid, sessions + self.Rm + self.Rc + self.uuid.bytes + self.who)
        self._answer("rakp2", data[0], self.Rc + self.uuid.bytes + proof)

    def _got_rakp3(self, data: Any) -> None:
        if data[1] != 0 or bytes(data[8:]) != _code(self.kuid, self.Rc + bytes(self.clientsessionid) + self.who):
            return
        self.sik = _code(self.kg, self.Rm + self.Rc + self.who)
        self.k1, self.k2 = (_code(self.sik, bytes([number]) * 20) for number in (1, 2))
        self.aeskey = self.k2[:16]
        (self.localsid,) = struct.unpack("<I", self.managedsessionid)
        self.ipmicallback = self.handle_client_request
        proof = _code(self.sik, self.Rm + bytes(self.managedsessionid) + self.uuid.bytes)
        self._answer("rakp4", data[0], proof[:_SIGNATURE_BYTES])
        self.confalgo, self.integrityalgo, self.sequencenumber = "aes", "sha256", 1
        (self.sessionid,) = struct.unpack("<I", bytes(self.clientsessionid))

    def _answer(self, kind: str, tag: int, body: bytes) -> None:
        message = bytearray([tag, 0, 0, 0]) + self.clientsessionid + body
        self.send_payload(message, _PAYLOADS[kind], retry=False)


class Chassis(Bmc):  # type: ignore[misc]
    """A chassis that is switched at once."""

    state = "off"

    def get_power_state(self) -> str:
        """Return the state."""
        return self.state

    def power_on(self) -> int:
        """Switch it on."""
        self.state = "on"
        return 0

    def power_off(self) -> int:
        """Switch it off."""
        self.state = "off"
        return 0


if __name__ == "__main__":
    serversession.ServerSession = Session
    bmc = Chassis({"admin": sys.argv[2]}, port=int(sys.argv[1]), address="127.0.0.1")
    bmc.kg = sys.argv[3].encode() if len(sys.argv) > 3 else None
    print("ready", flush=True)
    bmc.listen()
