"""Claims as JSON: one documented shape each, for the command line's ``--json`` and for the tools of agents.

The envelope (``schema_version``, ``duration_ms``, ``exit_code``) is added by the caller.
"""

from __future__ import annotations

from bespeak.base.clock import iso
from bespeak.base.display import escape_unprintable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bespeak.coord.dependencies import DependencyGraph
    from bespeak.coord.errors import ClaimRefusedError
    from bespeak.coord.missing_addresses import MissingAddress
    from bespeak.coord.model import Claim, Conflict, Event, Intent, Reserved
    from bespeak.coord.states import HeartbeatStatus, ReleaseStatus

    Json = dict[str, object]

SCHEMA_VERSION = "1"
_ID_PREFIX = "sha256:"
HELD_CODE = 7


def record(made: Claim) -> dict[str, object]:
    """Return the record that a reservation's id is the hash of."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": made.run_id,
        "branch": made.branch,
        "addresses": list(made.addresses),
        "created_at": iso(made.created_us),
        "expires_at": iso(made.expires_us),
        "operation": made.operation,
        "shared": made.shared,
        "epoch": made.epoch,
    }


def content_id(facts: dict[str, object]) -> str:
    """Return ``sha256:`` and 64 hex digits of the canonical JSON: keys sorted, no spaces, UTF-8."""
    import hashlib
    import json

    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _ID_PREFIX + hashlib.sha256(canonical.encode()).hexdigest()


def claim_json(of: Claim, now_us: int) -> dict[str, object]:
    """Return a reservation, with its state at ``now_us`` (µs UTC)."""
    return {
        **record(of),
        "reservation_id": of.id,
        "state": of.state(now_us).value,
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


def message(of: Conflict, time: Callable[[int], str] | None = None) -> str:
    """Return one conflict in words, in two lines.

    Args:
        of: the conflict.
        time: returns an instant (µs UTC) in words; by default :func:`plain_time`.
    """
    named = escape_unprintable(of.address)
    if of.relation != "same":
        named += f" ({_RELATIONS[of.relation]} {escape_unprintable(of.held_address)})"
    return f" ⚠️ {named}\n already reserved by run-id {of.run_id!r} (expires {(time or plain_time)(of.expires_us)})"


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


def event_json(of: Event) -> dict[str, object]:
    """Return a change; ``seq`` of an expiry is that of the change before it."""
    return {
        "seq": of.seq,
        "at": iso(of.at_us),
        "change": of.change,
        "reservation_id": of.reservation_id,
        **of.facts,
        "run_id": of.run_id,
    }


def graph_json(of: DependencyGraph, by_id: Mapping[str, Claim], only: Iterable[str] | None = None) -> dict[str, object]:
    """Return the graph; ``only`` leaves out nodes in other states."""
    wanted = None if only is None else set(only)
    return {
        "nodes": [
            {
                "reservation_id": node.id,
                "run_id": by_id[node.id].run_id,
                "branch": by_id[node.id].branch,
                "addresses": list(by_id[node.id].addresses),
                "state": node.state.value,
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


def conflicts_json(conflicts: Iterable[Conflict]) -> Json:
    """Return conflicts: in words, and in detail."""
    found = list(conflicts)
    return {
        "conflicts": [message(conflict) for conflict in found],
        "conflict_details": [conflict_json(conflict) for conflict in found],
    }


def absent_json(absent: Iterable[MissingAddress]) -> Json:
    """Return which of the addresses name nothing, each with what is there of nearly that name."""
    return {"absent": {each.address: each.nearest for each in absent}}


def reserved_json(made: Reserved, absent: Iterable[MissingAddress] = ()) -> Json:
    """Return a reservation that was made, and which of its addresses name nothing."""
    held = made.reservation
    return {
        "reservation_id": held.id,
        "run_id": held.run_id,
        "branch": held.branch,
        "addresses": list(held.addresses),
        "created_at": iso(held.created_us),
        "expires_at": iso(held.expires_us),
        "operation": held.operation,
        "shared": held.shared,
        "epoch": held.epoch,
        **conflicts_json(made.conflicts),
        "depends_on": list(made.depends_on),
        "dependency_error": made.dependency_error,
        "repeated": made.repeated,
        **absent_json(absent),
    }


def refused_json(error: ClaimRefusedError) -> Json:
    """Return why no reservation was made."""
    facts: Json = {"reservation_id": None, "run_id": error.run_id, "addresses": list(error.addresses)}
    return facts | conflicts_json(error.conflicts)


def check_json(
    run_id: str, addresses: Iterable[str], conflicts: Sequence[Conflict], absent: Iterable[MissingAddress] = ()
) -> Json:
    """Return who holds what overlaps some addresses, and which of them name nothing."""
    told: Json = {"free": not conflicts, "run_id": run_id, "addresses": list(addresses)}
    return told | conflicts_json(conflicts) | absent_json(absent)


def release_json(status: ReleaseStatus, asked: str, found: Claim | None) -> Json:
    """Return what became of a release.

    Args:
        status: as :meth:`bespeak.coord.service.Coord.release` returns it.
        asked: the id, as it was given.
        found: the reservation.
    """
    return {
        "status": status.value,
        "reservation_id": asked if found is None else found.id,
        "run_id": None if found is None else found.run_id,
        "released_at": None if found is None else iso(found.released_us),
    }


def release_all_json(found: Iterable[Claim]) -> Json:
    """Return what a run has given back at once."""
    ids = [held.id for held in found]
    return {"status": "ok", "released": ids, "count": len(ids)}


def heartbeat_json(status: HeartbeatStatus, asked: str, found: Claim | None, extension_seconds: int) -> Json:
    """Return what became of a heartbeat that asked for ``extension_seconds``."""
    renewed = not status.exit_code and found is not None
    return {
        "status": status.value,
        "reservation_id": asked if found is None else found.id,
        "run_id": None if found is None else found.run_id,
        "last_beat_at": None if found is None else iso(found.beat_us),
        "extended_expires_at": None if found is None else iso(found.expires_us),
        "ttl_extended_seconds": extension_seconds if renewed else 0,
    }


def depend_json(held: Claim, on: Iterable[str]) -> Json:
    """Return what a reservation was made to wait for."""
    return {"reservation_id": held.id, "depends_on": list(dict.fromkeys(on))}


def list_json(reservations: Sequence[Claim], intents: Iterable[Intent], now_us: int) -> Json:
    """Return what is claimed and intended at ``now_us`` (µs UTC)."""
    return {
        "count": len(reservations),
        "reservations": [claim_json(held, now_us) for held in reservations],
        "intents": [intent_json(one) for one in intents],
    }


def dag_json(graph: DependencyGraph, by_id: Mapping[str, Claim], *, ready: bool) -> Json:
    """Return the graph of dependencies; with ``ready`` only what waits for nothing."""
    from bespeak.coord.dependencies import DependencyState

    return graph_json(graph, by_id, (DependencyState.READY,) if ready else None)
