"""What git is given on standard input arrives whole, however long git takes."""

import os
import shutil

import pytest

from bespeak.base.errors import UnavailableError
from bespeak.git import process
from bespeak.git.objects import blob_id
from bespeak.git.process import Git
from bespeak.git.repository import find


def test_input_larger_than_a_pipe_arrives_when_git_is_slow_to_read(trapped, monkeypatch):
    monkeypatch.setattr(process, "PATIENCE_SECONDS", 1e-6)
    text = b"0123456789abcde\n" * 200_000
    with Git(find(str(trapped.root))) as git:
        told = git.run("hash-object", "--stdin", data=text)
    assert told.decode().strip() == blob_id(text, "sha1")


def test_no_input_is_an_empty_one(trapped):
    with Git(find(str(trapped.root))) as git:
        assert git.run("hash-object", "--stdin") == git.run("hash-object", "--stdin", data=b"")


def test_input_that_cannot_be_written_is_told(trapped):
    with Git(find(str(trapped.root))) as git:
        shutil.rmtree(git.folder)
        with pytest.raises(UnavailableError, match="git's input cannot be written: No such file or directory"):
            git.run("hash-object", "--stdin", data=b"x")
        os.mkdir(git.folder)
