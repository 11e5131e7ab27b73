"""The published orchesjob beside ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from support import peervenv

ORCHESJOB = "orchesjob==1.1.0"
OLDEST_PYTHON = (3, 12)


class Runner:
    """One of the two runners as a program, with a home of its own."""

    def __init__(self, words: list[str], home: str) -> None:
        self.words = words
        self.home = home

    def call(self, *words: str) -> subprocess.CompletedProcess:
        environment = {**os.environ, "ORCHESJOB_HOME": self.home}
        return subprocess.run(
            [*self.words, *words],
            env=environment,
            capture_output=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def json(self, *words: str):
        done = self.call(*words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def orchesjob() -> str:
    """The published program."""
    try:
        python = peervenv.find_python(OLDEST_PYTHON)
        return peervenv.environment("orchesjob", [ORCHESJOB], python=python).program("orchesjob")
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def theirs(orchesjob, tmp_path) -> Runner:
    return Runner([orchesjob], str(tmp_path / "theirs"))


@pytest.fixture
def ours(tmp_path) -> Runner:
    return Runner([sys.executable, "-m", "bespeak.runner"], str(tmp_path / "ours"))
