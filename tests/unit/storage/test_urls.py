"""Which book a URL means, and that no secret of it is ever shown."""

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.errors import UsageError
from bespeak.storage import open_engine
from bespeak.storage.postgres.url import PostgresUrl
from support.storage_jobs import told


@pytest.mark.parametrize(
    ("url", "dsn", "schema", "name"),
    [
        ("postgresql://h/db", "postgresql://h/db", "bespeak", "postgresql://h/db"),
        ("postgres://u@h:5432/db", "postgres://u@h:5432/db", "bespeak", "postgres://u@h:5432/db"),
        ("postgresql:///db?host=/tmp/x", "postgresql:///db?host=/tmp/x", "bespeak", "postgresql:///db?host=/tmp/x"),
        (
            "postgresql://u:secret@h/db?schema=lab_1&sslmode=require",
            "postgresql://u:secret@h/db?sslmode=require",
            "lab_1",
            "postgresql://u@h/db?schema=lab_1",
        ),
        (
            "postgresql://h1:1,h2:2/db?target_session_attrs=read-write&password=secret",
            "postgresql://h1:1,h2:2/db?target_session_attrs=read-write&password=secret",
            "bespeak",
            "postgresql://h1:1,h2:2/db",
        ),
        ("postgresql://u@[::1]:5432/db", "postgresql://u@[::1]:5432/db", "bespeak", "postgresql://u@[::1]:5432/db"),
        ("postgresql://", "postgresql://", "bespeak", "postgresql://"),
    ],
)
def test_a_url_is_taken_apart(url, dsn, schema, name):
    address = PostgresUrl(url)
    assert (address.dsn, address.schema, address.name) == (dsn, schema, name)


@pytest.mark.parametrize("schema", ["", "Lab", "1lab", "a-b", 'a"b', "a" * 64, "a;drop", "a b"])
def test_a_schema_that_is_no_name_is_refused(schema):
    with pytest.raises(UsageError, match="schema"):
        PostgresUrl(f"postgresql://h/db?schema={schema}")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3/cr3t@h/db",
        "postgresql://u:s3@cr3t@h/db",
        "postgresql://u:s3?cr3t@h/db",
        "postgresql://u:s3:cr3t/db",
        "postgresql://h:port/db",
    ],
)
def test_a_password_that_was_not_encoded_is_refused_without_showing_it(url):
    kind, text, code = told(PostgresUrl, url)
    assert (kind, code) == ("UsageError", 2)
    assert "percent-encoded" in text
    assert "s3" not in text
    assert "cr3t" not in text


def test_a_list_of_hosts_of_any_length_is_read_at_once():
    hosts = ",".join("a" * 3 for _ in range(5_000))
    assert PostgresUrl(f"postgresql://{hosts}/db").dsn == f"postgresql://{hosts}/db"
    with pytest.raises(UsageError, match="cannot be read"):
        PostgresUrl(f"postgresql://{hosts}[/db")


def test_secrets_are_blacked_out_in_any_text():
    address = PostgresUrl("postgresql://u:p%40ss@h/db?sslpassword=hush&passfile=/x")
    text = address.redact("invalid p%40ss or p@ss, or hush")
    assert text == "invalid *** or ***, or ***"


@given(st.text(alphabet="QZXJ%2440", min_size=4))
def test_no_password_is_in_the_name(secret):
    address = PostgresUrl(f"postgresql://u:{secret}@h/db?password={secret}")
    assert secret not in address.name
    assert secret not in address.redact(f"failed: {secret}")


@given(st.text())
def test_any_text_is_read_or_refused(text):
    kind, message, _ = told(PostgresUrl, "postgresql://" + text)
    assert kind in {"nothing", "UsageError"}
    assert "\n" not in message or "\n" in text


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://h/db", "book mysql://...: unknown kind 'mysql'; known: postgresql, sqlite, or a path"),
        ("", "book: the path is empty"),
        ("sqlite://", "book: the path is empty"),
        ("a\0b", r"book: the path 'a\x00b' has a NUL character in it"),
    ],
)
def test_a_book_of_no_known_kind_is_refused(url, message):
    assert told(open_engine, url, []) == ("UsageError", message, 2)


@pytest.mark.parametrize("form", ["sqlite://{}", "{}"])
def test_a_path_may_have_odd_characters(tmp_path, form):
    path = str(tmp_path / "a b?c#d%20é" / "book.db")
    engine = open_engine(form.format(path), [])
    assert engine.name == path
    engine.close()
    assert (tmp_path / "a b?c#d%20é" / "book.db").exists()


def test_a_relative_path_is_named_in_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = open_engine("book.db", [])
    assert engine.name == str(tmp_path / "book.db")
    engine.close()


def test_secrets_are_blacked_out_in_the_error_itself():
    error = ValueError('invalid percent-encoded token: "p%zzss"')
    assert PostgresUrl("postgresql://u:p%zzss@h/db").redacted(error) == 'invalid percent-encoded token: "***"'
    assert "zz" not in "".join(traceback.format_exception(error))
