"""Running one shell command on this machine, so that it can be ended with everything it started."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from bespeak.host.status import CommandStatus, Status

OUTPUT_LIMIT_BYTES = 1024 * 1024
"""More output than this is read and thrown away: a device gone mad must not fill the memory."""

_LINGER_SECONDS = 0.2
"""How long the output of a command that has ended is still read: a child it left behind may hold the pipe for ever."""


class Output:
    """Bytes collected up to a limit."""

    def __init__(self, limit: int = OUTPUT_LIMIT_BYTES) -> None:
        self._limit = limit
        self._taken = bytearray()

    def add(self, data: bytes) -> None:
        """Take what still fits."""
        self._taken += data[: self._limit - len(self._taken)]

    @property
    def text(self) -> str:
        """What was collected, as text, without the last line end."""
        return self._taken.decode("utf-8", "replace").rstrip("\r\n")


async def run_shell(command: str, timeout: float | None) -> CommandStatus:
    """Run ``command`` with ``/bin/sh`` and wait for its end.

    Args:
        command: a line for the shell.
        timeout: seconds; afterwards the command and all its children of the same process group are killed.
    """
    output = Output()
    try:
        process = await asyncio.create_subprocess_shell(
            command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return CommandStatus(command, f"cannot be started: {error}", Status.Error, -1)
    reader = asyncio.create_task(_drain(process.stdout, output))
    try:
        async with asyncio.timeout(timeout):
            code = await process.wait()
    except TimeoutError:
        return CommandStatus(command, _late(output.text, timeout), Status.Error, -1)
    else:
        await asyncio.wait([reader], timeout=_LINGER_SECONDS)
        return CommandStatus(command, output.text, Status.Success if code == 0 else Status.Failed, code)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        reader.cancel()
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - the only way to let go of the pipe


def _late(text: str, timeout: float | None) -> str:
    said = f"no end within {timeout:g} s; killed"
    return f"{text}\n{said}" if text else said


async def _drain(stream: asyncio.StreamReader | None, output: Output) -> None:
    while stream is not None:
        data = await stream.read(65536)
        if not data:
            return
        output.add(data)
