"""A book is somebody else's data: what is wrong in it is one line and exit code 9, and it never hangs a command."""

import os
import sqlite3

import pytest

ENDLESS = (
    "CREATE VIEW ledger_reservations AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT x.* FROM x, n"
)
DEEP = "[" * 100_000 + "]" * 100_000

SLOW = "instr(printf('%.*c', 50000000, 'a'), printf('%.*c', 25000000, 'b'))"


def rewritten(part, by):
    """Return statements that change the declaration of the table of resources."""
    part, by = (each.replace("'", "''") for each in (part, by))
    changed = f"UPDATE sqlite_schema SET sql = replace(sql, '{part}', '{by}') WHERE name = 'ledger_resources'"
    return "PRAGMA writable_schema=ON", changed


@pytest.fixture
def spoil(cli):
    assert cli("reserve", "rack1", "--for", "1h").returncode == 0

    def run(*statements):
        path = os.environ["BESPEAK_LEDGER"]
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA ignore_check_constraints=ON")
        for statement in statements:
            connection.execute(statement)
        connection.close()

    return run


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param(("ALTER TABLE ledger_reservations RENAME TO x", ENDLESS), id="an endless view"),
        pytest.param(
            ("CREATE TRIGGER t AFTER INSERT ON ledger_log BEGIN DELETE FROM ledger_reservations; END",), id="a trigger"
        ),
        pytest.param(
            ("ALTER TABLE ledger_reservations ADD COLUMN x AS (instr(printf('%.*c', 50000000, 'b'), purpose))",),
            id="a computed column",
        ),
        pytest.param(("CREATE INDEX i ON ledger_reservations (abs(rank))",), id="an index of what is computed"),
        pytest.param(
            ("DROP INDEX ledger_resources_like", f"CREATE INDEX ledger_resources_like ON ledger_resources ({SLOW})"),
            id="another index of a known name",
        ),
        pytest.param((f"CREATE INDEX i ON ledger_log (seq) WHERE seq > 3 AND {SLOW}",), id="a condition of an index"),
        pytest.param(
            ("CREATE INDEX i ON ledger_log (seq) WHERE hex(zeroblob(100000)) LIKE '%0%0%0%0%0%0%0%1'",),
            id="a pattern in the condition of an index",
        ),
        pytest.param(("CREATE INDEX i ON ledger_log (seq) WHERE 'aaa'LiKe'%a%a%b'",), id="a pattern alone"),
        pytest.param(rewritten("CHECK (capacity >= 1)", f"CHECK ({SLOW})"), id="a check"),
        pytest.param(rewritten("CHECK (capacity >= 1)", f"CHECK\t({SLOW.replace('(', '/**/(')})"), id="a hidden check"),
        pytest.param(rewritten("DEFAULT 0 CHECK", f"DEFAULT ({SLOW}) CHECK"), id="a default"),
    ],
)
def test_a_book_that_computes_is_not_read(cli, spoil, statements):
    spoil(*statements)
    for words in (["list"], ["reserve", "rack2"], ["who", "rack1"]):
        done = cli(*words)
        assert done.returncode == 9
        assert "computed columns or computed conditions, and bespeak makes none" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("statement", "words", "said"),
    [
        ("UPDATE ledger_reservations SET starts_us = 'soon'", ["list"], "column starts_us holds a str"),
        ("UPDATE ledger_reservations SET priority = 0.5", ["who", "rack1"], "column priority holds a float"),
        ("UPDATE ledger_reservations SET resources = '{'", ["list"], "row of the reservations '1'"),
        ("UPDATE ledger_reservations SET mode = 'both'", ["list"], "'both' is not a valid Mode"),
        ("UPDATE ledger_reservations SET id = 'a' || char(27) || '[31m'", ["list"], "the id has characters"),
        ("UPDATE ledger_resources SET capacity = 'many'", ["reserve", "rack1"], "column capacity holds a str"),
        (f"UPDATE ledger_reservations SET resources = '{DEEP}'", ["list"], "row of the reservations '1'"),
        (f"UPDATE ledger_log SET after = '{DEEP}'", ["log"], "row of the log '1'"),
        (f"UPDATE ledger_reservations SET resources = '{DEEP}'", ["who", "rack1"], "damaged"),
        (
            f"UPDATE ledger_resources SET declared = 1, labels = '{DEEP}'",
            ["reserve", "--any", "1", "--label", "a=b"],
            "damaged",
        ),
        ("UPDATE ledger_log SET after = '{'", ["log"], "row of the log '1'"),
        ("UPDATE ledger_log SET action = 'burnt'", ["log"], "'burnt' is not a valid Action"),
        ("UPDATE ledger_log SET before = 1e308", ["log"], "what changed is no object"),
        ("UPDATE ledger_reservations SET starts_us = -9223372036854775808", ["list"], "an instant or a length is none"),
        ("UPDATE bespeak_clock SET mark_us = '[['", ["who", "rack1"], "its clock holds a str"),
        ("UPDATE ledger_counter SET last = 1e308", ["reserve", "rack9"], "its counter of grants is no number"),
    ],
)
def test_a_row_that_cannot_be_is_named(cli, spoil, statement, words, said):
    spoil(statement)
    done = cli(*words)
    assert done.returncode == 9
    assert "the book is damaged" in done.stderr
    assert said in done.stderr
    assert "\x1b" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a a", "one name with a blank"),
        ("rack1,rack2", "one name with a comma; for several: rack1 rack2"),
        ("2h", "a duration; say how long with --for 2h"),
        ("board*", "make no pattern here"),
        ("r\u0430ck1", "mixes letters of Cyrillic and Latin that look alike"),
        ("cafe\u0301", "which is composed (NFC); type that"),
        ("rack\u00a01", "has a character that does not print"),
    ],
)
def test_a_name_that_is_not_what_it_looks_like_makes_no_resource(cli, name, said):
    done = cli("reserve", name)
    assert done.returncode == 2
    assert said in done.stderr
    assert "rack" not in cli("resource", "list").stdout


def test_a_name_with_a_blank_can_be_declared(cli):
    assert cli("resource", "add", "bench 2").returncode == 0
    assert cli("reserve", "bench 2").returncode == 0
