"""A forecast of one repository: what is claimed, from the book; what depends on what, from the symbol index.

Overlaps need no symbols, so they are told in any repository. What keeps the call graph from being read makes the
forecast partial, and is said in it; it is never a reason to say nothing.
"""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import Field, UnavailableError
from bespeak.coord.errors import ClaimError
from bespeak.coord.forecast import load
from bespeak.coord.forecast.predict import Sight, predict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.forecast.model import ClaimedAddress, Forecast, Scope
    from bespeak.git.repository import Repository
    from bespeak.storage.interface import Engine

MAX_DEPTH = 20
_HEAD = "HEAD"


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
    """Keep the collector of circles away: there are none, and it would look at a hundred thousand claims in vain."""
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

    claims: list[ClaimedAddress] = engine.read(lambda tx: load.claims(tx, repo) + load.intended(tx, repo, exists))
    if not scope.depth or (not claims and scope.rev is None):
        return predict(claims, scope, Sight())
    try:
        from bespeak.coord.symbol_index import open_index
        from bespeak_symbols.call_graph import CallGraph

        with open_index(repository) as index:
            snapshot = index.worktree() if scope.worktree else index.snapshot(_HEAD if scope.rev is None else scope.rev)
            commit = None if scope.worktree else snapshot.commit
            return predict(claims, scope, Sight(snapshot, CallGraph(snapshot), commit))
    except ClaimError:
        if scope.rev is not None:
            raise
        return predict(claims, scope, Sight(reasons=("the repository has no commit: callers are not known",)))
    except UnavailableError as error:
        return predict(claims, scope, Sight(reasons=(escape_unprintable(str(error)),)))
