"""Dispatchers, stub runners and reservations for the tests of jobs, as real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

PATIENCE_SECONDS = 60.0
"""How long a test waits for something that must happen; far longer than it takes."""

_CODE = "import sys; from bespeak.jobs.cli import main; raise SystemExit(main(sys.argv[2:], sys.argv[1]))"
RESERVER = "orchesjob-reserver"

RECORDING = r"""#!/bin/sh
# Writes one line a call; a start prints a job id made of the run key.
# In one write with its end of line, so that lines of calls side by side do not mix.
printf '%s' "$*
" >>"$STUB_LOG"
case "$1" in
    start) printf '{"job_id": "job-%s", "existing": false}\n' "$3" ;;
    status) [ "$2" = --job-id ] && printf '{"job_id": "%s", "status": "SUCCEEDED", "exit_code": 0}\n' "$3" || exit 3 ;;
    result) printf 'the result of %s\n' "$3"; echo "on stderr" >&2; exit 7 ;;
    cancel) printf '{"cancelled": "%s"}\n' "$3"; exit 4 ;;
esac
"""


def command(*args: str, prog: str = RESERVER) -> list[str]:
    """Return the words of one call."""
    return [sys.executable, "-c", _CODE, prog, *args]


def until(what: Callable[[], Any], told: str = "it") -> Any:
    """Wait until ``what`` returns something true, and return that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{told} did not happen in {PATIENCE_SECONDS:g} s")


class Answer:
    """What one call printed."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object on standard output."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def error(self) -> str:
        """The text of the one JSON object on standard error."""
        (line,) = self.err.splitlines()
        return str(json.loads(line)["error"])


class Site:
    """A store, a stub runner and the dispatchers of one test.

    Args:
        folder: for everything.
        url: of the store; by default an SQLite file in ``folder``.
    """

    def __init__(self, folder: str, url: str | None = None) -> None:
        self.folder = folder
        self.url = url or os.path.join(folder, "home", "reserver.sqlite3")
        self.calls_file = os.path.join(folder, "calls")
        self.runner = self.stub("runner", RECORDING)
        self.dispatchers: list[Dispatcher] = []

    def stub(self, name: str, text: str) -> str:
        """Write an executable script and return its path."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment of this test's programs."""
        home = os.path.join(self.folder, "home")
        return os.environ | {"ORCHESJOB_HOME": home, "STUB_LOG": self.calls_file} | more

    def call(self, *args: str, prog: str = RESERVER, runner: str | None = None, **more: str) -> Answer:
        """Run one command to its end."""
        words = command(args[0], "--db", self.url, "--orchesjob-bin", runner or self.runner, *args[1:], prog=prog)
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, env=self.environ(**more), timeout=120,
            stdin=subprocess.DEVNULL, errors="surrogateescape",
        )  # fmt: skip
        return Answer(done)

    def reserve(self, key: str, *args: str) -> dict[str, Any]:
        """Reserve /bin/true under a key and return the reservation."""
        answer = self.call("reserve", "--run-key", key, *args, "--", "/bin/true", key)
        assert answer.code == 0, answer.err
        return dict(answer.json["reservation"])

    def status(self, key: str) -> dict[str, Any]:
        """Return the reservation of a key."""
        return dict(self.call("status", "--run-key", key).json["reservation"])

    def run(self, *args: str, prog: str = RESERVER, runner: str | None = None, **more: Any) -> "Dispatcher":
        """Start a dispatcher and wait until it says so."""
        dispatcher = Dispatcher(self, args, prog=prog, runner=runner or self.runner, **more)
        self.dispatchers.append(dispatcher)
        return dispatcher

    def once(self, *args: str, prog: str = RESERVER, runner: str | None = None, **more: Any) -> "list[dict[str, Any]]":
        """Run a dispatcher until nothing is due, and return its events."""
        dispatcher = self.run("--once", *args, prog=prog, runner=runner, wait=False, **more)
        assert dispatcher.process.wait(PATIENCE_SECONDS) == 0
        return dispatcher.events()

    def calls(self) -> list[str]:
        """Return what the stub was called with."""
        if not os.path.exists(self.calls_file):
            return []
        with open(self.calls_file, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()

    def starts(self) -> list[str]:
        """Return the run keys that the stub was asked to start, in order."""
        return [line.split(" ")[2] for line in self.calls() if line.startswith("start ")]

    def close(self) -> None:
        """Kill what still runs."""
        for dispatcher in self.dispatchers:
            dispatcher.kill()


class Dispatcher:
    """One ``run`` as a process, with its events in a file."""

    def __init__(
        self,
        site: Site,
        args: Sequence[str],
        *,
        prog: str,
        runner: str,
        wait: bool = True,
        env: dict[str, str] | None = None,
        **options: Any,
    ) -> None:
        self._events = os.path.join(site.folder, f"events-{len(site.dispatchers)}")
        words = command("run", "--db", site.url, "--orchesjob-bin", runner, *args, prog=prog)
        options.setdefault("start_new_session", True)
        if "stdout" not in options:
            with open(self._events, "wb") as file:
                self.process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, env=site.environ(**(env or {})), stdout=file, **options
                )
        else:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, env=site.environ(**(env or {})), **options)
        if wait:
            self.await_event("reserver_started")

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Return the events so far."""
        with open(self._events, encoding="utf-8") as file:
            lines = [line for line in file.read().split("\n")[:-1] if line]
        found = [json.loads(line) for line in lines]
        return [event for event in found if name in (None, event["event"])]

    def await_event(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until an event was emitted ``count`` times."""

        def seen() -> list[dict[str, Any]] | None:
            found = self.events(name)
            if len(found) < count and self.process.poll() is not None and len(self.events(name)) < count:
                raise AssertionError(f"ended with {self.process.returncode} before {name}: {self.events()}")
            return found if len(found) >= count else None

        return list(until(seen, name))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """Kill it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


def sites(folder: str, url: str | None = None) -> Iterator[Site]:
    """Yield one site and end what it started."""
    site = Site(folder, url)
    yield site
    site.close()
