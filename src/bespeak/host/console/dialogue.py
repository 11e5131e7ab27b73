"""A conversation with a console: what comes is recorded and shown, what is typed or scripted is sent.

It ends with the first of these: the other side ends, the user does, the script is through, the time is over, or the
hold on the host is lost. The hold is compared again every second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from bespeak.base.display import short_repr
from bespeak.host.console.lines import ConsoleError, Line
from bespeak.host.console.transcript import Transcript
from bespeak.host.power.permission import OrderForbiddenError, before_change
from bespeak.host.status import Status

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.host.console.spec import Console

_LOOK_SECONDS = 1.0
_UNCHECKED_SECONDS = 30.0
"""How long a hold may go unconfirmed while the book does not answer."""
_KEPT_BYTES = 65536
"""How much of what came is kept for what is waited for, and for programs."""


class End(Enum):
    """Why a conversation ended."""

    USER = "user"
    """The user typed the escape sequence."""
    DONE = "done"
    """The script is through."""
    TIMEOUT = "timeout"
    CLOSED = "closed"
    """The other side ended."""
    LOST = "lost"
    """The hold on the host is lost, or could not be checked for too long."""
    FAILED = "failed"
    """It could not be opened, or broke, or the transcript could not be written."""
    INTERRUPTED = "interrupted"
    """A signal."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a script.

    Attributes:
        send: what is sent; None for a step that waits.
        expect: what is waited for; None for a step that sends.
    """

    send: bytes | None = None
    expect: bytes | None = None


class Keyboard(Protocol):
    """Where what is typed comes from."""

    async def read(self) -> bytes | None:
        """Return what was typed; nothing at the end, None for the escape sequence that ends the conversation."""


async def _drop(_: bytes) -> None:
    """Show nothing."""


@dataclass
class Dialogue:
    """What is wanted of a conversation, and what came of it.

    Attributes:
        show: called with everything that comes, after it was recorded.
        keyboard: what is typed; None where nobody types.
        steps: a script.
        timeout_seconds: when to end at the latest; None for no limit.
        end: why it ended; None before.
        why: the same in words.
        matched: how many steps of the script that wait have found what they waited for.
        output: the last of what came.
    """

    show: Callable[[bytes], Awaitable[None]] = _drop
    keyboard: Keyboard | None = None
    steps: tuple[Step, ...] = ()
    timeout_seconds: float | None = None
    end: End | None = None
    why: str = ""
    matched: int = 0
    output: bytearray = field(default_factory=bytearray)
    _seen: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def begin(self, console: Console, host: Host, transcript: Transcript) -> Line:
        """Open the console.

        Raises:
            ConsoleError: it cannot be opened.
        """
        try:
            return await console.open(host)
        except asyncio.CancelledError:
            self._ended(End.INTERRUPTED, "interrupted")
            transcript.end(self.why)
            raise
        except ConsoleError as error:
            self._ended(End.FAILED, str(error))
            transcript.end(self.why)
            raise

    async def talk(self, line: Line, transcript: Transcript) -> None:
        """Carry the conversation to its end.

        Raises:
            OrderForbiddenError: the hold is lost.
            ConsoleError: the line broke, or the transcript cannot be written.
        """
        works = [self._listen(line, transcript), self._watch(), self._time()]
        if self.steps:
            works.append(self._script(line))
        if self.keyboard is not None:
            works.append(self._type(line, self.keyboard))
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            await self._first_end(tasks)
        except asyncio.CancelledError:
            self._ended(End.INTERRUPTED, "interrupted")
            raise
        except OrderForbiddenError as error:
            self._ended(End.LOST, str(error))
            raise
        except ConsoleError as error:
            self._ended(End.FAILED, str(error))
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            transcript.end(self.why)

    async def _first_end(self, tasks: Sequence[asyncio.Future[None]]) -> None:
        while self.end is None:
            done, _ = await asyncio.wait([task for task in tasks if not task.done()], return_when="FIRST_COMPLETED")
            for task in done:
                task.result()

    def _ended(self, end: End, why: str) -> None:
        if self.end is None or end is End.LOST:
            self.end, self.why = end, why

    async def _listen(self, line: Line, transcript: Transcript) -> None:
        while data := await line.read():
            transcript.write(data)
            self.output += data
            cut = max(len(self.output) - _KEPT_BYTES, 0)
            del self.output[:cut]
            self._seen = max(self._seen - cut, 0)
            self._news.set()
            await self.show(data)
        self._ended(End.CLOSED, "the other side ended" if line.ended_well else "the other side closed the connection")

    async def _watch(self) -> None:
        """See that the hold on the host is still in force."""
        loop = asyncio.get_running_loop()
        confirmed = loop.time()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                async with asyncio.timeout(_UNCHECKED_SECONDS):
                    await before_change()
                confirmed = loop.time()
            except OrderForbiddenError as error:
                if error.refused or loop.time() - confirmed > _UNCHECKED_SECONDS:
                    raise
            except TimeoutError as error:
                raise OrderForbiddenError("the hold cannot be checked: the book does not answer") from error

    async def _time(self) -> None:
        if self.timeout_seconds is None:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(self.timeout_seconds or 0.0)
        waiting = self._waiting_for()
        what = f"; {short_repr(waiting.decode(errors='replace'))} did not come" if waiting is not None else ""
        self._ended(End.TIMEOUT, f"{self.timeout_seconds:g} s are over{what}")

    def _waiting_for(self) -> bytes | None:
        expected = [step.expect for step in self.steps if step.expect is not None]
        return expected[self.matched] if self.matched < len(expected) else None

    async def _script(self, line: Line) -> None:
        for step in self.steps:
            if step.send is not None:
                await line.write(step.send)
            if step.expect is not None:
                await self._expect(step.expect)
                self.matched += 1
        if self.matched:
            self._ended(End.DONE, "everything that was waited for came")
        elif self.timeout_seconds is None:
            self._ended(End.DONE, "everything was sent")

    async def _expect(self, wanted: bytes) -> None:
        while (found := self.output.find(wanted, self._seen)) < 0:
            self._news.clear()
            await self._news.wait()
        self._seen = found + len(wanted)

    async def _type(self, line: Line, keyboard: Keyboard) -> None:
        while typed := await keyboard.read():
            if typed == BREAK:
                await line.send_break()
            else:
                await line.write(typed)
        if typed is None:
            self._ended(End.USER, "the user ended it")


async def converse(host: Host, dialogue: Dialogue, path: str) -> tuple[Status, str]:
    """Open the console of ``host``, carry a conversation, and close it; return how it ended.

    Args:
        host: the host; it has a console.
        dialogue: what is wanted.
        path: the transcript.

    Raises:
        OrderForbiddenError: the hold is lost.
    """
    console: Console | None = host.console
    if console is None:
        return Status.Error, f"host {host.id!r} has no console"
    with Transcript(path, f"console of {host.id} ({console.type_name})") as transcript:
        line = await dialogue.begin(console, host, transcript)
        try:
            await dialogue.talk(line, transcript)
        finally:
            await line.close()
    waits = any(step.expect is not None for step in dialogue.steps)
    good = {End.USER, End.DONE} if waits else {End.USER, End.DONE, End.TIMEOUT}
    closed_well = dialogue.end is End.CLOSED and line.ended_well and not waits
    return Status.Success if dialogue.end in good or closed_well else Status.Failed, dialogue.why


BREAK = b"\0break"
"""What a keyboard returns, as a whole, for a break."""
ESCAPE = 0x1D
"""Ctrl-]"""


class EscapeReader:
    """Finds the escape sequence in what is typed: Ctrl-] and a full stop."""

    def __init__(self) -> None:
        self._escaped = False

    def feed(self, typed: bytes) -> list[bytes | None]:
        """Return what to send, in order: texts, :data:`BREAK`, and None for the end."""
        found: list[bytes | None] = []
        text = bytearray()
        for key in typed:
            if not self._escaped:
                self._escaped = key == ESCAPE
                if not self._escaped:
                    text.append(key)
                continue
            self._escaped = False
            if key in b".b":
                found += [bytes(text), None if key == ord(".") else BREAK]
                text.clear()
            elif key == ESCAPE:
                text.append(key)
            else:
                text += bytes([ESCAPE, key])
        found.append(bytes(text))
        return [each for each in found if each is None or each]
