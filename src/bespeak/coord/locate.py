"""Reading addresses as people type them: made relative to the repository's root, one name for one file.

Typed paths are relative to the folder one stands in, as everywhere in git; ``:/`` at the beginning means the root.
"""

from __future__ import annotations

import os

from bespeak.coord import repository
from bespeak.coord.address import SEPARATOR, Address, is_wild, symbol_names
from bespeak.coord.errors import ClaimError
from bespeak.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.coord.repository import Repository

MAX_ADDRESSES = 1000
MAX_BYTES = 2000
MAX_PATTERN = 500
_FROM_ROOT = ":/"


def check(texts: Iterable[str]) -> None:
    """Refuse what cannot be an address, without looking at any file.

    Raises:
        ClaimError: says which, and why.
    """
    for text in texts:
        _check_text(text)
        path, separator, symbol = text.partition(SEPARATOR)
        if not path:
            raise _invalid(text, "names no file")
        if separator and not symbol_names(symbol):
            raise _invalid(text, "names no symbol after '::'")
        if separator and path.endswith("/"):
            raise _invalid(text, "a folder has no symbols")


def _check_text(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise _invalid(text, "is not UTF-8") from None
    if not text or "\0" in text:
        raise _invalid(text, "is empty" if not text else "has a NUL character in it")
    if size > MAX_BYTES:
        raise _invalid(text, f"is longer than {MAX_BYTES} bytes")


def _invalid(text: str, why: str) -> ClaimError:
    return ClaimError(f"Invalid address {shown(text)}: {why}", address=text)


def locate_all(texts: Iterable[str], where: Repository, folder: str) -> tuple[Address, ...]:
    """Return the addresses, normalised, in order, each once.

    Args:
        texts: as typed; :func:`check` has let them pass.
        where: the repository.
        folder: the folder that relative paths start from, absolute.
    """
    found = {address: None for text in texts for address in (locate(text, where, folder),)}
    return tuple(found)


def locate(text: str, where: Repository, folder: str) -> Address:
    """Return one address, normalised.

    Raises:
        ClaimError: it lies outside the repository, or cannot be understood.
    """
    path, separator, symbol = text.partition(SEPARATOR)
    if path.startswith(_FROM_ROOT):
        folder, path = where.root, path[len(_FROM_ROOT) :] or "."
    names = symbol_names(symbol)
    whole = not separator or names == ("*",)
    full = os.path.join(folder, path)
    suffix = "" if whole else SEPARATOR + symbol
    try:
        if is_wild(path) and not os.path.lexists(full):
            return _pattern(text, path, folder, where, suffix)
        relative = _relative(text, full, where)
        is_folder = not relative or path.endswith("/") or os.path.isdir(full)
    except OSError as error:
        raise _invalid(text, error.strerror or "cannot be looked at") from error
    if is_folder:
        if suffix:
            raise _invalid(text, "a folder has no symbols")
        return Address(_fits(text, f"{relative or '.'}/"), relative)
    return Address(_fits(text, relative + suffix), relative, () if whole else names)


def _fits(text: str, normalised: str) -> str:
    try:
        too_long = len(normalised.encode()) > MAX_BYTES
    except UnicodeEncodeError:
        raise _invalid(text, "leads to a path that is not UTF-8") from None
    if too_long:
        raise _invalid(text, f"is longer than {MAX_BYTES} bytes from the root of the repository")
    if SEPARATOR in normalised.partition(SEPARATOR)[2] and SEPARATOR not in text:
        raise _invalid(text, "leads to a path with '::' in it")
    return normalised


def _relative(text: str, full: str, where: Repository) -> str:
    real = os.path.realpath(full)
    relative = _below(real, where.root)
    if relative is None and os.path.islink(full):  # it leads outside, but is itself a file of the repository
        above, name = os.path.split(full)
        relative = _below(os.path.join(os.path.realpath(above), name), where.root)
    if relative is not None:
        return relative
    other = repository.around(real if os.path.isdir(real) else os.path.dirname(real))
    if other is not None and other.common_dir == where.common_dir:
        return _below(real, other.root) or ""
    raise _invalid(text, "is outside the repository")


def _below(path: str, root: str) -> str | None:
    if path == root:
        return ""
    start = root.rstrip("/") + "/"
    return path[len(start) :] if path.startswith(start) else None


def _pattern(text: str, path: str, folder: str, where: Repository, suffix: str) -> Address:
    if "{" in path and "," in path and "}" in path:
        raise _invalid(text, "braces are not understood in a pattern; name each")
    wanted = f"{path}**" if path.endswith("/") else path
    names = [name for name in wanted.split("/") if name not in {"", "."}]
    first = next(number for number, name in enumerate(names) if is_wild(name))
    if ".." in names[first:]:
        raise _invalid(text, "'..' after a wildcard")
    start = "/" if path.startswith("/") else folder
    above = _relative(text, os.path.join(start, *names[:first]), where)
    normalised = "/".join([*([above] if above else []), *names[first:]])
    if len(normalised) > MAX_PATTERN:
        raise _invalid(text, f"a pattern is at most {MAX_PATTERN} characters long")
    return Address(_fits(text, normalised + suffix), normalised, symbol_names(suffix), glob=True)
