"""``coord symbols`` at the command line: what is at an address and around it, in words, JSON and pictures."""

import json
import os
import subprocess
import sys

import pytest

from bespeak.base.errors import needs_extra
from bespeak.cli.main import main
from bespeak_symbols import syntax


@pytest.fixture
def ask(project, monkeypatch, capfd):
    monkeypatch.chdir(project.root)

    def asked(*words):
        capfd.readouterr()
        code = main(["coord", "symbols", *words])
        told = capfd.readouterr()
        return code, told.out, told.err

    return asked


def test_a_file_a_class_and_a_folder_show_their_symbols(ask):
    code, out, err = ask("app/store.py")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "app/store.py::Store (class, lines 1-3) class",
        "app/store.py::Store.save (method, lines 2-3) def(self, item)",
        "app/store.py::check (function, lines 6-7) def(item)",
    ]
    assert ask("app/store.py::Store")[1].count("\n") == 2
    assert ask("app/")[1].count("\n") == 5


def test_a_pattern_shows_the_symbols_of_every_file_it_matches(ask):
    assert ask("app/s*.py")[1] == ask("app/store.py")[1]
    assert ask("**/*.py::check")[1] == "app/store.py::check (function, lines 6-7) def(item)\n"
    assert ask("app/s*.py::Store::save")[1] == "app/store.py::Store.save (method, lines 2-3) def(self, item)\n"


def test_callers_and_callees_come_with_their_place_and_how_sure_that_is(ask):
    code, out, _ = ask("app/store.py::check", "--callers", "--depth", "2")
    assert code == 0
    assert out.splitlines()[1:] == [
        " 1 app/main.py:7: app/main.py::run calls app/store.py::check (import, 0.97)",
        " 1 app/store.py:3: app/store.py::Store.save calls app/store.py::check (local, 0.98)",
        " 2 app/other.py:5: app/other.py::twice calls app/main.py::run (module, 0.97)",
        " 2 app/main.py:6: app/main.py::run calls app/store.py::Store.save (typed, 0.93)",
    ]
    assert ask("app/store.py::check", "--callers", "--depth", "2", "--limit", "1")[1].splitlines()[2] == (
        " ... and 3 more (--limit 0 shows all)"
    )
    assert "(class, lines" in ask("app/store.py::Store", "--callees")[1]


def test_json_has_all_of_it(ask):
    code, out, _ = ask("app/main.py::run", "nowhere.py", "--callers", "--callees", "--json")
    told = json.loads(out)
    assert code == told["exit_code"] == 0
    assert [each["address"] for each in told["symbols"]] == ["app/main.py::run"]
    assert {each["direction"] for each in told["edges"]} == {"caller", "callee"}
    assert told["edges_total"] == len(told["edges"]) == 4
    assert told["unknown_addresses"] == ["nowhere.py"]
    assert told["unread"] == []


def test_pictures_hold_every_edge(ask):
    dot, mermaid = (ask("app/store.py::check", "--callers", form)[1] for form in ("--dot", "--mermaid"))
    assert dot.startswith("digraph symbols {")
    assert dot.count("->") == 2
    assert mermaid.startswith("graph LR")
    assert mermaid.count("-->") == 2


def test_any_revision_and_the_work_tree_can_be_looked_at(ask, project):
    project.write("app/store.py", "def fresh():\n    pass\n")
    assert ask("app/store.py::fresh")[0] == 4
    assert ask("app/store.py::fresh", "--worktree")[0] == 0
    project.commit()
    assert ask("app/store.py::fresh")[0] == 0
    assert ask("app/store.py::check", "--rev", "HEAD~1")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("nowhere.py",), 4, "no symbol of HEAD is at nowhere.py"),
        (("app/stor.py",), 4, "no symbol of HEAD is at app/stor.py; the nearest is app/store.py"),
        (("app/store.py::chek",), 4, "no symbol of HEAD is at app/store.py::chek; the nearest is app/store.py::check"),
        (("app/main.py", "--rev", "nope"), 1, "no such revision: nope"),
        (("app/main.py", "--depth", "0"), 1, "--depth: 0; it must be from 1 to 20"),
        (("app/main.py", "--limit", "-1"), 1, "--limit: -1"),
        (("app/main.py", "--rev", "HEAD", "--worktree"), 1, "--worktree and --rev"),
        (("app/main.py", "--dot", "--json"), 1, "Choose one of"),
        (("../elsewhere.py",), 1, "outside the repository"),
    ],
)
def test_mistakes_are_said_in_one_line(ask, words, code, message):
    given, out, err = ask(*words)
    assert given == code
    assert message in out + err
    assert (out + err).count("\n") == 1


def test_a_file_that_cannot_be_read_is_not_just_unknown(ask, project):
    project.write("app/data.py", "def f():\n    pass\n\0\n")
    project.write("app/nothing.py", "")
    project.commit()
    code, out, err = ask("app/data.py::f")
    assert (code, (out + err).count("\n")) == (4, 1)
    assert "not read: app/data.py: holds NUL bytes" in out + err
    assert ask("app/nothing.py")[:2] == (0, "nothing is defined there\n")


def test_names_from_sources_are_never_printed_raw(ask, project):
    project.write("app/evil\x1b[31m.py", 'def f(x="\x1b[2J"):\n    pass\n\n\ndef g():\n    f()\n')
    project.commit()
    for form in ((), ("--callers",), ("--callers", "--dot"), ("--callers", "--mermaid"), ("--json",)):
        code, out, _ = ask("app/", *form)
        assert code == 0
        assert "\x1b" not in out


def test_a_bare_interpreter_does_not_need_the_extra_for_other_commands(project):
    blocked = (
        "import sys; sys.modules['tree_sitter'] = None; from bespeak.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )

    def run(*words):
        command = [sys.executable, "-c", blocked, "coord", *words, "app/main.py"]
        env = {**os.environ, "BESPEAK_RUN_ID": "me"}
        return subprocess.run(command, cwd=project.root, capture_output=True, text=True, env=env, check=False)

    done = run("symbols")
    assert done.returncode == 9
    assert done.stderr == f"bespeak: error: {needs_extra('reading source files', 'symbols')}\n"
    assert run("check").returncode == 0


def test_missing_grammars_are_told_with_the_command_that_brings_them(ask, monkeypatch):
    def missing(name):
        raise ImportError(name)

    syntax._language.cache_clear()
    monkeypatch.setattr(syntax, "import_module", missing)
    code, out, err = ask("app/store.py")
    syntax._language.cache_clear()
    assert (code, out) == (9, "")
    assert err.startswith("bespeak: error: reading source files needs the extra 'symbols': ")
    assert err.endswith("pip install '.[symbols]'\n")


def test_of_one_file_only_its_own_unread_places_are_said(ask, project):
    project.write("app/broken.py", "def broken(:\n    pass\n\n\ndef fine():\n    pass\n")
    project.write("app/worse.py", "class (\n")
    project.commit()
    told = json.loads(ask("app/broken.py", "--json")[1])
    assert {part["path"] for part in told["unread"]} == {"app/broken.py"}
    assert json.loads(ask("app/store.py", "--json")[1])["unread"] == []
    everywhere = json.loads(ask("app/store.py", "--callers", "--json")[1])
    assert {part["path"] for part in everywhere["unread"]} == {"app/broken.py", "app/worse.py"}


def test_a_language_that_is_not_read_is_named(ask, project):
    project.write("app/task.pl", "def task\nend\n")
    project.commit()
    code, _, err = ask("app/task.pl::task")
    assert (code, err) == (
        4,
        "bespeak: error: no symbol of HEAD is at app/task.pl::task (not read: app/task.pl: Perl is not read)\n",
    )
    told = json.loads(ask("app/", "app/task.pl", "--json")[1])
    assert told["unread"] == [{"path": "app/task.pl", "why": "Perl is not read", "line": 0}]
