"""Whether this process owns a book: its file, or the schema it is in."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.storage.interface import Engine, Transaction

_OWNS_SCHEMA = """
SELECT pg_catalog.pg_has_role(n.nspowner, 'USAGE') FROM pg_catalog.pg_namespace n WHERE n.nspname = :schema"""


def owns(engine: Engine, tx: Transaction) -> bool:
    """Tell whether the file of a book is this account's, or its schema our role's; the superuser owns all.

    Args:
        engine: the open book.
        tx: a transaction of it.
    """
    if tx.dialect == "sqlite":
        try:
            return os.geteuid() in (0, os.stat(engine.name).st_uid)
        except FileNotFoundError:
            return True  # the first write makes the book, and who makes it owns it
    found = tx.fetch_one(_OWNS_SCHEMA, {"schema": getattr(engine, "schema", "")})
    return found is not None and bool(found[0])


def is_shared(engine: Engine) -> bool:
    """Tell whether other accounts may write a book: a file that is not ours alone, and every book on a server."""
    if engine.dialect != "sqlite":
        return True
    found = os.stat(engine.name)
    return found.st_uid != os.geteuid() or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
