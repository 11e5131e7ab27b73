"""The container file: what runs in it is no root, and what it copies is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bespeak.cli.index import PROGRAM

ROOT = Path(__file__).parents[3]
LINES = re.sub(r"\\\n\s*", "", (ROOT / "Containerfile").read_text(encoding="utf-8")).splitlines()


def last(word):
    return [line.partition(" ")[2] for line in LINES if line.startswith(f"{word} ")][-1]


def test_nothing_runs_as_root_and_the_command_is_there():
    user, _, group = last("USER").partition(":")
    assert 0 not in (int(user), int(group))
    assert f"--uid {user}" in last("RUN")
    program, command = json.loads(last("ENTRYPOINT"))
    assert program == PROGRAM.name
    assert command in [entry.name for entry in PROGRAM.entries]


def test_what_is_copied_is_there_and_the_extras_exist():
    copied = [word for line in LINES if re.match(r"COPY [^-]", line) for word in line.split()[1:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (named,) = re.findall(r"'\.\[(.*?)\]'", "\n".join(LINES))
    assert [name for name in named.split(",") if f"\n{name} = [" not in extras] == []
