"""Choosing hosts by their labels: ``arm64 and not (usb2 or rack=3)``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from bespeak.base.display import short_repr
from bespeak.base.errors import UsageError

Matcher = Callable[[frozenset[str]], bool]
_TOKEN = re.compile(r"\s*(\(|\)|[^\s()]+)")
_WORDS = ("and", "or", "not", "(", ")")
_DEEPEST = 50


def labels_of(value: Any, said_by: str = "labels") -> frozenset[str]:
    """Return the labels that lab data gives: a list of texts, or a table whose entries read ``key=value``.

    Raises:
        ValueError: it is something else.
    """
    if value is None:
        return frozenset()
    if isinstance(value, dict):
        return frozenset(f"{key}={item}" if item is not True else str(key) for key, item in value.items())
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError(f"{said_by} must be a list of texts or a table, not {short_repr(value)}")
    return frozenset(value)


def parse_labels(expression: str) -> Matcher:
    """Return a function that tells whether a set of labels matches.

    Args:
        expression: labels joined by ``and``, ``or``, ``not`` and parentheses; ``and`` binds tighter than ``or``.

    Raises:
        UsageError: it cannot be understood.
    """
    return _Parser(expression).parse()


class _Parser:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens: list[str] = _TOKEN.findall(expression)
        self._depth = 0

    def parse(self) -> Matcher:
        matcher = self._either()
        if self._tokens:
            raise self._error(f"unexpected {short_repr(self._tokens[0])}")
        return matcher

    def _either(self) -> Matcher:
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        return lambda labels: any(part(labels) for part in parts)

    def _both(self) -> Matcher:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return lambda labels: all(part(labels) for part in parts)

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
        if not self._tokens or self._tokens[0] in _WORDS:
            found = short_repr(self._tokens[0]) if self._tokens else "the end"
            raise self._error(f"a label is expected, not {found}")
        label = self._tokens.pop(0)
        return lambda labels: label in labels

    def _take(self, word: str) -> bool:
        if self._tokens and self._tokens[0] == word:
            self._tokens.pop(0)
            return True
        return False

    def _error(self, reason: str) -> UsageError:
        return UsageError(f"--label {short_repr(self._expression)}: {reason}")


def matching(expression: str, hosts: Iterable[Any]) -> list[Any]:
    """Return those of ``hosts`` whose ``labels`` match, in their order."""
    matches = parse_labels(expression)
    return [host for host in hosts if matches(host.labels)]
