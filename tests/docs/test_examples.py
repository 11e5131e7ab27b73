"""The examples of the documentation run as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.pages import Story, commands, environment, matches

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    variables = environment(tmp_path)
    for name in ("HOME", "BESPEAK_LEDGER", "TZ"):
        monkeypatch.setenv(name, variables[name])
    monkeypatch.chdir(tmp_path)
    shown = page.read_text(encoding="utf-8").count("```console")
    assert Story(page, tmp_path, variables).run() >= shown


def test_the_runner_notices_a_wrong_answer(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n```\n")
    with pytest.raises(AssertionError, match="expected"):
        Story(page, tmp_path, environment(tmp_path)).run()


def test_the_runner_notices_a_wrong_exit_code(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ false\n```\n")
    with pytest.raises(AssertionError, match="exit 1"):
        Story(page, tmp_path, environment(tmp_path)).run()


def test_continued_lines_are_one_command() -> None:
    assert commands("$ echo a \\\n>   b\na b\n") == [("echo a b", "a b")]


def test_dots_stand_for_anything() -> None:
    assert matches("held until ... by alice", "held until\n 12:00 UTC by alice")
    assert not matches("held by bob", "held by alice")
