"""Whether a call fits a signature: read from the text of the signature, in the few ways languages write parameters.

What cannot be read is not guessed: then nothing is said about the call.
"""

from __future__ import annotations

from bespeak.values import value

_OPEN, _CLOSE = "([{", ")]}"
_RECEIVERS = frozenset({"self", "cls", "&self", "&mut self", "mut self", "this"})
_ANGLES = frozenset({"cpp", "java", "rust", "typescript", "tsx"})
FITS_NO_MORE, OTHER_MEANING, OTHER_TYPES, COMPATIBLE = 0.9, 0.5, 0.25, 0.0


@value
class Parameters:
    """What a call has to give.

    Args:
        required: how many arguments at least.
        names: of the parameters that can be given by place, in order.
        most: how many arguments at most; None for any number.
    """

    required: int
    names: tuple[str, ...]
    most: int | None

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
    group = _group(signature, language, method=method)
    if group is None:
        return None
    parts = [part.strip() for part in _split(group, language)]
    parts = [part for part in parts if part and part != "void"]
    if method and parts and _receiver(parts[0]):
        parts = parts[1:]
    return _python(parts) if language == "python" else _others(parts, language)


def _group(signature: str, language: str, *, method: bool) -> str | None:
    groups = _groups(signature, language)
    if language == "go" and method and len(groups) > 1:
        groups = groups[1:]
    return groups[0] if groups else None


def _groups(signature: str, language: str) -> list[str]:
    """Return what stands in the outermost round brackets, each in turn, before the result."""
    found: list[str] = []
    depth, start = 0, 0
    text = signature.partition("->")[0] if language in {"python", "rust"} else signature
    if language == "rust" and signature.find("(") > signature.find("->") >= 0:
        text = signature
    text = _without_decorators(text) if language in {"python", "java", "typescript"} else text
    angles = 0
    for index, char in enumerate(text):
        if language in _ANGLES and not depth:
            angles = max(0, angles + (char == "<") - (char == ">" and text[index - 1] not in "-="))
        if angles and not depth:
            continue
        if char in _OPEN:
            if not depth:
                start = index
            depth += 1
        elif char in _CLOSE and depth:
            depth -= 1
            if not depth and char == ")" and text[start] == "(":
                found.append(text[start + 1 : index])
    return found


def _without_decorators(text: str) -> str:
    """Leave out ``@name(...)`` before a definition."""
    while text.lstrip().startswith("@"):
        text = text.lstrip()[1:].lstrip()
        end = 0
        while end < len(text) and (text[end].isalnum() or text[end] in "._ "):
            if text[end] == " " and text[end + 1 : end + 2] not in (".", "("):
                break
            end += 1
        text = text[end:].lstrip()
        if text.startswith("(") and _again(text):
            text = text[_closed(text) :]
    return text


def _again(text: str) -> bool:
    """Tell whether another bracket follows the first: then the first belongs to the decorator."""
    return "(" in text[_closed(text) :]


def _closed(text: str) -> int:
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
    required, names, most = 0, [], 0
    unlimited = False
    by_name_only = False
    for part in parts:
        if part in {"/", "*"}:
            by_name_only = by_name_only or part == "*"
        elif part.startswith("*"):
            unlimited = True
            by_name_only = True
        else:
            most += 1
            required += "=" not in _unbracketed(part)
            if not by_name_only:
                names.append(_name(part, "python"))
    return Parameters(required, tuple(names), None if unlimited else most)


def _others(parts: list[str], language: str) -> Parameters:
    names = [_name(part, language) for part in parts]
    rest = any("..." in part for part in parts)
    optional = sum(
        1
        for part in parts
        if "..." in part or "=" in _unbracketed(part) or part.partition(":")[0].rstrip().endswith("?")
    )
    loose = language in {"javascript", "jsx"}
    return Parameters(0 if loose else len(parts) - optional, tuple(names), None if rest else len(parts))


def _unbracketed(part: str) -> str:
    """Return a parameter without what stands in brackets, and without the arrow of a function's type."""
    depth, kept = 0, []
    for char in part:
        depth += (char in _OPEN) - (char in _CLOSE)
        if not depth:
            kept.append(char)
    return "".join(kept).replace("=>", "")


def _name(part: str, language: str) -> str:
    """Return the name of a parameter, without its type and default."""
    text = part.partition("=")[0]
    if language in {"c", "cpp", "java"}:
        words = text.replace("*", " ").replace("&", " ").split()
        return words[-1] if words else ""
    if language == "go":
        return text.split()[0] if text.split() else ""
    return text.partition(":")[0].strip().rstrip("?").strip()


def breaks(before: Parameters | None, after: Parameters | None, arguments: int) -> float:
    """Return how likely a call written for one signature is wrong with another, of 1.

    Args:
        before: what it was written for; None if that cannot be read.
        after: what it will meet.
        arguments: how many it gives; -1 if that is not known.
    """
    if before is None or after is None:
        return OTHER_TYPES
    if arguments < 0:
        return COMPATIBLE if _extends(before, after) else OTHER_MEANING
    if not after.take(arguments):
        return FITS_NO_MORE if before.take(arguments) else OTHER_TYPES
    given, taken = before.names[:arguments], after.names[:arguments]
    if given == taken:
        return COMPATIBLE if before.names == after.names[: len(before.names)] else OTHER_TYPES
    return OTHER_MEANING if sorted(given) == sorted(taken) else OTHER_TYPES


def _extends(before: Parameters, after: Parameters) -> bool:
    """Tell whether every call of the one is a call of the other."""
    longer = after.most is None or (before.most is not None and after.most >= before.most)
    return after.required <= before.required and longer and before.names == after.names[: len(before.names)]
