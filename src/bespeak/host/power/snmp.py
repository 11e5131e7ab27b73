"""Outlets of power distribution units over SNMP, with pysnmp."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import needs_extra
from bespeak.host.power.device import Device, PowerFault, one_of, port_number, text_field
from bespeak.host.power.snmp_models import MODELS, Outlets
from bespeak.host.secrets import optional_secret
from bespeak.host.status import PowerState, Status

if TYPE_CHECKING:
    from bespeak.host.base import Host

_OID = re.compile(r"\.?[0-2](?:\.\d+)+")
VERSIONS = ("1", "2c", "3")
_RETRIES = 2
_UNSURE = frozenset({5, 13, 14, 15})
"""Errors that say nothing about an order: genErr, resourceUnavailable, commitFailed, undoFailed."""
AUTH_PROTOCOLS = {
    "md5": "usmHMACMD5AuthProtocol",
    "sha": "usmHMACSHAAuthProtocol",
    "sha224": "usmHMAC128SHA224AuthProtocol",
    "sha256": "usmHMAC192SHA256AuthProtocol",
    "sha384": "usmHMAC256SHA384AuthProtocol",
    "sha512": "usmHMAC384SHA512AuthProtocol",
}
PRIV_PROTOCOLS = {
    "des": "usmDESPrivProtocol",
    "3des": "usm3DESEDEPrivProtocol",
    "aes": "usmAesCfb128Protocol",
    "aes192": "usmAesBlumenthalCfb192Protocol",
    "aes256": "usmAesBlumenthalCfb256Protocol",
    "aes192c": "usmAesCfb192Protocol",
    "aes256c": "usmAesCfb256Protocol",
}
"""How version 3 signs and encrypts, by the name in lab data: what the library calls it.

Two drafts make long keys of a password; as for net-snmp, ``c`` is the one that Cisco and many others have built.
"""


@dataclass
class SnmpPowerController(Device):
    """One outlet of a unit that speaks SNMP.

    Args:
        address: where the unit is.
        outlet: the outlet's number; with several units, towers or banks these before it, such as ``2.5``.
        model: one of :data:`~bespeak.host.power.snmp_models.MODELS`, or ``custom``.
        port: the UDP port.
        version: ``1``, ``2c`` or ``3``.
        community: by reference, for versions 1 and 2c.
        user: for version 3.
        auth_password: by reference.
        auth_protocol: one of :data:`AUTH_PROTOCOLS`.
        priv_password: by reference.
        priv_protocol: one of :data:`PRIV_PROTOCOLS`.
        oids: for ``custom``: on_oid, on, off_oid, off, state_oid, is_on, is_off.
    """

    type_name: ClassVar[str] = "snmp"

    address: str
    outlet: int | str
    model: str
    port: int = field(default=161, kw_only=True)
    version: str = field(default="2c", kw_only=True)
    community: Any = field(default=None, kw_only=True, repr=False)
    user: str | None = field(default=None, kw_only=True)
    auth_password: Any = field(default=None, kw_only=True, repr=False)
    priv_password: Any = field(default=None, kw_only=True, repr=False)
    oids: dict[str, Any] | None = field(default=None, kw_only=True)
    auth_protocol: str = field(default="sha", kw_only=True)
    priv_protocol: str = field(default="aes", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        text_field(self.address, "address")
        port_number(self.port)
        one_of(self.version, "version", VERSIONS)
        if isinstance(self.outlet, bool) or not re.fullmatch(r"\d+(\.\d+)*", str(self.outlet)):
            raise ValueError(f"outlet must be a number, not {short_repr(self.outlet)}")
        one_of(self.model, "model", (*MODELS, "custom"))
        one_of(self.auth_protocol, "auth_protocol", tuple(AUTH_PROTOCOLS))
        one_of(self.priv_protocol, "priv_protocol", tuple(PRIV_PROTOCOLS))
        if self.model != "custom":
            self._outlets.index(self.outlet)
        _ = self._outlets
        if self.oids is not None and self.model != "custom":
            raise ValueError("oids are for the model custom")
        self.community = optional_secret(self.community, "community")
        self.auth_password = optional_secret(self.auth_password, "auth_password")
        self.priv_password = optional_secret(self.priv_password, "priv_password")
        if self.version == "3" and self.user is None:
            raise ValueError("version 3 needs a user")
        if self.version != "3" and self.community is None:
            raise ValueError("community is missing: env:NAME, file:/PATH or keyring:SERVICE/USER")

    @property
    def _outlets(self) -> Outlets:
        return MODELS[self.model] if self.model != "custom" else _custom(self.oids)

    @property
    def place(self) -> str:
        """The address of the unit."""
        return f"{escape_unprintable(self.address)}:{self.port}"

    async def switch(self, host: Host, state: PowerState) -> str:  # noqa: ARG002 - the device's shape
        """Set the outlet's command."""
        table = self._outlets
        on = state is PowerState.ON
        await self._exchange(table.on_oid if on else table.off_oid, table.on if on else table.off)
        return ""

    async def read(self, host: Host) -> PowerState | None:  # noqa: ARG002 - the device's shape
        """Get the outlet's state."""
        value = await self._exchange(self._outlets.state_oid, None)
        if value == self._outlets.is_on:
            return PowerState.ON
        return PowerState.OFF if value == self._outlets.is_off else None

    async def _exchange(self, oid: str, value: int | None) -> int | None:
        """Set ``oid`` to ``value``, or get it when that is None."""
        try:
            from pysnmp.hlapi.v3arch import asyncio as snmp

            if self.priv_password:
                import cryptography  # noqa: F401 - pysnmp goes on without it, and cannot encrypt
        except ImportError as error:
            raise PowerFault(needs_extra("snmp", "snmp"), final=True) from error
        oid = oid.replace("*", str(self.outlet) if self.model == "custom" else self._outlets.index(self.outlet))
        login = self._login(snmp)
        place = self.place
        secrets = (repr(self.auth_password), repr(self.priv_password))
        account = (self.user or "", *secrets, self.auth_protocol, self.priv_protocol)
        engine = _borrow(snmp, account)
        try:
            wait = max(self.timeout / (_RETRIES + 2), 0.05)
            target = await self._target(snmp, wait)
            name = snmp.ObjectIdentity(oid)
            ask = snmp.get_cmd if value is None else snmp.set_cmd
            item = snmp.ObjectType(name) if value is None else snmp.ObjectType(name, snmp.Integer32(value))
            failure, status, _, found = await ask(engine, login, target, snmp.ContextData(), item, lookupMib=False)
        except socket.gaierror as error:
            raise PowerFault(f"{place}: the name is not known: {error.strerror}") from error
        except OSError as error:
            raise PowerFault(f"{place}: {error.strerror or error}") from error
        except Exception as error:  # pysnmp lets its own and the sockets' errors through
            raise PowerFault(f"{place}: {type(error).__name__}") from error
        finally:
            _give_back(engine, account)
        if failure:
            raise PowerFault(f"{place}: {_reason(failure, self.version)}", final=str(failure) in _REFUSED)
        if int(status):
            said = status.prettyPrint()
            ended = Status.Error if int(status) in _UNSURE else Status.Failed
            raise PowerFault(f"{place}: the unit answered {escape_unprintable(said)} for {oid}", ended)
        return _integer(found[0][1], place, oid)

    async def _target(self, snmp: Any, wait: float) -> Any:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self.address, self.port, type=socket.SOCK_DGRAM)
        family, *_, address = found[0]
        kind = snmp.Udp6TransportTarget if family == socket.AF_INET6 else snmp.UdpTransportTarget
        return await kind.create(address[:2], timeout=wait, retries=_RETRIES)

    def _login(self, snmp: Any) -> Any:
        if self.version != "3":
            return snmp.CommunityData(self.community.reveal(), mpModel=VERSIONS.index(self.version))
        return snmp.UsmUserData(
            self.user,
            authKey=self.auth_password.reveal() if self.auth_password else None,
            privKey=self.priv_password.reveal() if self.priv_password else None,
            authProtocol=getattr(snmp, AUTH_PROTOCOLS[self.auth_protocol] if self.auth_password else _NO_AUTH),
            privProtocol=getattr(snmp, PRIV_PROTOCOLS[self.priv_protocol] if self.priv_password else _NO_PRIV),
        )


_NO_AUTH, _NO_PRIV = "usmNoAuthProtocol", "usmNoPrivProtocol"
_Account = tuple[str, ...]
"""A user of version 3 and the references to its secrets. An engine knows one password a user: what two units call by
the same name would be mixed up in one."""

_engines: WeakKeyDictionary[Any, dict[_Account, tuple[Any, int]]] = WeakKeyDictionary()
"""The engines of each event loop, and how many exchanges use each: making one takes as long as a hundred exchanges."""


def _borrow(snmp: Any, account: _Account) -> Any:
    engines = _engines.setdefault(asyncio.get_running_loop(), {})
    engine, users = engines.get(account) or (snmp.SnmpEngine(), 0)
    engines[account] = (engine, users + 1)
    return engine


def _give_back(engine: Any, account: _Account) -> None:
    engines = _engines[asyncio.get_running_loop()]
    users = engines[account][1] - 1
    if users:
        engines[account] = (engine, users)
    else:
        del engines[account]
        engine.close_dispatcher()


_REFUSED = {
    "Unknown USM user": "the user is not known there",
    "Wrong SNMP PDU digest": "auth_password is wrong, or auth_protocol",
    "Ciphering services not available or ciphertext is broken": "priv_password is wrong, or priv_protocol",
}
"""What the library says when a login of version 3 fails, and what it means."""


def _reason(failure: Any, version: str) -> str:
    text = escape_unprintable(str(failure))
    if text in _REFUSED:
        return f"login refused: {_REFUSED[text]}"
    if "timeout" in text.lower() or "before" in text.lower():
        hint = " (a wrong community is not answered either)" if version != "3" else ""
        return f"no answer{hint}"
    return text


def _integer(value: Any, place: str, oid: str) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise PowerFault(f"{place}: {oid} is {type(value).__name__}, not a number", Status.Failed) from error


def _custom(table: Any) -> Outlets:
    names = tuple(name for name in Outlets.__slots__ if name != "before")
    if not isinstance(table, dict) or sorted(table) != sorted(names):
        raise ValueError(f"oids must be a table of {', '.join(names)}")
    for name in names:
        value = table[name]
        if name.endswith("_oid"):
            if not isinstance(value, str) or not _OID.fullmatch(value.replace("*", "1")):
                raise ValueError(f"oids: {name} must be an OID, not {short_repr(value)}")
            if "*" not in value:
                raise ValueError(
                    f"oids: {name} {short_repr(value)} has no * for the outlet: every outlet would be the same"
                )
        elif isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"oids: {name} must be a number, not {short_repr(value)}")
    return Outlets(**{name: table[name] for name in names})
