"""Hosts: what one can run commands on, restart, and switch.

Importing this package loads nothing; names are loaded on their first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.lazy_attributes import on_first_use

if TYPE_CHECKING:
    from bespeak.host.base import Host as Host
    from bespeak.host.base import PowerOnlyHost as PowerOnlyHost
    from bespeak.host.factory import HostLab as HostLab
    from bespeak.host.factory import build_hosts as build_hosts
    from bespeak.host.factory import host_from_spec as host_from_spec
    from bespeak.host.local import LocalHost as LocalHost
    from bespeak.host.ssh import SshOptions as SshOptions
    from bespeak.host.ssh import UnixHost as UnixHost
    from bespeak.host.status import CommandStatus as CommandStatus
    from bespeak.host.status import RunResult as RunResult
    from bespeak.host.status import Status as Status

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "CommandStatus": "status",
        "Host": "base",
        "HostLab": "factory",
        "LocalHost": "local",
        "PowerOnlyHost": "base",
        "RunResult": "status",
        "SshOptions": "ssh",
        "Status": "status",
        "UnixHost": "ssh",
        "build_hosts": "factory",
        "host_from_spec": "factory",
    },
)
