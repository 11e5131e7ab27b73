"""A real SSH connection: reserve is called through it, it is cut, and the job runs at its time with nobody connected.

The server is asyncssh's: it listens on a socket, authenticates with a key and runs the command in a shell of its own.
"""

import json
import os
import subprocess

from support.job_sites import until

SCRIPT = """
import asyncio, json, os, sys
import asyncssh

async def handle(process):
    shell = await asyncio.create_subprocess_shell(
        process.command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await shell.communicate()
    process.stdout.write(out)
    process.stderr.write(err)
    process.exit(shell.returncode)

async def main():
    key = asyncssh.generate_private_key("ssh-ed25519")
    allowed = asyncssh.import_authorized_keys(key.export_public_key().decode())
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        authorized_client_keys=allowed, process_factory=handle, encoding=None,
    )
    connection = await asyncssh.connect(
        "127.0.0.1", server.get_port(), known_hosts=None, client_keys=[key], username="edge", config=None
    )
    done = await connection.run(sys.argv[1], encoding="utf-8")
    print(json.dumps({"code": done.exit_status, "out": done.stdout, "err": done.stderr}))
    connection.abort()
    server.close()

asyncio.run(main())
"""


def test_reserved_over_ssh_and_cut_off(site, ours) -> None:
    out = os.path.join(site.folder, "out")
    dispatcher = site.run(runner="embedded")
    command = (
        f"{ours.program('orchesjob-reserver')} reserve --db {site.url} --run-key nightly --not-before +2s"
        f" -- /bin/sh -c 'echo ran >>{out}; exit 4'"
    )
    done = subprocess.run(
        [ours.python, "-c", SCRIPT, command], capture_output=True, text=True, check=True, env=site.environ(), timeout=60
    )
    answer = json.loads(done.stdout)
    assert answer["code"] == 0, answer["err"]
    assert json.loads(answer["out"])["created"] is True
    dispatcher.await_event("dispatch_succeeded")
    ended = site.call("wait", "--run-key", "nightly", runner="embedded")
    assert (ended.code, ended.json["job"]["exit_code"]) == (1, 4)
    until(lambda: os.path.exists(out))
