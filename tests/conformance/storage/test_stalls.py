"""A network that stalls: whoever set a limit gets an error in time, and the truth about the commit afterwards."""

import pytest

from bespeak.base.errors import OutcomeUnknownError, UnavailableError
from bespeak.storage.time_limit import left_seconds, within
from support.stalling import Stalling
from support.storage_jobs import open_things

pytestmark = pytest.mark.postgres


@pytest.fixture
def network(private_postgres):
    standing = Stalling(private_postgres.folder)
    yield standing
    standing.close()


@pytest.fixture
def things(network):
    engine = open_things(f"postgresql://postgres@127.0.0.1:{network.port}/postgres?sslmode=disable&schema=s")
    yield engine
    engine.close()


def put(engine, name):
    engine.transact(["k"], lambda tx: tx.execute("INSERT INTO things VALUES (:n, 1)", {"n": name}))


def count(engine):
    return engine.read(lambda tx: tx.fetch_one("SELECT COUNT(*) FROM things"))[0]


@pytest.mark.parametrize("fault", ["freeze", "lose"])
def test_a_read_that_is_not_answered_ends_with_one_line(network, things, fault):
    getattr(network, fault)()
    with within(1), pytest.raises(UnavailableError, match=r"no answer from the server|timeout"):
        count(things)
    network.thaw()
    assert count(things) == 0


def test_a_commit_that_is_not_answered_has_an_unknown_outcome(network, things):
    def work(tx):
        tx.execute("INSERT INTO things VALUES ('a', 1)")
        network.freeze()

    with within(1), pytest.raises(OutcomeUnknownError):
        things.transact(["k"], work)
    network.thaw()
    put(things, "b")
    assert count(things) in {1, 2}


def test_a_commit_is_asked_for_on_a_new_connection_when_the_old_one_hangs(network, things, monkeypatch):
    """What was held back is delivered, so the commit is made; the answer went to a connection that was given up."""
    from bespeak.storage.postgres import commit_status

    asked = []

    def ask(connections, marker, was_committed=commit_status.was_committed):
        network.thaw()
        asked.append(marker)
        return was_committed(connections, marker)

    monkeypatch.setattr("bespeak.storage.postgres.engine.was_committed", ask)
    monkeypatch.setattr("bespeak.storage.postgres.connection.ANSWER_SECONDS", 0.5)

    def work(tx):
        tx.execute("INSERT INTO things VALUES ('a', 1)")
        network.freeze()

    try:
        things.transact(["k"], work)
    except UnavailableError:
        made = 0
    else:
        made = 1
    assert len(asked) == 1
    assert count(things) == made


def test_a_listener_finds_out_that_nothing_can_come_any_more(network, things, private_postgres, monkeypatch):
    monkeypatch.setattr("bespeak.storage.postgres.listener._CHECK_SECONDS", 0.5)
    monkeypatch.setattr("bespeak.storage.postgres.listener._CHECK_ANSWER_SECONDS", 0.5)
    listener = things.listen(["topic"])
    assert not listener.wait(1)
    network.freeze()
    assert not listener.wait(4)
    network.thaw()
    assert listener.wait(60)
    listener.close()


def test_an_outer_limit_that_ends_earlier_counts():
    with within(5):
        with within(60):
            assert left_seconds(100) <= 5
        with within(1):
            assert left_seconds(100) <= 1
        assert 1 < left_seconds(100) <= 5
        assert left_seconds(2) == 2
    assert left_seconds(100) == 100
