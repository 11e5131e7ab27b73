"""Writes what commands print into the pages of documentation: ``python tests/support/refreshpages.py [PAGE...]``.

Every example is run. An output that differs from the page in more than times and ids replaces what stands there.
``--all`` replaces every output.
"""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))

from support.pages import Block, Example, Story, environment
from support.sameness import ids_of, same

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def rewritten(block: Block, found: list[tuple[Example, str]], ids: dict[str, str], *, every: bool) -> str:
    """Return the text of a console block with what its commands print now.

    Args:
        ids: new ids by the ones that the page has shown so far; grows with each output that is replaced.
    """
    parts = []
    for example, printed in found:
        keep = same(example.shown, printed) and not every
        shown = example.shown if keep else printed
        typed = example.typed
        for old, new in ids.items():
            typed = typed.replace(old, new)
        if not keep and len(ids_of(example.shown)) == len(ids_of(printed)):
            ids |= dict(zip(ids_of(example.shown), ids_of(printed), strict=True))
        parts.append(f"{typed}\n" + (f"{shown}\n" if shown else ""))
    before = block.text[: block.text.find("$ ")]
    return before + "".join(parts)


def refresh(page: Path, *, every: bool = False) -> bool:
    """Run a page and rewrite it; return whether it changed."""
    with tempfile.TemporaryDirectory(prefix="page-") as name:
        folder = Path(name)
        (folder / "home").mkdir()
        story = Story(page, folder, environment(folder), compare=False)
        os.environ.update({name: story.environment[name] for name in ("HOME", "BESPEAK_LEDGER", "TZ")})
        os.chdir(folder)
        story.run()
        os.chdir(ROOT)
    old = text = page.read_text(encoding="utf-8")
    ids: dict[str, str] = {}
    renewed = [(block, rewritten(block, found, ids, every=every)) for block, found in story.printed]
    for block, new in reversed(renewed):
        text = text[: block.start] + new + text[block.start + len(block.text) :]
    page.write_text(text, encoding="utf-8")
    return text != old


def main(words: list[str]) -> None:
    every = "--all" in words
    named = [Path(word).resolve() for word in words if word != "--all"]
    for page in named or PAGES:
        if refresh(page, every=every):
            print(f"rewritten: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:])
