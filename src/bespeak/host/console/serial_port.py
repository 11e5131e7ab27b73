"""A serial port of a console server that speaks RFC 2217, with pyserial.

pyserial blocks, so each call is made in a thread.
"""

from __future__ import annotations

import asyncio
import warnings
from contextlib import suppress
from typing import Any

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import needs_extra
from bespeak.host.console.lines import PART_BYTES, ConsoleError, Line, broken, reason
from bespeak.host.power.worker_thread import in_thread

_READ_SECONDS = 0.25
_BREAK_SECONDS = 0.25
_CLOSE_SECONDS = 2.0
_OPEN_SECONDS = 15.0


class SerialLine(Line):
    """An open port.

    Args:
        port: pyserial's.
        place: where it is, for messages.
    """

    def __init__(self, port: Any, place: str) -> None:
        self._port = port
        self._place = place
        self._closed = False

    async def read(self) -> bytes:
        """Return what came next."""
        while not self._closed:
            data: bytes = await self._call(self._read_some)
            if data:
                return data
        return b""

    def _read_some(self) -> bytes:
        first: bytes = self._port.read(1)
        return first + self._port.read(min(self._port.in_waiting, PART_BYTES)) if first else b""

    async def write(self, data: bytes) -> None:
        """Send ``data``."""
        await self._call(lambda: self._port.write(data))

    async def send_break(self) -> None:
        """Hold the line for a quarter of a second."""
        await self._call(lambda: self._port.send_break(_BREAK_SECONDS))

    async def _call(self, work: Any) -> Any:
        try:
            return await in_thread(lambda _: work(), "bespeak-console")
        except (OSError, ValueError, TypeError) as error:  # pyserial's own are OSError; a port that was closed has none
            if self._closed:
                return b""
            raise broken(self._place, error) from error

    async def close(self) -> None:
        """Close the port."""
        self._closed = True
        with suppress(TimeoutError, OSError, ValueError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await in_thread(lambda _: self._port.close(), "bespeak-console")


async def open_serial(address: str, port: int, baudrate: int) -> Line:
    """Open a port and set its speed.

    Raises:
        ConsoleError: it cannot be opened.
    """
    try:
        import serial
    except ImportError as error:
        raise ConsoleError(needs_extra("a console over RFC 2217", "console")) from error
    place = escape_unprintable(f"{address}:{port}")
    host = f"[{address}]" if ":" in address else address

    def connect() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the library starts its thread in an old way
            return serial.serial_for_url(f"rfc2217://{host}:{port}", baudrate=baudrate, timeout=_READ_SECONDS)

    try:
        async with asyncio.timeout(_OPEN_SECONDS):
            return SerialLine(await in_thread(lambda _: connect(), "bespeak-console"), place)
    except TimeoutError as error:
        raise ConsoleError(f"{place}: no answer within {_OPEN_SECONDS:g} s") from error
    except (OSError, ValueError) as error:
        raise ConsoleError(f"{place}: {reason(error)}") from error
