"""What somebody may name as the place where they want to be told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bespeak.base.display import short_repr
from bespeak.base.errors import UsageError
from bespeak.notices.model import Channel
from bespeak.notices.safe_address import http_url

if TYPE_CHECKING:
    from bespeak.notices.safe_address import Network

CHAT_SCHEMES = frozenset({"slack", "discord", "gchat", "wxteams", "tgram", "pover"})
"""Services of apprise whose host is fixed. Those with a host in the URL could reach into the server's network, and most
take webhooks anyway."""

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class MailServer:
    """How mail leaves: through one server, in the name of one sender.

    Attributes:
        host: the SMTP server.
        port: where on it.
        tls: ``implicit``, ``starttls`` or ``none``.
        user: who signs in; empty for nobody.
    """

    host: str
    port: int
    sender: str
    tls: str = "starttls"
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """What a server offers for delivering notices.

    Attributes:
        mail: None where it sends no mail.
        allowed: networks that webhooks may reach though they are not public.
    """

    mail: MailServer | None = None
    allowed: tuple[Network, ...] = ()


_MAIL_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
_TLS = {"smtps": "implicit", "smtp": "starttls", "smtp+plain": "none"}


def mail_server(url: str, sender: str, password: str = "") -> MailServer:
    """Read how mail is to leave.

    Args:
        url: ``smtp://user@host:587`` (STARTTLS), ``smtps://host``, or ``smtp+plain://127.0.0.1:25`` on this machine.
        sender: in whose name.
        password: of the user in the URL.

    Raises:
        UsageError: it cannot be read, or would send mail in the clear to another machine.
    """
    checked(Channel.MAIL, sender)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{short_repr(url)}: not the URL of a mail server ({error})") from None
    if parts.scheme not in _TLS or not parts.hostname or parts.password is not None:
        raise UsageError("a mail server is written as smtp://user@host or smtps://host; its password is no part of it")
    if _TLS[parts.scheme] == "none" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise UsageError(f"{parts.hostname}: mail goes to other machines encrypted only: smtp:// or smtps://")
    return MailServer(
        parts.hostname,
        port or _MAIL_PORTS[parts.scheme],
        sender,
        _TLS[parts.scheme],
        unquote(parts.username or ""),
        password if parts.username else "",
    )


def checked(channel: Channel, target: str) -> str:
    """Return a target in the form in which it is kept.

    Raises:
        UsageError: it cannot be one.
    """
    if channel is Channel.WEBHOOK:
        http_url(target)
        return target
    if channel is Channel.MAIL:
        if not _MAIL.fullmatch(target):
            raise UsageError(f"{short_repr(target)}: not an address of mail such as name@example.com")
        return target
    scheme, separator, rest = target.partition("://")
    if scheme.lower() not in CHAT_SCHEMES or not separator or not rest or not target.isprintable():
        known = ", ".join(sorted(CHAT_SCHEMES))
        raise UsageError(f"{scheme[:20]}://...: not a chat that can be told; known: {known}. Others take webhooks")
    return target


def shown(channel: Channel, target: str) -> str:
    """Return a target as it may be shown: without what is a secret in it."""
    if channel is Channel.MAIL:
        return target
    if channel is Channel.CHAT:
        return target.partition("://")[0] + "://..."
    url = http_url(target)
    return f"{url.scheme}://{url.authority}{url.path.partition('?')[0]}"
