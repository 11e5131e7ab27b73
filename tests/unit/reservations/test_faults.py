"""The faults of the original that bespeak must not have; each by the number it has in the specification."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from gate_helpers import Ctx, FakeRepo, Recorder

from bespeak import configmodule
from bespeak.configmodule.completion_cache import collect_reservation_usernames
from bespeak.labs import Lab
from bespeak.reservations import (
    JsonReservationBackend,
    MissingReservationError,
    ReservationBackendError,
    ReservationState,
    ResolvedIdentity,
    SupportsUsernameCompletion,
    build_reservation_state,
    check_reservations,
    evaluate,
    gate,
    register_reservation_backend,
)
from bespeak.reservations import json_backend as json_backend_module
from bespeak.reservations.errors import backend_failure_lines
from bespeak.settings import find_repos

ALICE = ResolvedIdentity("alice", "$USER")


def state_of(repos, *, skip=False):
    return build_reservation_state(repos, as_user="alice", skip_reservation_check=skip, cwd_fallback=Path("/nowhere"))


class Hanging:
    """A scheduler whose client never comes back from its constructor."""

    built: list[int] = []  # noqa: RUF012 - shared on purpose

    def __init__(self):
        self.built.append(1)
        threading.Event().wait(60)


def test_1_with_skip_nothing_builds_the_backend(tmp_path, capsys):
    register_reservation_backend("hanging", Hanging)
    Hanging.built.clear()
    repos = [FakeRepo(tmp_path, {"backend": "hanging"})]
    configmodule.set_lab(Lab("demo", {"a"}))
    state = state_of(repos, skip=True)
    gate(Ctx(otto_reservation=state))
    assert evaluate(state, Lab("demo", {"a"})).allowed
    assert collect_reservation_usernames(repos, skip_reservation_check=True) == []
    assert Hanging.built == []
    assert "SKIPPED" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["get_reserved_resources", "who_reserved"])
@pytest.mark.parametrize("error", [ReservationBackendError("down"), RuntimeError("boom")])
def test_2_a_failure_at_any_time_is_one_line_and_the_hint(method, error):
    backend = Recorder()

    def fail(_):
        raise error

    setattr(backend, method, fail)
    with pytest.raises(ReservationBackendError) as caught:
        check_reservations(Lab("demo", {"a"}), "alice", backend)
    reason, hint = backend_failure_lines(caught.value)
    assert reason.startswith("Reservation backend unavailable: ")
    assert "\n" not in reason
    assert "-R" in hint
    assert caught.value.exit_code == 9


def test_3_a_refusal_carries_no_secret_of_a_host(tmp_path):
    (tmp_path / "hosts.json").write_text(
        json.dumps([{"element": "h", "labs": ["demo"], "resources": ["a"], "creds": {"root": "hunter2"}}])
    )
    from bespeak.labs import LabStore

    lab = LabStore([str(tmp_path)]).load(["demo"])
    with pytest.raises(MissingReservationError) as caught:
        check_reservations(lab, "alice", Recorder())
    told = "".join([str(caught.value), repr(caught.value), json.dumps(caught.value.details), repr(lab)])
    assert "hunter2" not in told
    assert "-R" not in told
    assert "skip" not in str(caught.value)


@pytest.mark.parametrize("name", ["rack[a]", "[/red]", "[bold]x[/bold]", ":smile:", "{0}", "%s", "ü-rack"])
def test_4_names_are_printed_literally(name):
    with pytest.raises(MissingReservationError) as caught:
        check_reservations(Lab(name, {name}), name, Recorder({name: [name + "2"]}))
    text = str(caught.value)
    assert text.splitlines()[0] == f"User {name!r} does not hold all resources required by lab {name!r}. Missing:"
    assert text.splitlines()[1] == f"  - {name} (held by {name}2)"


@pytest.mark.parametrize("name", ["\x1b[2Jx", "a\nb", "a\rb", "\x07", "\u202eabc", "\ud800", "\x9b31m"])
def test_4_and_never_obeyed_by_a_terminal(name):
    with pytest.raises(MissingReservationError) as caught:
        check_reservations(Lab(name, {name}), name, Recorder({name: [name + "2"]}))
    lines = str(caught.value).split("\n")
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_5_importing_and_building_the_cli_parts_touches_no_backend_and_no_lab(tmp_path):
    """The state is built only when somebody calls for it; help and completion do not."""
    code = (
        "import bespeak.reservations.check, bespeak.configmodule, sys\n"
        "bespeak.configmodule.set_lab_loader(lambda: sys.exit('the lab was loaded'))\n"
        "print([m for m in sys.modules if m.endswith(('json_backend', 'ledger_backend', '.ledger', 'sqlite3'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_6_a_variable_cannot_make_somebody_else_of_you(monkeypatch, caplog):
    monkeypatch.setenv("LOGNAME", "alice")
    state = build_reservation_state([], as_user=None, skip_reservation_check=False, cwd_fallback=Path())
    assert state.identity == ResolvedIdentity(pwd.getpwuid(os.getuid()).pw_name, "$USER")
    assert "LOGNAME says 'alice'" in caplog.text


def test_7_a_bad_entry_is_named_and_every_bad_file_is_the_documented_error(tmp_path):
    path = tmp_path / "r.json"
    path.write_text('{"version": 1, "reservations": [{"user": "a", "resources": []}, {"user": "a", "resources": 3}]}')
    with pytest.raises(ReservationBackendError, match=r"reservations\[1\]: resources must be a list of texts, not 3"):
        JsonReservationBackend(path=path).get_reserved_resources("a")
    for raw in (b"\xff\xfe", b"[" * 100_000, b"\xef\xbb\xbf{}", b""):
        path.write_bytes(raw)
        with pytest.raises(ReservationBackendError):
            JsonReservationBackend(path=path).get_reserved_resources("a")


def test_8_one_reading_answers_a_refusal(tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    listed = [{"user": f"u{number}", "resources": [f"r{number}"]} for number in range(1000)]
    path.write_text(json.dumps({"version": 1, "reservations": listed}))
    reads = []
    real = json_backend_module.read_regular
    monkeypatch.setattr(json_backend_module, "read_regular", lambda *a, **k: reads.append(1) or real(*a, **k))
    with pytest.raises(MissingReservationError):
        check_reservations(Lab("demo", {f"r{number}" for number in range(10)}), "x", JsonReservationBackend(path=path))
    assert reads == [1]


def test_9_the_json_backend_lists_its_users_sorted(tmp_path):
    path = tmp_path / "r.json"
    path.write_text('{"version": 1, "reservations": [{"user": "b", "resources": []}, {"user": "a", "resources": []}]}')
    backend = JsonReservationBackend(path=path)
    assert isinstance(backend, SupportsUsernameCompletion)
    assert backend.list_usernames() == ["a", "b"]


def test_10_the_report_names_the_settings_that_decided(tmp_path, monkeypatch):
    for name, text in (("a", '[reservations]\nbackend = "none"'), ("b", '[reservations]\nbackend = "ledger"')):
        (tmp_path / name / ".bespeak").mkdir(parents=True)
        (tmp_path / name / ".bespeak" / "settings.toml").write_text(text)
    env = {"BESPEAK_SUT_DIRS": f"{tmp_path}/a:{tmp_path}/b", "HOME": str(tmp_path)}
    report = evaluate(state_of(find_repos(str(tmp_path), env)), Lab("demo", {"rack"}))
    assert report.allowed
    assert report.decided_by == f"{tmp_path}/a/.bespeak/settings.toml"
    assert report.decided_by in report.text


def test_11_none_says_that_nothing_was_checked(tmp_path):
    for repos in ([], [FakeRepo(tmp_path, {"backend": "none"})]):
        report = evaluate(state_of(repos), Lab("demo", {"rack"}))
        assert not report.checked
        assert report.text.startswith("Nothing was checked: ")
        assert "OK" not in report.text


def test_completion_with_a_hanging_scheduler_gives_up_soon_and_remembers_that(tmp_path, monkeypatch):
    from bespeak.configmodule import completion_cache

    monkeypatch.setattr(completion_cache, "PATIENCE_SECONDS", 0.01)
    register_reservation_backend("hanging", Hanging)
    Hanging.built.clear()
    repos = [FakeRepo(tmp_path, {"backend": "hanging"})]
    assert collect_reservation_usernames(repos) == []
    deadline = time.monotonic() + 30
    while not Hanging.built and time.monotonic() < deadline:
        time.sleep(0.001)
    assert collect_reservation_usernames(repos) == []
    assert Hanging.built == [1]


def test_a_state_without_backend_or_factory_checks_nothing():
    report = evaluate(ReservationState(identity=ALICE), Lab("demo", {"a"}))
    assert (report.allowed, report.checked) == (True, False)
