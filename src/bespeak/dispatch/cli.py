"""``bespeak job`` and ``orchesjob-reserver``: one command line under two names.

Parses, calls one service, prints. Every answer is JSON on standard output, every error one JSON object on standard
error. Only what a command needs is imported, because scripts call ``status`` in loops.
"""

from __future__ import annotations

import os
import sys

from bespeak.argv.declarations import Program
from bespeak.dispatch.place import DOCUMENTED_PROGRAM
from bespeak.errors import BespeakError, ExitCode, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.dispatch.arguments import Given

    Command = Callable[["Caller"], int]

_COMPATIBLE_VERSION = "0.1.2"


class Caller:
    """One command as it was called.

    Args:
        prog: the name we are called by.
        given: its flags and words.
    """

    __slots__ = ("given", "prog")

    def __init__(self, prog: str, given: Given) -> None:
        self.prog = prog
        self.given = given

    @property
    def url(self) -> str:
        """Where the reservations are."""
        from bespeak.dispatch.place import store_url

        return store_url(self.value("db"), self.value("ledger"), os.environ, self.prog)

    def value(self, name: str) -> str | None:
        """Return the value of a flag, or None."""
        return self.given.values.get(name)

    def text(self, name: str) -> str | None:
        """Return the value of a flag that must be printable as UTF-8, or None.

        Raises:
            UsageError: it has bytes that are no UTF-8, or NUL.
        """
        found = self.value(name)
        if found is not None:
            check_text(found, "--" + name)
        return found

    def on(self, name: str) -> bool:
        """Tell whether a switch was given."""
        return name in self.given.switches

    def many(self, name: str) -> list[str]:
        """Return the values of a repeatable flag."""
        return self.given.lists.get(name, [])


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


PROGRAM = Program(
    "bespeak job",
    "Reserve commands to be started later, exactly once.",
    (),
    shared=(),
    main="bespeak.dispatch.cli:main",
)


def main(argv: list[str], prog: str = "bespeak job") -> int:
    """Run one command; return its exit code.

    Args:
        argv: the words after the program's name.
        prog: the name we are called by; ``orchesjob-reserver`` has the documented defaults where ours differ.
    """
    try:
        return _main(argv, prog)
    except UsageError as error:
        return _fail(error, ExitCode.USAGE)
    except BespeakError as error:
        return _fail(error, _documented(error, prog))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _fail(BespeakError(f"{error.filename or 'system'}: {error.strerror or error}"), ExitCode.ERROR)


def _documented(error: BespeakError, prog: str) -> int:
    """Return the exit code; under the documented name only the documented ones exist."""
    code = error.exit_code
    known = (ExitCode.NOT_FOUND, ExitCode.NOT_READY, ExitCode.WRONG_STATE)
    return int(code if prog != DOCUMENTED_PROGRAM or code in known else ExitCode.ERROR)


def _fail(error: BespeakError, code: int) -> int:
    import json

    details = {name: value for name, value in error.details.items() if value is not None}
    try:
        line = json.dumps({"error": str(error), **details}, default=str)
    except (TypeError, ValueError):
        line = json.dumps({"error": str(error)})
    print(line, file=sys.stderr, flush=True)
    return int(code)


def _main(argv: list[str], prog: str) -> int:
    from bespeak.dispatch.flags import COMMANDS, TAKES_COMMAND

    if not argv:
        raise UsageError(f"{prog}: a command is required: {', '.join(COMMANDS)}")
    name = argv[0]
    if name in ("-h", "--help", "help"):
        return _overview(prog)
    if name == "--version":
        from bespeak import __version__

        suffix = f" (bespeak {__version__})" if prog == DOCUMENTED_PROGRAM else ""
        print(f"{prog} {_COMPATIBLE_VERSION if suffix else __version__}{suffix}")
        return 0
    if name not in COMMANDS:
        raise UsageError(f"{prog}: unknown command {name!a}; known: {', '.join(COMMANDS)}")
    usage, told, flags = COMMANDS[name]
    from bespeak.dispatch import arguments

    words = argv[1:]
    if _asks_help(words, takes_command=name in TAKES_COMMAND):
        print(arguments.help_text(f"{prog} {name} {usage}", told, flags))
        return 0
    given = arguments.read(words, flags, takes_command=name in TAKES_COMMAND)
    code = _command(name)(Caller(prog, given))
    sys.stdout.flush()
    return code


def _asks_help(words: list[str], *, takes_command: bool) -> bool:
    """Tell whether help is asked of us, and not of the user's command."""
    for word in words:
        if word in ("-h", "--help"):
            return True
        if word == "--" or (takes_command and not word.startswith("-") and word is words[0]):
            return False
    return False


def _overview(prog: str) -> int:
    from bespeak.dispatch.flags import COMMANDS

    print(f"usage: {prog} COMMAND [OPTIONS]\n\nReserve commands to be started later, exactly once.\n\ncommands:")
    for name, (_, told, _) in COMMANDS.items():
        print(f"  {name:10} {told}")
    print(f"\n{prog} COMMAND --help shows its options.")
    return 0


def _command(name: str) -> Command:
    if name in ("status", "result", "cancel"):
        from bespeak.dispatch import one

        return {"status": one.status, "result": one.result, "cancel": one.cancel}[name]
    if name in ("reserve", "requeue"):
        from bespeak.dispatch import making

        return making.reserve if name == "reserve" else making.requeue
    if name in ("list", "clean"):
        from bespeak.dispatch import bulk

        return bulk.listing if name == "list" else bulk.clean
    from bespeak.dispatch import standing

    return {
        "run": standing.run,
        "wait": standing.wait,
        "watch": standing.watch,
        "health": standing.health,
        "install": standing.install,
    }[name]


def reserver_main() -> int:
    """Run as the console script ``orchesjob-reserver``."""
    return main(sys.argv[1:], DOCUMENTED_PROGRAM)
