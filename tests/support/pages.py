"""Runs the examples of a page of documentation as they stand.

A page is a story: its blocks run in order, in one empty directory, with a book of its own.

- ``console`` blocks: each line that begins with ``$ `` is typed into a shell; what follows is what it must print
  (standard output and error together), where ``...`` stands for anything. A comment ``# exit 7`` at the end of the
  command is the exit code it must have; without one it is 0. A command that ends in ``&`` runs in the background and
  must have ended well when the page ends; its output is not compared.
- ``toml``, ``json``, ``python`` and ``sh`` blocks whose first line is a comment ``file: NAME`` are written to that file.
- Other ``python`` blocks are run, all blocks of a page in one namespace.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"\A(?:#|//)\s*file:\s*(\S+)\s*\n")
_EXIT = re.compile(r"\s+# exit (\d+)\s*$")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, and the line it begins at."""

    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in _BLOCK.finditer(text)]


def commands(text: str) -> list[tuple[str, str]]:
    """Return (command, expected output) pairs of a console block."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1] = (f"{found[-1][0][:-1].rstrip()} {line.removeprefix('>').strip()}", [])
        elif found:
            found[-1][1].append(line)
    return [(command, "\n".join(lines).strip()) for command, lines in found]


def matches(expected: str, printed: str) -> bool:
    """Tell whether ``printed`` is what the page shows, ``...`` standing for anything."""
    pattern = ".*?".join(re.escape(" ".join(part.split())) for part in expected.split("..."))
    return re.fullmatch(pattern.replace(r"\ ", " "), " ".join(printed.split()), re.DOTALL) is not None


class Story:
    """One page being run in ``folder``."""

    def __init__(self, page: Path, folder: Path, environment: dict[str, str]) -> None:
        self.page = page
        self.folder = folder
        self.environment = environment
        self.namespace: dict[str, object] = {"__name__": "docs"}
        self.background: list[tuple[str, subprocess.Popen[str]]] = []
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
        if file and block.language in {"toml", "json", "python", "sh"}:
            target = self.folder / file[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            body = block.text if block.language != "json" else block.text[file.end() :]
            target.write_text(body, encoding="utf-8")
        elif block.language == "console":
            for command, expected in commands(block.text):
                self._command(command, expected, block.line)
        elif block.language == "python":
            code = compile("\n" * block.line + block.text, str(self.page), "exec")
            exec(code, self.namespace)
            self.ran += 1

    def _command(self, command: str, expected: str, line: int) -> None:
        self.ran += 1
        wanted = _EXIT.search(command)
        command = _EXIT.sub("", command)
        process = subprocess.Popen(
            ["/bin/sh", "-c", command.removesuffix("&").rstrip()],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if command.endswith("&"):
            self.background.append((command, process))
            return
        output, _ = process.communicate(timeout=60)
        where = f"{self.page.name}:{line}: $ {command}"
        assert process.returncode == (int(wanted[1]) if wanted else 0), f"{where}: exit {process.returncode}\n{output}"
        assert not expected or matches(expected, output), f"{where}\nexpected:\n{expected}\nprinted:\n{output}"


def environment(folder: Path) -> dict[str, str]:
    """Return an environment with a book and a home of the page's own, and the programs of this venv first."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {
        "PATH": programs,
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "BESPEAK_LEDGER": str(folder / "home" / "book.sqlite3"),
    }
