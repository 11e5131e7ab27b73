"""A real git repository with a few Python files, and its index."""

import pytest

from bespeak.coord.symbol_index import open_index
from bespeak.git import repository
from support.repositories import git

FILES = {
    "app/__init__.py": "",
    "app/store.py": "class Store:\n    def save(self, item):\n        return check(item)\n\n\ndef check(item):\n    return item\n",
    "app/main.py": "from app.store import Store, check\n\n\ndef run():\n    store = Store()\n    store.save(1)\n    return check(2)\n",
    "app/other.py": "from app import main\n\n\ndef twice():\n    return main.run(), main.run()\n",
    "README.md": "words\n",
}


class Project:
    """A repository that tests change and read."""

    def __init__(self, root):
        self.root = root

    def git(self, *words):
        return git(self.root, *words)

    def write(self, path, content):
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, message="change"):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    @property
    def repository(self):
        return repository.find(str(self.root))

    def index(self, **options):
        return open_index(self.repository, **options)

    @property
    def cache_file(self):
        return self.root / ".git" / "bespeak" / "symbols.sqlite3"


@pytest.fixture
def empty(tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    return Project(root)


@pytest.fixture
def project(empty):
    for path, text in FILES.items():
        empty.write(path, text)
    empty.commit()
    return empty
