"""The runner as a program: ``bespeak runner start|status|result|logs|abort|cancel|rerun|unlock|clean``.

Same command line, JSON and exit codes as the published ``orchesjob``, plus ``result``, ``cancel``, ``logs --follow``,
``--idempotency-key``, ``--env``, ``--cwd`` and ``--text``. Every error is one JSON object on standard error.
"""

from __future__ import annotations

import os
import sys

from bespeak.argv.declarations import Entry, Option, Program
from bespeak.argv.fast_parser import read
from bespeak.base.errors import BespeakError, LockedError, NotFoundError, UsageError, WrongStateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from bespeak.argv.declarations import Parsed
    from bespeak.runner.model import Job
    from bespeak.runner.service import Runner

    Values = dict[str, Any]
    Waiting = Callable[[str], dict[str, object] | None]

OK, ERROR, USAGE, NOT_FOUND, WRONG_STATE, LOCKED = range(6)
_BROKEN_PIPE = 141
_INTERRUPTED = 130
_START, _QUERY = "bespeak.runner.start_commands", "bespeak.runner.query_commands"

PROGRAM = Program(
    "bespeak runner",
    "Run a command once under a key, and never lose how it ended.",
    (
        Entry("start", "Start a command under a key, or return the job that makes it unnecessary.", f"{_START}:start"),
        Entry("status", "Say where a job is.", f"{_QUERY}:status"),
        Entry("result", "Show a job with its exit code and, if asked, its output.", f"{_QUERY}:result"),
        Entry("logs", "Print what a job wrote.", f"{_QUERY}:logs"),
        Entry("abort", "Stop a running job: SIGTERM to its group, a grace period, SIGKILL.", f"{_START}:abort"),
        Entry("cancel", "Stop a job like abort does; it reads CANCELLED.", f"{_START}:cancel"),
        Entry("rerun", "Run the command of an ended job again.", f"{_START}:rerun"),
        Entry("unlock", "Allow one more strict execution of a run key.", f"{_START}:unlock"),
        Entry("alias", "Write an orchesjob command that is this runner.", f"{_START}:alias"),
        Entry("clean", "Delete ended jobs with their output; running ones stay.", f"{_QUERY}:clean"),
    ),
    shared=(
        Option(("--json",), "Print JSON: the default.", in_full=True),
        Option(("--text",), "Print text for people instead of JSON.", in_full=True),
    ),
    text="Jobs and their output are in ORCHESJOB_HOME (default /var/lib/orchesjob). Answers are JSON; an error is one "
    "JSON object on standard error. Exit codes: 0 done, 1 error, 2 usage, 3 not found, 4 wrong state, 5 the job book "
    "is locked.",
    main="bespeak.runner.cli:main",
    abbreviations=True,
    sources="bespeak.runner.query_commands:SOURCES",
)
RUN_KEY = Option(("--run-key",), "The job, by its run key (the last attempt).", "KEY", complete="run_key")
JOB_ID = Option(("--job-id",), "The job, by its id.", "ID", complete="job_id")
ONE_JOB = ("--run-key", "--job-id")


class CommandContext:
    """One command as it was called.

    Args:
        runner: who does the work.
        as_text: answer with text instead of JSON.
        waiting: returns what is known of a run key that no job has.
    """

    __slots__ = ("as_text", "runner", "waiting")

    def __init__(self, runner: Runner, *, as_text: bool = False, waiting: Waiting | None = None) -> None:
        self.runner = runner
        self.as_text = as_text
        self.waiting = waiting

    def find(self, values: Values) -> Job:
        """Return the job that a command is about."""
        return self.runner.find(
            run_key=values["run_key"], job_id=values["job_id"], idempotency_key=values.get("idempotency_key")
        )

    def answer(self, value: object) -> int:
        """Print an answer; return the exit code."""
        if self.as_text:
            from bespeak.argv.json_as_text import render

            print(render(value), flush=True)
        else:
            from bespeak.base.json_text import indented

            print(indented(value), flush=True)
        return OK


def main(argv: Sequence[str] | None = None, prog: str = "bespeak runner", waiting: Waiting | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: the words after the program; by default those of this process.
        prog: the program's name in help.
        waiting: returns what ``status`` answers about a run key that no job has; None where nothing is known.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    as_text = "--text" in (words[: words.index("--")] if "--" in words else words)
    try:
        parsed = _read(words, prog)
        if isinstance(parsed, int):
            return parsed
        as_text = parsed.shared["text"]
        return _run(parsed, waiting)
    except BespeakError as error:
        return _fail(error, prog, as_text=as_text)
    except BrokenPipeError:
        # Whoever read the answer has gone. The interpreter would try to flush once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (OSError, MemoryError) as error:
        return _fail(_of_system(error), prog, as_text=as_text)


def _of_system(error: OSError | MemoryError) -> BespeakError:
    if isinstance(error, MemoryError):
        return BespeakError("there is too little memory for this answer; logs copies what a job wrote")
    return BespeakError(f"{error.filename or 'the system'}: {error.strerror or error}")


def _read(words: list[str], prog: str) -> Parsed | int:
    """Return what was typed, or the exit code after help or the version was printed."""
    if not words:
        known = ", ".join(entry.name for entry in PROGRAM.entries)
        raise UsageError(f"a command is required: {known}; see {prog} --help")
    parsed = read(PROGRAM, words, prog)
    sys.stdout.flush()
    return parsed


def _run(parsed: Parsed, waiting: Waiting | None) -> int:
    from bespeak.runner.service import Runner

    runner = Runner()
    try:
        context = CommandContext(runner, as_text=parsed.shared["text"], waiting=waiting)
        return parsed.command.run(context, parsed.values)  # type: ignore[union-attr] # there are only commands
    finally:
        runner.close()


def exit_code(error: BespeakError) -> int:
    """Return the documented exit code of a failure."""
    if isinstance(error, UsageError):
        return USAGE
    if isinstance(error, NotFoundError):
        return NOT_FOUND
    if isinstance(error, WrongStateError):
        return WRONG_STATE
    return LOCKED if isinstance(error, LockedError) else ERROR


def _fail(error: BespeakError, prog: str, *, as_text: bool) -> int:
    if as_text:
        from bespeak.base.display import escape_unprintable

        line = f"{prog}: error: {escape_unprintable(str(error))}"
    else:
        from bespeak.base.json_text import flat

        line = flat({"error": str(error)})
    print(line, file=sys.stderr, flush=True)
    return exit_code(error)


def check_text(flag: str, text: str | None) -> str | None:
    """Return a text that is to be stored.

    Raises:
        UsageError: it is not UTF-8.
    """
    if text is not None:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise UsageError(f"{flag} {text!a}: it is not valid UTF-8") from None
    return text
