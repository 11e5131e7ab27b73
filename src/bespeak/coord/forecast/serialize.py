"""A forecast as JSON (the documented shape, for the command line and for agents alike), in words, and as a diagram."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from bespeak.base.clock import iso
from bespeak.coord.diagrams import Arrow, Diagram
from bespeak.coord.forecast.model import ForecastKind

if TYPE_CHECKING:
    from bespeak.coord.forecast.model import ClaimedAddress, Forecast, Predicted
    from bespeak_symbols.model import Edge


def forecast_json(of: Forecast) -> dict[str, object]:
    """Return a forecast."""
    return {
        "commit": of.commit,
        "worktree": of.scope.worktree,
        "depth": of.scope.depth,
        "min_confidence": of.scope.min_confidence,
        "claims": of.claims,
        "intents": of.intents,
        "total": of.total,
        "counts": {kind.value: of.counts[kind] for kind in ForecastKind},
        "shown": len(of.conflicts),
        "conflicts": [conflict_json(one) for one in of.conflicts],
        "partial_forecast": of.partial,
        "partial_reasons": list(of.reasons),
        "unread": [{"path": one.path, "why": one.why, "line": one.line} for one in of.unread],
        "unread_total": of.unread_total,
        "unknown_addresses": list(of.unknown),
        "unknown_total": of.unknown_total,
    }


def conflict_json(of: Predicted) -> dict[str, object]:
    """Return one predicted conflict."""
    return {
        "kind": of.kind.value,
        "confidence": of.confidence,
        "address": of.address,
        "other_address": of.other_address,
        "relation": of.relation,
        "operations": None if of.operations is None else list(of.operations),
        "why": of.why,
        "pairs": of.pairs,
        "claims": [_claim_json(one) for one in of.claims],
        "claims_total": of.claims_total,
        "distance": len(of.chain) or None,
        "chain": [_edge_json(edge) for edge in of.chain],
        "message": message(of),
    }


def _claim_json(of: ClaimedAddress) -> dict[str, object]:
    return {
        "address": of.address,
        "run_id": of.run_id,
        "branch": of.branch,
        "operation": of.operation,
        "shared": bool(of.shared),
        "reservation_id": of.reservation_id,
        "intent_id": of.intent_id,
        "expires_at": iso(of.expires_us),
    }


def _edge_json(of: Edge) -> dict[str, object]:
    return {
        "caller": of.caller,
        "callee": of.callee,
        "kind": of.kind,
        "how": of.how,
        "confidence": of.confidence,
        "path": of.caller.partition("::")[0],
        "line": of.line,
    }


def message(of: Predicted) -> str:
    """Return one predicted conflict in one sentence; names are not made safe for a terminal."""
    one = _runs(of, of.address)
    if of.address == of.other_address:
        return f"{of.address}: {_doing(of)} by {one} ({of.why})"
    two = _runs(of, of.other_address)
    if of.kind == ForecastKind.BLAST:
        return f"{of.why}: {of.address} is claimed by {one}, {of.other_address} by {two}"
    if of.kind == ForecastKind.OPERATION and of.operations is not None:
        mine, other = (operation or "claim" for operation in of.operations)
        return f"{of.address} ({mine}, {one}) {_RELATION[of.relation]} {of.other_address} ({other}, {two}): {of.why}"
    return f"{of.address}, claimed by {one}, {_RELATION[of.relation]} {of.other_address}, claimed by {two}"


_RELATION = {"same": "is", "inside": "is inside", "overlaps": "overlaps"}
_NAMED = 3


def _doing(of: Predicted) -> str:
    if of.operations is None:
        return "claimed"
    return " and ".join(dict.fromkeys(operation or "claim" for operation in of.operations))


def _runs(of: Predicted, address: str) -> str:
    runs = list(dict.fromkeys(claim.run_id for claim in of.claims if claim.address == address))
    named = ", ".join(runs[:_NAMED])
    return named if len(runs) <= _NAMED else f"{named} and others"


def forecast_diagram(of: Forecast) -> Diagram:
    """Return the forecast as a diagram: addresses, which runs claim them, and the conflicts between them."""
    runs: dict[str, dict[str, None]] = {}
    lines: dict[tuple[str, str, str], None] = {}
    for conflict in of.conflicts:
        for claim in conflict.claims:
            runs.setdefault(claim.address, {})[claim.run_id] = None
        for start, end, label in _lines(conflict):
            runs.setdefault(start, {})
            runs.setdefault(end, {})
            lines[start, end, label] = None
    keys = {address: f"n{number}" for number, address in enumerate(runs)}
    boxes = {keys[address]: f"{address} ({_named(list(own))})" if own else address for address, own in runs.items()}
    return Diagram("forecast", boxes, tuple(Arrow(keys[start], keys[end], label) for start, end, label in lines))


def _lines(of: Predicted) -> list[tuple[str, str, str]]:
    """Return the arrows of a conflict; of a blast radius those from what is changed through every caller."""
    label = f"{of.kind} {of.confidence:.2f}"
    if of.kind == ForecastKind.OPERATION and of.operations is not None:
        label += ": " + ", ".join(operation or "claim" for operation in of.operations)
    if of.kind != ForecastKind.BLAST:
        return [(of.address, of.other_address, label)]
    stops = [of.address, *(edge.caller for edge in reversed(of.chain[1:])), of.other_address]
    return [(start, end, label if end == of.other_address else "called by") for start, end in pairwise(stops)]


def _named(runs: list[str]) -> str:
    return ", ".join(runs[:_NAMED]) + (", ..." if len(runs) > _NAMED else "")
