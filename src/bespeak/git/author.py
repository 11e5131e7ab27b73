"""Who makes a commit, as git would have it: the environment first, then the settings."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from bespeak.git.errors import GitError
from bespeak.git.ownership import in_place
from bespeak.git.process import last_line

if TYPE_CHECKING:
    from bespeak.git.repository import Repository

_IDENTITY = re.compile(r"^(.*) <(.*)> \d+ [+-]\d+$")


def author(repository: Repository) -> dict[str, str]:
    """Return the variables that tell git who makes a commit.

    Raises:
        GitError: nobody has told git who that is.
    """
    found: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        name, email = (os.environ.get(f"GIT_{role}_{part}", "") for part in ("NAME", "EMAIL"))
        if not (name and email):
            asked = in_place(repository, "var", f"GIT_{role}_IDENT")
            match = _IDENTITY.match(os.fsdecode(asked.stdout).strip())
            if asked.returncode or match is None:
                raise GitError(f"git does not know who you are: {last_line(asked.stderr)}")
            name, email = name or match[1], email or match[2]
        found |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email}
        if date := os.environ.get(f"GIT_{role}_DATE"):
            found[f"GIT_{role}_DATE"] = date
    return found
