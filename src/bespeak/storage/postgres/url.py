"""Reading the URL of a PostgreSQL book without ever letting a secret out of it.

The URL goes to libpq nearly as it stands, because libpq knows forms (several hosts, socket folders, services) that
no URL parser of the standard library does. Taken out is only what is ours: ``schema`` and ``owner``.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from bespeak.base.errors import UsageError

DEFAULT_SCHEMA = "bespeak"
_SHOWN = ("host", "hostaddr", "port", "dbname", "user", "service")
_SECRET = ("password", "sslpassword", "sslkey", "oauth_client_secret", "scram_client_key", "scram_server_key")
_HOST = r"(\[[^\]@/]*\]|[^:@\[\],]*)(:\d*)?"
_HOSTS = rf"{_HOST}(,{_HOST})*"
_HIDDEN = "***"


class PostgresUrl:
    """Where a PostgreSQL book is.

    Args:
        url: ``postgresql://user:password@host:port/database?schema=NAME&owner=ROLE,...&...``.

    Raises:
        UsageError: the schema's name is not one, or where the password ends is not clear.
    """

    __slots__ = ("_secrets", "dsn", "name", "owners", "schema")

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        base, _, query = rest.partition("?")
        authority, slash, path = base.partition("/")
        user, at, hosts = authority.rpartition("@")
        if not re.fullmatch(_HOSTS, hosts) or "@" in user or "@" in path:
            raise UsageError(
                "book: this postgresql:// URL cannot be read as user:password@host:port/database; "
                "in a password, each of @ : / ? must be percent-encoded"
            )
        options = [part for part in query.split("&") if part]
        self._secrets = _secrets_of(user, options)
        self.schema = DEFAULT_SCHEMA
        self.owners: frozenset[str] = frozenset()
        """Roles that may own the schema and what is in it, besides those who are trusted anyway."""
        kept, shown = [], []
        for option in options:
            key, _, value = option.partition("=")
            if key == "schema":
                self.schema = unquote(value)
            elif key == "owner":
                self.owners = frozenset(unquote(value).split(","))
            else:
                kept.append(option)
            if key == "schema" or key in _SHOWN:
                shown.append(f"{key}={unquote(value)}")
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", self.schema):
            raise UsageError(f"book: schema {self.schema!r} must be 1 to 63 lower-case letters, digits or underscores")
        self.dsn = f"{scheme}://{base}" + ("?" + "&".join(kept) if kept else "")
        who = user.partition(":")[0] + at
        self.name = f"{scheme}://{who}{hosts}{slash}{path}" + ("?" + "&".join(shown) if shown else "")

    @property
    def has_secret(self) -> bool:
        """Whether the URL holds a password or another secret."""
        return bool(self._secrets)

    def redact(self, text: str) -> str:
        """Return ``text`` with every secret of the URL blacked out."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text

    def redacted(self, error: Exception) -> str:
        """Black the secrets out of an error itself, for its traceback may be shown too; return its text."""
        text = str(error)
        if (plain := self.redact(text)) != text:
            error.args = (plain,)
        return plain


def _secrets_of(user: str, options: list[str]) -> list[str]:
    raw = [user.partition(":")[2]]
    for option in options:
        key, _, value = option.partition("=")
        if key.lower() in _SECRET or "password" in key.lower():
            raw.append(value)
    both = {text for secret in raw for text in (secret, unquote(secret)) if text}
    return sorted(both, key=len, reverse=True)
