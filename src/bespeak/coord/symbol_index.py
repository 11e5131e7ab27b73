"""The symbol index of a git repository: where it is kept, and what it reads from."""

from __future__ import annotations

import os

from bespeak.coord.errors import ClaimError
from bespeak.git.errors import UnknownRevisionError
from bespeak.git.objects import Objects
from bespeak_symbols.index import Index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.git.objects import Listing
    from bespeak.git.repository import Repository
    from bespeak_symbols.index import Progress

_FOLDER, _FILE = "bespeak", "symbols.sqlite3"


def open_index(repository: Repository, progress: Progress | None = None) -> Index:
    """Return the symbol index of a repository.

    Args:
        repository: where to read.
        progress: called while files are read, with how many are and how many there are in all.
    """
    return Index(_Reader(repository), os.path.join(repository.common_dir, _FOLDER, _FILE), progress)


class _Reader(Objects):
    """Objects of git, with the errors of coord."""

    def revision(self, name: str) -> Listing:
        try:
            return super().revision(name)
        except UnknownRevisionError as unknown:
            raise ClaimError(str(unknown)) from None
