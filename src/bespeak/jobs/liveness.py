"""Which dispatchers are alive: a lease that they renew, and on their own machine the kernel's word.

A lease alone would call a dispatcher dead that the clock jumped over, and would keep a killed one alive until it runs
out. So a dispatcher also writes down which process it is (boot, process-id namespace, pid, start time): whoever
shares the namespace asks the kernel, which is right at once; a process of an earlier boot of this machine is gone;
everybody else has the lease. A lease that ends later than any that is given now was made by a wrong clock, and says
nothing.
"""

from __future__ import annotations

import os

from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.base.frozen import frozen
from bespeak.base.process_identity import alive, began_ticks, boot_id, pid_namespace
from bespeak.storage.row_shape import RowShape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.storage.interface import Dialect, Row, Transaction

BEAT_SECONDS = 5.0
LEASE_US = 20 * SECOND_US
_YEAR_1_US = -62_135_596_800 * SECOND_US
_LONGEST_LEASE_US = 2 * LEASE_US
"""A lease that ends later than this from now was given by a clock that was ahead."""

ON_THIS_MACHINE = "substr(runner_home, 1, :length) = :here"
"""Of rows whose runner was called on a dispatcher's machine; its values are :attr:`DispatcherRecord.here`."""


@frozen
class DispatcherRecord:
    """One row of ``dispatch_dispatchers``; ``runner_home`` is the machine's name, a colon, and the folder.

    ``is_local``, which is no column, says that the book is a file, and so all of its dispatchers are on this machine.
    """

    dispatcher_id: str
    site: str
    host: str
    process: str
    runner_home: str
    runner: str
    pid: int
    started_us: int
    beat_us: int
    lease_until_us: int
    is_local: bool = False

    @property
    def machine(self) -> str:
        """What the machine is identified by."""
        return self.runner_home.partition(":")[0]

    @property
    def here(self) -> dict[str, object]:
        """What :data:`ON_THIS_MACHINE` asks for, and the site."""
        prefix = f"{self.machine}:"
        return {"site": self.site, "here": prefix, "length": len(prefix)}

    def alive(self, now_us: int) -> bool:
        """Tell whether it lives, by the kernel where it can be asked, else by its lease."""
        boot, _, rest = self.process.partition("/")
        namespace, _, rest = rest.partition("/")
        if boot and (boot, namespace) == _here():
            pid, _, started = rest.partition("/")
            return _start_time(pid) == started
        if self.is_local and self._is_of_earlier_boot(boot):
            return False
        return now_us < self.lease_until_us <= now_us + _LONGEST_LEASE_US

    def _is_of_earlier_boot(self, boot: str) -> bool:
        """Tell whether it ran on this machine before the last boot; all namespaces of a machine have one boot."""
        here = _here()[0]
        return bool(boot and here) and boot != here and self.machine == machine()


_COLUMNS = tuple(name for name in DispatcherRecord.__annotations__ if name != "is_local")
_ROW = RowShape("dispatcher", ", ".join(_COLUMNS), "ttttttiiii")


def _here() -> tuple[str, str]:
    return boot_id(), pid_namespace()


def _start_time(pid: str) -> str:
    """Return when a living process began; empty when there is none."""
    ticks = began_ticks(int(pid)) if pid.isdigit() else None
    return str(ticks) if ticks is not None and alive(int(pid), ticks) else ""


def machine() -> str:
    """Return a name of this machine that outlives a reboot."""
    try:
        with open("/etc/machine-id", encoding="ascii") as file:
            found = file.read().strip()
    except (OSError, UnicodeDecodeError):
        found = ""
    return found or os.uname().nodename


def this_process() -> str:
    """Return what tells this process from any other one before and after it."""
    boot, namespace = _here()
    pid = str(os.getpid())
    return f"{boot}/{namespace}/{pid}/{_start_time(pid)}"


def all_dispatchers(tx: Transaction) -> list[DispatcherRecord]:
    """Return every dispatcher that is written down, alive or not."""
    # A file is on one machine; a server may have machines that were copied from one another, with one identity.
    found = tx.fetch_all(f"SELECT {', '.join(_COLUMNS)} FROM dispatch_dispatchers ORDER BY started_us")
    return [_ROW.read(row, lambda row: _dispatcher(row, tx.dialect)) for row in found]


def _dispatcher(row: Row, dialect: Dialect) -> DispatcherRecord:
    started_us, beat_us = row[-3:-1]
    # The clock of a machine that has lost the time may stand before 1970.
    if not _YEAR_1_US <= min(started_us, beat_us) <= max(started_us, beat_us) <= FOREVER_US:
        raise ValueError("an instant is none")
    return DispatcherRecord(**dict(zip(_COLUMNS, row, strict=True)), is_local=dialect == "sqlite")


def presence(tx: Transaction, site: str | None = None) -> str:
    """Return ``alive`` when a dispatcher lives that takes the jobs of ``site`` (None: of any), else ``absent``."""
    for dispatcher in all_dispatchers(tx):
        if site in (None, dispatcher.site) and dispatcher.alive(tx.now_us):
            return "alive"
    return "absent"


def register(tx: Transaction, me: DispatcherRecord) -> None:
    """Write a dispatcher down, or renew its lease."""
    values = {name: getattr(me, name) for name in _COLUMNS}
    values |= {"beat_us": tx.now_us, "lease_until_us": tx.now_us + LEASE_US}
    tx.execute(
        f"INSERT INTO dispatch_dispatchers ({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + n for n in values)})"
        " ON CONFLICT (dispatcher_id) DO UPDATE SET beat_us = excluded.beat_us,"
        " lease_until_us = excluded.lease_until_us",
        values,
    )


def forget(tx: Transaction, dispatcher_id: str) -> None:
    """Remove a dispatcher that stopped or died."""
    tx.execute("DELETE FROM dispatch_dispatchers WHERE dispatcher_id = :id", {"id": dispatcher_id})
