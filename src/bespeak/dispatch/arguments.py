"""A small reader of command lines, because :mod:`argparse` costs a seventh of what ``status`` may take.

It has what scripts written for the original rely on: ``--flag VALUE`` and ``--flag=VALUE``, unique beginnings of a
flag, and ``reserve``'s rule that the first word which is no flag (or the first ``--``) begins the user's command. In
addition a flag whose value may look like a flag (``--orchesjob-start-option --strict``) takes the next word as it is.
"""

from __future__ import annotations

from bespeak.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SWITCH, ONE, MANY, ANY, WORDS = "switch", "one", "many", "any", "words"
"""Kinds of flags: present or not; one value; a list of values; the same where a value may begin with ``--``; one or
more words up to the next flag."""


class Flag:
    """One flag of a command.

    Args:
        name: with its dashes.
        kind: :data:`SWITCH`, :data:`ONE`, :data:`MANY`, :data:`ANY` or :data:`WORDS`.
        shown: what its value is called in the help text.
        told: what it is for, one line.
    """

    __slots__ = ("kind", "name", "shown", "told")

    def __init__(self, name: str, kind: str, shown: str, told: str) -> None:
        self.name = name
        self.kind = kind
        self.shown = shown
        self.told = told


class Given:
    """What a command line said: flags by name without dashes, and the words of the user's command."""

    __slots__ = ("command", "lists", "switches", "values")

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.switches: set[str] = set()
        self.command: list[str] = []

    def has(self, name: str) -> bool:
        """Tell whether a flag was given."""
        return name in self.values or name in self.lists or name in self.switches


def read(argv: Sequence[str], flags: Mapping[str, Flag], *, takes_command: bool) -> Given:
    """Read the words that follow a command's name.

    Raises:
        UsageError: an unknown or incomplete flag, or a word too many.
    """
    given = Given()
    words = list(argv)
    while words:
        word = words.pop(0)
        if takes_command and (word == "--" or not word.startswith("-") or word == "-"):
            given.command = words if word == "--" else [word, *words]
            return given
        if word == "--" and not words:
            continue
        if not word.startswith("--") or word == "--":
            raise UsageError(f"unexpected argument {word!a}")
        name, equals, value = word.partition("=")
        flag = _find(name, flags)
        _take(given, flag, value if equals else None, words)
    return given


def _find(name: str, flags: Mapping[str, Flag]) -> Flag:
    exact = flags.get(name)
    if exact is not None:
        return exact
    close = [flag for known, flag in flags.items() if known.startswith(name)]
    if len(close) == 1:
        return close[0]
    if close:
        raise UsageError(f"ambiguous flag {name!a}: it could be {', '.join(flag.name for flag in close)}")
    raise UsageError(f"unknown flag {name!a}; known here: {', '.join(flags)}")


def _take(given: Given, flag: Flag, value: str | None, words: list[str]) -> None:
    name = flag.name[2:]
    if flag.kind == SWITCH:
        if value is not None:
            raise UsageError(f"{flag.name} takes no value")
        given.switches.add(name)
        return
    if flag.kind == WORDS:
        given.lists.setdefault(name, []).extend(_several(flag, value, words))
        return
    if value is None:
        value = _next(flag, words)
    if flag.kind == ONE:
        given.values[name] = value
    else:
        given.lists.setdefault(name, []).append(value)


def _next(flag: Flag, words: list[str]) -> str:
    if not words or words[0] == "--" or (flag.kind != ANY and words[0].startswith("--")):
        raise UsageError(f"{flag.name} needs a value ({flag.shown})")
    return words.pop(0)


def _several(flag: Flag, value: str | None, words: list[str]) -> list[str]:
    found = [] if value is None else [value]
    while value is None and words and not words[0].startswith("-"):
        found.append(words.pop(0))
    if not found:
        raise UsageError(f"{flag.name} needs at least one value ({flag.shown})")
    return found


def help_text(usage: str, told: str, flags: Mapping[str, Flag]) -> str:
    """Return the help page of one command."""
    lines = [f"usage: {usage}", "", told, "", "options:", f"  {'--help':34}  show this page and exit"]
    for flag in flags.values():
        left = flag.name if flag.kind == SWITCH else f"{flag.name} {flag.shown}"
        if len(left) > 34:  # noqa: PLR2004 -- the column of the explanations
            lines.append(f"  {left}")
            left = ""
        lines.append(f"  {left:34}  {flag.told}")
    return "\n".join(lines)
