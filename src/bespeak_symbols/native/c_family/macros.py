"""Macros that stand where the grammar has no place for one: found before parsing, so that blanks can replace them.

``class API Plain { ... }`` reads as a function of type ``API`` as long as nobody knows that ``API`` expands to an
attribute or to nothing. What a macro expands to is often said in another file, so beside those that this file defines
as empty or as attributes the place decides: no language has two names in a row between ``class`` and a brace.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.native.block_extractor import Lexemes

_HEADS = re.compile(rb"\b(class|struct|union|enum)\s+(?=[A-Za-z_])")
_DEFINED = re.compile(
    rb"^[ \t]*#[ \t]*define[ \t]+(\w+)(\()?[ \t]*"
    rb"((?:__attribute__|__declspec|\[\[|alignas\b|__extension__)[^\n]*)?(?=(\r?$)|.)",
    re.MULTILINE,
)
_CAPITALS = re.compile(rb"[A-Z][A-Z0-9]*_[A-Z0-9_]*\Z|[A-Z][A-Z0-9]{2,}\Z")
_ALONE = re.compile(
    rb"^[ \t]*([A-Z][A-Z0-9]*_[A-Z0-9_]*)"
    rb"(\(\s*(?:\d(?:[\w\s,]|/\*[^*]*\*/)*)?\))?[ \t]*(?://[^\n]*)?\r?\n(?=\s*(?:(?://[^\n]*\n|\#)|"
    rb"(?:class|struct|enum|union|template|namespace|typedef|using|static|inline|extern|virtual|explicit|constexpr|"
    rb"public|private|protected|friend|void|bool|int|const|unsigned)\b))",
    re.MULTILINE,
)
_TELLING = rb"[A-Z0-9_]*(?:API|EXPORT|PUBLIC|VISIBLE|VISIBILITY|ATTRIBUTE|DEPRECATED|NODISCARD|NO_?INLINE|NORETURN)_?"
_BEFORE = re.compile(rb"^[ \t]*(" + _TELLING + rb")[ \t]+(?=[A-Za-z_:])", re.MULTILINE)
_AFTER = re.compile(
    rb"\)\s*(?:const\s+)?\b([A-Z0-9_]*(?:NOEXCEPT|OVERRIDE|NOTHROW|NO_?INLINE|ATTRIBUTE|DEPRECATED)[A-Z0-9_]*)"
    rb"(\([\w, \t]*\))?\s*(?=[;{])"
)
_WORD = re.compile(rb"[A-Za-z_]\w*\Z")
_NO_MACROS = frozenset({b"final", b"sealed", b"alignas", b"__attribute__", b"__declspec"})
_ENDS = frozenset({b";", b"}", b"{", b":", b">"})
_MOST_WORDS = 12
_MOST_TOKENS = 400


@dataclass(frozen=True, slots=True)
class Blank:
    """A use of a macro that the parser is not to see.

    Args:
        start: of its name, in bytes from the start of the source.
        end: beyond its name and its arguments.
        name: the macro.
        called: it has arguments.
    """

    start: int
    end: int
    name: str
    called: bool


def find(source: bytes, lexemes: Lexemes) -> list[Blank]:
    """Return the macros of a source that have to be blank for the parser, in order."""
    found: dict[int, Blank] = {}
    for blank in (*_known(source, lexemes), *_heads(source, lexemes), *_around(source, lexemes)):
        if not _in_directive(source, blank.start):
            found.setdefault(blank.start, blank)
    return [found[start] for start in sorted(found)]


def without(source: bytes, blanks: list[Blank]) -> bytes:
    """Return a source of the same length with blanks for macros; line breaks stay."""
    if not blanks:
        return source
    parts, at = [], 0
    for blank in blanks:
        if blank.start >= at:
            parts += [source[at : blank.start], re.sub(rb"[^\n]", b" ", source[blank.start : blank.end])]
            at = blank.end
    return b"".join((*parts, source[at:]))


def _known(source: bytes, lexemes: Lexemes) -> Iterator[Blank]:
    """Yield the uses of macros that every definition in this file makes empty or an attribute."""
    empty: dict[bytes, bool] = {}
    for found in _DEFINED.finditer(source):
        plain = found.group(2) is None and (found.group(3) is not None or found.group(4) is not None)
        empty[found.group(1)] = plain and empty.get(found.group(1), True)
    names = [name for name, so in empty.items() if so and source.count(name) > 1]
    if names:
        for use in re.finditer(rb"\b(?:" + b"|".join(sorted(names)) + rb")\b", source):
            if lexemes.place(use.start()) >= 0:
                yield _blank(use.group(0), use.start(), use.end(), called=False)


def _blank(name: bytes, start: int, end: int, *, called: bool) -> Blank:
    return Blank(start, end, name.decode("ascii", "replace"), called)


def _heads(source: bytes, lexemes: Lexemes) -> Iterator[Blank]:
    """Yield the macros between ``class``, ``struct``, ``union`` or ``enum`` and the name of what is defined."""
    for found in _HEADS.finditer(source):
        place = lexemes.place(found.start())
        if place >= 0:
            yield from _of_head(found.group(1), place + 1, lexemes)


def _of_head(keyword: bytes, place: int, lexemes: Lexemes) -> list[Blank]:
    if keyword == b"enum" and lexemes.token(place) in {b"class", b"struct"}:
        place += 1
    words: list[Blank] = []
    while len(words) < _MOST_WORDS and (_WORD.match(lexemes.token(place)) or lexemes.token(place) == b"["):
        name, start = lexemes.token(place), lexemes.span(place)[0]
        if name == b"[":
            place = lexemes.beyond(place)
            continue
        place += 1
        called = lexemes.token(place) == b"("
        if called:
            place = lexemes.beyond(place)
        if name not in _NO_MACROS:
            words.append(_blank(name, start, lexemes.span(place - 1)[1], called=called))
    macros = words[:-1]
    if not macros or words[-1].called:
        return []
    capitals = all(_CAPITALS.match(word.name.encode()) for word in macros)
    after = lexemes.token(place)
    if after == b"{":
        begins = capitals or keyword == b"class"
    elif after in {b":", b"::", b"<"}:
        begins = (capitals or keyword == b"class") and _opens(place, lexemes)
    else:
        begins = after == b";" and keyword == b"class" and capitals
    return macros if begins else []


def _opens(place: int, lexemes: Lexemes) -> bool:
    """Tell whether a brace comes before the end of a statement: bases and arguments of a template may stand between."""
    end = place + _MOST_TOKENS
    while place < end and (token := lexemes.token(place)) not in {b"", b";", b"}"}:
        if token == b"{":
            return True
        place = lexemes.beyond(place) if token == b"(" else place + 1
    return False


def _around(source: bytes, lexemes: Lexemes) -> Iterator[Blank]:
    """Yield macros on a line of their own, before a declaration, or behind its parameters."""
    for found in _ALONE.finditer(source):
        place = lexemes.place(found.start(1))
        before = lexemes.token(place - 1) if place > 0 else b";"
        directed = _in_directive(source, max(0, lexemes.span(place - 1)[0])) if place > 0 else False
        if place >= 0 and (before in _ENDS or directed):
            yield _blank(found.group(1), found.start(1), max(found.end(1), found.end(2)), called=found.end(2) > 0)
    for found in _BEFORE.finditer(source):
        place = lexemes.place(found.start(1))
        if place >= 0 and _declares(place + 1, lexemes):
            yield _blank(found.group(1), found.start(1), found.end(1), called=False)
    for found in _AFTER.finditer(source):
        if lexemes.place(found.start(1)) >= 0:
            yield _blank(found.group(1), found.start(1), max(found.end(1), found.end(2)), called=found.end(2) > 0)


def _declares(place: int, lexemes: Lexemes) -> bool:
    """Tell whether a type and a name follow: then what stands before them is no type."""
    words = 0
    for at in range(place, place + _MOST_WORDS):
        token = lexemes.token(at)
        if token in {b"(", b";", b"=", b"{", b"["}:
            break
        words += bool(_WORD.match(token)) and lexemes.token(at - 1) != b"::"
    return words > 1


def _in_directive(source: bytes, at: int) -> bool:
    """Tell whether a place is in a line of the preprocessor, or in one that continues it."""
    while True:
        begin = source.rfind(b"\n", 0, at) + 1
        if source[begin:at].lstrip()[:1] == b"#":
            return True
        if not source[max(0, begin - 3) : begin].rstrip(b"\r\n").endswith(b"\\"):
            return False
        at = begin - 1
