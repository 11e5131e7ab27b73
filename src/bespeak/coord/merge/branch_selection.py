"""Which branches are to be merged, as claims tell: who works where, and who waits for whom."""

from __future__ import annotations

from bespeak.base.display import short_repr
from bespeak.base.frozen import frozen
from bespeak.coord.errors import ClaimError
from bespeak.coord.merge.model import Revision
from bespeak.git.errors import UnknownRevisionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bespeak.coord.dependencies import DependencyGraph
    from bespeak.coord.model import Claim
    from bespeak.git.process import Git

_REMOTE = "refs/remotes/"
_USUAL = ("main", "master")


@frozen
class Wanted:
    """What is to be ordered.

    Args:
        needs: for each branch those that its reservations depend on.
        claims: for each branch the ids of its active reservations.
        optional: branches that may be missing: they come from claims, not from the caller.
    """

    names: tuple[str, ...]
    needs: Mapping[str, tuple[str, ...]]
    claims: Mapping[str, tuple[str, ...]]
    optional: bool


def wanted(graph: DependencyGraph, by_id: Mapping[str, Claim], branches: Sequence[str]) -> Wanted:
    """Return what is to be ordered.

    Args:
        graph: of active reservations and what they depend on.
        by_id: the reservations of it.
        branches: those that were named; none for all on which something is claimed.
    """
    needs: dict[str, set[str]] = {}
    claims: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.wave is None:
            continue
        branch = by_id[node.id].branch
        claims.setdefault(branch, []).append(node.id)
        others = {by_id[blocker].branch for blocker in node.blockers}
        needs.setdefault(branch, set()).update(others - {branch})
    return Wanted(
        tuple(branches) or tuple(sorted(claims)),
        {branch: tuple(sorted(found)) for branch, found in needs.items()},
        {branch: tuple(sorted(found)) for branch, found in claims.items()},
        optional=not branches,
    )


def named(git: Git, name: str) -> Revision:
    """Return the commit that a revision names.

    Raises:
        ClaimError: there is none.
    """
    try:
        return Revision(name, git.commit_of(name))
    except UnknownRevisionError as unknown:
        said = f" ({unknown.reason})" if unknown.reason else ""
        raise ClaimError(f"Unknown revision: {short_repr(name)} names no commit here{said}") from None


def default_target(git: Git) -> str:
    """Return the branch that others are merged into: that of the origin, else ``main`` or ``master``, else ``HEAD``."""
    origin = git.try_("symbolic-ref", "--quiet", _REMOTE + "origin/HEAD").stdout.decode("utf-8", "replace").strip()
    short = origin.removeprefix(_REMOTE + "origin/")
    for name in (*([short] if origin else []), *_USUAL):
        if not git.try_("rev-parse", "--verify", "--quiet", f"refs/heads/{name}").returncode:
            return name
    return origin.removeprefix(_REMOTE) or "HEAD"
