"""A book, its gate, and hosts that can be switched, for the tests of the interlock and of the executor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bespeak.host import LocalHost, Status
from bespeak.host.power import PowerController, PowerState
from bespeak.ledger import open_ledger
from bespeak.ledger.actions import Action
from bespeak.ledger.model import Holder, Request
from bespeak.lifecycle.audit import AuditLog
from bespeak.lifecycle.executor import Executor
from bespeak.lifecycle.interlock import Fence, Interlock
from bespeak.lifecycle.model import Outcome
from bespeak.reservations.evaluation import ReservationState
from bespeak.reservations.identity import ResolvedIdentity
from bespeak.reservations.ledger_backend import LedgerReservationBackend

ALICE, BOB = Holder("alice"), Holder("bob", "root")


class Switch(PowerController):
    """Remembers what it was told, and can do something first."""

    type_name = "switch"
    cycle_delay = 0.0
    timeout = 5.0

    def __init__(self, first: Callable[[], Any] | None = None) -> None:
        self.state = PowerState.OFF
        self.told: list[str] = []
        self.first = first

    async def _switch(self, state: PowerState) -> tuple[Status, str]:
        if self.first is not None:
            answer = self.first()
            if asyncio.iscoroutine(answer):
                await answer
        self.told.append(state.value)
        self.state = state
        return Status.Success, f"now {state.value}"

    async def on(self, host):
        return await self._switch(PowerState.ON)

    async def off(self, host):
        return await self._switch(PowerState.OFF)

    async def status(self, host):
        return self.state


class Lab:
    """A book, its gate, and hosts."""

    def __init__(self, url: str) -> None:
        self.book = open_ledger(url)
        self.backend = LedgerReservationBackend(engine=self.book.engine)

    def host(self, identifier: str = "r1", resources: tuple[str, ...] = ("rack1",), control: Any = None) -> LocalHost:
        return LocalHost(identifier, resources=resources, power_control=control or Switch())

    def hold(self, holder: Holder, *resources: str) -> Any:
        return self.book.reserve(Request(resources or ("rack1",), holder))

    def interlock(self, user: str = "alice", *, skip: bool = False, fence: Fence | None = None) -> Interlock:
        identity = ResolvedIdentity(user, "--as-user")
        return Interlock(ReservationState(None if skip else self.backend, identity, skip), "bench", fence)

    def do(
        self, action: Any, *hosts: LocalHost, user: str = "alice", holder: Holder | None = None, **more: Any
    ) -> list[Outcome]:
        lock = self.interlock(user, skip=more.pop("skip", False), fence=more.pop("fence", None))
        holder = holder or Holder(user)

        async def work() -> list[Outcome]:
            executor = Executor(lock, AuditLog(lambda: self.book, holder, skipped=lock.skipped), **more)
            return await executor.execute(action, hosts)

        return asyncio.run(work())

    def log(self) -> list[Any]:
        return [entry for entry in self.book.log() if entry.action in {Action.ACTING, Action.ACTED}]
