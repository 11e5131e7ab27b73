"""Makes plain, for Click, what only our command lines have: lists of values, abbreviations, a command behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bespeak.argv.declarations import is_value
from bespeak.base.display import escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.argv.declarations import Option, Program


class WordSplitter:
    """Splits a command line into the words for Click and those of the command behind it.

    Args:
        context: of the command, for errors.
        program: whose command it is.
        options: of the command, beside those that every command has.
        tail_at_word: the first word without a dash begins the tail too.
    """

    def __init__(
        self, context: click.Context, program: Program, options: Sequence[Option] = (), *, tail_at_word: bool
    ) -> None:
        self._context = context
        self._by_flag = {flag: option for option in (*options, *program.shared) for flag in option.flags}
        self._abbreviations = program.abbreviations
        self._tail_at_word = tail_at_word

    def split(self, words: Sequence[str]) -> tuple[list[str], list[str] | None]:
        """Return (the words before ``--``, with values attached to long options; those after it, or None)."""
        head: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "--":
                return head, rest
            if not word.startswith("-") or word == "-":
                if self._tail_at_word:
                    return head, [word, *rest]
                head.append(word)
            elif word.startswith("--"):
                head += self._long(word, rest)
            else:
                option = self._last_of_short(word)
                head.append(word)
                head += self._taken(word, option, rest) if option is not None else []
        return head, None

    def _last_of_short(self, word: str) -> Option | None:
        """Return the option whose value is the next word: the last of short ones in one word, as in ``-Rl LAB``."""
        for index, letter in enumerate(word[1:], 2):
            option = self._by_flag.get(f"-{letter}")
            if option is None:
                return None
            if option.metavar:
                return option if index == len(word) else None
        return None

    def _long(self, word: str, rest: list[str]) -> list[str]:
        flag, attached, value = word.partition("=")
        flag, option = self._find(flag)
        if attached:
            return [f"{flag}={value}"]
        if option is None or not option.metavar:
            return [flag]
        if option.words:
            several = []
            while rest and not rest[0].startswith("-"):
                several.append(f"{flag}={rest.pop(0)}")
            return several or self._missing(flag)
        return [f"{flag}={value}" for value in self._taken(flag, option, rest)]

    def _find(self, flag: str) -> tuple[str, Option | None]:
        if flag in self._by_flag or not self._abbreviations:
            return flag, self._by_flag.get(flag)
        fitting = [known for known, option in self._by_flag.items() if known.startswith(flag) and not option.in_full]
        if len(fitting) > 1:
            raise click.UsageError(
                f"ambiguous option {escape_unprintable(flag)!r}: it could be {', '.join(fitting)}", self._context
            )
        return (fitting[0], self._by_flag[fitting[0]]) if fitting else (flag, None)

    def _taken(self, flag: str, option: Option, rest: list[str]) -> list[str]:
        """Take an option's value from the words behind it."""
        if option.optional_value:
            return [rest.pop(0) if rest and is_value(rest[0]) else ""]
        if not rest or (rest[0].startswith("--") and (rest[0] == "--" or not option.any_value)):
            return self._missing(flag, *rest[:1])
        return [rest.pop(0)]

    def _missing(self, flag: str, following: str = "") -> list[str]:
        if self._context.resilient_parsing:
            return []
        hint = (
            f"; if {escape_unprintable(following)!r} is meant, write {flag}={escape_unprintable(following)}"
            if following[2:]
            else ""
        )
        raise click.UsageError(f"option {flag!r} needs a value{hint}", self._context)
