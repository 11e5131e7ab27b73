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
    assert offered(cli, "res") == ["reserve", "resource", "reservation"]
    assert offered(cli, "resource ") == ["add", "set", "list", "remove"]
    assert "--purpose" in offered(cli, "reserve --p")


def test_names_come_from_the_book(cli):
    cli("reserve", "rack3", "rack4")
    assert offered(cli, "reserve ra") == ["rack3", "rack4"]
    assert len(offered(cli, "show ")) == 1


def test_completion_makes_no_book_and_says_nothing_about_a_broken_one(cli, tmp_path):
    assert offered(cli, "reserve ra") == []
    assert not (tmp_path / "book.sqlite3").exists()
    (tmp_path / "junk").write_bytes(b"no database" * 100)
    assert offered(cli, "reserve ra", BESPEAK_LEDGER=str(tmp_path / "junk")) == []
