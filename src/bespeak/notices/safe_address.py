"""Where a server may connect to when a user names the address: nowhere inside its own network unless that is allowed.

A name is resolved once, every address that it has must be public, and the connection is made to the address that was
looked at: a name that answers differently the second time gains nothing. Redirects are never followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bespeak.base.display import short_repr
from bespeak.base.errors import UnavailableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address
    Network = ipaddress.IPv4Network | ipaddress.IPv6Network
    Resolve = Callable[[str, int], list[str]]

LONGEST_URL = 2_000
_HTTP_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")


@dataclass(frozen=True, slots=True)
class HttpUrl:
    """An ``http`` or ``https`` URL, in the parts that a connection needs."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Return what the header ``Host`` has."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _HTTP_PORTS[self.scheme] else f"{name}:{self.port}"


def http_url(text: str) -> HttpUrl:
    """Read a URL.

    Raises:
        UsageError: it is not ``http`` or ``https``, has no host, or has a user in it.
    """
    shown = short_repr(text)
    if len(text) > LONGEST_URL or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{shown}: not a URL of at most {LONGEST_URL} visible ASCII characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{shown}: not a URL ({error})") from None
    if parts.scheme not in _HTTP_PORTS or not parts.hostname:
        raise UsageError(f"{shown}: not an http:// or https:// URL with a host")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{shown.partition('@')[0][:12]}...: a URL with a user or a password in it is not kept")
    query = f"?{parts.query}" if parts.query else ""
    return HttpUrl(parts.scheme, parts.hostname, port or _HTTP_PORTS[parts.scheme], (parts.path or "/") + query)


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to somebody on the Internet: not to this host, this network or a special use."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local or address in _LOCAL_NAT64:
            return False
    return address.is_global and not address.is_multicast


def _resolved(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnavailableError(f"{host}: its address cannot be found ({error})") from None
    return [str(one[4][0]).partition("%")[0] for one in found]


def pinned(host: str, port: int, allowed: Sequence[Network], resolve: Resolve = _resolved) -> str:
    """Return an address of a host to which the server may connect.

    Args:
        host: a name or an address.
        port: where on it.
        allowed: networks that may be connected to though they are not public.
        resolve: finds the addresses of a name.

    Raises:
        UnavailableError: the name has no address.
        UsageError: one of its addresses is not public, and not allowed.
    """
    addresses = [ipaddress.ip_address(text) for text in resolve(host, port)]
    if not addresses:
        raise UnavailableError(f"{host}: it has no address")
    plain = [getattr(address, "ipv4_mapped", None) or address for address in addresses]
    for address in plain:
        if not is_public(address) and not any(address in network for network in allowed):
            raise UsageError(
                f"{host}: {address} is not a public address; the server connects there only if it is allowed"
            )
    return str(plain[0])


def post(
    url: HttpUrl, body: bytes, headers: dict[str, str], *, address: str, timeout_seconds: float, most_bytes: int = 4096
) -> tuple[int, bytes]:
    """Send a POST request to a pinned address, and return the status and the beginning of the answer.

    Raises:
        OSError: there is no connection, or no answer in time.
        http.client.HTTPException: the answer is no HTTP.
    """
    connection = http.client.HTTPConnection(url.host, url.port, timeout=timeout_seconds)
    plain = socket.create_connection((address, url.port), timeout_seconds)
    try:
        connection.sock = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=url.host)
            if url.scheme == "https"
            else plain
        )
        connection.request("POST", url.path, body, {"Host": url.authority, "Connection": "close", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read(most_bytes)
    finally:
        connection.close()
        plain.close()


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Read networks such as ``10.0.0.0/8``.

    Raises:
        UsageError: one is none.
    """
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise UsageError(f"{error}; a network is written as 10.0.0.0/8") from None
