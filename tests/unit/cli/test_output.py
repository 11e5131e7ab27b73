"""What is printed is safe to print, and can be typed back."""

import io
import shlex

from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.errors import BusyError, ExitCode
from bespeak.cli import errors, output
from bespeak.cli.supervise import start_failure


@given(st.lists(st.text(alphabet=st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])), min_size=1))
def test_a_suggested_command_is_read_by_a_shell_as_it_was_meant(words):
    assert shlex.split(output.shell_words(words)) == words


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=4))
def test_tables_print_no_control_characters(rows):
    assert all(line.isprintable() for line in output.table(("A", "B"), rows).split("\n"))


@given(st.text())
def test_an_error_is_one_printable_line(text):
    assert output.one_line(text).isprintable()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colours_are_for_terminals_whose_owner_did_not_say_no(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert output.colours(Terminal(), allowed=True)
    assert not output.colours(Terminal(), allowed=False)
    assert not output.colours(io.StringIO(), allowed=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not output.colours(Terminal(), allowed=True)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not output.colours(Terminal(), allowed=True)


def test_an_error_of_ours_has_its_code_and_its_hint(capsys):
    assert errors.report(BusyError("no\nway", hint="wait"), as_json=False, debug=False) == ExitCode.BUSY
    assert capsys.readouterr().err == "bespeak: error: no way\nbespeak: wait\n"


def test_an_unforeseen_error_is_one_line_and_code_one(capsys):
    assert errors.report(ZeroDivisionError("by zero"), as_json=False, debug=False) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "ZeroDivisionError" in line
    assert "Traceback" not in line


def test_debug_adds_the_traceback(capsys):
    errors.report(ZeroDivisionError("by zero"), as_json=False, debug=True)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_command_that_cannot_be_started_has_the_code_of_a_shell():
    assert start_failure(["nosuch"], FileNotFoundError(2, "No such file"))[1] == 127
    assert start_failure(["/tmp"], PermissionError(13, "Permission denied"))[1] == 126
