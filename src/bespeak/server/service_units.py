"""The systemd units of a server: an account of its own, next to no rights, sockets that systemd opens."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bespeak.base.display import short_repr
from bespeak.base.errors import BespeakError, UsageError
from bespeak.base.fileio import read_regular
from bespeak.jobs.service_files import unit_word, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = "/etc/systemd/system"
SERVICE, SOCKET = "bespeak.service", "bespeak.socket"
ACCOUNT = "bespeak"
BOOK = "/var/lib/bespeak/book.sqlite3"
PLACE = "/run/bespeak/book.sock"
_MARK = "# Written by `bespeak serve install`; --remove removes it."
_HOMES = ("/home/", "/root/")


_SERVICE = f"""{_MARK}
[Unit]
Description=bespeak: the book of reservations for other machines
Wants=network-online.target
After=network-online.target time-sync.target
Requires={SOCKET}
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={{command}}
{{environment}}
Restart=always
RestartSec=1
TimeoutStopSec=30
LimitNOFILE=65536

# An account of its own that exists only while the server runs, and owns its folder of state.
User={ACCOUNT}
DynamicUser=yes
StateDirectory=bespeak
StateDirectoryMode=0700
UMask=0077

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome={{home}}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def service(words: Sequence[str], variables: Mapping[str, str]) -> str:
    """Return the unit of the service.

    Args:
        words: the server's command.
        variables: its environment.
    """
    command = " ".join(unit_word(word, command=True) for word in words)
    environment = "\n".join(f"Environment={unit_word(f'{name}={value}')}" for name, value in variables.items())
    in_home = any(word.startswith(_HOMES) for word in words)
    return _SERVICE.format(command=command, environment=environment, home="read-only" if in_home else "yes")


def sockets(host: str, port: int, place: str) -> str:
    """Return the unit of the sockets; who connects to the Unix socket is known by the account."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"""{_MARK}
[Unit]
Description=bespeak: the sockets of the server

[Socket]
ListenStream={place}
ListenStream={address}
SocketMode=0666
DirectoryMode=0755
Backlog=2048
NoDelay=yes

[Install]
WantedBy=sockets.target
"""


def write_all(folder: str, texts: Mapping[str, str], *, force: bool) -> bool:
    """Write the units; False where they were there with the same text.

    Raises:
        UsageError: something else is there and ``force`` is not set.
        BespeakError: they cannot be written.
    """
    written = [write(os.path.join(folder, name), text, force=force) for name, text in texts.items()]
    return any(written)


def remove_all(folder: str) -> list[str]:
    """Remove the units that were written here; return which.

    Raises:
        UsageError: one of them is somebody else's.
        BespeakError: one cannot be removed.
    """
    removed = []
    for path in (os.path.join(folder, name) for name in (SERVICE, SOCKET)):
        try:
            if not read_regular(path)[0].startswith(_MARK.encode()):
                raise UsageError(f"{short_repr(path)} was not written by `bespeak serve install`; nothing was removed")
            os.unlink(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise BespeakError(f"{path}: {error.strerror}") from error
        removed.append(path)
    return removed


def enable_lines() -> list[str]:
    """Return the commands that enable what was written."""
    return ["systemctl daemon-reload", f"systemctl enable --now {SOCKET} {SERVICE}"]


def disable_lines() -> list[str]:
    """Return the commands that stop what was enabled, before the units are removed."""
    return [f"systemctl disable --now {SERVICE} {SOCKET}", "systemctl daemon-reload"]
