"""Programs of ours that we start take no module from the folder they are started in."""

import ast
import asyncio
from pathlib import Path

import bespeak
from bespeak.host.power.ipmi import _ask_child

SOURCES = sorted(Path(bespeak.__file__).parent.rglob("*.py"))


def interpreters(tree):
    """Yield what follows ``sys.executable`` in each list, tuple and call."""
    for node in ast.walk(tree):
        items = node.args if isinstance(node, ast.Call) else getattr(node, "elts", [])
        for at, item in enumerate(items):
            if isinstance(item, ast.Attribute) and item.attr == "executable" and at + 1 < len(items):
                yield node.lineno, ast.unparse(items[at + 1])


def test_each_interpreter_that_is_started_leaves_the_folder_off_its_path():
    found = {
        f"{path.name}:{line}": word for path in SOURCES for line, word in interpreters(ast.parse(path.read_bytes()))
    }
    assert found
    assert {place: word for place, word in found.items() if word != "'-P'"} == {}


def test_a_module_of_the_folder_is_not_imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("json", "bespeak", "asyncio"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').close()\n")
    answer = asyncio.run(_ask_child(b"nonsense", "hunter2"))
    assert isinstance(answer, dict)
    assert not (tmp_path / "ran").exists()


def test_an_empty_password_takes_no_variable_away(monkeypatch):
    given = {}
    start = asyncio.create_subprocess_exec

    async def recording(*words, **options):
        given.update(options["env"])
        return await start(*words, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", recording)
    monkeypatch.setenv("OF_THE_LAB", "kept")
    asyncio.run(_ask_child(b"nonsense", ""))
    assert given["OF_THE_LAB"] == "kept"
    monkeypatch.setenv("OF_THE_LAB", "has hunter2 in it")
    given.clear()
    asyncio.run(_ask_child(b"nonsense", "hunter2"))
    assert "OF_THE_LAB" not in given
