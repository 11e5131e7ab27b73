"""Read the runner's command line.

Written by hand: the dispatcher calls ``start`` thousands of times, and importing :mod:`argparse` costs more than the
rest of a start. The rules are those scripts rely on: ``--name VALUE`` or ``--name=VALUE``, unambiguous beginnings of a
name, the first ``--`` ends the options, and everything from the first word that is no option belongs to the command.
"""

from __future__ import annotations

from bespeak.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Command:
    """The options of one command.

    Args:
        name: as it is typed.
        summary: one line for the overview.
        usage: the synopsis after the program and the command.
        options: (name, value's name or None for a flag, what it does); a value's name that ends in ``...`` may be
            given several times.
        examples: words after the program, one example a line.
        one_of: names of which exactly one must be given.
        required: names that must be given.
        takes_command: words after the options are a command.
    """

    __slots__ = ("examples", "name", "one_of", "options", "required", "summary", "takes_command", "usage")

    def __init__(
        self,
        name: str,
        summary: str,
        usage: str,
        options: Sequence[tuple[str, str | None, str]],
        *,
        examples: Sequence[str],
        one_of: Sequence[str] = (),
        required: Sequence[str] = (),
        takes_command: bool = False,
    ) -> None:
        self.name = name
        self.summary = summary
        self.usage = usage
        self.options = options
        self.examples = examples
        self.one_of = one_of
        self.required = required
        self.takes_command = takes_command


class Arguments:
    """What was given: values by option name, and the words of the command."""

    __slots__ = ("_values", "command")

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}
        self.command: list[str] = []

    def add(self, name: str, value: str) -> None:
        """Note a value; flags have an empty one."""
        self._values.setdefault(name, []).append(value)

    def given(self, name: str) -> bool:
        """Whether the option was given."""
        return name in self._values

    def text(self, name: str) -> str | None:
        """Return the last value of an option."""
        return self._values[name][-1] if name in self._values else None

    def many(self, name: str) -> list[str]:
        """Return every value of an option."""
        return self._values.get(name, [])

    def seconds(self, name: str, default: float) -> float:
        """Return a number of seconds.

        Raises:
            UsageError: it is not a finite number.
        """
        text = self.text(name)
        if text is None:
            return default
        try:
            value = float(text) if text.isascii() and "_" not in text else None
        except ValueError:
            value = None
        if value is None or value - value != 0:
            raise UsageError(f"{name}: {text!r} is not a number of seconds")
        return value


HELP = ("-h", "--help")


def parse(command: Command, words: Sequence[str]) -> Arguments | None:
    """Return what was given, or None when help was asked for.

    Raises:
        UsageError: the words make no sense for this command.
    """
    arguments = Arguments()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            rest.insert(0, word)
            break
        if word in HELP:
            return None
        _option(command, word, rest, arguments)
    if rest and not command.takes_command:
        raise UsageError(f"{command.name}: unexpected argument {rest[0]!r}")
    arguments.command = rest
    _check(command, arguments)
    return arguments


def _option(command: Command, word: str, rest: list[str], arguments: Arguments) -> None:
    typed, equals, value = word.partition("=")
    name, metavar = _known(command, typed)
    if metavar is None:
        if equals:
            raise UsageError(f"{command.name}: {name} takes no value")
        arguments.add(name, "")
    elif equals:
        arguments.add(name, value)
    elif rest and not _looks_like_option(rest[0]):
        arguments.add(name, rest.pop(0))
    else:
        raise UsageError(f"{command.name}: {name} needs a value {metavar.removesuffix('...')}")


def _looks_like_option(word: str) -> bool:
    return word.startswith("-") and word != "-" and not word[1:2].isdigit() and " " not in word


def _known(command: Command, typed: str) -> tuple[str, str | None]:
    fitting = [(name, metavar) for name, metavar, _ in command.options if name == typed]
    if not fitting and typed.startswith("--"):
        fitting = [(name, metavar) for name, metavar, _ in command.options if name.startswith(typed)]
    if len(fitting) > 1:
        raise UsageError(f"{command.name}: {typed} may be {' or '.join(name for name, _ in fitting)}")
    if not fitting:
        raise UsageError(f"{command.name}: unknown option {typed!r}")
    return fitting[0]


def _check(command: Command, arguments: Arguments) -> None:
    for name in command.required:
        if not arguments.given(name):
            raise UsageError(f"{command.name}: {name} is required")
    if command.one_of:
        given = [name for name in command.one_of if arguments.given(name)]
        if not given:
            raise UsageError(f"{command.name}: one of {', '.join(command.one_of)} is required")
        if len(given) > 1:
            raise UsageError(f"{command.name}: {given[1]} cannot be combined with {given[0]}")


def help_text(command: Command, prog: str) -> str:
    """Return the help of one command."""
    width = max(len(name) + len(metavar or "") for name, metavar, _ in command.options) + 1
    lines = [f"Usage: {prog} {command.name} {command.usage}", "", f"{command.summary}.", "", "Options:"]
    for name, metavar, text in command.options:
        option = f"{name} {metavar or ''}".ljust(width)
        lines.append(f"  {option}  {text}")
    lines += ["", "Examples:"] + [f"  {prog} {example}" for example in command.examples]
    return "\n".join(lines)


def overview(commands: Sequence[Command], prog: str) -> str:
    """Return the help of the program."""
    width = max(len(command.name) for command in commands)
    lines = [
        f"Usage: {prog} COMMAND [OPTIONS]",
        "",
        "Run a command once under a key, and never lose how it ended.",
        "",
        "Commands:",
        *(f"  {command.name.ljust(width)}  {command.summary}." for command in commands),
        "",
        "Jobs and their output are in ORCHESJOB_HOME (default /var/lib/orchesjob).",
        "Answers are JSON; an error is one JSON object on standard error. Exit codes: 0 done, 1 error,",
        "2 usage, 3 not found, 4 wrong state, 5 the job book is locked.",
        "",
        "Examples:",
        *(f"  {prog} {command.examples[0]}" for command in commands),
    ]
    return "\n".join(lines)
