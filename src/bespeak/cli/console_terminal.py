"""The user's side of a console: keys that go there as they are, and what comes from it."""

from __future__ import annotations

import asyncio
import os
import queue
import sys
from collections import deque
from contextlib import suppress
from threading import Thread
from typing import Any, Self

from bespeak.base.display import escape_unprintable
from bespeak.host.console.dialogue import EscapeReader
from bespeak.host.console.lines import PART_BYTES

_STDIN, _STDOUT = 0, 1
_WAITING_PARTS = 64
_FULL_SECONDS = 0.02
_FINISH_SECONDS = 2.0


class Terminal:
    """The terminal, every key of which goes to the console while the block runs.

    Args:
        quiet: nobody is to type, whatever there is.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.interactive = not quiet and _is_terminal(_STDIN) and _is_terminal(_STDOUT)
        self._before: list[Any] | None = None

    def __enter__(self) -> Self:
        if self.interactive:
            import termios
            import tty

            self._before = termios.tcgetattr(_STDIN)
            tty.setraw(_STDIN)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            import termios

            with suppress(termios.error):  # the terminal went away
                termios.tcsetattr(_STDIN, termios.TCSADRAIN, self._before)
            with suppress(OSError):
                os.write(_STDOUT, b"\r\n")


class Screen:
    """Prints what comes, in a thread of its own: whoever does not read it must not hold up the end of the console.

    Args:
        raw: it goes to the user's own terminal as it is; another terminal gets no control characters.
        shown: print it at all.
    """

    def __init__(self, *, raw: bool, shown: bool) -> None:
        self._shown = shown
        self._safe = not raw and _is_terminal(_STDOUT)
        self._parts: queue.Queue[bytes] = queue.Queue(_WAITING_PARTS)
        self._thread = Thread(target=self._print, daemon=True)
        if shown:
            sys.stdout.flush()
            self._thread.start()

    async def show(self, data: bytes) -> None:
        """Have ``data`` printed; waits while much of it is waiting already."""
        if not self._shown:
            return
        while True:
            try:
                self._parts.put_nowait(data)
            except queue.Full:
                await asyncio.sleep(_FULL_SECONDS)
            else:
                return

    def finish(self) -> None:
        """Wait a moment until all is printed."""
        if self._shown:
            with suppress(queue.Full):
                self._parts.put(b"", timeout=_FINISH_SECONDS)
            self._thread.join(_FINISH_SECONDS)

    def _print(self) -> None:
        try:
            while data := self._parts.get():
                rest = _harmless(data) if self._safe else data
                while rest:
                    rest = rest[os.write(_STDOUT, rest) :]
        except OSError:  # nobody reads any more; the transcript has it all
            self._swallow()

    def _swallow(self) -> None:
        while self._parts.get():
            pass


class Keys:
    """What is typed, or comes from a pipe or a file.

    Args:
        escapes: whether the escape sequence means something.
    """

    def __init__(self, *, escapes: bool) -> None:
        self._reader = EscapeReader() if escapes else None
        self._waiting: deque[bytes | None] = deque()

    async def read(self) -> bytes | None:
        """Return what to send next; nothing at the end of the input, None for the end of the conversation."""
        while not self._waiting:
            typed = await _typed()
            if not typed:
                return b""
            self._waiting.extend([typed] if self._reader is None else self._reader.feed(typed))
        return self._waiting.popleft()


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def _typed() -> bytes:
    """Return what is there to be read from standard input, as soon as there is something."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    try:
        loop.add_reader(_STDIN, _settle, ready)
    except (OSError, ValueError):  # a file, which is always ready; or none at all
        with suppress(OSError):
            return os.read(_STDIN, PART_BYTES)
        return b""
    try:
        await ready
    finally:
        loop.remove_reader(_STDIN)
    with suppress(OSError):
        return os.read(_STDIN, PART_BYTES)
    return b""


def _harmless(data: bytes) -> bytes:
    """Return text without control characters; line ends stay."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "")
    return "\n".join(escape_unprintable(line) for line in text.split("\n")).encode("utf-8", "replace")


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
