"""Reading "on" or "off" out of what a status command prints.

A marker must be a whole line, or whole words of a line that is not negated: ``not running`` does not say ``running``,
and ``running: no`` does not either. Whatever says both or nothing it could mean is unknown, never a guess.
"""

from __future__ import annotations

import re

from bespeak.base.display import short_repr
from bespeak.host.status import PowerState

_NEGATION = re.compile(r"\b(?:not|no|non|never|false|cannot|isn't|doesn't)\b", re.IGNORECASE)


class StateMatcher:
    """What a status command prints when the host is on, and perhaps when it is off.

    Args:
        on: a line or words that mean "on".
        on_regex: the same as a regular expression, searched for in the whole output.
        off: a line or words that mean "off"; without it, everything that does not mean "on" does.

    Raises:
        ValueError: nothing is given that means "on", or the regular expression is none.
    """

    def __init__(self, on: object = "", on_regex: object = None, off: object = None) -> None:
        if on_regex is None and (not isinstance(on, str) or not on.strip()):
            raise ValueError(
                f"status_on must say what status_cmd prints when the host is on, not {short_repr(on)} "
                "(or give status_on_regex)"
            )
        if on_regex is not None and on:
            raise ValueError("give status_on or status_on_regex, not both")
        if off is not None and (not isinstance(off, str) or not off.strip()):
            raise ValueError(f"status_off must be a text, not {short_repr(off)}")
        self._on = _pattern(str(on)) if on_regex is None else None
        self._regex = _compiled(on_regex) if on_regex is not None else None
        self._off = _pattern(off) if isinstance(off, str) else None

    def read(self, output: str) -> PowerState | None:
        """Return what ``output`` says, or None when it says both, or neither."""
        if self._regex is not None:
            on = self._regex.search(output) is not None
        else:
            on = self._on is not None and _said(self._on, output)
        if self._off is None:
            return PowerState.ON if on else PowerState.OFF
        off = _said(self._off, output)
        if on == off:
            return None
        return PowerState.ON if on else PowerState.OFF


def _compiled(pattern: object) -> re.Pattern[str]:
    if not isinstance(pattern, str) or not pattern:
        raise ValueError(f"status_on_regex must be a regular expression, not {short_repr(pattern)}")
    try:
        compiled = re.compile(pattern, re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"status_on_regex {short_repr(pattern)}: {error}") from None
    if compiled.search(""):
        raise ValueError(f"status_on_regex {short_repr(pattern)} matches anything, even an empty output")
    return compiled


def _pattern(words: str) -> tuple[str, re.Pattern[str]]:
    words = words.strip()
    return words, re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")


def _said(marker: tuple[str, re.Pattern[str]], output: str) -> bool:
    words, pattern = marker
    for line in output.splitlines():
        if line.strip() == words:
            return True
        found = pattern.search(line)
        if found and not _NEGATION.search(line[: found.start()] + " " + line[found.end() :]):
            return True
    return False
