"""The examples of the documentation run as they stand, and print what the pages show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.pages import Story, blocks, environment, examples
from support.refreshpages import PAGES, ROOT, refresh
from support.sameness import Stand, same


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    variables = environment(tmp_path)
    for name in ("HOME", "BESPEAK_LEDGER", "TZ"):
        monkeypatch.setenv(name, variables[name])
    monkeypatch.chdir(tmp_path)
    shown = page.read_text(encoding="utf-8").count("```console")
    assert Story(page, tmp_path, variables).run() >= shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_whole_output(page: Path) -> None:
    shown = [line for block in blocks(page) if block.language == "console" for line in block.text.splitlines()]
    assert [line for line in shown if re.fullmatch(r"\s*(\.\.\.|…)\s*", line) or line.startswith("...")] == []


def story(tmp_path: Path, text: str) -> Story:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n```console\n{text}```\n")
    return Story(page, tmp_path, environment(tmp_path))


def test_the_runner_notices_a_wrong_answer(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the page:\ntwo\nprinted:\none"):
        story(tmp_path, "$ echo one\ntwo\n").run()


def test_the_runner_notices_output_that_the_page_leaves_out(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="printed:\none"):
        story(tmp_path, "$ echo one\n").run()


def test_the_runner_notices_a_wrong_exit_code(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="exit 1"):
        story(tmp_path, "$ false\n").run()


def test_a_page_may_change_the_folder_and_a_variable(tmp_path: Path) -> None:
    text = "$ mkdir inner\n$ cd inner\n$ export GREETING=hello\n$ echo $GREETING; basename $(pwd)\nhello\ninner\n"
    assert story(tmp_path, text).run() == 4


def test_an_id_of_the_page_stands_for_the_one_of_this_run(tmp_path: Path) -> None:
    text = "$ echo made $(od -An -N4 -tx1 /dev/urandom | tr -d ' ' | tee id)\nmade 0badcafe\n"
    assert story(tmp_path, f"{text}$ test 0badcafe = $(cat id)\n").run() == 2


def test_continued_lines_are_one_command() -> None:
    found = examples("$ echo a \\\n>   b\na b\n")
    assert [(one.typed, one.command, one.shown) for one in found] == [("$ echo a \\\n>   b", "echo a b", "a b")]


def test_a_page_is_rewritten_where_it_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo until 2026-11-28 12:00\nuntil 2020-01-01 10:00\n$ echo one\ntwo\n```\n")
    assert refresh(page)
    assert page.read_text() == (
        "```console\n$ echo until 2026-11-28 12:00\nuntil 2020-01-01 10:00\n$ echo one\none\n```\n"
    )
    assert not refresh(page)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("until 2026-11-28 23:44:48 UTC (2h)", "until 2027-01-01 00:00 UTC (2h)"),
        ("reserved 4692bba9  rack1", "reserved ffaa0011 rack1"),
        ('{"created_at":"2026-11-28T21:45:29+00:00"}', '{"created_at":"2027-01-02T01:00:00+00:00"}'),
        ("Reservation ID: sha256:0a1b", "Reservation ID: sha256:ff00"),
        ("promised in 2h", "promised in 1h59m"),
        ("success 0.1 s", "success 12.25 s"),
        ("serving http://127.0.0.1:4711/mcp", "serving http://127.0.0.1:39999/mcp"),
    ],
)
def test_values_of_one_run_are_compared_by_their_form(shown: str, printed: str) -> None:
    assert same(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("held by bob", "held by alice"),
        ("until 2026-11-28 23:44:48 UTC (2h)", "until 2026-11-28 23:44:48 UTC (1h)"),
        ("until 2026-11-28 23:44 UTC (1s)", "until 2026-11-28 23:44 UTC (8s)"),
        ("number 3", "number 4"),
        ("one\ntwo", "one two"),
        ("until 2026-11-28 23:44 UTC", "until forever"),
    ],
)
def test_what_a_user_would_notice_is_compared_as_it_is(shown: str, printed: str) -> None:
    assert not same(shown, printed)


def test_columns_stay_where_they_are(tmp_path: Path) -> None:
    stand = Stand(((r"(?<![\w/.-])root(?![\w/-])", "alice"),))
    assert stand.as_on_a_page("HOLDER  RESOURCES\nroot    rack1") == "HOLDER  RESOURCES\nalice   rack1"
    assert stand.as_on_a_page("held by root  (soak)\nroot  rack1") == "held by alice  (soak)\nalice  rack1"


def test_names_of_this_machine_are_those_of_a_page(tmp_path: Path) -> None:
    stand = Stand(((str(tmp_path), "/home/alice/lab"), (r"(?<![\w/.-])runner(?![\w/-])", "alice")))
    assert stand.as_on_a_page(f"{tmp_path}/lab.toml: by runner") == "/home/alice/lab/lab.toml: by alice"
