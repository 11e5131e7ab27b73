"""Whether this process owns a book: its file, or the schema it is in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

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
        return os.geteuid() in (0, os.stat(engine.name).st_uid)
    found = tx.fetch_one(_OWNS_SCHEMA, {"schema": getattr(engine, "schema", "")})
    return found is not None and bool(found[0])
