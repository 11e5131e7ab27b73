"""What the controllers shipped with bespeak have in common: one deadline, one way to fail, and reading back."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bespeak.base.display import short_repr
from bespeak.base.errors import BespeakError
from bespeak.host.power.base import CYCLE_DELAY_SECONDS, PowerController
from bespeak.host.power.verification import TIMEOUT_SECONDS, read_back
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bespeak.host.base import Host

LONGEST_SECONDS = 86_400.0


class PowerFault(Exception):  # noqa: N818 - not an error of ours: what the device did
    """An action that did not work.

    Args:
        text: one line for people, without secrets.
        status: Failed when the device said no, Error when it could not be asked.
    """

    def __init__(self, text: str, status: Status = Status.Error) -> None:
        super().__init__(text)
        self.status = status


@dataclass(kw_only=True)
class Device(PowerController):
    """A controller that can be asked for the state it has brought about.

    Args:
        timeout: seconds for one action, reading back included.
        cycle_delay: seconds between off and on.
    """

    timeout: float = field(default=TIMEOUT_SECONDS)
    cycle_delay: float = field(default=CYCLE_DELAY_SECONDS)

    def __post_init__(self) -> None:
        number(self.timeout, "timeout", above=0.0)
        number(self.cycle_delay, "cycle_delay")

    @property
    def place(self) -> str:
        """Where the device is, for messages."""
        return self.type_name

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
            async with asyncio.timeout(self.timeout):
                state = await self.read(host)
        except TimeoutError:
            return None, f"{self.place}: no answer within {self.timeout:g} s"
        except (PowerFault, BespeakError) as fault:
            return None, str(fault)
        return state, "" if state is not None else "the device reports neither on nor off"

    async def _act(self, host: Host, state: PowerState) -> tuple[Status, str]:
        deadline = time.monotonic() + self.timeout
        try:
            async with asyncio.timeout(self.timeout):
                said = await self.switch(host, state)
        except TimeoutError:
            return Status.Error, f"{self.place}: no answer within {self.timeout:g} s"
        except PowerFault as fault:
            return fault.status, str(fault)
        except BespeakError as error:
            return Status.Error, str(error)
        if not self.reports:
            return Status.Success, said
        reader = _Reader(lambda: self.read(host))
        left = max(deadline - time.monotonic(), 0.0)
        ended, doubt = await read_back(reader.ask, state, within=left)
        if ended.is_ok:
            return ended, said
        if ended is Status.Error and reader.fault:
            doubt = f"{doubt}: {reader.fault}"
        return ended, f"{said}\n{doubt}" if said else doubt


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
    if not 0 <= value <= LONGEST_SECONDS or (above is not None and value <= above):
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
