"""Choosing by labels: ``arm64 and ram>=4 and not (usb2 or rack=3)``; one grammar for hosts and resources.

A bare word matches a label of that name (unless its value is false) or with that value. ``key=value`` and ``!=``
compare texts, or numbers where both are; ``<``, ``<=``, ``>`` and ``>=`` compare numbers. Words and values with blanks
stand in quotes. ``and`` binds tighter than ``or``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

from bespeak.base.display import short_repr
from bespeak.base.errors import Field, UsageError

Labels = Mapping[str, object]
"""Values by key: a text, a number, true or false, or a tuple of texts, of which one has to match."""

Matcher = Callable[[Labels], bool]

_WORD = r"""[^\s()<>=!"']+|"[^"]*"|'[^']*'"""
_TOKEN = re.compile(rf"""\s*(?:(?P<sign>[()])|(?P<word>{_WORD})|(?P<operator>[<>!=]=?))""")
_VALUE = re.compile(r"""\s*("[^"]*"|'[^']*'|[^\s()]+)""")
_WORDS = ("and", "or", "not")
_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_DEEPEST = 50


def parse(expression: str, field: str = "label") -> Matcher:
    """Return a function that tells whether labels match.

    Args:
        expression: the text.
        field: the field that it was given in, for messages.

    Raises:
        UsageError: it cannot be understood.
    """
    return _Parser(expression, field).parse()


class _Parser:
    def __init__(self, expression: str, field: str) -> None:
        self._expression = expression
        self._field = Field(field)
        self._at = 0
        self._depth = 0

    def parse(self) -> Matcher:
        matcher = self._either()
        if self._rest():
            raise self._error(f"unexpected {self._shown()}")
        return matcher

    def _either(self) -> Matcher:
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda labels: any(part(labels) for part in parts)

    def _both(self) -> Matcher:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda labels: all(part(labels) for part in parts)

    def _one(self) -> Matcher:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error("nested too deeply")
        try:
            if self._take("not"):
                negated = self._one()
                return lambda labels: not negated(labels)
            if self._take("("):
                inner = self._either()
                if not self._take(")"):
                    raise self._error("a parenthesis is not closed")
                return inner
            return self._label()
        finally:
            self._depth -= 1

    def _label(self) -> Matcher:
        token = self._next()
        if token is None or token["word"] is None or token["word"] in _WORDS:
            raise self._error(f"a label is expected, not {self._shown()}")
        self._at = token.end()
        key = _unquoted(token["word"])
        compared = self._next()
        if compared is None or compared["operator"] is None:
            return lambda labels: _has(labels, key)
        self._at = compared.end()
        value = _VALUE.match(self._expression, self._at)
        if compared["operator"] == "!" or value is None:
            raise self._error(f"{short_repr(key)} is compared with nothing")
        self._at = value.end()
        return self._comparison(key, compared["operator"], _unquoted(value[1]))

    def _comparison(self, key: str, sign: str, text: str) -> Matcher:
        if sign in ("=", "=="):
            return lambda labels: _equals(labels.get(key), text)
        if sign == "!=":
            return lambda labels: not _equals(labels.get(key), text)
        bound, compare = _number(text), _COMPARED[sign]
        if bound is None:
            raise self._error(f"{sign} compares numbers, and {short_repr(text)} is none")

        def matches(labels: Labels) -> bool:
            found = _number(labels.get(key))
            return found is not None and compare(found, bound)

        return matches

    def _next(self) -> re.Match[str] | None:
        return _TOKEN.match(self._expression, self._at)

    def _take(self, word: str) -> bool:
        token = self._next()
        if token is None or token[0].strip() != word:
            return False
        self._at = token.end()
        return True

    def _rest(self) -> str:
        return self._expression[self._at :].strip()

    def _shown(self) -> str:
        token = self._next()
        return short_repr(token[0].strip() if token else self._rest()) if self._rest() else "the end"

    def _error(self, reason: str) -> UsageError:
        return UsageError(self._field, f" {short_repr(self._expression)}: {reason}")


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] in ("'", '"') and text[-1:] == text[:1] and len(text) > 1 else text


def _has(labels: Labels, word: str) -> bool:
    found = labels.get(word)
    if found is not None and found is not False:
        return True
    return any(_equals(value, word) for value in labels.values() if not isinstance(value, bool))


def _equals(value: object, text: str) -> bool:
    if value is None:
        return False
    if isinstance(value, tuple):
        return any(_equals(each, text) for each in value)
    if isinstance(value, bool):
        return text == ("true" if value else "false")
    if str(value) == text:
        return True
    numbers = _number(value), _number(text)
    return numbers[0] is not None and numbers[0] == numbers[1]


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None
