"""No page of another site may press a button here in the name of whoever is signed in.

A form carries a token that only this server can have put there: it must fit a cookie that other sites cannot read. The
token is masked anew in each answer, so that compressed pages do not give it away. What the browser says about the
origin of a request must fit as well.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_BYTES = 24
_SECRET_LENGTH = 2 * _BYTES
_HEXADECIMAL = frozenset("0123456789abcdef")


def cookie_name(*, secure: bool) -> str:
    """Return the name of the cookie; with TLS one that other hosts of the domain cannot set."""
    return "__Host-bespeak-forms" if secure else "bespeak-forms"


def secret_of(cookie: str | None) -> str | None:
    """Return the secret of a cookie, or None where it is none of ours."""
    if cookie is None or len(cookie) != _SECRET_LENGTH or not set(cookie) <= _HEXADECIMAL:
        return None
    return cookie


def new_secret() -> str:
    """Return a secret for a browser that has none."""
    return secrets.token_hex(_BYTES)


def masked(secret: str) -> str:
    """Return the token for a form: the secret, unlike any other time."""
    mask = secrets.token_bytes(_BYTES)
    return mask.hex() + _xor(mask, bytes.fromhex(secret)).hex()


def fits(token: str, secret: str | None) -> bool:
    """Tell whether the token of a form was made of the secret of this browser's cookie."""
    if secret is None or len(token) != 2 * _SECRET_LENGTH or not set(token) <= _HEXADECIMAL:
        return False
    both = bytes.fromhex(token)
    return hmac.compare_digest(_xor(both[:_BYTES], both[_BYTES:]), bytes.fromhex(secret))


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def from_here(headers: Mapping[str, str], *, secure: bool) -> bool:
    """Tell whether a request that changes something comes from a page of this very origin, as far as is said.

    Args:
        headers: those of the request, names in lower case.
        secure: it came over TLS; a page that did not is none of ours then.
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    scheme, _, authority = headers.get("origin", "").partition("://")
    if "origin" not in headers:
        return True
    return authority == headers.get("host", "") and not (secure and scheme == "http")
