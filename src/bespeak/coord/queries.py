"""Looking at what is claimed: lists, the order of dependencies, and what a watcher has to be told."""

from __future__ import annotations

from bespeak.coord import address as addresses_
from bespeak.coord import dag, dependencies, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.coord.address import Address
    from bespeak.coord.dag import Graph
    from bespeak.coord.model import Claim
    from bespeak.storage.interface import Transaction

_AT_ONCE = 500


def reservations(
    tx: Transaction,
    repo: str,
    *,
    over: bool = False,
    run_id: str | None = None,
    branch: str | None = None,
    among: Sequence[Address] = (),
) -> list[Claim]:
    """Return reservations, oldest first.

    Args:
        tx: the transaction.
        repo: the repository's name in the book.
        over: also those that are over.
        run_id: only this run's.
        branch: only those made on this branch.
        among: only those with an address that overlaps one of these.
    """
    where = ["r.repo = :repo", *(() if over else ("r.live = 1", "r.expires_us > :now"))]
    where += ["r.run_id = :run"] if run_id is not None else []
    where += ["r.branch = :branch"] if branch is not None else []
    sql = f"SELECT {rows.COLUMNS} FROM coord_reservations r WHERE {' AND '.join(where)} ORDER BY r.epoch"
    found = [
        rows.reservation(row)
        for row in tx.fetch_all(sql, {"repo": repo, "now": tx.now_us, "run": run_id, "branch": branch})
    ]
    return [held for held in found if touches(held.addresses, among)] if among else found


def touches(texts: Sequence[str], among: Sequence[Address]) -> bool:
    """Tell whether one of some stored addresses overlaps one of others."""
    # Whether a stored text is a pattern is known to the index only; read both ways, nothing is missed.
    own = [addresses_.stored(text, glob) for text in texts for glob in {False, addresses_.is_wild(text)}]
    return any(addresses_.relation(one, two) for one in own for two in among)


def order(tx: Transaction, repo: str) -> tuple[Graph, dict[str, Claim]]:
    """Return the graph of all active reservations and of everything they depend on, and these by id."""
    nodes = {held.id: held for held in reservations(tx, repo)}
    found = dependencies.of(tx, repo, list(nodes))
    links = list(found)
    while missing := sorted({needed for _, needed in found} - nodes.keys()):
        known = _by_id(tx, repo, missing)
        nodes |= known
        found = [edge for edge in dependencies.of(tx, repo, list(known)) if edge[1] not in nodes]
        links += dependencies.of(tx, repo, list(known))
        if not known:
            break
    by_age = sorted(nodes.values(), key=lambda held: held.epoch)
    over = {held.id: held.over_us(tx.now_us) is not None for held in by_age}
    return dag.graph(over, links), nodes


def _by_id(tx: Transaction, repo: str, identifiers: Sequence[str]) -> dict[str, Claim]:
    found: dict[str, Claim] = {}
    for start in range(0, len(identifiers), _AT_ONCE):
        names = {f"i{number}": identifier for number, identifier in enumerate(identifiers[start : start + _AT_ONCE])}
        places = ", ".join(f":{name}" for name in names)
        sql = f"SELECT {rows.COLUMNS} FROM coord_reservations r WHERE r.repo = :repo AND r.id IN ({places})"
        for row in tx.fetch_all(sql, {"repo": repo} | names):
            held = rows.reservation(row)
            found[held.id] = held
    return found


def expired_between(tx: Transaction, repo: str, after_us: int, until_us: int) -> list[Claim]:
    """Return what expired after one instant and not after another, in that order."""
    sql = f"""SELECT {rows.COLUMNS} FROM coord_reservations r WHERE r.repo = :repo AND r.released_us IS NULL
        AND r.expires_us > :after AND r.expires_us <= :until ORDER BY r.expires_us, r.epoch"""
    return [rows.reservation(row) for row in tx.fetch_all(sql, {"repo": repo, "after": after_us, "until": until_us})]


def next_expiry_us(tx: Transaction, repo: str) -> int | None:
    """Return the instant at which something expires next, µs UTC, or None."""
    sql = "SELECT MIN(expires_us) FROM coord_reservations WHERE repo = :repo AND live = 1 AND expires_us > :now"
    row = tx.fetch_one(sql, {"repo": repo, "now": tx.now_us})
    return None if row is None or row[0] is None else int(row[0])


def collect(tx: Transaction, repo: str, before_us: int) -> dict[str, int]:
    """Remove what was over before an instant; return how many of each were removed."""
    params = {"repo": repo, "before": before_us}
    gone = """repo = :repo AND (released_us <= :before OR (released_us IS NULL AND expires_us <= :before))"""
    tx.execute(
        f"""DELETE FROM coord_claims WHERE repo = :repo AND epoch IN
            (SELECT epoch FROM coord_reservations WHERE live = 1 AND {gone})""",
        params,
    )
    ended = f"SELECT id FROM coord_reservations WHERE {gone}"
    return {
        "edges": tx.execute(f"DELETE FROM coord_edges WHERE repo = :repo AND id IN ({ended})", params),
        "intents": tx.execute(
            f"""DELETE FROM coord_intents WHERE repo = :repo AND (reservation IN ({ended})
                OR (reservation IS NULL AND expires_us <= :before))""",
            params,
        ),
        "reservations": tx.execute(f"DELETE FROM coord_reservations WHERE {gone}", params),
        "changes": tx.execute("DELETE FROM coord_log WHERE repo = :repo AND at_us <= :before", params),
    }
