"""Reading well-formed command lines without Click.

This parser knows only what needs no judgement. Whatever it is not sure of (an unknown word, a missing value, help,
bundled short options) it leaves alone, and Click reads the same words from the same declarations. So it never has to
say what is wrong, and a property test holds the two to the same answer for every command of every program.
"""

from __future__ import annotations

from bespeak.argv.declarations import Parsed, Program, find, is_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bespeak.argv.declarations import Argument, Command, Option

_LONGEST_INT = 15


class _Unsure(Exception):  # noqa: N818 it is no error
    """Click has to look at this command line."""


def read(program: Program, argv: Sequence[str], prog: str = "") -> Parsed | int:
    """Read a command line; return what was typed, or the exit code after help was printed.

    Args:
        program: whose command line it is.
        argv: the words after the program's name.
        prog: the name it was called by; by default its own.

    Raises:
        UsageError: the words cannot be understood.
    """
    parsed = parse(program, argv)
    if parsed is not None:
        return parsed
    from bespeak.argv import click_adapter

    return click_adapter.read(program, argv, prog or program.name)


def parse(program: Program, argv: Sequence[str]) -> Parsed | None:
    """Read a command line; None if Click has to look at it.

    Args:
        program: whose command line it is.
        argv: the words after the program's name.
    """
    shared = {option.key: option.default for option in program.shared}
    try:
        reader = _Reader(argv, program.shared, abbreviations=program.abbreviations)
        while reader.at_option():
            reader.option({}, shared)
        entry = find(program.entries, reader.word())
        if entry is not None and entry.entries:
            entry = find(entry.entries, reader.word())
        if entry is None:
            return None
        found = entry.load()
        if isinstance(found, Program):
            return Parsed(found, shared, {"tail": tuple(argv[reader.index :])})
        return Parsed(found, shared, reader.command(found, shared))
    except _Unsure:
        return None


class _Reader:
    """Goes once through the words of a command line.

    Args:
        argv: the words.
        shared: options that every command has.
        abbreviations: a unique beginning of a long option is enough.
    """

    __slots__ = ("_abbreviations", "_argv", "_by_flag", "index")

    def __init__(self, argv: Sequence[str], shared: Sequence[Option], *, abbreviations: bool) -> None:
        self._argv = argv
        self._by_flag = {flag: option for option in shared for flag in option.flags}
        self._abbreviations = abbreviations
        self.index = 0

    def at_option(self) -> bool:
        return self.index < len(self._argv) and self._argv[self.index].startswith("-")

    def word(self) -> str:
        """Take the next word."""
        if self.index >= len(self._argv):
            raise _Unsure
        self.index += 1
        return self._argv[self.index - 1]

    def command(self, command: Command, shared: dict[str, Any]) -> dict[str, Any]:
        """Read what follows a command's name."""
        values: dict[str, Any] = {option.key: option.default for option in command.options}
        self._by_flag.update((flag, option) for option in command.options for flag in option.flags)
        plain: list[str] = []
        tail: tuple[str, ...] | None = None
        while self.index < len(self._argv):
            word = self._argv[self.index]
            if word == "--" or (command.tail_at_word and not (word.startswith("-") and word != "-")):
                tail = tuple(self._argv[self.index + (word == "--") :])
                break
            if word.startswith("-"):
                self.option(values, shared)
            elif word:
                plain.append(self.word())
            else:
                raise _Unsure
        if tail is not None and not command.tail:
            raise _Unsure
        _arguments(command.arguments, plain, values)
        _check(command, values)
        if command.tail:
            values["tail"] = tail or ()
            values["tail_given"] = tail is not None
        return values

    def option(self, own: dict[str, Any], shared: dict[str, Any]) -> None:
        """Read one option, and its value, into that of the two that has it."""
        flag, attached, value = self.word().partition("=")
        option = self._by_flag.get(flag) or self._abbreviated(flag)
        if attached and not flag.startswith("--"):
            raise _Unsure
        into = own if option.key in own else shared
        if not option.metavar:
            if attached:
                raise _Unsure
            into[option.key] = True
        elif option.words:
            into[option.key] += (value,) if attached else self._several()
        else:
            value = _value(option, value if attached else self._next(option))
            into[option.key] = (*into[option.key], value) if option.many else value

    def _abbreviated(self, flag: str) -> Option:
        if self._abbreviations and flag.startswith("--") and flag != "--":
            found = [option for known, option in self._by_flag.items() if known.startswith(flag) and not option.in_full]
            if len(found) == 1:
                return found[0]
        raise _Unsure

    def _next(self, option: Option) -> str:
        if option.optional_value:
            given = self.index < len(self._argv) and is_value(self._argv[self.index])
            return self.word() if given else ""
        value = self.word()
        if value.startswith("--") and (value == "--" or not option.any_value):
            raise _Unsure
        return value

    def _several(self) -> tuple[str, ...]:
        begin = self.index
        while self.index < len(self._argv) and not self._argv[self.index].startswith("-"):
            self.index += 1
        if self.index == begin:
            raise _Unsure
        return tuple(self._argv[begin : self.index])


def _value(option: Option, text: str) -> Any:
    if option.kind == "int":
        if text.isascii() and text.isdigit() and len(text) <= _LONGEST_INT:
            return int(text)
        raise _Unsure
    if not text and not option.optional_value:
        raise _Unsure
    return text


def _arguments(arguments: Sequence[Argument], plain: list[str], values: dict[str, Any]) -> None:
    """Hand out the words without a dash."""
    rest = list(plain)
    for argument in arguments:
        if argument.many:
            taken: object = tuple(rest)
            missing = argument.required and not rest
            rest = []
        else:
            taken = rest.pop(0) if rest else None
            missing = argument.required and taken is None
        if missing or (argument.choices and taken is not None and taken not in argument.choices):
            raise _Unsure
        values[argument.key] = taken
    if rest:
        raise _Unsure


def _check(command: Command, values: dict[str, Any]) -> None:
    """See that what must be typed was."""
    given = 0
    for option in command.options:
        typed = values[option.key] != option.default
        if option.required and not typed:
            raise _Unsure
        given += typed and option.flags[-1] in command.one_of
    if command.one_of and given != 1:
        raise _Unsure
