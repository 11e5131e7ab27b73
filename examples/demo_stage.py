"""The stage of the demo: a temporary folder with the sample lab and a book, where commands are typed and shown."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
_OURS = ("BESPEAK_", "ORCHESJOB_", "XDG_", "GIT_")
_ACTING = "bespeak: acting as "
_LONG_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def styled(text: str, code: str) -> str:
    """Return ``text`` in a style, on a terminal that has styles."""
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(text: str) -> None:
    """Print a heading of the story."""
    print(f"\n{styled(text, '1')}", flush=True)


class Stage:
    """A temporary folder with the sample lab, and a book of its own."""

    def __init__(self, folder: Path) -> None:
        self.lab = folder / "lab"
        shutil.copytree(HERE / "lab", self.lab)
        programs = str(Path(sys.executable).parent)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(_OURS)},
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "BESPEAK_LEDGER": str(folder / "book.sqlite3"),
            "ORCHESJOB_HOME": str(folder / "jobs"),
        }

    def start(self, command: str) -> subprocess.Popen[str]:
        """Print a command as one would type it, and start it."""
        print(f"{styled('$', '2')} {styled(command, '36')}", flush=True)
        return subprocess.Popen(
            shlex.split(command),
            cwd=self.lab,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def show_until(self, process: subprocess.Popen[str], words: str, *, silent: bool = False) -> str:
        """Print what a running command says (nothing, if ``silent``), up to a line with ``words``; return that."""
        said = ""
        for line in process.stdout or ():
            said += line
            if not silent:
                self._show([line.rstrip()])
            if words in line:
                return line
        sys.exit(f"demo: the command ended without saying {words!r}:\n{said}")

    def finish(
        self, process: subprocess.Popen[str], *, code: int = 0, shows: tuple[str, ...] = (), only: str = ""
    ) -> str:
        """Wait for a command, print what it said (only lines that match ``only``), and insist on its answer."""
        output, _ = process.communicate(timeout=60)
        as_expected = process.returncode == code
        self._show([line for line in output.splitlines() if not as_expected or re.search(only, line)])
        if not as_expected:
            sys.exit(f"demo: exit code {process.returncode} instead of {code}")
        for words in shows:
            if words not in output:
                sys.exit(f"demo: the answer does not say {words!r}:\n{output}")
        return output

    def type(self, command: str, *, code: int = 0, shows: tuple[str, ...] = (), only: str = "") -> str:
        """Run a command to its end."""
        return self.finish(self.start(command), code=code, shows=shows, only=only)

    def ask(self, command: str) -> str:
        """Run a command whose answer nobody shall see; return it."""
        print(f"{styled('$', '2')} {styled(command, '36')}", flush=True)
        words = shlex.split(command)
        found = subprocess.run(words, cwd=self.lab, env=self.environment, text=True, check=True, capture_output=True)
        return found.stdout

    def write(self, name: str, text: str) -> None:
        """Put text at the end of a file of the lab, and show what was written."""
        path = self.lab / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
        print(styled(f"  {name}:", "2"))
        print("".join(f"  | {line}\n" for line in text.strip().splitlines()), end="", flush=True)

    def _show(self, lines: list[str]) -> None:
        for line in lines:
            if line and not line.startswith(_ACTING):
                shortened = _LONG_ID.sub(r"\1...", line).replace(self.environment["HOME"], "~")
                print(f"  {shortened}", flush=True)
