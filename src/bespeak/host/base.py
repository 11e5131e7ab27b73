"""What every host can do, whatever its kind."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

from bespeak.host.power.permission import before_order
from bespeak.host.power.verification import PowerControl, probe
from bespeak.host.status import CommandStatus, PowerState, RunResult, Status

BOOT_SECONDS = 600.0

_ACTIVE: ContextVar[Any] = ContextVar("bespeak_active_lab", default=None)


def active_lab() -> Any:
    """Return the lab in use: anything with ``hosts`` by id; None when there is none."""
    return _ACTIVE.get()


@contextmanager
def using_lab(lab: Any) -> Iterator[None]:
    """Make ``lab`` the lab in use for the time of a ``with``."""
    token = _ACTIVE.set(lab)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


class Host(ABC):
    """Something one can run commands on, or switch.

    Args:
        identifier: its name in the lab.
        name: how commands call it; by default the same.
        ip: where it is.
        resources: what one must hold to use it.
        labels: what it is chosen by.
        power_control: what switches it.
    """

    kind = "host"
    can_be_reached: ClassVar[bool] = True
    """Whether there is a way to find out that it answers."""

    def __init__(
        self,
        identifier: str,
        *,
        name: str | None = None,
        ip: str | None = None,
        resources: Iterable[str] = (),
        labels: Iterable[str] = (),
        power_control: PowerControl | None = None,
    ) -> None:
        self.id = identifier
        self.name = name or identifier
        self.ip = ip
        self.resources = set(resources)
        self.labels = frozenset(labels)
        self.power_control = power_control
        self._lab: Any = None
        self.folder: str | None = None
        self.console: Any = None
        self.management: Any = None

    @property
    def required(self) -> set[str]:
        """Return what one must hold to act on this host: its own resources and those of its lab."""
        of_lab: Iterable[str] = getattr(self._lab, "resources", ())
        return self.resources | set(of_lab)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"

    @abstractmethod
    async def oneshot(self, cmd: str, timeout: float | None = None, log: bool = True) -> CommandStatus:
        """Run one command in a shell of its own.

        Args:
            cmd: a line for the host's shell.
            timeout: seconds, after which the command is ended; None for no limit.
            log: accepted for code written for otto; output is returned, never printed.
        """

    async def run(self, cmds: str | Sequence[str], timeout: float | None = None) -> RunResult:
        """Run commands one after the other, each in a shell of its own, until one is not ok.

        Args:
            cmds: one command, or several.
            timeout: seconds for each.
        """
        done: list[CommandStatus] = []
        for cmd in [cmds] if isinstance(cmds, str) else cmds:
            done.append(await self.oneshot(cmd, timeout=timeout))
            if not done[-1].status.is_ok:
                break
        return RunResult(done[-1].status if done else Status.Skipped, tuple(done))

    def require_power_control(self) -> PowerControl:
        """Return what switches this host.

        Raises:
            ValueError: nothing does.
        """
        if self.power_control is None:
            raise ValueError(f"host {self.id!r} has no power_control")
        return self.power_control

    async def power(self, state: str | None = None) -> tuple[Status, str]:
        """Switch this host.

        Args:
            state: ``on``, ``off``, or None for the other of what it is now.

        Raises:
            ValueError: nothing switches it, ``state`` is something else, or its present state cannot be told.
        """
        controller = self.require_power_control()
        if state is None:
            state = await self.other_state()
            await before_order(PowerState(state))
        if state == "on":
            return await controller.on(self)
        if state == "off":
            return await controller.off(self)
        raise ValueError(f"power state must be 'on' or 'off', not {state!r}")

    async def other_state(self) -> str:
        """Return ``off`` when the host is on, and ``on`` when it is off.

        Raises:
            ValueError: its state is unknown; nothing may be switched blindly.
        """
        current, why = await probe(self.require_power_control(), self)
        if current is None:
            raise ValueError(f"host {self.id!r}: cannot toggle, its power status is unknown: {why}; say on or off")
        return "off" if current is PowerState.ON else "on"

    async def reboot(
        self,
        hard: bool = False,
        wait: bool = False,
        timeout: float = BOOT_SECONDS,
    ) -> tuple[Status, str]:
        """Restart this host.

        Args:
            hard: cut its power instead of asking it.
            wait: return only when it can be reached again.
            timeout: how long to wait for that, in seconds.

        Raises:
            ValueError: this kind of host cannot, or nothing cuts its power.
        """
        if wait and not self.can_be_reached:
            raise ValueError(f"host {self.id!r} has no address to reach it at, so nothing can wait for it")
        mark = await self._boot_mark() if wait else None
        status, said = await (self.require_power_control().cycle(self) if hard else self._soft_reboot())
        if not wait or not status.is_ok:
            return status, said
        if await self._came_back(mark, hard, timeout):
            return status, said
        return Status.Failed, f"{said}\nnot reachable again within {timeout:g} s".lstrip()

    async def _came_back(self, mark: str | None, was_off: bool, timeout: float) -> bool:
        """Wait for the host after a restart: until it answers with another mark, or was away and answers again."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        away = was_off
        while (left := deadline - loop.time()) > 0:
            if not await self.is_reachable(min(left, 10.0)):
                away = True
            elif away or (mark is not None and await self._boot_mark() not in {mark, None}):
                return True
            await asyncio.sleep(min(0.5, left))
        return False

    async def _boot_mark(self) -> str | None:
        """Return something that differs after each start of the system, or None when that cannot be had."""
        return None

    async def _soft_reboot(self) -> tuple[Status, str]:
        raise ValueError(f"host {self.id!r} cannot be restarted from its own system")

    async def shutdown(self) -> tuple[Status, str]:
        """Ask the host's own system to shut down.

        Raises:
            ValueError: this kind of host cannot.
        """
        raise ValueError(f"host {self.id!r} cannot be shut down from its own system")

    async def is_reachable(self, timeout: float = 10.0) -> bool:  # noqa: ARG002 - the contract's shape
        """Tell whether the host answers.

        Args:
            timeout: how long to wait for the answer, in seconds.

        Raises:
            ValueError: there is no way to find out.
        """
        raise ValueError(f"host {self.id!r} has no address to reach it at")

    async def wait_until_up(self, timeout: float, interval: float = 2.0) -> bool:
        """Wait until the host answers; False when ``timeout`` (seconds) is over first.

        Args:
            timeout: how long to wait, in seconds.
            interval: how long to pause between two tries, in seconds.
        """
        return await self._wait_for(True, timeout, interval)

    async def wait_until_down(self, timeout: float, interval: float = 2.0) -> bool:
        """Wait until the host does not answer; the arguments are those of :meth:`wait_until_up`."""
        return await self._wait_for(False, timeout, interval)

    async def _wait_for(self, up: bool, timeout: float, interval: float) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            left = deadline - loop.time()
            if await self.is_reachable(max(min(left, 10.0), 0.1)) is up:
                return True
            left = deadline - loop.time()
            if left <= 0:
                return False
            await asyncio.sleep(min(interval, left))

    async def close(self) -> None:  # noqa: B027 - most kinds keep nothing open
        """Let go of connections."""


class PowerOnlyHost(Host):
    """A host without an address: it can be switched, and nothing else."""

    kind = "power-only"
    can_be_reached = False

    async def oneshot(self, cmd: str, timeout: float | None = None, log: bool = True) -> CommandStatus:  # noqa: ARG002 - the contract's shape
        """Say that there is nowhere to run it."""
        return CommandStatus(cmd, f"host {self.id!r} has no address to run commands at", Status.Error, -1)
