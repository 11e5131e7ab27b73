"""Secrets by reference: lab data says where a password is, never what it is.

    env:NAME               a variable of the environment
    file:/path/to/file     the first line of a file; ``~`` is the home directory
    keyring:SERVICE/USER   an entry of the desktop's or the machine's keyring (extra ``keyring``)

The value is looked up at the moment it is used, and kept nowhere. What stands in the lab data instead of a reference
may be a password, so no message repeats it.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from typing import Any

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError, needs_extra
from bespeak.base.fileio import read_regular

_KINDS = ("env", "file", "keyring")
_LIMIT_BYTES = 64 * 1024
_SHORTEST = 3
_SHORTEST_BASE64 = 4
"""Shorter secrets are not searched for in messages: every other word would contain them."""


class SecretError(BespeakError):
    """A secret is not where its reference says; the message names the reference only."""


class Secret:
    """A reference to a secret.

    Args:
        reference: ``env:NAME``, ``file:PATH`` or ``keyring:SERVICE/USER``.
        field: where it stands, for messages.

    Raises:
        ValueError: it is no reference.
    """

    __slots__ = ("kind", "place")

    def __init__(self, reference: Any, field: str = "password") -> None:
        kind, _, place = reference.partition(":") if isinstance(reference, str) else ("", "", "")
        if kind not in _KINDS or not place or "\0" in place:
            raise ValueError(f"{field} must say where the secret is: env:NAME, file:/PATH or keyring:SERVICE/USER")
        if kind == "file":
            place = os.path.expanduser(place)
            if not os.path.isabs(place):
                raise ValueError(f"{field}: file: needs an absolute path")
        if kind == "keyring" and not all(place.partition("/")[::2]):
            raise ValueError(f"{field}: keyring: needs SERVICE/USER")
        self.kind = kind
        self.place = place

    def __repr__(self) -> str:
        return f"Secret({self.kind}:{escape_unprintable(self.place)})"

    def reveal(self) -> str:
        """Look the secret up.

        Raises:
            SecretError: it is not there, or empty.
        """
        value: str | None = getattr(self, f"_from_{self.kind}")()
        if not value:
            raise SecretError(f"the secret {self.kind}:{escape_unprintable(self.place)} is not there or empty")
        return value

    def _from_env(self) -> str | None:
        return os.environ.get(self.place)

    def _from_file(self) -> str | None:
        try:
            raw, _ = read_regular(self.place, _LIMIT_BYTES)
            return raw.decode().split("\n", 1)[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not readable as text"
            raise SecretError(f"the secret file:{escape_unprintable(self.place)} cannot be read: {reason}") from error

    def _from_keyring(self) -> str | None:
        service, _, user = self.place.partition("/")
        try:
            import keyring
        except ImportError as error:
            raise SecretError(needs_extra(f"the secret keyring:{escape_unprintable(self.place)}", "keyring")) from error
        try:
            value: str | None = keyring.get_password(service, user)
        except Exception as error:
            kind = type(error).__name__
            raise SecretError(f"the secret keyring:{escape_unprintable(self.place)} cannot be read: {kind}") from error
        return value


def optional_secret(reference: Any, field: str = "password") -> Secret | None:
    """Return the reference as a :class:`Secret`, or None when there is none."""
    if reference is None or isinstance(reference, Secret):
        return reference
    return Secret(reference, field)


def scrubbed(text: str, *values: str | None) -> str:
    """Return ``text`` without any of the secret values that it may repeat."""
    for value in values:
        if value and len(value) >= _SHORTEST:
            for form in _forms(value):
                text = re.sub(form, "***", text)
    return text


def told_of(said: object, *values: str | None) -> str:
    """Return what a device or a library said on one line, safe to print, without any of the secret values."""
    return scrubbed(escape_unprintable(" ".join(str(said).split())), *values)


def _forms(value: str) -> Iterator[str]:
    """Yield regular expressions for a secret as it is, in an address, and inside something in Base64."""
    from urllib.parse import quote, quote_plus

    yield re.escape(value)
    for encoded in {quote(value, safe=""), quote(value), quote_plus(value)} - {value}:
        yield f"(?i:{re.escape(encoded)})"
    raw = value.encode()
    for before in range(3):
        whole = (before + len(raw)) // 3 * 4
        first = 4 if before else 0
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            sure = encode(b"x" * before + raw)[first:whole].decode()
            if len(sure) >= _SHORTEST_BASE64:
                yield rf"[\w+/-]*{re.escape(sure)}[\w+/=-]*"
