"""What each command may load. A budget in modules does not flicker with the machine as one in milliseconds would.

Modules that the bare interpreter has anyway do not count. When a command needs something new, add it here, and say
in the change what it costs to start.
"""

import ast
import subprocess
import sys

import pytest

PROGRAM = """
import sys
before = set(sys.modules)
from bespeak.cli.main import main
code = main(sys.argv[1:])
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
rooms = {".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("bespeak.")}
print(repr([code, sorted(name for name in loaded - {"bespeak"} if not name.startswith("_")), sorted(rooms)]), file=sys.stderr)
"""


def names(text):
    return set(text.split())


DATABASE = names("sqlite3 datetime time math collections operator keyword reprlib itertools functools binascii select")
DATABASE |= names("threading types enum json re copyreg contextlib random errno bisect")
WHO = names("getpass pwd termios warnings io stat os")
NEVER = names("click dataclasses inspect typing logging pathlib tomllib argparse subprocess asyncio psycopg zoneinfo")
NEVER |= names("importlib tempfile shutil socket ssl urllib uuid decimal traceback")

BOOK_COMMANDS = [
    ["reserve", "rack3", "--for", "2h", "--purpose", "x"],
    ["release", "--mine"],
    ["list"],
    ["list", "--json"],
    ["who", "rack3"],
    ["free"],
    ["log"],
    ["resource", "list"],
    ["resource", "add", "rack9"],
]


def run(argv, cwd):
    done = subprocess.run([sys.executable, "-c", PROGRAM, *argv], capture_output=True, text=True, cwd=cwd, check=False)
    code, loaded, rooms = ast.literal_eval(done.stderr.splitlines()[-1])
    return code, set(loaded), set(rooms), done


@pytest.mark.parametrize("argv", BOOK_COMMANDS, ids=" ".join)
def test_a_command_on_the_book_loads_the_database_and_little_else(argv, tmp_path):
    code, loaded, rooms, _ = run(["--ledger", str(tmp_path / "book"), *argv], tmp_path)
    assert code == 0
    assert not loaded & NEVER
    assert loaded <= DATABASE | WHO
    assert not rooms & {
        "bespeak.labs",
        "bespeak.lifecycle",
        "bespeak.dispatch",
        "bespeak.runner",
        "bespeak.configmodule",
    }


def test_the_version_loads_nothing(tmp_path):
    code, loaded, rooms, done = run(["--version"], tmp_path)
    assert (code, done.stdout[:8]) == (0, "bespeak ")
    assert loaded <= set()
    assert rooms == {"bespeak.argv", "bespeak.cli"}


def test_help_loads_click_but_no_database_and_no_lab(tmp_path):
    for argv in (["gate", "--help"], ["reserve", "--help"], ["--help"], ["reservation", "check", "--help"]):
        code, loaded, rooms, done = run(argv, tmp_path)
        assert code == 0
        assert "Usage: bespeak" in done.stdout
        assert "sqlite3" not in loaded
        assert not rooms & {"bespeak.labs", "bespeak.reservations", "bespeak.ledger", "bespeak.storage"}


def test_the_hook_asks_the_gate_without_settings_or_labs(tmp_path):
    """The second question of a hook takes the quick road, once the files have rested for a moment."""
    import os
    import time

    folder = tmp_path / ".bespeak"
    folder.mkdir()
    (folder / "settings.toml").write_text('[reservations]\nbackend = "ledger"\n')
    (tmp_path / "lab.toml").write_text('[labs.demo]\nresources = ["rack1"]\n')
    old = time.time() - 3600
    for path in (folder / "settings.toml", tmp_path / "lab.toml", folder, tmp_path):
        os.utime(path, (old, old))
    time.sleep(2.1)  # the kernel's change time cannot be set back
    argv = ["--ledger", str(tmp_path / "book"), "--as-user", "alice"]
    assert run([*argv, "reserve", "rack1"], tmp_path)[0] == 0
    assert run([*argv, "gate", "-l", "demo"], tmp_path)[0] == 0
    code, loaded, rooms, done = run([*argv, "gate", "-l", "demo"], tmp_path)
    assert (code, "alice" in done.stdout) == (0, True)
    assert not loaded & (NEVER | {"json", "re", "enum"})
    assert not rooms & {"bespeak.labs", "bespeak.settings", "bespeak.when"}
