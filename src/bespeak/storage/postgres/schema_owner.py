"""Whose schema a book is in, and what our role may do there: looked at before anything of the schema is used.

Tables can have triggers, rules, defaults and policies, and views and functions can stand in for what we look for.
All of them run as whoever uses the table. So the schema and everything in it must belong to somebody who may decide
what our role does: the role itself, a role that it is a member of, the owner of the database, or a superuser. Others
are named in the URL (``owner=``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Collection

    from bespeak.storage.postgres.connection import Connection

# Run with nothing but the system's own names in sight. The superuser that made the cluster owns without an entry in
# pg_shdepend. A superuser is a member of every role, which says nothing about whom it trusts.
_LOOK = """
BEGIN READ ONLY; SET LOCAL search_path TO pg_catalog, pg_temp;
WITH book AS (SELECT oid, nspowner FROM pg_namespace WHERE nspname = '{schema}'),
database AS (SELECT oid, datdba FROM pg_database WHERE datname = current_database()),
me AS (SELECT oid, rolsuper FROM pg_roles WHERE rolname = current_user),
owners AS (
    SELECT nspowner AS owner FROM book
    UNION
    SELECT s.refobjid FROM book
    JOIN pg_depend AS d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = book.oid
    JOIN pg_shdepend AS s ON s.classid = d.classid AND s.objid = d.objid
    JOIN database ON s.dbid = database.oid
    WHERE s.deptype = 'o' AND s.refclassid = 'pg_authid'::regclass
)
SELECT current_user::text, role.rolname::text, role.oid = book.nspowner,
    role.oid = me.oid OR role.rolsuper OR role.oid = database.datdba OR role.rolname = 'pg_database_owner'
        OR (NOT me.rolsuper AND pg_has_role(role.oid, 'MEMBER')),
    has_schema_privilege(book.oid, 'USAGE'), has_schema_privilege(book.oid, 'CREATE')
FROM book CROSS JOIN database CROSS JOIN me JOIN owners ON true JOIN pg_roles AS role ON role.oid = owners.owner
ORDER BY role.rolname
"""


class Access:
    """What our role may do in the schema of a book.

    Args:
        role: our role.
        owner: whose schema it is; empty where there is none yet.
        may_make: tables can be made there.
    """

    __slots__ = ("may_make", "owner", "role")

    def __init__(self, role: str, owner: str, *, may_make: bool) -> None:
        self.role = role
        self.owner = owner
        self.may_make = may_make


def access(connection: Connection, schema: str, trusted: Collection[str], book: str) -> Access:
    """Begin a transaction on ``connection``, and tell what our role may do in the book's schema.

    Args:
        connection: to the server; the transaction is left open.
        schema: where the book is, or will be.
        trusted: roles that may decide what our role does.
        book: how to call the book in a message.

    Raises:
        UnavailableError: somebody else's code could run as our role, or our role has no right to look.
    """
    cursor = connection.execute(_LOOK.format(schema=schema).encode())
    while cursor.nextset():
        pass
    found = cursor.fetchall()
    if not found:
        return Access("", "", may_make=True)
    role, _, _, _, may_use, may_make = found[0]
    strangers = [str(owner) for _, owner, _, known, _, _ in found if not known and owner not in trusted]
    if strangers:
        raise UnavailableError(
            f'book {book}: schema "{schema}" has objects of role "{strangers[0]}", whose code would run as "{role}"; '
            f"if that role may decide what yours does, add owner={','.join(strangers)} to the URL"
        )
    schema_owner = next(str(owner) for _, owner, owns, _, _, _ in found if owns)
    if not may_use:
        raise UnavailableError(
            f'book {book}: role "{role}" has no right to use schema "{schema}"; '
            f'"{schema_owner}", who owns it, can grant it'
        )
    return Access(str(role), schema_owner, may_make=bool(may_make))
