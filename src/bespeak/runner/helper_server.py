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
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread

from bespeak.argv.fast_parser import read
from bespeak.base import json_text
from bespeak.base.errors import BespeakError, UsageError
from bespeak.runner.cli import ERROR, PROGRAM, CommandContext, exit_code
from bespeak.runner.query_commands import status_fields
from bespeak.runner.service import Runner
from bespeak.runner.start_commands import start_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bespeak.runner.cli import Values

THREADS = 16
"""Requests worked on at once; a start mostly waits for its command to begin."""


def main() -> int:
    """Answer until the end of standard input."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    runner = Runner()
    runner.inherited = dict(os.environb)  # asking for it anew is a tenth of a start
    with suppress(BespeakError):
        runner.read(lambda _: None)  # opens the book before anybody asks; what is wrong with it is told to who asks
    Server(runner, sys.stdout.fileno()).run(sys.stdin.fileno())
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
            text = json_text.one_line({"n": number, "code": code, "out": out, "err": err})
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
        return 0, json_text.indented(_do(runner, argv)) + "\n", ""
    except BespeakError as error:
        return exit_code(error), "", json_text.indented({"error": str(error)}) + "\n"
    except OSError as error:
        return ERROR, "", json_text.indented({"error": f"{error.filename or 'the system'}: {error.strerror}"}) + "\n"


def _do(runner: Runner, argv: Sequence[str]) -> dict[str, object]:
    name = argv[0] if argv else ""
    work = _COMMANDS.get(name)
    if work is None:
        raise UsageError(f"serve: {name!a} is none of {', '.join(_COMMANDS)}")
    own = argv[: argv.index("--")] if "--" in argv else argv
    if any(word in ("-h", "--help", "--version") for word in own):
        raise UsageError(f"serve: {name}: no help here")
    parsed = read(PROGRAM, argv, "serve:")
    if isinstance(parsed, int):
        raise UsageError(f"serve: {name}: no help here")
    return work(runner, parsed.values)


def _start(runner: Runner, values: Values) -> dict[str, object]:
    # Whoever asks through a pipe wants to know the job; waiting for its end would hold up the others.
    return start_job(runner, {**values, "sync": False})


def _status(runner: Runner, values: Values) -> dict[str, object]:
    if values["running"] or values["all"]:
        raise UsageError("serve: status of one job only")
    return status_fields(runner, CommandContext(runner).find(values))


_COMMANDS: dict[str, Callable[[Runner, Values], dict[str, object]]] = {"start": _start, "status": _status}
