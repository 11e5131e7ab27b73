"""Reading claims from the book: one by its id, lists, and those that expired."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.display import short_repr
from bespeak.coord import address as addressing
from bespeak.coord.errors import ClaimError
from bespeak.coord.model import Claim
from bespeak.storage.row_shape import RowShape, read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.coord.address import Address
    from bespeak.storage.interface import Row, Transaction

_FIELDS = (
    "id", "epoch", "run_id", "branch", "addresses", "operation", "shared", "created_us", "expires_us", "released_us",
    "beat_us",
)  # fmt: skip
COLUMNS = ", ".join(f"r.{field}" for field in _FIELDS)
_CLAIM = RowShape("claim", ", ".join(_FIELDS), "titttTiiiIi")
_INSTANTS = ("created_us", "expires_us", "released_us", "beat_us")
PREFIX = "sha256:"
AT_ONCE = 500
"""How many ids one statement names at most."""
_DIGITS = 64
_FEWEST = 6
_BEYOND = "g"


def claim_of(row: Row) -> Claim:
    """Return the reservation of a row of :data:`COLUMNS`.

    Raises:
        DamagedRowError: bespeak cannot have written this row.
    """
    return _CLAIM.read(row, _claim)


def _claim(row: Row) -> Claim:
    values = dict(zip(_FIELDS, row, strict=True))
    values["addresses"] = address_texts(values["addresses"])
    values["shared"] = bool(values["shared"])
    for name in _INSTANTS:
        check_instant(name, values[name])
    return Claim(**values)


def address_texts(packed: str) -> tuple[str, ...]:
    """Return addresses as they are stored.

    Raises:
        ValueError: it is no JSON list of texts.
    """
    found = read_json(packed)
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ValueError("the addresses are no list of texts")
    return tuple(found)


def check_instant(name: str, instant_us: int | None) -> None:
    """Insist that a stored instant is one.

    Raises:
        ValueError: it is not.
    """
    if instant_us is not None and not 0 <= instant_us <= FOREVER_US:
        raise ValueError(f"{name} is no instant")


def is_id(text: str) -> bool:
    """Tell whether ``text`` is written as a full id."""
    return len(text) == len(PREFIX) + _DIGITS and _is_start(text)


def _is_start(text: str) -> bool:
    return text.startswith(PREFIX) and not text[len(PREFIX) :].strip("0123456789abcdef")


def find(tx: Transaction, repo: str, text: str) -> Claim | None:
    """Return the reservation with this id, or with the only id that begins so; None if there is none.

    Raises:
        ClaimError: this is not written as an id, or several begin so.
    """
    start = text if text.startswith(PREFIX) else PREFIX + text
    if not _is_start(start) or not len(PREFIX) + _FEWEST <= len(start) <= len(PREFIX) + _DIGITS:
        raise ClaimError(
            f"Invalid reservation id {short_repr(text)}: {PREFIX} and {_DIGITS} hex digits, or the first {_FEWEST}"
            f" or more"
        )
    sql = f"SELECT {COLUMNS} FROM coord_reservations r WHERE r.repo = :repo AND r.id >= :low AND r.id < :high LIMIT 2"
    found = tx.fetch_all(sql, {"repo": repo, "low": start, "high": start + _BEYOND})
    if len(found) > 1:
        raise ClaimError(f"Several reservation ids begin with {short_repr(text)}; give more digits")
    return claim_of(found[0]) if found else None


def exists(tx: Transaction, repo: str, identifier: str) -> bool:
    """Tell whether there is a reservation with this full id."""
    sql = "SELECT 1 FROM coord_reservations WHERE repo = :repo AND id = :id"
    return tx.fetch_one(sql, {"repo": repo, "id": identifier}) is not None


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
    sql = f"SELECT {COLUMNS} FROM coord_reservations r WHERE {' AND '.join(where)} ORDER BY r.epoch"
    found = [
        claim_of(row) for row in tx.fetch_all(sql, {"repo": repo, "now": tx.now_us, "run": run_id, "branch": branch})
    ]
    return [held for held in found if touches(held.addresses, among)] if among else found


def touches(texts: Sequence[str], among: Sequence[Address]) -> bool:
    """Tell whether one of some stored addresses overlaps one of others."""
    from bespeak.coord.globs import relation

    # Whether a stored text is a pattern is known to the index only; read both ways, nothing is missed.
    own = [addressing.stored(text, glob) for text in texts for glob in {False, addressing.is_wild(text)}]
    return any(relation(one, two) for one in own for two in among)


def by_id(tx: Transaction, repo: str, identifiers: Sequence[str]) -> dict[str, Claim]:
    """Return those of some reservations that are in the book, by id."""
    found: dict[str, Claim] = {}
    for start in range(0, len(identifiers), AT_ONCE):
        names = {f"i{number}": identifier for number, identifier in enumerate(identifiers[start : start + AT_ONCE])}
        places = ", ".join(f":{name}" for name in names)
        sql = f"SELECT {COLUMNS} FROM coord_reservations r WHERE r.repo = :repo AND r.id IN ({places})"
        for row in tx.fetch_all(sql, {"repo": repo} | names):
            held = claim_of(row)
            found[held.id] = held
    return found


def expired_between(tx: Transaction, repo: str, after_us: int, until_us: int) -> list[Claim]:
    """Return what expired after one instant and not after another, in that order."""
    sql = f"""SELECT {COLUMNS} FROM coord_reservations r WHERE r.repo = :repo AND r.released_us IS NULL
        AND r.expires_us > :after AND r.expires_us <= :until ORDER BY r.expires_us, r.epoch"""
    return [claim_of(row) for row in tx.fetch_all(sql, {"repo": repo, "after": after_us, "until": until_us})]


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
