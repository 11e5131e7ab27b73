"""One IPMI exchange in a process of its own: a request on standard input, the answer on standard output, both JSON.

pyghmi keeps sockets and sessions in one place for the whole process and lets whoever waits handle everybody's packets,
so an error of one device surfaces in the thread of another. In a process of its own nothing is shared, and a time-out
ends it for good. The password comes on standard input, where no list of processes shows it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

_SHA1 = 1
_SHA256 = 256
_ALGORITHM_AT = 16
_DIGEST_OF = {3: (_SHA1, hashlib.sha1, 12), 17: (_SHA256, hashlib.sha256, 16)}
"""The library's number of the digest that a cipher suite signs with, what computes it, and the bytes of a signature."""
_CHOSEN = {1: 3, 3: 17}
"""Cipher suites by the number of the login's algorithm in an answer (IPMI 2.0, table 13-17)."""
_LOGIN_REFUSED = ("Incorrect password", "Unauthorized", "wrong Kg", "privelege level", "cipher suite")
"""What the library says when a login fails: asking again would lock the account."""


_UNSURE = frozenset({0xC0, 0xC3, 0xCE, 0xCF, 0xD0, 0xD1, 0xD2, 0xFF, 0xFFFF})
"""Completion codes that say nothing about an order: busy, out of time, no answer possible, asked already, in an update
or a start, unspecified; the last is the library's own for an answer that never came."""


def main() -> None:
    """Answer the one request."""
    request = json.load(sys.stdin)
    try:
        answer = OPERATIONS[request["operation"]](request)
    except Exception as error:  # noqa: BLE001 - pyghmi lets sockets' and its own errors through
        answer = fault_of(error)
    json.dump(answer, sys.stdout)


def fault_of(error: Exception) -> dict[str, Any]:
    """Return the answer that tells of an error of the library."""
    said = str(error)
    answer: dict[str, Any] = {"fault": "no answer" if said in {"None", "timeout"} else said or type(error).__name__}
    if any(sign in said for sign in _LOGIN_REFUSED):
        answer["login_refused"] = True
    return answer


def login_arguments(request: dict[str, Any]) -> dict[str, Any]:
    """Return the login in the library's words, for its sessions, commands and consoles."""
    key = request.get("kg")
    return {
        "bmc": request["address"],
        "userid": request["user"],
        "password": request["password"],
        "port": request["port"],
        "kg": None if key is None else bytes.fromhex(key),
    }


def log_in_as_asked(request: dict[str, Any]) -> None:
    """Have every session of this process log in as the request says, and in no weaker way than it asks for.

    Also take the digest that a controller chose, where the library goes on with the one it proposed.
    """
    from pyghmi.ipmi.private import session as library

    suite: int | None = request.get("cipher_suite")
    privilege: int | None = request.get("privilege")
    strict = suite is not None or request.get("kg") is not None
    original: Any = library.Session

    class Agreeing(original):  # type: ignore[misc]
        attemptedhash: int
        currhashlib: Any
        currhashlen: int

        def _initsession(self) -> None:
            super()._initsession()
            if suite is not None:
                self._sign_as(suite)
            if privilege is not None:
                self.privlevel, self.autopriv = privilege, False

        def _sign_as(self, number: int) -> None:
            self.attemptedhash, self.currhashlib, self.currhashlen = _DIGEST_OF[number]

        def _got_rmcp_response(self, data: Any) -> Any:
            refused = len(data) > 1 and data[1] != 0
            chosen = _CHOSEN.get(data[_ALGORITHM_AT]) if len(data) > _ALGORITHM_AT and not refused else None
            if suite is not None and (refused or chosen not in {suite, None}):
                self.onlogon({"error": f"the controller does not take cipher suite {suite}"})
                return -9
            if chosen is not None and self.attemptedhash != _DIGEST_OF[chosen][0]:
                self._sign_as(chosen)
            return super()._got_rmcp_response(data)

        def _get_session_challenge(self) -> None:
            if strict:
                self.onlogon({"error": "the controller speaks IPMI 1.5 only: it knows neither kg nor a cipher suite"})
                return
            super()._get_session_challenge()

    library.Session = Agreeing


def _raw(request: dict[str, Any]) -> dict[str, Any]:
    """Send one command."""
    log_in_as_asked(request)
    from pyghmi.ipmi.private.session import Session

    session = Session(**login_arguments(request), keepalive=False)
    answer = session.raw_command(netfn=request["netfn"], command=request["command"], data=request["data"])
    if "error" in answer or answer.get("code"):
        said = answer.get("error") or f"completion code {answer['code']:#04x}"
        unsure = answer.get("code") is None or answer["code"] in _UNSURE
        return {"fault" if unsure else "refused": str(said)}
    session.logout()
    return {"data": list(answer.get("data", ()))}


def _health(request: dict[str, Any]) -> dict[str, Any]:
    """Read sensors, event log and chassis status."""
    log_in_as_asked(request)
    from pyghmi.ipmi.command import Command

    from bespeak.host.power.ipmi_sensors import health

    return health(Command(**login_arguments(request), keepalive=False))


OPERATIONS = {"raw": _raw, "health": _health}
"""What can be asked for, by name; each takes the request and returns the answer, which has ``data``."""

if __name__ == "__main__":
    main()
