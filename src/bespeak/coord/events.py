"""The log of changes: what ``watch`` prints, written in the transaction of each change."""

from __future__ import annotations

from bespeak.coord.model import Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.coord.model import Claim
    from bespeak.storage.interface import Transaction

RESERVED, RELEASED, EXTENDED, EXPIRED = "reserved", "released", "extended", "expired"
DEPENDS, INTENT = "depends", "intent"


def topic(repo: str) -> str:
    """Return what sleepers on a repository listen to."""
    return f"coord:{repo}"


def write(tx: Transaction, repo: str, change: str, run_id: str, about: str | None, facts: dict[str, object]) -> None:
    """Record a change, and wake who watches."""
    import json

    tx.execute_deferred(
        "INSERT INTO coord_log (repo, at_us, change, reservation, run_id, facts) "
        "VALUES (:repo, :at, :what, :id, :run, :f)",
        [{"repo": repo, "at": tx.now_us, "what": change, "id": about, "run": run_id, "f": json.dumps(facts)}],
    )
    tx.notify(topic(repo))


def since(tx: Transaction, repo: str, after: int) -> list[Change]:
    """Return the changes after one, in order."""
    import json

    found = tx.fetch_all(
        "SELECT seq, at_us, change, reservation, run_id, facts FROM coord_log "
        "WHERE repo = :repo AND seq > :after ORDER BY seq",
        {"repo": repo, "after": after},
    )
    return [
        Change(seq, at_us, change, about, run, json.loads(facts)) for seq, at_us, change, about, run, facts in found
    ]


def last(tx: Transaction, repo: str) -> int:
    """Return the number of the latest change; 0 if there is none."""
    row = tx.fetch_one("SELECT MAX(seq) FROM coord_log WHERE repo = :repo", {"repo": repo})
    return int((row and row[0]) or 0)


def facts(of: Claim) -> dict[str, object]:
    """Return what a watcher wants to know of a reservation."""
    return {"addresses": list(of.addresses), "branch": of.branch, "epoch": of.epoch, "operation": of.operation}
