"""The quick road of the gate: the same answer, never a stale one."""

from __future__ import annotations

import marshal
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bespeak.base.errors import NoContextError, UsageError
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.reservations import ReservationBackendError, fast_gate
from bespeak.reservations.fast_gate import try_fast_gate
from bespeak.reservations.prepare import load_lab, load_state, prepare_gate
from bespeak.settings import SettingsError

SETTINGS = '[ledger]\nurl = "book.db"\n[reservations]\nbackend = "ledger"\n'


def settle(root: Path) -> None:
    """Wait until the file system's clock has ticked, so that the next change of a file shows."""
    files = [path for path in root.rglob("*") if path.suffix in {".toml", ".json"}]
    newest = max((path.stat().st_ctime_ns for path in files), default=0)
    probe = root / "probe"
    while True:
        probe.write_text("")
        if probe.stat().st_ctime_ns > newest:
            probe.unlink()
            return
        probe.unlink()


@pytest.fixture(autouse=True)
def fresh_files_count(monkeypatch):
    """Files of a test are always fresh; the rule about them has a test of its own."""
    monkeypatch.setattr(fast_gate, "_SETTLED_NS", -(1 << 62))


@pytest.fixture
def root(tmp_path, monkeypatch):
    root = tmp_path / "repo"
    (root / ".bespeak").mkdir(parents=True)
    (root / ".bespeak" / "settings.toml").write_text(SETTINGS)
    (root / "lab.toml").write_text('name = "demo"\nresources = ["a", "b"]\n')
    with open_ledger(str(root / "book.db")) as book:
        book.reserve(Request(("a", "b"), Holder("alice")))
        book.reserve(Request(("c",), Holder("bob")))
    monkeypatch.chdir(root)
    return root


def long_way(labs=("demo",), **options):
    return prepare_gate(labs, **{"as_user": "alice", **options}).report()


def quick(labs=("demo",), **options):
    return try_fast_gate(labs, **{"as_user": "alice", **options})


def cache() -> list[Path]:
    return sorted((Path(os.environ["HOME"]) / ".cache" / "bespeak").glob("gate-*"))


@pytest.mark.parametrize("user", ["alice", "bob", "nobody", "\x1b[2J"])
def test_the_answer_is_the_one_of_the_long_way(root, user):
    assert quick(as_user=user) is None
    report = long_way(as_user=user)
    answer = quick(as_user=user)
    assert answer == report
    assert answer.text == report.text
    assert (answer.allowed, answer.required, answer.decided_by) == (report.allowed, report.required, report.decided_by)


def test_who_holds_what_is_never_remembered(root):
    long_way()
    assert quick().allowed
    with open_ledger(str(root / "book.db")) as book:
        book.release_mine(Holder("alice"))
    assert [each.resource for each in quick().missing] == ["a", "b"]


def test_the_plan_is_private(root):
    long_way()
    (path,) = cache()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


CHANGES = {
    "the settings are edited": lambda root: write(root / ".bespeak/settings.toml", SETTINGS + "# x\n"),
    "the settings go away": lambda root: (root / ".bespeak/settings.toml").unlink(),
    "the settings are replaced by equal ones": lambda root: (
        shutil.copy(root / ".bespeak/settings.toml", root / "new"),
        os.replace(root / "new", root / ".bespeak/settings.toml"),
    ),
    "the lab file is edited": lambda root: write(root / "lab.toml", 'name = "demo"\nresources = ["a", "b", "c"]\n'),
    "the lab file is edited with size and time kept": lambda root: (
        before := (root / "lab.toml").stat(),
        write(root / "lab.toml", 'name = "demo"\nresources = ["a", "c"]\n'),
        os.utime(root / "lab.toml", ns=(before.st_atime_ns, before.st_mtime_ns)),
    ),
    "the lab file goes away": lambda root: (root / "lab.toml").unlink(),
    "a second lab file appears": lambda root: write(root / "hosts.json", "[]"),
    "a lab file appears in the settings folder": lambda root: write(root / ".bespeak/lab.toml", ""),
    "settings of the user appear": lambda root: write(Path(os.environ["HOME"], ".config/bespeak/settings.toml"), ""),
    "the rights of the lab file change": lambda root: (root / "lab.toml").chmod(0o640),
    "the folder of the settings becomes a file": lambda root: (
        shutil.rmtree(root / ".bespeak"),
        (root / ".bespeak").write_text(""),
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_of_an_input_ends_the_plan(root, change):
    settle(root)
    long_way()
    assert quick() is not None
    change(root)
    assert quick() is None


def test_nearer_settings_that_appear_end_the_plan(root, monkeypatch):
    deep = root / "deep"
    deep.mkdir()
    monkeypatch.chdir(deep)
    long_way()
    assert quick() is not None
    write(deep / ".otto/settings.toml", "")
    assert quick() is None


@pytest.mark.parametrize(
    "variable",
    ["BESPEAK_LAB", "BESPEAK_LEDGER", "BESPEAK_SUT_DIRS", "OTTO_SUT_DIRS", "XDG_CONFIG_HOME", "XDG_DATA_HOME"],
)
def test_a_changed_variable_ends_the_plan(root, monkeypatch, variable):
    long_way()
    monkeypatch.setenv(variable, "/elsewhere")
    assert quick() is None
    monkeypatch.setenv(variable, "")
    assert quick() is None
    monkeypatch.delenv(variable)
    assert quick() is not None


def test_other_words_or_another_directory_are_other_plans(root, monkeypatch, tmp_path):
    long_way()
    assert quick(("demo", "demo")) is None
    assert quick(ledger=str(root / "book.db")) is None
    assert quick(()) is None
    monkeypatch.chdir(tmp_path)
    assert quick() is None


def test_the_lab_may_come_from_the_environment(root, monkeypatch):
    monkeypatch.setenv("BESPEAK_LAB", "demo")
    long_way(())
    assert quick(()).lab == "demo"
    monkeypatch.setenv("BESPEAK_LAB", "other")
    assert quick(()) is None


def test_the_flag_for_the_book_is_part_of_the_plan(root):
    other = str(root / "other.db")
    open_ledger(other).close()
    assert not long_way(ledger=other).allowed
    assert quick() is None
    assert not quick(ledger=other).allowed


@pytest.mark.parametrize(
    "settings",
    [
        '[reservations]\nbackend = "json"\n[reservations.json]\npath = "r.json"\n',
        '[reservations]\nbackend = "none"\n',
    ],
)
def test_other_backends_have_no_quick_road(root, settings):
    write(root / ".bespeak/settings.toml", settings)
    write(root / "r.json", '{"version": 1}')
    long_way()
    assert quick() is None
    assert cache() == []


def test_the_book_that_is_asked_by_default_has_the_quick_road_too(root):
    write(root / ".bespeak/settings.toml", '[ledger]\nurl = "book.db"\n')
    report = long_way()
    assert (report.allowed, report.backend, report.decided_by) == (True, "ledger", None)
    assert quick() == report
    write(root / ".bespeak/settings.toml", '[ledger]\nurl = "book.db"\n[reservations]\nbackend = "none"\n')
    assert quick() is None


def test_neither_have_a_lab_that_requires_nothing_nor_a_skipped_check(root):
    long_way(skip_reservation_check=True)
    assert cache() == []
    write(root / "lab.toml", 'name = "demo"')
    assert long_way().allowed
    assert cache() == []


def test_a_file_touched_just_before_it_was_read_is_not_trusted(root, monkeypatch):
    monkeypatch.setattr(fast_gate, "_SETTLED_NS", 3600 * 10**9)
    long_way()
    assert cache() == []


@pytest.mark.parametrize(
    "content", [b"", b"x", marshal.dumps(3), marshal.dumps(()), marshal.dumps((1, 2)), b"\xff" * 100]
)
def test_a_damaged_plan_is_no_plan(root, content):
    long_way()
    (path,) = cache()
    path.write_bytes(content)
    assert quick() is None
    assert long_way().allowed
    assert quick().allowed


def test_a_plan_cut_short_anywhere_is_no_plan(root):
    long_way()
    (path,) = cache()
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert quick() is None


def test_a_plan_that_others_could_write_is_not_believed(root):
    long_way()
    (path,) = cache()
    path.chmod(0o620)
    assert quick() is None


def test_a_plan_of_another_user_is_not_believed(root, monkeypatch):
    long_way()
    key = fast_gate._key(("demo",), None)
    monkeypatch.setattr(fast_gate, "_key", lambda labs, ledger: key)
    assert quick() is not None
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    assert quick() is None


def test_a_link_in_place_of_the_plan_is_not_followed(root, tmp_path):
    long_way()
    (path,) = cache()
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    assert quick() is None


def test_without_the_flag_the_account_counts_and_a_contradiction_goes_the_long_way(root, monkeypatch):
    import pwd

    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    long_way()
    assert quick(as_user=None).username == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setenv("LOGNAME", "somebody-else-entirely")
    assert quick(as_user=None) is None


def test_a_book_that_cannot_be_asked_shuts_the_gate(root):
    long_way()
    for path in root.glob("book.db*"):
        path.unlink() if path.is_file() else shutil.rmtree(path)
    (root / "book.db").write_bytes(b"nonsense" * 1000)
    with pytest.raises(ReservationBackendError):
        quick()


def test_a_cache_that_cannot_be_written_harms_nobody(root):
    write(Path(os.environ["HOME"], ".cache"), "a file in place of the folder")
    assert long_way().allowed
    assert quick() is None


def test_the_quick_road_loads_nothing_heavy(root):
    long_way()
    code = (
        "import sys\nfrom bespeak.reservations.fast_gate import try_fast_gate\n"
        "assert try_fast_gate(('demo',), as_user='alice').allowed\n"
        "heavy = ('dataclasses', 'typing', 'json', 'logging', 'pathlib', 're', 'tomllib', 'click', 'inspect', 'contextlib')\n"
        "print(sorted(name for name in heavy if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"


def _edit(root: Path, step: tuple[str, int]) -> None:
    kind, number = step
    if kind == "lab":
        write(root / "lab.toml", f'name = "demo"\nresources = ["{"abc"[number]}"]\n')
    elif kind == "hosts":
        write(root / "hosts.json", f'[{{"id": "h", "labs": ["demo"], "resources": ["{"abc"[number]}"]}}]')
    elif kind == "remove":
        (root / ("lab.toml", "hosts.json", ".otto/settings.toml")[number]).unlink(missing_ok=True)
    elif kind == "settings":
        write(root / ".bespeak/settings.toml", (SETTINGS, SETTINGS.replace("book", "other"), "x = [")[number])
    elif kind == "otto":
        write(root / ".otto/settings.toml", SETTINGS)
    else:
        with open_ledger(str(root / "book.db")) as book:
            book.release_mine(Holder(("alice", "bob", "carol")[number]))


STEPS = st.tuples(st.sampled_from(["lab", "hosts", "remove", "settings", "otto", "book"]), st.integers(0, 2))


@given(st.lists(STEPS, min_size=1, max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_edited_the_two_roads_agree(tmp_path_factory, monkeypatch, steps):
    root = tmp_path_factory.mktemp("repo")
    write(root / ".bespeak/settings.toml", SETTINGS)
    write(root / "lab.toml", 'name = "demo"\nresources = ["a"]\n')
    open_ledger(str(root / "other.db"), durable=False).close()
    with open_ledger(str(root / "book.db"), durable=False) as book:
        book.reserve(Request(("a", "b"), Holder("alice")))
    monkeypatch.chdir(root)
    for step in steps:
        settle(root)
        _edit(root, step)
        answer = quick()
        try:
            report = long_way()
        except (UsageError, NoContextError):
            assert answer is None
            continue
        assert answer is None or answer == report
        assert quick() is None or quick() == report


class TestPrepare:
    def test_no_lab_named(self, root):
        with pytest.raises(UsageError, match=r"^Missing option '--lab' / '-l' \(env var: 'BESPEAK_LAB'\)\.$"):
            prepare_gate(())
        with pytest.raises(UsageError, match="Missing option"):
            load_lab(())

    def test_an_unknown_lab(self, root):
        with pytest.raises(NoContextError, match="there is no lab 'dmeo'; did you mean demo"):
            long_way(("dmeo",))

    def test_a_lab_alone(self, root):
        assert load_lab(("demo",)).resources == {"a", "b"}

    def test_a_state_alone_needs_no_lab(self, root):
        state = load_state(as_user="alice", skip_reservation_check=False)
        assert state.backend.backend_name() == "ledger"

    def test_broken_reservation_settings_stop_only_who_does_not_skip(self, root):
        write(root / ".bespeak/settings.toml", "reservations = 3")
        with pytest.raises(SettingsError, match=r"^Invalid \[reservations\] settings"):
            long_way()
        assert long_way(skip_reservation_check=True).skipped

    def test_the_same_gate_can_be_asked_again(self, root):
        prepared = prepare_gate(("demo",), as_user="alice")
        assert prepared.report().allowed
        with open_ledger(str(root / "book.db")) as book:
            book.release_mine(Holder("alice"))
        assert not prepared.report().allowed
