"""Books of claims of a given size, filled in bulk through the same tables on either engine."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from bespeak.base.clock import DAY_US
from bespeak.coord.address import stored
from bespeak.coord.schema import COORD
from bespeak.storage import open_engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.storage.interface import Engine, Transaction

REPO = "bench"
RUNS = 5_000
_AT_ONCE = 500
_RESERVATION: tuple[str, ...] = (
    "repo",
    "epoch",
    "id",
    "run_id",
    "branch",
    "addresses",
    "operation",
    "shared",
    "created_us",
)
_RESERVATION += ("expires_us", "beat_us", "live")
_CLAIM: tuple[str, ...] = ("repo", "key", "epoch", "part", "address", "glob")
_OPERATIONS = (None, None, "modify", "rename", "extract")


def symbol(number: int) -> str:
    """Return one of as many symbols as are wanted, in files of fifty."""
    return f"src/p{number // 2500:03}/m{number // 50:05}.py::C{number // 10 % 5}.f{number % 10}"


def filled(url: str, addresses: Sequence[str], *, runs: int = RUNS, repo: str = REPO) -> Engine:
    """Return an open book in which each address is claimed by one reservation, for a day.

    Args:
        url: of a book that is new.
        addresses: one for each reservation; wildcards make a pattern.
        runs: how many runs made them, in turn.
        repo: the repository's name in the book.
    """
    engine = open_engine(url, [COORD])
    engine.transact((f"coord:{repo}",), lambda tx: _fill(tx, addresses, runs, repo))
    if engine.dialect == "postgresql":  # a server does so by itself after a while
        engine.transact((), lambda tx: tx.execute("ANALYZE coord_reservations, coord_claims"))
    return engine


def _fill(tx: Transaction, addresses: Sequence[str], runs: int, repo: str) -> None:
    places = [stored(text, glob=any(char in text for char in "*?[")) for text in addresses]
    _insert(
        tx,
        "coord_reservations",
        _RESERVATION,
        (
            (
                repo, epoch, "sha256:" + hashlib.sha256(b"%d" % epoch).hexdigest(), f"run-{epoch % runs}", "main",
                json.dumps([place.text]), _OPERATIONS[epoch % len(_OPERATIONS)], 0, tx.now_us, tx.now_us + DAY_US,
                tx.now_us, 1,
            )
            for epoch, place in enumerate(places, 1)
        ),
    )  # fmt: skip
    claims = sorted((place.key, epoch, place.text, int(place.glob)) for epoch, place in enumerate(places, 1))
    _insert(tx, "coord_claims", _CLAIM, ((repo, key, epoch, 0, text, glob) for key, epoch, text, glob in claims))
    tx.execute(
        "INSERT INTO coord_repositories (repo, epoch) VALUES (:repo, :last)", {"repo": repo, "last": len(places)}
    )


def _insert(tx: Transaction, table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    every = list(rows)
    for start in range(0, len(every), _AT_ONCE):
        chunk = every[start : start + _AT_ONCE]
        values = ", ".join(
            "(" + ", ".join(f":v{number}_{place}" for place in range(len(columns))) + ")"
            for number in range(len(chunk))
        )
        params = {f"v{number}_{place}": item for number, row in enumerate(chunk) for place, item in enumerate(row)}
        tx.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}", params)
