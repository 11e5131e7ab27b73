"""What the index reads from: files by path, contents by id. The caller that opens an index passes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


class Listing(Protocol):
    """The files of a revision or of a work tree."""

    @property
    def commit(self) -> str:
        """The commit; the one that is checked out, for a work tree; empty if there is none yet."""

    @property
    def blobs(self) -> Mapping[str, str]:
        """The id of the contents of each file, by path."""

    @property
    def listed(self) -> Mapping[str, str] | None:
        """The same as git lists it, without the changes of the work tree; None if there are none."""

    @property
    def loose(self) -> Mapping[str, str]:
        """The paths of contents that are in the work tree only, by id."""

    @property
    def unread(self) -> Iterable[tuple[str, str]]:
        """Paths that cannot be read, each with the reason."""


class ObjectReader(Protocol):
    """Files and contents of a repository."""

    def revision(self, name: str) -> Listing:
        """Return the files of a revision."""

    def worktree(self) -> Listing:
        """Return the files of the work tree as they are."""

    def get(self, blob: str) -> bytes | None:
        """Return a content; None if there is none with this id."""

    def many(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield contents in the order asked for, each with its id."""

    def loose(self, path: str, blob: str) -> bytes | None:
        """Return the content of a file of the work tree; None if it has changed and has another id."""

    def id_of(self, content: bytes) -> str:
        """Return the id of a content, whether it is stored or not."""

    def recipe(self) -> tuple[str, str, tuple[str, ...]]:
        """Return how a worker process opens the same reader: module, function, arguments."""

    def close(self) -> None:
        """Close files and processes."""
