"""Which modules are written for a fast start, and why; all others are ordinary Python.

A module on the list avoids ``typing``, ``dataclasses`` and their like, because it is loaded by a command that people, hooks
or jobs wait for. A module that is not on the list has no such reason, and must not avoid them.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from bespeak.ledger import open_ledger
from support.repositories import git

SOURCES = Path(__file__).resolve().parents[3] / "src"
HEAVY = {"typing", "dataclasses", "pathlib", "inspect", "logging", "subprocess", "asyncio", "click", "argparse"}
HEAVY |= {"tempfile", "shutil", "socket", "ssl", "urllib", "uuid", "decimal", "traceback", "tomllib", "zoneinfo"}

HOT_PATH = {
    "every command loads them before anything is done": """
        argv: declarations fast_parser
        cli: index main
    """,
    "commands that fail, as a script expects of a question: who, job status": """
        argv: option_names
    """,
    "commands on the book: reserve, release, list, who, run": """
        base: clock display errors exitcodes failpoints fileio frozen ids json_text lazy_attributes natural_order
            paths time_windows timeparse timezones wallclock
        access: __init__ schema
        cli: context converters errors formatting log modify needs output process_tree reserve resource run
            show signals supervise watchdog
        ledger: __init__ actions administer approvals audit_log availability backfill batches by_need change_checks context current_hold errors gains grant
            handing_over holders host_actions keepalive kick_notices lease listing_filter listing_pages lookalikes model modify occupancy open_from_settings policy
            queries queue quotas rebooking releasing request_checks resources resources_like rights row_mapping row_text rules schema
            serialize service surrounding_hold timeline validation visibility waiting write_operations
        reservations: __init__ identity
        settings: __init__ files repo trust trusted_places
        storage: __init__ migrations row_shape sqlite sqlite_files sqlite_readonly steady_clock time_limit
            wakeups
    """,
    "commands on a book that has rules": """
        access: decide model store
    """,
    "the same commands on a book on a server": """
        base: codec http_url
        client: connection credentials requests stream wakeups
        ledger: idempotency operations problems remote remote_calls remote_gate
        coord: operations remote_claims
    """,
    "the inventory: resource add, set, list": """
        ledger: constraints maintenance inventory.__init__ inventory.compare inventory.csv_cells inventory.edit inventory.in_use inventory.model
            inventory.name_patterns inventory.name_ranges inventory.whole_and_parts inventory.listing inventory.read inventory.serialize inventory.sync inventory.table
            inventory.write opening_hours
    """,
    "the gate, which a hook asks before each command": """
        cli: gate gate_monitor reservation
        ledger: gate gate_queries open_gate
        reservations: errors fast_gate report
    """,
    "claims on code, which hooks ask for before each edit and commit": """
        base: process_identity
        cli: coord_agent_hook coord_check coord_command coord_guard coord_modify coord_reserve coord_show
        coord: address address_parser agent_hooks claims claims_book conflicts dependencies errors events git_hooks
            globs intents locations missing_addresses model queries run_id schema serialize service session_runs states
            validation
        git: branch errors files ownership private_dir process repository
    """,
    "job reservations, and the dispatcher, whose start a waiting job waits for": """
        base: runner_alias
        jobs: attempts book_changes booking_returns claim_state claiming cli commands.create commands.manage commands.needs
            commands.query concurrency contract_times daemon dispatcher dispatcher_parts dispatcher_session events follow hold_limits hold_watch
            job_ends liveness locations metrics model queries resource_bookings resource_scope rows runner_client.call_lock
            runner_client.full_command runner_client.helper runner_client.job_calls runner_client.job_proxy
            runner_client.location runner_client.process runner_client.replies run_limits schedule_turns schema sd_notify serialize signals store
            reservation_text takeover timerfd
        storage: ownership
    """,
    "the runner: each start of a job is one process of it": """
        cli: orchesjob
        runner: acceptance batch_starts clean cli exit_record helper_server launch logs model query_commands serialize service start_commands
            status stop store supervisor_server supervisors validation
    """,
}

PROGRAM = """
import sys
from bespeak.cli.main import main
main(sys.argv[1:])
ours = [module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] in ("bespeak", "bespeak_symbols")]
print(repr(ours), file=sys.stderr)
"""


def on_the_list():
    """Return the files of the list with why each is on it."""
    found = {SOURCES / "bespeak" / "__init__.py": "every command loads it"}
    for why, text in HOT_PATH.items():
        room = ""
        for word in text.split():
            if word.endswith(":"):
                room = word[:-1]
            else:
                found[SOURCES / "bespeak" / room / (word.replace(".", "/") + ".py")] = why
    return found


ON_THE_LIST = on_the_list()


def at_the_top(tree):
    """Return the packages that a module imports when it is loaded."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_every_module_of_the_list_exists():
    assert [path for path in ON_THE_LIST if not path.exists()] == []


def test_a_module_of_the_list_imports_nothing_heavy():
    heavy = {
        str(path.relative_to(SOURCES)): sorted(found)
        for path in ON_THE_LIST
        if (found := HEAVY & set(at_the_top(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert heavy == {
        "bespeak/git/process.py": ["subprocess"],
        "bespeak/client/connection.py": ["socket"],
    }, "starting git and connecting to a server is what these modules are for"


def test_no_other_module_avoids_typing_and_dataclasses():
    avoiding = []
    for path in sorted(SOURCES.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path not in ON_THE_LIST and ("TYPE_CHECKING = False" in text or "bespeak.base.frozen import" in text):
            avoiding.append(str(path.relative_to(SOURCES)))
    assert avoiding == [], "write ordinary Python, or say in HOT_PATH which short command loads the module"


@pytest.mark.parametrize(
    "command",
    [
        *("reserve rack3 --for 2h", "who rack3", "list", "log", "run rack4 -- true", "release --mine", "coord list"),
        *("job list", "job reserve --run-key k -- true", "job health", "runner status --running"),
    ],
)
def test_a_short_command_loads_modules_of_the_list_only(command, tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESJOB_HOME", str(tmp_path / "jobs"))
    git(tmp_path, "init", "-q")
    open_ledger(str(tmp_path / "book")).close()
    argv = [sys.executable, "-c", PROGRAM, "--ledger", str(tmp_path / "book"), *command.split()]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, check=False)
    files = {Path(path) for path in ast.literal_eval(done.stderr.splitlines()[-1])}
    assert SOURCES / "bespeak" / "cli" / "main.py" in files
    written = {path for path in files if not empty(path)}
    assert {str(path.relative_to(SOURCES)) for path in written - ON_THE_LIST.keys()} == set()


def empty(path):
    """Tell whether a module is a docstring and nothing else."""
    return len(ast.parse(path.read_text(encoding="utf-8")).body) <= 1
