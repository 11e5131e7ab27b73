"""How the process behaves towards shells, pipes, terminals and people who interrupt it."""

import os
import pty
import subprocess
import sys

import pytest


def test_head_ends_a_long_answer_quietly(cli):
    cli("reserve", "a")
    script = f'{sys.executable} -m bespeak watch --after 0 | head -1; echo "${{PIPESTATUS[0]}}"'
    process = subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert '"reserved"' in process.stdout.readline()
    cli("reserve", "b")
    out, err = process.communicate(timeout=60)
    assert (out.strip(), err) == ("141", "")


def test_a_full_disk_behind_stdout_is_told_in_one_line(cli):
    with open("/dev/full", "w") as full:
        done = subprocess.run(cli.command("list"), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "bespeak: error: the answer could not be written: No space left on device\n"


def test_a_full_disk_behind_stdout_does_not_hide_what_was_changed(cli):
    for words, said in ((["reserve", "a"], "was made, and stands"), (["release", "--mine"], "released all the same")):
        with open("/dev/full", "w") as full:
            done = subprocess.run(cli.command(*words), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("bespeak: error: the answer could not be written: No space left on device; ")
        assert said in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_what_the_caller_closed_is_not_missed(cli, tmp_path, closed):
    words = " ".join(cli.command("reserve", "rack" + str(len(closed)), "--for", "1h"))
    done = subprocess.run(["sh", "-c", f"{words} {closed}"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    words = " ".join(cli.command("run", "other", "--", "sh", "-c"))
    wrote = tmp_path / "wrote"
    script = f"{words} 'echo heard; echo done > {wrote}' {closed} 2>/dev/null"
    assert subprocess.run(["sh", "-c", script], capture_output=True, check=False).returncode == 0
    assert wrote.read_text() == "done\n"
    assert f"rack{len(closed)}: held by" in cli("who", f"rack{len(closed)}").stdout


def on_terminal(command, env):
    """Run a command whose stdout and stderr are a terminal; return what it wrote."""
    parent, child = pty.openpty()
    process = subprocess.Popen(command, stdout=child, stderr=child, stdin=child, env={**os.environ, **env})
    os.close(child)
    shown = b""
    while True:
        try:
            part = os.read(parent, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(parent)
    process.wait(60)
    return shown.decode()


def test_the_banner_is_bold_magenta_on_a_terminal_only(cli):
    command = cli.command("--as-user", "alice", "list")
    assert "\x1b[1;35mbespeak: acting as 'alice' (--as-user)\x1b[0m" in on_terminal(command, {"TERM": "xterm"})
    assert "\x1b" not in on_terminal(command, {"TERM": "xterm", "NO_COLOR": "1"})
    assert "\x1b" not in on_terminal([*command, "--no-color"], {"TERM": "xterm"})
    assert "\x1b" not in cli("--as-user", "alice", "list").stderr


def test_the_banner_shows_no_control_characters(cli):
    assert "\x1b" not in cli("--as-user", "a\x1b[2J", "list").stderr


def test_an_empty_as_user_is_none(cli):
    assert cli("--as-user", "", "list").stderr == ""


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_names_of_any_script_are_printed_in_any_encoding(cli, encoding):
    done = cli("reserve", "Gerät-3", "--purpose", "日本", env={"PYTHONIOENCODING": encoding})
    assert done.returncode == 0
    assert ("Gerät-3" if encoding == "utf-8" else r"Ger\xe4t-3") in done.stdout


def test_bytes_that_are_no_text_are_refused_in_one_line():
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"bespeak", b"reserve", b"a\xff"], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"bespeak: error: ")


def test_a_book_that_cannot_be_opened_is_code_9(cli, tmp_path):
    (tmp_path / "junk").write_bytes(b"this is no database" * 100)
    refused = cli("--ledger", str(tmp_path / "junk"), "list")
    assert refused.returncode == 9
    assert refused.stderr.startswith("bespeak: error: ")
    assert refused.stderr.count("\n") == 1


def test_debug_shows_where_an_error_came_from(cli):
    assert "Traceback" in cli("--debug", "show", "ffffffff").stderr
    assert "Traceback" not in cli("show", "ffffffff").stderr


def test_help_is_shown_for_every_command_and_touches_nothing(cli, tmp_path, monkeypatch):
    from bespeak.argv.fast_parser import read
    from bespeak.cli.index import PROGRAM
    from support.commands import COMMANDS

    monkeypatch.setenv("BESPEAK_LEDGER", str(tmp_path / "book.sqlite3"))
    for command in COMMANDS:
        assert read(PROGRAM, [*command.name.split(), "--help"]) == 0
    assert cli("--ledger", "/nonexistent/x/y", "gate", "--help").returncode == 0
    assert not (tmp_path / "book.sqlite3").exists()


def test_without_any_word_the_help_is_shown(cli):
    done = cli()
    assert (done.returncode, done.stdout.startswith("Usage: bespeak")) == (0, True)


def test_programs_under_our_name_read_their_own_command_line(cli):
    done = cli("runner", "--help")
    assert done.returncode == 0
    assert "bespeak runner" in done.stdout
    refused = cli("--lab", "x", "runner", "list")
    assert refused.returncode == 2
    assert "--lab before 'runner'" in refused.stderr


def test_a_group_without_a_command_names_its_commands(cli):
    done = cli("resource")
    assert done.returncode == 2
    assert done.stderr == (
        "bespeak: error: missing command; known: add, set, list, show, remove, sync, export, maintenance, check, mark\n"
        "bespeak: see 'bespeak resource --help'\n"
    )
