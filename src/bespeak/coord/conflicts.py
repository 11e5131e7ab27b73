"""Conflicts: which active claims of other runs overlap some addresses.

Two index lookups answer it, however many claims are active: what holds an address is one of the beginnings of its key,
and what it holds is one range. Only patterns, which are kept under the folder they start from, are then compared.
"""

from __future__ import annotations

from _operator import itemgetter

from bespeak.coord import address as addressing
from bespeak.coord.queries import check_instant
from bespeak.coord.run_id import UNKNOWN
from bespeak.storage.row_shape import RowShape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bespeak.coord.address import Address
    from bespeak.coord.model import Conflict
    from bespeak.storage.interface import Params, Row, Transaction

_SELECT = """c.address, c.glob, r.id, r.run_id, r.expires_us, r.operation, r.epoch, c.part"""
_HELD = """c.repo = :repo AND r.repo = c.repo AND r.epoch = c.epoch AND r.expires_us > :now AND r.released_us IS NULL
AND r.epoch <> :own AND (:shared = 0 OR r.shared = 0) AND (r.run_id <> :run OR :stranger = 1)"""
_FROM_CLAIMS = f"SELECT {_SELECT} FROM coord_claims c CROSS JOIN coord_reservations r WHERE {_HELD}"
_MAY_MATCH = r" AND (c.glob = 1 OR c.address LIKE '%/' OR c.address LIKE :like ESCAPE '\')"
_PREFER_INDEXES = """
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)"""
"""Lets PostgreSQL, for this transaction, take its indexes in the one plan that it has made before.

Left to itself it plans anew each time, which takes longer than the answer.
"""
_AGE = itemgetter(6, 7)
_EXPIRES = 4
_ROW = RowShape("claim on", _SELECT, "tittiTii")


def conflicts(
    tx: Transaction, repo: str, run_id: str, addresses: Sequence[Address], *, shared: bool = False, own: int = 0
) -> list[Conflict]:
    """Return what active claims of other runs overlap ``addresses``, in the order of the addresses, oldest first.

    Args:
        tx: the transaction.
        repo: the repository's name in the book.
        run_id: who asks; its own claims are no conflicts. Runs without a name are different runs.
        addresses: what is asked for.
        shared: shared claims are not in the way.
        own: the epoch of a reservation to leave out.
    """
    question = Question(tx, repo, run_id, addresses, shared=shared, own=own)
    return question.answer(tx.fetch_batch(question.queries))


class Question:
    """The queries of :func:`conflicts`, for a caller that adds others in the same round trip.

    The arguments are those of :func:`conflicts`.
    """

    def __init__(
        self,
        tx: Transaction,
        repo: str,
        run_id: str,
        addresses: Sequence[Address],
        *,
        shared: bool = False,
        own: int = 0,
    ) -> None:
        params: dict[str, object] = {
            "repo": repo,
            "run": run_id,
            "stranger": int(run_id == UNKNOWN),
            "now": tx.now_us,
            "shared": int(shared),
            "own": own,
        }
        self._addresses = addresses
        self._before: list[tuple[str, Params]] = [(_PREFER_INDEXES, {})] if tx.dialect == "postgresql" else []
        self.queries = [*self._before, *(_query(params, address) for address in addresses)]

    def answer(self, found: Sequence[list[Row]]) -> list[Conflict]:
        """Return the conflicts, given the rows of each query."""
        rows = found[len(self._before) :]
        return [
            conflict
            for address, candidates in zip(self._addresses, rows, strict=False)
            for conflict in _in_the_way(address, sorted(map(_checked, candidates), key=_AGE))
        ]


def _query(params: Params, address: Address) -> tuple[str, Params]:
    """Return the query for what holds an address, and for what it holds."""
    low, high = addressing.range_inside(address)
    names: dict[str, object] = {f"k{number}": key for number, key in enumerate(addressing.beginnings(address.key))}
    holding = f"{_FROM_CLAIMS} AND c.key IN ({', '.join(f':{name}' for name in names)})"
    inside = f"{_FROM_CLAIMS} AND c.key >= :low AND c.key < :high"
    names |= {"low": low, "high": high}
    if address.glob:
        from bespeak.coord.globs import sql_like

        inside += _MAY_MATCH
        names["like"] = sql_like(address.path)
    return f"{holding} UNION ALL {inside}", {**params, **names}


def _checked(row: Row) -> Row:
    return _ROW.read(row, _with_instant)


def _with_instant(row: Row) -> Row:
    check_instant("expires_us", row[_EXPIRES])
    return row


def _in_the_way(address: Address, candidates: Sequence[Row]) -> Iterator[Conflict]:
    for text, glob, identifier, run_id, expires_us, operation, epoch, _ in candidates:
        from bespeak.coord.model import Conflict

        held = addressing.stored(text, bool(glob))
        if glob or address.glob:
            from bespeak.coord.globs import relation

            found = relation(address, held)
        else:
            found = addressing.plain_relation(address, held)
        if found:
            yield Conflict(address.text, text, run_id, identifier, expires_us, operation, found, epoch)
