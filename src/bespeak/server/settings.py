"""What a server was started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bespeak.server.sign_in.settings import SignInSettings

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    Networks = tuple[IPv4Network | IPv6Network, ...]

DEFAULT_PORT = 8420


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What clients may take.

    Attributes:
        body_bytes: the body of one request.
        connections: open at the same time on each socket.
        requests_per_minute: of one caller.
        failures_per_minute: credentials from one address that are missing or wrong.
        alive_seconds: an open stream says so often that it is there, and its credential is checked again.
    """

    body_bytes: int = 1024 * 1024
    connections: int = 4_096
    requests_per_minute: int = 120_000
    failures_per_minute: int = 120
    alive_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a server listens, and for whom.

    Attributes:
        ledger: the book; None for the one of the settings.
        host: the name or address that it listens on.
        port: 0 takes a free one.
        socket: the path of a Unix socket; None for none.
        hosts: further names that clients reach it by.
        tls: the files with its certificate and its key; None for no TLS.
        behind_proxy: networks that a reverse proxy connects from, and nobody else may.
        public: pages (``now``, ``timeline``, ``log``) that may be seen without signing in.
        names_hidden: on those, nobody's name or purpose is shown.
        mail_server: the URL of the server that sends the mail of notices; None for no mail.
        mail_from: in whose name.
        webhooks_to: networks that webhooks may reach though they are not public.
        debug: tell in the log where errors come from.
        limits: what clients may take.
        sign_in: how people and workloads sign in.
    """

    ledger: str | None = None
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    socket: str | None = None
    hosts: tuple[str, ...] = ()
    tls: tuple[str, str] | None = None
    behind_proxy: Networks = ()
    public: tuple[str, ...] = ()
    names_hidden: bool = False
    mail_server: str | None = None
    mail_from: str | None = None
    webhooks_to: tuple[str, ...] = ()
    debug: bool = False
    limits: ServerLimits = ServerLimits()
    sign_in: SignInSettings = field(default_factory=SignInSettings)
