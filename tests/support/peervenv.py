"""Environments of their own for real counterparts, built from the package index under ``.peers/``.

An environment is named by what it asks for, so a changed list makes a new one and an unchanged list costs nothing.
What could not be got is said in one plain line with the reason: a comparison that quietly leaves its peer out proves
nothing. bespeak itself is put beside a peer as a user would install it: built from this checkout, never editable.
"""

import fcntl
import getpass
import glob
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, ".peers")
READY = ".ready"
OURS = ".bespeak"
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "-q", "install")
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE")


class UnobtainableError(Exception):
    """A counterpart could not be installed; the message says which, and why."""


class Environment:
    """An installed counterpart.

    Args:
        folder: its virtual environment.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    @property
    def python(self) -> str:
        """The interpreter."""
        return self.program("python")

    def program(self, name: str) -> str:
        """Return the path of an installed program."""
        return os.path.join(self.folder, "bin", name)

    def version(self, package: str) -> str:
        """Return the installed version of a package."""
        ask = f"import importlib.metadata as m; print(m.version({package!r}))"
        return subprocess.run([self.python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()


def environment(
    name: str,
    requirements: Sequence[str],
    *,
    bespeak: str | None = None,
    root: str = FOLDER,
    python: str = sys.executable,
) -> Environment:
    """Return the environment for ``requirements``, built if it is not there yet; safe among processes.

    Args:
        name: a word for people, the start of the folder's name.
        requirements: what to install, as pip reads it.
        bespeak: put this checkout's bespeak beside it, built anew whenever a source file changed; the value names
            the extras it gets (``postgres``), the empty text none.
        root: where environments are kept.
        python: the interpreter to build it with; see :func:`find_python`.

    Raises:
        UnobtainableError: something could not be installed.
    """
    digest = hashlib.sha256("\n".join([_version(python), *requirements, bespeak or ""]).encode()).hexdigest()[:12]
    folder = os.path.join(root, f"{name}-{digest}")
    with _alone(folder):
        if not os.path.exists(os.path.join(folder, READY)):
            _build(folder, name, requirements, python)
        if bespeak is not None:
            _refresh(folder, name, f"{ROOT}[{bespeak}]" if bespeak else ROOT)
    return Environment(folder)


def find_python(at_least: tuple[int, int]) -> str:
    """Return the oldest interpreter of this machine that is new enough: on PATH, or one that pyenv built.

    Raises:
        UnobtainableError: there is none.
    """
    if sys.version_info[:2] >= at_least:
        return sys.executable
    versions = [(at_least[0], minor) for minor in range(at_least[1], at_least[1] + 8)]
    for major, minor in versions:
        name = f"python{major}.{minor}"
        built = glob.glob(os.path.expanduser(f"~{getpass.getuser()}/.pyenv/versions/{major}.{minor}.*/bin/python"))
        for path in [*filter(None, [shutil.which(name)]), *sorted(built)]:
            if _version(path).startswith(f"{major}.{minor}."):
                return path
    raise UnobtainableError(f"no Python {at_least[0]}.{at_least[1]} or newer on PATH or in ~/.pyenv/versions")


def _version(python: str) -> str:
    """Return what an interpreter calls itself; empty if it does not run (a pyenv shim of a version not chosen)."""
    if python == sys.executable:
        return sys.version
    done = subprocess.run([python, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False)
    return done.stdout


@contextmanager
def _alone(folder: str) -> Iterator[None]:
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(folder + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(folder: str, name: str, requirements: Sequence[str], python: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _run(name, requirements, [python, "-m", "venv", folder])
    if requirements:
        _run(name, requirements, [os.path.join(folder, "bin", "python"), *PIP, *requirements])
    _write(os.path.join(folder, READY), "\n".join(requirements))


def _refresh(folder: str, name: str, wanted: str) -> None:
    marker = os.path.join(folder, OURS)
    now = source_digest()
    if _read(marker) == now:
        return
    python = os.path.join(folder, "bin", "python")
    _run(name, ["bespeak"], [python, *PIP, wanted])
    _run(name, ["bespeak"], [python, *PIP, "--force-reinstall", "--no-deps", ROOT])
    _write(marker, now)


def source_digest() -> str:
    """Return a digest of everything that bespeak's package is built from."""
    digest = hashlib.sha256()
    paths = [os.path.join(ROOT, name) for name in BUILT_FROM]
    for folder, folders, files in os.walk(os.path.join(ROOT, "src")):
        folders[:] = sorted(each for each in folders if each != "__pycache__")
        paths += [os.path.join(folder, name) for name in sorted(files)]
    for path in paths:
        with open(path, "rb") as file:
            digest.update(f"{path}\0".encode() + file.read())
    return digest.hexdigest()


def _run(name: str, wanted: Sequence[str], command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        reason = lines[-1].strip() if lines else f"exit {done.returncode}"
        raise UnobtainableError(f"{name}: could not install {', '.join(wanted)}: {reason}")


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _write(path: str, text: str) -> None:
    with open(path + ".half", "w") as file:
        file.write(text)
    os.rename(path + ".half", path)
