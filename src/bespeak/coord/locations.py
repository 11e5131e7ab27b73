"""Where the claims of a repository are kept: in its git common directory, or in a book that was named.

A file named by ``BESPEAK_LEDGER`` is not taken: it is this machine's book of other things, while every work tree and
agent of the clone finds the common directory by itself. A PostgreSQL book, or one on a server, is taken, for it is how
machines share.
"""

from __future__ import annotations

import os
import stat

from bespeak.base.paths import HTTP_PREFIXES, SHARED_PREFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.coord.claims_book import ClaimsBook
    from bespeak.git.repository import Repository
    from bespeak.storage.interface import Engine

FOLDER, FILE = "bespeak", "coord.sqlite3"
NAME_VARIABLE = "BESPEAK_COORD_REPOSITORY"
_LONGEST_NAME = 200


class BookLocation:
    """Where claims are kept.

    Args:
        url: an absolute path, ``postgresql://...`` or ``https://...``.
        repo: the repository's name in that book; empty in a book of its own.
    """

    __slots__ = ("repo", "url")

    def __init__(self, url: str, repo: str = "") -> None:
        self.url = url
        self.repo = repo

    @property
    def missing(self) -> bool:
        """The book is a file that does not exist: nothing was ever claimed.

        One that this user may not even look for may exist, and its claims count: opening it says what is wrong.
        """
        if self.url.startswith(SHARED_PREFIXES):
            return False
        try:
            os.lstat(self.url)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return False


def locate_book(repository: Repository, flag: str | None) -> BookLocation:
    """Return where the claims of ``repository`` are.

    Args:
        repository: the repository.
        flag: the value of ``--ledger``, or None.

    Raises:
        UsageError: what was named is no kind of book.
    """
    variable = os.environ.get("BESPEAK_LEDGER", "")
    if flag is None and not variable.startswith(SHARED_PREFIXES):
        return BookLocation(os.path.join(repository.common_dir, FOLDER, FILE))
    from bespeak.base.paths import book_url

    said_by = "BESPEAK_LEDGER" if flag is None else "--ledger"
    return BookLocation(book_url(variable if flag is None else flag, said_by, None), _name(repository))


def _name(repository: Repository) -> str:
    from bespeak.git.repository import name_of

    name = os.environ.get(NAME_VARIABLE) or name_of(repository)
    raw = name.encode("utf-8", "surrogateescape")
    if len(raw) <= _LONGEST_NAME and name.isprintable():
        return name
    from hashlib import sha256

    return sha256(raw).hexdigest()


def open_claims_book(location: BookLocation) -> ClaimsBook:
    """Open the claims in the book; where none was made and none can be, a book in which nothing is claimed.

    Raises:
        UnavailableError: it cannot be opened.
    """
    if location.url.startswith(HTTP_PREFIXES):
        from bespeak.coord.remote_claims import open_remote_claims

        return open_remote_claims(location.url, location.repo)
    from bespeak.coord.claims_book import ClaimsBook

    return ClaimsBook(_open_engine(location), location.repo)


def _open_engine(location: BookLocation) -> Engine:
    from bespeak.coord.schema import COORD
    from bespeak.storage import open_engine

    if location.repo == "":
        folder = os.path.dirname(location.url)
        if location.missing and not _may_make(folder):
            from bespeak.coord.missing_book import MissingBook

            return MissingBook(location.url)
        _make_folder(folder)
    return open_engine(location.url, [COORD])


def _may_make(folder: str) -> bool:
    """Tell whether this process may make a book in a folder; an error of another kind is left to the opening."""
    existing = folder if os.path.lexists(folder) else os.path.dirname(folder)
    return not os.path.isdir(existing) or os.access(existing, os.W_OK | os.X_OK)


def _make_folder(folder: str) -> None:
    """Make the folder in the git common directory; shared with the group if the repository is."""
    try:
        mode = os.stat(os.path.dirname(folder)).st_mode
        shared = mode & stat.S_ISGID and mode & stat.S_IWGRP
        os.mkdir(folder, 0o700)
        if shared:
            _share(folder)
    except OSError:
        return  # it exists, or opening the book says what is wrong


def _share(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o2770)  # as its parent
    finally:
        os.close(descriptor)
