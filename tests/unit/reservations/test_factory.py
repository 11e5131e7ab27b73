"""From settings to a backend and a state."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from gate_helpers import DuckLab, FakeRepo, Recorder

from bespeak.reservations import (
    JsonReservationBackend,
    NullReservationBackend,
    ReservationBackendError,
    build_backend,
    build_reservation_state,
    evaluate,
    register_reservation_backend,
)
from bespeak.reservations.registry import get_reservation_backend_class
from bespeak.settings import SettingsError, find_repos
from support.trusting import trust


def state_of(repos, **options):
    options = {"as_user": "alice", "skip_reservation_check": False, "cwd_fallback": Path("/nowhere"), **options}
    return build_reservation_state(repos, **options)


class Strict:
    def __init__(self, **arguments):
        self.arguments = arguments


class TestBuildBackend:
    @pytest.mark.parametrize("settings", [{}, {"backend": "none"}, {"backend": "none", "url": "x", "json": {}}])
    def test_none(self, settings, tmp_path):
        assert isinstance(build_backend(settings, tmp_path), NullReservationBackend)

    @pytest.mark.parametrize("absolute", [True, False])
    def test_json_paths_start_at_the_repository(self, tmp_path, absolute):
        (tmp_path / "r.json").write_text('{"version": 1, "reservations": [{"user": "a", "resources": ["x"]}]}')
        path = str(tmp_path / "r.json") if absolute else "r.json"
        backend = build_backend({"backend": "json", "json": {"path": path}}, tmp_path)
        assert isinstance(backend, JsonReservationBackend)
        assert backend.get_reserved_resources("a") == {"x"}

    @pytest.mark.parametrize("table", [{}, {"json": {}}, {"json": {"path": ""}}, {"json": {"path": 3}}, {"json": None}])
    def test_json_without_a_path(self, tmp_path, table):
        with pytest.raises(ValueError) as caught:
            build_backend({"backend": "json", **table}, tmp_path)
        assert str(caught.value) == "[reservations.json] requires a 'path' string pointing at the reservation file"

    def test_an_unknown_name_lists_the_known_sorted(self, tmp_path):
        register_reservation_backend("calendar", Strict)
        with pytest.raises(ValueError) as caught:
            build_backend({"backend": "x"}, tmp_path)
        assert str(caught.value).startswith(
            "Unknown reservation backend 'x'. Registered backends: calendar, json, ledger, none. "
        )

    @pytest.mark.parametrize(
        ("settings", "reason"),
        [
            ([], r"must be a table, not \[\]"),
            ({"backend": 3}, "backend must be a text, not 3"),
            ({"backend": ""}, "backend must be a text, not ''"),
            ({"url": 3}, "url must be a text, not 3"),
            ({"backnd": "json"}, "there is no setting 'backnd'; did you mean backend"),
            ({"Backend": "json"}, "there is no setting 'Backend'; did you mean backend"),
            ({"backend": "json", "json": "r.json"}, r"\[reservations.json\] must be a table, not 'r.json'"),
            (
                {"backend": "ledger", "ledger": {"urll": "x"}},
                r"\[reservations.ledger\] has no setting 'urll'; known: path, url",
            ),
            ({"backend": "ledger", "ledger": {"url": 3}}, r"\[reservations.ledger\] url must be a text, not 3"),
        ],
    )
    def test_a_malformed_table(self, tmp_path, settings, reason):
        with pytest.raises(ValueError, match=r"^Invalid \[reservations\] settings: " + reason):
            build_backend(settings, tmp_path)

    @pytest.mark.parametrize(
        ("extra", "arguments"),
        [
            ({"url": "u", "calendar": {"key": 1}}, {"url": "u", "key": 1}),
            ({"calendar": {"key": 1}}, {"key": 1}),
            ({"url": "u"}, {"url": "u"}),
            ({}, {}),
            ({"url": ""}, {"url": ""}),
            ({"other": {"key": 2}}, {}),
        ],
    )
    def test_a_custom_backend_gets_url_and_its_table(self, tmp_path, extra, arguments):
        register_reservation_backend("calendar", Strict)
        assert build_backend({"backend": "calendar", **extra}, tmp_path).arguments == arguments

    @pytest.mark.parametrize(
        "error",
        [RuntimeError("token=hunter2"), SystemExit(0), OSError(111, "Connection refused"), ValueError("hunter2")],
    )
    def test_a_constructor_that_breaks(self, tmp_path, error):
        class Broken:
            def __init__(self):
                raise error

        register_reservation_backend("broken", Broken)
        with pytest.raises(ReservationBackendError, match=r"^the 'broken' backend cannot be built: ") as caught:
            build_backend({"backend": "broken"}, tmp_path)
        assert "hunter2" not in str(caught.value)

    def test_an_argument_that_the_class_does_not_take_is_named(self, tmp_path):
        register_reservation_backend("recorder", Recorder)
        with pytest.raises(ReservationBackendError, match=r"multiple values for keyword argument|cannot be built"):
            build_backend({"backend": "recorder", "url": "u", "recorder": {"holders": {}, "self": 1}}, tmp_path)

    def test_its_own_error_passes_unchanged(self, tmp_path):
        class Down:
            def __init__(self):
                raise ReservationBackendError("scheduler unreachable")

        register_reservation_backend("down", Down)
        with pytest.raises(ReservationBackendError, match=r"^scheduler unreachable$"):
            build_backend({"backend": "down"}, tmp_path)

    def test_a_backend_needs_a_name(self):
        with pytest.raises(ValueError, match="must not be empty"):
            register_reservation_backend("", Strict)

    def test_the_built_in_names_cannot_be_taken_over_by_a_module(self, tmp_path):
        register_reservation_backend("json", NullReservationBackend)
        backend = build_backend({"backend": "json", "json": {"path": "x.json"}}, tmp_path)
        assert isinstance(backend, JsonReservationBackend)

    @pytest.mark.parametrize(("name", "cls"), [("none", NullReservationBackend), ("json", JsonReservationBackend)])
    def test_built_in_names_resolve_through_the_registry(self, name, cls):
        assert get_reservation_backend_class(name) is cls


class TestBuildReservationState:
    def test_without_repositories_there_is_nothing_to_check(self):
        state = state_of([])
        assert isinstance(state.backend, NullReservationBackend)
        assert (state.identity.username, state.skip_check) == ("alice", False)

    def test_the_first_repository_with_a_filled_table_wins_and_anchors_paths(self, tmp_path):
        for name, user in (("b", "bob"), ("c", "carol")):
            (tmp_path / name).mkdir()
            content = {"version": 1, "reservations": [{"user": user, "resources": ["r"]}]}
            (tmp_path / name / "r.json").write_text(json.dumps(content))
        table = {"backend": "json", "json": {"path": "r.json"}}
        state = state_of(
            [FakeRepo(tmp_path / "a", {}), FakeRepo(tmp_path / "b", table), FakeRepo(tmp_path / "c", table)]
        )
        assert state.backend.who_reserved("r") == ["bob"]

    def test_the_fallback_directory_is_used_without_repositories(self, tmp_path):
        assert state_of([], cwd_fallback=tmp_path).backend_factory() is not None

    def test_skipping_builds_nothing_but_leaves_the_means(self, tmp_path):
        built = []
        register_reservation_backend("slow", lambda: built.append(1) or Recorder())
        state = state_of([FakeRepo(tmp_path, {"backend": "slow"})], skip_reservation_check=True)
        assert (state.backend, state.skip_check, built) == (None, True, [])
        assert isinstance(state.backend_factory(), Recorder)

    def test_a_failing_backend_is_told_at_once(self, tmp_path):
        with pytest.raises(ValueError, match=r"Unknown reservation backend"):
            state_of([FakeRepo(tmp_path, {"backend": "gone"})])

    @pytest.mark.parametrize("settings", [{"backend": "gone"}, {"backend": 3}, 3])
    def test_broken_settings_do_not_stop_who_skips(self, tmp_path, settings):
        assert state_of([FakeRepo(tmp_path, settings)], skip_reservation_check=True).skip_check

    def test_settings_that_are_no_table_do_not_stop_who_skips_either(self, tmp_path):
        write(tmp_path, "reservations = 3")
        repos = find_repos(str(tmp_path), {"HOME": str(tmp_path)})
        state = state_of(repos, skip_reservation_check=True)
        with pytest.raises(ValueError, match=r"Invalid \[reservations\] settings"):
            state.backend_factory()


def write(root: Path, text: str) -> Path:
    path = root / ".bespeak" / "settings.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class TestInitModules:
    MODULE = """
from bespeak.reservations import register_reservation_backend
class Mine:
    def __init__(self, url, color): self.got = (url, color)
    def get_reserved_resources(self, username): return {"rack1"} if username == "alice" else set()
    def who_reserved(self, resource): return ["alice"]
    def backend_name(self): return "mine"
register_reservation_backend("mine", Mine)
"""

    def repos(self, root: Path, module: str, settings: str):
        name = f"gate_plugin_{abs(hash(str(root)))}"
        (root / "lib").mkdir()
        (root / "lib" / f"{name}.py").write_text(module)
        write(root, f'libs = ["lib"]\n[init]\nmodules = ["{name}"]\n{settings}')
        trust(root, {"HOME": str(root)})
        return find_repos(str(root), {"HOME": str(root)}), name

    def test_a_module_registers_the_backend_that_settings_select(self, tmp_path):
        settings = '[reservations]\nbackend = "mine"\nurl = "u"\n[reservations.mine]\ncolor = "red"'
        repos, _ = self.repos(tmp_path, self.MODULE, settings)
        state = state_of(repos)
        assert state.backend.got == ("u", "red")
        report = evaluate(state, DuckLab("demo", {"rack1"}))
        assert (report.allowed, report.backend) == (True, "mine")
        assert report.decided_by == str(tmp_path / ".bespeak" / "settings.toml")

    def test_modules_are_imported_only_for_a_backend_that_needs_them(self, tmp_path):
        repos, name = self.repos(tmp_path, "raise RuntimeError", '[reservations]\nbackend = "ledger"')
        state_of(repos)
        assert name not in sys.modules
        state_of(repos, skip_reservation_check=True)
        assert name not in sys.modules

    @pytest.mark.parametrize(
        "module", ["raise RuntimeError('hunter2')", "import no_such_module_at_all", "x = (", "import sys; sys.exit(0)"]
    )
    def test_a_module_that_fails_is_one_clear_line(self, tmp_path, module):
        repos, name = self.repos(tmp_path, module, '[reservations]\nbackend = "mine"')
        with pytest.raises(ReservationBackendError) as caught:
            state_of(repos)
        text = str(caught.value)
        assert name in text
        assert "settings.toml" in text
        assert "\n" not in text
        assert "hunter2" not in text

    def test_a_module_that_registers_something_else(self, tmp_path):
        repos, _ = self.repos(tmp_path, "x = 1", '[reservations]\nbackend = "mine"')
        with pytest.raises(ValueError, match=r"Unknown reservation backend 'mine'"):
            state_of(repos)


class TestTheLedgerBackendsBook:
    def place(self, root, settings, ledger=None):
        write(root, settings)
        trust(root, {"HOME": str(root)})
        state = state_of(find_repos(str(root), {"HOME": str(root)}), ledger=ledger)
        return state.backend._url

    def test_a_table_that_names_the_book_decides_whatever_the_environment_says(self, tmp_path, monkeypatch):
        monkeypatch.setenv("BESPEAK_LEDGER", "/my/own.db")
        text = '[reservations]\nbackend = "ledger"\n[reservations.ledger]\nurl = "team.db"'
        assert self.place(tmp_path, text, "/other.db") == f"{tmp_path}/team.db"
        assert (
            self.place(tmp_path, '[reservations]\nbackend = "ledger"\nurl = "postgresql://h/d"') == "postgresql://h/d"
        )
        text = '[reservations]\nbackend = "ledger"\n[reservations.ledger]\npath = "${sut_dir}/p.db"'
        assert self.place(tmp_path, text) == f"{tmp_path}/p.db"

    def test_otherwise_it_is_the_book_of_every_other_command(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        text = '[reservations]\nbackend = "ledger"\n[ledger]\nurl = "book.db"'
        assert self.place(tmp_path, text) == f"{tmp_path}/book.db"
        assert self.place(tmp_path, text, "/flag.db") == "/flag.db"
        monkeypatch.setenv("BESPEAK_LEDGER", "/env.db")
        assert self.place(tmp_path, text) == "/env.db"


class TestInstalledPackages:
    """A package brings a backend along as an entry point; nobody has to import it."""

    def package(self, root: Path, target: str):
        info = root / "site" / "team_book-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: team-book\nVersion: 1.0\n")
        name = f"team{abs(hash(str(root)))}"
        (info / "entry_points.txt").write_text(f"[bespeak.reservation_backends]\n{name} = {name}:{target}\n")
        (root / "site" / f"{name}.py").write_text(
            "class TeamBook:\n"
            "    def __init__(self, url=None):\n        self.url = url\n"
            "    def get_reserved_resources(self, username):\n        return {'rack1'}\n"
            "    def who_reserved(self, resource):\n        return ['alice']\n"
            "    def backend_name(self):\n        return 'team book'\n"
        )
        return name

    def test_its_backend_is_found_by_name_and_loaded_then(self, tmp_path, monkeypatch):
        name = self.package(tmp_path, "TeamBook")
        monkeypatch.syspath_prepend(tmp_path / "site")
        write(tmp_path, f'[reservations]\nbackend = "{name}"\nurl = "https://bookings.example.com"')
        trust(tmp_path, {"HOME": str(tmp_path)})
        repos = find_repos(str(tmp_path), {"HOME": str(tmp_path)})
        assert name not in sys.modules
        assert state_of(repos).backend.url == "https://bookings.example.com"

    def test_one_that_cannot_be_loaded_is_one_line_with_the_package(self, tmp_path, monkeypatch):
        name = self.package(tmp_path, "Missing")
        monkeypatch.syspath_prepend(tmp_path / "site")
        with pytest.raises(SettingsError, match="of package team-book cannot be loaded: AttributeError"):
            get_reservation_backend_class(name)

    def test_one_that_is_installed_is_named_among_the_known(self, tmp_path, monkeypatch):
        name = self.package(tmp_path, "TeamBook")
        monkeypatch.syspath_prepend(tmp_path / "site")
        with pytest.raises(SettingsError, match=name):
            get_reservation_backend_class("other")
