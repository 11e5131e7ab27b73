"""What is said when something fails: one line, the right exit code, never a traceback unless it was asked for."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from bespeak.base.errors import BespeakError, ExitCode
from bespeak.base.json_text import one_line
from bespeak.cli import output

INTERRUPTED = 130
PIPE_CLOSED = 141


def report(error: BaseException, *, as_json: bool, debug: bool) -> int:
    """Say on stderr what failed; return the exit code.

    Args:
        error: what was raised.
        as_json: say it as one JSON object.
        debug: show the traceback too.
    """
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(ExitCode.ERROR)
    if debug and not isinstance(error, (KeyboardInterrupt, BrokenPipeError)):
        import traceback

        output.to_stderr("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, KeyboardInterrupt):
        output.to_stderr("bespeak: interrupted")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return closed_pipe()
    if isinstance(error, BespeakError):
        from bespeak.argv.option_names import in_options

        return say(in_options(error), int(error.exit_code), error.details, as_json=as_json)
    return say(_unforeseen(error), int(ExitCode.ERROR), {}, as_json=as_json)


def _unforeseen(error: BaseException) -> str:
    if isinstance(error, OSError):
        named = f"{error.filename}: " if error.filename else ""
        return f"{named}{error.strerror or error}"
    if isinstance(error, MemoryError):
        return "there is too little memory for this answer"
    return f"internal error: {type(error).__name__}: {error} (--debug shows where)"


def say(message: str, exit_code: int, details: dict[str, object], *, as_json: bool) -> int:
    """Print one line, and a hint if the details have one; or one JSON object. Return the exit code."""
    if as_json:
        output.to_stderr(one_line({"error": message, "exit_code": exit_code, **details}))
        return exit_code
    output.to_stderr(f"bespeak: error: {output.one_line(message)}")
    if details.get("hint"):
        output.to_stderr(f"bespeak: {output.one_line(str(details['hint']))}")
    return exit_code


def closed_pipe() -> int:
    """Be quiet after the reader of stdout went away, also while the interpreter flushes at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED
