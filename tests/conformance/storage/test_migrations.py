"""A book's tables are made and upgraded when it is opened, by one of many processes, in whole steps."""

import pytest

from bespeak.base.errors import UnavailableError
from bespeak.storage import open_engine
from bespeak.storage.migrations import VERSIONS, Component, Migration
from support.crowd import crowd
from support.storage_jobs import THINGS, open_things


def versions(engine):
    """Return the versions of the components that the test asked for."""
    found = dict(engine.read(lambda tx: tx.fetch_all(VERSIONS)))
    found.pop("commits", None)  # what the engine for PostgreSQL keeps for itself
    return found


def test_32_processes_open_an_empty_book_at_once(book_url):
    assert crowd("open_it", 32, book_url) == [[1, 2]] * 32
    engine = open_things(book_url)
    assert versions(engine) == {"things": 2}
    engine.close()


@pytest.mark.parametrize("nth", range(1, 10))
def test_a_process_killed_while_it_makes_the_tables_leaves_an_earlier_whole(fresh_book, nth):
    url = fresh_book()
    crowd("open_and_die", 1, url, f"storage.statement:{nth}")
    assert crowd("open_it", 2, url) == [[1, 2]] * 2


@pytest.mark.parametrize("point", ["storage.before_commit", "storage.after_commit"])
def test_a_process_killed_around_the_commit_of_the_tables(book_url, point):
    assert crowd("open_and_die", 1, book_url, point) == ["signal 9"]
    assert crowd("open_it", 2, book_url) == [[1, 2]] * 2


def test_a_later_version_upgrades_and_keeps_what_is_there(book_url):
    first = Component("things", THINGS.steps[:1])
    engine = open_engine(book_url, [first])
    engine.transact([], lambda tx: tx.execute("INSERT INTO things VALUES ('a', 1)"))
    engine.close()
    engine = open_things(book_url)
    assert engine.read(lambda tx: tx.fetch_all("SELECT * FROM things")) == [("a", 1)]
    assert versions(engine) == {"things": 2}
    engine.close()


def test_a_newer_book_is_refused_and_left_alone(book_url):
    open_things(book_url).close()
    with pytest.raises(UnavailableError, match=r"its things tables are version 2, and this bespeak knows version 1"):
        open_engine(book_url, [Component("things", THINGS.steps[:1])])
    engine = open_things(book_url)
    assert versions(engine) == {"things": 2}
    engine.close()


def test_components_have_versions_of_their_own(book_url):
    other = Component("other", [Migration(1, ["CREATE TABLE other (n BIGINT)"])])
    open_things(book_url).close()
    engine = open_engine(book_url, [THINGS, other])
    assert versions(engine) == {"things": 2, "other": 1}
    engine.close()


def test_a_step_that_fails_leaves_the_version_before(book_url):
    broken = Component(
        "things", [*THINGS.steps, Migration(3, ["CREATE TABLE more (n BIGINT)", "CREATE TABLE more (n BIGINT)"])]
    )
    with pytest.raises(UnavailableError, match="already exists"):
        open_engine(book_url, [broken])
    engine = open_things(book_url)
    assert engine.read(lambda tx: tx.fetch_all("SELECT n FROM steps ORDER BY n")) == [(1,), (2,)]
    engine.close()
