"""Claims on both engines: time, many at once, what a lookup costs, what a watcher is told."""

import itertools
import threading

import pytest

from bespeak.coord import dependencies
from bespeak.coord.conflicts import Question
from bespeak.coord.errors import ClaimError
from bespeak.coord.service import Coord
from bespeak.storage import open_engine
from support.engines import on_databases


def names(found):
    return [conflict.run_id for conflict in found]


def test_a_claim_expires_by_itself_at_its_instant(coord, clock):
    coord.reserve(["src/a.py"], run_id="a", ttl_seconds=10)
    clock.now_us += 10_000_000 - 1
    assert names(coord.check(["src/a.py"], run_id="b")) == ["a"]
    clock.now_us += 1
    assert coord.check(["src/a.py"], run_id="b") == []
    assert coord.reservations() == []
    assert coord.reservations(over=True)[0].state(clock.now_us) == "expired"


def test_a_heartbeat_never_brings_the_end_nearer(coord, clock):
    held = coord.reserve(["src/a.py"], run_id="a", ttl_seconds=1000).reservation
    status, beat = coord.heartbeat(held.id, run_id="a", extension_seconds=10)
    assert (status, beat.expires_us) == ("ok", held.expires_us)
    clock.forward(995)
    status, beat = coord.heartbeat(held.id, run_id="a", extension_seconds=10)
    assert beat.expires_us == clock.now_us + 10_000_000
    clock.forward(9)
    assert names(coord.check(["src/a.py"], run_id="b")) == ["a"]
    clock.forward(1)
    assert coord.heartbeat(held.id, run_id="a")[0] == "expired"
    assert coord.release(held.id, run_id="a")[0] == "already_released"


def test_a_run_never_conflicts_with_itself_but_nobody_is_one_with_the_unknown(coord):
    for run_id in ("a", "unknown"):
        coord.reserve(["src/a.py"], run_id=run_id)
    assert names(coord.reserve(["src/a.py"], run_id="a").conflicts) == ["unknown"]
    assert names(coord.reserve(["src/b.py"], run_id="unknown").conflicts) == []
    assert names(coord.reserve(["src/b.py"], run_id="unknown").conflicts) == ["unknown"]


def test_a_request_that_is_repeated_does_not_meet_itself(coord):
    for run_id in ("a", "unknown"):
        first = coord.reserve(["src/b.py"], run_id=run_id, key="once")
        again = coord.reserve(["src/b.py"], run_id=run_id, key="once")
        assert (again.repeated, again.reservation.id) == (True, first.reservation.id)
        assert again.conflicts == first.conflicts


@pytest.mark.parametrize("wrong", [{"run_id": "a\0b"}, {"key": "a\0b"}, {"run_id": "\ud800"}])
def test_what_not_every_book_can_hold_is_refused_by_all(coord, wrong):
    with pytest.raises(ClaimError, match=r"has a NUL character in it|is not UTF-8"):
        coord.reserve(["src/a.py"], **({"run_id": "a"} | wrong))
    assert coord.reservations() == []


@on_databases
def test_looking_for_a_circle_asks_about_each_reservation_once(coord, monkeypatch):
    """Twelve waves of two that each need both before them: 4096 ways, 25 reservations."""
    asked = []
    real = dependencies.of
    monkeypatch.setattr(dependencies, "of", lambda tx, repo, ids: asked.extend(ids) or real(tx, repo, ids))
    above = ()
    for _ in range(12):
        above = [coord.reserve(["x"], run_id="a", depends_on=above).reservation.id for _ in range(2)]
    asked.clear()
    coord.reserve(["x"], run_id="a", depends_on=above)
    assert sorted(asked) == sorted(set(asked))
    assert len(asked) == 24


def test_conflicts_come_in_the_order_of_addresses_then_of_age(coord):
    coord.reserve(["src/b.py", "src/a.py"], run_id="b")
    coord.reserve(["src/"], run_id="a")
    found = coord.check(["src/a.py", "src/b.py"], run_id="c")
    assert [(one.address, one.run_id) for one in found] == [
        ("src/a.py", "b"), ("src/a.py", "a"), ("src/b.py", "b"), ("src/b.py", "a"),
    ]  # fmt: skip


def test_epochs_grow_and_are_never_used_again(coord, clock):
    first = coord.reserve(["a"], run_id="a").reservation
    coord.release(first.id, run_id="a")
    clock.forward(1)
    coord.collect(0)
    assert coord.reserve(["a"], run_id="a").reservation.epoch == first.epoch + 1


@on_databases
def test_expired_claims_leave_the_index_and_released_ones_at_once(coord, clock):
    def rows():
        return coord.engine.read(lambda tx: tx.fetch_one("SELECT COUNT(*) FROM coord_claims")[0])

    for number in range(50):
        coord.reserve([f"f{number}", f"g{number}"], run_id="a", ttl_seconds=5)
    kept = coord.reserve(["keep"], run_id="a").reservation
    assert rows() == 101
    clock.forward(5)
    coord.reserve(["new"], run_id="a")
    assert rows() == 2
    coord.release(kept.id, run_id="a")
    assert rows() == 1


@on_databases
def test_two_repositories_in_one_book_never_meet(coord, repo):
    other = Coord(coord.repository, coord.engine, "example.org/other")
    held = coord.reserve(["src/a.py"], run_id="a").reservation
    assert other.check(["src/a.py"], run_id="b") == []
    assert other.reserve(["src/a.py"], run_id="b").conflicts == ()
    assert other.release(held.id, run_id="a")[0] == "not_found"
    with pytest.raises(ClaimError, match="no reservation"):
        other.reserve(["x"], run_id="b", depends_on=[held.id])


def test_intents_end_at_their_own_time(coord, clock):
    coord.intend(["src/a.py"], "split", run_id="a", ttl_seconds=10)
    coord.intend(["src/a.py"], "split", run_id="a", ttl_seconds=10)
    clock.forward(9)
    assert len(coord.intents()) == 1
    clock.forward(1)
    assert coord.intents() == []
    assert coord.collect(0)["intents"] == 1


def test_a_long_circle_is_found(coord):
    ids = [coord.reserve([f"f{number}"], run_id=str(number)).reservation.id for number in range(30)]
    for earlier, later in itertools.pairwise(ids):
        coord.depend(later, [earlier])
    with pytest.raises(ClaimError, match="cycle") as caught:
        coord.depend(ids[0], [ids[-1]])
    assert str(caught.value).count("sha256:") == 31
    graph, _ = coord.order()
    assert [len(wave) for wave in graph.waves] == [1] * 30


def test_many_addresses_are_looked_up_together(coord):
    coord.reserve([f"d{number}/" for number in range(0, 1000, 2)], run_id="a")
    found = coord.reserve([f"d{number}/f.py::C.m" for number in range(1000)], run_id="b").conflicts
    assert [one.address for one in found] == [f"d{number}/f.py::C.m" for number in range(0, 1000, 2)]
    assert {one.relation for one in found} == {"inside"}


def test_patterns_meet_patterns_files_and_folders(coord):
    coord.reserve(["src/**/*.py"], run_id="p")
    coord.reserve(["docs/[a-m]*.md"], run_id="q")
    assert names(coord.check(["src/sub/new.py::f"], run_id="b")) == ["p"]
    assert names(coord.check(["**/test_*.py"], run_id="b")) == ["p"]
    assert names(coord.check(["docs/"], run_id="b")) == ["q"]
    assert names(coord.check(["docs/[n-z]*.md", "docs/x.md", "src/a.js", "lib/*.py"], run_id="b")) == []
    assert names(coord.check(["./"], run_id="b")) == ["p", "q"]
    assert names(coord.check(["d*/*"], run_id="b")) == ["q"]


def plans(coord, wanted):
    """Return how the database goes about each statement of a lookup."""
    explain = "EXPLAIN QUERY PLAN " if coord.engine.dialect == "sqlite" else "EXPLAIN "

    def ask(tx):
        found = []
        for sql, params in Question(tx, coord.repo, "me", wanted).queries:
            if params:
                found.append("\n".join(str(row[-1]) for row in tx.fetch_all(explain + sql, params)))
            else:
                tx.fetch_all(sql)
        return found

    return coord.engine.read(ask)


@on_databases
def test_a_lookup_reads_indexes_only(coord):
    """Whatever is active: no statement of a lookup scans a table."""

    def fill(tx):
        reservations, claims = [], []
        for epoch in range(2, 5002):
            base = {"repo": coord.repo, "epoch": epoch}
            reservations.append(base | {"id": f"sha256:{epoch:064x}", "run": f"r{epoch}", "now": tx.now_us})
            claims.append(
                base | {"key": f"pkg{epoch % 97}/m{epoch}.py/::/f", "address": f"pkg{epoch % 97}/m{epoch}.py::f"}
            )
        tx.execute_many(
            "INSERT INTO coord_reservations (repo, epoch, id, run_id, branch, addresses, shared, created_us, "
            "expires_us, beat_us, live) VALUES (:repo, :epoch, :id, :run, 'main', '[]', 0, :now, :now + 9000000000, :now, 1)",
            reservations,
        )
        tx.execute_many(
            "INSERT INTO coord_claims (repo, key, epoch, part, address, glob) VALUES (:repo, :key, :epoch, 0, :address, 0)",
            claims,
        )

    coord.reserve(["x"], run_id="x")
    coord.engine.transact(["fill"], fill)
    if coord.engine.dialect == "postgresql":
        coord.engine.transact(
            ["fill"], lambda tx: (tx.execute("ANALYZE coord_claims"), tx.execute("ANALYZE coord_reservations"))
        )
    wanted = coord.locate(["pkg3/m100.py::f", "pkg5/m102.py"])
    found = [plan for chunk in (wanted, wanted[:1], coord.locate(["pkg7/m*.py"])) for plan in plans(coord, chunk)]
    assert len(found) == 2 + 1 + 1
    for plan in found:
        assert "Seq Scan" not in plan
        assert "SCAN c" not in plan
        assert "SCAN r" not in plan
    assert names(coord.check(["pkg3/m100.py"], run_id="me")) == ["r100"]


@on_databases
def test_a_watcher_is_told_of_each_change_and_of_expiries(coord, book_url, repo):
    live = Coord(coord.repository, open_engine(book_url, []), coord.repo)  # the real clock, for real expiry
    seen = []
    ready = threading.Event()

    def follow():
        listener_ready = iter(live.watch(after_seq=0))
        ready.set()
        for change in listener_ready:
            seen.append(change)
            if len(seen) == 5:
                break

    thread = threading.Thread(target=follow)
    thread.start()
    ready.wait()
    maker = Coord(coord.repository, open_engine(book_url, []), coord.repo)
    held = maker.reserve(["src/a.py"], run_id="a").reservation
    maker.heartbeat(held.id, run_id="a", extension_seconds=9000)
    maker.release(held.id, run_id="a")
    maker.reserve(["src/b.py"], run_id="b", ttl_seconds=1)
    thread.join(30)
    assert [(change.change, change.run_id) for change in seen] == [
        ("reserved", "a"), ("extended", "a"), ("released", "a"), ("reserved", "b"), ("expired", "b"),
    ]  # fmt: skip
    for service in (maker, live):
        service.close()
