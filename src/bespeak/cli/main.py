"""From the words typed to an exit code: read them, run one command, say what failed.

Well-formed command lines are read by :mod:`bespeak.argv.fast_parser`; only help, mistakes and completion load Click.
"""

from __future__ import annotations

import os
import sys

from bespeak.argv.declarations import Program, load
from bespeak.argv.fast_parser import read
from bespeak.cli.index import PROGRAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.argv.declarations import Parsed

COMPLETE_VARIABLE = "_BESPEAK_COMPLETE"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; return its exit code.

    Args:
        argv: the words after the program's name; by default those of the process.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        _stand_in()
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    try:
        code = _run(words)
        _push_out()
    except BaseException as error:  # noqa: BLE001 the last place where anything can be said
        from bespeak.cli import errors

        own = words[: words.index("--")] if "--" in words else words
        code = errors.report(error, as_json="--json" in own, debug="--debug" in own)
        code = _flush(code)
    return code


def _stand_in() -> None:
    """Put /dev/null where the caller has closed stdin, stdout or stderr, before a file of ours takes the number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 as long as we live


def _push_out(done: str = "") -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        from bespeak.cli.output import not_written

        raise not_written(error, done) from error


def _flush(code: int) -> int:
    """Push out what was printed before a failure; it cannot be helped if that fails too."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        from bespeak.cli import errors

        errors.closed_pipe()
    return code


def _run(words: list[str]) -> int:
    if COMPLETE_VARIABLE in os.environ:
        from bespeak.argv.completion import answer

        return answer(PROGRAM, PROGRAM.name, COMPLETE_VARIABLE, os.environ[COMPLETE_VARIABLE])
    if words == ["--version"]:
        from bespeak import __version__

        sys.stdout.write(f"bespeak {__version__}\n")
        return 0
    parsed = read(PROGRAM, words or ["--help"])
    return parsed if isinstance(parsed, int) else run_parsed(parsed)


def run_parsed(parsed: Parsed) -> int:
    """Run what was typed; return the exit code."""
    if isinstance(parsed.command, Program):
        return _delegate(parsed.command, parsed)
    from bespeak.base.errors import BusyError
    from bespeak.cli.context import Context

    context = Context(parsed.shared)
    context.announce()
    try:
        code = parsed.command.run(context, parsed.values)
        _push_out(context.done)
    except BusyError as error:
        raise context.naming_the_book(error) from error
    finally:
        context.close()
    return code


def _delegate(program: Program, parsed: Parsed) -> int:
    """Hand everything after its name to a program that reads its own command line; return its exit code.

    Raises:
        UsageError: an option before the name means nothing to the program.
    """
    for key, value in parsed.shared.items():
        if value and key not in ("ledger", "debug", "no_color", "json"):
            from bespeak.base.errors import UsageError

            name = program.name.rpartition(" ")[2]
            raise UsageError(f"--{key.replace('_', '-')} before {name!r} has no meaning; see '{program.name} --help'")
    if parsed.shared["ledger"] is not None:
        os.environ["BESPEAK_LEDGER"] = parsed.shared["ledger"]
    words = [*(["--json"] if parsed.shared["json"] else []), *parsed.values["tail"]]
    return int(load(program.main)(words, program.name))
