"""Secret links to calendars: made by a user, good until they are revoked, and known to the book by their hash only.

A calendar program cannot sign in, so whoever has the link sees what its owner may see, and nothing else.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bespeak.base import ids
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.storage.migrations import Component, Migration
from bespeak.storage.optional_tables import ensure

if TYPE_CHECKING:
    from bespeak.ledger.context import LedgerContext
    from bespeak.storage.interface import Row, Transaction

MOST_LINKS = 50
"""How many one user may have at the same time."""

_KEY = "calendars"
_TOKEN_BYTES = 24
_DIGEST = 64
_COLUMNS = "id, owner, kind, target, names_hidden, created_us"
_TABLE = """
CREATE TABLE calendars_links (
    id TEXT{c} NOT NULL PRIMARY KEY,
    token TEXT{c} NOT NULL UNIQUE,
    owner TEXT{c} NOT NULL,
    kind TEXT{c} NOT NULL CHECK (kind IN ('user', 'resource', 'group', 'all')),
    target TEXT{c} NOT NULL,
    names_hidden INTEGER NOT NULL,
    created_us BIGINT NOT NULL,
    revoked_us BIGINT
)
"""
CALENDARS = Component("calendars", [Migration(1, [_TABLE.format(c="")], [_TABLE.format(c=' COLLATE "C"')])])


class Shows(Enum):
    """What a calendar has in it."""

    USER = "user"
    RESOURCE = "resource"
    GROUP = "group"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class CalendarLink:
    """A link as the book knows it: never its secret.

    Attributes:
        owner: whose rights it has.
        target: the user, the resource or the group; empty for all resources.
        names_hidden: it shows that something is taken, not by whom or why.
    """

    id: str
    owner: str
    shows: Shows
    target: str
    names_hidden: bool
    created_us: int

    @property
    def title(self) -> str:
        """Return what it shows, for people."""
        whose = {Shows.USER: "what is", Shows.RESOURCE: "resource", Shows.GROUP: "group", Shows.ALL: "all resources"}
        tail = "'s" if self.shows is Shows.USER else ""
        hidden = ", without names" if self.names_hidden else ""
        return f"{whose[self.shows]} {self.target}{tail}".strip() + hidden


def new_secret() -> str:
    """Return a new secret for a link."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hashed(token: str) -> str:
    """Return what the book keeps of a secret."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _link(row: Row) -> CalendarLink:
    identifier, owner, kind, target, hidden, created_us = row
    return CalendarLink(identifier, owner, Shows(kind), target, bool(hidden), created_us)


def make(
    book: LedgerContext, owner: str, digest: str, shows: Shows, target: str = "", *, names_hidden: bool = False
) -> CalendarLink:
    """Make a link that whoever has a certain secret may read.

    Args:
        book: the open book.
        owner: who makes it, and whose rights it has.
        digest: what :func:`hashed` makes of the secret, which the book never sees.
        shows: what kind of calendar.
        target: the resource or the group.
        names_hidden: show neither holders nor purposes.

    Raises:
        UsageError: the owner has too many, or the digest is none.
    """
    if len(digest) != _DIGEST or digest.strip("0123456789abcdef"):
        raise UsageError("calendar link: the digest must be a SHA-256 in hexadecimal")
    ensure(book.engine, CALENDARS)
    target = owner if shows is Shows.USER else target

    def work(tx: Transaction) -> CalendarLink:
        if len(_of(tx, owner)) >= MOST_LINKS:
            raise UsageError(f"{owner} has {MOST_LINKS} calendar links, which is the most; revoke one first")
        made = CalendarLink(ids.new_id(), owner, shows, target, names_hidden, tx.now_us)
        tx.execute(
            "INSERT INTO calendars_links (id, token, owner, kind, target, names_hidden, created_us) "
            "VALUES (:id, :token, :owner, :kind, :target, :hidden, :created)",
            {
                "id": made.id,
                "token": digest,
                "owner": owner,
                "kind": shows.value,
                "target": target,
                "hidden": int(names_hidden),
                "created": tx.now_us,
            },
        )
        return made

    return book.engine.transact([_KEY], work)


def links(book: LedgerContext, owner: str) -> list[CalendarLink]:
    """Return a user's links that are good, oldest first."""
    ensure(book.engine, CALENDARS)
    return book.engine.read(lambda tx: _of(tx, owner))


def _of(tx: Transaction, owner: str) -> list[CalendarLink]:
    sql = f"SELECT {_COLUMNS} FROM calendars_links WHERE owner = :owner AND revoked_us IS NULL ORDER BY created_us, id"
    return [_link(row) for row in tx.fetch_all(sql, {"owner": owner})]


def revoke(book: LedgerContext, owner: str, identifier: str) -> CalendarLink:
    """End a link at once.

    Args:
        book: the open book.
        owner: whose link.
        identifier: its id, or how it begins.

    Raises:
        NotFoundError: the user has no such link.
    """
    ensure(book.engine, CALENDARS)

    def work(tx: Transaction) -> CalendarLink:
        found = [one for one in _of(tx, owner) if identifier and one.id.startswith(identifier)]
        if len(found) != 1:
            raise NotFoundError(f"{owner} has no calendar link {identifier!a}")
        tx.execute("UPDATE calendars_links SET revoked_us = :now WHERE id = :id", {"now": tx.now_us, "id": found[0].id})
        return found[0]

    return book.engine.transact([_KEY], work)


def find(book: LedgerContext, token: str) -> CalendarLink:
    """Return the link with this secret.

    Raises:
        NotFoundError: there is none, or it was revoked.
    """
    ensure(book.engine, CALENDARS)
    sql = f"SELECT {_COLUMNS} FROM calendars_links WHERE token = :token AND revoked_us IS NULL"
    row = book.engine.read(lambda tx: tx.fetch_one(sql, {"token": hashed(token)}))
    if row is None:
        raise NotFoundError("no such calendar")
    return _link(row)
