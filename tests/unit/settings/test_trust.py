"""What a record of trust covers, and what it does not."""

import importlib._bootstrap_external as bootstrap
import importlib.util
import os
import sys
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base import paths
from bespeak.base.errors import UsageError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.settings import find_repos, load_settings
from bespeak.settings.trust import Folder, UntrustedError, read_record, record_path, records
from bespeak.settings.verified_import import importing
from support.trusting import trust

SETTINGS = 'libs = ["lib"]\ninit = ["pkg.one"]\n[ledger]\nurl = "/elsewhere/book.db"\n'


@pytest.fixture
def env(tmp_path):
    return {"HOME": str(tmp_path / "home")}


@pytest.fixture
def root(tmp_path, env):
    """A trusted folder with an init module."""
    folder = tmp_path / "repo"
    (folder / ".bespeak").mkdir(parents=True)
    (folder / ".bespeak" / "settings.toml").write_text(SETTINGS)
    (folder / "lib" / "pkg").mkdir(parents=True)
    (folder / "lib" / "pkg" / "__init__.py").write_text("")
    (folder / "lib" / "pkg" / "one.py").write_text("x = 1\n")
    trust(folder, env)
    return folder


def asks(root, env):
    """Return whether trust in the book and in the code is asked for again."""
    repo = find_repos(str(root), env)[0]
    answers = []
    for name in ("ledger", "init"):
        try:
            getattr(repo, name)
        except UntrustedError:
            answers.append(True)
        else:
            answers.append(False)
    return answers


def test_nothing_is_asked_while_nothing_changes(root, env, tmp_path):
    assert asks(root, env) == [False, False]
    (root / "README").write_text("anything else may change")
    assert asks(root / "lib", env) == [False, False]
    (tmp_path / "link").symlink_to(root)
    assert asks(tmp_path / "link", env) == [False, False]


@pytest.mark.parametrize(
    "path", ["lib/pkg/one.py", "lib/pkg/__init__.py", "lib/pkg.py", "lib/pkg/one/__init__.py", "lib/pkg/one.abi3.so"]
)
def test_another_module_file_is_other_code(root, env, path):
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).write_text("y = 2\n")
    assert asks(root, env) == [False, True]


def test_a_module_that_is_gone_is_other_code(root, env):
    (root / "lib" / "pkg" / "one.py").unlink()
    assert asks(root, env) == [False, True]


def test_the_error_says_what_to_do_in_one_line(root, env):
    (root / ".bespeak" / "settings.toml").write_text(SETTINGS + "strict = true\n")
    with pytest.raises(WrongStateError) as caught:
        load_settings(str(root), env).ledger_value("url")
    assert caught.value.exit_code == 6
    assert str(caught.value) == (
        f"{root}/.bespeak/settings.toml names a book (/elsewhere/book.db), and has changed since its folder was trusted; "
        f"read it, then: bespeak trust {root}"
    )


@given(at=st.integers(0, len(SETTINGS)), cut=st.integers(0, 3), put=st.binary(max_size=3))
def test_any_edit_of_the_settings_revokes(tmp_path_factory, at, cut, put):
    root = tmp_path_factory.getbasetemp() / "edited"
    root.mkdir(exist_ok=True)
    env = {"HOME": str(root.parent / "home")}
    raw = SETTINGS.encode()
    edited = raw[:at] + put + raw[at + cut :]
    path = str(root / ".bespeak" / "settings.toml")
    record = Folder(str(root), path, raw, env).trust({}, "now")
    assert Folder(str(root), path, edited, env).covered_by(record) == (edited == raw)


def test_trust_is_of_one_folder_its_settings_file_and_its_owner(root, env, tmp_path):
    raw = SETTINGS.encode()
    path = str(root / ".bespeak" / "settings.toml")
    record = records(env)[0]
    assert Folder(str(root), path, raw, env).covered_by(record)
    assert not Folder(str(root), str(root / ".otto" / "settings.toml"), raw, env).covered_by(record)
    assert not Folder(str(root), None, None, env).covered_by(record)
    record = replace(record, owner=record.owner + 1)
    assert not Folder(str(root), path, raw, env).covered_by(record)
    root.rename(tmp_path / "moved")
    assert asks(tmp_path / "moved", env) == [True, True]


def spoil_mode(path):
    path.chmod(0o640)


def spoil_folder(path):
    path.parent.chmod(0o770)


def spoil_link(path):
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def spoil_pipe(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def spoil_content(path):
    path.write_text('{"format": 1, "folder": []}')


@pytest.mark.parametrize("spoil", [spoil_mode, spoil_folder, spoil_link, spoil_pipe, spoil_content])
def test_a_record_that_others_may_have_written_is_none(root, env, spoil):
    from pathlib import Path

    path = Path(record_path(os.path.realpath(root), env))
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert read_record(str(path)) is not None
    spoil(path)
    assert read_record(str(path)) is None
    assert asks(root, env) == [True, True]


def test_code_that_made_its_settings_itself_needs_no_trust(tmp_path):
    from bespeak.settings.repo import Repo

    repo = Repo(str(tmp_path), "made", {"init": ["m"], "libs": ["lib"], "ledger": {"url": "/elsewhere.db"}})
    assert repo.init == ["m"]
    assert repo.ledger == {"url": "/elsewhere.db"}


def test_the_user_s_own_settings_need_no_trust(tmp_path, env):
    own = tmp_path / "home" / ".config" / "bespeak"
    own.mkdir(parents=True)
    (own / "settings.toml").write_text('[ledger]\nurl = "postgresql://h/d?service=lab"\n')
    assert load_settings(str(tmp_path), env).ledger_value("url")[0] == "postgresql://h/d?service=lab"


def test_a_link_leads_out_of_the_folder(tmp_path, env):
    root = tmp_path / "repo"
    (root / ".bespeak").mkdir(parents=True)
    (root / "book.db").symlink_to(tmp_path / "elsewhere.db")
    (root / ".bespeak" / "settings.toml").write_text('[ledger]\nurl = "book.db"\n')
    with pytest.raises(UntrustedError):
        load_settings(str(root), env).ledger_value("url")
    (root / "sub").symlink_to(tmp_path)
    text = '[reservations]\nbackend = "json"\n[reservations.json]\npath = "sub/../inside.json"\n'
    (root / ".bespeak" / "settings.toml").write_text(text)
    with pytest.raises(UntrustedError):
        _ = find_repos(str(root), env)[0].reservation_settings


REFUSED = [
    "service=lab",
    "passfile=/tmp/x",
    "hostaddr=10.0.0.1",
    "options=-csearch_path%3Dx",
    "sslkey=engine:x",
    "sslke%79=engine%3Ax",
    "sslmode=require&gsslib=x",
    "sslkeylogfile=/tmp/keys",
    "application_name=@evil/db?sslkey=engine:x",
    "application_name=a?sslkey=engine:x",
]


@pytest.mark.parametrize("query", REFUSED)
def test_a_repository_may_not_give_every_parameter_of_a_url(root, env, query):
    for text in (
        f'[ledger]\nurl = "postgresql://h/d?{query}"\n',
        f'[ledger]\nurl = "postgresql://h?{query}"\n',
    ):
        (root / ".bespeak" / "settings.toml").write_text(text)
        with pytest.raises(UsageError):
            trust(root, env)
        assert asks(root, env)[0]
    (root / ".bespeak" / "settings.toml").write_text(
        f'[reservations]\nbackend = "ledger"\nurl = "postgresql://h/d?{query}"\n'
    )
    with pytest.raises(UsageError):
        trust(root, env)


def test_a_forged_record_does_not_let_a_refused_parameter_in(root, env):
    raw = b'[ledger]\nurl = "postgresql://h/d?service=x"\n'
    path = root / ".bespeak" / "settings.toml"
    path.write_bytes(raw)
    Folder(str(root), str(path), raw, env).trust({}, "now")
    with pytest.raises(UsageError, match="'service' is not accepted from a repository"):
        load_settings(str(root), env).ledger_value("url")


def test_every_documented_parameter_is_accepted():
    query = "&".join(f"{name}=x" for name in sorted(paths.SETTINGS_PARAMETERS))
    paths.refuse_parameters(f"postgresql://h/d?{query}", "here")
    paths.refuse_parameters("/a/path?service=x", "here")


def test_bytecode_of_the_repository_is_not_run(root, env, tmp_path, monkeypatch):
    from bespeak.reservations.factory import load_init_modules

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    marker = tmp_path / "ran"
    source = root / "lib" / "pkg" / "one.py"
    planted = bootstrap._code_to_hash_pyc(
        compile(f"open({str(marker)!r}, 'w').close()", str(source), "exec"), b"\0" * 8, False
    )
    cached = importlib.util.cache_from_source(str(source))
    os.makedirs(os.path.dirname(cached), exist_ok=True)
    with open(cached, "wb") as stream:
        stream.write(planted)
    before = sys.pycache_prefix
    load_init_modules(find_repos(str(root), env))
    assert sys.modules.pop("pkg.one").x == 1
    sys.modules.pop("pkg")
    assert not marker.exists()
    assert sys.pycache_prefix == before


@pytest.fixture
def compared(root, env, monkeypatch):
    """The verified content of the init modules' files, with ``lib`` on the import path."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(root / "lib")])
    yield find_repos(str(root), env)[0].verified_code()
    for name in ("pkg.one", "pkg"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("path", ["lib/pkg/one.py", "lib/pkg/__init__.py"])
def test_a_module_that_is_replaced_after_the_comparison_does_not_run(root, compared, path):
    (root / path).write_text("raise SystemExit('replaced')\n")
    with importing(compared):
        module = importlib.import_module("pkg.one")
    assert module.x == 1
    assert module.__file__ == str(root / "lib" / "pkg" / "one.py")


@pytest.mark.parametrize("path", ["lib/pkg/one/__init__.py", f"lib/pkg/one{EXTENSION_SUFFIXES[0]}"])
def test_a_module_file_that_appears_after_the_comparison_does_not_run(root, compared, path):
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).write_text("x = 2\n")
    with importing(compared), pytest.raises(ImportError, match="after it was compared"):
        importlib.import_module("pkg.one")
    assert "pkg.one" not in sys.modules


def test_what_is_no_init_module_is_imported_as_usual(root, compared):
    before = list(sys.meta_path)
    (root / "lib" / "pkg" / "two.py").write_text("y = 2\n")
    with importing(compared):
        assert importlib.import_module("pkg.two").y == 2
    sys.modules.pop("pkg.two")
    assert sys.meta_path == before


@pytest.mark.parametrize("lib", ["tools.zip", "tools.zip/inner", "linked"])
def test_an_archive_is_no_place_for_init_modules(tmp_path, env, lib):
    (tmp_path / ".bespeak").mkdir()
    (tmp_path / ".bespeak" / "settings.toml").write_text(f'libs = ["{lib}"]\ninit = ["one"]\n')
    with zipfile.ZipFile(tmp_path / "tools.zip", "w") as archive:
        archive.writestr("one.py", "")
        archive.writestr("inner/one.py", "")
    (tmp_path / "linked").symlink_to("tools.zip")
    with pytest.raises(UsageError, match=f"libs: .*/{lib} is not a directory"):
        trust(tmp_path, env)
    for name in ("libs", "init"):
        with pytest.raises(UsageError, match="not imported from archives"):
            getattr(find_repos(str(tmp_path), env)[0], name)
    assert records(env) == []


def test_the_page_of_the_settings_lists_the_accepted_parameters():
    from pathlib import Path

    page = (Path(__file__).parents[3] / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    part = page[page.index("Even a trusted repository") : page.index("Others (`service`")]
    listed = {word.strip("`,.\n") for word in part.split() if word.startswith("`") and "://" not in word} - {"?"}
    assert listed == set(paths.SETTINGS_PARAMETERS)
