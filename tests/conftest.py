"""What every test stands on: an environment of its own, and books on both engines.

No test sees the home folder, the settings or the books of whoever runs it. One PostgreSQL server serves the whole
run; each test gets a schema of its own. ``BESPEAK_TEST_POSTGRES`` names another server to use instead.
"""

from __future__ import annotations

import itertools
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, os.path.dirname(__file__))

from support import pgserver

settings.register_profile(
    "bespeak", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("bespeak")

NAMED_SERVER = os.environ.get("BESPEAK_TEST_POSTGRES")
_RUN = "PYTEST_RUN_OF_BESPEAK"
_PRIVATE = ("XDG_", "BESPEAK_", "ORCHESJOB_", "OTTO_", "PG", "CLAUDE_", "CODEX_")
_PRIVATE_NAMES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "EDITOR", "SUDO_USER")


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder of the run's server, which xdist workers inherit; have signals as a shell would.

    Under ``nohup`` a hang-up is ignored, also by all programs that a test starts.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if not hasattr(config, "workerinput"):
        os.environ[_RUN] = f"{os.getpid()}:{tempfile.gettempdir()}/bpg-{os.getpid()}-{secrets.token_hex(3)}"
    os.environ["TZ"] = "UTC"
    time.tzset()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A run in the background ignores Ctrl-C, and so would every program that a test starts and interrupts.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the run's server."""
    if not hasattr(config, "workerinput"):
        pgserver.stop_shared(os.environ.pop(_RUN).partition(":")[2])


@pytest.fixture(autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the test a home, a working directory and settings of its own."""
    for name in list(os.environ):
        if name.startswith(_PRIVATE) or name in _PRIVATE_NAMES:
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The URL of a PostgreSQL database without a schema; the server lives as long as the run."""
    if NAMED_SERVER:
        return NAMED_SERVER
    owner, _, folder = os.environ[_RUN].partition(":")
    return pgserver.start_shared(int(owner), folder)


def in_schema(server: str, schema: str) -> str:
    """Return the URL of one schema of a server."""
    return f"{server}{'&' if '?' in server else '?'}schema={schema}"


@pytest.fixture
def postgres_schemas(postgres_server: str) -> Iterator[Callable[[], str]]:
    """A function that returns the URL of a new, empty PostgreSQL book; the books go with the test."""
    made: list[str] = []

    def new() -> str:
        made.append(f"t_{secrets.token_hex(8)}")
        return in_schema(postgres_server, made[-1])

    yield new
    if made:
        import psycopg

        with psycopg.connect(postgres_server, autocommit=True) as connection:
            connection.execute("SET client_min_messages TO error; SET lock_timeout TO '20s'")
            for schema in made:
                connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


@pytest.fixture
def postgres_url(postgres_schemas: Callable[[], str]) -> str:
    """The URL of a new, empty PostgreSQL book."""
    return postgres_schemas()


@pytest.fixture
def private_postgres() -> Iterator[pgserver.Server]:
    """A PostgreSQL server of this test alone, to be stopped or broken."""
    server = pgserver.Server()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def book_engine(request: pytest.FixtureRequest) -> str:
    """Both engines in turn."""
    return str(request.param)


@pytest.fixture
def fresh_book(
    book_engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """A function that returns the URL of a new, empty book, on each engine in turn."""
    if book_engine == "postgresql":
        schemas: Callable[[], str] = request.getfixturevalue("postgres_schemas")
        return schemas
    folder = tmp_path_factory.mktemp("books")
    numbers = itertools.count(1)
    return lambda: f"sqlite://{folder}/{next(numbers)}.db"


@pytest.fixture
def book_url(fresh_book: Callable[[], str]) -> str:
    """The URL of a new, empty book, on each engine in turn."""
    return fresh_book()


class Cli:
    """Runs ``bespeak`` as a user does: a process of its own."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[str]] = []

    def __call__(
        self, *args: str, env: dict[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; ``env`` adds to the environment."""
        options.setdefault("timeout", 120)
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            self.command(*args), capture_output=True, text=True, check=False, env=os.environ | (env or {}), **options
        )

    def start(self, *args: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        """Start a command with pipes; it is killed when the test ends."""
        for stream in ("stdin", "stdout", "stderr"):
            options.setdefault(stream, subprocess.PIPE)
        process = subprocess.Popen(self.command(*args), text=True, env=os.environ | (env or {}), **options)
        self._started.append(process)
        return process

    @staticmethod
    def command(*args: str) -> list[str]:
        """Return the words of the command line."""
        return [sys.executable, "-m", "bespeak", *args]

    def end(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()


@pytest.fixture
def cli() -> Iterator[Cli]:
    """Run the command line as a real process: ``cli("list", "--json").stdout``."""
    runner = Cli()
    yield runner
    runner.end()
