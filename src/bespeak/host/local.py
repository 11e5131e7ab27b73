"""This machine as a host. It is never restarted, shut down or switched from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bespeak.host.base import Host
from bespeak.host.processes import run_shell

if TYPE_CHECKING:
    from bespeak.host.status import CommandStatus


class LocalHost(Host):
    """The machine that this runs on.

    Args:
        identifier: its name in the lab.
        options: as for :class:`Host`.
    """

    kind = "local"

    def __init__(self, identifier: str = "local", **options: Any) -> None:
        super().__init__(identifier, **options)

    async def oneshot(self, cmd: str, timeout: float | None = None, log: bool = True) -> CommandStatus:  # noqa: ARG002 - the contract's shape
        """Run one command with ``/bin/sh``; see :meth:`Host.oneshot`."""
        return await run_shell(cmd, timeout)

    async def is_reachable(self, timeout: float = 10.0) -> bool:  # noqa: ARG002 - the contract's shape
        """Return True: this is where we are."""
        return True
