"""An SSH server as a program of its own: ``sshd.py FOLDER USER PASSWORD [SESSIONS]``; prints its port, runs what it is told.

FOLDER holds ``host`` (its key) and ``user.pub`` (the key that may log in). The command ``drop`` breaks the connection.
It refuses more than SESSIONS sessions over one connection, as OpenSSH does with ``MaxSessions``.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Any

import asyncssh

FOLDER, USER, PASSWORD = sys.argv[1:4]
SESSIONS = int(sys.argv[4]) if len(sys.argv) > 4 else 10


class Server(asyncssh.SSHServer):
    sessions = 0

    def session_requested(self) -> Any:
        if self.sessions >= SESSIONS:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "open failed")
        self.sessions += 1
        return asyncssh.SSHServerProcess(self.run, None, 3, False)

    async def run(self, process: Any) -> None:
        try:
            await run(process)
        finally:
            self.sessions -= 1

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: Any) -> bool:
        allowed = asyncssh.read_public_key(f"{FOLDER}/user.pub")
        return bool(username == USER and key.public_data == allowed.public_data)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True


async def run(process: Any) -> None:
    if process.command == "drop":
        process.get_extra_info("connection").abort()
        return
    child = await asyncio.create_subprocess_shell(
        process.command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    waiting = asyncio.create_task(process.channel.wait_closed())
    reading = asyncio.create_task(forward(child, process))
    await asyncio.wait([waiting, reading], return_when=asyncio.FIRST_COMPLETED)
    if not reading.done():
        child.kill()
    with suppress(asyncssh.Error, OSError):
        process.exit(await child.wait())
    waiting.cancel()


async def forward(child: Any, process: Any) -> None:
    with suppress(asyncssh.Error, OSError):
        while data := await child.stdout.read(65536):
            process.stdout.write(data)


async def main() -> None:
    server = await asyncssh.create_server(Server, "127.0.0.1", 0, server_host_keys=[f"{FOLDER}/host"], encoding=None)
    print(server.get_port(), flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
