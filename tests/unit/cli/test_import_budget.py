"""What a command must never import, by group of commands. A named list does not flicker with the machine as a time would.

The modules named are those that cost a short command a noticeable part of its start; whatever else the standard library
loads for itself is its own affair.
"""

import ast
import subprocess
import sys

import pytest

from bespeak.base.clock import HOUR_US
from bespeak.base.exitcodes import ExitCode
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from support.commands import ALL_PROGRAMS as PROGRAMS

PROGRAM = """
import sys
before = set(sys.modules)
from bespeak.cli.main import main
code = main(sys.argv[1:])
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
ours = [name for name in sys.modules if name.startswith("bespeak.")]
print(repr([code, sorted(loaded - {"bespeak"}), ours]), file=sys.stderr)
"""


def names(text):
    return set(text.split())


NEVER = names("click dataclasses inspect typing logging pathlib tomllib argparse subprocess asyncio psycopg zoneinfo")
NEVER |= names("importlib tempfile shutil socket ssl urllib uuid decimal traceback")
PARSERS = names("bespeak.argv bespeak.argv.declarations bespeak.argv.fast_parser bespeak.cli bespeak.cli.index")
"""What reading a well-formed command line needs of ours."""

OTHER_ROOMS = names("labs lifecycle jobs runner configmodule host coord mcp")

BOOK_COMMANDS = [
    ["reserve", "rack3", "--for", "2h", "--purpose", "x"],
    ["reserve", "taken", "--for", "2h", "--purpose", "x"],
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
    code, loaded, ours = ast.literal_eval(done.stderr.splitlines()[-1])
    return code, set(loaded), set(ours), done


def rooms(modules):
    return {name.split(".")[1] for name in modules}


@pytest.mark.parametrize("argv", BOOK_COMMANDS, ids=" ".join)
def test_a_command_on_the_book_loads_nothing_heavy_and_no_other_room(argv, tmp_path):
    with open_ledger(str(tmp_path / "book")) as ledger:
        ledger.reserve(Request(("taken",), Holder("alice"), duration_us=HOUR_US))
    code, loaded, ours, _ = run(["--ledger", str(tmp_path / "book"), *argv], tmp_path)
    assert code == (ExitCode.BUSY if "taken" in argv else 0)
    assert "sqlite3" in loaded
    assert not loaded & (NEVER if argv[0] == "resource" else NEVER | {"json"})
    assert not rooms(ours) & OTHER_ROOMS


@pytest.mark.parametrize(
    ("argv", "module"),
    [
        (["who", "rack3"], "bespeak.cli.show"),
        (["resource", "list"], "bespeak.cli.resource"),
        (["job", "status", "--run-key", "k"], "bespeak.jobs.commands.query"),
        (["job", "list"], "bespeak.jobs.commands.query"),
        (["runner", "status", "--running"], "bespeak.runner.query_commands"),
        (["runner", "unlock", "--run-key", "k"], "bespeak.runner.start_commands"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_loads_its_own_module_and_no_other_commands(argv, module, tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESJOB_HOME", str(tmp_path / "jobs"))
    _, loaded, ours, _ = run(["--ledger", str(tmp_path / "book"), *argv], tmp_path)
    modules = {entry.target.partition(":")[0] for program in PROGRAMS for entry in leaves(program)}
    own = {"bespeak.jobs.cli", "bespeak.runner.cli"}
    assert (ours & modules) - own == {module}
    assert not loaded & names("click dataclasses inspect typing logging pathlib argparse subprocess asyncio")


def leaves(program):
    return [leaf for entry in program.entries for leaf in entry.entries or (entry,)]


def test_the_version_loads_nothing(tmp_path):
    code, loaded, ours, done = run(["--version"], tmp_path)
    assert (code, done.stdout[:8]) == (0, "bespeak ")
    assert loaded <= {"__future__"}
    assert ours == PARSERS | {"bespeak.cli.main"}


def test_help_loads_click_but_no_database_and_no_lab(tmp_path):
    for argv in (["gate", "--help"], ["reserve", "--help"], ["--help"], ["reservation", "check", "--help"]):
        code, loaded, ours, done = run(argv, tmp_path)
        assert code == 0
        assert "Usage: bespeak" in done.stdout
        assert "sqlite3" not in loaded
        assert not rooms(ours) & {"labs", "reservations", "storage"}
        assert "bespeak.ledger.service" not in ours


def test_the_list_of_commands_imports_none_of_them(tmp_path):
    for argv in (["--help"], ["coord", "--help"]):
        _, _, ours, _ = run(argv, tmp_path)
        assert rooms(ours) <= {"argv", "cli", "base"}
        assert {name for name in ours if name.startswith("bespeak.base.")} <= {
            "bespeak.base.errors",
            "bespeak.base.display",
        }
        assert not [name for name in ours if name.startswith("bespeak.cli.coord")]


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
    code, loaded, ours, done = run([*argv, "gate", "-l", "demo"], tmp_path)
    assert (code, "alice" in done.stdout) == (0, True)
    assert not loaded & (NEVER | {"json", "re", "enum"})
    assert not rooms(ours) & {"labs", "settings"}
    assert "bespeak.base.timeparse" not in ours
    code, loaded, ours, done = run([*argv, "gate", "-l", "demo", "--", "/bin/true"], tmp_path)
    assert (code, "alice" in done.stderr) == (0, True)
    assert not loaded & (NEVER | {"json", "re"})
    assert not rooms(ours) & {"labs"}
    assert "bespeak.ledger.model" not in ours
