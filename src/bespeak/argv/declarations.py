"""What a command line is made of: options, arguments, commands and groups, as plain values.

These are hand-written classes, because every process loads them: a dataclass would cost more than the command.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Option:
    """Something typed with a dash.

    Args:
        flags: how it is typed, short form first: ``("-l", "--lab")``.
        text: its line of help.
        metavar: what its value is called; empty for a switch, which has none.
        kind: ``text`` or ``int``.
        many: it may be repeated; its value is then a tuple.
        optional_value: the value may be left out. The next word is the value only if it begins with a digit (or is
            ``forever``), so that names can follow.
        complete: what completes its value: ``resource``, ``reservation``, ``user``, ``lab``, or empty.
    """

    __slots__ = ("complete", "flags", "key", "kind", "many", "metavar", "optional_value", "text")

    def __init__(
        self,
        flags: Sequence[str],
        text: str,
        metavar: str = "",
        *,
        kind: str = "text",
        many: bool = False,
        optional_value: bool = False,
        complete: str = "",
    ) -> None:
        self.flags = tuple(flags)
        self.key = self.flags[-1].lstrip("-").replace("-", "_")
        self.text = text
        self.metavar = metavar
        self.kind = kind
        self.many = many
        self.optional_value = optional_value
        self.complete = complete

    @property
    def default(self) -> object:
        """The value when it is not typed."""
        if self.many:
            return ()
        return None if self.metavar else False


class Argument:
    """Something typed without a dash.

    Args:
        metavar: what it is called.
        many: it takes all remaining words; its value is then a tuple.
        required: at least one word must be typed.
        choices: the only words accepted; empty for any.
        complete: what completes it, as for :class:`Option`.
    """

    __slots__ = ("choices", "complete", "key", "many", "metavar", "required")

    def __init__(
        self,
        metavar: str,
        *,
        many: bool = False,
        required: bool = True,
        choices: tuple[str, ...] = (),
        complete: str = "",
    ) -> None:
        self.metavar = metavar
        self.key = metavar.lower().replace("-", "_")
        self.many = many
        self.required = required
        self.choices = choices
        self.complete = complete


class Command:
    """One thing that can be done.

    Args:
        name: the words that call it: ``reserve``, ``resource set``.
        run: ``module:function`` under :mod:`bespeak.cli`, called with the context and the values typed.
        summary: one line for the list of commands.
        examples: command lines that work, each with what it does.
        text: more help, paragraphs separated by an empty line.
        arguments: what is typed without a dash, in order; only the last may take many.
        options: what is typed with one.
        tail: what comes after ``--`` is called; empty if nothing may.
        delegate: ``module:function`` that is given everything after the name, untouched.
    """

    __slots__ = ("arguments", "delegate", "examples", "name", "options", "run", "summary", "tail", "text")

    def __init__(
        self,
        name: str,
        summary: str,
        *,
        run: str = "",
        examples: Sequence[tuple[str, str]] = (),
        text: str = "",
        arguments: Sequence[Argument] = (),
        options: Sequence[Option] = (),
        tail: str = "",
        delegate: str = "",
    ) -> None:
        self.name = name
        self.run = run
        self.summary = summary
        self.examples = examples
        self.text = text
        self.arguments = arguments
        self.options = options
        self.tail = tail
        self.delegate = delegate


class Group:
    """Commands under one word.

    Args:
        name: the word.
        summary: one line for the list of commands.
        commands: what can follow the word.
    """

    __slots__ = ("commands", "name", "summary")

    def __init__(self, name: str, summary: str, commands: Sequence[Command]) -> None:
        self.name = name
        self.summary = summary
        self.commands = commands

    def command(self, word: str) -> Command | None:
        """Return the command called ``NAME WORD``, or None."""
        for command in self.commands:
            if command.name == f"{self.name} {word}":
                return command
        return None


class Parsed:
    """What was typed.

    Args:
        command: what to do.
        shared: the options that every command has, by key.
        values: the command's own options and arguments, by key; the words after ``--`` are under ``tail``.
    """

    __slots__ = ("command", "shared", "values")

    def __init__(self, command: Command, shared: dict[str, object], values: dict[str, object]) -> None:
        self.command = command
        self.shared = shared
        self.values = values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parsed):
            return NotImplemented
        return (self.command.name, self.shared, self.values) == (other.command.name, other.shared, other.values)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Parsed({self.command.name!r}, {self.shared!r}, {self.values!r})"


FOREVER_WORD = "forever"


def is_value(word: str) -> bool:
    """Tell whether the word after an option whose value may be left out is that value."""
    return word[:1].isdigit() or word == FOREVER_WORD


def split_tail(words: Sequence[str], options: Sequence[Option]) -> tuple[list[str], list[str] | None]:
    """Split at the first ``--`` that is not the value of an option.

    Args:
        words: what was typed after the command's name.
        options: all options that the command takes.

    Returns:
        (the words before, with values that may be left out attached to their option; the words after, None without
        ``--``).
    """
    by_flag = {flag: option for option in options for flag in option.flags}
    head: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word == "--":
            return head, list(words[index:])
        option = by_flag.get(word)
        if option is None or not option.metavar:
            head.append(word)
        elif option.optional_value:
            given = index < len(words) and is_value(words[index])
            head.append(f"{word}={words[index]}" if given else f"{word}=")
            index += given
        else:
            head.append(word)
            head.extend(words[index : index + 1])
            index += 1
    return head, None
