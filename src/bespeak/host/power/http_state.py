"""Finding a state in what a device answers: names and indices through JSON, or words of plain text."""

from __future__ import annotations

import json
import re
from typing import Any

from bespeak.base.display import short_repr

_STEP = re.compile(r"\[(?:(?P<index>\d+)|(?P<name>[^\[\]=.]+)=(?P<value>[^\[\]]+))\]|(?P<key>[^\[\].]+)")


class KeyPath:
    """Where something is in JSON: ``outlets.a``, ``outputs[0].state``, ``Outputs[ID=3].State``.

    Args:
        text: names joined by dots, which choose from a list when they are numbers; ``[N]`` is an entry of a list,
            counted from 0, ``[NAME=VALUE]`` the entry whose NAME is VALUE. Empty for the answer itself.

    Raises:
        ValueError: it cannot be read.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._steps = list(_STEP.finditer(text))
        if "".join(step.group() for step in self._steps) != text.replace(".", "") and text:
            raise ValueError(f"status_key {short_repr(text)} cannot be read; write names joined by dots, [0] or [ID=3]")

    def find(self, found: Any) -> Any:
        """Return what is there.

        Raises:
            LookupError: nothing is, or more than one thing.
        """
        for step in self._steps:
            found = _taken(found, step)
        return found


def _taken(found: Any, step: re.Match[str]) -> Any:
    if step["name"] is not None:
        return _only(found, step["name"], step["value"])
    key = step["index"] if step["index"] is not None else step["key"]
    if isinstance(found, dict) and step["index"] is None and key in found:
        return found[key]
    if isinstance(found, list) and key.isascii() and key.isdigit() and int(key) < len(found):
        return found[int(key)]
    raise LookupError(key)


def _only(found: Any, name: str, value: str) -> Any:
    entries = found if isinstance(found, list) else []
    fitting = [each for each in entries if isinstance(each, dict) and name in each and text_of(each[name]) == value]
    if len(fitting) != 1:
        raise LookupError(value)
    return fitting[0]


def text_of(value: Any) -> str:
    """Return a value as text: words as they are, everything else as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value)
