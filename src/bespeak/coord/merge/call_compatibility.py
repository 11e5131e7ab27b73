"""Whether a call fits a signature: read from the text of the signature, in the few ways languages write parameters.

What cannot be read is not guessed: then nothing is said about the call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPEN, _CLOSE = "([{", ")]}"
_RECEIVERS = frozenset({"self", "cls", "&self", "&mut self", "mut self", "this"})
_ANGLES = frozenset({"cpp", "java", "rust", "typescript", "tsx"})
FITS_NO_MORE, CALLED_OTHERWISE, OTHER_DEFAULT, OTHER_MEANING, OTHER_TYPES, COMPATIBLE = 0.9, 0.6, 0.55, 0.5, 0.25, 0.0
_MANNERS = ("async ", "static ", "@staticmethod", "@classmethod", "@property", "@contextmanager", "suspend ")
"""Words that change how something is called, not with what."""
_DEFINED = re.compile(r"(?:^|\s)def\b")
_MOST_LINES = 50
_TEXTS = re.compile(r"""(\"{3}|'{3}).*?\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*""", re.DOTALL)
_NAMED = re.compile(r"\s*(\w+)\s*=(?!=)")


_NOTATIONS = {
    "java": ((re.compile(r"\bfinal\s+"), ""),),
    "go": ((re.compile(r"\binterface\s*\{\s*\}"), "any"),),
    "python": (
        (re.compile(r"\btyping\."), ""),
        (re.compile(r"\bOptional\[([\w.]+)\]"), r"\1|None"),
        (re.compile(r"\b(List|Dict|Set|Tuple|Type|FrozenSet)(?=\[)"), lambda found: found[0].lower()),
        (re.compile(r"\s*\|\s*"), "|"),
    ),
}
"""What can be written in two ways that mean the same to whoever calls."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call has to give.

    Args:
        required: how many arguments at least.
        names: of the parameters that can be given by place, in order.
        types: what the language says of each of them besides; empty in languages that check nothing.
        most: how many arguments at most; None for any number.
        manners: words before that change how it is called.
        result: what stands after the parameters.
        named: those that can be given by name (Python).
        open_named: any other name can be given too.
        defaults: the values of those that may be left out, as written, by name.
    """

    required: int
    names: tuple[str, ...]
    types: tuple[str, ...]
    most: int | None
    manners: tuple[str, ...] = ()
    result: str = ""
    named: tuple[str, ...] = ()
    open_named: bool = False
    defaults: tuple[tuple[str, str], ...] = ()

    def take(self, arguments: int) -> bool:
        """Tell whether a call with so many arguments fits."""
        return self.required <= arguments and (self.most is None or arguments <= self.most)


def parameters(signature: str, language: str, *, method: bool) -> Parameters | None:
    """Return the parameters that a signature lists; None if it lists none that can be read.

    Args:
        signature: as the symbol has it.
        language: of the file.
        method: it is defined in a type, so a receiver is given without being written among the arguments.
    """
    signature = _in_one_notation(signature, language)
    groups = _groups(signature, language)
    if language == "go" and method and len(groups) > 1:
        groups = groups[1:]
    if not groups:
        return None
    start, end = groups[0]
    parts = [part.strip() for part in _split(signature[start:end], language)]
    parts = [part for part in parts if part and part != "void"]
    if method and parts and _receiver(parts[0]):
        parts = parts[1:]
    found = _python(parts) if language == "python" else _others(parts, language)
    manners = tuple(word for word in _MANNERS if word in signature[:start])
    defaults = tuple((_name(part, language), _default(part)) for part in parts if _default(part))
    return replace(found, manners=manners, result=signature[end + 1 :].strip(" ;"), defaults=defaults)


def without(found: Parameters, manner: str) -> Parameters:
    """Return parameters as if a word before them were not there."""
    return replace(found, manners=tuple(word for word in found.manners if word != manner))


def _in_one_notation(signature: str, language: str) -> str:
    """Return a signature with one way to write what has two."""
    for pattern, plain in _NOTATIONS.get(language, ()):
        signature = pattern.sub(plain, signature)
    return signature


def _groups(signature: str, language: str) -> list[tuple[int, int]]:
    """Return where the outermost round brackets are in which parameters may stand, in turn: what is inside."""
    found: list[tuple[int, int]] = []
    depth, opened, angles = 0, 0, 0
    for index in range(_head(signature, language), len(signature)):
        char = signature[index]
        if not depth and language in _ANGLES:
            angles = max(0, angles + (char == "<") - (char == ">" and signature[index - 1] not in "-="))
        if angles and not depth:
            continue
        if char in _OPEN:
            opened = opened if depth else index
            depth += 1
        elif char in _CLOSE and depth:
            depth -= 1
            if not depth and char == ")" and signature[opened] == "(":
                found.append((opened + 1, index))
    return found


def _head(signature: str, language: str) -> int:
    """Return where decorators and annotations end."""
    if language == "python":
        defined = _DEFINED.search(signature)
        return defined.start() if defined else 0
    start = 0
    while signature.startswith("@", start):
        end = start + 1
        while end < len(signature) and (signature[end].isalnum() or signature[end] in "._"):
            end += 1
        rest = signature[end:].lstrip()
        start = len(signature) - len(rest)
        if rest.startswith("(") and "(" in rest[_closed(rest) :]:
            start += _closed(rest)
        start += len(signature[start:]) - len(signature[start:].lstrip())
    return start


def _closed(text: str) -> int:
    """Return where the bracket that ``text`` begins with is closed."""
    depth = 0
    for index, char in enumerate(text):
        depth += (char in _OPEN) - (char in _CLOSE)
        if not depth:
            return index + 1
    return len(text)


def _split(text: str, language: str) -> list[str]:
    parts, depth, start = [], 0, 0
    angles = language in _ANGLES
    for index, char in enumerate(text):
        if char in _OPEN or (angles and char == "<"):
            depth += 1
        elif char in _CLOSE or (angles and char == ">" and text[index - 1 : index] not in ("-", "=")):
            depth -= 1
        elif char == "," and not depth:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _receiver(part: str) -> bool:
    name = part.partition(":")[0].strip()
    words = name.replace("&", "& ").split()
    return bool(words) and (name in _RECEIVERS or words[-1] == "self")


def _python(parts: list[str]) -> Parameters:
    required, most = 0, 0
    names: list[str] = []
    named: list[str] = []
    unlimited = by_name_only = False
    for part in parts:
        if part == "/":
            named.clear()
        elif part == "*":
            by_name_only = True
        elif part.startswith("*"):
            unlimited = by_name_only = True
        else:
            most += 1
            required += "=" not in _unbracketed(part)
            named.append(_name(part, "python"))
            if not by_name_only:
                names.append(named[-1])
    any_name = any(part.startswith("**") for part in parts)
    return Parameters(required, tuple(names), (), None if unlimited else most, named=tuple(named), open_named=any_name)


def _others(parts: list[str], language: str) -> Parameters:
    rest = any("..." in part for part in parts)
    optional = sum(1 for part in parts if _optional(part))
    names = tuple(_name(part, language) for part in parts)
    types = () if language == "javascript" else tuple(part.partition("=")[0].strip() for part in parts)
    required = 0 if language == "javascript" else len(parts) - optional
    return Parameters(required, names, types, None if rest else len(parts))


def _optional(part: str) -> bool:
    return "..." in part or "=" in _unbracketed(part) or part.partition(":")[0].rstrip().endswith("?")


def _unbracketed(part: str) -> str:
    """Return a parameter without what stands in brackets, and without the arrow of a function's type."""
    depth, kept = 0, []
    for char in part:
        depth += (char in _OPEN) - (char in _CLOSE)
        if not depth:
            kept.append(char)
    return "".join(kept).replace("=>", "")


def _default(part: str) -> str:
    """Return the value that a parameter has where a call leaves it out; empty if there is none."""
    return "" if part.startswith(("*", "{", "[")) else re.sub(r"\s+", "", part.replace("=>", "").partition("=")[2])


def _name(part: str, language: str) -> str:
    """Return the name of a parameter, without its type and default."""
    text = part.partition("=")[0]
    if language in {"c", "cpp", "java"}:
        for sign in ("*", "&", ">", "..."):
            text = text.replace(sign, " ")
        return (text.split() or [""])[-1]
    if language == "go":
        return (text.split() or [""])[0]
    return text.partition(":")[0].strip().rstrip("?").strip()


def breaks(
    before: Parameters | None, after: Parameters | None, arguments: int, given: frozenset[str] = frozenset()
) -> float:
    """Return how likely a call written for one signature is wrong with another, of 1.

    Args:
        before: what it was written for; None if that cannot be read.
        after: the signature after the merge.
        arguments: how many it gives; -1 if that is not known.
        given: the names of those that it gives by name, as far as known.
    """
    if before is None or after is None:
        return OTHER_TYPES
    if before.manners != after.manners:
        return CALLED_OTHERWISE
    if arguments < 0:
        return COMPATIBLE if _extends(before, after) else OTHER_MEANING
    lost = not after.open_named and bool(given & set(before.named) - set(after.named))
    if lost or not after.take(arguments):
        return FITS_NO_MORE if lost or before.take(arguments) else OTHER_TYPES
    placed = arguments - len(given)
    names, taken = before.names[:placed], after.names[:placed]
    if names != taken:
        shifted = any(name in after.names and after.names.index(name) != place for place, name in enumerate(names))
        return OTHER_MEANING if shifted else OTHER_TYPES
    same = before.types[:placed] == after.types[:placed] and before.result == after.result
    relies = _relies_on_another(before, after, placed, given)
    return OTHER_DEFAULT if relies else COMPATIBLE if same else OTHER_TYPES


def _relies_on_another(before: Parameters, after: Parameters, placed: int, given: frozenset[str]) -> bool:
    """Tell whether a call leaves out a parameter that has another default now."""
    left_out = {*before.named, *before.names} - {*before.names[:placed], *given}
    old, new = dict(before.defaults), dict(after.defaults)
    return any(name in new and old[name] != new[name] for name in left_out & old.keys())


def returned(result: str) -> int:
    """Return how many values a Go function returns, by what stands after its parameters."""
    if not result.startswith("("):
        return 1 if result else 0
    return len([part for part in _split(result[1 : _closed(result) - 1], "go") if part.strip()])


def _extends(before: Parameters, after: Parameters) -> bool:
    """Tell whether every call of the one is a call of the other."""
    longer = after.most is None or (before.most is not None and after.most >= before.most)
    return after.required <= before.required and longer and before.names == after.names[: len(before.names)]


def keywords(lines: Sequence[bytes], line: int, name: str) -> frozenset[str]:
    """Return the names by which the calls of something give arguments; empty where the text cannot be followed.

    Args:
        lines: of the file.
        line: on which the call begins, from 1.
        name: the last part of what is called, as it is written there.
    """
    source = b"\n".join(lines[line - 1 : line - 1 + _MOST_LINES]).decode("utf-8", "replace")
    text = _TEXTS.sub(lambda found: "" if found[0].startswith("#") else "0", source)
    calls = re.finditer(rf"\b{re.escape(name)}\s*\(", text)
    first_line = text.find("\n") if "\n" in text else len(text)
    found = [_given(text, call.end()) for call in calls if call.start() < first_line]
    return frozenset.intersection(*found) if found else frozenset()


def _given(text: str, start: int) -> frozenset[str]:
    """Return the names before ``=`` from the opening bracket of a call to the closing one."""
    given: set[str] = set()
    depth = 1
    at_start = True
    for index in range(start, len(text)):
        char = text[index]
        if at_start and depth == 1:
            named = _NAMED.match(text, index)
            given.update(named.groups() if named else ())
        at_start = char == ","
        depth += (char in "([{") - (char in ")]}")
        if not depth:
            return frozenset(given)
    return frozenset()
