"""How people and workloads sign in: the table ``[server]`` of the user's or the machine's settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bespeak.access import selectors
from bespeak.base.errors import UsageError
from bespeak.host.secrets import Secret
from bespeak.settings.files import server_table
from bespeak.settings.repo import SettingsError, refuse_unknown_keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Network, IPv6Network

DEFAULT_AUDIENCE = "bespeak"
LEEWAY_SECONDS = 60
"""How far the clock of an issuer may be from ours."""

MOST_LEEWAY_SECONDS = 300
_SCOPES = ("openid", "profile", "email")
_OIDC_KEYS = (
    *("issuer", "client_id", "client_secret", "audience", "user_claim", "groups_claim", "scopes"),
    *("device_client_id", "session_for"),
)
_SERVER_KEYS = ("audience", "leeway_seconds", "oidc", "proxy_user_header", "url")
_SESSION_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The provider at which people sign in.

    Attributes:
        issuer: its address, as it stands in its tokens.
        client_id: what it calls this server.
        client_secret: where the secret is that it gave this server; None for a public client.
        audiences: for whom tokens have to be made that are sent as they are.
        user_claim: which claim is the name in the book.
        groups_claim: which claim lists the groups; empty for none.
        scopes: what is asked for.
        device_client_id: what it calls the command line.
        session_seconds: how long somebody stays signed in with a browser.
    """

    issuer: str
    client_id: str
    client_secret: Secret | None = None
    audiences: tuple[str, ...] = ()
    user_claim: str = "preferred_username"
    groups_claim: str = ""
    scopes: tuple[str, ...] = _SCOPES
    device_client_id: str = ""
    session_seconds: int = _SESSION_SECONDS


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """All ways of signing in.

    Attributes:
        audience: for whom the tokens of workloads have to be made.
        leeway_seconds: how far the clock of an issuer may be from ours.
        oidc: where people sign in; None for nowhere.
        proxy_user_header: the header in which a proxy says who calls, in lower case; empty for none.
        proxies: the networks from which that header is believed.
        url: how browsers reach this server; empty to take it from their requests.
        session_seconds: how long somebody stays signed in with a browser who came with a token.
    """

    audience: str = DEFAULT_AUDIENCE
    leeway_seconds: int = LEEWAY_SECONDS
    oidc: OidcSettings | None = None
    proxy_user_header: str = ""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    url: str = ""
    session_seconds: int = _SESSION_SECONDS


def load(
    environ: Mapping[str, str] | None = None, *, proxy_user_header: str | None = None, behind_proxy: bool = True
) -> SignInSettings:
    """Read how people and workloads sign in from the user's own settings, else the machine's.

    Args:
        environ: the environment; by default the process's.
        proxy_user_header: said when the server was started, instead of the settings.
        behind_proxy: the server knows from where its proxy connects.

    Raises:
        SettingsError: a file cannot be read, or a value in it cannot be.
        UsageError: a header would be believed from nobody.
    """
    table, path = server_table(environ)
    found = read_table(table, path)
    if proxy_user_header is not None:
        found = replace(found, proxy_user_header=proxy_user_header.lower())
    if found.proxy_user_header and not behind_proxy:
        raise UsageError(
            f"the header {found.proxy_user_header} says who calls, but nobody is believed: name the proxy's network"
            " with --behind-proxy"
        )
    return found


def read_table(table: Mapping[str, Any], path: str) -> SignInSettings:
    """Read the table ``[server]`` of a settings file.

    Args:
        table: as parsed.
        path: the file, for messages.

    Raises:
        SettingsError: a key is unknown, or a value cannot be.
    """
    refuse_unknown_keys(dict(table), f"{path}: [server]", _SERVER_KEYS)
    leeway = table.get("leeway_seconds", LEEWAY_SECONDS)
    if type(leeway) is not int or not 0 <= leeway <= MOST_LEEWAY_SECONDS:
        raise SettingsError(f"{path}: [server] leeway_seconds must be a whole number from 0 to {MOST_LEEWAY_SECONDS}")
    oidc = table.get("oidc")
    if oidc is not None and not isinstance(oidc, dict):
        raise SettingsError(f"{path}: [server] oidc must be a table")
    return SignInSettings(
        audience=_text(table, "audience", path, DEFAULT_AUDIENCE),
        leeway_seconds=leeway,
        oidc=None if oidc is None else _oidc(oidc, f"{path}: [server.oidc]"),
        proxy_user_header=_text(table, "proxy_user_header", path, "").lower(),
        url=_url(_text(table, "url", path, ""), path),
    )


def _url(text: str, path: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment):
        raise SettingsError(f"{path}: [server] url must be an address such as https://book.example.com")
    return text


def _oidc(table: dict[str, Any], where: str) -> OidcSettings:
    refuse_unknown_keys(table, where, _OIDC_KEYS)
    client_id = _text(table, "client_id", where)
    try:
        issuer = selectors.issuer(_text(table, "issuer", where))
        secret = Secret(table["client_secret"], "client_secret") if "client_secret" in table else None
    except (UsageError, ValueError) as error:
        raise SettingsError(f"{where}: {error}") from None
    audience = table.get("audience", client_id)
    return OidcSettings(
        issuer=issuer,
        client_id=client_id,
        client_secret=secret,
        audiences=_texts([audience] if isinstance(audience, str) else audience, "audience", where),
        user_claim=_text(table, "user_claim", where, "preferred_username"),
        groups_claim=_text(table, "groups_claim", where, ""),
        scopes=_texts(table.get("scopes", list(_SCOPES)), "scopes", where),
        device_client_id=_text(table, "device_client_id", where, client_id),
        session_seconds=_session_seconds(table.get("session_for"), where),
    )


def _session_seconds(text: object, where: str) -> int:
    from bespeak.base import timeparse
    from bespeak.base.clock import DAY_US, SECOND_US

    if text is None:
        return _SESSION_SECONDS
    try:
        length_us = timeparse.duration(str(text))
    except UsageError as error:
        raise SettingsError(f"{where} session_for: {error}") from None
    if not SECOND_US <= length_us <= 30 * DAY_US:
        raise SettingsError(f"{where} session_for must be a duration of at most 30d")
    return length_us // SECOND_US


def _text(table: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or not value.isprintable() or (not value and default is None):
        raise SettingsError(f"{where} {key} must be a text")
    return value


def _texts(value: object, key: str, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise SettingsError(f"{where} {key} must be a list of texts")
    return tuple(value)
