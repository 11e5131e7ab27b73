"""Tokens: how one looks, and what the book keeps of it.

A token is ``bsp_``, 32 random bytes and a checksum of them, so that it is recognised in a log or a repository, and a
mistyped one is told from a revoked one without asking the book. The book keeps its SHA-256: 256 random bits need no
slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib
from typing import TYPE_CHECKING

from bespeak.access.model import Scope, Token
from bespeak.access.store import new_id
from bespeak.base.clock import MINUTE_US
from bespeak.base.json_text import compact_utf8
from bespeak.storage.row_shape import RowShape, read_json

if TYPE_CHECKING:
    from bespeak.storage.interface import Row, Transaction

PREFIX = "bsp_"
_BYTES = 32
_SYMBOLS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY, _CHECKSUM = 43, 6
_COLUMNS = "id, holder, name, scopes, selectors, created_us, created_by, expires_us, used_us, revoked_us"
_TOKEN = RowShape("token", _COLUMNS, "tttttitiII")
USED_EVERY_US = MINUTE_US
"""How exact the last use is: a token used a thousand times a second is written once a minute."""


def new_token() -> str:
    """Return a new token: ``bsp_`` and 49 letters and digits."""
    body = _base62(int.from_bytes(secrets.token_bytes(_BYTES)), _BODY)
    return PREFIX + body + _checksum(body)


def looks_like_token(text: str) -> bool:
    """Tell whether a text is a token as :func:`new_token` makes them: prefix, length and checksum."""
    body, checksum = text[len(PREFIX) : -_CHECKSUM], text[-_CHECKSUM:]
    right_length = len(text) == len(PREFIX) + _BODY + _CHECKSUM
    return right_length and text.isascii() and text.startswith(PREFIX) and checksum == _checksum(body)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_SYMBOLS))
        digits.append(_SYMBOLS[digit])
    return "".join(reversed(digits))


def hashed(secret: str) -> str:
    """Return what the book keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create(
    tx: Transaction,
    digest: str,
    holder: str,
    *,
    name: str,
    scopes: tuple[Scope, ...],
    selectors: tuple[str, ...],
    by: str,
    expires_us: int,
) -> Token:
    """Write what the book keeps of a token.

    Args:
        tx: the transaction.
        digest: what :func:`hashed` makes of the token.
        holder: whom it stands for.
        name: what people call it.
        scopes: what it may be used for.
        selectors: on which resources; empty for all.
        by: who makes it.
        expires_us: when it ends, µs UTC.
    """
    made = Token(new_id(), holder, name, scopes, selectors, tx.now_us, by, expires_us, None, None)
    tx.execute(
        "INSERT INTO access_tokens (id, hash, holder, name, scopes, selectors, created_us, created_by, expires_us)"
        " VALUES (:id, :hash, :holder, :name, :scopes, :selectors, :at, :by, :expires)",
        {
            "id": made.id,
            "hash": digest,
            "holder": holder,
            "name": name,
            "scopes": compact_utf8([scope.value for scope in scopes]),
            "selectors": compact_utf8(list(selectors)),
            "at": tx.now_us,
            "by": by,
            "expires": expires_us,
        },
    )
    return made


def every(tx: Transaction) -> list[Token]:
    """Return all tokens, oldest first."""
    found = tx.fetch_all(f"SELECT {_COLUMNS} FROM access_tokens ORDER BY created_us, id")
    return [_TOKEN.read(row, _token) for row in found]


def by_id(tx: Transaction, identifier: str) -> Token | None:
    """Return the token with this id, or None."""
    row = tx.fetch_one(f"SELECT {_COLUMNS} FROM access_tokens WHERE id = :id", {"id": identifier})
    return _TOKEN.read(row, _token) if row else None


def by_secret(tx: Transaction, secret: str) -> Token | None:
    """Return the token that ``secret`` is, revoked and expired ones too, or None."""
    wanted = hashed(secret)
    row = tx.fetch_one(f"SELECT hash, {_COLUMNS} FROM access_tokens WHERE hash = :hash", {"hash": wanted})
    if row is None or not hmac.compare_digest(str(row[0]), wanted):
        return None
    return _TOKEN.read(row[1:], _token)


def _token(row: Row) -> Token:
    identifier, holder, name, scopes, selectors, created_us, created_by, expires_us, used_us, revoked_us = row
    return Token(
        identifier,
        holder,
        name,
        tuple(Scope(scope) for scope in read_json(scopes)),
        tuple(str(selector) for selector in read_json(selectors)),
        created_us,
        created_by,
        expires_us,
        used_us,
        revoked_us,
    )


def revoke(tx: Transaction, identifier: str) -> None:
    """Make a token worthless from now on."""
    sql = "UPDATE access_tokens SET revoked_us = :now WHERE id = :id AND revoked_us IS NULL"
    tx.execute(sql, {"now": tx.now_us, "id": identifier})


def note_use(tx: Transaction, identifier: str) -> None:
    """Write that a token is used now."""
    tx.execute("UPDATE access_tokens SET used_us = :now WHERE id = :id", {"now": tx.now_us, "id": identifier})
