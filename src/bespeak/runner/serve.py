"""The runner as a helper of one other program: requests and answers as JSON lines, no process a request.

``python -m bespeak.runner serve`` reads ``{"n": 1, "argv": ["start", ...]}`` from standard input and answers
``{"n": 1, "code": 0, "out": "...", "err": "..."}`` in the order in which things are done. ``argv``, output and exit
codes are those of the program, so whoever asks needs to know one language only. The helper ends with its input.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from queue import SimpleQueue
from threading import Lock, Thread

from bespeak.errors import BespeakError, NotFoundError, UsageError, WrongStateError
from bespeak.runner import commands, present
from bespeak.runner.arguments import parse
from bespeak.runner.service import START_TIMEOUT_SECONDS, Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bespeak.runner.arguments import Arguments

THREADS = 16
"""Requests worked on at once; a start mostly waits for its command to begin."""

_ERROR, _USAGE, _NOT_FOUND, _WRONG_STATE = 1, 2, 3, 4


def main() -> int:
    """Answer until the end of standard input."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    Server(Runner(), sys.stdout.fileno()).run(sys.stdin.fileno())
    return 0


class Server:
    """Answers requests.

    Args:
        runner: who does the work.
        answers: the descriptor that answers are written to.
    """

    def __init__(self, runner: Runner, answers: int) -> None:
        self._runner = runner
        self._answers = answers
        self._lock = Lock()
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._threads: list[Thread] = []

    def run(self, requests: int) -> None:
        """Take requests from a descriptor until its end, and finish those that were begun."""
        with os.fdopen(requests, "rb", closefd=False) as lines:
            for line in lines:
                self._queue.put(line)
                if len(self._threads) < THREADS:
                    self._threads.append(Thread(target=self._work, daemon=True))
                    self._threads[-1].start()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._runner.close()

    def _work(self) -> None:
        while (line := self._queue.get()) is not None:
            try:
                request = json.loads(line)
                number, argv = int(request["n"]), [str(word) for word in request["argv"]]
            except (ValueError, TypeError, KeyError):
                continue
            code, out, err = answer(self._runner, argv)
            text = json.dumps({"n": number, "code": code, "out": out, "err": err})
            self._send(text.encode() + b"\n")

    def _send(self, data: bytes) -> None:
        with self._lock:
            while data:
                try:
                    data = data[os.write(self._answers, data) :]
                except OSError:
                    os._exit(0)  # whoever asked is gone; what was begun is in the records


def answer(runner: Runner, argv: Sequence[str]) -> tuple[int, str, str]:
    """Do what ``argv`` says; return exit code, standard output and standard error."""
    try:
        return 0, present.dumps(_do(runner, argv)) + "\n", ""
    except BespeakError as error:
        return _code(error), "", present.dumps({"error": str(error)}) + "\n"
    except OSError as error:
        return _ERROR, "", present.dumps({"error": f"{error.filename or 'the system'}: {error.strerror}"}) + "\n"


def _do(runner: Runner, argv: Sequence[str]) -> dict[str, object]:
    name = argv[0] if argv else ""
    work = _COMMANDS.get(name)
    command = next((command for command in commands.COMMANDS if command.name == name), None)
    if work is None or command is None:
        raise UsageError(f"serve: {name!a} is none of {', '.join(_COMMANDS)}")
    arguments = parse(command, list(argv[1:]))
    if arguments is None:
        raise UsageError(f"serve: {name}: no help here")
    return work(runner, arguments)


def _start(runner: Runner, arguments: Arguments) -> dict[str, object]:
    for flag in ("--sync", "--env", "--cwd"):
        if arguments.given(flag):
            raise UsageError(f"serve: start {flag} is not served")
    strict = arguments.given("--strict")
    started = runner.start(
        arguments.text("--run-key") or "",
        arguments.command,
        strict=strict,
        idempotency_key=arguments.text("--idempotency-key"),
        start_timeout_seconds=arguments.seconds("--start-timeout", START_TIMEOUT_SECONDS),
    )
    return present.started_fields(started, runner.paths, mode="async", strict=strict)


def _status(runner: Runner, arguments: Arguments) -> dict[str, object]:
    job = runner.find(
        run_key=arguments.text("--run-key"),
        job_id=arguments.text("--job-id"),
        idempotency_key=arguments.text("--idempotency-key"),
    )
    return present.status_fields(job, runner.paths, runner.override(job.run_key))


_COMMANDS: dict[str, Callable[[Runner, Arguments], dict[str, object]]] = {"start": _start, "status": _status}


def _code(error: BespeakError) -> int:
    if isinstance(error, UsageError):
        return _USAGE
    if isinstance(error, NotFoundError):
        return _NOT_FOUND
    return _WRONG_STATE if isinstance(error, WrongStateError) else _ERROR
