"""``--memory-max`` and ``--cpu``: the command runs in a scope of systemd, which ends with it.

``systemd-run --scope`` moves itself into the scope and becomes the command: its process, descriptors, environment and
exit code are what the runner sees without it, so how a job is started, adopted, ended and reported does not change.
Where systemd cannot limit, the job is refused before it is started, and never runs without its limits.
"""

from __future__ import annotations

import os
import re

from bespeak.base.errors import UsageError
from bespeak.jobs.contract_times import read_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bespeak.jobs.model import JobReservation

MEMORY = "memory_max_bytes"
CPU = "cpu_percent"
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = r"([1-9][0-9]{0,14})([KMGT]?)"
_LEAST_BYTES = 1 << 20
_MOST_BYTES = 1 << 60
_MOST_PERCENT = 100_000
_PROBE_SECONDS = 5.0
_SCOPE = (
    'if [ "$(id -u)" = 0 ]; then set -- --system "$@"; else set -- --user "$@";'
    ' [ -n "${XDG_RUNTIME_DIR-}" ] || export XDG_RUNTIME_DIR="/run/user/$(id -u)"; fi;'
    ' exec systemd-run --quiet --scope --collect "$@"'
)
"""By the account that the command runs as, which an external runner may change."""

_PROBE = (
    "[ -e /sys/fs/cgroup/cgroup.controllers ] || exit 0; read -r own </proc/self/cgroup;"
    ' cd "/sys/fs/cgroup/${own#0::/}" && [ -e memory.max ] && [ -e cpu.max ] && exit 0;'
    ' echo "memory and cpu are not delegated to this account" >&2; exit 1'
)
"""systemd says nothing where it may not set a limit of an account's own scope."""


def read_memory(text: str, flag: str) -> int:
    """Read a size, in bytes: digits and K, M, G or T, powers of 1024.

    Raises:
        UsageError: it is none, or less than 1M.
    """
    found = re.fullmatch(_SIZE, text)
    size = int(found[1]) * _UNITS[found[2]] if found else 0
    if not _LEAST_BYTES <= size <= _MOST_BYTES:
        raise UsageError(f"{flag} {text!a}: a size of at least 1M, such as 512M or 2G")
    return size


def read_percent(text: str, flag: str) -> int:
    """Read a share of one processor, in percent; more than 100 is more than one.

    Raises:
        UsageError: it is none.
    """
    return read_number(text.removesuffix("%"), flag, 1, _MOST_PERCENT)


def limited(words: Sequence[str], extras: Mapping[str, object]) -> list[str]:
    """Return a command as it runs within the limits of its job."""
    properties = []
    if MEMORY in extras:
        properties += ["-p", f"MemoryMax={extras[MEMORY]}", "-p", "MemorySwapMax=0"]
    if CPU in extras:
        properties += ["-p", f"CPUQuota={extras[CPU]}%"]
    return ["/bin/sh", "-c", _SCOPE, "scope", *properties, "--", *words] if properties else list(words)


class Scopes:
    """Tells whether jobs can be limited here, by trying it.

    Args:
        environ: what jobs get.
        is_asked: jobs start here and as this account, so that it can be tried; else their own words tell.
    """

    def __init__(self, environ: Mapping[str, str], *, is_asked: bool = True) -> None:
        self._environ = environ
        self._can_limit = not is_asked

    def why_not(self, job: JobReservation) -> str | None:
        """Return why a job can never be started; what may be started already goes on."""
        if not job.command:
            return "its stored command cannot be read"
        return None if job.may_be_started else self.refusal(job.extras)

    def refusal(self, extras: Mapping[str, object]) -> str | None:
        """Return why a job that has limits cannot have them; None if it can, or has none."""
        if self._can_limit or not (MEMORY in extras or CPU in extras):
            return None
        why = _why_not(self._environ)
        self._can_limit = why is None
        flags = " and ".join(flag for flag, name in (("--memory-max", MEMORY), ("--cpu", CPU)) if name in extras)
        return why and f"{flags}: a job cannot be limited on this host: {why}"


def _why_not(environ: Mapping[str, str]) -> str | None:
    import shutil
    import subprocess

    if shutil.which("systemd-run", path=environ.get("PATH", os.defpath)) is None:
        return "systemd-run is not on PATH; it comes with systemd"
    words = limited(["/bin/sh", "-c", _PROBE], {MEMORY: 64 << 20, CPU: 100})
    try:
        done = subprocess.run(
            words, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_PROBE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"systemd-run did not answer in {_PROBE_SECONDS:g} s"
    except OSError as error:
        return error.strerror or str(error)
    if done.returncode == 0:
        return None
    said = [line for line in os.fsdecode(done.stderr).splitlines() if line.strip()]
    return f"systemd-run: {said[-1].strip()}" if said else f"systemd-run ended with {done.returncode}"
