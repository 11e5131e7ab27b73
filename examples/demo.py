"""The main job of bespeak, played for real in temporary books: ``make demo``, ``make demo CHAPTER=book``.

Every command is printed as one would type it, and then run. The demo stops with an error as soon as a command answers
otherwise than it should, so it doubles as a test.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

from demo_stage import Stage, say

CHAPTERS = {
    "book": "reserve, refuse, wait, look",
    "jobs": "a command that starts later, with nobody connected",
    "power": "hosts are switched only by who holds them",
    "agents": "two coding agents change one project",
    "server": "two people and a pipeline book from their own machines",
}
ABOUT = (
    "One person plays everybody here: --as-user says who types. bespeak confirms that with a line each time\n"
    "(\"acting as 'alice'\"). The demo leaves this line out, shortens long ids, and writes ~ for its temporary folder."
)


def chosen(words: list[str]) -> argparse.Namespace:
    """Read the words of the command line; a wrong chapter ends the program with one line."""
    parser = argparse.ArgumentParser(description="Play the main job of bespeak in temporary books.")
    parser.add_argument("chapter", nargs="?", help="; ".join(f"{name}: {text}" for name, text in CHAPTERS.items()))
    parser.add_argument("--check", action="store_true", help="only look whether there is such a chapter")
    found = parser.parse_args(words)
    if found.chapter and found.chapter not in CHAPTERS:
        print(f"demo: no chapter {found.chapter!r}; the chapters are {', '.join(CHAPTERS)}", file=sys.stderr)
        sys.exit(2)
    return found


def main(words: list[str]) -> None:
    """Play one chapter, or all of them."""
    found = chosen(words)
    if found.check:
        return
    names = [found.chapter] if found.chapter else list(CHAPTERS)
    print(ABOUT)
    with tempfile.TemporaryDirectory(prefix="bespeak-demo-") as folder:
        for number, name in enumerate(names, 1):
            say(f"== {number}/{len(names)} {name}: {CHAPTERS[name]} ==")
            importlib.import_module(f"demo_{name}").play(Stage(Path(tempfile.mkdtemp(dir=folder))))
    say("That is all. `.venv/bin/bespeak --help` lists every command; README.md says what to read next.")


if __name__ == "__main__":
    main(sys.argv[1:])
