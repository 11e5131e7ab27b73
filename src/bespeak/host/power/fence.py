"""Devices that fence-agents can switch: one of its programs, spoken to through its standard input.

Every program of that project takes ``name=value`` lines there, ``action`` among them, and answers with its exit code:
0 for done (and "on"), 2 for "off", else a failure. Nothing stands in the arguments, where a list of processes shows it.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.host.power.device import Device, PowerFault, text_field, whole_number
from bespeak.host.secrets import Secret, scrubbed
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from bespeak.host.base import Host

_AGENT = re.compile(r"fence_[\w-]+")
_NAME = re.compile(r"\w[\w-]*")
_SECRET_NAME = re.compile(r"passw|passphrase|secret|token|community|api_?key")
_NOT_SECRET = "_script"  # noqa: S105 - the end of the name of an option
_REFERENCES = ("env:", "file:", "keyring:")
_OWN = ("action", "plug", "port")
"""Options that this controller sets; ``port`` is the old name of ``plug``."""
_OFF_CODE = 2
_SHOWN = 300
_PLACES = "/usr/sbin:/sbin:/usr/local/sbin"
"""Where fence-agents are besides the path, which for ordinary users has none of these."""


@dataclass
class FencePowerController(Device):
    """An outlet or a machine behind a fence agent.

    Args:
        agent: the program: ``fence_apc``, or its absolute path.
        outlet: which outlet or machine (the agent's ``plug``); None where there is one only.
        options: the agent's options, as its ``-o metadata`` names them; values may be references, and those of secrets
            must be.
    """

    type_name: ClassVar[str] = "fence"
    usual_connections: ClassVar[int] = 1
    """Many agents log in to a menu that serves one at a time."""

    agent: str
    outlet: int | str | None = field(default=None, kw_only=True)
    options: dict[str, Any] = field(default_factory=dict, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        text_field(self.agent, "agent")
        absolute = os.path.isabs(self.agent)
        if not _AGENT.fullmatch(os.path.basename(self.agent)) or ("/" in self.agent and not absolute):
            raise ValueError(
                f"agent must be the name or the absolute path of a fence_ program, not {short_repr(self.agent)}"
            )
        if isinstance(self.outlet, str):
            _value(text_field(self.outlet, "outlet"), "outlet")
        elif self.outlet is not None:
            whole_number(self.outlet, "outlet", 0, 100_000)
        given: object = self.options
        if not isinstance(given, dict):
            raise ValueError(f"options must be a table, not {short_repr(given)}")  # noqa: TRY004 - bad data
        self.options = {name: _option(name, value) for name, value in given.items()}

    @property
    def place(self) -> str:
        """The agent, and the address it is given."""
        address = self.options.get("ip") or self.options.get("ipaddr") or ""
        name = os.path.basename(self.agent)
        return escape_unprintable(f"{name} {address}" if isinstance(address, str) and address else name)

    async def switch(self, host: Host, state: PowerState) -> str:  # noqa: ARG002 - the device's shape
        """Have the agent switch; it sees itself that the state comes."""
        code, said = await self._run(state.value)
        if code != 0:
            raise self._fault(code, said)
        return said

    async def read(self, host: Host) -> PowerState | None:  # noqa: ARG002 - the device's shape
        """Have the agent tell the state."""
        code, said = await self._run("status")
        if code not in {0, _OFF_CODE}:
            raise self._fault(code, said)
        return PowerState.ON if code == 0 else PowerState.OFF

    def _fault(self, code: int, said: str) -> PowerFault:
        """Return what an exit code means; a login that failed is not repeated, for devices lock accounts."""
        text = f"{self.place}: {said or f'exit code {code}'}"
        return PowerFault(text, Status.Error, final="login" in said.lower() or "usage" in said.lower())

    async def _run(self, action: str) -> tuple[int, str]:
        """Run the agent; return its exit code and what it said, in one line without secrets."""
        program = shutil.which(self.agent) or shutil.which(self.agent, path=_PLACES)
        if program is None:
            raise PowerFault(
                f"{escape_unprintable(self.agent)} is not installed; it comes with fence-agents", final=True
            )
        secrets = [value.reveal() for value in self.options.values() if isinstance(value, Secret)]
        values = {name: value.reveal() if isinstance(value, Secret) else value for name, value in self.options.items()}
        if self.outlet is not None:
            values["plug"] = str(self.outlet)
        lines = [f"{name}={_value(value, name)}" for name, value in {**values, "action": action}.items()]
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={name: value for name, value in os.environ.items() if not any(each in value for each in secrets)},
                start_new_session=True,
            )
        except OSError as error:
            raise PowerFault(f"{escape_unprintable(program)}: {error.strerror}", final=True) from error
        try:
            said, _ = await process.communicate(("\n".join(lines) + "\n").encode())
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        text = " ".join(said.decode("utf-8", "replace").split())
        return process.returncode or 0, scrubbed(escape_unprintable(text), *secrets)[-_SHOWN:]


def _option(name: object, value: object) -> str | Secret:
    """Return an option as it is kept.

    Raises:
        ValueError: it cannot be one, or a secret stands there in plain text.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"options: {short_repr(name)} is no name of an option")
    if name in _OWN:
        raise ValueError(f"options: {name} is not for lab data; the outlet is in outlet")
    if isinstance(value, str) and value.startswith(_REFERENCES):
        return Secret(value, f"options: {name}")
    if _SECRET_NAME.search(name) and not name.endswith(_NOT_SECRET):
        raise ValueError(f"options: {name} must say where the secret is: env:NAME, file:/PATH or keyring:SERVICE/USER")
    if isinstance(value, bool):
        return "1" if value else "0"
    if not isinstance(value, str | int | float):
        raise ValueError(f"options: {name} must be a text, a number, true or false, not {short_repr(value)}")  # noqa: TRY004 - bad data
    return _value(str(value), f"options: {name}")


def _value(value: str, name: str) -> str:
    """Return a value that fits on one line.

    Raises:
        ValueError: it does not; the value may be a secret and is not repeated.
    """
    if not value.isprintable():
        raise ValueError(f"{name} must be one line of printable characters")
    return value
