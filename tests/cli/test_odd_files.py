"""A named pipe, a socket, a device or a folder where a file is expected: one line and an exit code, never a wait."""

import json
import os
import socket
import subprocess
import sys

import pytest

KINDS = ["pipe", "socket", "device", "folder"]
GUARD_SECONDS = 120
"""Only so that a command that waits for ever fails the test instead of stopping it."""


def lay(kind, path):
    """Put something that is no file at ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        folder = os.open(path.parent, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


def told(cli, *args, code):
    """Run a command; return its one line."""
    done = cli(*args, timeout=GUARD_SECONDS)
    assert done.returncode == code, done
    (line,) = done.stderr.splitlines()
    return line


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_the_book(cli, here, kind):
    lay(kind, here / "odd.sqlite3")
    why = "this is a folder, not a file" if kind == "folder" else "not a regular file"
    line = told(cli, "--ledger", "odd.sqlite3", "list", code=9)
    assert line == f"bespeak: error: book {here}/odd.sqlite3: {why}"


@pytest.mark.parametrize("kind", KINDS)
def test_settings(cli, here, kind):
    lay(kind, here / ".bespeak" / "settings.toml")
    line = told(cli, "gate", "-l", "demo", "--", "true", code=2)
    assert f"{here}/.bespeak/settings.toml: cannot be read: " in line


@pytest.mark.parametrize("kind", KINDS)
def test_a_lab_file(cli, here, project, kind):
    lay(kind, here / "labs" / "lab.toml")
    (project / ".bespeak" / "settings.toml").write_text(
        f'labs = ["{here}/labs/lab.toml"]\n[reservations]\nbackend = "none"\n'
    )
    done = cli("lab", "check", timeout=GUARD_SECONDS)
    assert done.returncode == 1, done
    assert f"{here}/labs/lab.toml: cannot be read: " in done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_reservation_file(cli, here, project, kind):
    lay(kind, here / "reservations.json")
    (project / ".bespeak" / "settings.toml").write_text(
        f'labs = ["lab.toml"]\n[reservations]\nbackend = "json"\n[reservations.json]\npath = "{here}/reservations.json"\n'
    )
    assert cli("trust").returncode == 0
    done = cli("gate", "-l", "demo", "--", "true", timeout=GUARD_SECONDS)
    assert done.returncode == 9, done
    assert f"Failed to read reservation file {here}/reservations.json: not a regular file" in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_replace_nothing_but_a_file(here, kind):
    from bespeak.base.errors import UsageError
    from bespeak.jobs.metrics import Exporter, Metrics

    lay(kind, here / "metrics")
    if kind == "device":
        Exporter(str(here / "metrics"), Metrics()).close()
        assert (here / "metrics").is_file()
        assert not (here / "metrics").is_symlink()
        return
    with pytest.raises(UsageError, match="not a regular file"):
        Exporter(str(here / "metrics"), Metrics())
    assert os.listdir(here) == ["metrics"]


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_an_installed_service_replaces_nothing_but_a_file(here, kind):
    from bespeak.base.errors import BespeakError
    from bespeak.jobs.service_files import write

    lay(kind, here / "bespeak-job.service")
    with pytest.raises(BespeakError, match="not a regular file"):
        write(str(here / "bespeak-job.service"), "text", force=True)
    assert os.listdir(here) == ["bespeak-job.service"]


def test_a_file_that_is_written_leaves_alone_what_was_laid_in_its_way(here):
    from bespeak.base.fileio import write_atomically

    (here / "victim").write_text("kept")
    (here / "file").symlink_to("victim")
    (here / f"file.{os.getpid()}.tmp").symlink_to("victim")
    write_atomically(str(here / "file"), b"new", 0o666)
    assert (here / "victim").read_text() == "kept"
    assert (here / "file").read_text() == "new"
    assert not (here / "file").is_symlink()


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_files_of_a_job(here, kind, stream):
    from bespeak.base.fileio import open_regular
    from bespeak.runner import exit_record

    lay(kind, here / stream)
    with pytest.raises(OSError):
        open_regular(str(here / stream), os.O_WRONLY | os.O_APPEND | os.O_CREAT, follow=False)
    for use in (exit_record.read, exit_record.take_lock, exit_record.looked_after):
        with pytest.raises(OSError):
            use(str(here / stream))


def test_names_offered_to_a_shell(here, monkeypatch):
    from bespeak.configmodule import completion_cache

    monkeypatch.setenv("XDG_CACHE_HOME", str(here))
    lay("pipe", here / "bespeak" / "usernames.json")
    assert completion_cache._read() == {}
    completion_cache._write({"a": (["alice"], 1.0)})
    assert completion_cache._read() == {}


def test_the_symbol_index_is_kept_in_no_file_of_somebody_else(here):
    from bespeak.storage import sqlite_files
    from bespeak_symbols.cache import Cache

    (here / "victim").touch()
    (here / "symbols.sqlite3").symlink_to("victim")
    cache = Cache(str(here / "symbols.sqlite3"), sqlite_files.check)
    assert "make the book there first" in cache.notice or "empty" in cache.notice
    assert not cache.on_disk
    assert (here / "victim").stat().st_size == 0


def test_taking_rights_from_a_database_does_not_reach_through_a_link(here):
    from bespeak.jobs.locations import open_store

    (here / "victim").write_text("kept")
    (here / "victim").chmod(0o644)
    real = here / "real.sqlite3"
    open_store(str(real)).close()
    real.chmod(0o644)
    (here / "linked.sqlite3").symlink_to(real)
    open_store(str(here / "linked.sqlite3")).close()
    assert real.stat().st_mode & 0o777 == 0o644
    open_store(str(real)).close()
    assert real.stat().st_mode & 0o777 == 0o600


def test_wake_ups_need_no_epoll(here, monkeypatch):
    """As on macOS: a run, a wait in the queue and a watch."""
    (here / "sitecustomize.py").write_text("import select\ndel select.epoll\n")
    environ = os.environ | {"PYTHONPATH": str(here), "BESPEAK_LEDGER": str(here / "book.sqlite3")}
    program = [sys.executable, "-m", "bespeak"]
    run = subprocess.run(
        [*program, "run", "rack3", "--", "true"], env=environ, capture_output=True, timeout=GUARD_SECONDS, check=False
    )
    assert run.returncode == 0, run.stderr
    subprocess.run(
        [*program, "--as-user", "alice", "reserve", "rack3", "--for", "1h"],
        env=environ,
        check=True,
        timeout=GUARD_SECONDS,
    )
    words = [*program, "--as-user", "bob", "reserve", "rack3", "--for", "1h", "--wait"]
    with (
        subprocess.Popen([*program, "watch", "--after", "0"], env=environ, stdout=subprocess.PIPE, text=True) as watch,
        subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting,
    ):
        try:
            assert any("bob" in line for line in watch.stdout)
            subprocess.run([*program, "--as-user", "alice", "release", "rack3"], env=environ, check=True)
            out, err = waiting.communicate(timeout=GUARD_SECONDS)
            assert waiting.returncode == 0, err
            assert "rack3" in out
            assert any(json.loads(line)["action"] == "released" for line in watch.stdout)
        finally:
            watch.kill()
            waiting.kill()
