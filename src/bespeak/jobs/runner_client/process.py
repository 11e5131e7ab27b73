"""Calling a runner without ever waiting for it: programs started side by side, watched through descriptors.

A call is over when its process ends (a pidfd says so), not when its output ends: a job that inherited the pipe holds
up nobody. Each call has a session of its own, so a signal to the dispatcher's process group does not reach it.
:class:`Router` sends each call to the runner at its location.
"""

from __future__ import annotations

import os
import select
import signal
import time

from bespeak.jobs.runner_client.replies import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO, Protocol

    from bespeak.jobs.runner_client.location import Location

    class Starter(Protocol):
        """Something that calls the runner."""

        def submit(self, token: int, words: Sequence[str], limit_seconds: float, stdin: int = -1) -> None:
            """Begin a call; its end is returned by :meth:`take` under ``token``."""

        def flush(self) -> None:
            """Send what was begun and not sent yet."""

        @property
        def is_ready(self) -> bool:
            """Whether a call would be worked on at once."""

        def get_ready(self) -> None:
            """Do what the first call of a while would have to wait for."""

        def take(self) -> list[tuple[int, Reply]]:
            """Return the calls that have ended, and end those that took too long."""

        def fileno(self) -> int:
            """Return a descriptor that is readable when :meth:`take` has something."""

        def next_seconds(self) -> float | None:
            """Return in how many seconds a call will have taken too long, None for never."""

        def close(self) -> None:
            """Give back what is held; calls under way go on by themselves."""


_CHUNK = 65_536
MEMORY_LIMIT = 1 << 20
"""Bytes of one stream that are kept in memory."""
_SIGNALS = (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXFSZ)


class Spool:
    """One stream of a call."""

    __slots__ = ("_file", "_memory")

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None

    def add(self, data: bytes) -> None:
        """Append what was read."""
        if self._file is None and len(self._memory) + len(data) > MEMORY_LIMIT:
            from tempfile import TemporaryFile

            self._file = TemporaryFile()  # noqa: SIM115 -- closed by take
            self._file.write(self._memory)
            self._memory.clear()
        if self._file is None:
            self._memory += data
        else:
            self._file.write(data)

    def take(self) -> str:
        """Return all of it and let go of it; bytes that are no UTF-8 become lone surrogates."""
        data = bytes(self._memory)
        if self._file is not None:
            self._file.seek(0)
            data = self._file.read()
        self.close()
        return data.decode("utf-8", "surrogateescape")

    def close(self) -> None:
        """Let go of what was kept."""
        self._memory.clear()
        if self._file is not None:
            self._file.close()
            self._file = None


class _Call:
    """One program under way."""

    __slots__ = ("deadline", "err", "limit", "out", "pid", "pidfd", "pipes", "token", "too_long")

    def __init__(self, token: int, pid: int, pipes: dict[int, str], limit_seconds: float) -> None:
        self.token = token
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.pipes = pipes
        self.limit = limit_seconds
        self.deadline = time.monotonic() + limit_seconds
        self.too_long = False
        self.out = Spool()
        self.err = Spool()

    def read(self, descriptor: int) -> bool:
        """Read what is there; False at the end of the stream."""
        target = self.out if self.pipes[descriptor] == "out" else self.err
        while True:
            try:
                data = os.read(descriptor, _CHUNK)
            except BlockingIOError:
                return True
            if not data:
                return False
            target.add(data)


class ProgramStarter:
    """Calls the runner as a program, a process a call.

    Args:
        words: the runner's program and first arguments.
        environ: what the programs get.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str]) -> None:
        self._words = tuple(words)
        self._environ = dict(environ)
        self._epoll = select.epoll()
        self._calls: dict[int, _Call] = {}
        self._by_descriptor: dict[int, _Call] = {}
        self._ended: list[tuple[int, Reply]] = []
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

    def submit(self, token: int, words: Sequence[str], limit_seconds: float, stdin: int = -1) -> None:
        """Begin a call.

        Args:
            token: unique among the calls under way.
            words: the runner's arguments.
            limit_seconds: how long it may take.
            stdin: what it reads; -1 for nothing.
        """
        argv = [*self._words, *words]
        out_read, out_write = os.pipe2(os.O_CLOEXEC)
        err_read, err_write = os.pipe2(os.O_CLOEXEC)
        try:
            pid = self._spawn(argv, self._null if stdin < 0 else stdin, out_write, err_write)
        except (OSError, ValueError) as error:
            os.close(out_read)
            os.close(err_read)
            note = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._ended.append((token, Reply(None, note=note, called=False)))
            return
        finally:
            os.close(out_write)
            os.close(err_write)
        self._watch(_Call(token, pid, {out_read: "out", err_read: "err"}, limit_seconds))

    def flush(self) -> None:
        """Do nothing: a program is started at once."""

    is_ready = True
    """Nothing but the call itself is started."""

    def get_ready(self) -> None:
        """Do nothing: there is nothing that stays."""

    def _spawn(self, argv: list[str], stdin: int, out: int, err: int) -> int:
        return os.posix_spawnp(
            argv[0],
            argv,
            self._environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, stdin, 0),
                (os.POSIX_SPAWN_DUP2, out, 1),
                (os.POSIX_SPAWN_DUP2, err, 2),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=_SIGNALS,
        )

    def _watch(self, call: _Call) -> None:
        self._calls[call.token] = call
        for descriptor in (call.pidfd, *call.pipes):
            self._by_descriptor[descriptor] = call
            self._epoll.register(descriptor, select.EPOLLIN)
        for descriptor in call.pipes:
            os.set_blocking(descriptor, False)

    def take(self) -> list[tuple[int, Reply]]:
        """Return the calls that have ended, and kill those that took too long."""
        self._kill_late()
        for descriptor, _ in self._epoll.poll(0):
            call = self._by_descriptor.get(descriptor)
            if call is None:
                continue
            if descriptor == call.pidfd:
                self._finish(call)
            elif not call.read(descriptor):
                self._drop(call, descriptor)
        ended, self._ended = self._ended, []
        return ended

    def _kill_late(self) -> None:
        now = time.monotonic()
        for call in self._calls.values():
            if now >= call.deadline and not call.too_long:
                call.too_long = True
                _kill_group(call.pid)

    def _drop(self, call: _Call, descriptor: int) -> None:
        self._epoll.unregister(descriptor)
        del self._by_descriptor[descriptor], call.pipes[descriptor]
        os.close(descriptor)

    def _finish(self, call: _Call) -> None:
        for descriptor in list(call.pipes):
            call.read(descriptor)
            self._drop(call, descriptor)
        ended = _exit_code(call.pid)
        self._epoll.unregister(call.pidfd)
        del self._by_descriptor[call.pidfd], self._calls[call.token]
        os.close(call.pidfd)
        code: int | None = ended
        note = ""
        if call.too_long and (ended is None or ended < 0):
            code, note = None, f"took longer than {call.limit:g} s"
        elif ended is None:
            note = "its exit code was lost"
        elif ended < 0:
            code, note = None, f"was ended by signal {-ended}"
        self._ended.append((call.token, Reply(code, call.out.take(), call.err.take(), note)))

    def fileno(self) -> int:
        """Return a descriptor that is readable when a call has ended or said something."""
        return self._epoll.fileno()

    def next_seconds(self) -> float | None:
        """Return in how many seconds the next call will have taken too long."""
        if self._ended:
            return 0.0
        left = [call.deadline for call in self._calls.values() if not call.too_long]
        return max(min(left) - time.monotonic(), 0.0) if left else None

    def close(self) -> None:
        """Close what is open; calls under way go on by themselves."""
        for descriptor in self._by_descriptor:
            os.close(descriptor)
        for call in self._calls.values():
            call.out.close()
            call.err.close()
        self._by_descriptor.clear()
        self._calls.clear()
        os.close(self._null)
        self._epoll.close()


def _kill_group(pid: int) -> None:
    """End a call with its children, or what of them this user may end; its own process was not waited for yet."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _exit_code(pid: int) -> int | None:
    """Return how a process ended; None where the kernel was told not to keep it (an ignored SIGCHLD)."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return None


class Router:
    """Sends each call to the runner at its location.

    Args:
        own: where this dispatcher starts jobs.
        starter: calls the runner there.
        environ: what the programs of other locations get, but for their home.
    """

    def __init__(self, own: Location, starter: Starter, environ: Mapping[str, str]) -> None:
        self.own = own
        self._environ = environ
        self._starters: dict[Location, Starter] = {own: starter}
        self._epoll = select.epoll()
        self._epoll.register(starter.fileno(), select.EPOLLIN)

    def submit(
        self,
        token: int,
        words: Sequence[str],
        limit_seconds: float,
        location: Location | None = None,
        stdin: int = -1,
    ) -> None:
        """Begin a call; its end is returned by :meth:`take` under ``token``.

        Args:
            token: unique among the calls under way.
            words: the runner's arguments.
            limit_seconds: how long it may take.
            location: where; None for the dispatcher's own runner.
            stdin: what the program reads; -1 for nothing.
        """
        self._starter(location or self.own).submit(token, words, limit_seconds, stdin)

    def _starter(self, location: Location) -> Starter:
        found = self._starters.get(location)
        if found is None:
            found = ProgramStarter(location.runner.words, location.environ(self._environ))
            self._starters[location] = found
            self._epoll.register(found.fileno(), select.EPOLLIN)
        return found

    @property
    def is_ready(self) -> bool:
        """Whether the dispatcher's own runner would work on a call at once."""
        return self._starters[self.own].is_ready

    def get_ready(self) -> None:
        """Do what the first call of a while to the dispatcher's own runner would have to wait for."""
        self._starters[self.own].get_ready()

    def flush(self) -> None:
        """Send the calls that were begun and not sent yet."""
        for starter in self._starters.values():
            starter.flush()

    def take(self) -> list[tuple[int, Reply]]:
        """Return the calls that have ended, and end those that took too long."""
        return [ended for starter in self._starters.values() for ended in starter.take()]

    def fileno(self) -> int:
        """Return a descriptor that is readable when :meth:`take` has something."""
        return self._epoll.fileno()

    def next_seconds(self) -> float | None:
        """Return in how many seconds :meth:`take` has something to do even if nothing happens."""
        moments = [seconds for starter in self._starters.values() if (seconds := starter.next_seconds()) is not None]
        return min(moments) if moments else None

    def close(self) -> None:
        """Give back what is held; calls under way go on by themselves."""
        for starter in self._starters.values():
            starter.close()
        self._epoll.close()
