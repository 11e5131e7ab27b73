"""The runner as a helper of one other program: requests and answers as JSON lines, no process a request.

``python -m bespeak.runner serve`` reads ``{"n": 1, "argv": ["start", ...]}`` from standard input and answers
``{"n": 1, "code": 0, "out": "...", "err": "..."}`` in the order in which things are done. ``argv``, output and exit
codes are those of the program, so whoever asks needs to know one language only. The helper ends with its input.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread

from bespeak.argv.fast_parser import read
from bespeak.base import json_text
from bespeak.base.errors import BespeakError, UsageError
from bespeak.base.frozen import replace
from bespeak.runner import serialize
from bespeak.runner.batch_starts import BatchStarts
from bespeak.runner.cli import ERROR, PROGRAM, CommandContext, exit_code
from bespeak.runner.query_commands import status_fields
from bespeak.runner.service import Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import ParamSpec

    from bespeak.runner.batch_starts import BatchStart
    from bespeak.runner.cli import Values

    P = ParamSpec("P")

_COMMANDS = ("start", "status")
THREADS = 16
"""Starts that take their time, worked on at once; each mostly waits for its command to begin."""
_CHUNK = 262_144


def main() -> int:
    """Answer until the end of standard input."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    runner = Runner()
    runner.inherited = dict(os.environb)  # asking for it anew is a tenth of a start
    starts = BatchStarts(runner, runner.inherited)
    starts.get_ready()
    with suppress(BespeakError):
        runner.read(lambda _: None)  # opens the book before anybody asks; what is wrong with it is told to who asks
    Server(runner, starts, sys.stdout.fileno()).run(sys.stdin.fileno())
    return 0


class Server:
    """Answers requests.

    Args:
        runner: who does the work.
        starts: who does that of starts.
        answers: the descriptor that answers are written to.
    """

    def __init__(self, runner: Runner, starts: BatchStarts, answers: int) -> None:
        self._runner = runner
        self._starts = starts
        self._answers = answers
        self._lock = Lock()
        self._queue: SimpleQueue[BatchStart | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._unread = bytearray()

    def run(self, requests: int) -> None:
        """Take requests from a descriptor until its end, and finish those that were begun."""
        is_open = True
        while is_open or len(self._starts):
            is_open = self._turn(requests if is_open else -1)
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._starts.close()
        self._runner.close()

    def _turn(self, requests: int) -> bool:
        """Wait for something to do and do it; False once there are no more requests."""
        poll = select.poll()
        for descriptor in (requests, self._starts.fileno()):
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        seconds = self._starts.seconds()
        ready = {descriptor for descriptor, _ in poll.poll(None if seconds is None else seconds * 1000 + 1)}
        is_open = requests >= 0
        said: list[bytes] = []
        if requests in ready:
            data = os.read(requests, _CHUNK)
            is_open = bool(data)
            self._unread += data
            *lines, rest = self._unread.split(b"\n")
            self._unread = rest
            said = self._take(lines)
        self._starts.take()
        done, self._starts.done = self._starts.done, []
        said += [_line(start.number, *_answer(self._result, start)) for start in done]
        if said:
            self._send(b"".join(said))
        unsettled, self._starts.unsettled = self._starts.unsettled, []
        for start in unsettled:
            self._work_later(start)
        return is_open

    def _take(self, lines: list[bytearray]) -> list[bytes]:
        """Begin starts, do all else; return what was answered already."""
        starts, said = [], []
        for line in lines:
            try:
                request = json.loads(line)
                number, argv = int(request["n"]), [str(word) for word in request["argv"]]
            except (ValueError, TypeError, KeyError):
                continue
            if argv[:1] != ["start"]:
                said.append(_line(number, *_answer(_do, self._runner, argv)))
                continue
            try:
                starts.append((number, _values(argv)))
            except BespeakError as error:
                said.append(_line(number, *_failure(error)))
        if starts:
            self._starts.submit(starts)
        return said

    def _result(self, start: BatchStart) -> dict[str, object]:
        if start.error is not None:
            raise start.error
        assert start.started is not None  # noqa: S101 -- it is one of the two
        return serialize.started_fields(start.started, self._runner.paths, mode="async", strict=start.values["strict"])

    def _work_later(self, start: BatchStart) -> None:
        self._queue.put(start)
        if len(self._threads) < THREADS:
            self._threads.append(Thread(target=self._work, daemon=True))
            self._threads[-1].start()

    def _work(self) -> None:
        while (start := self._queue.get()) is not None:
            self._send(_line(start.number, *_answer(self._started_slowly, start)))

    def _started_slowly(self, start: BatchStart) -> dict[str, object]:
        assert start.started is not None  # noqa: S101 -- what was not stored is answered at once
        seconds = max(start.deadline - time.monotonic(), 0.0)
        job = self._runner.ensure_started(start.started.job, seconds)
        return self._result(replace(start, started=replace(start.started, job=job)))

    def _send(self, data: bytes) -> None:
        with self._lock:
            while data:
                try:
                    data = data[os.write(self._answers, data) :]
                except OSError:
                    os._exit(0)  # whoever asked is gone; what was begun is in the records


def _line(number: int, code: int, out: str, err: str) -> bytes:
    return json_text.one_line({"n": number, "code": code, "out": out, "err": err}).encode() + b"\n"


def _answer(work: Callable[P, dict[str, object]], *words: P.args, **named: P.kwargs) -> tuple[int, str, str]:
    """Do something; return exit code, standard output and standard error."""
    try:
        return 0, json_text.one_line(work(*words, **named)) + "\n", ""
    except (BespeakError, OSError) as error:
        return _failure(error)


def _failure(error: BespeakError | OSError) -> tuple[int, str, str]:
    if isinstance(error, BespeakError):
        code, text = exit_code(error), str(error)
    else:
        code, text = ERROR, f"{error.filename or 'the system'}: {error.strerror}"
    return code, "", json_text.indented({"error": text}) + "\n"


def _do(runner: Runner, argv: Sequence[str]) -> dict[str, object]:
    values = _values(argv)
    if values["running"] or values["all"]:
        raise UsageError("serve: status of one job only")
    return status_fields(runner, CommandContext(runner).find(values))


def _values(argv: Sequence[str]) -> Values:
    """Return what a command line says.

    Raises:
        UsageError: it is none that is served.
    """
    name = argv[0] if argv else ""
    if name not in _COMMANDS:
        raise UsageError(f"serve: {name!a} is none of {', '.join(_COMMANDS)}")
    own = argv[: argv.index("--")] if "--" in argv else argv
    parsed = None if any(word in ("-h", "--help", "--version") for word in own) else read(PROGRAM, argv, "serve:")
    if parsed is None or isinstance(parsed, int):
        raise UsageError(f"serve: {name}: no help here")
    # Whoever asks through a pipe wants to know the job; waiting for its end would hold up the others.
    return {**parsed.values, "sync": False}
