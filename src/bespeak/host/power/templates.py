"""Command templates: ``virsh start {name}`` with the values of a host, safe for the shell.

A host's name comes from a file that others write. Outside of quotes a value is quoted for the shell. Inside quotes
that would be wrong (``'virsh start '{name}''`` ends the quotation), so there only values that need no quoting are
accepted. A value that begins with ``-`` would be read as an option, and is refused at the beginning of a word.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from string import Formatter

from bespeak.base.display import short_repr

FIELDS = ("name", "ip", "id")
_HARMLESS = re.compile(r"[\w.:@%+=,/-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Placeholder:
    field: str
    quoted: bool
    begins_word: bool


class Template:
    """A command with fields.

    Args:
        text: the command; ``{{`` and ``}}`` stand for braces.
        where: the name of the setting, for messages.

    Raises:
        ValueError: a field is unknown, or is more than a plain name.
    """

    def __init__(self, text: object, where: str) -> None:
        if not isinstance(text, str) or not text.strip() or "\0" in text:
            raise ValueError(f"{where} must be a command, not {short_repr(text)}")
        self.text = text
        self.where = where
        self._parts: list[str | _Placeholder] = []
        self._parse()

    @property
    def fields(self) -> set[str]:
        """The fields that it uses."""
        return {part.field for part in self._parts if isinstance(part, _Placeholder)}

    def _parse(self) -> None:
        scan = _ShellScan()
        try:
            pieces = list(Formatter().parse(self.text))
        except ValueError as error:
            raise ValueError(
                f"{self.where}: {error} in {short_repr(self.text)}; write {{{{ and }}}} for braces"
            ) from None
        for literal, field, spec, conversion in pieces:
            scan.feed(literal)
            self._parts.append(literal)
            if field is None:
                continue
            if field not in FIELDS or spec or conversion:
                asked = f"{field}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}"
                raise ValueError(
                    f"{self.where}: no field {short_repr('{' + asked + '}')}; known: "
                    f"{', '.join('{' + known + '}' for known in FIELDS)}, without anything added"
                )
            self._parts.append(_Placeholder(field, scan.unsure or scan.quoted, scan.begins_word))
            scan.feed("x")

    def filled(self, values: dict[str, str | None]) -> str:
        """Return the command for one host.

        Args:
            values: a value for each of :data:`FIELDS`; None where the host has none.

        Raises:
            ValueError: a value is missing, or cannot be put safely where its field stands.
        """
        return "".join(part if isinstance(part, str) else self._value(part, values[part.field]) for part in self._parts)

    def _value(self, hole: _Placeholder, value: str | None) -> str:
        if not value:
            raise ValueError(f"{self.where} uses {{{hole.field}}}, but the host has none")
        said = f"{self.where}: the {hole.field} {short_repr(value)}"
        if "\0" in value:
            raise ValueError(f"{said} has a NUL character, which no command can carry")
        if hole.begins_word and value.startswith("-"):
            raise ValueError(f"{said} would be read as an option of the command")
        if hole.quoted and not _HARMLESS.fullmatch(value):
            raise ValueError(f"{said} cannot be put inside quotes safely; write {{{hole.field}}} outside of quotes")
        return shlex.quote(value)


class _ShellScan:
    """Follows the shell's quoting through a command.

    Where following it would take a whole shell (here-documents, ``$'...'``), it is unsure from there on, which counts
    as quoted.
    """

    def __init__(self) -> None:
        self._quote = ""
        self._escaped = False
        self._comment = False
        self._last = "\n"
        self.unsure = False

    @property
    def quoted(self) -> bool:
        """Whether what comes next stands inside quotes, behind a backslash or in a comment."""
        return bool(self._quote) or self._escaped or self._comment

    @property
    def begins_word(self) -> bool:
        """Whether what comes next begins a word."""
        return self._last.isspace() or self._last in "'\"`(;|&="

    def feed(self, text: str) -> None:
        """Read on."""
        for char in text:
            self._step(char)
            self._last = char

    def _step(self, char: str) -> None:
        if self._comment:
            self._comment = char != "\n"
        elif self._escaped:
            self._escaped = False
        elif self._quote == "'":
            self._quote = "" if char == "'" else "'"
        elif char == "\\":
            self._escaped = True
        elif self._quote:
            self._quote = "" if char == self._quote else self._quote
        elif char in "'\"`":
            self.unsure |= self._last == "$" and char != "`"
            self._quote = char
        elif char == "#" and (self._last.isspace() or self._last in ";|&("):
            self._comment = True
        elif char == "<" and self._last == "<":
            self.unsure = True
