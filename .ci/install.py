"""Makes the environment of this repository: ``python .ci/install.py FOLDER [PIP ARGUMENTS...]``. It says what it does.

Only the standard library is used, because nothing else is there yet.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

EVERY_SECONDS = 5
PIP = ["-m", "pip", "install", "--progress-bar", "off", "--disable-pip-version-check", "--no-input"]
NO_VENV = "cannot make {folder}: this Python cannot make environments (on Debian and Ubuntu: apt install python3-venv)"


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def make_environment(folder: Path) -> Path:
    """Make the virtual environment if it is not there; return its Python."""
    python = folder / "bin" / "python"
    if not (python.exists() and (folder / "bin" / "pip").exists()):
        say(f"install: making {folder} with Python {sys.version.split()[0]}")
        made = subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            sys.exit(f"install: {NO_VENV.format(folder=folder)}\n{made.stdout}{made.stderr}")
    return python


def install(python: Path, arguments: list[str]) -> None:
    """Install packages with pip, and say every few seconds how far it is."""
    say("install: fetching bespeak's libraries and the tools of its tests: about 100 packages, one to three minutes")
    begin = time.monotonic()
    process = subprocess.Popen(
        [python, *PIP, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()))
    reader.start()
    while reader.is_alive():
        reader.join(EVERY_SECONDS)
        if reader.is_alive():
            say(f"install: {time.monotonic() - begin:3.0f} s, {_progress(lines)}")
    if process.wait() != 0:
        sys.exit("".join(lines[-15:]) + "install: pip failed; the lines above say why")
    say(f"install: done in {time.monotonic() - begin:.0f} s")


def _progress(lines: list[str]) -> str:
    if any(line.startswith("Installing collected") for line in lines):
        return "unpacking"
    found = [line.split()[1] for line in lines if line.startswith("Collecting ")]
    if not found:
        return "asking the package index"
    return f"{len(found)} packages found, now {re.split('[^A-Za-z0-9._-]', found[-1])[0]}"


def main(words: list[str]) -> None:
    """Make the environment and install into it."""
    install(make_environment(Path(words[0])), words[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
