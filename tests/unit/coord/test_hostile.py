"""Any bytes as input: one clear line, the right exit code, never a traceback."""

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bespeak.cli.main import main

LINES = [
    ["reserve"], ["check"], ["intent", "--op", "move"], ["list", "--address"], ["release"], ["heartbeat"],
    ["depend", "--on"], ["reserve", "x", "--run-id"], ["reserve", "x", "--ttl"], ["reserve", "x", "--op"],
    ["reserve", "x", "--depends-on"], ["reserve", "x", "--key"], ["gc", "--older-than"], ["intent", "x", "--detail"],
    ["list", "--branch"], ["guard"], ["dag", "--format"],
]  # fmt: skip
anything = st.text(st.characters(exclude_characters="\0"), max_size=20) | st.sampled_from(
    [
        "\udcff",
        "[",
        "a::::",
        "::",
        "**",
        "[!]",
        "[]",
        "[a-",
        "~",
        "-",
        "--",
        "a/../..",
        "x" * 3000,
        "\u202e",
        "a\nb::c\nd",
    ]
)


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_no_argument_makes_a_traceback(line, repo, capsys):
    @settings(max_examples=25, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
    @given(anything)
    def check(text):
        code = main(["coord", *line, text])
        out, err = capsys.readouterr()
        assert code in (0, 1, 2, 4, 7)
        assert "Traceback" not in out + err
        assert "internal error" not in out + err
        assert not {"\x1b", "\x07", "\u202e"} & set(out + err)

    check()


def test_raw_bytes_as_words(repo):
    for raw in (b"\xff\xfe", b"\x1b[2J", b"src/\xc3\x28.py::f"):
        for line in (
            [b"reserve", raw],
            [b"reserve", b"x", b"--run-id", raw],
            [b"check", raw],
            [b"list", b"--branch", raw],
        ):
            done = subprocess.run(
                [sys.executable.encode(), b"-m", b"bespeak", b"coord", *line], capture_output=True, check=False
            )
            assert done.returncode in (0, 1, 7)
            assert b"Traceback" not in done.stderr
            assert b"\x1b" not in done.stdout + done.stderr


def test_a_damaged_book_is_one_line(run, repo):
    run("reserve", "x")
    (repo / ".git" / "bespeak" / "coord.sqlite3").write_bytes(b"not a database" * 100)
    for suffix in ("-wal", "-shm"):
        (repo / ".git" / "bespeak" / f"coord.sqlite3{suffix}").unlink(missing_ok=True)
    for words in (["reserve", "x"], ["check", "x"], ["list"], ["release", "--mine"]):
        answer = run(*words)
        assert (answer.code, answer.err.count("\n")) == (9, 1)


def test_a_branch_of_any_bytes(run, repo):
    head = os.fsencode(repo / ".git" / "HEAD")
    with open(head, "wb") as file:
        file.write(b"ref: refs/heads/\xff\x1b[31m\n")
    assert run("reserve", "x").code == 0
    assert "\x1b" not in run("list").out
