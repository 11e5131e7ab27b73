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
_LOGIN_REFUSED = ("Incorrect password", "Unauthorized")
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
    return {
        "bmc": request["address"],
        "userid": request["user"],
        "password": request["password"],
        "port": request["port"],
    }


def take_the_chosen_digest() -> None:
    """Have the library take the digest that a controller chose, where it goes on with the one it proposed."""
    from pyghmi.ipmi.private.session import Session

    as_it_was = Session._got_rmcp_response  # noqa: SLF001 - there is no other place

    def agree(session: Any, data: Any) -> Any:
        chosen = data[_ALGORITHM_AT] if len(data) > _ALGORITHM_AT and data[1] == 0 else None
        if chosen == _SHA1 and session.attemptedhash == _SHA256:
            session.attemptedhash = _SHA1
            session.currhashlib = hashlib.sha1
            session.currhashlen = 12
        return as_it_was(session, data)

    Session._got_rmcp_response = agree  # noqa: SLF001


def _raw(request: dict[str, Any]) -> dict[str, Any]:
    """Send one command."""
    from pyghmi.ipmi.private.session import Session

    take_the_chosen_digest()
    session = Session(**login_arguments(request), keepalive=False)
    answer = session.raw_command(netfn=request["netfn"], command=request["command"], data=request["data"])
    if "error" in answer or answer.get("code"):
        said = answer.get("error") or f"completion code {answer['code']:#04x}"
        unsure = answer.get("code") is None or answer["code"] in _UNSURE
        return {"fault" if unsure else "refused": str(said)}
    session.logout()
    return {"data": list(answer.get("data", ()))}


OPERATIONS = {"raw": _raw}
"""What can be asked for, by name; each takes the request and returns the answer, which has ``data``."""

if __name__ == "__main__":
    main()
