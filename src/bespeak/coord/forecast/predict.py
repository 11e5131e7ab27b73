"""Making a forecast: from claims, and from the symbols of a revision if they can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.coord.forecast.address_groups import Holders, gather
from bespeak.coord.forecast.address_lookup import AddressLookup
from bespeak.coord.forecast.impact import Impact
from bespeak.coord.forecast.model import CONFIDENCE, Forecast, ForecastKind
from bespeak.coord.forecast.overlaps import Budget, Overlaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.coord.forecast.address_groups import Group
    from bespeak.coord.forecast.address_lookup import Files
    from bespeak.coord.forecast.impact import Callees
    from bespeak.coord.forecast.model import ClaimedAddress, Predicted, Scope
    from bespeak_symbols.model import Unread

_TOO_MANY_PATTERNS = "there are too many overlapping addresses to compare all patterns: some overlaps are missing"
_TOO_MANY_FILES = "there are too many patterns to look at every file that they match: some callers are missing"
_MOST_NEAREST = 3
_BOUNDED = "there are too many claims to follow each to every caller: only the surest ways were followed"


class RevisionView:
    """What can be seen of a revision: its files, and its call graph.

    Args:
        files: the files; None if there is nothing to see.
        graph: who calls whom.
        commit: the commit; None for the work tree.
        reasons: why something cannot be seen.
    """

    __slots__ = ("commit", "files", "graph", "reasons")

    def __init__(
        self,
        files: Files | None = None,
        graph: Callees | None = None,
        commit: str | None = None,
        reasons: Sequence[str] = (),
    ) -> None:
        self.files, self.graph = files, graph
        self.commit = commit
        self.reasons = tuple(reasons)


def predict(claims: Sequence[ClaimedAddress], scope: Scope, view: RevisionView) -> Forecast:
    """Return the forecast.

    Args:
        claims: of active reservations and intents, older ones first.
        scope: what is asked for.
        view: the revision whose symbols count.
    """
    asked = None if scope.everything else scope.asks_for
    groups = gather(claims, asked)
    budget = Budget()
    overlaps = Overlaps(groups, budget)
    counts = {
        ForecastKind.OVERLAP: len(overlaps.held),
        ForecastKind.OPERATION: len(overlaps.operations),
        ForecastKind.BLAST: 0,
    }
    shown = list(overlaps.shown(scope.limit))
    reasons = [*view.reasons, *([_TOO_MANY_PATTERNS] if budget.over else ())]
    unknown: list[str] = []
    if view.files is not None and view.graph is not None:
        impact = _impact(groups, scope, view.files, view.graph, reasons, unknown)
        counts[ForecastKind.BLAST] = impact.count
        shown += impact.shown(scope.limit)
    return _forecast(scope, claims, shown, counts, view, reasons, unknown)


def _impact(
    groups: Sequence[Group], scope: Scope, files: Files, graph: Callees, reasons: list[str], unknown: list[str]
) -> Impact:
    lookup = AddressLookup(files)
    lookup.add(groups)
    unknown += lookup.unknown
    holders = Holders(groups)
    impact = Impact(sorted(lookup.nodes), holders, graph, scope.depth, scope.min_confidence)
    if lookup.missing:
        reasons.append(f"{len(lookup.missing)} claimed address(es) name nothing at this revision{_nearest(lookup)}")
    if lookup.other_languages:
        reasons.append(f"{len(lookup.other_languages)} claimed file(s) are in a language that is not read")
    if lookup.by_name:
        reasons.append(f"{len(lookup.by_name)} claimed file(s) are in a language that is read by name only")
    if lookup.over or holders.over:
        reasons.append(_TOO_MANY_FILES)
    if impact.bounded:
        reasons.append(_BOUNDED)
    return impact


def _nearest(lookup: AddressLookup) -> str:
    """Return, for the first few addresses that name nothing, what is called most like them."""
    found = [(address.text, lookup.nearest(address)) for address in lookup.missing[:_MOST_NEAREST]]
    return "".join(f"; the nearest to {text} is {near}" for text, near in found if near)


def _forecast(
    scope: Scope,
    claims: Sequence[ClaimedAddress],
    shown: Sequence[Predicted],
    counts: dict[ForecastKind, int],
    view: RevisionView,
    reasons: list[str],
    unknown: list[str],
) -> Forecast:
    most = scope.limit or None
    unread: tuple[Unread, ...] = () if view.graph is None else tuple(view.graph.unread)
    if unread:
        reasons.append(f"{len(unread)} part(s) of files could not be understood")
    kept = {kind: kind_confidence >= scope.min_confidence for kind, kind_confidence in CONFIDENCE.items()}
    intents = sum(claim.intent_id is not None for claim in claims)
    return Forecast(
        scope,
        tuple(one for one in shown if kept.get(one.kind, True)),
        {kind: count if kept.get(kind, True) else 0 for kind, count in counts.items()},
        len(claims) - intents,
        intents,
        view.commit,
        tuple(reasons),
        unread[:most],
        len(unread),
        tuple(unknown[:most]),
        len(unknown),
    )
