"""Reading well-formed command lines without Click.

This parser knows only what needs no judgement. Whatever it is not sure of (an unknown word, a missing value, help,
bundled short options) it leaves alone by returning None, and Click reads the same words from the same table. So it
never has to say what is wrong, and a property test holds the two to the same answer.
"""

from __future__ import annotations

from bespeak.argv.declarations import Group, Parsed, split_tail
from bespeak.cli import tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.argv.declarations import Argument, Command, Option

_LONGEST_INT = 15


def parse(argv: Sequence[str]) -> Parsed | None:
    """Read a command line; None if Click has to look at it.

    Args:
        argv: the words after the program's name.
    """
    shared = {option.key: option.default for option in tables.SHARED}
    index = _leading(argv, shared)
    if index is None or index >= len(argv):
        return None
    found = tables.lookup(argv[index])
    index += 1
    if isinstance(found, Group):
        if index >= len(argv):
            return None
        found = found.command(argv[index])
        index += 1
    if found is None:
        return None
    if found.delegate:
        return Parsed(found, shared, {"tail": tuple(argv[index:])})
    return _command(found, argv[index:], shared)


def _leading(argv: Sequence[str], shared: dict[str, object]) -> int | None:
    """Read the options before the command into ``shared``; return the index of the command's name."""
    by_flag = {flag: option for option in tables.SHARED for flag in option.flags}
    index = 0
    while index < len(argv) and argv[index].startswith("-"):
        taken = _option(argv, index, by_flag, shared)
        if taken is None:
            return None
        index = taken
    return index


def _command(command: Command, words: Sequence[str], shared: dict[str, object]) -> Parsed | None:
    options = (*command.options, *tables.SHARED)
    head, tail = split_tail(words, options)
    if tail is not None and not command.tail:
        return None
    own = {option.key for option in command.options}
    by_flag = {flag: option for option in options for flag in option.flags}
    values = {option.key: option.default for option in command.options}
    plain: list[str] = []
    index = 0
    while index < len(head):
        if head[index].startswith("-"):
            option = by_flag.get(head[index].partition("=")[0])
            taken = _option(head, index, by_flag, values if option and option.key in own else shared)
            if taken is None:
                return None
            index = taken
        elif head[index]:
            plain.append(head[index])
            index += 1
        else:
            return None
    if not _arguments(command.arguments, plain, values):
        return None
    if command.tail:
        values["tail"] = tuple(tail or ())
        values["tail_given"] = tail is not None
    return Parsed(command, shared, values)


def _option(words: Sequence[str], index: int, by_flag: dict[str, Option], into: dict[str, object]) -> int | None:
    """Read the option at ``index`` into ``into``; return the index after it, or None if it is not a plain one."""
    flag, attached, value = words[index].partition("=")
    option = by_flag.get(flag)
    if option is None or (attached and not flag.startswith("--")):
        return None
    if not option.metavar:
        into[option.key] = True
        return None if attached else index + 1
    if not attached:
        index += 1
        value = words[index] if index < len(words) else ""
    if value.startswith("-") or not (value or option.optional_value):
        return None
    read = _value(option, value)
    if read is None:
        return None
    into[option.key] = (*_tuple(into[option.key]), read) if option.many else read
    return index + 1


def _value(option: Option, text: str) -> object:
    if option.kind == "int":
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_INT else None
    return text


def _tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def _arguments(arguments: Sequence[Argument], plain: list[str], values: dict[str, object]) -> bool:
    """Hand out the words without a dash; False if there are too few, too many, or other than the choices."""
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
            return False
        values[argument.key] = taken
    return not rest
