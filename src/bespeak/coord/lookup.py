"""What is in the way: which active claims of other runs overlap some addresses.

Two index lookups answer it, however many claims are active: what holds an address is one of the beginnings of its key,
and what it holds is one range. Only patterns, which are kept under the folder they start from, are then compared.
"""

from __future__ import annotations

from bespeak.coord import address as addresses_
from bespeak.coord.runs import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bespeak.coord.address import Address
    from bespeak.coord.model import Conflict
    from bespeak.storage.port import Row, Transaction

_AT_ONCE = 200
_SELECT = """c.key, c.address, c.glob, r.id, r.run_id, r.expires_us, r.operation, r.epoch, c.part"""
_HELD = """c.repo = :repo AND r.repo = c.repo AND r.epoch = c.epoch AND r.expires_us > :now AND r.released_us IS NULL
AND r.epoch <> :own AND (:shared = 0 OR r.shared = 0) AND (r.run_id <> :run OR :stranger = 1)"""
_MAY_MATCH = r" AND (c.glob = 1 OR c.address LIKE '%/' OR c.address LIKE :like ESCAPE '\')"
_EPOCH, _PART = 7, 8


def conflicts(
    tx: Transaction, repo: str, run_id: str, addresses: Sequence[Address], *, shared: bool = False, own: int = 0
) -> list[Conflict]:
    """Return what active claims of other runs overlap ``addresses``, in the order of the addresses, oldest first.

    Plain addresses are looked up many at once, each pattern by itself.

    Args:
        tx: the transaction.
        repo: the repository's name in the book.
        run_id: who asks; its own claims are never in its way. Runs that nobody named are strangers to each other.
        addresses: what is asked for.
        shared: shared claims are not in the way.
        own: the epoch of a reservation to leave out.
    """
    params: dict[str, object] = {
        "repo": repo,
        "run": run_id,
        "stranger": int(run_id == UNKNOWN),
        "now": tx.now_us,
        "shared": int(shared),
        "own": own,
    }
    found: list[Conflict] = []
    start = 0
    while start < len(addresses):
        end = start + 1
        while end < min(len(addresses), start + _AT_ONCE) and not (addresses[start].glob or addresses[end].glob):
            end += 1
        found += _chunk(tx, params, addresses[start:end])
        start = end
    return found


def _chunk(tx: Transaction, params: dict[str, object], chunk: Sequence[Address]) -> Iterator[Conflict]:
    above = [addresses_.beginnings(address.key) for address in chunk]
    holding: dict[str, list[Row]] = {}
    for row in _holding(tx, params, sorted({key for keys in above for key in keys})):
        holding.setdefault(row[0], []).append(row)
    held: dict[int, list[Row]] = {}
    for row in _held_inside(tx, params, chunk):
        held.setdefault(row[-1], []).append(row)
    for number, address in enumerate(chunk):
        candidates = [row for key in above[number] for row in holding.get(key, ())]
        candidates += held.get(number, ())
        candidates.sort(key=lambda row: (row[_EPOCH], row[_PART]))
        yield from _in_the_way(address, candidates)


def _holding(tx: Transaction, params: dict[str, object], keys: Sequence[str]) -> list[Row]:
    names = {f"k{number}": key for number, key in enumerate(keys)}
    places = ", ".join(f":{name}" for name in names)
    sql = f"SELECT {_SELECT} FROM coord_claims c CROSS JOIN coord_reservations r WHERE {_HELD} AND c.key IN ({places})"
    return tx.all(sql, params | names)


def _held_inside(tx: Transaction, params: dict[str, object], chunk: Sequence[Address]) -> list[Row]:
    bounds: dict[str, object] = {}
    for number, address in enumerate(chunk):
        low, high = addresses_.range_inside(address)
        bounds |= {f"l{number}": low, f"h{number}": high}
    if len(chunk) == 1:
        sql = f"SELECT {_SELECT}, 0 FROM coord_claims c CROSS JOIN coord_reservations r "
        sql += f"WHERE {_HELD} AND c.key >= :l0 AND c.key < :h0"
        if chunk[0].glob:
            from bespeak.coord.globs import sql_like

            sql += _MAY_MATCH
            bounds["like"] = sql_like(chunk[0].path)
        return tx.all(sql, params | bounds)
    prefer_indexes(tx)
    values = ", ".join(f"({number}, :l{number}, :h{number})" for number in range(len(chunk)))
    sql = f"WITH v (n, low, high) AS (VALUES {values}) SELECT {_SELECT}, v.n FROM v CROSS JOIN coord_claims c "
    sql += f"CROSS JOIN coord_reservations r WHERE {_HELD} AND c.key >= v.low AND c.key < v.high"
    return tx.all(sql, params | bounds)


def prefer_indexes(tx: Transaction) -> None:
    """Keep PostgreSQL from guessing, for this transaction, that a range of keys may be a ninth of the table."""
    if tx.dialect == "postgresql":
        tx.all("SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_seqscan', 'enable_hashjoin']) AS name")


def _in_the_way(address: Address, candidates: Sequence[Row]) -> Iterator[Conflict]:
    seen: set[tuple[int, int]] = set()
    for _, text, glob, identifier, run_id, expires_us, operation, epoch, part, *_ in candidates:
        if (epoch, part) in seen:
            continue
        seen.add((epoch, part))
        from bespeak.coord.model import Conflict

        relation = addresses_.relation(address, addresses_.stored(text, bool(glob)))
        if relation:
            yield Conflict(address.text, text, run_id, identifier, expires_us, operation, relation, epoch)
