"""``bespeak_symbols`` is a package of its own: it works where there is no bespeak at all."""

import os
import subprocess
import sys
from pathlib import Path

import tree_sitter

import bespeak_symbols
from bespeak_symbols import backend
from support import corpus

SOURCE = Path(bespeak_symbols.__file__).parent
ALONE = """
import pkgutil, sys
from importlib import import_module

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "bespeak":
            raise ModuleNotFoundError(f"no module named {name}")

sys.meta_path.insert(0, Absent())
import bespeak_symbols
for module in pkgutil.walk_packages(bespeak_symbols.__path__, "bespeak_symbols."):
    import_module(module.name)
"""
READ = """
from bespeak_symbols import backend
for path, text in {"a.py": b"def f(): g()", "a.ts": b"function f() { g() }", "A.java": b"class f { void g() {} }",
                   "a.rs": b"fn f() { g() }", "a.go": b"package f; func f() { g() }", "a.c": b"int f() { g(); }",
                   "a.cpp": b"int f() { g(); }"}.items():
    reader = backend.load()
    print(*sorted(symbol.name for symbol in reader.extract(reader.language_of(path), text, path).symbols))
"""
WORKERS = """
import sys
sys.path.insert(0, sys.argv[1])
from bespeak_symbols import backend, worker_processes
from bespeak_symbols.cache import Key
from bespeak_symbols.extraction import ExtractionTask
from object_texts import Texts

native = backend.load()
tasks = [ExtractionTask(Key(f"def f{number}(): pass", ".py", "1"), "python") for number in range(5)]
answers = worker_processes.read("native", Texts(), tasks, 2)
print(*sorted(name for _, entry in answers for name, _ in entry.definitions))
"""
TEXTS = """
class Texts:
    def many(self, blobs):
        return [(blob, blob.encode()) for blob in blobs]

    def recipe(self):
        return "object_texts", "Texts", ()

    def close(self):
        pass
"""


def test_every_module_is_imported_and_every_family_reads_where_bespeak_cannot_be():
    done = subprocess.run([sys.executable, "-c", ALONE + READ], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["f", "f", "f f.g", "f", "f", "f", "f"]


def test_bespeak_is_missed_by_who_needs_it():
    done = subprocess.run([sys.executable, "-c", ALONE + "import bespeak"], capture_output=True, text=True, check=False)
    assert "no module named bespeak" in done.stderr


def test_workers_find_the_package_where_their_parent_found_it(tmp_path):
    site = Path(tree_sitter.__file__).parent.parent
    for name in os.listdir(site):
        if name.startswith("tree_sitter"):
            (tmp_path / name).symlink_to(site / name)
    (tmp_path / "bespeak_symbols").symlink_to(SOURCE)
    (tmp_path / "object_texts.py").write_text(TEXTS)
    python = getattr(sys, "_base_executable", sys.executable)
    words = [python, "-I", "-c", WORKERS, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.split() == ["f0", "f1", "f2", "f3", "f4"]


def test_a_backend_names_itself_and_its_languages():
    native = backend.load()
    assert native.NAME == backend.DEFAULT
    assert {native.language_of(path) for path in corpus.sources("python")} == {"python"}
    assert native.language_of("words.txt") is None
    assert native.has_separate_declarations("c")
    assert not native.has_separate_declarations("go")
    assert len({native.version(language) for language in ("c", "go", "rust")}) == 3
