"""The forecast of one repository: claims from the book, dependencies from the symbol index.

Overlaps need no symbols, so they are found in any repository. If the call graph cannot be read, the forecast is
partial and gives the reason.
"""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import Field, UnavailableError
from bespeak.coord.errors import ClaimError
from bespeak.coord.forecast.claimed import of_intent
from bespeak.coord.forecast.predict import RevisionView, predict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.forecast.model import ClaimedAddress, Forecast, Scope
    from bespeak.coord.model import Intent
    from bespeak.git.repository import Repository


class ClaimsSource(Protocol):
    """A book of claims; see :class:`bespeak.coord.claims_book.ClaimsBook`."""

    def claimed(self) -> tuple[list[ClaimedAddress], list[Intent]]:
        """Return every address of every active claim, by key, and the active intents."""


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
    """Switch the garbage collector off: there are no reference cycles, and it would scan a hundred thousand claims."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_no_collection()
def look(repository: Repository, book: ClaimsSource, scope: Scope) -> Forecast:
    """Return the forecast of a repository.

    Args:
        repository: whose files count.
        book: its claims.
        scope: what is asked for; checked.

    Raises:
        ClaimError: there is no such revision.
    """

    def exists(path: str) -> bool:
        return os.path.lexists(os.path.join(repository.root, path))

    claims, declared = book.claimed()
    claims += [claim for one in declared for claim in of_intent(one, exists)]
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
