"""What coord answers, as JSON: the command line's ``--json`` and the tools for agents print the same keys.

The envelope (``schema_version``, ``duration_ms``, ``exit_code``) is the door's.
"""

from __future__ import annotations

from bespeak.base.clock import iso
from bespeak.coord.serialize import conflict_json, graph_json, intent_json, message, reservation_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bespeak.coord.dag import Graph
    from bespeak.coord.errors import ClaimRefusedError
    from bespeak.coord.model import Claim, Conflict, Intent, Reserved

    Json = dict[str, object]

RELEASE_CODES = {"ok": 0, "already_released": 0, "not_found": 4}
"""The exit code of each status of a release."""
BEAT_CODES = {"ok": 0, "already_released": 1, "expired": 1, "not_found": 4}
"""The exit code of each status of a heartbeat; any but 0 means stop."""
HELD_CODE = 7


def told(conflicts: Iterable[Conflict]) -> Json:
    """Return conflicts: in words, and in detail."""
    found = list(conflicts)
    return {
        "conflicts": [message(conflict) for conflict in found],
        "conflict_details": [conflict_json(conflict) for conflict in found],
    }


def reserved(made: Reserved) -> Json:
    """Return a reservation that was made."""
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
        **told(made.conflicts),
        "depends_on": list(made.depends_on),
        "dependency_error": made.dependency_error,
        "repeated": made.repeated,
    }


def refused(error: ClaimRefusedError) -> Json:
    """Return why no reservation was made."""
    facts: Json = {"reservation_id": None, "run_id": error.run_id, "addresses": list(error.addresses)}
    return facts | told(error.conflicts)


def checked(run_id: str, addresses: Iterable[str], conflicts: Sequence[Conflict]) -> Json:
    """Return who holds what overlaps some addresses."""
    return {"free": not conflicts, "run_id": run_id, "addresses": list(addresses), **told(conflicts)}


def released(status: str, asked: str, found: Claim | None) -> Json:
    """Return what became of a release.

    Args:
        status: as :meth:`bespeak.coord.service.Coord.release` returns it.
        asked: the id, as it was given.
        found: the reservation.
    """
    return {
        "status": status,
        "reservation_id": asked if found is None else found.id,
        "run_id": None if found is None else found.run_id,
        "released_at": None if found is None else iso(found.released_us),
    }


def released_all(found: Iterable[Claim]) -> Json:
    """Return what a run has given back at once."""
    ids = [held.id for held in found]
    return {"status": "ok", "released": ids, "count": len(ids)}


def beaten(status: str, asked: str, found: Claim | None, extension_seconds: int) -> Json:
    """Return what became of a heartbeat that asked for ``extension_seconds``."""
    renewed = status == "ok" and found is not None
    return {
        "status": status,
        "reservation_id": asked if found is None else found.id,
        "run_id": None if found is None else found.run_id,
        "last_beat_at": None if found is None else iso(found.beat_us),
        "extended_expires_at": None if found is None else iso(found.expires_us),
        "ttl_extended_seconds": extension_seconds if renewed else 0,
    }


def depends(held: Claim, on: Iterable[str]) -> Json:
    """Return what a reservation was made to wait for."""
    return {"reservation_id": held.id, "depends_on": list(dict.fromkeys(on))}


def listed(reservations: Sequence[Claim], intents: Iterable[Intent], now_us: int) -> Json:
    """Return what is claimed and intended at ``now_us`` (µs UTC)."""
    return {
        "count": len(reservations),
        "reservations": [reservation_json(held, now_us) for held in reservations],
        "intents": [intent_json(one) for one in intents],
    }


def ordered(graph: Graph, by_id: Mapping[str, Claim], *, ready: bool) -> Json:
    """Return the graph of dependencies; with ``ready`` only what waits for nothing."""
    from bespeak.coord.dag import READY

    return graph_json(graph, by_id, (READY,) if ready else None)
