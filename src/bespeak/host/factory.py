"""From lab data to hosts: every mistake is told with file, host and field, and costs only the host that has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.host.base import Host, PowerOnlyHost
from bespeak.host.console.spec import console_from_spec
from bespeak.host.label_selector import labels_of
from bespeak.host.local import LocalHost
from bespeak.host.power.device import number, port_number, text_field, whole_number
from bespeak.host.power.management import management_from_spec
from bespeak.host.power.registry import power_control_from_spec
from bespeak.host.secrets import optional_secret
from bespeak.host.ssh import PORT, SESSIONS, SshOptions, UnixHost
from bespeak.labs import LabDataError

if TYPE_CHECKING:
    from bespeak.labs import HostSpec, Lab

_MOST_SESSIONS = 1000
KINDS = ("local", "unix", "power-only")
_SSH_KEYS = (
    "port",
    "key",
    "passphrase",
    "password",
    "agent",
    "known_hosts",
    "host_key_check",
    "connect_timeout",
    "sessions",
    "user",
)


@dataclass(frozen=True, slots=True)
class HostLab:
    """A lab whose hosts can be used.

    Attributes:
        name: its name.
        hosts: those that could be built, by id.
        broken: why each of the others could not be, by id.
        resources: what the lab needs beyond its hosts.
    """

    name: str
    hosts: dict[str, Host] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    resources: set[str] = field(default_factory=set)

    async def close(self) -> None:
        """Close the connections of all hosts."""
        for host in self.hosts.values():
            await host.close()


def build_hosts(lab: Lab) -> HostLab:
    """Build every host of ``lab``; mistakes are collected."""
    built = HostLab(lab.name, resources=set(lab.resources))
    for spec in lab.hosts.values():
        try:
            host = host_from_spec(spec)
        except LabDataError as error:
            built.broken[spec.id] = str(error)
        else:
            host._lab = built  # noqa: SLF001 - the contract's name for the way back
            built.hosts[spec.id] = host
    _check_references(built, lab)
    return built


def _check_references(built: HostLab, lab: Lab) -> None:
    """Find controllers and jump hosts that do not exist."""
    for host in list(built.hosts.values()):
        where = lab.hosts[host.id].source
        for named, what in _references(host):
            if named not in lab.hosts:
                built.broken[host.id] = (
                    f"{escape_unprintable(where)} ({escape_unprintable(host.id)}): {what}: no host"
                    f" {short_repr(named)} in the lab"
                )
                built.hosts.pop(host.id, None)


def _references(host: Host) -> Iterator[tuple[str, str]]:
    hop = getattr(host, "hop", None)
    if hop is not None:
        yield hop, "hop"
    named = getattr(host.management, "controller", None)
    if isinstance(named, str):
        yield named, "management_control: controller"
    behind = getattr(host.console, "controller", None)
    if behind is not None:
        yield behind, "console: controller"
    control: Any = host.power_control
    for each in getattr(control, "controllers", (control,)):
        name = getattr(each, "controller", None)
        if isinstance(name, str):
            yield name, "power_control: controller"


def host_from_spec(spec: HostSpec) -> Host:
    """Build one host.

    Raises:
        LabDataError: a field cannot be used; the message names file, host and field.
    """
    where = (
        f"{escape_unprintable(spec.source)} ({escape_unprintable(spec.id)})"
        if spec.id not in spec.source
        else escape_unprintable(spec.source)
    )
    host = _Reader(spec, where).host()
    host.folder = os.path.dirname(spec.file) or None
    try:
        host.console = console_from_spec(spec.raw.get("console"))
    except ValueError as error:
        raise LabDataError(f"{where}: console: {error}") from error
    try:
        host.power_control = power_control_from_spec(spec.power_control)
        _check_control(host.power_control, host)
    except ValueError as error:
        raise LabDataError(f"{where}: power_control: {error}") from error
    try:
        host.management = management_from_spec(spec.management_control)
        _check_control(host.management, host)
    except ValueError as error:
        raise LabDataError(f"{where}: management_control: {error}") from error
    return host


def _check_control(control: Any, host: Host) -> None:
    for each in getattr(control, "controllers", (control,)):
        check = getattr(each, "check", None)
        if check is not None:
            check(host)


class _Reader:
    """Reads the fields of one host."""

    def __init__(self, spec: HostSpec, where: str) -> None:
        self.spec = spec
        self.where = where

    def host(self) -> Host:
        kind = self.spec.raw.get("kind") or ("unix" if self.spec.address else "power-only")
        if kind not in KINDS:
            raise LabDataError(f"{self.where}: kind must be one of {', '.join(KINDS)}, not {short_repr(kind)}")
        options = {
            "name": self._text("name"),
            "resources": self.spec.resources,
            "labels": self._checked(lambda: labels_of(self.spec.raw.get("labels"))),
        }
        if kind == "local":
            return LocalHost(self.spec.id, ip=self.spec.address, **options)
        if kind == "power-only":
            return PowerOnlyHost(self.spec.id, ip=self.spec.address, **options)
        if not self.spec.address:
            raise LabDataError(f"{self.where}: a host of kind unix needs an address")
        commands = {key: self._text(key) for key in ("reboot_cmd", "shutdown_cmd")}
        options |= {key: value for key, value in commands.items() if value is not None}
        return UnixHost(self.spec.id, ip=self.spec.address, ssh=self._ssh(), hop=self._text("hop"), **options)

    def _text(self, name: str) -> str | None:
        value = self.spec.raw.get(name)
        return None if value is None else self._checked(lambda: text_field(value, name))

    def _checked(self, check: Any) -> Any:
        try:
            return check()
        except ValueError as error:
            raise LabDataError(f"{self.where}: {error}") from error

    def _ssh(self) -> SshOptions:
        table = self.spec.raw.get("ssh", {})
        if not isinstance(table, dict):
            raise LabDataError(f"{self.where}: ssh must be a table, not {short_repr(table)}")
        for key in table:
            if key not in _SSH_KEYS:
                near = suggest(str(key), _SSH_KEYS, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise LabDataError(f"{self.where}: ssh: there is no setting {short_repr(key)}{hint}")
        user, password = self._account(table)
        options: SshOptions = self._checked(lambda: _ssh_options(table, user, password))
        return options

    def _account(self, table: dict[str, Any]) -> tuple[str | None, Any]:
        """Return the user and the reference to the password; ``creds`` is how otto's lab data has them."""
        creds = self.spec.raw.get("creds") or {}
        if not isinstance(creds, dict):
            raise LabDataError(f"{self.where}: creds must be a table of users")
        user = table.get("user") or self.spec.raw.get("user") or next(iter(creds), None)
        if user is not None:
            user = self._checked(lambda: text_field(user, "user"))
        return user, table.get("password", creds.get(user))


def _ssh_options(table: dict[str, Any], user: str | None, password: Any) -> SshOptions:
    for key in ("agent", "host_key_check"):
        if not isinstance(table.get(key, True), bool):
            raise ValueError(f"ssh: {key} must be true or false, not {short_repr(table[key])}")  # noqa: TRY004 - bad data
    for key in ("key", "known_hosts"):
        if key in table:
            text_field(table[key], f"ssh: {key}")
    key_file = table.get("key")
    return SshOptions(
        user=user,
        port=port_number(table.get("port", PORT), "ssh: port"),
        key=None if key_file is None else os.path.expanduser(key_file),
        passphrase=optional_secret(table.get("passphrase"), "ssh: passphrase"),
        password=optional_secret(password, "password"),
        agent=table.get("agent", True),
        known_hosts=table.get("known_hosts"),
        host_key_check=table.get("host_key_check", True),
        sessions=whole_number(table.get("sessions", SESSIONS), "ssh: sessions", 1, _MOST_SESSIONS),
        connect_timeout=number(table.get("connect_timeout", 10.0), "ssh: connect_timeout", above=0.0),
    )
