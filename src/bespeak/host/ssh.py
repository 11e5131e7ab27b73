"""Hosts reached over SSH, with asyncssh.

Host keys are checked; a password is a reference; other hosts can be jumped over. A connection is opened for the first
command and kept until :meth:`UnixHost.close`.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError, needs_extra
from bespeak.host.base import Host, active_lab
from bespeak.host.device_limit import turn_at
from bespeak.host.local import Output
from bespeak.host.secrets import Secret, SecretError, scrubbed
from bespeak.host.status import CommandStatus, Status

if TYPE_CHECKING:
    import asyncssh

PORT = 22
SESSIONS = 8
_MOST_REFUSALS = 6
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_CHAIN = 8
_SOFT_SECONDS = 30.0
_BANNER = b"SSH-"


class SshError(BespeakError):
    """A host could not be logged in to; one line, without secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SshOptions:
    """How a host is logged in to.

    Attributes:
        user: the account; None for what OpenSSH's configuration says, else the present user.
        port: the TCP port.
        key: a private key file; None for the agent and the usual files.
        passphrase: the key's.
        password: for hosts that want one.
        agent: whether an SSH agent is asked.
        known_hosts: a file of host keys; None for the user's own.
        host_key_check: False accepts any host key: anybody in between can then listen and answer.
        connect_timeout: seconds to connect and to log in.
        sessions: how many commands run at the same time over the one connection; OpenSSH refuses more than 10.
    """

    user: str | None = None
    port: int = PORT
    key: str | None = None
    passphrase: Secret | None = None
    password: Secret | None = None
    agent: bool = True
    known_hosts: str | None = None
    host_key_check: bool = True
    connect_timeout: float = 10.0
    sessions: int = SESSIONS


class UnixHost(Host):
    """A host with a shell behind SSH.

    Args:
        identifier: its name in the lab.
        ip: its address.
        ssh: how it is logged in to.
        hop: the id of the lab host that it is reached through.
        reboot_cmd: restarts it from its own shell.
        shutdown_cmd: shuts it down from its own shell.
        options: as for :class:`Host`.
    """

    kind = "unix"

    def __init__(
        self,
        identifier: str,
        *,
        ip: str,
        ssh: SshOptions | None = None,
        hop: str | None = None,
        reboot_cmd: str = "sudo -n reboot || reboot",
        shutdown_cmd: str = "sudo -n shutdown -h now || shutdown -h now",
        **options: Any,
    ) -> None:
        super().__init__(identifier, ip=ip, **options)
        self.address = ip
        self.ssh = ssh or SshOptions()
        self.hop = hop
        self.reboot_cmd = reboot_cmd
        self.shutdown_cmd = shutdown_cmd
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connecting = asyncio.Lock()
        self._running = 0
        self._ended = asyncio.Event()

    async def oneshot(self, cmd: str, timeout: float | None = None, log: bool = True) -> CommandStatus:  # noqa: ARG002 - the contract's shape
        """Run one command over SSH; see :meth:`Host.oneshot`."""
        output = Output()
        async with turn_at(("ssh", id(self)), self.ssh.sessions):
            return await self._oneshot(cmd, timeout, output)

    @property
    def session_limit(self) -> tuple[str, int]:
        """Return where commands run, and how many at the same time."""
        return self._place, self.ssh.sessions

    async def _oneshot(self, cmd: str, timeout: float | None, output: Output) -> CommandStatus:
        try:
            async with asyncio.timeout(timeout):
                connection = await self.connect()
                return await self._run(connection, cmd, output)
        except TimeoutError:
            said = f"no end within {timeout:g} s; ended"
            return CommandStatus(cmd, f"{output.text}\n{said}".lstrip(), Status.Error, -1)
        except SshError as error:
            return CommandStatus(cmd, str(error), Status.Error, -1)

    async def _run(self, connection: asyncssh.SSHClientConnection, cmd: str, output: Output) -> CommandStatus:
        import asyncssh

        process = await self._session(connection, cmd)
        self._running += 1
        try:
            while data := await process.stdout.read(65536):
                output.add(data)
            await process.wait_closed()
        except (OSError, asyncssh.Error):  # the connection broke off; what was read so far counts
            connection.abort()
            self._connection = None
        except asyncio.CancelledError:
            with suppress(OSError, asyncssh.Error):
                process.kill()
            raise
        finally:
            process.close()
            self._running -= 1
            self._ended.set()
        if process.exit_status is None or process.exit_signal is not None:
            why = f"ended by signal {process.exit_signal[0]}" if process.exit_signal else "the connection went away"
            return CommandStatus(cmd, f"{output.text}\n{why}".lstrip(), Status.Error, -1)
        code = process.exit_status
        return CommandStatus(cmd, output.text, Status.Success if code == 0 else Status.Failed, code)

    async def _session(self, connection: asyncssh.SSHClientConnection, cmd: str) -> asyncssh.SSHClientProcess[bytes]:
        """Start a command; while the server refuses one more beside those that run, wait for one of them to end."""
        import asyncssh

        refused = 0
        while True:
            self._ended.clear()
            try:
                return await connection.create_process(
                    cmd, stdin=asyncssh.DEVNULL, stderr=asyncssh.STDOUT, encoding=None
                )
            except asyncssh.ChannelOpenError as error:
                if refused == _MOST_REFUSALS or connection.is_closed():
                    raise SshError(f"{self._place}: one more session is refused ({self._reason(error)})") from error
            except (OSError, asyncssh.Error) as error:
                await self.close()
                raise SshError(f"{self._place}: {self._reason(error)}") from error
            if self._running:
                refused = 0
                await self._ended.wait()
            else:  # the server may not have noticed yet that the last ones have ended
                refused += 1
                await asyncio.sleep(_FIRST_PAUSE_SECONDS * 2**refused)

    async def connect(self, chain: tuple[str, ...] = ()) -> asyncssh.SSHClientConnection:
        """Return the open connection, opening it first if need be.

        Args:
            chain: the ids of the hosts that are being reached through this one.

        Raises:
            SshError: it cannot be opened.
        """
        async with self._connecting:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._open(chain)
            return self._connection

    async def _open(self, chain: tuple[str, ...]) -> asyncssh.SSHClientConnection:
        try:
            import asyncssh
        except ImportError as error:
            raise SshError(needs_extra(f"{self._place}: SSH", "ssh")) from error
        tunnel = await self._tunnel(chain)
        try:
            password = self.ssh.password.reveal() if self.ssh.password else None
            passphrase = self.ssh.passphrase.reveal() if self.ssh.passphrase else None
        except SecretError as error:  # a command on this host has failed, as with any other login that does not work
            raise SshError(f"{self._place}: {error}") from error
        try:
            async with asyncio.timeout(self.ssh.connect_timeout):
                return await asyncssh.connect(
                    self.address, tunnel=tunnel or (), **self._arguments(password, passphrase)
                )
        except TimeoutError as error:
            raise SshError(f"{self._place}: no answer within {self.ssh.connect_timeout:g} s") from error
        except (OSError, ValueError, asyncssh.Error) as error:
            raise SshError(f"{self._place}: {scrubbed(self._reason(error), password, passphrase)}") from error

    def _arguments(self, password: str | None, passphrase: str | None) -> dict[str, Any]:
        ssh = self.ssh
        arguments: dict[str, Any] = {"port": ssh.port, "password": password, "passphrase": passphrase}
        if ssh.user:
            arguments["username"] = ssh.user
        if ssh.key:
            arguments["client_keys"] = [os.path.expanduser(ssh.key)]
        if not ssh.agent:
            arguments["agent_path"] = None
        if not ssh.host_key_check:
            arguments["known_hosts"] = None
        elif ssh.known_hosts:
            arguments["known_hosts"] = os.path.expanduser(ssh.known_hosts)
        return arguments

    async def _tunnel(self, chain: tuple[str, ...]) -> asyncssh.SSHClientConnection | None:
        if self.hop is None:
            return None
        chain = (*chain, self.id)
        if self.hop in chain or len(chain) > _LONGEST_CHAIN:
            raise SshError(
                f"{self._place}: the jump hosts go in a circle:"
                f" {' -> '.join(map(escape_unprintable, (*chain, self.hop)))}"
            )
        lab = self._lab or active_lab()
        jump = None if lab is None else lab.hosts.get(self.hop)
        if not isinstance(jump, UnixHost):
            raise SshError(f"{self._place}: the jump host {self.hop!r} is not a host of the lab with SSH")
        return await jump.connect(chain)

    @property
    def _place(self) -> str:
        user = f"{self.ssh.user}@" if self.ssh.user else ""
        return escape_unprintable(f"ssh {user}{self.address}:{self.ssh.port}")

    @staticmethod
    def _reason(error: BaseException) -> str:
        import asyncssh

        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return f"its host key is not known or has changed ({error.reason})"
        if isinstance(error, asyncssh.PermissionDenied):
            return f"login refused ({error.reason})"
        if isinstance(error, asyncssh.Error):
            return escape_unprintable(str(error.reason)) or type(error).__name__
        if isinstance(error, OSError):
            return (
                os.strerror(error.errno)
                if error.errno and error.errno > 0
                else (escape_unprintable(str(error)) or "no answer")
            )
        return escape_unprintable(str(error)) or type(error).__name__

    async def is_reachable(self, timeout: float = 10.0) -> bool:
        """Tell whether an SSH server answers at its address, through the jump host if it has one."""
        try:
            async with asyncio.timeout(timeout):
                tunnel = await self._tunnel(())
                if tunnel is None:
                    reader, writer = await asyncio.open_connection(self.address, self.ssh.port)
                    try:
                        return await reader.readexactly(len(_BANNER)) == _BANNER
                    finally:
                        writer.close()
                return await self._reachable_through(tunnel)
        except (TimeoutError, OSError, EOFError, SshError):
            return False

    async def _reachable_through(self, tunnel: asyncssh.SSHClientConnection) -> bool:
        import asyncssh

        try:
            channel, session = await tunnel.open_connection(self.address, self.ssh.port)
        except (OSError, asyncssh.Error):
            return False
        try:
            return bool(await channel.readexactly(len(_BANNER)) == _BANNER)
        finally:
            session.close()

    async def _boot_mark(self) -> str | None:
        result = await self.oneshot("cat /proc/sys/kernel/random/boot_id", timeout=10)
        return result.output.strip() or None if result.status is Status.Success else None

    async def _soft_reboot(self) -> tuple[Status, str]:
        return await self._last_words(self.reboot_cmd)

    async def shutdown(self) -> tuple[Status, str]:
        """Ask the system to shut down; a connection that breaks off while it does is what was wanted."""
        return await self._last_words(self.shutdown_cmd)

    async def _last_words(self, command: str) -> tuple[Status, str]:
        try:
            async with asyncio.timeout(self.ssh.connect_timeout + 1):
                connection = await self.connect()
        except TimeoutError:
            return Status.Error, f"{self._place}: no answer"
        except SshError as error:
            return Status.Error, str(error)
        result = await self.oneshot(command, timeout=_SOFT_SECONDS)
        broke_off = result.retcode == -1 and self._connection is not connection
        await self.close()
        if broke_off:
            return Status.Success, result.output
        said = result.output or (f"exit code {result.retcode}" if result.status is Status.Failed else "")
        return result.status, said

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
            with suppress(Exception):
                async with asyncio.timeout(1):
                    await connection.wait_closed()
