"""Who can reach a server, and whether others on the way could read along: read before anything listens."""

from __future__ import annotations

import ipaddress
import ssl
from typing import TYPE_CHECKING

from bespeak.base.display import short_repr
from bespeak.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.server.settings import Networks


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can connect to an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def networks(texts: Iterable[str]) -> Networks:
    """Return the networks that a reverse proxy connects from.

    Raises:
        UsageError: one is none.
    """
    found = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text))
        except ValueError:
            raise UsageError(f"--behind-proxy: {short_repr(text)} is no network such as 10.0.0.0/8") from None
    return tuple(found)


def check(host: str, *, tls: bool, proxy: Networks) -> None:
    """Refuse to send credentials over a network in plain text.

    Raises:
        UsageError: others could read along.
    """
    if tls and proxy:
        raise UsageError("--behind-proxy and TLS exclude each other: the proxy speaks TLS with clients")
    if not (tls or proxy or is_loopback(host)):
        raise UsageError(
            f"--host {short_repr(host)}: others on the network could read along; add --tls-cert and --tls-key, "
            "--tls-self, or --behind-proxy CIDR"
        )


def tls_files(certificate: str | None, key: str | None) -> tuple[str, str] | None:
    """Return the files of a certificate and its key, found to belong together; None where neither is named.

    Raises:
        UsageError: one is missing, cannot be read, or they do not belong together.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("--tls-cert and --tls-key go together")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise UsageError(f"--tls-cert {short_repr(certificate)}, --tls-key {short_repr(key)}: {reason}") from error
    return certificate, key


def _no_password() -> str:
    raise ValueError("the key is encrypted, and a server cannot ask for its password")
