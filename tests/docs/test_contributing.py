"""The map of the house in CONTRIBUTING.md is the house as it stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
IN_A_FOLDER = re.compile(r"`((?:src|tests|docs|examples|bench|\.ci)/[\w./-]+)`")
WHERE = TEXT.split("## Where to change")[1].split("\n## ")[0]
ROWS = [line for line in WHERE.splitlines() if line.startswith(("| a", "| what"))]


def test_every_path_exists() -> None:
    paths = [*IN_A_FOLDER.findall(TEXT), *re.findall(r"python ((?:tests|\.ci)/[\w/.]+)", TEXT)]
    assert len(paths) > 50
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_room_is_on_the_map() -> None:
    package = ROOT / "src" / "bespeak"
    rooms = {f"src/bespeak/{path.parent.name}/" for path in package.glob("*/__init__.py")} | {"src/bespeak_symbols/"}
    table = TEXT.split("| room | what it is for |")[1].split("\n\n")[0]
    assert {room for room in IN_A_FOLDER.findall(table) if room.endswith("/")} == rooms


def test_the_picture_is_the_order_that_lint_checks() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    checked = [{part.strip().removeprefix("bespeak.") for part in layer.split("|")} for layer in contracts[0]["layers"]]
    picture = TEXT.split("```text\n")[1].split("```")[0]
    assert [set(re.split(r" {2,}", line)[0:-1]) for line in picture.splitlines()] == checked


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_what_a_row_names_is_in_its_files(row: str) -> None:
    files = [ROOT / path for path in IN_A_FOLDER.findall(row) if (ROOT / path).is_file()]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    names = [name for name in re.findall(r"`(\w+)`", row.split("|")[2]) if name not in {"list", "job", "bespeak"}]
    inside = text + "\n".join(path.read_text() for path in (ROOT / "src" / "bespeak_symbols" / "native").rglob("*.py"))
    assert files
    assert [name for name in names if not re.search(rf"\b{name}\b", inside)] == []


def test_rows_are_found() -> None:
    assert len(ROWS) >= 12
