"""Reading "on" or "off" out of what a status command prints.

A marker must be a whole line, or whole words of a line that is not negated: ``not running`` does not say ``running``,
and ``running: no`` does not either. A word ends neither at a hyphen nor at a dot within a number, so ``on-delay`` does
not say ``on``, nor an OID ``1``. What says both, or neither for certain, is unknown, never a guess.
"""

from __future__ import annotations

import re

from bespeak.base.display import short_repr
from bespeak.host.status import PowerState

_NEGATION = re.compile(r"\b(?:not|no|non|never|false|cannot|isn't|doesn't)\b", re.IGNORECASE)
_ASIDE = re.compile(r"\([^()]*\)")
_OPPOSITES = {
    "on": ("off",),
    "1": ("0",),
    "true": ("false",),
    "yes": ("no",),
    "up": ("down",),
    "active": ("inactive",),
    "enabled": ("disabled",),
    "running": ("shut off", "stopped"),
    "started": ("stopped",),
}
"""What means "off" where only "on" is given. Only the exact opposite of a well-known word is certain."""
_OFF_WORDS = ("off", "shut off", "stopped", "down", "inactive")
"""What means "off" in any language of status commands."""


class StateMatcher:
    """What a status command prints when the host is on, and perhaps when it is off.

    Args:
        on: a line or words that mean "on".
        on_regex: the same as a regular expression, searched for in the whole output.
        off: a line or words that mean "off"; without it, the opposite of a well-known "on", the word "off" and its
            like, and "not" before what means "on".

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
        self._on = None if on_regex is not None else _Marker(str(on))
        self._regex = _compiled(on_regex) if on_regex is not None else None
        words = (*_OPPOSITES.get(str(on).strip().lower(), ()), *_OFF_WORDS)
        self._off = [_Marker(off)] if isinstance(off, str) else [_Marker(word, re.IGNORECASE) for word in words]
        self._off = [marker for marker in self._off if self._on is None or marker.words != self._on.words]

    def read(self, output: str) -> PowerState | None:
        """Return what ``output`` says, or None when it says both, or neither for certain."""
        if self._regex is not None:
            on = self._regex.search(output) is not None
        else:
            on = self._on is not None and self._on.said_in(output)
        off = any(marker.said_in(output) for marker in self._off)
        off = off or (self._on is not None and self._on.denied_in(output))
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


class _Marker:
    """Words that mean a state."""

    def __init__(self, words: str, flags: re.RegexFlag = re.NOFLAG) -> None:
        self.words = words.strip()
        alone = rf"(?<![\w-])(?<!\w\.){re.escape(self.words)}(?![\w-])(?!\.\w)"
        self._pattern = re.compile(alone, flags)
        self._line = re.compile(re.escape(self.words), flags)
        self._denial = re.compile(
            rf"\b(?:not|no longer|isn't|never)\s+{alone}|{alone}\s*[:=]\s*(?:no|false|0)\s*$", flags | re.IGNORECASE
        )

    def said_in(self, output: str) -> bool:
        """Tell whether a line says it, and does not deny it."""
        return any(self._said(line) for line in output.splitlines())

    def denied_in(self, output: str) -> bool:
        """Tell whether a line says that it is not so."""
        return any(self._denial.search(_ASIDE.sub(" ", line)) for line in output.splitlines())

    def _said(self, line: str) -> bool:
        if self._line.fullmatch(line.strip()):
            return True
        line = _ASIDE.sub(" ", line)
        found = self._pattern.search(line)
        return found is not None and not _NEGATION.search(line[: found.start()] + " " + line[found.end() :])
