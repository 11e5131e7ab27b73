"""A real OpenSSH server with a key that may log in: the machine's own, else Debian's package, unpacked."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support import debs

PATIENCE_SECONDS = 40
_PACKAGES = ["openssh-server", "libwrap0", "openssh-client"]


class Server:
    """A running sshd on 127.0.0.1 and how to get in.

    Args:
        folder: has ``user`` (the private key), ``known_hosts`` and ``sshd.log``.
        port: where it listens.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.key = str(folder / "user")
        self.known_hosts = str(folder / "known_hosts")

    def ssh(self, command: str) -> list[str]:
        """Return the words that run a command through OpenSSH's own client, which reads no settings of its user."""
        options = (
            f"UserKnownHostsFile={self.known_hosts}",
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
        )
        words = [word for option in options for word in ("-o", option)]
        return ["ssh", "-F", "none", *words, "-i", self.key, "-p", str(self.port), f"{self.user}@127.0.0.1", command]


@contextmanager
def server(folder: Path, *settings: str) -> Iterator[Server]:
    """Start a server with its files in ``folder`` and more lines of its settings, and end it.

    Raises:
        UnobtainableError: there is no sshd here and no package of it.
    """
    program, environ = _program()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found = Server(folder, probe.getsockname()[1])
    _configure(found, settings)
    words = _with_an_account(folder, [program, "-D", "-e", "-f", str(folder / "sshd_config")])
    with open(folder / "sshd.log", "wb") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | environ)
    try:
        _await(found, process)
        yield found
    finally:
        process.kill()
        process.wait()


def _program() -> tuple[str, dict[str, str]]:
    found = shutil.which("sshd") or shutil.which("/usr/sbin/sshd")
    if found:
        return found, {}
    packages = debs.unpacked(_PACKAGES)
    return f"{packages.root}/usr/sbin/sshd", {"LD_LIBRARY_PATH": packages.libraries}


def _configure(found: Server, settings: Sequence[str]) -> None:
    import asyncssh

    folder = found.folder
    for name in ("host", "user"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / name)
        key.write_public_key(folder / f"{name}.pub")
        (folder / name).chmod(0o600)
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{found.port} {(folder / 'host.pub').read_text()}")
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{found.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
        "StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin yes\n"
        + "".join(f"{line}\n" for line in settings)
    )


def _with_an_account(folder: Path, words: Sequence[str]) -> list[str]:
    """Return the words of a server that sees the account it wants when root runs it; nobody else sees that account."""
    if os.getuid() != 0:
        return list(words)
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    accounts = Path("/etc/passwd").read_text()
    if "\nsshd:" in accounts:
        return list(words)
    (folder / "passwd").write_text(accounts + "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n")
    script = f'mount --bind {folder}/passwd /etc/passwd && exec "$@"'
    return ["unshare", "-m", "sh", "-c", script, "sh", *words]


def _await(found: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", found.port)) == 0:
                return
        said = (found.folder / "sshd.log").read_text(errors="replace")[-2000:]
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.1)
