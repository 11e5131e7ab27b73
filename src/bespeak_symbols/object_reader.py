"""What the index needs of a repository: files by path, contents by id. Whoever opens an index brings one."""

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
    def loose(self) -> Mapping[str, str]:
        """The paths of contents that are in the work tree only, by id."""

    @property
    def unread(self) -> Iterable[tuple[str, str]]:
        """What is there but cannot be read: its path, and why."""


class ObjectReader(Protocol):
    """Files and contents of a repository."""

    def revision(self, name: str) -> Listing:
        """Return the files of a revision."""

    def worktree(self) -> Listing:
        """Return the files of the work tree as they are."""

    def get(self, blob: str) -> bytes | None:
        """Return a content; None if it is not there."""

    def many(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield contents in the order asked for, each with its id."""

    def loose(self, path: str, blob: str) -> bytes | None:
        """Return a file of the work tree; None if its content has another id by now."""

    def id_of(self, content: bytes) -> str:
        """Return the id that a content has, or would have."""

    def recipe(self) -> tuple[str, str, tuple[str, ...]]:
        """Return how another process opens the same while this one keeps it: module, function, arguments."""

    def close(self) -> None:
        """Let go of what was opened."""
