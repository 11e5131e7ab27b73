"""``resource check``, as it is typed."""

import json
import signal

import pytest

from bespeak.cli.main import main
from support.trusting import trust

SETTINGS = """[health.ping]
command = ["sh", "-c", "test ! -e bad-{resource}"]
resources = ["board*"]
fall = 1
rise = 1
every = "1s"
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    root = tmp_path / "lab"
    (root / ".bespeak").mkdir(parents=True)
    (root / ".bespeak" / "settings.toml").write_text(SETTINGS)
    monkeypatch.chdir(root)
    assert main(["resource", "add", "board1", "board2"]) == 0
    return root


def test_nothing_runs_before_the_folder_is_trusted(lab, capfd):
    (lab / "bad-board1").touch()
    capfd.readouterr()
    assert main(["resource", "check"]) == 6
    assert capfd.readouterr().err.endswith(f"read it, then: bespeak trust {lab}\n")
    assert main(["resource", "show", "board1", "--json"]) == 0
    assert '"health": "ok"' in capfd.readouterr().out


def test_a_round(lab, capfd):
    trust(lab)
    (lab / "bad-board1").touch()
    capfd.readouterr()
    assert main(["resource", "check"]) == 0
    assert capfd.readouterr().out == "ping  board1: sick (check ping: exit 1)\nping  board2: ok\n"
    assert main(["reserve", "board1"]) == 7
    assert "board1 is sick (check ping: exit 1)" in capfd.readouterr().err
    assert main(["resource", "list"]) == 0
    assert "sick: check ping: exit 1" in capfd.readouterr().out
    (lab / "bad-board1").unlink()
    assert main(["resource", "check", "ping", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)["findings"]
    assert [(one["resource"], one["found"], one["health"], one["changed"]) for one in found] == [
        ("board1", "well", "ok", True),
        ("board2", "well", "ok", False),
    ]


def test_a_script_can_ask_whether_all_is_well(lab, capfd):
    trust(lab)
    assert main(["resource", "check", "--exit-code"]) == 0
    (lab / "bad-board1").touch()
    assert main(["resource", "check", "--exit-code", "--dry-run"]) == 1
    assert main(["resource", "check", "--exit-code", "--json"]) == 1
    assert main(["resource", "check"]) == 0, "that something is sick is an answer"
    (lab / "bad-board1").unlink()
    assert main(["resource", "check", "--exit-code"]) == 0
    assert main(["resource", "mark", "board2", "offline", "--reason", "its disk is gone"]) == 0
    assert main(["resource", "check", "--exit-code"]) == 1, "what a person has marked is not well"


def test_what_cannot_be_asked_for(lab, capfd):
    trust(lab)
    for line, code, said in (
        (["pong"], 4, "names no check 'pong'; did you mean ping?"),
        (["--for", "1h"], 2, "--for goes with --watch"),
        (["--watch", "--exit-code"], 2, "--exit-code is about one round"),
    ):
        capfd.readouterr()
        assert main(["resource", "check", *line]) == code
        assert said in capfd.readouterr().err
    (lab / ".bespeak" / "settings.toml").unlink()
    assert main(["resource", "check"]) == 4
    assert "no settings name a check" in capfd.readouterr().err


def test_a_command_that_cannot_tell_ends_with_1(lab, capfd):
    (lab / ".bespeak" / "settings.toml").write_text(SETTINGS.replace('"sh", "-c"', '"./gone"'))
    trust(lab)
    assert main(["resource", "check"]) == 1
    assert "board1: unknown, ok as before (./gone: No such file or directory)" in capfd.readouterr().out


def test_watching_tells_each_change_until_it_is_interrupted(lab, cli):
    trust(lab)
    watching = cli.start("resource", "check", "--watch", "--json", cwd=lab)
    assert json.loads(watching.stdout.readline())["found"] == "well"
    assert json.loads(watching.stdout.readline())["resource"] == "board2"
    (lab / "bad-board2").touch()
    changed = json.loads(watching.stdout.readline())
    assert (changed["resource"], changed["health"], changed["changed"]) == ("board2", "sick", True)
    watching.send_signal(signal.SIGINT)
    assert watching.wait(60) == 130
    assert "Traceback" not in watching.stderr.read()


def test_watching_ends_after_so_long(lab, capfd):
    trust(lab)
    assert main(["resource", "check", "--watch", "--for", "1s"]) == 0
    assert capfd.readouterr().err == ""
