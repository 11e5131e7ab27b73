"""What clients have to send to a server on a TCP port: given in a variable or a file, or made and kept in a file."""

from __future__ import annotations

import os
import re

from bespeak.base.display import short_repr
from bespeak.base.errors import UnavailableError, UsageError
from bespeak.base.fileio import read_own

_ENVIRONMENT, _FILE = "env:", "file:"
_RANDOM_BYTES = 32
_LONGEST = 4096
_STRANGE = re.compile(r"[^A-Za-z0-9.-]")


def given(text: str) -> str:
    """Return the token that ``env:NAME`` or ``file:PATH`` names.

    Raises:
        UsageError: it is neither, or there is no token.
    """
    kind, _, name = text.partition(":")
    if f"{kind}:" not in (_ENVIRONMENT, _FILE) or not name:
        raise UsageError("--token: name the variable or the file that has it, as env:NAME or file:PATH")
    if f"{kind}:" == _FILE:
        return _from_file(os.path.expanduser(name))
    token = os.environ.get(name, "")
    if not _is_token(token):
        raise UsageError(f"--token: the variable {name!a} is not set, or is no token")
    return token


def kept(folder: str, host: str, port: int) -> tuple[str, str]:
    """Return a token of this account for a port, and the file that has it; made at its first use.

    Raises:
        UsageError: the file may be read by others.
        UnavailableError: it cannot be written.
    """
    path = os.path.join(folder, f"{_STRANGE.sub('_', host)}-{port}.token")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if os.path.lexists(path):
            return _from_file(path), path
        _write(path)
    except OSError as error:
        raise UnavailableError(f"the token cannot be kept in {short_repr(path)}: {error.strerror}") from error
    return _from_file(path), path


def _write(path: str) -> None:
    import secrets

    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{secrets.token_urlsafe(_RANDOM_BYTES)}\n")


def _from_file(path: str) -> str:
    try:
        content = read_own(path, _LONGEST)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no path"
        raise UsageError(f"--token: {short_repr(path)}: {why}") from error
    if content is None:
        raise UsageError(f"--token: {short_repr(path)} has to be a file of yours that nobody else may read (chmod 600)")
    token = content.decode("ascii", "replace").strip()
    if not _is_token(token):
        raise UsageError(f"--token: {short_repr(path)} has no token in it; remove it, and a new one is made")
    return token


def _is_token(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
