"""Runs the examples of a page of documentation as they stand.

A page is a story: its blocks run in order, in one empty directory, with a book of its own.

- ``console`` blocks: each line that begins with ``$ `` is typed into a shell; what follows is what it prints (standard
  output and error together), complete. Times, ids and other values of one run are compared by their form
  (``support/sameness.py``). A comment ``# exit 7`` at the end of the command is the exit code it must have; without one
  it is 0. ``cd`` and ``export`` hold for the rest of the page. A command that ends in ``&`` runs in the background and
  must have ended well when the page ends; its output is not compared. An id that the page shows may be typed further
  down: it stands for the id that was printed in this run.
- ``toml``, ``json``, ``yaml``, ``python`` and ``sh`` blocks whose first line is a comment ``file: NAME`` are written to that file.
- Other ``python`` blocks are run, all blocks of a page in one namespace.

``python tests/support/refreshpages.py`` writes what the commands print now into the pages.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bespeak.ledger import open_ledger
from support.sameness import Stand, ids_of, same

_BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"\A(?:#|//)\s*file:\s*(\S+)\s*\n")
_EXIT = re.compile(r"\s+# exit (\d+)\s*$")
_SET = re.compile(r"export (\w+)=([$\w./:@-]*)(?:\s+#.*)?")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the line it begins at, and where its text is in the page."""

    language: str
    text: str
    line: int
    start: int = 0


@dataclass(frozen=True)
class Example:
    """A command of a console block: as it is typed, joined to one line, and what the page shows below it."""

    typed: str
    command: str
    shown: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(m[1], m[2], text.count("\n", 0, m.start()) + 1, m.start(2)) for m in _BLOCK.finditer(text)]


def examples(text: str) -> list[Example]:
    """Return the commands of a console block, each with what it must print."""
    found: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(([line], []))
        elif found and not found[-1][1] and found[-1][0][-1].endswith("\\"):
            found[-1][0].append(line)
        elif found:
            found[-1][1].append(line)
    return [Example("\n".join(typed), _joined(typed), "\n".join(shown).strip("\n")) for typed, shown in found]


def _joined(typed: list[str]) -> str:
    parts = [typed[0].removeprefix("$ "), *(line.removeprefix(">") for line in typed[1:])]
    return " ".join(part.removesuffix("\\").strip() for part in parts)


class Story:
    """One page being run in ``folder``; afterwards ``printed`` has what each example printed, block by block."""

    def __init__(self, page: Path, folder: Path, environment: dict[str, str], *, compare: bool = True) -> None:
        self.page = page
        self.folder = folder
        self.place = folder
        self.environment = environment
        self.compare = compare
        self.stand = Stand.of_this_machine(folder)
        self.namespace: dict[str, object] = {"__name__": "docs"}
        self.background: list[tuple[str, subprocess.Popen[str]]] = []
        self.ids: dict[str, str] = {}
        self.printed: list[tuple[Block, list[tuple[Example, str]]]] = []
        self.ran = 0

    def run(self) -> int:
        """Run every block; return how many commands and Python blocks were run."""
        try:
            for block in blocks(self.page):
                self._block(block)
            for command, process in self.background:
                output, _ = process.communicate(timeout=60)
                assert process.returncode == 0, f"{self.page.name}: {command}: exit {process.returncode}\n{output}"
        finally:
            for _, process in self.background:
                if process.poll() is None:
                    process.kill()
        return self.ran

    def _block(self, block: Block) -> None:
        file = _FILE.match(block.text)
        if file and block.language in {"toml", "json", "yaml", "python", "sh"}:
            target = self.place / file[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            body = block.text if block.language != "json" else block.text[file.end() :]
            target.write_text(body, encoding="utf-8")
        elif block.language == "console":
            found = [(example, self._example(example, block.line)) for example in examples(block.text)]
            self.printed.append((block, found))
        elif block.language == "python":
            code = compile("\n" * block.line + block.text, str(self.page), "exec")
            exec(code, self.namespace)
            self.ran += 1

    def _example(self, example: Example, line: int) -> str:
        """Run one example; return what it printed, with the names that a page uses for this machine's."""
        self.ran += 1
        wanted = _EXIT.search(example.command)
        command = self._with_real_ids(_EXIT.sub("", example.command))
        if command.startswith("cd ") and "&&" not in command:
            self.place = (self.place / command.removeprefix("cd ")).resolve()
            return ""
        if variable := _SET.fullmatch(command):
            self.environment[variable[1]] = variable[2].replace("$PWD", str(self.place))
            return ""
        process = subprocess.Popen(
            ["/bin/sh", "-c", command.removesuffix("&").rstrip()],
            cwd=self.place,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if command.endswith("&"):
            self.background.append((command, process))
            return ""
        output, _ = process.communicate(timeout=60)
        where = f"{self.page.name}:{line}: $ {command}"
        assert process.returncode == (int(wanted[1]) if wanted else 0), f"{where}: exit {process.returncode}\n{output}"
        printed = self.stand.as_on_a_page(output).strip("\n")
        if self.compare:
            hint = "to write it into the page: python tests/support/refreshpages.py"
            assert same(example.shown, printed), f"{where}\nthe page:\n{example.shown}\nprinted:\n{printed}\n{hint}"
        shown_ids, real_ids = ids_of(example.shown), ids_of(printed)
        if len(shown_ids) == len(real_ids):
            self.ids |= dict(zip(shown_ids, real_ids, strict=True))
        return printed

    def _with_real_ids(self, command: str) -> str:
        for shown, real in self.ids.items():
            command = re.sub(rf"\b{shown}\b", real, command)
        return command


def environment(folder: Path) -> dict[str, str]:
    """Return an environment with a book and a home of the page's own, and the programs of this venv first."""
    open_ledger(str(folder / "home" / "book.sqlite3")).close()
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {
        "PATH": programs,
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "BESPEAK_LEDGER": str(folder / "home" / "book.sqlite3"),
        "GIT_CONFIG_GLOBAL": str(folder / "home" / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
