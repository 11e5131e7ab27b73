"""Browser sessions and values that count once, inside the caller's transaction. Of each the book keeps a hash."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from bespeak.access.model import Session
from bespeak.access.tokens import hashed
from bespeak.base.json_text import compact_utf8
from bespeak.storage.row_shape import RowShape, read_json

if TYPE_CHECKING:
    from bespeak.storage.interface import Row, Transaction

_COLUMNS = "holder, groups, csrf, expires_us, token"
_SESSION = RowShape("session", _COLUMNS, "tttit")
_BYTES = 32


def new_secret() -> str:
    """Return a new random value of 256 bits."""
    return secrets.token_urlsafe(_BYTES)


def begin(
    tx: Transaction, secret: str, holder: str, groups: tuple[str, ...], expires_us: int, *, token: str = ""
) -> Session:
    """Write a session that whoever has ``secret`` is in; forget those that are over.

    Args:
        tx: the transaction.
        secret: of :func:`new_secret`.
        holder: who signs in.
        groups: what the provider said about it.
        expires_us: when it ends, µs UTC.
        token: the id of the token that it was begun with, and is worth no more than; empty for none.
    """
    made = Session(holder, groups, new_secret(), expires_us, token)
    tx.execute("DELETE FROM access_sessions WHERE expires_us <= :now", {"now": tx.now_us})
    tx.execute(
        "INSERT INTO access_sessions (hash, holder, groups, csrf, created_us, expires_us, token)"
        " VALUES (:hash, :holder, :groups, :csrf, :now, :expires, :token)",
        {
            "hash": hashed(secret),
            "holder": holder,
            "groups": compact_utf8(list(groups)),
            "csrf": made.csrf,
            "now": tx.now_us,
            "expires": expires_us,
            "token": token,
        },
    )
    return made


def find(tx: Transaction, secret: str) -> Session | None:
    """Return the session that whoever has ``secret`` is in now, or None."""
    wanted = hashed(secret)
    sql = f"SELECT hash, {_COLUMNS} FROM access_sessions WHERE hash = :hash AND expires_us > :now"
    row = tx.fetch_one(sql, {"hash": wanted, "now": tx.now_us})
    if row is None or not hmac.compare_digest(str(row[0]), wanted):
        return None
    return _SESSION.read(row[1:], _session)


def _session(row: Row) -> Session:
    holder, groups, csrf, expires_us, token = row
    return Session(holder, tuple(str(name) for name in read_json(groups)), csrf, expires_us, token)


def end(tx: Transaction, secret: str) -> None:
    """End a session."""
    tx.execute("DELETE FROM access_sessions WHERE hash = :hash", {"hash": hashed(secret)})


def keep_once(tx: Transaction, what: str, value: str, expires_us: int) -> bool:
    """Keep ``value`` under a name that counts once, until ``expires_us``; False where the name was used before."""
    tx.execute("DELETE FROM access_once WHERE expires_us <= :now", {"now": tx.now_us})
    return bool(
        tx.execute(
            "INSERT INTO access_once (hash, value, expires_us) VALUES (:hash, :value, :expires)"
            " ON CONFLICT (hash) DO NOTHING",
            {"hash": hashed(what), "value": value, "expires": expires_us},
        )
    )


def take_once(tx: Transaction, what: str) -> str | None:
    """Return what was kept under a name, once; None where there is nothing, or it is too late."""
    key = {"hash": hashed(what), "now": tx.now_us}
    row = tx.fetch_one("SELECT value FROM access_once WHERE hash = :hash AND expires_us > :now", key)
    if row is None or not tx.execute("DELETE FROM access_once WHERE hash = :hash", {"hash": key["hash"]}):
        return None
    return str(row[0])


def groups_said_of(tx: Transaction, holder: str) -> tuple[str, ...]:
    """Return the groups that a provider said of a holder whose browser is signed in."""
    rows = tx.fetch_all(
        "SELECT groups FROM access_sessions WHERE holder = :holder AND expires_us > :now",
        {"holder": holder, "now": tx.now_us},
    )
    return tuple(sorted({str(name) for (groups,) in rows for name in read_json(groups)}))
