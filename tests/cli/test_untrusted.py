"""Looking runs nobody else's code: each command and each completion, in the smallest hostile repositories."""

import json
import shlex
import socket
import sys

import pytest

from bespeak.cli.main import COMPLETE_VARIABLE, main
from support.trusting import trust

PLANTED = "open({marker!r}, 'w').close()\n"
INIT = 'libs = ["."]\ninit = ["planted_here"]\n'
CODE = INIT + '[reservations]\nbackend = "planted"\n'
DEMO = '[labs.demo]\nresources = ["rack1"]\n'
HOST = DEMO + '[[hosts]]\nid = "h"\nlabs = ["demo"]\n'
BOOK = "postgresql://alice@127.0.0.1:{port}/lab"
LEDGER = '[reservations]\nbackend = "ledger"\n'
SWITCH = (
    '[hosts.power_control]\ntype = "command"\non_cmd = {cmd}\noff_cmd = {cmd}\nstatus_cmd = {cmd}\nstatus_on = "on"\n'
)
WEB = '[hosts.power_control]\ntype = "redfish"\nurl = "http://127.0.0.1:{port}"\nuser = "u"\npassword = "env:TOKEN"\n'

BOOK_COMMANDS = {
    "who rack1",
    "show 1234",
    "free",
    "log",
    "watch",
    "resource list",
    "release --mine",
    "reserve rack1",
} | {
    "run rack1 -- true",
    "extend 1234 --for 1h",
    "shorten 1234 --for 1h",
    "kick 1234 --reason r",
    "resource add x",
}
HEALTH = '[health.ping]\ncommand = ["sh", "-c", {cmd}]\nresources = ["*"]\n'
GATE_COMMANDS = {"gate -l demo", "gate -l demo -- true", "-l demo reservation check", "reservation whoami"}
HOST_COMMANDS = {
    "power status h",
    "power on h",
    "power off h --dry-run",
    "power cycle h",
    "power toggle h",
    "power watch h --for 1s",
    "power selftest h --yes",
    "host exec h -- true",
    "host wait h --timeout 1s",
    "host reboot h",
    "host shutdown h",
    "host boot h --device pxe",
    "host health h",
    "host console h",
}
OTHERS = {
    "list",
    "lab list",
    "lab show demo",
    "lab check",
    "-l demo host list",
    "completion bash",
    "job list",
    "resource check",
}
EVERY = sorted(BOOK_COMMANDS | GATE_COMMANDS | HOST_COMMANDS | OTHERS)
POWER = {line for line in HOST_COMMANDS if line.startswith("power")}

HOSTILE = {
    # name: (settings, lab data, the commands that are refused)
    "init module": (CODE, DEMO, GATE_COMMANDS),
    "init module of a controller": (
        INIT + LEDGER,
        HOST + 'power_control = "planted"\n',
        HOST_COMMANDS | {"lab check", "-l demo host list"},
    ),
    "sslkey": (f'[ledger]\nurl = "{BOOK}?sslkey=engine:/planted.so"\n' + LEDGER, DEMO, BOOK_COMMANDS | GATE_COMMANDS),
    "another host": (f'[ledger]\nurl = "{BOOK}"\n' + LEDGER, DEMO, BOOK_COMMANDS | GATE_COMMANDS),
    "another host, for the gate": (f'{LEDGER}url = "{BOOK}"\n', DEMO, GATE_COMMANDS),
    "a book elsewhere": ('[ledger]\nurl = "../elsewhere.db"\n' + LEDGER, DEMO, BOOK_COMMANDS | GATE_COMMANDS),
    "reservations elsewhere": (
        '[reservations]\nbackend = "json"\n[reservations.json]\npath = "../elsewhere.db"\n',
        DEMO,
        GATE_COMMANDS,
    ),
    "status_cmd": (LEDGER, HOST + SWITCH, HOST_COMMANDS),
    "status_cmd without settings": (None, HOST + SWITCH, HOST_COMMANDS),
    "health check": (HEALTH + LEDGER, DEMO, {"resource check"}),
    "secret": (LEDGER, HOST + WEB, HOST_COMMANDS),
    "address": (LEDGER, HOST + 'address = "127.0.0.1"\n[hosts.ssh]\nport = {port}\n', HOST_COMMANDS),
}


@pytest.fixture
def listener():
    """A socket of 127.0.0.1 that nobody should connect to."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        yield server


@pytest.fixture
def plant(tmp_path, monkeypatch, listener):
    """Make a hostile repository, stand in it, and return a function that tells whether anything of it happened."""
    monkeypatch.delenv("BESPEAK_LEDGER")
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "1")
    monkeypatch.setenv("TOKEN", "hunter2")

    def make(name, folder=".bespeak"):
        settings, lab, refused = HOSTILE[name]
        root, marker, port = tmp_path / "cloned", tmp_path / "ran", listener.getsockname()[1]
        (root / folder).mkdir(parents=True)
        command = json.dumps(f"touch {marker}")
        if settings is not None:
            (root / folder / "settings.toml").write_text(
                settings.replace("{port}", str(port)).replace("{cmd}", command)
            )
        (root / "lab.toml").write_text(lab.replace("{port}", str(port)).replace("{cmd}", command))
        (root / "planted_here.py").write_text(PLANTED.format(marker=str(marker)))
        monkeypatch.chdir(root)
        return root, refused

    def happened():
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            connected = False
        else:
            connected = True
        return (
            connected
            or "planted_here" in sys.modules
            or any((tmp_path / name).exists() for name in ("ran", "elsewhere.db"))
        )

    make.happened = happened
    return make


@pytest.mark.parametrize("folder", [".bespeak", ".otto"])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_command_acts_on_what_an_untrusted_folder_names(name, folder, plant, capfd, cli, monkeypatch, tmp_path):
    monkeypatch.setenv("ORCHESJOB_HOME", str(tmp_path / "jobs"))  # as root, `job list` would make the machine's own
    root, refused = plant(name, folder)
    if (name, folder) == ("health check", ".otto"):
        refused = set()  # a table of that name there is another program's
    for line in EVERY:
        if line == "watch" and line not in refused:
            continue  # it would watch the user's own book until it is ended
        if "--" in line.split() and line not in refused:  # it waits for a child, which wants a process of its own
            done = cli(*shlex.split(line))
            code, said = done.returncode, done.stderr
        else:
            capfd.readouterr()
            code = main(shlex.split(line))
            said = capfd.readouterr().err
        assert not plant.happened(), line
        assert "internal error" not in said, (line, said)
        assert (code == 6) == (line in refused), (line, code, said)
        if line in refused:
            assert said.count("\n") == 1, said
            assert said.endswith(f"read it, then: bespeak trust {root}\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_completion_acts_on_what_an_untrusted_folder_names(name, plant, capfd, monkeypatch):
    plant(name)
    assert main(["--ledger", "../own/.local/share/bespeak/book.sqlite3", "resource", "add", "rack"]) == 0
    monkeypatch.setenv(COMPLETE_VARIABLE, "bash_complete")
    for line in ("--as-user ", "-l ", "who ", "show ", "release ", "power on ", "list --user ", "lab show ", "tr"):
        words = shlex.split(line)
        monkeypatch.setenv("COMP_WORDS", f"bespeak {line}")
        monkeypatch.setenv("COMP_CWORD", str(len(words) + line.endswith(" ")))
        capfd.readouterr()
        assert main([]) == 0
        assert capfd.readouterr().err == ""
        assert not plant.happened(), line


@pytest.mark.parametrize("name", ["another host", "sslkey", "a book elsewhere"])
def test_list_and_completion_show_the_own_book_instead(name, plant, capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["reserve", "mine", "--for", "1h"]) == 0
    root, _ = plant(name)
    capfd.readouterr()
    assert main(["list"]) == 0
    answer = capfd.readouterr()
    assert "mine" in answer.out
    assert answer.err.startswith(f"bespeak: this is your own book: {root}/.bespeak/settings.toml names a book (")
    monkeypatch.setenv(COMPLETE_VARIABLE, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "bespeak who ")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert main([]) == 0
    assert "mine" in capfd.readouterr().out


@pytest.mark.parametrize("name", ["another host", "sslkey"])
def test_a_book_that_the_user_names_needs_no_trust(name, plant, tmp_path, monkeypatch):
    plant(name)
    own = str(tmp_path / "own.db")
    assert main(["--ledger", own, "reserve", "rack1", "--for", "1h"]) == 0
    monkeypatch.setenv("BESPEAK_LEDGER", own)
    assert main(["gate", "-l", "demo"]) == 0
    assert not plant.happened()


def test_an_engine_is_not_loaded_whoever_names_it(plant, listener, capfd):
    root, _ = plant("sslkey")
    assert main(["trust"]) == 2
    assert main(["--ledger", f"{BOOK}?sslkey=engine%3A/x.so".format(port=listener.getsockname()[1]), "list"]) == 2
    said = capfd.readouterr().err
    assert said.count("sslkey must be a file: an engine would be loaded as code") == 2
    assert not plant.happened()
    assert root.is_dir()


def test_skipping_the_check_needs_no_trust(plant, cli):
    plant("init module")
    done = cli("gate", "-R", "-l", "demo", "--", "true")
    assert done.returncode == 0, done.stderr
    assert not plant.happened()
    assert "SKIPPED" in done.stderr


def test_what_is_trusted_is_acted_on_until_it_changes(plant, tmp_path, capfd):
    root, _ = plant("status_cmd")
    trust(root)
    main(["power", "status", "h"])
    assert (tmp_path / "ran").exists()
    (tmp_path / "ran").unlink()
    (root / "lab.toml").write_text((root / "lab.toml").read_text() + "# changed\n")
    capfd.readouterr()
    assert main(["power", "status", "h"]) == 6
    assert "has changed since its folder was trusted" in capfd.readouterr().err
    assert not plant.happened()


def test_plain_settings_need_no_trust(tmp_path, monkeypatch):
    (tmp_path / ".bespeak").mkdir()
    (tmp_path / ".bespeak" / "settings.toml").write_text(
        '[ledger]\nurl = "shared/book.db"\nstrict = false\n[labs]\nsearch = ["."]\n[reservations]\nbackend = "ledger"\n'
    )
    (tmp_path / "lab.toml").write_text(DEMO)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BESPEAK_LEDGER")
    (tmp_path / "shared").mkdir()
    assert main(["reserve", "rack1", "--for", "1h"]) == 0
    assert main(["gate", "-l", "demo"]) == 0
    assert (tmp_path / "shared" / "book.db").exists()


@pytest.mark.parametrize("place", [".git/hooks/pre-commit", ".git/index.lock", "module/.git/new", "tracked", "link"])
def test_an_untrusted_folder_makes_no_book_of_git_s_files_or_an_empty_one(place, tmp_path, monkeypatch, capfd):
    monkeypatch.delenv("BESPEAK_LEDGER")
    monkeypatch.chdir(tmp_path)
    for folder in (".bespeak", ".git/hooks", "module/.git"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "tracked").touch()
    (tmp_path / "link").symlink_to(".git/index.lock")
    (tmp_path / ".bespeak" / "settings.toml").write_text(f'[ledger]\nurl = "{place}"\n')
    (tmp_path / "lab.toml").write_text(DEMO)
    before = sorted(tmp_path.rglob("*"))
    assert main(["reserve", "rack1", "--for", "1h"]) == 6
    assert "names a book" in capfd.readouterr().err
    assert main(["gate", "-l", "demo"]) in (6, 9)
    main(["list"])
    left = [path for path in tmp_path.rglob("*") if tmp_path / "home" not in path.parents]
    assert sorted(left) == before
    assert (tmp_path / "tracked").stat().st_size == 0


def test_looking_at_an_empty_file_makes_no_book_of_it(tmp_path, cli):
    empty = tmp_path / "empty"
    empty.touch()
    assert cli("--ledger", str(empty), "list").returncode == 3
    assert empty.stat().st_size == 0


def test_the_remembered_gate_asks_for_trust_again(tmp_path, monkeypatch, capfd):
    monkeypatch.delenv("BESPEAK_LEDGER")
    root = tmp_path / "mine"
    (root / ".bespeak").mkdir(parents=True)
    (root / ".bespeak" / "settings.toml").write_text(
        '[ledger]\nurl = "../team.db"\n[reservations]\nbackend = "ledger"\n'
    )
    (root / "lab.toml").write_text(DEMO)
    monkeypatch.chdir(root)
    assert main(["trust"]) == 0
    assert main(["reserve", "rack1", "--for", "1h"]) == 0
    assert [main(["gate", "-l", "demo"]) for _ in range(3)] == [0, 0, 0]
    assert main(["trust", "--revoke"]) == 0
    capfd.readouterr()
    assert main(["gate", "-l", "demo"]) == 6


def test_init_writes_settings_once_and_trusts_them(tmp_path, monkeypatch, capfd):
    monkeypatch.delenv("BESPEAK_LEDGER")
    monkeypatch.chdir(tmp_path)
    assert main(["--ledger", "team.db", "init", "mine"]) == 0
    monkeypatch.chdir(tmp_path / "mine")
    assert main(["reserve", "rack1", "--for", "1h"]) == 0
    assert (tmp_path / "team.db").exists()
    before = (tmp_path / "mine" / ".bespeak" / "settings.toml").read_bytes()
    assert main(["init"]) == 6
    assert "exists already" in capfd.readouterr().err
    assert (tmp_path / "mine" / ".bespeak" / "settings.toml").read_bytes() == before
    assert main(["--ledger", "postgresql://u:secret@h/d", "init", str(tmp_path / "other")]) == 2
    assert "secret" not in capfd.readouterr().err
    assert not (tmp_path / "other").exists()


def test_init_does_not_trust_lab_data_that_was_there(plant, capfd):
    root, _ = plant("status_cmd without settings")
    (root / ".bespeak").rmdir()
    assert main(["init"]) == 0
    said = capfd.readouterr().out
    assert f"bespeak trust {root}" in said
    assert f"  host h: power_control ({root}/lab.toml)\n" in said
    assert main(["power", "status", "h"]) == 6
    assert not plant.happened()
    assert main(["trust", "--show", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["folders"][0]["state"] == "untrusted"


def test_init_trusts_where_lab_data_names_nothing(plant, capfd):
    root, _ = plant("status_cmd without settings")
    (root / "lab.toml").write_text(DEMO)
    assert main(["--json", "init"]) == 0
    assert json.loads(capfd.readouterr().out)["trusted"] is True


@pytest.mark.parametrize("target", ["elsewhere", "missing"])
def test_init_writes_through_no_link(tmp_path, monkeypatch, capfd, target):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / ".bespeak").symlink_to(tmp_path / target)
    monkeypatch.chdir(tmp_path / "mine")
    assert main(["init"]) == 6
    assert capfd.readouterr().err.count("\n") == 1
    assert not list((tmp_path / "elsewhere").iterdir())
    assert not (tmp_path / "missing").exists()


def test_trust_shows_lists_and_revokes(plant, capfd, tmp_path):
    root, _ = plant("status_cmd")
    words = (["trust", "--show"], ["trust"], ["trust", "--list"], ["trust", "--revoke"], ["trust", "--show"])
    states = []
    for line in words:
        assert main([*line, "--json"]) == 0
        (fact,) = json.loads(capfd.readouterr().out)["folders"]
        assert fact["folder"] == str(root)
        states.append(fact["state"])
    assert states == ["untrusted", "trusted", "trusted", "untrusted", "untrusted"]
    assert fact["names"] == [f"host h: power_control ({root}/lab.toml)"]
    assert fact["files"] == [str(root / ".bespeak" / "settings.toml"), str(root / "lab.toml")]
    assert main(["trust", "--revoke"]) == 4
    assert main(["trust"]) == 0
    root.rename(tmp_path / "moved")
    capfd.readouterr()
    assert main(["trust", "--list", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["folders"][0]["state"] == "gone"
    assert main(["trust", "--revoke", str(root)]) == 0
    assert not plant.happened()
