"""User names for the shell: quick, quiet, remembered, private."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from bespeak.configmodule import completion_cache
from bespeak.configmodule.completion_cache import collect_reservation_usernames
from bespeak.reservations import registry


class Repo:
    def __init__(self, sut_dir, settings):
        self.sut_dir = sut_dir
        self.reservation_settings = settings


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A loaded machine must not turn these into races; the hanging scheduler has its own test."""
    monkeypatch.setattr(completion_cache, "PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr(registry._BACKENDS, "_things", {})


@pytest.fixture
def cache():
    return Path(os.environ["HOME"]) / ".cache" / "bespeak" / "usernames.json"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "r.json"
    write(path, "bob", "alice", "bob")
    return path


def write(path, *users):
    listed = [{"user": user, "resources": []} for user in users]
    path.write_text(json.dumps({"version": 1, "reservations": listed}))


def json_repo(file):
    return Repo(file.parent, {"backend": "json", "json": {"path": str(file)}})


def test_names_come_sorted_and_are_remembered_privately(file, cache):
    assert collect_reservation_usernames([json_repo(file)]) == ["alice", "bob"]
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.parent.stat().st_mode) == 0o700
    assert list(cache.parent.iterdir()) == [cache]
    write(file, "carol")
    assert collect_reservation_usernames([json_repo(file)]) == ["alice", "bob"]


def test_old_names_are_asked_for_again(file, monkeypatch):
    monkeypatch.setattr(completion_cache, "LIFETIME_SECONDS", -1.0)
    collect_reservation_usernames([json_repo(file)])
    write(file, "carol")
    assert collect_reservation_usernames([json_repo(file)]) == ["carol"]


def test_under_skip_only_remembered_names_are_offered(file):
    repos = [json_repo(file)]
    assert collect_reservation_usernames(repos, skip_reservation_check=True) == []
    collect_reservation_usernames(repos)
    assert collect_reservation_usernames(repos, skip_reservation_check=True) == ["alice", "bob"]


def test_each_backend_has_its_own_names(file, tmp_path):
    collect_reservation_usernames([json_repo(file)])
    other = tmp_path / "other.json"
    write(other, "dave")
    assert collect_reservation_usernames([json_repo(other)]) == ["dave"]
    assert collect_reservation_usernames([json_repo(file)]) == ["alice", "bob"]


@pytest.mark.parametrize(
    "settings", [{}, None, {"backend": "none"}, {"backend": "unknown"}, {"backend": 3}, {"backend": "json"}]
)
def test_what_cannot_be_asked_offers_nothing(tmp_path, settings):
    assert collect_reservation_usernames([Repo(tmp_path, settings)]) == []
    assert collect_reservation_usernames([]) == []
    assert collect_reservation_usernames([object()]) == []


def test_a_failure_keeps_the_names_there_were(file, monkeypatch):
    monkeypatch.setattr(completion_cache, "LIFETIME_SECONDS", -1.0)
    collect_reservation_usernames([json_repo(file)])
    file.unlink()
    assert collect_reservation_usernames([json_repo(file)]) == ["alice", "bob"]


def test_names_that_a_terminal_would_obey_are_left_out(file):
    write(file, "ok", "\x1b[2J", "a\nb")
    assert collect_reservation_usernames([json_repo(file)]) == ["ok"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"k": 1}', b'{"k": [1, 2]}', b"[" * 100_000])
def test_a_broken_memory_is_no_memory(file, cache, content):
    cache.parent.mkdir(parents=True)
    cache.write_bytes(content)
    assert collect_reservation_usernames([json_repo(file)]) == ["alice", "bob"]


def test_a_link_in_place_of_the_memory_is_not_followed(file, cache, tmp_path):
    cache.parent.mkdir(parents=True)
    planted = tmp_path / "planted.json"
    planted.write_text("{}")
    cache.symlink_to(planted)
    assert collect_reservation_usernames([json_repo(file)]) == ["alice", "bob"]
    assert planted.read_text() == "{}"


def test_a_place_that_cannot_be_written_is_no_failure(file, cache):
    cache.parent.parent.mkdir(parents=True)
    cache.parent.write_text("a file in place of the folder")
    assert collect_reservation_usernames([json_repo(file)]) in (["alice", "bob"], [])
