"""Serial over LAN in a process of its own, with pyghmi: messages in JSON, one a line, in both directions.

The first line on standard input is the login. Then ``{"data": HEX}`` and ``{"break": true}`` go to the console, and
``{"open": true}``, ``{"data": HEX}`` and ``{"error": TEXT}`` come back. The end of standard input closes the console.
"""

from __future__ import annotations

import json
import os
import queue
import sys
from threading import Thread
from typing import Any

from bespeak.host.power.ipmi_child import fault_of, log_in_as_asked, login_arguments

_TICK_SECONDS = 0.05
_OPEN_TICKS = 600
_UNKNOWN_COMMAND = 0xC1
"""What a controller says that cannot tell who has its console; the library takes it for the end of the console."""


def main() -> None:
    """Carry the console until standard input ends, or the controller ends it."""
    request = json.loads(sys.stdin.readline())
    try:
        _carry(request)
    except Exception as error:  # noqa: BLE001 - pyghmi lets sockets' and its own errors through
        _say({"error": fault_of(error)["fault"]})


def _carry(request: dict[str, Any]) -> None:
    log_in_as_asked(request)
    from pyghmi.ipmi.console import Console

    ended: list[str] = []

    def hear(data: Any) -> None:
        if not isinstance(data, dict):
            _say({"data": (data.encode() if isinstance(data, str) else bytes(data)).hex()})
        elif "error" in data:
            ended.append(str(data["error"]))

    class Patient(Console):  # type: ignore[misc]
        def _got_payload_instance_info(self, response: Any) -> None:
            if response.get("code") != _UNKNOWN_COMMAND:
                super()._got_payload_instance_info(response)

    console = Patient(**_console_arguments(request), iohandler=hear, force=True)
    for _ in range(_OPEN_TICKS):
        if console.connected or ended:
            break
        Console.wait_for_rsp(_TICK_SECONDS)
    if ended or not console.connected:
        _say({"error": ended[0] if ended else "no answer"})
        return
    _say({"open": True})
    _forward(console, ended)
    if ended:
        _say({"error": ended[0]})
    else:
        console.close()


def _console_arguments(request: dict[str, Any]) -> dict[str, Any]:
    known = ("bmc", "userid", "password", "port", "kg")
    return {name: value for name, value in login_arguments(request).items() if name in known}


def _forward(console: Any, ended: list[str]) -> None:
    """Send what is typed, and let the library work, until either side ends."""
    typed: queue.SimpleQueue[str] = queue.SimpleQueue()
    Thread(target=_listen, args=(typed,), daemon=True).start()
    while not ended:
        while not typed.empty():
            line = typed.get()
            if not line:
                return
            message = json.loads(line)
            if "break" in message:
                console.send_break()
            else:
                console.send_data(bytes.fromhex(message["data"]))
        console.wait_for_rsp(_TICK_SECONDS)


def _listen(typed: queue.SimpleQueue[str]) -> None:
    while line := sys.stdin.readline():
        typed.put(line)
    typed.put("")


def _say(message: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    except OSError:  # nobody listens any more
        os._exit(1)


if __name__ == "__main__":
    main()
