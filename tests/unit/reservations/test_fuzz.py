"""Settings, lab files and reservation files of any content: an answer or a documented error, never anything else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.errors import BespeakError
from bespeak.labs import LabStore, open_labs, required_resources
from bespeak.reservations import JsonReservationBackend, build_backend
from bespeak.settings import ledger_place, load_settings

T = TypeVar("T")
WORDS = st.sampled_from(
    ["user", "resources", "expires", "version", "reservations", "labs", "hosts", "id", "name", "element", "search", "init",
     "modules", "backend", "url", "json", "path", "ledger", "strict", "default_for", "libs", "alice", "rack1", "demo", "none"]
)  # fmt: skip
TEXTS = st.one_of(WORDS, st.text(max_size=8), st.just("2126-01-01T00:00:00Z"))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.just(1))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
ENTRIES = st.fixed_dictionaries(
    {}, optional={"user": st.one_of(TEXTS, VALUES), "resources": st.one_of(st.lists(TEXTS), VALUES), "expires": SCALARS}
)
FILES = st.fixed_dictionaries({"version": st.just(1), "reservations": st.lists(st.one_of(ENTRIES, VALUES), max_size=5)})
HOSTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={"id": SCALARS, "element": SCALARS, "labs": st.one_of(st.lists(TEXTS), VALUES), "resources": VALUES},
    ),
    max_size=4,
)
RAW = st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))


def to_toml(value: object) -> str:
    """Write a table as TOML, in inline form; what TOML has no words for becomes text."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {to_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    if isinstance(value, bool | str):
        return json.dumps(value)
    return str(value) if isinstance(value, int) else json.dumps(str(value))


def attempt(question: Callable[[], T]) -> T | None:
    """Return the answer, or None after a documented error; any other exception fails the test."""
    try:
        return question()
    except BespeakError as error:
        told = str(error)
    assert told.isprintable()
    return None


@given(st.one_of(FILES, VALUES).map(lambda value: json.dumps(value).encode()) | RAW)
def test_reservation_files(raw):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "r.json")
        path.write_bytes(raw)
        backend = JsonReservationBackend(path=path)
        users = attempt(backend.list_usernames)
        if users is None:
            return
        value = json.loads(raw)
        assert users == sorted({entry["user"] for entry in value.get("reservations", [])})
        for user in users:
            for resource in backend.get_reserved_resources(user):
                assert user in backend.who_reserved(resource)
                assert backend.held_among(user, [resource]) == {resource}


@given(st.one_of(HOSTS, VALUES).map(lambda value: json.dumps(value).encode()) | RAW, st.booleans())
def test_lab_files(raw, toml):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "lab.toml" if toml else "hosts.json").write_bytes(raw)
        store = LabStore([folder])
        assert all(problem.text.isprintable() for problem in store.problems)
        for name in store.names():
            lab = attempt(lambda name=name: store.load([name]))
            assert lab is None or all(isinstance(each, str) for each in required_resources(lab))


@given(
    st.dictionaries(WORDS, VALUES, max_size=5).map(
        lambda table: "\n".join(f"{key} = {to_toml(item)}" for key, item in table.items()).encode("utf-8", "replace")
    )
    | RAW
)
def test_settings(raw):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, ".bespeak", "settings.toml")
        path.parent.mkdir()
        path.write_bytes(raw)
        env = {"HOME": folder}
        settings = attempt(lambda: load_settings(folder, env))
        if settings is None:
            return
        (repo,) = settings.repos
        for field in ("libs", "init", "labs", "name", "version", "ledger", "reservation_settings"):
            attempt(lambda field=field: getattr(repo, field))
        attempt(lambda: ledger_place(None, settings, environ=env))
        attempt(lambda: open_labs(settings).names())


@given(VALUES)
def test_reservation_settings(settings):
    attempt(lambda: build_backend(settings, "/nowhere"))
