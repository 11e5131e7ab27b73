"""Whose schema a book is in: nobody's code runs as somebody else, and roles with few rights are told what they lack."""

import secrets

import psycopg
import pytest

from bespeak.base.errors import BusyError, NotAllowedError, UsageError
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.schema import LEDGER
from bespeak.storage import open_engine
from bespeak.storage.migrations import Component
from support import pgserver
from support.storage_jobs import open_things, told

HOUR_US = 3600 * 1_000_000
TRAP = """
CREATE TABLE {s}.traces (who TEXT);
GRANT ALL ON {s}.traces TO PUBLIC;
CREATE FUNCTION {s}.trap() RETURNS TEXT LANGUAGE sql VOLATILE
    AS $$ INSERT INTO {s}.traces VALUES (current_user) RETURNING 'things' $$;
CREATE VIEW {s}.bespeak_migrations AS SELECT {s}.trap() AS component, 2 AS version;
GRANT SELECT ON {s}.bespeak_migrations TO PUBLIC;
"""


@pytest.fixture(scope="module")
def server():
    private = pgserver.Server()
    with psycopg.connect(private.url, autocommit=True) as admin:
        for role in ("alice", "bob", "mallory", "lab", "member"):
            admin.execute(f"CREATE ROLE {role} LOGIN".encode())
            admin.execute(f"GRANT CREATE ON DATABASE postgres TO {role}".encode())
        admin.execute("GRANT lab TO member")
    yield private
    private.stop()


class Place:
    """One schema, seen by several roles."""

    def __init__(self, server):
        self.schema = f"s_{secrets.token_hex(6)}"
        self._folder = server.folder

    def url(self, role, more=""):
        return f"{pgserver.url_of(self._folder, role)}&schema={self.schema}{more}"

    def run(self, role, sql):
        with psycopg.connect(pgserver.url_of(self._folder, role), autocommit=True) as connection:
            cursor = connection.execute(sql.replace("{s}", self.schema).encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def place(server):
    return Place(server)


def opened(url):
    open_things(url).close()


@pytest.mark.parametrize("victim", ["alice", "postgres"])
def test_a_schema_that_somebody_else_made_beforehand_is_not_touched(place, victim):
    place.run("mallory", "CREATE SCHEMA {s}; GRANT ALL ON SCHEMA {s} TO PUBLIC;" + TRAP)
    kind, text, code = told(opened, place.url(victim))
    assert (kind, code) == ("UnavailableError", 9)
    assert text.endswith(
        f'schema "{place.schema}" has objects of role "mallory", whose code would run as "{victim}"; '
        "if that role may decide what yours does, add owner=mallory to the URL"
    )
    assert place.run("mallory", "SELECT * FROM {s}.traces") == []


@pytest.mark.parametrize(
    "thing",
    [
        "FUNCTION {s}.lower(text) RETURNS TEXT LANGUAGE sql AS $$ SELECT '' $$",
        "TABLE {s}.more (n BIGINT)",
        "SEQUENCE {s}.numbers",
        "TYPE {s}.kind AS ENUM ('a')",
    ],
    ids=lambda thing: thing.split()[0].lower(),
)
def test_a_thing_of_somebody_else_in_the_own_schema_is_refused(place, thing):
    opened(place.url("alice"))
    place.run("alice", "GRANT USAGE, CREATE ON SCHEMA {s} TO mallory")
    place.run("mallory", f"CREATE {thing}")
    assert 'objects of role "mallory"' in told(opened, place.url("alice"))[1]
    opened(place.url("alice", "&owner=mallory"))


@pytest.mark.parametrize(
    ("owner", "user", "more"),
    [
        ("alice", "alice", ""),
        ("lab", "member", ""),
        ("postgres", "alice", ""),
        ("bob", "alice", "&owner=bob"),
        ("bob", "alice", "&owner=lab,bob"),
    ],
)
def test_a_schema_of_the_role_its_group_an_administrator_or_who_is_named_is_used(place, owner, user, more):
    place.run(owner, "CREATE SCHEMA {s}")
    place.run(owner, f"GRANT ALL ON SCHEMA {{s}} TO {user}")
    opened(place.url(user, more))


def test_the_owner_of_the_database_is_trusted(server):
    database = f"d_{secrets.token_hex(6)}"
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {database} OWNER bob".encode())
    of = {
        role: pgserver.url_of(server.folder, role).replace("/postgres?", f"/{database}?") for role in ("alice", "bob")
    }
    opened(of["bob"])
    with psycopg.connect(of["bob"], autocommit=True) as bob:
        bob.execute("GRANT USAGE ON SCHEMA bespeak TO alice; GRANT ALL ON ALL TABLES IN SCHEMA bespeak TO alice")
    opened(of["alice"])


def test_a_role_without_rights_is_told_who_can_grant_them(place):
    opened(place.url("postgres"))
    kind, text, code = told(opened, place.url("alice"))
    assert (kind, code) == ("UnavailableError", 9)
    assert text.endswith(
        f'role "alice" has no right to use schema "{place.schema}"; "postgres", who owns it, can grant it'
    )
    place.run("postgres", "GRANT USAGE ON SCHEMA {s} TO alice")
    assert told(opened, place.url("alice"))[1].endswith(
        'permission denied for table bespeak_migrations for role "alice"; "postgres", who owns the schema, can grant it'
    )


def test_a_role_that_may_not_make_tables_is_told_who_can(place):
    opened(place.url("postgres"))
    place.run("postgres", "GRANT USAGE ON SCHEMA {s} TO alice; GRANT SELECT ON ALL TABLES IN SCHEMA {s} TO alice")
    text = told(lambda: open_ledger(place.url("alice")).close())[1]
    assert text.endswith('role "alice" may not make them; let "postgres", who owns the schema, use the book once')


def test_a_role_that_may_only_read_can_look(place):
    with open_ledger(place.url("postgres")) as book:
        book.reserve(Request(("rack1",), Holder("ann"), duration_us=HOUR_US))
    place.run("postgres", "GRANT USAGE ON SCHEMA {s} TO alice; GRANT SELECT ON ALL TABLES IN SCHEMA {s} TO alice")
    with open_ledger(place.url("alice")) as book:
        assert [held.holder for held in book.who("rack1")] == ["ann"]
        assert len(book.reservations()) == len(book.log()) == 1
        kind, text, code = told(book.reserve, Request(("rack2",), Holder("alice"), duration_us=HOUR_US))
        assert (kind, code) == ("UnavailableError", 9)
        assert text.endswith('for role "alice"; "postgres", who owns the schema, can grant it')
        assert "\n" not in text


def test_a_granted_role_can_use_the_book_and_no_more(place, cli):
    open_ledger(place.url("alice")).close()
    told = cli("--ledger", place.url("alice"), "ledger", "grant", "bob")
    assert (told.returncode, told.stdout.splitlines()[-1]) == (0, "granted to bob"), told.stderr
    with open_ledger(place.url("bob", "&owner=alice")) as book:
        bob = Holder("bob")
        made = book.reserve(Request(("rack1",), bob, duration_us=HOUR_US))
        book.resource_set("rack2", bob, capacity=2)
        book.resource_remove("rack2", bob)
        book.release(made.id, bob)
    for sql in (
        "DELETE FROM {s}.ledger_log",
        "UPDATE {s}.ledger_log SET who = 'x'",
        "DELETE FROM {s}.ledger_reservations",
        "DELETE FROM {s}.bespeak_migrations",
        "CREATE TABLE {s}.x (n BIGINT)",
        "TRUNCATE {s}.ledger_bookings",
        "DELETE FROM {s}.ledger_policy",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            place.run("bob", sql)


def test_a_role_that_was_granted_only_reading_looks_and_writes_nothing(place, cli):
    with open_ledger(place.url("alice")) as book:
        book.reserve(Request(("rack1",), Holder("alice"), duration_us=HOUR_US))
    assert cli("--ledger", place.url("alice"), "ledger", "grant", "bob", "--read-only").returncode == 0
    url = place.url("bob", "&owner=alice")
    looked = cli("--ledger", url, "list")
    assert (looked.returncode, "alice" in looked.stdout) == (0, True), looked.stderr
    refused = cli("--ledger", url, "reserve", "rack2")
    assert (refused.returncode, refused.stderr.count("\n")) == (9, 1)
    assert '"alice", who owns the schema, can grant it' in refused.stderr


def test_a_role_that_used_a_book_uses_it_after_its_owner_has_upgraded_it(place):
    open_engine(place.url("alice"), [Component("ledger", LEDGER.steps[:2])]).close()
    place.run("alice", "GRANT USAGE ON SCHEMA {s} TO bob; GRANT USAGE ON ALL SEQUENCES IN SCHEMA {s} TO bob")
    place.run("alice", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {s} TO bob")
    open_ledger(place.url("alice")).close()
    with open_ledger(place.url("bob", "&owner=alice")) as book:
        assert book.reserve(Request(("rack1",), Holder("bob"), duration_us=HOUR_US)).holder == "bob"


def test_the_policy_is_changed_by_the_owner_of_the_schema_and_by_whom_it_names(place, cli):
    with open_ledger(place.url("alice")) as book:
        book.policy_set("strict", True, Holder("ann"))
    granted = cli("--ledger", place.url("alice"), "ledger", "grant", "bob")
    assert granted.returncode == 0, granted.stderr
    with open_ledger(place.url("bob", "&owner=alice")) as book:
        with pytest.raises(BusyError, match="bert may not change the policy of the book; the owner of the schema may"):
            book.policy_set("strict", False, Holder("bert"))
        assert book.policy().strict
    with open_ledger(place.url("alice")) as book:
        with pytest.raises(UsageError, match="ann must be among them"):
            book.policy_set("admins", ["bert"], Holder("ann"))
        book.policy_set("admins", ["ann", "bert"], Holder("ann"))
        with pytest.raises(BusyError, match="carl may not change the policy of the book; ann, bert may"):
            book.policy_set("strict", False, Holder("carl"))
    with open_ledger(place.url("bob", "&owner=alice")) as book:
        refused = told(lambda: book.policy_set("strict", False, Holder("bert")))
        assert refused[2] == 9
        assert 'for role "bob"; "alice", who owns the schema, can grant it' in refused[1]
    assert cli("--ledger", place.url("alice"), "ledger", "grant", "bob", "--policy").returncode == 0
    with open_ledger(place.url("bob", "&owner=alice")) as book:
        assert not book.policy_set("strict", False, Holder("bert")).strict


def test_rules_and_tokens_are_written_by_the_owner_of_the_schema(place, cli):
    with open_ledger(place.url("alice")) as book:
        book.rights_grant("bert", "booker", Holder("ann"))
    assert cli("--ledger", place.url("alice"), "ledger", "grant", "bob").returncode == 0
    with open_ledger(place.url("bob", "&owner=alice")) as book:
        assert book.reserve(Request(("rack1",), Holder("bert"), duration_us=1_000_000)).holder == "bert"
        with pytest.raises(NotAllowedError, match="no rule gives bert the role admin"):
            book.rights_grant("bert", "admin", Holder("bert"))
    for statement in (
        "INSERT INTO {s}.access_rules VALUES ('x', 'user:bert', 'admin', '*', 0, 'bert')",
        "UPDATE {s}.access_rules SET role = 'admin'",
        "DELETE FROM {s}.access_rules",
        "INSERT INTO {s}.access_members VALUES ('lab', 'bert')",
        "UPDATE {s}.access_tokens SET revoked_us = NULL",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            place.run("bob", statement)


def test_a_temporary_table_never_stands_in_for_one_of_the_book(place):
    def work(tx):
        tx.execute("CREATE TEMPORARY TABLE ledger_policy (name TEXT, value TEXT) ON COMMIT DROP")
        tx.execute("INSERT INTO pg_temp.ledger_policy VALUES ('strict', 'true')")
        return book.policy_in(tx).stored

    with open_ledger(place.url("alice")) as book:
        assert book.engine.transact([], work) == {}


def test_statements_are_printed_for_somebody_else_to_run(place, cli):
    open_ledger(place.url("alice")).close()
    shown = cli("--ledger", place.url("alice"), "ledger", "grant", "bob", "--print")
    assert shown.stdout.splitlines()[-1] == "-- nothing was granted"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        place.run("bob", "SELECT * FROM {s}.ledger_log")
    place.run("alice", shown.stdout)
    assert place.run("bob", "SELECT * FROM {s}.ledger_log") == []


def test_a_role_that_does_not_exist_is_named_and_a_file_has_no_roles(place, cli, tmp_path):
    open_ledger(place.url("alice")).close()
    unknown = cli("--ledger", place.url("alice"), "ledger", "grant", "bo'b\"")
    assert (unknown.returncode, "has no role" in unknown.stderr) == (4, True)
    open_ledger(str(tmp_path / "b")).close()
    assert cli("--ledger", str(tmp_path / "b"), "ledger", "grant", "bob").returncode == 2
