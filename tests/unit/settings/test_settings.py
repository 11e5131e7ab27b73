"""Which settings count, what they say, and where the book is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bespeak.base.errors import NoContextError, UsageError
from bespeak.base.paths import public_url
from bespeak.settings import SettingsError, files, find_repos, ledger_place, ledger_url, load_settings
from support.trusting import trust


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home")}


def write(root: Path, text: str | bytes, folder: str = ".bespeak") -> Path:
    path = root / folder / "settings.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_the_nearest_directory_upwards_counts(tmp_path, env):
    write(tmp_path, 'name = "outer"')
    write(tmp_path / "inner", 'name = "inner"')
    deep = tmp_path / "inner" / "a" / "b"
    deep.mkdir(parents=True)
    assert [repo.name for repo in find_repos(str(deep), env)] == ["inner"]
    assert [repo.name for repo in find_repos(str(tmp_path), env)] == ["outer"]


def test_our_folder_counts_before_ottos_and_ottos_counts_alone(tmp_path, env):
    write(tmp_path, 'name = "otto"', ".otto")
    assert find_repos(str(tmp_path), env)[0].name == "otto"
    write(tmp_path, 'name = "ours"')
    assert find_repos(str(tmp_path), env)[0].name == "ours"


def test_no_settings_are_no_repos_and_every_place_looked_at_is_listed(tmp_path, env):
    settings = load_settings(str(tmp_path), env)
    assert settings.repos == []
    assert settings.sources == []
    looked = [path for path, _ in settings.consulted]
    assert looked[:2] == [f"{tmp_path}/.bespeak/settings.toml", f"{tmp_path}/.otto/settings.toml"]
    assert looked[-2:] == [f"{tmp_path}/home/.config/bespeak/settings.toml", "/etc/bespeak/settings.toml"]


def test_the_machine_s_settings_count_last(tmp_path, env, monkeypatch):
    system = tmp_path / "etc.toml"
    monkeypatch.setattr(files, "SYSTEM_PATH", str(system))
    system.write_text('[ledger]\nurl = "/srv/shared.db"\ndefault_for = "1h"\n')
    assert (ledger_place(cwd=str(tmp_path), environ=env).url, ledger_place(cwd=str(tmp_path), environ=env).source) == (
        "/srv/shared.db",
        str(system),
    )
    assert ledger_place(cwd=str(tmp_path), environ=env, own=True).url == "/srv/shared.db"
    own = tmp_path / "home" / ".config" / "bespeak" / "settings.toml"
    own.parent.mkdir(parents=True)
    own.write_text('[ledger]\nurl = "/mine.db"\n')
    assert ledger_place(cwd=str(tmp_path), environ=env).url == "/mine.db"
    assert load_settings(str(tmp_path), env).ledger_value("default_for") == ("1h", str(system))


@pytest.mark.parametrize("place", ["system", "user", "repo"])
def test_a_required_book_is_never_replaced_by_a_private_one(tmp_path, env, monkeypatch, place):
    system = tmp_path / "etc.toml"
    monkeypatch.setattr(files, "SYSTEM_PATH", str(system))
    path = {
        "system": system,
        "user": tmp_path / "home" / ".config" / "bespeak" / "settings.toml",
        "repo": tmp_path / ".bespeak" / "settings.toml",
    }[place]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[ledger]\nrequire = true\n")
    for own in (False, True):
        with pytest.raises(NoContextError, match=r"no book is named here, and .* says \[ledger\] require = true"):
            ledger_place(cwd=str(tmp_path), environ=env, own=own)
    assert ledger_place("b.db", cwd=str(tmp_path), environ=env).url == f"{tmp_path}/b.db"
    env["BESPEAK_LEDGER"] = "/named.db"
    assert ledger_place(cwd=str(tmp_path), environ=env).url == "/named.db"


@pytest.mark.parametrize("separator", [":", ","])
@pytest.mark.parametrize("variable", ["BESPEAK_SUT_DIRS", "OTTO_SUT_DIRS"])
def test_several_repositories_by_environment(tmp_path, env, variable, separator):
    write(tmp_path / "a", 'name = "A"')
    write(tmp_path / "b", 'name = "B"', ".otto")
    env[variable] = separator.join([str(tmp_path / "b"), str(tmp_path / "a"), str(tmp_path / "b")])
    assert [repo.name for repo in find_repos(str(tmp_path), env)] == ["B", "A"]


def test_a_named_directory_without_settings_is_an_error(tmp_path, env):
    env["BESPEAK_SUT_DIRS"] = str(tmp_path / "nothing")
    with pytest.raises(NoContextError, match=r"BESPEAK_SUT_DIRS names .*/nothing, which has neither"):
        find_repos(str(tmp_path), env)


def test_the_attributes_that_otto_code_reads(tmp_path, env):
    write(
        tmp_path,
        'name = "sut"\nversion = "1.2.3"\nlabs = ["labs", "${sut_dir}/more", "/abs"]\nlibs = ["lib"]\ninit = ["a.b"]\n'
        '[reservations]\nbackend = "json"\n[reservations.json]\npath = "${sut_dir}/r.json"\n',
    )
    trust(tmp_path, env)
    repo = find_repos(str(tmp_path), env)[0]
    assert repo.sut_dir == tmp_path
    assert (repo.name, repo.version) == ("sut", "1.2.3")
    assert repo.labs == [tmp_path / "labs", tmp_path / "more", Path("/abs")]
    assert repo.libs == [tmp_path / "lib"]
    assert repo.init == ["a.b"]
    assert repo.reservation_settings == {"backend": "json", "json": {"path": f"{tmp_path}/r.json"}}
    assert repo.settings["reservations"]["json"]["path"] == "${sut_dir}/r.json"


def test_tables_instead_of_lists(tmp_path, env):
    write(tmp_path, '[init]\nmodules = ["m"]\n[labs]\nsearch = ["here"]\n')
    trust(tmp_path, env)
    repo = find_repos(str(tmp_path), env)[0]
    assert repo.init == ["m"]
    assert repo.lab_search == [f"{tmp_path}/here"]


@pytest.mark.parametrize(
    ("text", "attribute", "message"),
    [
        ("labs = 3", "lab_search", "labs must be a list of texts, not 3"),
        ("labs = [1]", "lab_search", r"labs\[0\] must be a text, not 1"),
        ("[labs]\nsaerch = []", "lab_search", r"\[labs\] has no setting 'saerch'; known: search"),
        ('libs = [""]', "libs", r"libs\[0\] must be a text, not ''"),
        ('[init]\nmodules = "m"', "init", r"\[init\] modules must be a list of texts, not 'm'"),
        ("[init]\nmodule = []", "init", r"\[init\] has no setting 'module'"),
        ("reservations = 1", "reservation_settings", r"^Invalid \[reservations\] settings: .*must be a table, not 1"),
        ("ledger = 1", "ledger", "ledger must be a table, not 1"),
        ("[ledger]\nurl = 1", "ledger", r"\[ledger\] url must be a text, not 1"),
        ('[ledger]\nurl = ""', "ledger", r"\[ledger\] url must be a text, not ''"),
        ('[ledger]\nstrict = "yes"', "ledger", r"\[ledger\] strict must be true or false, not 'yes'"),
        ("[ledger]\ndefault_for = 4", "ledger", r"\[ledger\] default_for must be a text, not 4"),
        (
            "[ledger]\nurll = 1",
            "ledger",
            r"\[ledger\] has no setting 'urll'; known: default_for, kickers, require, strict, url",
        ),
        ('[ledger]\nkickers = "root"', "ledger", r"\[ledger\] kickers must be a list of texts, not 'root'"),
        ('[ledger]\nkickers = [""]', "ledger", r"\[ledger\] kickers must be a list of texts, not \[''\]"),
        ('[ledger]\nurl = "mysql://x"', "ledger", r"\[ledger\] url: unsupported ledger URL scheme 'mysql'"),
        ('[ledger]\nurl = ":memory:"', "ledger", r"\[ledger\] url: ':memory:' is not a path"),
    ],
)
def test_a_wrong_value_is_named_with_file_and_field(tmp_path, env, text, attribute, message):
    path = write(tmp_path, text)
    with pytest.raises(UsageError, match=message) as caught:
        getattr(find_repos(str(tmp_path), env)[0], attribute)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"name = ", "is not TOML"),
        (b"\xff", "is not UTF-8"),
        (b"x = " + b"[" * 20000, "nested too deeply"),
        (b"x = " + b"1" * 5000, "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_understood_is_an_error_not_an_absence(tmp_path, env, raw, message):
    path = write(tmp_path, raw)
    with pytest.raises(SettingsError, match=message) as caught:
        find_repos(str(tmp_path), env)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_is_harmless(tmp_path, env):
    write(tmp_path, b"\xef\xbb\xbfname = 'x'")
    assert find_repos(str(tmp_path), env)[0].name == "x"


def test_a_named_pipe_does_not_hang(tmp_path, env):
    (tmp_path / ".bespeak").mkdir()
    os.mkfifo(tmp_path / ".bespeak" / "settings.toml")
    with pytest.raises(SettingsError, match="not a regular file"):
        find_repos(str(tmp_path), env)


def test_a_directory_in_place_of_the_file_is_an_error(tmp_path, env):
    (tmp_path / ".bespeak" / "settings.toml").mkdir(parents=True)
    with pytest.raises(SettingsError, match="cannot be read"):
        find_repos(str(tmp_path), env)


def test_a_huge_file_is_refused(tmp_path, env):
    path = write(tmp_path, "")
    os.truncate(path, 17 * 1024 * 1024)
    with pytest.raises(SettingsError, match="larger than"):
        find_repos(str(tmp_path), env)


def test_a_settings_error_is_a_value_error_and_a_usage_error():
    assert issubclass(SettingsError, ValueError)
    assert SettingsError.exit_code == 2


class TestWhereTheBookIs:
    def test_the_order_of_precedence(self, tmp_path, env):
        env["XDG_DATA_HOME"] = str(tmp_path / "data")
        assert self.place(None, tmp_path, env) == (f"{tmp_path}/data/bespeak/book.sqlite3", "default")
        user = write(tmp_path / "home" / ".config", '[ledger]\nurl = "u.db"', "bespeak")
        assert self.place(None, tmp_path, env) == (f"{tmp_path}/home/.config/bespeak/u.db", str(user))
        repo = write(tmp_path, '[ledger]\nurl = "r.db"')
        assert self.place(None, tmp_path, env) == (f"{tmp_path}/r.db", str(repo))
        env["BESPEAK_LEDGER"] = "e.db"
        assert self.place(None, tmp_path, env) == (f"{tmp_path}/e.db", "BESPEAK_LEDGER")
        assert self.place("f.db", tmp_path, env) == (f"{tmp_path}/f.db", "--ledger")

    @staticmethod
    def place(flag, cwd, env):
        place = ledger_place(flag, cwd=str(cwd), environ=env)
        return place.url, place.source

    def test_without_xdg_it_is_below_home(self, tmp_path, env):
        assert ledger_url(cwd=str(tmp_path), environ=env) == f"{tmp_path}/home/.local/share/bespeak/book.sqlite3"

    def test_relative_xdg_folders_are_ignored(self, tmp_path, env):
        env["XDG_DATA_HOME"] = "data"
        assert ledger_url(cwd=str(tmp_path), environ=env).startswith(f"{tmp_path}/home/.local/share")

    def test_paths_in_settings_start_at_the_root_wherever_one_stands(self, tmp_path, env):
        write(tmp_path, '[ledger]\nurl = "books/one.db"')
        (tmp_path / "deep").mkdir()
        assert ledger_url(cwd=str(tmp_path / "deep"), environ=env) == f"{tmp_path}/books/one.db"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("postgresql://u@h/db?x=1", "postgresql://u@h/db?x=1"),
            ("postgres://h/db", "postgres://h/db"),
            ("sqlite:////abs//x.db", "/abs/x.db"),
            ("sqlite:///abs/x.db", "/abs/x.db"),
            ("sqlite://x.db", "CWD/x.db"),
            ("../x.db", "UP/x.db"),
        ],
    )
    def test_the_kinds_of_place(self, tmp_path, env, text, expected):
        expected = expected.replace("CWD", str(tmp_path)).replace("UP", str(tmp_path.parent))
        assert ledger_url(text, cwd=str(tmp_path), environ=env) == expected

    @pytest.mark.parametrize("text", ["", "mysql://h/d", ":memory:", "a\0b", "sqlite://"])
    def test_what_is_no_place_is_refused(self, tmp_path, env, text):
        with pytest.raises(UsageError, match="--ledger"):
            ledger_url(text, cwd=str(tmp_path), environ=env)

    def test_broken_settings_do_not_matter_to_who_names_the_book(self, tmp_path, env):
        write(tmp_path, "not toml")
        assert ledger_url("x.db", cwd=str(tmp_path), environ=env) == f"{tmp_path}/x.db"

    def test_each_value_is_decided_by_the_first_that_says_it(self, tmp_path, env):
        first = write(tmp_path / "a", "[ledger]\nstrict = false")
        second = write(tmp_path / "b", '[ledger]\nstrict = true\ndefault_for = "2h"')
        env["BESPEAK_SUT_DIRS"] = f"{tmp_path}/a:{tmp_path}/b"
        settings = load_settings(str(tmp_path), env)
        assert settings.ledger_value("strict") == (False, str(first))
        assert settings.ledger_value("default_for") == ("2h", str(second))
        assert settings.ledger_value("url") == (None, "")

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("postgresql://bob:secret@host:5/db?password=secret", "postgresql://bob@host:5/db"),
            ("postgresql://bob:sec/r@et@host/db", "postgresql://bob@host/db"),
            ("postgresql://host/db", "postgresql://host/db"),
            ("/a/b\x1b", "/a/b\\x1b"),
        ],
    )
    def test_passwords_are_never_shown(self, url, shown):
        assert public_url(url) == shown


@pytest.mark.parametrize("key", ["reservations", "labs", "libs", "init"])
def test_user_settings_cannot_open_a_gate_or_import_code(tmp_path, env, key):
    write(tmp_path / "home" / ".config", f"{key} = []", "bespeak")
    with pytest.raises(SettingsError, match=f"{key} belongs into the settings of a repository"):
        load_settings(str(tmp_path), env)


def test_settings_that_a_stranger_left_in_an_open_directory_are_refused(tmp_path, env, monkeypatch):
    path = write(tmp_path, "")
    tmp_path.chmod(0o777)
    assert len(find_repos(str(tmp_path), env)) == 1
    owner = os.stat(path).st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    if owner == 0:  # root is trusted, so give the file to somebody else
        os.chown(path, 4242, -1)
    with pytest.raises(SettingsError, match="belongs to another user"):
        find_repos(str(tmp_path), env)
    env["BESPEAK_SUT_DIRS"] = str(tmp_path)
    assert len(find_repos(str(tmp_path), env)) == 1


@pytest.mark.parametrize("link", [".otto", ".otto/settings.toml"])
def test_a_stranger_s_link_to_the_user_s_own_settings_is_refused(tmp_path, env, monkeypatch, link):
    place, own = tmp_path / "open", write(tmp_path / "mine", "", ".otto")
    (place / "sub").mkdir(parents=True)
    (place / link).parent.mkdir(exist_ok=True)
    (place / link).symlink_to(own.parent if link == ".otto" else own)
    place.chmod(0o1777)
    assert len(find_repos(str(place / "sub"), env)) == 1
    lstat = os.lstat

    def as_a_stranger_s(path, **options):
        found = lstat(path, **options)
        if os.fspath(path) != str(place / link):
            return found
        return os.stat_result([*found[:4], 4242, *found[5:]])

    monkeypatch.setattr(os, "lstat", as_a_stranger_s)
    with pytest.raises(SettingsError, match="belongs to another user"):
        find_repos(str(place / "sub"), env)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("file", "is not a folder"),
        ("link", "is not a folder"),
        ("settings link", "a link to nothing"),
        ("misspelt", "there is only setting.toml in its folder"),
    ],
)
def test_what_lies_in_the_place_of_settings_is_no_absence(tmp_path, env, what, told):
    write(tmp_path, "", ".otto")
    folder = tmp_path / ".bespeak"
    if what == "file":
        folder.touch()
    elif what == "link":
        folder.symlink_to(tmp_path / "nothing")
    else:
        folder.mkdir()
    if what == "settings link":
        (folder / "settings.toml").symlink_to(tmp_path / "nothing")
    elif what == "misspelt":
        (folder / "setting.toml").touch()
    with pytest.raises(UsageError, match=rf"\.bespeak/settings\.toml: cannot be read: .*{told}"):
        find_repos(str(tmp_path), env)


def test_a_folder_without_settings_is_passed_over(tmp_path, env):
    write(tmp_path, "", ".otto")
    (tmp_path / ".bespeak").mkdir()
    (repo,) = find_repos(str(tmp_path), env)
    assert repo.for_otto
