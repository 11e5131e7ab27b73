"""Resources named by patterns, on a command line or in settings."""

from __future__ import annotations

from bespeak.ledger.inventory.edit import unknown
from bespeak.ledger.inventory.name_ranges import expand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.inventory.model import Entry


def matching(found: list[Entry], words: Iterable[str]) -> list[Entry]:
    """Return those of ``found`` that one of the words names, in their order; all where no word is given.

    Args:
        found: what there is.
        words: names, ranges such as ``board{1..8}``, or patterns with ``*`` and ``?``.

    Raises:
        NotFoundError: a word names nothing.
    """
    wanted = [name for word in words for name in expand(word)]
    if not wanted:
        return found
    known = [entry.name for entry in found]
    named: set[str] = set()
    for word in wanted:
        here = {word} & set(known)
        if not here and ("*" in word or "?" in word):
            import re
            from fnmatch import translate

            pattern = re.compile(translate(word.replace("[", "[[]")))
            here = {name for name in known if pattern.match(name)}
        if not here:
            raise unknown(word, known)
        named |= here
    return [entry for entry in found if entry.name in named]
