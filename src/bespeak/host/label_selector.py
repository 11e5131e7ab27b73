"""Choosing hosts by their labels: ``arm64 and not (usb2 or rack=3)`` (:mod:`bespeak.base.label_expression`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bespeak.base import label_expression
from bespeak.base.display import short_repr

Matcher = Callable[[frozenset[str]], bool]


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
        expression: labels and comparisons joined by ``and``, ``or``, ``not`` and parentheses.

    Raises:
        UsageError: it cannot be understood.
    """
    matches = label_expression.parse(expression)
    return lambda labels: matches(_by_key(labels))


def _by_key(labels: Iterable[str]) -> dict[str, object]:
    """Return labels by key: a plain word is true, and ``key=value`` is one of the values of its key."""
    found: dict[str, object] = {}
    for label in labels:
        key, equals, value = label.partition("=")
        before = found.get(key)
        if not equals:
            found.setdefault(key, True)
        else:
            found[key] = (*before, value) if isinstance(before, tuple) else (value,)
    return found


def matching(expression: str, hosts: Iterable[Any]) -> list[Any]:
    """Return those of ``hosts`` whose ``labels`` match, in their order."""
    matches = parse_labels(expression)
    return [host for host in hosts if matches(host.labels)]
