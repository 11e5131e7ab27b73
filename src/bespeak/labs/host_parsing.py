"""From one raw table to a host, or one line that names file, host, field and value.

Only what bespeak needs is checked: who the host is, which labs it belongs to and what one must hold. Everything else
stays in the raw table for who understands it. A key that looks like a slip of one of ours is refused all the same,
because a host whose ``resource`` is not read is a host that anybody may use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.labs.devices import console, management_control, power_control
from bespeak.labs.model import HostSpec
from bespeak.labs.parsing import LabDataError, RawHost, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

_GUARDED = ("labs", "resources", "power_control")
_KNOWN = frozenset(
    {
        *(*_GUARDED, "power", "console", "management", "management_control"),
        *("id", "name", "address", "ip", "element", "element_id", "board", "slot", "labels", "description", "tags"),
        *("creds", "user", "hop", "os_type", "os_name", "os_version", "is_virtual", "interfaces", "snmp", "toolchain"),
        *("hw_version", "sw_version", "valid_terms", "valid_transfers", "term", "transfer", "docker_capable"),
        *("default_dest_dir", "max_filename_len", "log", "log_stdout", "command_frame", "filesystem", "loader"),
        *("ssh_options", "telnet_options", "sftp_options", "scp_options", "ftp_options", "nc_options"),
    }
)
_ALIKE = 0.75


def claimed_labs(raw: RawHost, only_lab: str | None) -> frozenset[str] | None:
    """Return the labs that a host says it belongs to, or None when that cannot be read."""
    if not isinstance(raw.table, dict) or _slip(raw.table) is not None:
        return None
    try:
        return frozenset(_labs(raw, only_lab, raw.where))
    except LabDataError:
        return None


def claimed_id(raw: RawHost) -> str | None:
    """Return the id that a host says it has, or None when that cannot be read."""
    if not isinstance(raw.table, dict):
        return None
    try:
        return _identifier(raw)
    except LabDataError:
        return None


def host_from(
    raw: RawHost, only_lab: str | None, file: str = "", devices: Mapping[str, dict[str, Any]] | None = None
) -> HostSpec:
    """Check one host.

    Args:
        raw: the table and its place.
        only_lab: the lab of a host that names none.
        file: the file that it stands in.
        devices: the power devices of that file, by name.

    Raises:
        LabDataError: something in it cannot be used.
    """
    table = raw.table
    if not isinstance(table, dict):
        raise LabDataError(f"{raw.where}: must be a table, not {short_repr(table)}")
    identifier = _identifier(raw)
    where = raw.where if raw.key is not None else f"{raw.where} ({escape_unprintable(identifier)})"
    slip = _slip(table)
    if slip is not None:
        raise LabDataError(f"{where}: there is no field {short_repr(slip[0])}; did you mean {slip[1]}?")
    table = power_control(raw, devices or {}, where)
    table = management_control(table, devices or {}, where)
    table = console(table, devices or {}, where)
    address = table.get("address", table.get("ip"))
    if address is not None and not isinstance(address, str):
        raise LabDataError(
            f"{where}: {'address' if 'address' in table else 'ip'} must be a text, not {short_repr(address)}"
        )
    return HostSpec(
        id=identifier,
        labs=tuple(_labs(raw, only_lab, where)),
        resources=set(texts(table.get("resources", []), f"{where}: resources")),
        address=address,
        source=raw.where,
        raw=table,
        file=file,
    )


def _labs(raw: RawHost, only_lab: str | None, where: str) -> list[str]:
    if "labs" not in raw.table and only_lab is not None:
        return [only_lab]
    return list(dict.fromkeys(texts(raw.table.get("labs", []), f"{where}: labs")))


def _slip(table: dict[Any, Any]) -> tuple[str, str] | None:
    for key in table:
        if key in _KNOWN:
            continue
        near = suggest(str(key), _GUARDED, count=1, likeness=_ALIKE)
        if near and near[0] not in table:
            return str(key), near[0]
    return None


def _identifier(raw: RawHost) -> str:
    """Return the id: the key or ``id`` of the host, else what otto makes of element, board and slot, else its name."""
    table = raw.table
    given = raw.key if raw.key is not None else table.get("id")
    if given is None and "element" in table:
        return _composed(raw)
    if given is None:
        given = table.get("name")
    if given is None:
        raise LabDataError(f"{raw.where}: needs an id (or element, or name)")
    if not isinstance(given, str) or not given:
        raise LabDataError(f"{raw.where}: id must be a text, not {short_repr(given)}")
    return given


def _composed(raw: RawHost) -> str:
    element = _part(raw, "element", str)
    identifier = f"{element.lower()}{_part(raw, 'element_id', int)}"
    if raw.table.get("board") is None:
        return identifier
    return f"{identifier}_{_part(raw, 'board', str).lower()}{_part(raw, 'slot', int)}"


def _part(raw: RawHost, field: str, kind: type) -> str:
    value = raw.table.get(field)
    if value is None and kind is int:
        return ""
    if type(value) is not kind or value == "":
        wanted = "a text" if kind is str else "a number"
        raise LabDataError(f"{raw.where}: {field} must be {wanted}, not {short_repr(value)}")
    return str(value)
