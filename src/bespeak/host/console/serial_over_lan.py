"""Serial over LAN: the console behind an IPMI controller, in a process of its own (see ``serial_over_lan_child``)."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bespeak.host.console.lines import ConsoleError, Line
from bespeak.host.power.device import PowerFault
from bespeak.host.power.ipmi import start_child
from bespeak.host.secrets import told_of

if TYPE_CHECKING:
    from bespeak.host.power.ipmi import IpmiPowerController

_OPEN_SECONDS = 40.0
_CLOSE_SECONDS = 3.0
_LONGEST_MESSAGE_BYTES = 1 << 20
_CHILD = "bespeak.host.console.serial_over_lan_child"


class LanLine(Line):
    """An open console behind a controller.

    Args:
        process: the process that speaks IPMI.
        place: where the controller is, for messages.
        secrets: what no message may show.
    """

    def __init__(self, process: asyncio.subprocess.Process, place: str, secrets: tuple[str, ...]) -> None:
        self._process = process
        self._input: asyncio.StreamWriter = process.stdin  # type: ignore[assignment] # both are pipes
        self._output: asyncio.StreamReader = process.stdout  # type: ignore[assignment]
        self._place = place
        self._secrets = secrets

    async def message(self) -> dict[str, Any]:
        """Return the next thing that the process says; nothing at its end.

        Raises:
            ConsoleError: it says that the console failed.
        """
        line = await self._output.readline()
        found: dict[str, Any] = json.loads(line) if line else {}
        if "error" in found:
            raise ConsoleError(f"{self._place}: {told_of(found['error'], *self._secrets)}")
        return found

    async def opened(self) -> None:
        """Wait until the console is open.

        Raises:
            ConsoleError: it cannot be opened.
        """
        if "open" not in await self.message():
            raise ConsoleError(f"{self._place}: the console cannot be opened")

    async def read(self) -> bytes:
        """Return what came next."""
        found = await self.message()
        return bytes.fromhex(found.get("data", ""))

    async def write(self, data: bytes) -> None:
        """Send ``data``."""
        await self.say({"data": data.hex()})

    async def send_break(self) -> None:
        """Send a break."""
        await self.say({"break": True})

    async def say(self, message: dict[str, Any]) -> None:
        """Tell the process something."""
        with suppress(ConnectionError):  # it has ended, which reading tells
            self._input.write(json.dumps(message).encode() + b"\n")
            await self._input.drain()

    async def close(self) -> None:
        """Have the process close the console; it is ended if it does not."""
        self._input.close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


async def open_serial_over_lan(control: IpmiPowerController) -> Line:
    """Open the console behind a controller; one that somebody left open there is closed.

    Raises:
        ConsoleError: it cannot be opened.
    """
    try:
        login, secrets = control.login(), control.secrets()
    except PowerFault as fault:
        raise ConsoleError(str(fault)) from fault
    process = await start_child(_CHILD, secrets, limit=_LONGEST_MESSAGE_BYTES, start_new_session=True)
    line = LanLine(process, control.place, secrets)
    try:
        async with asyncio.timeout(_OPEN_SECONDS):
            await line.say(login)
            await line.opened()
    except TimeoutError as error:
        await line.close()
        raise ConsoleError(f"{control.place}: no answer within {_OPEN_SECONDS:g} s") from error
    except BaseException:
        await line.close()
        raise
    return line
