"""What may be written into the book: names, purposes and tags that print, sort and compare alike everywhere."""

from __future__ import annotations

from bespeak.base.errors import Field, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_NAME = 255
LONGEST_TEXT = 2_000
MOST_RESOURCES = 1_000
MOST_TAGS = 64
MOST_SEATS = 1_000_000
_LIKE_LATIN = frozenset({"LATIN", "CYRILLIC", "GREEK"})
"""Scripts with letters that no reader can tell apart."""

_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
"""Characters that Unicode calls default ignorable and Python calls printable, besides the variation selectors."""


def resource_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names without duplicates, sorted: the order in which locks are taken and lists are printed.

    Raises:
        UsageError: there is none, there are too many, or one is not a name.
    """
    if isinstance(names, str):
        raise UsageError(f"resources is one text, {names!a}, and must be several: ({names!a},)")
    unique = sorted(set(names))
    if not unique:
        raise UsageError("no resource named")
    if len(unique) > MOST_RESOURCES:
        raise UsageError(f"{len(unique)} resources in one reservation; at most {MOST_RESOURCES}")
    for name in unique:
        check_name("resource", name)
    return tuple(unique)


def check_new_resource(name: str, *, declared: bool) -> None:
    """Refuse to make a resource whose name is not what it looks like; names in the book already stay usable.

    Args:
        name: a name that the book does not know.
        declared: somebody declares it, and did not just use it.

    Raises:
        UsageError: people would take it for another name, for several, or for a pattern.
    """
    if "*" in name or "?" in name:
        raise UsageError(f"resource {name!a}: * and ? make no pattern here, and a new name must not have them")
    if "/" in name:
        _check_path(name)
    if not declared:
        _check_first_use(name)
    _check_looks("resource", name)


def check_new_user(name: str) -> str:
    """Return ``name`` if a user may begin to be called so; who is in the book already can still end what it has.

    Raises:
        UsageError: it is no name, or people would take it for another one.
    """
    check_name("user", name)
    kind, colon, rest = name.partition(":")
    _check_looks("user", rest if colon and kind.isascii() else name)
    return name


def plain_path(name: str) -> str:
    """Return what a name with slashes that says nothing of its own comes to: ``rack1/`` and ``./rack1`` are rack1."""
    kept = [part for part in name.split("/") if part not in ("", ".")]
    return name if "://" in name else "/" * name.startswith("/") + "/".join(kept)


def _check_path(name: str) -> None:
    """Refuse a second name for what is already one: ``rack1/`` (a shell completes folders so) and ``./rack1``."""
    if ".." in name.split("/"):
        raise UsageError(f"resource {name!a}: has a part that is '..', which no name has")
    if (plain := plain_path(name)) != name:
        raise UsageError(f"resource {name!a}: is another way to write {plain!a}; type that")


def _check_looks(kind: str, name: str) -> None:
    if name.isascii():
        return
    import unicodedata

    if unicodedata.normalize("NFC", name) != name:
        composed = unicodedata.normalize("NFC", name)
        raise UsageError(f"{kind} {name!a}: looks like {composed!a}, which is composed (NFC); type that")
    if (plain := unicodedata.normalize("NFKC", name)) != name:
        raise UsageError(f"{kind} {name!a}: looks like {plain!a}; type that")
    if hidden := next((char for char in name if _is_unseen(char)), None):
        raise UsageError(f"{kind} {name!a}: has a character that nobody sees, {hidden!a}")
    scripts = {unicodedata.name(char, "").split(" ")[0] for char in name if char.isalpha()}
    if len(scripts & _LIKE_LATIN) > 1:
        mixed = " and ".join(sorted(script.title() for script in scripts & _LIKE_LATIN))
        raise UsageError(f"{kind} {name!a}: mixes letters of {mixed} that look alike")


def _is_unseen(char: str) -> bool:
    """Tell whether a character counts as printable and shows nothing: fillers, joiners and variation selectors."""
    return char in _UNSEEN or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _check_first_use(name: str) -> None:
    """Refuse a word that somebody typed for something else and that would become a resource by its first use."""
    other: tuple[str, ...] = ()
    if " " in name:
        other = ("one name with a blank",)
    elif "," in name:
        other = (f"one name with a comma; for several: {' '.join(name.split(','))}",)
    elif name[0].isdigit() and _is_duration(name):
        other = ("a duration; say how long with ", Field("duration"), f" {name}")
    if other:
        declare = f"; if it is a resource, declare it first: bespeak resource add {name!a}"
        raise UsageError(f"resource {name!a}: ", *other, declare)


def _is_duration(text: str) -> bool:
    from bespeak.base import timeparse

    try:
        timeparse.duration(text)
    except UsageError:
        return False
    return True


def check_name(kind: str, name: str) -> str:
    """Return ``name`` if it can name a ``kind`` (resource, user, tag).

    Raises:
        UsageError: it is empty, too long, begins or ends with a blank, or has characters that do not print.
    """
    if not name:
        raise UsageError(f"{kind}: the name is empty")
    if len(name) > LONGEST_NAME:
        raise UsageError(f"{kind} {name[:40]!a}...: {len(name)} characters; at most {LONGEST_NAME}")
    if name != name.strip():
        raise UsageError(f"{kind} {name!a}: begins or ends with a blank")
    if not name.isprintable():
        raise UsageError(f"{kind} {name!a}: has a character that does not print")
    return name


def check_text(kind: str, text: str) -> str:
    """Return ``text`` if it can be stored as free text.

    Raises:
        UsageError: it is too long, or has a NUL or an undecodable byte, which no database stores.
    """
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"{kind}: {len(text)} characters; at most {LONGEST_TEXT}")
    if "\0" in text or (not text.isascii() and _has_surrogate(text)):
        raise UsageError(f"{kind} {text[:40]!a}: has a character that cannot be stored")
    return text


def check_tags(tags: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the tags sorted by key.

    Raises:
        UsageError: a key is no name or comes twice, a value cannot be stored, or there are too many.
    """
    result = tuple(sorted((check_name("tag", key), check_text(f"tag {key}", value)) for key, value in tags))
    if len(result) > MOST_TAGS:
        raise UsageError(f"{len(result)} tags; at most {MOST_TAGS}")
    keys = [key for key, _ in result]
    for key in keys:
        if keys.count(key) > 1:
            raise UsageError(f"tag {key!r} is given twice")
    return result


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
