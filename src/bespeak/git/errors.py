"""What can go wrong with git, as errors of their own."""

from __future__ import annotations

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError, WrongStateError


class GitError(BespeakError):
    """git failed, or a repository is damaged."""


class UnknownRevisionError(GitError):
    """A revision names no commit.

    Args:
        name: the revision as it was typed.
        reason: what git says beyond that; empty if nothing.
    """

    def __init__(self, name: str, reason: str = "") -> None:
        super().__init__(f"no such revision: {escape_unprintable(name) or 'empty'}")
        self.name = name
        self.reason = reason


class NotOwnedError(WrongStateError):
    """The repository belongs to another user, and git refuses to work in it."""
