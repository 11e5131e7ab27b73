"""Many listeners of one server on a PostgreSQL book: each hears what concerns it, and all share one connection."""

from __future__ import annotations

import resource
from contextlib import ExitStack

import httpx
import pytest

from bespeak.base.clock import HOUR_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.storage.postgres.shared_listening import SharedListening
from support.server import SECONDS, serving

LISTENERS = 200
MOST_CONNECTIONS = 4
"""One for the streams of events, one for notices, one for all wake-ups; and one to spare."""
CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'bespeak-listen' AND pid IN
    (SELECT pid FROM pg_stat_activity WHERE query LIKE :query)"""


@pytest.fixture(autouse=True)
def one_query_for_each_connection(monkeypatch):
    """Have listeners ask nothing but LISTEN, so that the list of connections shows which they are."""
    monkeypatch.setattr("bespeak.storage.postgres.listener._CHECK_SECONDS", 3600.0)


@pytest.fixture
def descriptors():
    """Room for both sides in one process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY and hard < 8192 else 8192, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_200_listeners_hear_an_event_over_a_few_connections(postgres_url, descriptors):
    with serving(postgres_url) as server, open_ledger(postgres_url) as book, ExitStack() as stack:
        limits = httpx.Limits(max_connections=None)
        headers = {"Authorization": "Bearer alice"}
        client = stack.enter_context(httpx.Client(base_url=server.url, headers=headers, timeout=SECONDS, limits=limits))
        path = "/api/v1/wakeups?topic=resource:rack1"
        opened = [stack.enter_context(client.stream("GET", path)) for _ in range(LISTENERS)]
        heard = [one.iter_lines() for one in opened]
        assert {next(lines) for lines in heard} == {"alive"}
        listening = {"query": f'LISTEN "{book.engine.channel}"%'}
        count = book.engine.read(lambda tx: tx.fetch_one(CONNECTIONS, listening))
        assert 1 <= count[0] <= MOST_CONNECTIONS
        book.reserve(Request(("rack1",), Holder("bob"), duration_us=HOUR_US))
        assert all("wake" in lines for lines in heard)


@pytest.fixture
def shared(postgres_url):
    """A book, and a shared connection that listens to it."""
    with open_ledger(postgres_url) as book:
        made = SharedListening(lambda: book.engine.listen(["*"]))
        yield book, made
        made.close()


def commit(book, topic):
    book.engine.transact([topic], lambda tx: tx.notify(topic))


def test_a_sleeper_is_woken_for_its_own_topics_alone(shared):
    book, listening = shared
    one, other, every = (listening.listen(topics) for topics in (["a"], ["b", "c"], ["*"]))
    commit(book, "a")
    assert (one.wait(SECONDS), every.wait(SECONDS)) == (True, True)
    commit(book, "c")
    assert (other.wait(SECONDS), every.wait(SECONDS)) == (True, True)
    assert (one.wait(0), other.wait(0)) == (False, False)
    one.close()
    one.close()
    commit(book, "a")
    assert every.wait(SECONDS)
    with pytest.raises(ValueError, match="closed"):
        one.wait(0)
    for each in (other, every):
        each.close()


def test_a_connection_that_is_lost_is_made_anew_and_wakes_everybody(shared):
    book, listening = shared
    sleeper = listening.listen(["a"])
    gone = {"query": f'LISTEN "{book.engine.channel}"%'}
    sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE :query"
    assert book.engine.read(lambda tx: tx.fetch_one(sql, gone)) == (True,)
    assert sleeper.wait(SECONDS)
    commit(book, "a")
    assert sleeper.wait(SECONDS)
    sleeper.close()
