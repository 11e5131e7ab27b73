"""Which process is which: a pid alone names nobody, because numbers are used again.

A process is a pid together with the instant it began, in clock ticks since boot (field 22 of ``/proc/PID/stat``).
"""

from __future__ import annotations

import os

_ZOMBIE_STATES = (b"Z", b"X", b"x")


def _stat(pid: int) -> list[bytes] | None:
    """Return the fields of ``/proc/PID/stat`` from the third on, or None when there is no such process."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(descriptor, 4096)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return text[text.rfind(b")") + 2 :].split()


def alive(pid: int, began_ticks: int) -> bool:
    """Tell whether the process that began then under that pid still runs (one that waits to be reaped does not)."""
    fields = _stat(pid)
    return fields is not None and fields[0] not in _ZOMBIE_STATES and int(fields[19]) == began_ticks


def began_ticks(pid: int) -> int | None:
    """Return when the process began, in clock ticks since boot."""
    fields = _stat(pid)
    return int(fields[19]) if fields is not None else None


def group_members(group: int) -> list[int]:
    """Return the pids of the living processes of a process group."""
    members = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat(int(name))
            if fields is not None and int(fields[2]) == group and fields[0] not in _ZOMBIE_STATES:
                members.append(int(name))
    return members


_boot_ids: list[str] = []


def boot_id() -> str:
    """Return what the kernel calls this boot, so that pids of an earlier one are never believed."""
    if not _boot_ids:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            _boot_ids.append(file.read().strip())
    return _boot_ids[0]
