"""The reference cannot lag behind the program: every command, option, exit code and JSON key is compared with it."""

import json
import os
import pwd
import re
import shlex
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from bespeak.base.errors import ExitCode
from bespeak.cli.main import main
from bespeak.ledger.open_from_settings import open_book
from bespeak.notices import outbox, store
from bespeak.operations.exchange import Item, dump
from support import clipage
from support.commands import COMMANDS, PROGRAMS
from support.redfish_service import redfish_service
from support.repositories import git
from support.trusting import trust

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"

ME = pwd.getpwuid(os.getuid()).pw_name


def test_the_page_of_the_command_line_is_the_one_that_the_table_gives():
    message = "docs/reference/cli.md is out of date: python tests/support/clipage.py"
    assert (REFERENCE / "cli.md").read_text(encoding="utf-8") == clipage.page(), message


def test_every_exit_code_is_in_its_table():
    page = (REFERENCE / "exit-codes.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE))
    assert rows == {str(int(code)): code.name for code in ExitCode}


def documented():
    page = (REFERENCE / "json.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    found = {}
    for section in sections:
        block = re.search(r"^```json\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
        found[section.partition("\n")[0]] = json.loads(block[1]) if block else None
    return found


def test_every_command_has_a_schema():
    assert {name for name in documented() if name != "Errors"} == {
        *(command.name for command in COMMANDS),
        *(program.name.rpartition(" ")[2] for program in PROGRAMS),
    }


def same_keys(shown, printed, where):
    """Compare the keys of two documents; ``...`` in the page stands for what is described elsewhere."""
    if isinstance(shown, dict) and "..." not in shown and where != ".tags":
        assert isinstance(printed, dict), where
        assert list(shown) == list(printed), where
        for key, value in shown.items():
            same_keys(value, printed[key], f"{where}.{key}")
    elif isinstance(shown, list) and isinstance(printed, list) and shown and printed and shown[0] != "...":
        same_keys(shown[0], printed[0], where + "[]")
    elif isinstance(shown, dict) and where != ".tags":
        assert isinstance(printed, dict), where


SWITCHED = """
[[hosts]]
id = "{name}"
kind = "local"
labs = ["bench"]
console = {{ type = "tcp", address = "127.0.0.1", port = {port} }}
[hosts.power_control]
type = "command"
on_cmd = "echo on > {name}"
off_cmd = "echo off > {name}"
status_cmd = "cat {name} || echo off"
status_on = "on"
cycle_delay = 0.01
"""
MANAGED = """
[[hosts]]
id = "node1"
labs = ["bench"]
power_control = {{ type = "redfish", url = "{url}" }}
"""
CHECK = '[health.ping]\ncommand = ["true"]\nresources = ["licences"]\n'
PLACES = "board9: {acquired: host/carol, aliases: [], comment: '', matches: [], tags: {}}\n"


@pytest.fixture(scope="module")
def controller():
    """A management controller that speaks Redfish."""
    with redfish_service() as found:
        chassis = "/redfish/v1/Chassis/1"
        found.add("1", "On", Status={"Health": "OK"}, Links={"Chassis": [{"@odata.id": chassis}]})
        found.pages[chassis] = {"Thermal": {"@odata.id": f"{chassis}/Thermal"}}
        found.pages[f"{chassis}/Thermal"] = {"Fans": [{"Name": "fan1", "Reading": 2100, "Status": {"Health": "OK"}}]}
        yield found


@pytest.fixture(scope="module")
def console_port():
    """The port of a console that says one thing and listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            kept = []
            with suppress(OSError):
                while True:
                    kept.append(server.accept()[0])
                    kept[-1].sendall(b"login: ")
            for connection in kept:
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def sample(tmp_path, monkeypatch, capfd, controller, console_port):
    """A lab, a book with something in it, and a function that runs a command line and returns what it printed."""
    (tmp_path / ".bespeak").mkdir()
    (tmp_path / ".bespeak" / "settings.toml").write_text('[reservations]\nbackend = "ledger"\n' + CHECK)
    (tmp_path / "lab.toml").write_text(
        '[labs.demo]\nresources = ["rack1"]\n[[hosts]]\nid = "h"\nlabs = ["demo"]\naddress = "127.0.0.1"\n'
        + "".join(SWITCHED.format(name=name, port=console_port) for name in ("router1", "router2", "plug7"))
        + MANAGED.format(url=controller.url)
    )
    trust(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORCHESJOB_HOME", str(tmp_path / "jobs"))

    def run(line, *, code=0):
        capfd.readouterr()
        assert main(shlex.split(line)) == code, (line, capfd.readouterr())
        return capfd.readouterr()

    (tmp_path / "inventory.toml").write_text("[resources.licences]\nseats = 3\n[resources.new]\n")
    run("resource add licences --capacity 2")
    run("--as-user bob reserve rack1 --for 1h")
    return run


def made(run, what="x"):
    return json.loads(run(f"--as-user alice reserve {what} --for 1h --json").out)["id"]


def booked(run, what="ahead"):
    return json.loads(run(f"--as-user alice reserve {what} --at '2031-02-01 9:00' --for 1h --json").out)["id"]


def series(run):
    every = "--every 'weekday 22:00' --at '2040-05-01 9:00' --count 12 --for 2h --json"
    return json.loads(run(f"--as-user alice reserve rack-{os.urandom(4).hex()} {every}").out)["id"]


LINES = {
    "reserve": "--as-user alice reserve rack9 --for 1h --purpose p --tag a=b",
    "extend": "--as-user alice extend {id} --for 1h",
    "shorten": "--as-user alice shorten {id} --for 10m",
    "release": "--as-user alice release {id}",
    "series list": "series list",
    "report": "report",
    "export": "export",
    "import": "import lab.json",
    "calendar show": "calendar show",
    "series show": "series show {series}",
    "series cancel": "--as-user alice series cancel {series} --only 2040-05-03",
    "series edit": "--as-user alice series edit {series} --time 21:00",
    "move": "--as-user alice move {pending} --at '2031-03-01 9:00'",
    "transfer": "--as-user alice transfer {id} --to bob",
    "swap": "--as-user alice swap {id} {pending}",
    "touch": "--as-user alice touch {id}",
    "approve": "approve {asked}",
    "refuse": "refuse {asked} --reason r",
    "kick": "--as-user eve kick {id} --reason r",
    "list": "list",
    "who": "who rack1",
    "show": "show {id}",
    "free": "free",
    "log": "log",
    "resource add": "resource add y",
    "resource set": "resource set licences --capacity 3",
    "resource list": "resource list",
    "resource show": "resource show licences",
    "resource sync": "resource sync inventory.toml --yes",
    "resource export": "resource export",
    "resource maintenance": "resource maintenance licences --for 1h",
    "resource check": "resource check",
    "resource mark": "resource mark licences sick",
    "resource remove": "resource remove licences",
    "ledger accept-clock": "ledger accept-clock",
    "ledger move": "ledger move --to elsewhere.sqlite3",
    "doctor": "doctor",
    "backup": "backup tonight.sqlite3",
    "restore": "restore tonight.sqlite3 --replace",
    "prune": "prune --older-than 90d",
    "rights grant": "rights grant alice --role booker",
    "rights revoke": "rights revoke {rule}",
    "rights list": "rights list",
    "rights check": "rights check alice reserve rack3",
    "rights group": "rights group bringup --add alice",
    "rights map": "rights map --issuer https://gitlab.com --claim project_path=org/x --holder ci:org-x --role booker",
    "token create": "token create --user alice",
    "token list": "token list",
    "token revoke": "token revoke {token}",
    "calendar link": "calendar link --resource rack3",
    "calendar list": "--as-user alice calendar list",
    "calendar revoke": "--as-user alice calendar revoke {token}",
    "notice list": "--as-user alice notice list",
    "notice add": "notice add --webhook https://hooks.example.com/lab",
    "notice targets": "--as-user alice notice targets",
    "notice remove": "--as-user alice notice remove {token}",
    "notice replay": "--as-user alice notice replay {token}",
    "gate": "--as-user bob gate -l demo",
    "reservation check": "--as-user bob -l demo reservation check",
    "reservation whoami": "reservation whoami",
    "lab list": "lab list",
    "lab show": "lab show demo",
    "lab check": "lab check",
    "power on": "power on router1",
    "power off": "power off router1",
    "power cycle": "power cycle router1",
    "power toggle": "power toggle router1",
    "power status": "power status router1",
    "power watch": "power watch router1 --for 1s",
    "power selftest": "power selftest router1 --yes",
    "host list": "-l bench host list",
    "host exec": "host exec router1 -- true",
    "host wait": "host wait router1",
    "host console": "host console router1 --expect login: --timeout 1m",
    "host boot": "host boot node1 --device pxe --once",
    "host health": "host health node1",
    "agents setup": "agents setup claude",
    "completion": "completion bash",
    "init": "init fresh",
    "trust": "trust",
}


@pytest.mark.parametrize("name", LINES)
def test_a_command_prints_the_keys_that_the_page_shows(name, sample):
    words = dict.fromkeys(("id", "rule", "token", "pending", "series", "asked"), "")
    for word, make in (("id", made), ("asked", asked), ("series", series), ("pending", booked)):
        if f"{{{word}}}" in LINES[name]:
            words[word] = make(sample)
    if "{token}" in LINES[name] or "{rule}" in LINES[name]:
        words["rule"] = words["token"] = named_by(name, sample)
    if name == "calendar list":
        named_by("calendar revoke", sample)
    if name == "notice targets":
        named_by("notice remove", sample)
    if name == "notice list":
        sample("--as-user alice notice list")
        with open_book() as book:
            store.watch(book, "alice", "never-held")
            outbox.collect(book)
    if name == "token list":
        sample("token create --user alice --scope read --json")
    line = LINES[name].format_map(words)
    if name in ("agents setup", "restore", "import"):
        prepare(name, line, sample)
    printed = sample(f"--json {line}").out
    assert printed.count("\n") == 1
    shown = documented()["reserve" if name == "show" else name]
    same_keys(shown, json.loads(printed), "")


def test_what_is_not_a_single_document_has_the_keys_of_the_page_too(sample):
    page = documented()
    events = sample("run z --json -- true").err.splitlines()
    same_keys(page["run"], json.loads(events[0]), "")
    refused = json.loads(sample("--as-user alice gate -l demo --json", code=8).err.splitlines()[-1])
    same_keys(page["gate"], {key: value for key, value in refused.items() if key not in ("error", "exit_code")}, "")
    same_keys(page["watch"], page["log"]["entries"][0], "")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_examples_of_the_help_work(command, sample):
    """Each example is run as it stands; only ids, and what would never end or needs another machine, are replaced."""
    for line, _ in command.examples:
        if command.name.startswith("coord "):
            continue  # in a git repository: test_coord_pages.py
        if (
            "--follow" in line
            or command.name in ("watch", "power watch")
            or "--watch" in line
            or line.startswith(("mcp --", "serve"))
        ):
            continue  # what serves until it is told to end: test_mcp_listening.py, test_serve.py
        if line == "host console router1":
            continue  # a session on a terminal: unit/lifecycle/test_console_cli.py
        if command.name in ("login", "logout"):
            continue  # at a server with a provider: unit/client/test_login.py
        if command.name == "ledger grant":
            continue  # on a PostgreSQL server, with roles of its own: conformance/storage/test_roles.py
        sample("--as-user alice release --mine")
        identifier = named_by(command.name, sample)
        prepared = re.sub(
            r"-- (pytest|make) .*", "-- true", line.replace("8f3a2c10", identifier).replace("8f3a2c11", booked(sample))
        )
        prepared = prepared.replace("--timeout 30s", "--timeout 1s")  # it would only listen
        prepare(command.name, prepared, sample)
        own_system = command.name in {"host reboot", "host shutdown"} and "--hard" not in line
        sample(f"--as-user alice {prepared}", code=1 if own_system else 0)  # the hosts here are this machine


def asked(run):
    """Make a request that whoever runs this can approve; return its id."""
    name = f"asked-{os.urandom(4).hex()}"
    run(f"resource add {name} --approval somebody")
    identifier = json.loads(run(f"--as-user bob reserve {name} --for 1h --json").out)["id"]
    run(f"resource set {name} --approval {ME}")
    return identifier


def named_by(name, run):  # noqa: PLR0911 one for each kind of thing
    """Make what the id in an example names; return its id."""
    if name.startswith("series"):
        return series(run)
    if name in ("move", "transfer"):
        return booked(run, f"later-{os.urandom(4).hex()}")
    if name in ("approve", "refuse"):
        return asked(run)
    if name == "release":
        return json.loads(run("--as-user alice reserve x scope1 --until '2031-01-01 00:00' --json").out)["id"]
    if name == "token revoke":
        return json.loads(run("token create --user alice --json").out)["id"]
    if name == "calendar revoke":
        return json.loads(run("--as-user alice calendar link --json").out)["id"]
    if name in ("notice remove", "notice replay"):
        return json.loads(run("--as-user alice notice add --mail alice@example.com --json").out)["id"]
    if name == "rights revoke":
        return json.loads(run("rights grant alice --role booker --json").out)["rules"][0]["id"]
    return json.loads(run("--as-user alice reserve x --until '2031-01-01 00:00' --json").out)["id"]


def prepare(name, line, run):  # noqa: C901, PLR0912 one for each example
    """Bring the book into the state that an example speaks of."""
    if name == "agents setup":
        git(os.getcwd(), "init", "-q")
    if name in ("list", "calendar show") and "--label" in line:
        run("resource add board7 --label arch=arm64")
    if name == "import":
        Path("places.yaml").write_text(PLACES, encoding="utf-8")
        for form, file in (("csv", "reservations.csv"), ("ical", "lab.ics"), ("json", "lab.json")):
            Path(file).write_text(dump(form, [Item(("rack-of-" + form,), "carol", None, 2**62)], 0), encoding="utf-8")
    if name == "restore" and not os.path.exists("tonight.sqlite3"):
        run("backup tonight.sqlite3")
    if line == "touch rack3":
        run("--as-user alice reserve rack3")
    if line == "release rack3 analyser":
        run("--as-user alice reserve rack3 analyser")
    if name.startswith("resource ") and name != "resource add":
        main(["resource", "add", "rack3"])
        Path("places.yaml").write_text(PLACES, encoding="utf-8")
        Path("boards.csv").write_text("name,labels\nboard1,arch=arm64\n", encoding="utf-8")
        run("ledger policy set strict false")
        if "--cancel" in line:
            run("resource maintenance rack3 --for 1h --end")
        else:
            main(["resource", "maintenance", "rack3", "--cancel"])
    if name in ("reserve", "run") and "--label" in line:
        labels = ["--label", "arch=arm64", "--label", "ram=8", "--label", "site=lyon"]
        main(["resource", "add", "board1", *labels])
        main(["resource", "add", "board2", *labels])
    if line == "trust --revoke":
        run("trust")
    if name in ("gate", "reservation check"):
        main(["--as-user", "bob", "release", "rack1"])
        main(["--as-user", "alice", "reserve", "rack1"])
