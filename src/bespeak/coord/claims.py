"""Making reservations, renewing them and giving them back: each in one transaction under the repository's lock.

Addresses cannot be the locks themselves: a claim on a folder and a claim on a symbol in it overlap, but would lock
different keys. So a repository has one lock, held for well under a millisecond.
"""

from __future__ import annotations

from bespeak.base.clock import SECOND_US, iso
from bespeak.coord import conflicts, dependencies, events, queries
from bespeak.coord.errors import ClaimError, ClaimRefusedError
from bespeak.coord.model import Claim, Reserved
from bespeak.coord.serialize import content_id, record
from bespeak.coord.states import ClaimState, EventKind, HeartbeatStatus, ReleaseStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.coord.address import Address
    from bespeak.coord.model import ClaimRequest
    from bespeak.storage.interface import Params, Row, Transaction

_SWEPT_AT_ONCE = 100
_INSERT = """
INSERT INTO coord_reservations (repo, epoch, id, run_id, branch, addresses, operation, shared, created_us, expires_us,
beat_us, retry_key, live) VALUES (:repo, :epoch, :id, :run, :branch, :addresses, :operation, :shared, :now, :expires,
:now, :key, 1)"""
_CLAIM = """
INSERT INTO coord_claims (repo, key, epoch, part, address, glob)
VALUES (:repo, :key, :epoch, :part, :address, :glob)"""
_NEXT_EPOCH = """
INSERT INTO coord_repositories (repo, epoch) VALUES (:repo, 1)
ON CONFLICT (repo) DO UPDATE SET epoch = coord_repositories.epoch + 1 RETURNING epoch"""


_LEAVE_INDEX = "DELETE FROM coord_claims WHERE repo = :repo AND epoch = :epoch"


def reserve(tx: Transaction, repo: str, request: ClaimRequest, addresses: tuple[Address, ...]) -> Reserved:
    """Make a reservation, and tell what is in its way.

    Raises:
        ClaimError: a dependency does not exist, or the key was used for something else.
        ClaimRefusedError: something is in its way, and the request wants to be refused then.
    """
    dependencies.must_exist(tx, repo, request.depends_on)
    made = _repeated(tx, repo, request, addresses)
    own = 0 if made is None else made.epoch
    question = conflicts.Question(tx, repo, request.run_id, addresses, shared=request.shared, own=own)
    # On PostgreSQL a statement by itself is a round trip, so all that has to be known is asked for in one.
    asked = [*question.queries, _expired(tx, repo)]
    if made is None:
        asked.append((_NEXT_EPOCH, {"repo": repo}))
    found_rows = tx.fetch_batch(asked)
    _sweep(tx, repo, found_rows[len(question.queries)])
    found = [conflict for conflict in question.answer(found_rows) if conflict.run_id not in request.own]
    if made is not None:
        return _with_edges(tx, repo, request, Reserved(made, tuple(found), repeated=True))
    if found and request.refuse:
        raise ClaimRefusedError(found, request.run_id, tuple(address.text for address in addresses))
    ((epoch,),) = found_rows[-1]
    return _with_edges(tx, repo, request, Reserved(_insert(tx, repo, request, addresses, epoch), tuple(found)))


def _repeated(tx: Transaction, repo: str, request: ClaimRequest, addresses: tuple[Address, ...]) -> Claim | None:
    """Return the active reservation that the run made under the same key, if the request has one."""
    if request.key is None:
        return None
    sql = f"""SELECT {queries.COLUMNS} FROM coord_reservations r WHERE r.repo = :repo AND r.run_id = :run AND r.live = 1
        AND r.retry_key = :key AND r.expires_us > :now"""
    row = tx.fetch_one(sql, {"repo": repo, "run": request.run_id, "key": request.key, "now": tx.now_us})
    if row is None:
        return None
    made = queries.claim_of(row)
    same = (tuple(a.text for a in addresses), request.operation, request.shared)
    if (made.addresses, made.operation, made.shared) != same:
        raise ClaimError(
            field="key", reason="this run has an active reservation under it, of other addresses or another kind"
        )
    return made


def _insert(tx: Transaction, repo: str, request: ClaimRequest, addresses: tuple[Address, ...], epoch: int) -> Claim:
    import json

    texts = tuple(address.text for address in addresses)
    expires_us = tx.now_us + request.ttl_us
    made = Claim(
        "", epoch, request.run_id, request.branch, texts, request.operation, request.shared, tx.now_us, expires_us,
        None, tx.now_us,
    )  # fmt: skip
    identifier = content_id(record(made))
    params = {
        "repo": repo, "epoch": epoch, "id": identifier, "run": made.run_id, "branch": made.branch,
        "addresses": json.dumps(texts), "operation": made.operation, "shared": int(made.shared), "now": tx.now_us,
        "expires": expires_us, "key": request.key,
    }  # fmt: skip
    tx.execute_deferred(_INSERT, [params])
    tx.execute_deferred(
        _CLAIM,
        [
            {"repo": repo, "key": a.key, "epoch": epoch, "part": part, "address": a.text, "glob": int(a.glob)}
            for part, a in enumerate(addresses)
        ],
    )
    from bespeak.base.frozen import replace

    made = replace(made, id=identifier)
    events.write(
        tx, repo, EventKind.RESERVED, made.run_id, identifier, events.facts(made) | {"expires_at": iso(expires_us)}
    )
    return made


def _with_edges(tx: Transaction, repo: str, request: ClaimRequest, made: Reserved) -> Reserved:
    """Record the dependencies. A cycle is reported, and leaves the claim as it is."""
    if not request.depends_on:
        return made
    from bespeak.base.frozen import replace

    try:
        dependencies.add(tx, repo, made.reservation.id, request.depends_on, request.run_id)
    except dependencies.CycleError as error:
        return replace(made, dependency_error=str(error))
    return replace(made, depends_on=request.depends_on)


def _expired(tx: Transaction, repo: str) -> tuple[str, Params]:
    """Return the query for some of what has expired and is still in the index of claims."""
    # In the order of an index, or a planner that does not know the instant may look through all that is active.
    sql = f"""SELECT epoch FROM coord_reservations WHERE repo = :repo AND live = 1 AND expires_us <= :now
        ORDER BY expires_us LIMIT {_SWEPT_AT_ONCE}"""
    return sql, {"repo": repo, "now": tx.now_us}


def _sweep(tx: Transaction, repo: str, expired: Sequence[Row]) -> None:
    """Take what has expired out of the index of claims."""
    epochs = [{"repo": repo, "epoch": epoch} for (epoch,) in expired]
    tx.execute_deferred(_LEAVE_INDEX, epochs)
    tx.execute_deferred("UPDATE coord_reservations SET live = 0 WHERE repo = :repo AND epoch = :epoch", epochs)


def release(tx: Transaction, repo: str, identifier: str, run_id: str) -> tuple[ReleaseStatus, Claim | None]:
    """Give a reservation back; return what became of that, and the reservation.

    Raises:
        ClaimError: it is another run's.
    """
    found = queries.find(tx, repo, identifier)
    if found is None:
        return ReleaseStatus.NOT_FOUND, None
    if found.state(tx.now_us) != ClaimState.ACTIVE:
        return ReleaseStatus.ALREADY_RELEASED, found
    _must_be_of(found, run_id)
    return ReleaseStatus.OK, _end(tx, repo, found)


def _must_be_of(found: Claim, run_id: str) -> None:
    if found.run_id != run_id:
        raise ClaimError(
            field="run_id",
            reason=f"reservation {found.id} is of run-id {found.run_id!r}, not of {run_id!r}",
            run_id=found.run_id,
        )


def _end(tx: Transaction, repo: str, found: Claim) -> Claim:
    tx.execute_deferred(_LEAVE_INDEX, [{"repo": repo, "epoch": found.epoch}])
    tx.execute_deferred(
        "UPDATE coord_reservations SET live = 0, released_us = :now WHERE repo = :repo AND epoch = :epoch",
        [{"now": tx.now_us, "repo": repo, "epoch": found.epoch}],
    )
    events.write(tx, repo, EventKind.RELEASED, found.run_id, found.id, events.facts(found))
    from bespeak.base.frozen import replace

    return replace(found, released_us=tx.now_us)


def release_all(tx: Transaction, repo: str, run_id: str) -> list[Claim]:
    """Give back everything that a run has claimed; return it, oldest first."""
    sql = f"""SELECT {queries.COLUMNS} FROM coord_reservations r WHERE r.repo = :repo AND r.run_id = :run AND r.live = 1
        AND r.expires_us > :now ORDER BY r.epoch"""
    found = tx.fetch_all(sql, {"repo": repo, "run": run_id, "now": tx.now_us})
    return [_end(tx, repo, queries.claim_of(row)) for row in found]


def heartbeat(
    tx: Transaction, repo: str, identifier: str, run_id: str, extension_us: int
) -> tuple[HeartbeatStatus, Claim | None]:
    """Renew a reservation; return what became of that, and the reservation.

    Raises:
        ClaimError: it is another run's.
    """
    found = queries.find(tx, repo, identifier)
    if found is None:
        return HeartbeatStatus.NOT_FOUND, None
    _must_be_of(found, run_id)
    state = found.state(tx.now_us)
    if state != ClaimState.ACTIVE:
        expired = state == ClaimState.EXPIRED
        return (HeartbeatStatus.EXPIRED if expired else HeartbeatStatus.ALREADY_RELEASED), found
    expires_us = max(found.expires_us, tx.now_us + extension_us)
    tx.execute_deferred(
        "UPDATE coord_reservations SET expires_us = :expires, beat_us = :now WHERE repo = :repo AND epoch = :epoch",
        [{"expires": expires_us, "now": tx.now_us, "repo": repo, "epoch": found.epoch}],
    )
    if expires_us - found.expires_us >= SECOND_US:
        events.write(
            tx, repo, EventKind.EXTENDED, run_id, found.id, events.facts(found) | {"expires_at": iso(expires_us)}
        )
    from bespeak.base.frozen import replace

    return HeartbeatStatus.OK, replace(found, expires_us=expires_us, beat_us=tx.now_us)
