"""What the controllers shipped with bespeak have in common: one deadline, one way to fail, and reading back."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from bespeak.base.display import short_repr
from bespeak.base.errors import BespeakError
from bespeak.host.device_limit import TimeLimit, left_seconds, time_limit, turn_at
from bespeak.host.power.base import CYCLE_DELAY_SECONDS, PowerController
from bespeak.host.power.permission import OrderForbiddenError, before_order
from bespeak.host.power.verification import NO_LIMIT_SECONDS, TIMEOUT_SECONDS, read_back
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from bespeak.host.base import Host

_REQUESTS_OF_ACTION = 3
_SHORTEST_REQUEST_SECONDS = 0.1
_FIRST_PAUSE_SECONDS = 0.1
_LAST_PAUSE_SECONDS = 2.0
_LAST_READ_SECONDS = 5.0
_MOST_CONNECTIONS = 10_000


class PowerFault(Exception):  # noqa: N818 - not an error of ours: what the device did
    """An action that did not work.

    Args:
        text: one line for people, without secrets.
        status: Failed when the device said no, Error when it could not be asked.
        final: asking again would not help, or would do harm: a wrong password locks accounts.
        retry_after_seconds: how long the device wants to be left alone; None when it does not say.
    """

    def __init__(
        self,
        text: str,
        status: Status = Status.Error,
        *,
        final: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds
        self.status = status
        self.final = final or status is not Status.Error


@dataclass(kw_only=True)
class Device(PowerController):
    """A controller that can be asked for the state it has brought about.

    Args:
        timeout: seconds for one action, reading back included; None for no limit.
        cycle_delay: seconds between off and on.
        connections: how many requests the device serves at the same time; None for what is usual of its kind.
    """

    usual_connections: ClassVar[int] = 8
    verifies: ClassVar[bool] = True

    timeout: float = field(default=TIMEOUT_SECONDS)
    cycle_delay: float = field(default=CYCLE_DELAY_SECONDS)
    connections: int | None = field(default=None)

    def __post_init__(self) -> None:
        given: object = self.timeout
        self.timeout = NO_LIMIT_SECONDS if given is None else number(given, "timeout", above=0.0)
        number(self.cycle_delay, "cycle_delay")
        if self.connections is not None:
            whole_number(self.connections, "connections", 1, _MOST_CONNECTIONS)

    @property
    def place(self) -> str:
        """Where the device is, for messages."""
        return self.type_name

    def turn(self, host: Host) -> tuple[Hashable, int]:  # noqa: ARG002 - of a command, the host says who runs it
        """Return what is asked, and by how many at once."""
        return (self.type_name, self.place), self.connections or self.usual_connections

    @property
    def request_seconds(self) -> float:
        """How long one request may take, so that one lost answer does not use up the time of the whole action."""
        return min(max(self.timeout / _REQUESTS_OF_ACTION, _SHORTEST_REQUEST_SECONDS), TIMEOUT_SECONDS)

    @property
    def idempotent(self) -> bool:
        """Whether the same order may be sent twice without knowing whether the first one arrived."""
        return True

    @property
    def reports(self) -> bool:
        """Whether this controller, as it is set up, can tell the state."""
        return True

    @abstractmethod
    async def switch(self, host: Host, state: PowerState) -> str:
        """Tell the device; return what it said.

        Raises:
            PowerFault: it did not work.
        """

    @abstractmethod
    async def read(self, host: Host) -> PowerState | None:
        """Ask the device for the state.

        Raises:
            PowerFault: it could not be asked.
        """

    async def on(self, host: Host) -> tuple[Status, str]:
        """Power ``host`` on and see that it is on."""
        return await self._act(host, PowerState.ON)

    async def off(self, host: Host) -> tuple[Status, str]:
        """Power ``host`` off and see that it is off."""
        return await self._act(host, PowerState.OFF)

    async def status(self, host: Host) -> PowerState | None:
        """Return the present state; None when it cannot be told, for whatever reason."""
        return (await self.probe(host))[0]

    async def probe(self, host: Host) -> tuple[PowerState | None, str]:
        """Return the present state, and in one line why it cannot be told when it is None."""
        if not self.reports:
            return None, f"{self.type_name} reports no state"
        try:
            async with time_limit(self.timeout):
                state = await self._read_in_turn(host)
        except TimeoutError:
            return None, f"{self.place}: no answer within {self.timeout:g} s"
        except (PowerFault, BespeakError) as fault:
            return None, str(fault)
        return state, "" if state is not None else "the device reports neither on nor off"

    async def _act(self, host: Host, state: PowerState) -> tuple[Status, str]:
        """Order ``state`` until the device has taken the order, and see that it comes."""
        try:
            async with time_limit(self.timeout) as limit:
                ended, said = await self._deliver(host, state, limit)
                left = limit.left_seconds
        except TimeoutError:
            return await self._out_of_time(host, state)
        return await self._see(host, state, said, left or 0.0) if ended is None else (ended, said)

    async def _deliver(self, host: Host, state: PowerState, limit: TimeLimit) -> tuple[Status | None, str]:
        """Send the order until the device has taken it: None and what it said; else how that ended.

        An answer that is lost says nothing about the order, so the state is read before anything else is done.
        """
        pause = _FIRST_PAUSE_SECONDS
        lost = False
        while True:
            said, fault = await self._order(host, state)
            if fault is None:
                return None, said
            lost = lost or not fault.final
            if not lost:
                return fault.status, str(fault)
            if not await _left_alone(fault, limit.left_seconds):
                return fault.status, str(fault)
            now = await self._state_after_fault(host)
            if now is state:
                return Status.Success, f"{fault}; but it is {state.value}"
            left = limit.left_seconds
            again = (self.idempotent or now is not None) and (left is None or pause < left)
            if fault.final or not again:
                return fault.status, f"{fault}; it is {now.value}" if now is not None else str(fault)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_PAUSE_SECONDS)

    async def _order(self, host: Host, state: PowerState) -> tuple[str, PowerFault | None]:
        """Send one order; return what the device said, or what went wrong."""
        try:
            async with turn_at(*self.turn(host)):
                await before_order(state)
                return await self.switch(host, state), None
        except PowerFault as fault:
            return "", fault
        except OrderForbiddenError:
            raise
        except BespeakError as error:  # a secret that is not there, for example
            return "", PowerFault(str(error), final=True)

    async def _out_of_time(self, host: Host, state: PowerState) -> tuple[Status, str]:
        """Say that the device did not answer, and where that left the host."""
        text = f"{self.place}: no answer within {self.timeout:g} s"
        now = None
        with suppress(TimeoutError):
            async with time_limit(min(self.timeout, _LAST_READ_SECONDS)):
                now = await self._state_after_fault(host)
        if now is state:
            return Status.Success, f"{text}; but it is {state.value}"
        return Status.Error, f"{text}; it is {now.value}" if now is not None else text

    async def _state_after_fault(self, host: Host) -> PowerState | None:
        """Read the state once; None when it cannot be read."""
        try:
            return await self._read_in_turn(host) if self.reports else None
        except (PowerFault, BespeakError):
            return None

    async def _read_in_turn(self, host: Host) -> PowerState | None:
        while True:
            try:
                async with turn_at(*self.turn(host)):
                    return await self.read(host)
            except PowerFault as fault:
                if fault.retry_after_seconds is None or not await _left_alone(fault, left_seconds()):
                    raise

    async def _see(self, host: Host, state: PowerState, said: str, within: float) -> tuple[Status, str]:
        """Read back that the state has come."""
        if not self.reports:
            return Status.Success, said
        reader = _Reader(lambda: self._read_in_turn(host))
        ended, doubt = await read_back(reader.ask, state, within=within)
        if ended.is_ok:
            return ended, said
        if ended is Status.Error and reader.fault:
            doubt = f"{doubt}: {reader.fault}"
        return ended, f"{said}\n{doubt}" if said else doubt


async def _left_alone(fault: PowerFault, left: float | None) -> bool:
    """Wait as long as a busy device asks for; return whether there is time for that."""
    if fault.retry_after_seconds is None:
        return True
    wait = max(fault.retry_after_seconds, _FIRST_PAUSE_SECONDS)
    if left is not None and wait >= left:
        return False
    await asyncio.sleep(wait)
    return True


class _Reader:
    """Reads a state; a device that cannot be asked right now (it restarts) is asked again."""

    def __init__(self, read: Callable[[], Awaitable[PowerState | None]]) -> None:
        self._read = read
        self.fault = ""

    async def ask(self) -> PowerState | None:
        try:
            return await self._read()
        except (PowerFault, BespeakError) as fault:
            self.fault = str(fault)
            return None


def number(value: object, name: str, *, above: float | None = None) -> float:
    """Check a number of seconds from lab data.

    Raises:
        ValueError: it is no number, negative, not greater than ``above``, or longer than a day.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} must be a number of seconds, not {short_repr(value)}")  # noqa: TRY004 - bad data
    if not 0 <= value <= NO_LIMIT_SECONDS or (above is not None and value <= above):
        raise ValueError(
            f"{name} must be {'more than 0' if above is not None else '0'} to 86400 s, not {short_repr(value)}"
        )
    return float(value)


def text_field(value: object, name: str) -> str:
    """Check a text from lab data.

    Raises:
        ValueError: it is no text, empty, or has characters that nothing could send.
    """
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{name} must be a text, not {short_repr(value)}")
    return value


def whole_number(value: object, name: str, least: int, most: int) -> int:
    """Check a whole number from lab data.

    Raises:
        ValueError: it is none, or not between ``least`` and ``most``.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} must be a number from {least} to {most}, not {short_repr(value)}")
    return value


def port_number(value: object, name: str = "port") -> int:
    """Check a TCP or UDP port from lab data.

    Raises:
        ValueError: it is none.
    """
    return whole_number(value, name, 1, 65535)


def one_of(value: object, name: str, known: tuple[str, ...]) -> str:
    """Check a choice from lab data.

    Raises:
        ValueError: it is none of the known ones.
    """
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, not {short_repr(value)}")
    return str(value)
