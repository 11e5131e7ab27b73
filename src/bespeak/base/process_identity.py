"""Which process is which: a pid alone names nobody, because numbers are used again.

A process is a pid together with the instant it began, in clock ticks since boot (field 22 of ``/proc/PID/stat``), in
one boot and one pid namespace.
"""

from __future__ import annotations

import os

_ENDED = (b"Z", b"X", b"x")
_STATE, _PARENT, _GROUP, _SESSION, _BEGAN = 0, 1, 2, 3, 19
"""Places after the name in ``/proc/PID/stat``, from 0; see proc_pid_stat(5)."""

_LONGEST_NAME = 255
_boot_ids: list[str] = []


def _stat(pid: int) -> list[bytes] | None:
    """Return the fields of ``/proc/PID/stat`` from the state on, or None when there is no such process."""
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


def alive(pid: int, ticks: int) -> bool:
    """Tell whether the process that began then under that pid still runs (one that waits to be reaped does not)."""
    fields = _stat(pid)
    return fields is not None and fields[_STATE] not in _ENDED and int(fields[_BEGAN]) == ticks


def has_ended(pid: int) -> bool:
    """Tell whether no process runs under that pid (one that waits to be reaped does not run)."""
    fields = _stat(pid)
    return fields is None or fields[_STATE] in _ENDED


def began_ticks(pid: int) -> int | None:
    """Return when the process began, in clock ticks since boot; None when there is none."""
    fields = _stat(pid)
    return int(fields[_BEGAN]) if fields is not None else None


def parent_and_session(pid: int) -> tuple[int, int] | None:
    """Return the pids of the parent and of the leader of the session, 0 for one outside of this pid namespace."""
    fields = _stat(pid)
    return (int(fields[_PARENT]), int(fields[_SESSION])) if fields is not None else None


def group_members(group: int) -> list[int]:
    """Return the pids of the living processes of a process group."""
    members = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat(int(name))
            if fields is not None and int(fields[_GROUP]) == group and fields[_STATE] not in _ENDED:
                members.append(int(name))
    return members


def with_variable(name: bytes, value: str) -> list[int]:
    """Return the pids of this account's living processes, but for this one, that began with a variable set so."""
    wanted = b"\0" + name + b"=" + value.encode() + b"\0"
    found = []
    for pid in os.listdir("/proc"):
        if pid.isdigit() and int(pid) != os.getpid():
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if wanted in b"\0" + file.read():
                        found.append(int(pid))
            except OSError:
                continue  # it has ended, or is another account's
    return found


def this_host() -> str:
    """Return what this machine calls itself, if that can be a name; else an empty text."""
    name = os.uname().nodename.strip()[:_LONGEST_NAME]
    return name if name.isprintable() else ""


def boot_id() -> str:
    """Return what the kernel calls this boot, so that pids of an earlier one are never believed; empty if unknown."""
    if not _boot_ids:
        try:
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
                _boot_ids.append(file.read().strip())
        except OSError:
            return ""
    return _boot_ids[0]


def pid_namespace() -> str:
    """Return the number of the namespace in which this process counts pids; empty where there is none."""
    try:
        return str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return ""


def this_process() -> dict[str, object] | None:
    """Return the facts by which :func:`is_gone` knows this process; None where the system does not tell them."""
    ticks = began_ticks(os.getpid())
    boot, namespace = boot_id(), pid_namespace()
    if ticks is None or not boot or not namespace:
        return None
    return {"machine": this_host(), "boot": boot, "namespace": namespace, "pid": os.getpid(), "ticks": ticks}


def is_gone(process: object) -> bool:
    """Tell whether a process known by the facts of :func:`this_process` has ended.

    False also where that cannot be seen from here: on another machine, in another container, or after a restart of the
    machine, for names of machines are not unique.
    """
    if not isinstance(process, dict) or not boot_id() or process.get("boot") != boot_id():
        return False
    pid, ticks = process.get("pid"), process.get("ticks")
    if process.get("namespace") != pid_namespace() or not isinstance(pid, int) or not isinstance(ticks, int):
        return False
    return not alive(pid, ticks)
