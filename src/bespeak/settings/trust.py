"""Which folders this user trusts to name code, books, secrets and commands.

Settings and lab files come with a repository, and a repository may be somebody else's. So what they name is acted on
only after the user said once that the folder is trusted (``bespeak trust``). The record of that is kept in the user's
state folder, and binds the folder's canonical path, its owner, and the content of each file that was looked at then: a
file that changed since is not trusted. Every reader of settings and lab data asks :meth:`Folder.require`.

This module is loaded only where a file names something that needs trust.
"""

from __future__ import annotations

import os

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError, UsageError, WrongStateError
from bespeak.base.fileio import read_own, read_regular, signature
from bespeak.base.frozen import frozen
from bespeak.base.paths import user_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bespeak.base.fileio import Signature

    Contents = Mapping[str, bytes | None]
    """Content by path; None for a file that is not there."""

_FORMAT = 1
_OTHERS_MAY_WRITE = 0o022
_LIMIT_BYTES = 1024 * 1024


class UntrustedError(WrongStateError):
    """A folder names something to act on, and the user has not trusted it, or not since it changed."""


@frozen
class Record:
    """What was trusted.

    Args:
        folder: the canonical path of the folder.
        owner: the user id that the folder belonged to.
        settings: the settings file, or None where the folder had none.
        files: SHA-256 (hexadecimal) of the content by path; None for a file that was not there.
        trusted_at: when, ISO 8601 in UTC.
    """

    folder: str
    owner: int
    settings: str | None
    files: dict[str, str | None]
    trusted_at: str

    def covers(self, owner: int, settings: str | None, contents: Contents) -> bool:
        """Tell whether these contents, in a folder with that owner and settings file, are what was trusted."""
        return (
            (self.owner, self.settings) == (owner, settings)
            and contents.keys() <= self.files.keys()
            and all(self.files[path] == _digest(raw) for path, raw in contents.items())
        )


class Folder:
    """A folder with settings or lab data, as it is now.

    Args:
        root: the folder.
        settings: its settings file, or None where it has none.
        raw: the content of the settings file.
        environ: where the user's folders are found.
        consulted: receives each record that a decision rests on, with its signature.
    """

    __slots__ = ("_consulted", "_environ", "raw", "root", "settings")

    def __init__(
        self,
        root: str,
        settings: str | None,
        raw: bytes | None,
        environ: Mapping[str, str],
        consulted: list[tuple[str, Signature | None]] | None = None,
    ) -> None:
        self.root = root
        self.settings = settings
        self.raw = raw
        self._environ = environ
        self._consulted = consulted

    def require(self, source: str, says: str, contents: Contents | None = None) -> None:
        """Return if the folder is trusted.

        Args:
            source: the file that names something, for the message.
            says: what it does with it, for the message: ``names a book``.
            contents: the files besides the settings that it depends on.

        Raises:
            UntrustedError: it is not, or was trusted with another content.
        """
        canonical = os.path.realpath(self.root)
        path = record_path(canonical, self._environ)
        if self._consulted is not None:
            self._consulted.append((path, _signature(path)))
        record = read_record(path, canonical)
        if record is not None and self.covered_by(record, contents):
            return
        from shlex import quote

        state = "its folder is not trusted" if record is None else "has changed since its folder was trusted"
        raise UntrustedError(
            f"{escape_unprintable(source)} {says}, and {state}; read it, then: bespeak trust"
            f" {escape_unprintable(quote(self.root))}",
            folder=self.root,
            file=source,
        )

    def covered_by(self, record: Record, contents: Contents | None = None) -> bool:
        """Tell whether ``record`` is of this folder with its present settings, and of ``contents``."""
        canonical = os.path.realpath(self.root)
        try:
            owner = os.stat(canonical).st_uid
        except OSError:
            return False
        settings = None if self.settings is None else self._canonical(self.settings, canonical)
        return record.covers(owner, settings, self._all(canonical, contents or {}))

    def trust(self, contents: Contents, trusted_at: str) -> Record:
        """Record that the folder is trusted with its present settings and ``contents``.

        Args:
            contents: the files besides the settings.
            trusted_at: the present, ISO 8601 in UTC.

        Raises:
            BespeakError: the record cannot be written.
        """
        canonical = os.path.realpath(self.root)
        settings = None if self.settings is None else self._canonical(self.settings, canonical)
        files = {path: _digest(raw) for path, raw in self._all(canonical, contents).items()}
        record = Record(canonical, os.stat(canonical).st_uid, settings, files, trusted_at)
        _write_record(record, record_path(canonical, self._environ))
        return record

    def _all(self, canonical: str, contents: Contents) -> dict[str, bytes | None]:
        found = {self._canonical(path, canonical): raw for path, raw in contents.items()}
        if self.settings is not None:
            found[self._canonical(self.settings, canonical)] = self.raw
        return found

    def _canonical(self, path: str, canonical: str) -> str:
        """Return ``path`` with the canonical form of the folder in front, by whatever way the folder was reached."""
        root = self.root.rstrip(os.sep) + os.sep
        return os.path.join(canonical, path[len(root) :]) if path.startswith(root) else path


def read_all(paths: Iterable[str]) -> dict[str, bytes | None]:
    """Read files for :meth:`Folder.require`.

    Raises:
        BespeakError: one is there but cannot be read.
    """
    found: dict[str, bytes | None] = {}
    for path in paths:
        try:
            found[path] = read_regular(path)[0]
        except (FileNotFoundError, NotADirectoryError):
            found[path] = None
        except OSError as error:
            raise BespeakError(
                f"{escape_unprintable(path)}: cannot be read: {escape_unprintable(error.strerror or str(error))}"
            ) from error
    return found


def refuse_archives(libs: Iterable[str], settings: str) -> None:
    """Refuse ``libs`` that are, or are in, something else than a directory: no record is bound to code in there.

    Raises:
        UsageError: the message names the first one.
    """
    for lib in libs:
        if _is_in_a_file(lib):
            raise UsageError(
                f"{escape_unprintable(settings)}: libs: {escape_unprintable(lib)} is not a directory; init modules are"
                " not imported from archives"
            )


def _is_in_a_file(path: str) -> bool:
    from stat import S_ISDIR

    try:
        return not S_ISDIR(os.stat(path).st_mode)
    except NotADirectoryError:
        return True
    except OSError:
        return False


def module_files(libs: Iterable[str], modules: Iterable[str]) -> list[str]:
    """Return each file that importing ``modules`` from the directories ``libs`` may run: theirs and their packages'."""
    from importlib.machinery import all_suffixes

    found: dict[str, None] = {}
    for lib in libs:
        for module in modules:
            parts = module.split(".")
            for depth in range(1, len(parts) + 1):
                stem = os.path.join(lib, *parts[:depth])
                for suffix in all_suffixes():
                    found[stem + suffix] = None
                    found[os.path.join(stem, "__init__") + suffix] = None
    return list(found)


def records_folder(environ: Mapping[str, str]) -> str:
    """Return where the records are kept."""
    return os.path.join(user_folder(environ, "state"), "trusted")


def record_path(canonical: str, environ: Mapping[str, str]) -> str:
    """Return the file with the record of a folder."""
    from hashlib import sha256

    name = sha256(os.fsencode(canonical)).hexdigest()[:32]
    return os.path.join(records_folder(environ), f"{name}.json")


def read_record(path: str, canonical: str | None = None) -> Record | None:
    """Return a record; None if there is none, or if others than this user may have written it.

    Args:
        path: its file.
        canonical: the folder it must be of.
    """
    import json

    try:
        raw = _read_own(path)
        found = json.loads(raw) if raw is not None else None
        if not isinstance(found, dict) or found["format"] != _FORMAT:
            return None
        record = Record(found["folder"], found["owner"], found["settings"], dict(found["files"]), found["trusted_at"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return record if canonical is None or record.folder == canonical else None


def records(environ: Mapping[str, str]) -> list[Record]:
    """Return every record of this user, by folder."""
    folder = records_folder(environ)
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = (read_record(os.path.join(folder, name)) for name in names if name.endswith(".json"))
    return sorted((record for record in found if record is not None), key=lambda record: record.folder)


def revoke(canonical: str, environ: Mapping[str, str]) -> bool:
    """Remove the record of a folder; return whether there was one."""
    try:
        os.unlink(record_path(canonical, environ))
    except FileNotFoundError:
        return False
    return True


def _digest(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    from hashlib import sha256

    return sha256(raw).hexdigest()


def _signature(path: str) -> Signature | None:
    try:
        return signature(path)
    except OSError:
        return None


def _read_own(path: str) -> bytes | None:
    """Read a file that only this user can have written, in a folder that only this user may write to."""
    folder = os.stat(os.path.dirname(path))
    if folder.st_uid != os.getuid() or folder.st_mode & _OTHERS_MAY_WRITE:
        return None
    return read_own(path, _LIMIT_BYTES)


def _write_record(record: Record, path: str) -> None:
    from bespeak.base.fileio import write_atomically
    from bespeak.base.json_text import indented

    content: dict[str, object] = {
        "format": _FORMAT,
        "folder": record.folder,
        "owner": record.owner,
        "settings": record.settings,
        "trusted_at": record.trusted_at,
        "files": record.files,
    }
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if os.stat(folder).st_mode & _OTHERS_MAY_WRITE:
            os.chmod(folder, 0o700)
        write_atomically(path, indented(content).encode())
    except OSError as error:
        raise BespeakError(
            f"{escape_unprintable(path)}: cannot be written: {escape_unprintable(error.strerror or str(error))}"
        ) from error
