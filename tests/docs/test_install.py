"""What the documents say can be done: installing (there is no package on an index), and following a link."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "src").rglob("*.py"),
        *(ROOT / "examples").glob("*.py"),
    ]
)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ON_AN_INDEX = re.compile(r"bespeak\[\w+\]|(?:pip|uv tool|pipx|uv pip) install '?bespeak\b|uvx bespeak")
EXTRAS = re.compile(r"\.\[([\w,]+)\][`']|needs_extra\([^)]*\"(\w+)\"\)|\bextra:? `?'?(\w+)[`']")


def extras() -> set[str]:
    return set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


def test_nothing_is_said_to_be_on_an_index() -> None:
    found = [(path.name, ON_AN_INDEX.findall(path.read_text(encoding="utf-8"))) for path in TEXTS]
    assert [each for each in found if each[1]] == []


def test_every_extra_that_is_named_exists() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in TEXTS)
    named = {extra for found in EXTRAS.findall(text) for extra in "".join(found).split(",")}
    assert named - extras() == set()
    assert named >= {"postgres", "symbols", "mcp", "redfish", "power"}


def test_readme_begins_a_page_for_everybody() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in ("lab-engineer", "ci", "agent", "edge", "python"):
        assert f"(docs/howto/{page}.md)" in readme
        text = (ROOT / "docs" / "howto" / f"{page}.md").read_text(encoding="utf-8")
        begin = re.search(r"^```(console|python)$", text, re.MULTILINE)
        assert begin is not None
        assert text.count("\n", 0, begin.start()) <= 6, f"{page}.md does not begin with what to type"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings have where it is shown."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_heading(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if link[1] not in anchors(path.parent / link[0] if link[0] else path)] == []
