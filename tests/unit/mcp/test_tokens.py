"""Tokens of servers on a port: made once, kept for the account alone, never taken from where others write."""

from __future__ import annotations

import os

import pytest

from bespeak.base.errors import UnavailableError, UsageError
from bespeak.mcp import tokens


def test_a_token_is_made_once_for_a_port(tmp_path):
    folder = str(tmp_path / "a" / "b")
    token, path = tokens.kept(folder, "127.0.0.1", 8765)
    assert tokens.kept(folder, "127.0.0.1", 8765) == (token, path)
    assert (os.stat(path).st_mode & 0o777, os.stat(folder).st_mode & 0o777) == (0o600, 0o700)
    assert tokens.given(f"file:{path}") == token
    other, elsewhere = tokens.kept(folder, "../::1", 8765)
    assert other != token
    assert os.path.dirname(elsewhere) == folder


@pytest.mark.parametrize("harm", ["open to the group", "a link", "a pipe", "empty", "no token", "a folder"])
def test_a_file_that_is_not_the_accounts_own_secret_is_refused(tmp_path, harm):
    _, path = tokens.kept(str(tmp_path), "h", 1)
    if harm == "open to the group":
        os.chmod(path, 0o640)
    elif harm in ("empty", "no token"):
        with open(path, "w") as file:
            file.write("" if harm == "empty" else "two words")
    else:
        os.rename(path, path + ".old")
        if harm == "a link":
            os.symlink(path + ".old", path)
        elif harm == "a pipe":
            os.mkfifo(path, 0o600)
        else:
            os.mkdir(path)
    for asked in (lambda: tokens.kept(str(tmp_path), "h", 1), lambda: tokens.given(f"file:{path}")):
        with pytest.raises(UsageError, match="--token: "):
            asked()


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="the token cannot be kept in "):
        tokens.kept(str(tmp_path / "file" / "folder"), "h", 1)


@pytest.mark.parametrize("said", ["hunter2", "env:", "file:", "env:NOT_SET", "file:/no\0where", "http://x"])
def test_a_secret_is_not_typed(said):
    with pytest.raises(UsageError) as caught:
        tokens.given(said)
    assert "hunter2" not in str(caught.value)
