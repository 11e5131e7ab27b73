"""What a command line is made of: options, arguments, commands, and the index of a program, as plain values.

A command is declared beside its handler with :func:`command`. A program lists its commands in an index of
:class:`Entry`, which says where each declaration is, so that only the module of the command that was typed is imported.

These are hand-written classes, because every process loads them: a dataclass would cost more than the command.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    Run = Callable[..., int]


class Option:
    """Something typed with a dash.

    Args:
        flags: how it is typed, short form first: ``("-l", "--lab")``.
        text: its line of help.
        metavar: what its value is called; empty for a switch, which has none.
        kind: ``text`` or ``int``.
        many: it may be repeated; its value is then a tuple.
        words: it takes all words up to the next option, at least one; implies ``many``.
        optional_value: the value may be left out. The next word is the value only if it begins with a digit (or is
            ``forever``), so that names can follow.
        any_value: its value may begin with two dashes; all others then have to be attached with ``=``.
        required: it must be typed.
        in_full: it may not be abbreviated, in a program that has abbreviations.
        complete: what completes its value: a name that the program has a source for, or empty.
    """

    __slots__ = (
        "any_value",
        "complete",
        "flags",
        "in_full",
        "key",
        "kind",
        "many",
        "metavar",
        "optional_value",
        "required",
        "text",
        "words",
    )

    def __init__(
        self,
        flags: Sequence[str],
        text: str,
        metavar: str = "",
        *,
        kind: str = "text",
        many: bool = False,
        words: bool = False,
        optional_value: bool = False,
        any_value: bool = False,
        required: bool = False,
        in_full: bool = False,
        complete: str = "",
    ) -> None:
        self.flags = tuple(flags)
        self.key = self.flags[-1].lstrip("-").replace("-", "_")
        self.text = text
        self.metavar = metavar
        self.kind = kind
        self.many = many or words
        self.words = words
        self.optional_value = optional_value
        self.any_value = any_value
        self.required = required
        self.in_full = in_full
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
    """One thing that can be done; made by :func:`command`.

    Args:
        name: the words that call it: ``reserve``, ``resource set``.
        run: the handler; what it is called with is the program's affair.
        examples: command lines that work, each with what it does.
        text: more help, paragraphs separated by an empty line.
        arguments: what is typed without a dash, in order; only the last may take many.
        options: what is typed with one.
        tail: what comes after ``--`` is called; empty if nothing may.
        tail_at_word: the first word without a dash begins the tail too.
        one_of: flags of which exactly one must be typed.
    """

    __slots__ = ("arguments", "examples", "name", "one_of", "options", "run", "tail", "tail_at_word", "text")

    def __init__(
        self,
        name: str,
        run: Run,
        *,
        examples: Sequence[tuple[str, str]],
        text: str = "",
        arguments: Sequence[Argument] = (),
        options: Sequence[Option] = (),
        tail: str = "",
        tail_at_word: bool = False,
        one_of: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.run = run
        self.examples = examples
        self.text = text
        self.arguments = arguments
        self.options = options
        self.tail = tail
        self.tail_at_word = tail_at_word
        self.one_of = one_of


def command(name: str, **declared: Any) -> Callable[[Run], Command]:
    """Declare the command that the decorated function handles.

    Args:
        name: the words that call it.
        **declared: as for :class:`Command`.
    """
    return lambda run: Command(name, run, **declared)


class Entry:
    """A word of a program's index.

    Args:
        name: the word.
        summary: one line for the list of commands.
        target: ``module:name`` of its :class:`Command` or :class:`Program`; empty for a group.
        entries: what can follow the word, for a group.
    """

    __slots__ = ("entries", "name", "summary", "target")

    def __init__(self, name: str, summary: str, target: str = "", entries: Sequence[Entry] = ()) -> None:
        self.name = name
        self.summary = summary
        self.target = target
        self.entries = entries

    def load(self) -> Command | Program:
        """Import what the entry stands for."""
        found: Command | Program = load(self.target)
        return found


class Program:
    """Something with a command line.

    Args:
        name: as it is typed.
        summary: what it is for.
        entries: its commands, in the order of the help page.
        shared: options that every command has, before its name or after it.
        main: ``module:name`` of the function that runs it, given the words after its name and the name it is called by.
        text: more help, paragraphs separated by an empty line.
        abbreviations: a unique beginning of a long option is enough.
        sources: ``module:name`` of a mapping of functions, which complete values.
        other_words: what newcomers type that is no command, and what to type instead.
    """

    __slots__ = ("abbreviations", "entries", "main", "name", "other_words", "shared", "sources", "summary", "text")

    def __init__(
        self,
        name: str,
        summary: str,
        entries: Sequence[Entry],
        *,
        shared: Sequence[Option],
        main: str,
        text: str = "",
        abbreviations: bool = False,
        sources: str = "",
        other_words: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.summary = summary
        self.entries = entries
        self.shared = shared
        self.main = main
        self.other_words = other_words or {}
        self.text = text
        self.abbreviations = abbreviations
        self.sources = sources

    def commands(self) -> Iterator[tuple[Entry, Command | Program]]:
        """Import and return every command and program of the index."""
        for entry in self.entries:
            for leaf in entry.entries or (entry,):
                yield leaf, leaf.load()


class Parsed:
    """What was typed.

    Args:
        command: what to do; a program is to be given the words under ``tail``.
        shared: the options that every command has, by key.
        values: the command's own options and arguments, by key; the words after ``--`` are under ``tail``.
    """

    __slots__ = ("command", "shared", "values")

    def __init__(self, command: Command | Program, shared: dict[str, Any], values: dict[str, Any]) -> None:
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


def load(target: str) -> Any:
    """Import ``module:name``."""
    module, _, name = target.partition(":")
    return getattr(__import__(module, fromlist=[name]), name)


def find(entries: Sequence[Entry], word: str) -> Entry | None:
    """Return the entry called ``word``, or None."""
    for entry in entries:
        if entry.name == word:
            return entry
    return None


FOREVER_WORD = "forever"


def is_value(word: str) -> bool:
    """Tell whether the word after an option whose value may be left out is that value."""
    return word[:1].isdigit() or word == FOREVER_WORD
