"""Calling the embedded runner through one helper process that speaks JSON lines, a hundred times cheaper than a start.

The helper is still a program on the other side of a pipe. Losing it loses nothing: what was under way is answered
with "not known", and the dispatcher asks by idempotency key. It is started when first needed and leaves when idle.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time

from bespeak.jobs.runner_client.process import ProgramStarter
from bespeak.jobs.runner_client.replies import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IDLE_SECONDS = 30.0
_CHUNK = 262_144
_SERVED = ("start", "status")
"""The commands that the helper knows."""
_GIVE_UP_AFTER = 3
"""So many helpers in a row that died without one answer, and each call becomes a program of its own."""


class _Waiting:
    """A request that the helper has."""

    __slots__ = ("deadline", "limit")

    def __init__(self, limit_seconds: float) -> None:
        self.limit = limit_seconds
        self.deadline = time.monotonic() + limit_seconds


class HelperStarter:
    """Calls the embedded runner through ``serve``.

    Args:
        words: the runner's program and first arguments.
        environ: what the helper, and so the jobs, get.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str]) -> None:
        self._words = (*words, "serve")
        self._environ = dict(environ)
        self._programs = ProgramStarter(words, environ)
        self._epoll = select.epoll()
        self._epoll.register(self._programs.fileno(), select.EPOLLIN)
        self._waiting: dict[int, _Waiting] = {}
        self._ended: list[tuple[int, Reply]] = []
        self._pid = 0
        self._to = self._from = -1
        self._unsent = bytearray()
        self._unread = bytearray()
        self._answered = self._is_full = False
        self._deaths = 0
        self._last_used = 0.0

    def submit(self, token: int, words: Sequence[str], limit_seconds: float, stdin: int = -1) -> None:
        """Begin a call; only a program of its own has a standard input, and knows more than :data:`_SERVED`."""
        if words and words[0] not in _SERVED:
            self._programs.submit(token, words, limit_seconds, stdin)
            return
        self._last_used = time.monotonic()
        if self._deaths >= _GIVE_UP_AFTER or (not self._pid and not self._begin()):
            self._programs.submit(token, words, limit_seconds, stdin)
            return
        self._waiting[token] = _Waiting(limit_seconds)
        self._unsent += json.dumps({"n": token, "argv": list(words)}).encode() + b"\n"

    def flush(self) -> None:
        """Send the requests that were begun: many in one write, which wakes the helper once."""
        if self._unsent and not self._is_full:
            self._send()

    @property
    def is_ready(self) -> bool:
        """Whether a request would be worked on at once."""
        return self._pid != 0

    def get_ready(self) -> None:
        """Start the helper before it is needed; it stays for as long as after a request."""
        self._last_used = time.monotonic()
        if not self._pid and self._deaths < _GIVE_UP_AFTER:
            self._begin()

    def _begin(self) -> bool:
        to_read, self._to = os.pipe2(os.O_CLOEXEC)
        self._from, from_write = os.pipe2(os.O_CLOEXEC)
        try:
            self._pid = os.posix_spawnp(
                self._words[0],
                self._words,
                self._environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, to_read, 0), (os.POSIX_SPAWN_DUP2, from_write, 1)],
                setsid=True,
                setsigmask=(),
                setsigdef=(signal.SIGPIPE, signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
            )
        except OSError:
            os.close(self._to)
            os.close(self._from)
            return False
        finally:
            os.close(to_read)
            os.close(from_write)
        self._answered = self._is_full = False
        for descriptor in (self._to, self._from):
            os.set_blocking(descriptor, False)
        self._epoll.register(self._from, select.EPOLLIN)
        self._epoll.register(self._to, 0)
        return True

    def _send(self) -> None:
        try:
            while self._unsent:
                sent = os.write(self._to, self._unsent[:_CHUNK])
                del self._unsent[:sent]
        except BlockingIOError:
            self._watch_room(is_full=True)
        except OSError:
            return  # it is gone; its end of the other pipe says so
        else:
            self._watch_room(is_full=False)

    def _watch_room(self, *, is_full: bool) -> None:
        if is_full != self._is_full:
            self._is_full = is_full
            self._epoll.modify(self._to, select.EPOLLOUT if is_full else 0)

    def take(self) -> list[tuple[int, Reply]]:
        """Return the calls that have ended; a helper that holds one for too long is replaced."""
        for descriptor, _ in self._epoll.poll(0):
            if not self._pid:
                break  # it ended while its events were looked at; its descriptors are closed
            if descriptor == self._to:
                self._send()
            elif descriptor == self._from:
                self._receive()
        self._end_late()
        ended = self._ended + self._programs.take()
        self._ended = []
        if self._pid and not self._waiting and time.monotonic() - self._last_used > IDLE_SECONDS:
            self._end()
        return ended

    def _receive(self) -> None:
        while self._pid:
            try:
                data = os.read(self._from, _CHUNK)
            except BlockingIOError:
                break
            if not data:
                self._lost("the runner's helper ended")
                return
            self._unread += data
        *lines, rest = self._unread.split(b"\n")
        self._unread = bytearray(rest)
        for line in lines:
            self._answer(bytes(line))

    def _answer(self, line: bytes) -> None:
        try:
            found = json.loads(line)
            token, code = int(found["n"]), int(found["code"])
            out, err = str(found["out"]), str(found["err"])
        except (ValueError, TypeError, KeyError):
            return  # not an answer; the request's deadline decides
        if self._waiting.pop(token, None) is not None:
            self._answered = True
            self._deaths = 0
            self._ended.append((token, Reply(code, out, err)))

    def _end_late(self) -> None:
        now = time.monotonic()
        late = [token for token, call in self._waiting.items() if now >= call.deadline]
        if not late:
            return
        for token in late:
            limit = self._waiting.pop(token).limit
            self._ended.append((token, Reply(None, note=f"took longer than {limit:g} s")))
        # What it does for the late ones must not happen after we have answered, so it ends, and the others ask again.
        self._lost("the runner's helper was replaced")

    def _lost(self, note: str) -> None:
        if not self._answered:
            self._deaths += 1
        for token in self._waiting:
            self._ended.append((token, Reply(None, note=note)))
        self._waiting.clear()
        self._end()

    def _end(self) -> None:
        for descriptor in (self._to, self._from):
            self._epoll.unregister(descriptor)
            os.close(descriptor)
        self._unsent.clear()
        self._unread.clear()
        # With nothing under way it leaves by itself at the end of its input; killing it only makes that certain.
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._pid = 0

    def fileno(self) -> int:
        """Return a descriptor that is readable when there is something to take."""
        return self._epoll.fileno()

    def next_seconds(self) -> float | None:
        """Return in how many seconds :meth:`take` has something to do even if nothing happens."""
        if self._ended:
            return 0.0
        now = time.monotonic()
        moments = [call.deadline - now for call in self._waiting.values()]
        if self._pid and not self._waiting:
            moments.append(self._last_used + IDLE_SECONDS - now + 0.1)
        programs = self._programs.next_seconds()
        if programs is not None:
            moments.append(programs)
        return max(min(moments), 0.0) if moments else None

    def close(self) -> None:
        """End the helper; the jobs it started go on by themselves."""
        if self._pid:
            self._end()
        self._programs.close()
        self._epoll.close()
