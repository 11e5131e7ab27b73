"""Reading addresses as people type them: made relative to the repository's root, one name for one file.

Typed paths are relative to the folder one stands in, as everywhere in git; ``:/`` at the beginning means the root.
"""

from __future__ import annotations

import os

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.coord.address import SEPARATOR, Address, is_wild, symbol_names
from bespeak.coord.errors import ClaimError
from bespeak.git import repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.git.repository import Repository

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
    return ClaimError(f"Invalid address {short_repr(text)}: {why}", address=text)


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
    path, _, symbol = text.partition(SEPARATOR)
    if path.startswith(_FROM_ROOT):
        folder, path = where.root, path[len(_FROM_ROOT) :] or "."
    names, symbol = _symbol(symbol)
    full = os.path.join(folder, path)
    suffix = SEPARATOR + symbol if names else ""
    try:
        if _has_braces(path) and not os.path.lexists(full):
            raise _invalid(text, "braces are not understood in a pattern; name each")
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
    return Address(_fits(text, relative + suffix), relative, names)


def literal(name: str) -> Address:
    """Return the address of a file as git names it: from the root, no link on the way, no character special.

    A name that is no UTF-8 cannot be claimed, but a folder or a pattern around it can: it is made readable.
    """
    readable = repository.readable(name)
    return Address(readable, readable)


def file_at(path: str) -> tuple[Repository, Address] | None:
    """Return the repository that a file on disk (absolute path) belongs to and its address there; None if in none."""
    try:
        folder = os.path.realpath(os.path.dirname(path))
        where = repository.around(folder) or repository.around(os.path.dirname(os.path.realpath(path)))
        return None if where is None else (where, literal(_relative(path, path, where)))
    except (ValueError, ClaimError):  # what no name on disk can be, or a link to somewhere else
        return None


def _symbol(text: str) -> tuple[tuple[str, ...], str]:
    """Return the names of a symbol, and its text; ``*`` at its end is all there is in what is named before it."""
    names = symbol_names(text)
    if names[-1:] != ("*",):
        return names, text
    return names[:-1], text.rpartition("*")[0].rstrip(".:")


def _has_braces(path: str) -> bool:
    return "{" in path and "," in path and "}" in path


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


def _relative(text: str, full: str, where: Repository, *, within: bool = False) -> str:
    """Return a path from the root of the repository; ``within``: what is named lies inside the folder ``full``."""
    real = os.path.realpath(full)
    relative = _below(real, where.root)
    if relative is None and os.path.islink(full):  # it leads outside, but is itself a file of the repository
        above, name = os.path.split(full)
        real = os.path.join(os.path.realpath(above), name)
        relative = _below(real, where.root)
    other = _around(real) if relative is None else _between(real, where, within=within)
    if other is None:
        if relative is not None:
            return relative
    elif other.common_dir == where.common_dir:
        return _below(real, other.root) or ""
    elif relative is not None:
        inner = other.root[len(where.root) :].strip("/")
        raise _invalid(text, f"is in another repository ({escape_unprintable(inner)}); claim it from there")
    raise _invalid(text, "is outside the repository")


def _around(real: str) -> Repository | None:
    return repository.around(real if os.path.isdir(real) else os.path.dirname(real))


def _between(real: str, where: Repository, *, within: bool) -> Repository | None:
    """Return the work tree inside that of ``where`` which ``real`` is in: of the same clone, a submodule, a clone.

    A submodule itself, as a whole, is a thing of the repository around it; what lies ``within`` it is not.
    """
    top = real
    while len(top) > len(where.root):
        if os.path.lexists(os.path.join(top, ".git")):
            found = repository.around(top)
            if found is None or found.root == where.root:
                return None
            whole = found.root == real and not within and found.common_dir != where.common_dir
            return None if whole else found
        top = os.path.dirname(top)
    return None


def _below(path: str, root: str) -> str | None:
    if path == root:
        return ""
    start = root.rstrip("/") + "/"
    return path[len(start) :] if path.startswith(start) else None


def _pattern(text: str, path: str, folder: str, where: Repository, suffix: str) -> Address:
    wanted = f"{path}**" if path.endswith("/") else path
    names = [name for name in wanted.split("/") if name not in {"", "."}]
    first = next(number for number, name in enumerate(names) if is_wild(name))
    if ".." in names[first:]:
        raise _invalid(text, "'..' after a wildcard")
    start = "/" if path.startswith("/") else folder
    above = _relative(text, os.path.join(start, *names[:first]), where, within=True)
    normalised = "/".join([*([above] if above else []), *names[first:]])
    if len(normalised) > MAX_PATTERN:
        raise _invalid(text, f"a pattern is at most {MAX_PATTERN} characters long")
    return Address(_fits(text, normalised + suffix), normalised, symbol_names(suffix), glob=True)
