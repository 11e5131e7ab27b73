"""Reading files without surprises, and names made safe to print."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.base.errors import NoContextError
from bespeak.base.fileio import read_regular, settled, signature
from bespeak.base.paths import anchored, user_folder, working_directory


class TestReadRegular:
    def test_content_and_signature_belong_together(self, tmp_path):
        path = tmp_path / "f"
        path.write_bytes(b"abc")
        assert read_regular(str(path)) == (b"abc", signature(str(path)))

    def test_links_are_followed(self, tmp_path):
        (tmp_path / "f").write_bytes(b"abc")
        (tmp_path / "link").symlink_to(tmp_path / "f")
        assert read_regular(str(tmp_path / "link"))[0] == b"abc"

    @pytest.mark.parametrize("kind", ["pipe", "directory", "device", "nothing", "loop"])
    def test_what_is_no_file_is_an_error_at_once(self, tmp_path, kind):
        path = tmp_path / "x"
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "directory":
            path.mkdir()
        elif kind == "device":
            path.symlink_to("/dev/zero")
        elif kind == "loop":
            path.symlink_to(path)
        with pytest.raises(OSError):
            read_regular(str(path))

    def test_the_limit(self, tmp_path):
        path = tmp_path / "f"
        path.write_bytes(b"x" * 11)
        assert read_regular(str(path), limit=11)[0] == b"x" * 11
        with pytest.raises(OSError, match="larger than 10 bytes"):
            read_regular(str(path), limit=10)


class TestSignature:
    def test_nothing_there(self, tmp_path):
        assert signature(str(tmp_path / "x")) is None
        (tmp_path / "file").write_text("")
        assert signature(str(tmp_path / "file" / "x")) is None

    def test_what_cannot_be_looked_at_is_not_taken_for_absent(self, tmp_path):
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        with pytest.raises(OSError):
            signature(str(tmp_path / "loop"))

    def test_each_change_shows(self, tmp_path):
        path = tmp_path / "f"
        path.write_text("a")
        seen = {signature(str(path))}
        path.write_text("ab")
        seen.add(signature(str(path)))
        path.chmod(0o600)
        os.utime(path, (1, 1))
        seen.add(signature(str(path)))
        other = tmp_path / "g"
        other.write_text("ab")
        os.utime(other, (1, 1))
        other.replace(path)
        seen.add(signature(str(path)))
        assert len(seen) == 4

    def test_a_file_is_settled_two_seconds_after_its_last_change(self):
        second = 10**9
        assert settled((5 * second, 6 * second, 0, 0, 0), 8 * second + 1)
        assert not settled((5 * second, 6 * second, 0, 0, 0), 8 * second)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("rack[1] ü 漢", "rack[1] ü 漢"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x9b\x7f", "\\x9b\\x7f"),
        ("\u202e\u200b", "\\u202e\\u200b"),
        ("\ud800", "\\ud800"),
        ("", ""),
    ],
)
def test_safe(text, printed):
    assert escape_unprintable(text) == printed
    assert escape_unprintable(text).isprintable()


@pytest.mark.parametrize(
    ("value", "printed"),
    [("x", "'x'"), (3, "3"), ("x" * 500, "'" + "x" * 119 + "..."), ("\x1b", "'\\x1b'")],
)
def test_shown(value, printed):
    assert short_repr(value) == printed


def test_shown_survives_a_number_too_long_to_write_out():
    assert short_repr(10**5000) == "<int>"


def test_nearest():
    assert suggest("rak1", ["rack1", "rack2", "psu"]) == ["rack1", "rack2"]
    assert suggest("zzz", ["rack1"]) == []


class TestPlaces:
    @pytest.mark.parametrize(
        ("path", "absolute"), [("a/../b", "/r/b"), ("/x//y", "/x/y"), ("//x", "/x"), ("~/a", "/home/me/a"), (".", "/r")]
    )
    def test_anchored(self, monkeypatch, path, absolute):
        monkeypatch.setenv("HOME", "/home/me")
        assert anchored(path, "/r") == absolute

    @pytest.mark.parametrize(("value", "folder"), [("/x", "/x"), ("", "/h/.cache"), ("rel", "/h/.cache")])
    def test_user_folder(self, value, folder):
        assert user_folder({"XDG_CACHE_HOME": value, "HOME": "/h"}, "cache") == f"{folder}/bespeak"

    def test_a_working_directory_that_was_removed(self, tmp_path, monkeypatch):
        gone = tmp_path / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()
        with pytest.raises(NoContextError, match="the working directory cannot be used"):
            working_directory()


def test_settings_load_no_toml_reader_where_there_is_no_file(tmp_path):
    code = (
        "import sys; from bespeak.settings import ledger_url; ledger_url()\n"
        "print([name for name in ('tomllib', 're', 'typing', 'pathlib', 'dataclasses', 'json') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"
