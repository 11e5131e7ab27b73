"""From the words typed to an exit code: read them, run one command, say what failed.

Well-formed command lines are read by :mod:`bespeak.argv.fast_parser`; only help, mistakes and completion load Click.
"""

from __future__ import annotations

import os
import sys

from bespeak.argv import fast_parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bespeak.argv.declarations import Parsed
    from bespeak.cli.context import Context, Values

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


def _push_out() -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        from bespeak.cli.output import not_written

        raise not_written(error) from error


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

        return answer(os.environ[COMPLETE_VARIABLE])
    if words == ["--version"]:
        from bespeak import __version__

        sys.stdout.write(f"bespeak {__version__}\n")
        return 0
    parsed = fast_parser.parse(words)
    if parsed is None:
        typed = _ask_click(words)
        if isinstance(typed, int):
            return typed
        parsed = typed
    return run_parsed(parsed)


def run_parsed(parsed: Parsed) -> int:
    """Run what was typed; return the exit code."""
    if parsed.command.delegate:
        from bespeak.cli.delegate import delegate

        return delegate(parsed)
    from bespeak.cli.context import Context

    context = Context(parsed.shared)
    context.announce()
    try:
        return function(parsed.command.run)(context, parsed.values)
    finally:
        context.close()


def function(named: str) -> Callable[[Context, Values], int]:
    """Return the function that a command of the table names: ``module:function`` under :mod:`bespeak.cli`."""
    module, _, name = named.partition(":")
    module = module if module.startswith("bespeak.") else f"bespeak.cli.{module}"
    found: Callable[[Context, Values], int] = getattr(__import__(module, fromlist=[name]), name)
    return found


def _ask_click(words: list[str]) -> Parsed | int:
    """Let Click read the words; turn what it has to object into our own error."""
    import click

    from bespeak.argv import click_adapter
    from bespeak.errors import UsageError

    if not words:
        words = ["--help"]
    try:
        return click_adapter.parse(words)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        if isinstance(error, click.exceptions.NoArgsIsHelpError) and isinstance(error.ctx.command, click.Group):
            known = ", ".join(error.ctx.command.list_commands(error.ctx))
            raise UsageError(
                f"missing command; known: {known}", hint=f"see '{error.ctx.command_path} --help'"
            ) from None
        hint = f"see '{context.command_path} --help'" if context is not None else "see 'bespeak --help'"
        raise UsageError(_sentence(error.format_message()), hint=hint) from None


def _sentence(text: str) -> str:
    """Put Click's message into the manner of ours: small first letter, no full stop."""
    text = " ".join(text.split())
    small = text[1:2].islower() or text[1:2] == " "
    return (text[:1].lower() + text[1:] if small else text).removesuffix(".")
