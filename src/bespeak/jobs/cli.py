"""``bespeak job`` and ``orchesjob-reserver``: one command line under two names.

Parses, calls one service, prints. Every answer is JSON on standard output, every error one JSON object on standard
error; ``--text`` makes both text for people. Only what a command needs is imported, because scripts call ``status`` in
loops.
"""

from __future__ import annotations

import os
import sys

from bespeak.argv.declarations import Entry, Option, Program
from bespeak.argv.fast_parser import read
from bespeak.base.errors import BespeakError, ExitCode, UsageError
from bespeak.jobs.locations import DOCUMENTED_PROGRAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bespeak.argv.declarations import Parsed

_COMPATIBLE_VERSION = "0.1.2"
COMPLETE_VARIABLE = "_ORCHESJOB_RESERVER_COMPLETE"
_CREATE = "bespeak.jobs.commands.create"
_QUERY = "bespeak.jobs.commands.query"
_MANAGE = "bespeak.jobs.commands.manage"
_SCHEDULE = "bespeak.jobs.commands.schedule"
_CLEAN = "bespeak.jobs.commands.clean"
_RESCHEDULE = "bespeak.jobs.commands.reschedule"

PROGRAM = Program(
    "bespeak job",
    "Reserve commands to be started later, exactly once.",
    (
        Entry("reserve", "Reserve a command to be started later, exactly once.", f"{_CREATE}:reserve"),
        Entry("run", "Run the dispatcher in the foreground, under a process manager.", f"{_MANAGE}:run"),
        Entry("status", "Show a reservation.", f"{_QUERY}:status"),
        Entry("result", "Print what the runner says about the job's result.", f"{_QUERY}:result"),
        Entry("cancel", "Cancel a reservation, or the job that it became.", f"{_QUERY}:cancel"),
        Entry("list", "List reservations, newest first.", f"{_QUERY}:listing"),
        Entry("fleet", "Show how the jobs of each host of a lab are doing, over SSH.", "bespeak.cli.job_fleet:fleet"),
        Entry(
            "clean",
            "Delete reservations that are over. RESERVED and DISPATCHING ones always stay.",
            f"{_CLEAN}:clean",
        ),
        Entry(
            "requeue",
            "Make a failed, expired or cancelled reservation, or one whose start is unknown, wait for its start again.",
            f"{_CREATE}:requeue",
        ),
        Entry("reschedule", "Give a reservation that waits another time.", f"{_RESCHEDULE}:reschedule"),
        Entry("pause", "Keep a reservation that waits from being started.", f"{_RESCHEDULE}:pause"),
        Entry("resume", "Let a paused reservation start.", f"{_RESCHEDULE}:resume"),
        Entry("schedule", "Start a command again and again, as a cron expression says.", f"{_SCHEDULE}:schedule"),
        Entry("schedules", "List the recurring jobs with their next occurrences.", f"{_SCHEDULE}:listing"),
        Entry("unschedule", "Delete a recurring job.", f"{_SCHEDULE}:unschedule"),
        Entry("wait", "Wait until the job has ended; the exit code says how.", f"{_MANAGE}:wait"),
        Entry("watch", "Print one JSON line for each change as it happens.", f"{_MANAGE}:watch"),
        Entry(
            "health",
            "Tell whether a dispatcher is alive and nothing is left lying (exit 1 if not).",
            f"{_MANAGE}:health",
        ),
        Entry(
            "install",
            "Write the systemd unit or supervisor section that keeps a dispatcher running.",
            f"{_MANAGE}:install",
        ),
    ),
    shared=(
        Option(("--db",), "The reservations: an SQLite file, or postgresql://...", "PATH|URL"),
        Option(("--orchesjob-bin",), "The runner; 'embedded' for bespeak's own.", "PATH"),
        Option(
            ("--orchesjob-start-option",),
            "Passed to the runner's start before '--'; may be repeated.",
            "OPTION",
            many=True,
            any_value=True,
        ),
        Option(("--ledger",), "bespeak's book of resources.", "PLACE"),
        Option(("--json",), "Print JSON: the default in a pipe, and of orchesjob-reserver.", in_full=True),
        Option(("--text",), "Print text for people: the default of bespeak job on a terminal.", in_full=True),
    ),
    text="Answers are JSON, an error is one JSON object on standard error; on a terminal `bespeak job` prints text, "
    "unless --json is given. Exit codes: 0 done, 1 error, 2 usage, "
    "4 not found, 5 not dispatched yet, 6 not possible in its state.",
    main="bespeak.jobs.cli:main",
    abbreviations=True,
    sources="bespeak.jobs.commands.query:SOURCES",
)
RUN_KEY = Option(("--run-key",), "Look up by run key.", "KEY", complete="run_key")
RESERVATION_ID = Option(("--reservation-id",), "Look up by reservation id.", "ID", complete="reservation_id")
ONE_JOB = ("--run-key", "--reservation-id")


class CommandContext:
    """One command as it was called.

    Args:
        prog: the name we are called by.
        parsed: what was typed.
    """

    __slots__ = ("_values", "as_text", "command", "prog")

    def __init__(self, prog: str, parsed: Parsed) -> None:
        self.prog = prog
        self.as_text: bool = is_text(prog, text=parsed.shared["text"], as_json=parsed.shared["json"])
        self.command: list[str] = list(parsed.values.get("tail", ()))
        self._values: dict[str, Any] = parsed.shared | parsed.values

    @property
    def url(self) -> str:
        """Where the reservations are."""
        from bespeak.jobs.locations import store_url

        return store_url(self.value("db"), self.value("ledger"), os.environ, self.prog)

    def value(self, name: str) -> str | None:
        """Return the value of an option, or None."""
        found = self._values.get(name.replace("-", "_"))
        return found if isinstance(found, str) else None

    def text(self, name: str) -> str | None:
        """Return the value of an option that must be printable as UTF-8, or None.

        Raises:
            UsageError: it has bytes that are no UTF-8, or NUL.
        """
        found = self.value(name)
        if found is not None:
            check_text(found, "--" + name)
        return found

    def on(self, name: str) -> bool:
        """Tell whether a switch was given."""
        return self._values.get(name.replace("-", "_")) is True

    def many(self, name: str) -> list[str]:
        """Return the values of an option that may be repeated."""
        return list(self._values.get(name.replace("-", "_"), ()))

    def answer(self, form: dict[str, object]) -> None:
        """Print an answer."""
        if self.as_text:
            from bespeak.argv.json_as_text import render

            print(render(form))
        else:
            from bespeak.jobs import serialize

            serialize.write(form)

    def warn(self, text: str) -> None:
        """Say on stderr what has to be known beside the answer."""
        if self.as_text:
            from bespeak.base.display import escape_unprintable

            print(f"{self.prog}: {escape_unprintable(text)}", file=sys.stderr, flush=True)
        else:
            import json

            print(json.dumps({"warning": text}), file=sys.stderr, flush=True)

    def line(self, form: dict[str, object]) -> None:
        """Print one of many answers, on one line."""
        if self.as_text:
            from bespeak.base.display import escape_unprintable

            print("  ".join(escape_unprintable(str(value)) for value in form.values() if value is not None))
        else:
            from bespeak.jobs import serialize

            serialize.write(form, indent=None)


def is_text(prog: str, *, text: bool, as_json: bool) -> bool:
    """Tell whether answers are text for people: where that is asked for, and under our own name on a terminal."""
    return text or (not as_json and prog != DOCUMENTED_PROGRAM and sys.stdout.isatty())


def check_text(text: str, what: str) -> None:
    """Refuse what no database and no JSON can carry unchanged.

    Raises:
        UsageError: it has bytes that are no UTF-8, or NUL.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{what} {text!a}: has bytes that are no UTF-8") from None
    if "\0" in text:
        raise UsageError(f"{what} {text!a}: has a NUL character")


def main(argv: list[str], prog: str = "bespeak job") -> int:
    """Run one command; return its exit code.

    Args:
        argv: the words after the program's name.
        prog: the name we are called by; ``orchesjob-reserver`` has the documented defaults where ours differ.
    """
    own = argv[: argv.index("--")] if "--" in argv else argv
    as_text = is_text(prog, text="--text" in own, as_json="--json" in own)
    try:
        parsed = _read(argv, prog)
        if isinstance(parsed, int):
            return parsed
        context = CommandContext(prog, parsed)
        as_text = context.as_text
        return _run(parsed, context)
    except BespeakError as error:
        return _fail(error, _documented(error, prog), prog, as_text=as_text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        return 130
    except (OSError, MemoryError) as error:
        return _fail(_of_system(error), ExitCode.ERROR, prog, as_text=as_text)


def _of_system(error: OSError | MemoryError) -> BespeakError:
    if isinstance(error, MemoryError):
        return BespeakError("there is too little memory for this answer")
    return BespeakError(f"{error.filename or 'system'}: {error.strerror or error}")


def _run(parsed: Parsed, context: CommandContext) -> int:
    code = parsed.command.run(context)  # type: ignore[union-attr] # there are only commands
    sys.stdout.flush()
    return code


def _documented(error: BespeakError, prog: str) -> int:
    """Return the exit code; under the documented name only the documented ones exist."""
    code = error.exit_code
    known = (ExitCode.USAGE, ExitCode.NOT_FOUND, ExitCode.NOT_READY, ExitCode.WRONG_STATE)
    return int(code if prog != DOCUMENTED_PROGRAM or code in known else ExitCode.ERROR)


def _fail(error: BespeakError, code: int, prog: str, *, as_text: bool) -> int:
    from bespeak.argv.option_names import in_options

    if as_text:
        from bespeak.base.display import escape_unprintable

        print(f"{prog}: error: {escape_unprintable(in_options(error))}", file=sys.stderr, flush=True)
        return int(code)
    import json

    details = {name: value for name, value in error.details.items() if value is not None}
    try:
        line = json.dumps({"error": in_options(error), **details}, default=str)
    except (TypeError, ValueError):
        line = json.dumps({"error": in_options(error)})
    print(line, file=sys.stderr, flush=True)
    return int(code)


def _read(argv: list[str], prog: str) -> Parsed | int:
    """Return what was typed, or the exit code after help or the version was printed."""
    if not argv:
        raise UsageError(f"{prog}: a command is required: {', '.join(entry.name for entry in PROGRAM.entries)}")
    if argv[0] == "--version":
        from bespeak import __version__

        suffix = f" (bespeak {__version__})" if prog == DOCUMENTED_PROGRAM else ""
        print(f"{prog} {_COMPATIBLE_VERSION if suffix else __version__}{suffix}", flush=True)
        return 0
    parsed = read_words(["--help"] if argv[0] == "help" else argv, prog)
    sys.stdout.flush()
    return parsed


def read_words(argv: list[str], prog: str) -> Parsed | int:
    """Read a command line; return what was typed, or the exit code after help was printed.

    Raises:
        UsageError: the words cannot be understood; its JSON has the documented key only.
    """
    try:
        return read(PROGRAM, argv, prog)
    except UsageError as error:
        raise UsageError(*error.parts) from None


def reserver_main() -> int:
    """Run as the console script ``orchesjob-reserver``."""
    instruction = os.environ.get(COMPLETE_VARIABLE)
    if instruction is not None:
        from bespeak.argv.completion import answer

        return answer(PROGRAM, DOCUMENTED_PROGRAM, COMPLETE_VARIABLE, instruction)
    return main(sys.argv[1:], DOCUMENTED_PROGRAM)
