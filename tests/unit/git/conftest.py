"""What tests of the room that runs git stand on."""

import pytest

from support.traps import Trapped


@pytest.fixture
def trapped(tmp_path, monkeypatch):
    """A repository of somebody else, to stand in."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    made = Trapped(tmp_path)
    monkeypatch.chdir(made.root)
    return made
