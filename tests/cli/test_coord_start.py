"""What the commands of coord may load, above all ``check``, which hooks call before each edit."""

import ast
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress

from support.repositories import git

PROGRAM = """
import sys
before = set(sys.modules)
from bespeak.cli.main import main
code = main(sys.argv[1:])
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(repr([code, sorted(loaded - {"bespeak"}), sorted(sys.modules)]), file=sys.stderr)
"""


def words(text):
    return set(text.split())


HEAVY = words("typing json re enum click dataclasses inspect logging pathlib tomllib argparse subprocess hashlib")
HEAVY |= words("contextlib tempfile shutil socket ssl urllib uuid decimal traceback psycopg asyncio importlib")


def run(cwd, *argv, said=""):
    command = [sys.executable, "-c", PROGRAM, "coord", *argv]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, input=said)
    code, loaded, modules = ast.literal_eval(done.stderr.splitlines()[-1])
    return code, set(loaded), set(modules)


def test_a_check_loads_the_database_and_nothing_heavy(tmp_path):
    git(tmp_path, "init", "-q")
    code, loaded, _ = run(tmp_path, "check", "a.py")
    assert (code, loaded & HEAVY) == (0, set())
    assert "sqlite3" not in loaded  # nothing was ever claimed here
    assert run(tmp_path, "reserve", "b.py", "--run-id", "other")[0] == 0
    code, loaded, modules = run(tmp_path, "check", "a.py")
    assert (code, loaded & HEAVY) == (0, set())
    assert "sqlite3" in loaded
    assert not {name for name in modules if name.startswith(("bespeak.ledger", "bespeak.settings", "bespeak.labs"))}
    assert "bespeak.coord.globs" not in modules


def test_an_agents_hook_loads_what_a_check_does_and_nothing_heavy(tmp_path):
    git(tmp_path, "init", "-q")
    said = '{"session_id": "s", "tool_name": "Edit", "tool_input": {"file_path": "a.py", "new_string": "x"}}'
    code, loaded, _ = run(tmp_path, "guard", "edit", "--refuse", said=said)
    assert (code, loaded & HEAVY) == (0, set())
    assert "sqlite3" not in loaded  # nothing was ever claimed here
    assert run(tmp_path, "reserve", "b.py", "--run-id", "other")[0] == 0
    code, loaded, modules = run(tmp_path, "guard", "edit", "--refuse", said=said)
    assert (code, loaded & HEAVY) == (0, set())
    assert not {name for name in modules if name.startswith(("bespeak.ledger", "bespeak.settings", "bespeak.labs"))}
    assert "bespeak.coord.git_hooks" not in modules


def test_no_command_on_claims_starts_git_or_loads_click(tmp_path):
    git(tmp_path, "init", "-q")
    for argv in (["reserve", "a.py"], ["list"], ["release", "--mine"], ["dag"], ["intent", "a.py", "--op", "move"]):
        code, loaded, _ = run(tmp_path, *argv)
        assert (code, loaded & (HEAVY - {"json", "re", "enum", "hashlib"})) == (0, set())


def on_a_terminal(*words):
    """Return what a command prints on a terminal, and its exit code."""
    parent, child = pty.openpty()
    argv = [sys.executable, "-m", "bespeak", "coord", *words]
    done = subprocess.run(argv, stdout=child, check=False, env=os.environ | {"TZ": "Asia/Tokyo"})
    os.close(child)
    shown = b""
    with suppress(OSError):  # how a terminal says that nobody writes to it any more
        while piece := os.read(parent, 4096):
            shown += piece
    os.close(parent)
    return shown.decode(), done.returncode


def test_times_have_their_zone_on_a_terminal_and_are_as_the_contract_has_them_elsewhere(cli, project):
    plain, zones = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", r" UTC, \d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? JST"
    shown, code = on_a_terminal("reserve", "src/a.py", "--run-id", "a")
    assert code == 0
    assert re.search(f" Expires: {plain}{zones}\r\n", shown)
    assert re.search(f" Expires: {plain}\n", cli("coord", "reserve", "src/b.py", "--run-id", "a").stdout)
    shown, code = on_a_terminal("check", "src/a.py", "--run-id", "b")
    assert code == 7
    assert re.search(rf"\(expires {plain}{zones}\)\r\n", shown)
    assert re.search(rf"\(expires {plain}\)\n", cli("coord", "check", "src/a.py", "--run-id", "b").stdout)
