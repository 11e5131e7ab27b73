"""The branch that a work tree is on, read from its files; git is asked only where they cannot tell."""

from __future__ import annotations

import os

from bespeak.git.files import read_text
from bespeak.git.repository import readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.git.repository import Repository

_SHORT = 7
_HEADS = "refs/heads/"


def current_branch(repository: Repository) -> str:
    """Return the branch that is checked out; the short commit id if none is."""
    head = read_text(os.path.join(repository.git_dir, "HEAD")).strip()
    name = head.removeprefix("ref:").strip()
    # A repository with another way to keep references has a name here that cannot exist.
    if head.startswith("ref:") and not name.endswith("/.invalid"):
        return readable(name.removeprefix(_HEADS))
    if len(head) >= 2 * 20 and not head.strip("0123456789abcdef"):
        return head[:_SHORT]
    from bespeak.git.process import Git

    with Git(repository) as git:
        named = git.try_("symbolic-ref", "--short", "HEAD").stdout or git.try_("rev-parse", "--short", "HEAD").stdout
    return readable(os.fsdecode(named).strip())
