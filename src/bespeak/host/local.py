"""This machine as a host, and running a command on it. It is never restarted, shut down or switched from here."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bespeak.base.process_identity import began_ticks
from bespeak.host.base import Host
from bespeak.host.status import CommandStatus, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OUTPUT_LIMIT_BYTES = 1024 * 1024
"""More output than this is read and thrown away: a device gone mad must not fill the memory."""

ACTING_PROCESS = "BESPEAK_ACTING_PROCESS"
"""A variable in the environment of every command: the process that started it, which the command may outlive."""

_LINGER_SECONDS = 0.2
"""How long the output of a command that has ended is still read: a child it left behind may hold the pipe for ever."""


class Output:
    """Bytes collected up to a limit."""

    def __init__(self, limit: int = OUTPUT_LIMIT_BYTES) -> None:
        self._limit = limit
        self._taken = bytearray()
        self._cut = False

    def add(self, data: bytes) -> None:
        """Take what still fits."""
        room = self._limit - len(self._taken)
        self._taken += data[:room]
        self._cut = self._cut or len(data) > room

    @property
    def text(self) -> str:
        """What was collected, as text, without the last line end; a last line says so when there was more."""
        text = self._taken.decode("utf-8", "replace").rstrip("\r\n")
        return f"{text}\n(cut here: more than {self._limit} bytes were printed)" if self._cut else text


class _Command(asyncio.SubprocessProtocol):
    """Follows one command. ``Process.wait`` is not used: it may wait until every child has closed the pipe, too."""

    def __init__(self) -> None:
        self.output = Output()
        self.ended = asyncio.Event()
        self.silent = asyncio.Event()

    def pipe_data_received(self, _: int, data: bytes) -> None:
        self.output.add(data)

    def pipe_connection_lost(self, _: int, __: Exception | None) -> None:
        self.silent.set()

    def process_exited(self) -> None:
        self.ended.set()


def acting_process(pid: int, ticks: int) -> str:
    """Return the value of :data:`ACTING_PROCESS` for a process: its number, and when it began in ticks since boot."""
    return f"{pid}:{ticks}"


_APART: dict[str, Any] = {
    "stdin": asyncio.subprocess.DEVNULL,
    "stdout": asyncio.subprocess.PIPE,
    "stderr": asyncio.subprocess.STDOUT,
    "start_new_session": True,
}


async def run_shell(command: str, timeout: float | None, folder: str | None = None) -> CommandStatus:
    """Run ``command`` with ``/bin/sh`` and wait for its end.

    Args:
        command: a line for the shell.
        timeout: seconds; afterwards the command and all its children of the same process group are killed.
        folder: where it runs; None for the working directory.
    """
    acting = {ACTING_PROCESS: acting_process(os.getpid(), began_ticks(os.getpid()) or 0)}
    loop = asyncio.get_running_loop()
    try:
        started = await loop.subprocess_shell(_Command, command, cwd=folder, env=os.environ | acting, **_APART)
    except (OSError, ValueError) as error:
        return CommandStatus(command, f"cannot be started: {error}", Status.Error, -1)
    return await _finished(command, *started, timeout)


async def run_program(
    words: Sequence[str], timeout: float, folder: str | None, environ: Mapping[str, str]
) -> CommandStatus:
    """Run a program without a shell and wait for its end, as :func:`run_shell` does.

    Args:
        words: the program and its arguments.
        timeout: seconds; see :func:`run_shell`.
        folder: where it runs; None for the working directory.
        environ: its environment.

    Raises:
        OSError: it cannot be started.
    """
    started = await asyncio.get_running_loop().subprocess_exec(_Command, *words, cwd=folder, env=environ, **_APART)
    return await _finished(shlex.join(words), *started, timeout)


async def _finished(
    command: str, transport: asyncio.SubprocessTransport, running: _Command, timeout: float | None
) -> CommandStatus:
    try:
        async with asyncio.timeout(timeout):
            await running.ended.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                await running.silent.wait()
    except TimeoutError:
        return CommandStatus(command, _late(running.output.text, timeout), Status.Error, -1)
    finally:
        if not running.ended.is_set():
            with suppress(ProcessLookupError):
                os.killpg(transport.get_pid(), signal.SIGKILL)
            await running.ended.wait()
        transport.close()
    code = transport.get_returncode()
    known = -1 if code is None else code
    return CommandStatus(command, running.output.text, Status.Success if code == 0 else Status.Failed, known)


def _late(text: str, timeout: float | None) -> str:
    said = f"no end within {timeout:g} s; killed"
    return f"{text}\n{said}" if text else said


class LocalHost(Host):
    """The machine that this runs on.

    Args:
        identifier: its name in the lab.
        folder: where its commands run: the folder of the lab file; None for the working directory.
        options: as for :class:`Host`.
    """

    kind = "local"

    def __init__(self, identifier: str = "local", *, folder: str | None = None, **options: Any) -> None:
        super().__init__(identifier, **options)
        self.folder = folder

    async def oneshot(self, cmd: str, timeout: float | None = None, log: bool = True) -> CommandStatus:  # noqa: ARG002 - the contract's shape
        """Run one command with ``/bin/sh``; see :meth:`Host.oneshot`."""
        return await run_shell(cmd, timeout, self.folder)

    async def is_reachable(self, timeout: float = 10.0) -> bool:  # noqa: ARG002 - the contract's shape
        """Return True: this is where we are."""
        return True
