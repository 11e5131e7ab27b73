"""Claims as JSON: one documented shape each."""

from __future__ import annotations

from bespeak.base.clock import iso
from bespeak.base.display import escape_unprintable
from bespeak.coord.claims import SCHEMA_VERSION, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bespeak.coord.dag import Graph
    from bespeak.coord.model import Change, Claim, Conflict, Intent


def reservation_json(of: Claim, now_us: int) -> dict[str, object]:
    """Return a reservation, with its state at ``now_us`` (µs UTC)."""
    return {
        **record(of),
        "reservation_id": of.id,
        "state": of.state(now_us),
        "released_at": iso(of.released_us),
        "last_beat_at": iso(of.beat_us),
    }


def conflict_json(of: Conflict) -> dict[str, object]:
    """Return one conflict."""
    return {
        "address": of.address,
        "held_address": of.held_address,
        "run_id": of.run_id,
        "reservation_id": of.reservation_id,
        "expires_at": iso(of.expires_us),
        "operation": of.operation,
        "relation": of.relation,
        "epoch": of.epoch,
    }


def message(of: Conflict) -> str:
    """Return one conflict in words, in two lines."""
    named = escape_unprintable(of.address)
    if of.relation != "same":
        named += f" ({_RELATIONS[of.relation]} {escape_unprintable(of.held_address)})"
    return f" ⚠️ {named}\n already reserved by run-id {of.run_id!r} (expires {plain_time(of.expires_us)})"


_RELATIONS = {"contains": "contains", "inside": "is inside", "overlaps": "overlaps"}


def plain_time(instant_us: int) -> str:
    """Return an instant as ``2026-03-18T13:00:00``, in UTC."""
    return (iso(instant_us) or "")[:19]


def intent_json(of: Intent) -> dict[str, object]:
    """Return an intent."""
    return {
        "schema_version": SCHEMA_VERSION,
        "intent_id": of.id,
        "reservation_id": of.reservation_id,
        "run_id": of.run_id,
        "branch": of.branch,
        "addresses": list(of.addresses),
        "operation": of.operation,
        "detail": of.detail,
        "created_at": iso(of.created_us),
        "expires_at": iso(of.expires_us),
    }


def change_json(of: Change) -> dict[str, object]:
    """Return a change; ``seq`` of an expiry is that of the change before it."""
    return {
        "seq": of.seq,
        "at": iso(of.at_us),
        "change": of.change,
        "reservation_id": of.reservation_id,
        **of.facts,
        "run_id": of.run_id,
    }


def graph_json(of: Graph, by_id: Mapping[str, Claim], only: Iterable[str] | None = None) -> dict[str, object]:
    """Return the graph; ``only`` leaves out nodes in other states."""
    wanted = None if only is None else set(only)
    return {
        "nodes": [
            {
                "reservation_id": node.id,
                "run_id": by_id[node.id].run_id,
                "branch": by_id[node.id].branch,
                "addresses": list(by_id[node.id].addresses),
                "state": node.state,
                "depends_on": list(node.needs),
                "blockers": list(node.blockers),
                "wave": node.wave,
            }
            for node in of.nodes
            if wanted is None or node.state in wanted
        ],
        "waves": of.waves,
        "dangling": list(of.dangling),
    }
