"""The ways to a console: TCP, telnet, RFC 2217, a command over SSH, serial over LAN."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError, needs_extra
from bespeak.host.ssh import SshError, UnixHost

if TYPE_CHECKING:
    import asyncssh

CONNECT_SECONDS = 10.0
PART_BYTES = 65536
_CLOSE_SECONDS = 1.0
_NEGOTIATION_SECONDS = 1.0
_CR, _LF, _NUL = b"\r", b"\n", b"\0"
_TELNET_BREAK = bytes([255, 243])


class ConsoleError(BespeakError):
    """A console could not be opened or used; one line, without secrets."""


class Line(ABC):
    """An open console.

    Attributes:
        ended_well: the other side has ended in order, as a command with exit code 0 does.
    """

    ended_well: bool = False

    @abstractmethod
    async def read(self) -> bytes:
        """Return what came next; nothing at the end.

        Raises:
            ConsoleError: the line broke.
        """

    @abstractmethod
    async def write(self, data: bytes) -> None:
        """Send ``data``.

        Raises:
            ConsoleError: the line broke.
        """

    async def send_break(self) -> None:
        """Send a break, as the key of a terminal does.

        Raises:
            ConsoleError: this kind of line has none.
        """
        raise ConsoleError("this console cannot send a break")

    @abstractmethod
    async def close(self) -> None:
        """Let go of the line; never waits long."""


class StreamLine(Line):
    """A plain TCP connection.

    Args:
        reader: of the connection.
        writer: of the connection.
        place: where it goes, for messages.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: str) -> None:
        self._reader = reader
        self._writer = writer
        self._place = place

    async def read(self) -> bytes:
        """Return what came next."""
        try:
            return await self._reader.read(PART_BYTES)
        except OSError as error:
            raise broken(self._place, error) from error

    async def write(self, data: bytes) -> None:
        """Send ``data``."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise broken(self._place, error) from error

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._writer.wait_closed()


class TelnetLine(Line):
    """A telnet connection, with telnetlib3."""

    def __init__(self, reader: Any, writer: Any, place: str) -> None:
        self._reader = reader
        self._writer = writer
        self._place = place

    async def read(self) -> bytes:
        """Return what came next, without the commands of telnet."""
        try:
            data: bytes = await self._reader.read(PART_BYTES)
        except OSError as error:
            raise broken(self._place, error) from error
        return data.replace(_CR + _NUL, _CR)

    async def write(self, data: bytes) -> None:
        """Send ``data``; a carriage return has a partner unless both sides agreed on binary."""
        if not self._writer.outbinary:
            data = data.replace(_CR + _LF, _CR).replace(_CR, _CR + _NUL)
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise broken(self._place, error) from error

    async def send_break(self) -> None:
        """Send telnet's own break."""
        self._writer.send_iac(_TELNET_BREAK)

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()


class SshLine(Line):
    """A command, or the shell that logs in, with a terminal on a host behind SSH."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes], place: str) -> None:
        self._process = process
        self._place = place

    async def read(self) -> bytes:
        """Return what came next."""
        import asyncssh

        try:
            data = await self._process.stdout.read(PART_BYTES)
        except (OSError, asyncssh.Error) as error:
            raise broken(self._place, error) from error
        if not data:
            with suppress(TimeoutError, OSError, asyncssh.Error):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._process.wait_closed()
            self.ended_well = self._process.exit_status == 0
        return data

    async def write(self, data: bytes) -> None:
        """Send ``data``."""
        import asyncssh

        try:
            self._process.stdin.write(data)
            await self._process.stdin.drain()
        except (OSError, asyncssh.Error) as error:
            raise broken(self._place, error) from error

    async def send_break(self) -> None:
        """Ask the other side for a break (RFC 4335)."""
        self._process.send_break(500)

    async def close(self) -> None:
        """End the command."""
        self._process.close()


def broken(place: str, error: BaseException) -> ConsoleError:
    """Return the error that tells that a line broke."""
    return ConsoleError(f"{place}: the connection broke: {reason(error)}")


def reason(error: BaseException) -> str:
    """Return in a few words why a connection failed."""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return escape_unprintable(" ".join(str(error).split())) or type(error).__name__


async def open_tcp(address: str, port: int) -> Line:
    """Open a plain TCP connection.

    Raises:
        ConsoleError: it cannot be opened.
    """
    place = escape_unprintable(f"{address}:{port}")
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return StreamLine(*await asyncio.open_connection(address, port), place)
    except TimeoutError as error:
        raise ConsoleError(f"{place}: no answer within {CONNECT_SECONDS:g} s") from error
    except OSError as error:
        raise ConsoleError(f"{place}: {reason(error)}") from error


async def open_telnet(address: str, port: int) -> Line:
    """Open a telnet connection.

    Raises:
        ConsoleError: it cannot be opened.
    """
    try:
        from telnetlib3 import TelnetClient, open_connection
    except ImportError as error:
        raise ConsoleError(needs_extra("a console over telnet", "console")) from error
    place = escape_unprintable(f"{address}:{port}")
    try:
        reader, writer = await open_connection(
            address,
            port,
            client_factory=TelnetClient,
            encoding=False,
            connect_maxwait=_NEGOTIATION_SECONDS,
            connect_timeout=CONNECT_SECONDS,
            compression=False,
        )
    except (OSError, TimeoutError) as error:
        raise ConsoleError(f"{place}: {reason(error)}") from error
    return TelnetLine(reader, writer, place)


async def open_ssh(host: UnixHost, command: str | None) -> Line:
    """Run ``command``, or the shell that logs in, with a terminal on ``host``.

    Raises:
        ConsoleError: the host cannot be logged in to.
    """
    try:
        connection = await host.connect()
    except SshError as error:
        raise ConsoleError(str(error)) from error
    import asyncssh

    place = escape_unprintable(f"ssh {host.id}")
    try:
        process = await connection.create_process(
            command,
            term_type=os.environ.get("TERM") or "dumb",
            term_size=terminal_size(),
            encoding=None,
            stderr=asyncssh.STDOUT,
        )
    except (OSError, asyncssh.Error) as error:
        raise ConsoleError(f"{place}: {reason(error)}") from error
    return SshLine(process, place)


def terminal_size() -> tuple[int, int]:
    """Return columns and lines of the user's terminal, else what a terminal usually has."""
    try:
        size = os.get_terminal_size(0)
    except OSError:
        return 80, 24
    return size.columns or 80, size.lines or 24
