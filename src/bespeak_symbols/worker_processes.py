"""Worker processes that read many files in parallel, when a repository is read for the first time.

They are started as new commands and not forked: the calling process may have threads and an open database. A worker
receives the id of one content a line, and answers in the same order. If one dies, this costs time only: the caller
reads what it has not answered.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from importlib import import_module
from queue import SimpleQueue
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING

from bespeak_symbols import backend as backends
from bespeak_symbols.cache import Entry, Key
from bespeak_symbols.extraction import ExtractionTask, read_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bespeak_symbols.backend import Backend
    from bespeak_symbols.object_reader import ObjectReader

_FEW = 150
_MOST_WORKERS = 8
_PER_TURN = 32
_LENGTHS = struct.Struct(">II")
_Answer = tuple[ExtractionTask, "Entry | None"]


class _Share:
    """Tasks, handed out a few at a time to whoever is free."""

    def __init__(self, tasks: Sequence[ExtractionTask]) -> None:
        self._tasks = tasks
        self._next = 0
        self._lock = Lock()

    def take(self) -> Sequence[ExtractionTask]:
        with self._lock:
            start, self._next = self._next, self._next + _PER_TURN
        return self._tasks[start : self._next]

    def stop(self) -> None:
        with self._lock:
            self._next = len(self._tasks)


def read_all(
    backend: Backend, reader: ObjectReader, tasks: Sequence[ExtractionTask]
) -> Iterator[tuple[ExtractionTask, Entry | None]]:
    """Yield the cache entry of each content, in any order; None for a content that is missing."""
    count = min(_MOST_WORKERS, _processors(), len(tasks) // _FEW) if sys.executable else 0
    left = {task.key: task for task in tasks}
    if count > 1:
        for task, entry in read(backend.NAME, reader, tasks, count):
            if left.pop(task.key, None) is not None:
                yield task, entry
    # Without workers, or when one of them has died, the rest is read here.
    yield from read_here(backend, reader, list(left.values()))


def _processors() -> int:
    """Return how many processors this process may use; macOS only knows how many there are."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def read(backend: str, reader: ObjectReader, tasks: Sequence[ExtractionTask], count: int) -> Iterator[_Answer]:
    """Yield the answers of ``count`` workers; tasks that a worker did not answer are missing."""
    share = _Share(tasks)
    answers: SimpleQueue[_Answer | None] = SimpleQueue()
    threads = [Thread(target=_serve_worker, args=(backend, reader, share, answers), daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        running = count
        while running:
            answer = answers.get()
            if answer is None:
                running -= 1
            else:
                yield answer
    finally:
        share.stop()
        for thread in threads:
            thread.join()


def _serve_worker(backend: str, reader: ObjectReader, share: _Share, answers: SimpleQueue[_Answer | None]) -> None:
    """Send one worker its tasks and collect its answers."""
    try:
        with _start(backend, reader) as process:
            if process.stdin is None or process.stdout is None:
                return
            while tasks := share.take():
                lines = [
                    json.dumps([task.key.blob, task.key.suffix, task.key.version, task.language, task.loose])
                    for task in tasks
                ]
                process.stdin.write(("\n".join(lines) + "\n").encode("ascii"))
                process.stdin.flush()
                for task in tasks:
                    answers.put((task, _receive(process.stdout, task.key)))
            process.stdin.close()
    except (OSError, EOFError, ValueError):
        # It died: the caller reads the rest itself.
        pass
    finally:
        answers.put(None)


def _start(backend: str, reader: ObjectReader) -> subprocess.Popen[bytes]:
    """Start a worker. It looks for modules where this process does, never in the folder that it reads."""
    module, function, words = reader.recipe()
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    program = f"import sys; sys.path.append(sys.argv.pop(1)); from {__name__} import serve; serve()"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", program, source, backend, module, function, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
    )


def _receive(pipe: IO[bytes], key: Key) -> Entry | None:
    about, facts = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    told = json.loads(_exactly(pipe, about))
    packed = _exactly(pipe, facts)
    if told is None:
        return None
    unread, definitions, mentions, renames = told
    return Entry(
        key,
        packed,
        [(line, why) for line, why in unread],
        [(last, whole) for last, whole in definitions],
        mentions,
        [(old, new) for old, new in renames],
    )


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    content = pipe.read(size)
    if len(content) != size:
        raise EOFError("the worker has ended")
    return content


def serve() -> None:
    """Be a worker: answer each line on standard input until it ends."""
    backend, module, function, *words = sys.argv[1:]
    using = backends.load(backend)
    reader: ObjectReader = getattr(import_module(module), function)(*words)
    for line in sys.stdin.buffer:
        blob, suffix, version, language, loose = json.loads(line)
        task = ExtractionTask(Key(blob, suffix, version), language, loose)
        for _, entry in read_here(using, reader, [task]):
            _send(sys.stdout.buffer, entry)
    reader.close()


def _send(pipe: IO[bytes], entry: Entry | None) -> None:
    told = None
    if entry is not None:
        told = [list(entry.unread), list(entry.definitions), list(entry.mentions), list(entry.renames)]
    about = json.dumps(told, separators=(",", ":")).encode("ascii")
    facts = b"" if entry is None else entry.facts
    pipe.write(_LENGTHS.pack(len(about), len(facts)) + about + facts)
    pipe.flush()
