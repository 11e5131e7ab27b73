"""The forecast of one repository: claims from the book, dependencies from the symbol index.

Overlaps need no symbols, so they are found in any repository. If the call graph cannot be read, the forecast is
partial and gives the reason.
"""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import Field, UnavailableError
from bespeak.coord import address as addresses
from bespeak.coord import intents
from bespeak.coord.errors import ClaimError
from bespeak.coord.forecast.model import ClaimedAddress
from bespeak.coord.forecast.predict import RevisionView, predict
from bespeak.coord.run_id import UNKNOWN
from bespeak.coord.states import Operation
from bespeak.storage.row_shape import DamagedRowError, RowShape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bespeak.coord.forecast.model import Forecast, Scope
    from bespeak.coord.model import Intent
    from bespeak.git.repository import Repository
    from bespeak.storage.interface import Engine, Transaction

MAX_DEPTH = 20
_HEAD = "HEAD"
_CLAIMS = """
SELECT c.key, c.address, c.glob, r.run_id, r.run_id, r.branch, r.operation, r.shared, r.expires_us, r.id, NULL
FROM coord_claims c JOIN coord_reservations r ON r.repo = c.repo AND r.epoch = c.epoch
WHERE c.repo = :repo AND r.repo = :repo AND r.live = 1 AND r.released_us IS NULL AND r.expires_us > :now
ORDER BY c.key, c.epoch, c.part"""
_ROW = RowShape("claim at", ", ".join(ClaimedAddress._fields), "ttitttTiitT")
_RUN, _OPERATION = 3, 6
_OPERATIONS = {None, *Operation}


def checked(scope: Scope) -> Scope:
    """Return what is asked for, if it can be.

    Raises:
        ClaimError: it cannot.
    """
    if not 0 <= scope.depth <= MAX_DEPTH:
        raise ClaimError(field="depth", reason=f"{scope.depth} is not a number of calls from 0 to {MAX_DEPTH}")
    if not 0 <= scope.min_confidence <= 1:
        raise ClaimError(field="min_confidence", reason=f"{scope.min_confidence} is not a number from 0 to 1")
    if scope.limit < 0:
        raise ClaimError(field="limit", reason=f"{scope.limit} is less than 0")
    if scope.worktree and scope.rev is not None:
        raise ClaimError("Choose one of ", Field("rev"), " and ", Field("worktree"))
    return scope


@contextmanager
def _no_collection() -> Iterator[None]:
    """Switch the garbage collector off: there are no reference cycles, and it would scan a hundred thousand claims."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_no_collection()
def look(repository: Repository, engine: Engine, repo: str, scope: Scope) -> Forecast:
    """Return the forecast of a repository.

    Args:
        repository: whose files count.
        engine: the book.
        repo: the repository's name in it.
        scope: what is asked for; checked.

    Raises:
        ClaimError: there is no such revision.
    """

    def exists(path: str) -> bool:
        return os.path.lexists(os.path.join(repository.root, path))

    claims: list[ClaimedAddress] = engine.read(lambda tx: read_claims(tx, repo) + read_intents(tx, repo, exists))
    if not scope.depth or (not claims and scope.rev is None):
        return predict(claims, scope, RevisionView())
    try:
        from bespeak.coord.symbol_index import open_index
        from bespeak_symbols.call_graph import CallGraph

        with open_index(repository) as index:
            snapshot = index.worktree() if scope.worktree else index.snapshot(_HEAD if scope.rev is None else scope.rev)
            commit = None if scope.worktree else snapshot.commit
            return predict(claims, scope, RevisionView(snapshot, CallGraph(snapshot), commit))
    except ClaimError:
        if scope.rev is not None:
            raise
        return predict(claims, scope, RevisionView(reasons=("the repository has no commit: callers are not known",)))
    except UnavailableError as error:
        return predict(claims, scope, RevisionView(reasons=(escape_unprintable(str(error)),)))


def read_claims(tx: Transaction, repo: str) -> list[ClaimedAddress]:
    """Return every address of every active reservation, by key, older ones first."""
    found = [_ROW.check(row) for row in tx.fetch_all(_CLAIMS, {"repo": repo, "now": tx.now_us})]
    for operation in {row[_OPERATION] for row in found} - _OPERATIONS:
        raise DamagedRowError(f"the book is damaged: a claim has the operation {operation!a:.60}")
    return [
        ClaimedAddress._make(row) if row[_RUN] != UNKNOWN else _stranger(ClaimedAddress._make(row)) for row in found
    ]


def read_intents(tx: Transaction, repo: str, exists: Callable[[str], bool]) -> list[ClaimedAddress]:
    """Return every address of every active intent as a claim, older ones first.

    Args:
        tx: the transaction.
        repo: the repository's name in the book.
        exists: returns whether there is a file of this path; it is then no pattern.
    """
    return [claim for one in intents.active(tx, repo) for claim in _of_intent(one, exists)]


def _stranger(claim: ClaimedAddress) -> ClaimedAddress:
    """Give a run without a name one of its own, which no other run can have."""
    return claim._replace(run=f"{UNKNOWN}\0{claim.reservation_id or claim.intent_id}")


def _of_intent(intent: Intent, exists: Callable[[str], bool]) -> Iterator[ClaimedAddress]:
    for text in intent.addresses:
        path = text.partition(addresses.SEPARATOR)[0]
        glob = addresses.is_wild(path) and not exists(path)
        claim = ClaimedAddress(
            addresses.stored(text, glob).key, text, glob, intent.run_id, intent.run_id, intent.branch,
            intent.operation, False, intent.expires_us, intent.reservation_id, intent.id,
        )  # fmt: skip
        yield _stranger(claim) if intent.run_id == UNKNOWN else claim
