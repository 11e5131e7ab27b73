"""Shell completion: the scripts, and what the TAB key offers."""

import subprocess

import pytest


def offered(cli, words, **env):
    line = f"bespeak {words}"
    number = len(words.split()) + (1 if words.endswith(" ") or not words else 0)
    asked = {"_BESPEAK_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(number), **env}
    done = cli(env=asked)
    assert done.stderr == ""
    return [entry.partition(",")[2] for entry in done.stdout.splitlines() if entry]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_asks_our_program(cli, shell):
    done = cli("completion", shell)
    assert done.returncode == 0
    assert "_BESPEAK_COMPLETE" in done.stdout


def test_bash_accepts_its_script(cli, tmp_path):
    script = cli("completion", "bash").stdout
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_commands_and_options_are_offered(cli):
    assert offered(cli, "res") == ["reserve", "resource", "restore", "reservation"]
    assert offered(cli, "resource ") == [
        "add",
        "set",
        "list",
        "show",
        "remove",
        "sync",
        "export",
        "maintenance",
        "check",
        "mark",
    ]
    assert "--purpose" in offered(cli, "reserve --p")


def test_the_programs_under_our_name_are_completed_too(cli):
    assert offered(cli, "job re") == ["reserve", "result", "requeue", "reschedule", "resume"]
    assert offered(cli, "runner st") == ["start", "status"]
    assert "--metadata-json" in offered(cli, "job reserve --m")
    assert offered(cli, "runner logs --run-key k --stream s") == ["stderr", "stdout"]


def test_devices_to_start_from_are_offered(cli):
    assert offered(cli, "host boot node1 --device ") == ["bios", "cd", "default", "disk", "pxe"]


def test_run_keys_come_from_the_jobs(cli, tmp_path):
    cli("job", "reserve", "--db", str(tmp_path / "jobs"), "--run-key", "nightly", "--", "true")
    assert offered(cli, f"job status --db {tmp_path / 'jobs'} --run-key n") == ["nightly"]
    assert offered(cli, f"job status --db {tmp_path / 'none'} --run-key n") == []
    assert not (tmp_path / "none").exists()


def test_the_other_installed_program_is_completed_by_itself(cli):
    import os
    import subprocess
    import sys

    script = cli("completion", "bash", "--program", "orchesjob-reserver").stdout
    assert "_ORCHESJOB_RESERVER_COMPLETE" in script
    assert cli("completion", "bash", "--program", "x").returncode == 2
    asked = {"_ORCHESJOB_RESERVER_COMPLETE": "bash_complete", "COMP_WORDS": "orchesjob-reserver re", "COMP_CWORD": "1"}
    code = "from bespeak.jobs.cli import reserver_main; raise SystemExit(reserver_main())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **asked}
    )
    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == [
        "reserve",
        "result",
        "requeue",
        "reschedule",
        "resume",
    ]


def test_names_come_from_the_book(cli):
    cli("reserve", "rack3", "rack4")
    assert offered(cli, "reserve ra") == ["rack3", "rack4"]
    assert len(offered(cli, "show ")) == 1


def test_completion_makes_no_book_and_says_nothing_about_a_broken_one(cli, tmp_path):
    assert offered(cli, "reserve ra", BESPEAK_LEDGER=str(tmp_path / "none.db")) == []
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "junk").write_bytes(b"no database" * 100)
    assert offered(cli, "reserve ra", BESPEAK_LEDGER=str(tmp_path / "junk")) == []


HOSTILE = "rack $(touch made-by-tab) 'x' \"y\" `touch made-by-tab`"


def test_bash_gets_names_that_run_nothing(cli, tmp_path):
    assert cli("resource", "add", HOSTILE).returncode == 0
    (word,) = offered(cli, "who rack")
    done = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == HOSTILE
    assert not (tmp_path / "made-by-tab").exists()


def test_a_name_that_would_be_taken_for_an_option_is_not_offered(cli):
    for name in ("-rf", "rack1"):
        assert cli("resource", "add", "--", name).returncode == 0
    assert offered(cli, "who ") == ["rack1"]


@pytest.mark.parametrize("begun", ["who 'rack", 'who "rack', "who ra\\ck"])
def test_within_quotes_only_plain_names_are_offered(cli, begun):
    cli("resource", "add", HOSTILE)
    cli("resource", "add", "rack1")
    assert set(offered(cli, begun)) <= {"rack1"}
